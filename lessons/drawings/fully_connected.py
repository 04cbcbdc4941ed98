"""Lesson 11: nine tiles, and what the sliding network says at each of 17×17 places."""
import classroom
import numpy as np
from drawings.paper import AMBER, BLUE, GREEN, INK, RED

NAMES = ("bricks", "checkerboard", "dots", "honeycomb", "rings")
COLOURS = (RED, INK, BLUE, AMBER, GREEN)


def draw(mosaic, answer, classes):
    """mosaic: (3, 96, 96); answer: (5, 17, 17) logits; classes: what the nine tiles are."""
    from matplotlib.colors import to_rgb

    figure, axes = classroom.picture().subplots(1, 3, figsize=(14.5, 5.4))
    shown = mosaic.transpose(1, 2, 0)
    axes[0].imshow((shown - shown.min()) / (shown.max() - shown.min()))
    _titled(axes[0], "A picture of 96×96: nine new tiles")
    p = np.exp(answer - answer.max(axis=0))
    p /= p.sum(axis=0)
    colours = np.array([to_rgb(colour) for colour in COLOURS])
    best, sure = p.argmax(axis=0), p.max(axis=0)[..., None]
    axes[1].imshow(1 - sure * (1 - colours[best]), interpolation="nearest")
    _titled(axes[1], "17×17 answers in one pass (pale: unsure)")
    for number, kind in enumerate(classes):
        row, column = 8 * (number // 3), 8 * (number % 3)
        axes[1].plot(column, row, "o", markersize=9, color=colours[kind], markeredgecolor="white",
                     markeredgewidth=2)
    axes[1].set_xlabel("a ringed dot: a window that shows one whole tile, in its true colour")
    aligned = p[:, ::8, ::8].reshape(len(p), 9)
    for kind in range(5):
        look = {"color": COLOURS[kind], "label": NAMES[kind], "height": 0.8}
        axes[2].barh(np.arange(9), aligned[kind], left=aligned[:kind].sum(axis=0), **look)
    axes[2].set_yticks(np.arange(9))
    axes[2].set_yticklabels([NAMES[kind] for kind in classes])
    axes[2].invert_yaxis()
    axes[2].set_xlim(0, 1)
    axes[2].set_title("What it says to the nine whole tiles", loc="left", fontsize=12.5,
                      weight="bold", color=INK)
    axes[2].legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.06),
                   fontsize=9)
    figure.tight_layout(w_pad=2)
    return figure


def _titled(axis, text):
    axis.set_title(text, loc="left", fontsize=12.5, weight="bold", color=INK)
    axis.set_xticks([])
    axis.set_yticks([])
