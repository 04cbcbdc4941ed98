"""Lesson 19: which network is wrong where, and the error of one to five averaged."""
import numpy as np
from drawings.paper import BLUE, INK, PALE, RED, heading, sheet


def draw(answers, labels, lab):
    """answers: (5, N, classes); labels: (N,); lab: {pictures: {arm: mean error}} of one to five
    networks."""
    figure = sheet(12, 5.6)
    heading(figure, 0.93, "Probability of the right class, picture by picture")
    heading(figure, 0.93, "In the lab: error, %", left=0.72)
    stack = np.concatenate([answers, answers.mean(axis=0)[None]])
    right = stack[:, np.arange(len(labels)), labels]
    order = np.argsort(right[-1])
    wrong = stack.argmax(axis=2) != labels
    axis = figure.add_axes((0.1, 0.2, 0.55, 0.62))
    shown = axis.imshow(right[:, order], aspect="auto", cmap="Blues", vmin=0, vmax=1,
                        interpolation="nearest")
    for row in range(len(stack)):
        places = np.flatnonzero(wrong[row, order])
        axis.plot(places, np.full(len(places), row), "x", color=RED, markersize=3.5,
                  markeredgewidth=0.9)
        axis.text(len(labels) + 0.5, row, f"{100 * wrong[row].mean():.0f} %", va="center",
                  color=RED, fontsize=9)
    axis.axhline(len(answers) - 0.5, color="white", linewidth=4)
    axis.set_yticks(range(len(stack)),
                    [*(f"network {n}" for n in range(1, len(answers) + 1)), "average"])
    axis.set_xticks([])
    axis.set_xlabel("validation pictures, those that the average finds hardest first; red: wrong")
    bar = figure.colorbar(shown, cax=figure.add_axes((0.1, 0.08, 0.2, 0.025)),
                          orientation="horizontal", ticks=[0, 1])
    bar.ax.tick_params(labelsize=8)
    side = figure.add_axes((0.75, 0.2, 0.22, 0.62))
    for (name, means), colour in zip(lab.items(), (BLUE, RED)):
        values = list(means.values())
        side.plot(range(1, len(values) + 1), values, "o-", color=colour)
        side.annotate(name, (3, values[2]), (0, 10), textcoords="offset points", color=colour,
                      ha="center")
    side.axhline(0, color=PALE)
    side.set_ylim(bottom=0)
    side.set_xticks(range(1, len(answers) + 1))
    side.set_xlabel("networks averaged", color=INK)
    return figure
