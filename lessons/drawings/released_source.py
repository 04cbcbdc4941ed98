"""Lesson 21: where conv1 reads zeros, what the norm before the ReLU dims, and what each change does
to pool5."""
import numpy as np
from drawings.paper import BLUE, INK, PALE, RED, heading, sheet


def draw(ones, before, after, moved):
    """ones: (55, 55) pixels in each window; before, after: normalised values with ReLU last and
    first; moved: {change: (size, correlation)} of pool5 against the paper's."""
    figure = sheet(12, 5.4)
    heading(figure, 0.93, "Pixels in conv1's windows")
    heading(figure, 0.93, "Norm before the ReLU", left=0.36)
    heading(figure, 0.93, "pool5 after each change", left=0.67)
    left = figure.add_axes((0.035, 0.14, 0.24, 0.66))
    shown = left.imshow(ones, cmap="Blues_r", vmin=40, vmax=140)
    left.set_xticks([0, 27, 54], [1, 28, 55])
    left.set_yticks([0, 27, 54], [1, 28, 55])
    left.set_title("121 inside, 88 at the rim, 64 in the corner", fontsize=9, color=INK)
    shown.set_clim(40, 160)
    middle = figure.add_axes((0.385, 0.14, 0.24, 0.66))
    pick = np.linspace(0, len(before) - 1, 4000).astype(int)
    middle.plot(after[pick], before[pick], ".", color=BLUE, markersize=1.5)
    top = after[pick].max()
    middle.plot([0, top], [0, top], color=RED, linewidth=1)
    middle.set_xlabel("ReLU first (the paper)")
    middle.set_ylabel("norm first (the program)")
    middle.text(top * 0.8, top * 0.9, "equal", color=RED, ha="right", fontsize=9)
    right = figure.add_axes((0.755, 0.14, 0.22, 0.66))
    names = list(moved)[::-1]
    right.barh(names, [moved[name][0] for name in names], color=PALE, edgecolor=BLUE, linewidth=0.8)
    right.axvline(1, color=RED, linewidth=1)
    for place, name in enumerate(names):
        size, alike = moved[name]
        right.text(max(size, 1) + 0.06, place, f"{size:.2f} ×, correlation {alike:.2f}",
                   va="center", fontsize=8.5, color=INK)
    right.set_xlim(0, 3.6)
    right.set_xlabel("mean size, paper = 1")
    return figure
