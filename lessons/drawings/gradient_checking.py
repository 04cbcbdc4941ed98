"""Lesson 3: the error of a finite difference over its step, measured and predicted."""
import classroom
import numpy as np
from drawings.paper import AMBER, BLUE, GREY, INK, RED

LOOK = {
    ("central", "float64"): (BLUE, 2.2e-16),
    ("one-sided", "float64"): (AMBER, 2.2e-16),
    ("central", "float32"): (RED, 1.2e-7),
}


def draw(steps, curves):
    """steps: h; curves: {(rule, dtype): relative error for each step}."""
    figure, axis = classroom.picture().subplots(figsize=(11, 6.8))
    for (rule, dtype), errors in curves.items():
        colour, epsilon = LOOK[rule, dtype]
        bend = steps**2 / 6 if rule == "central" else steps / 2
        shown = np.maximum(errors, 1e-17)
        axis.loglog(steps, shown, "o", color=colour, markersize=5, label=f"{rule}, {dtype}")
        axis.loglog(steps, bend + epsilon / steps, color=colour, linewidth=1.3, alpha=0.6, zorder=1)
    axis.set_ylim(3e-13, 10)
    axis.set_xlim(3e-1, 1e-15)  # smaller steps to the right, as one would try them
    axis.grid(True, color=GREY, linewidth=0.6)
    axis.set_xlabel("step h, smaller and smaller")
    axis.set_ylabel("relative error of the derivative of eˣ at 1")
    axis.set_title("Smaller is better, until rounding takes over", loc="left", fontsize=15,
                   weight="bold", color=INK)
    axis.text(3e-3, 3e-10, "the curve bends:\nh²/6, or h/2", color=INK, fontsize=11, ha="right",
              rotation=0)
    axis.text(4e-12, 4e-8, "eˣ is rounded: ε/h", color=INK, fontsize=11)
    axis.legend(loc="lower right", frameon=False, fontsize=11,
                title="dots: measured, lines: predicted")
    figure.tight_layout()
    return figure
