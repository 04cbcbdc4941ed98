"""Lesson 15: steps after a fall of the learning rate, and two walks through a valley."""
import numpy as np
from drawings.paper import BLUE, GREY, INK, RED, heading, sheet


def draw(by_rule, plain, heavy, momentum, fall, steep):
    """by_rule: {"paper": path, "outside": path}; plain, heavy: (steps, 2) without and with
    momentum; steep: the valley's."""
    figure = sheet(12, 5.2)
    heading(figure, 0.93, f"ε divided by {fall} after 200 steps")
    heading(figure, 0.93, f"{len(plain) - 1} steps down a valley", left=0.5)
    left, right = figure.add_axes((0.06, 0.12, 0.38, 0.7)), figure.add_axes((0.54, 0.12, 0.44, 0.7))
    longest = np.abs(np.diff(by_rule["paper"])).max()
    for name, colour, label, height in (("paper", BLUE, "the paper: ε inside v", 0.7),
                                        ("outside", RED, "ε outside", 0.18)):
        steps = -np.diff(by_rule[name])
        left.plot(range(190, 240), steps[190:240], "o-", color=colour, markersize=3)
        left.text(206.5, height * longest, label, color=colour)
    left.set_ylim(0, 1.1 * longest)
    left.set_xlabel("step (the gradient is always 1)")
    left.set_ylabel("length of the step")
    x, y = np.meshgrid(np.linspace(-1.25, 1.25, 200), np.linspace(-5, 11, 200))
    right.contour(y, x, np.sqrt((steep * x**2 + y**2) / 2), levels=12, colors=GREY, linewidths=0.9,
                  zorder=0)
    for walk, colour, label in ((plain, RED, "momentum 0"),
                                (heavy, BLUE, f"momentum {momentum:g}")):
        right.plot(walk[:, 1], walk[:, 0], "o-", color=colour, markersize=3, linewidth=1,
                   label=label)
    right.plot(0, 0, "+", color=INK, markersize=12)
    right.legend(frameon=False, loc="lower right")
    right.set_xlabel("along the valley")
    right.set_ylabel("across")
    return figure
