"""Lesson 0: the border that a network draws between two kinds of points, before and after training,
and its loss."""
import numpy as np
from drawings.paper import BLUE, INK, RED, sheet


def draw(network, before, after, points, answers, history):
    """network(weights, points) -> scores; before, after: its weights; history: the loss at each
    step."""
    figure = sheet(13, 4.6)
    axes = figure.subplots(1, 3)
    for axis, weights, title in [(axes[0], before, "Random weights"),
                                 (axes[1], after, f"After {len(history)} steps")]:
        _border(axis, network, weights, points, answers)
        axis.set_title(title, fontsize=13, weight="bold", color=INK, loc="left")
    axes[2].plot(np.arange(len(history)), history, color=INK, linewidth=2)
    axes[2].set_ylim(0, None)
    axes[2].set_xlabel("step")
    axes[2].set_ylabel("loss: mean (score − label)²")
    axes[2].set_title("Training", fontsize=13, weight="bold", color=INK, loc="left")
    figure.tight_layout()
    return figure


def _border(axis, network, weights, points, answers):
    places = np.linspace(-1.8, 1.8, 121)
    x, y = np.meshgrid(places, places)
    scores = network(weights, np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    axis.contourf(x, y, scores, levels=[-np.inf, 0, np.inf], colors=["#f7d9dc", "#d6e5f6"])
    axis.contour(x, y, scores, levels=[0], colors=[INK], linewidths=1.5)
    for label, colour, mark, name in [(1, BLUE, "o", "disc"), (-1, RED, "^", "ring")]:
        axis.scatter(*points[answers == label].T, s=16, color=colour, marker=mark, label=name)
    axis.set_aspect("equal")
    axis.set_xlabel("first coordinate; blue ground: the network says disc")
    axis.set_ylabel("second coordinate")
    axis.legend(loc="upper right", fontsize=9)
