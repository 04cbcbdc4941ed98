"""Lesson 9: loss and slope over the logit, and the first loss over the scatter of the logits."""
import classroom
import numpy as np
from drawings.paper import AMBER, BLUE, GREY, INK, RED


def draw(xs, curves, logits, first):
    """curves: {name: [(loss, slope)]}; logits: (N, 1000) of the untrained network; first: its mean
    loss."""
    figure, axes = classroom.picture().subplots(1, 3, figsize=(15, 5.2))
    for axis in axes:
        axis.grid(True, color=GREY, linewidth=0.6)
    looks = {"entropy": (BLUE, "cross-entropy"), "squared": (AMBER, "squared error of a sigmoid")}
    for name, (colour, label) in looks.items():
        values = np.array(curves[name])
        axes[0].plot(xs, values[:, 0], color=colour, linewidth=2.2, label=label)
        axes[1].plot(xs, values[:, 1], color=colour, linewidth=2.2)
    axes[0].legend(frameon=False)
    axes[1].annotate("sure and wrong:\nno pull at all", (-8.5, -0.01), xytext=(-9.5, -0.42),
                     color=AMBER, fontsize=10.5, arrowprops={"arrowstyle": "-|>", "color": AMBER})
    for axis, title in zip(axes, ["Loss, right class", "Slope: how hard it pulls",
                                  "What the first step prints, 1000 classes"]):
        axis.set_title(title, loc="left", fontsize=12.5, weight="bold", color=INK)
    for axis in axes[:2]:
        axis.set_xlabel("z of the right class, the other at 0")
    _first_loss(axes[2], logits, first)
    figure.tight_layout(w_pad=2)
    return figure


def _first_loss(axis, logits, first):
    sigma = float(logits.std(axis=1).mean())
    direction = (logits[0] - logits[0].mean()) / logits[0].std()
    scatter = np.linspace(0, 2.5, 60)
    losses = [np.log(np.exp(s * direction).sum()) for s in scatter]
    axis.plot(scatter, losses, color=BLUE, linewidth=2.2, label="measured: ln Σ e^z − mean z")
    axis.plot(scatter, np.log(1000) + scatter**2 / 2, color=INK, linewidth=1, linestyle=(0, (4, 3)),
              label="ln 1000 + σ²/2")
    axis.plot([sigma], [first], "o", color=RED, markersize=9)
    axis.annotate(f"the paper's start: {first:.1f}", (sigma, first), xytext=(10, -16),
                  textcoords="offset points", color=RED)
    axis.plot([0], [np.log(1000)], "o", color=INK)
    axis.annotate("6.9078", (0, np.log(1000)), xytext=(8, -14), textcoords="offset points",
                  color=INK)
    axis.set_xlabel("σ, how far the untrained logits scatter")
    axis.set_ylim(6.5, 10.4)
    axis.legend(frameon=False, loc="upper left")
