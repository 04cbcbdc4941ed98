"""Two pictures of a run: its curves, and what conv1 has learnt to see (the paper's Figure 3)."""

import math

import numpy as np

from . import style

PER_ROW = 16  # the paper's Figure 3 shows 96 kernels in six rows


def curves(path, history, num_classes, complete):
    """Loss and accuracy over the epochs as a PNG. history: rows of metrics.csv; complete: per row, did the validation see
    all pictures?"""
    epochs, lr, train_loss, train_top1, val_loss, val_top1, val_top5 = (np.array(column, float) for column in zip(*history))
    with style.figure(path, 10, 4.2) as drawing:
        left, right = drawing.subplots(1, 2)
        drawing.subplots_adjust(left=0.06, right=0.90, top=0.88, bottom=0.13, wspace=0.42)
        _panel(left, "loss", epochs, [(train_loss, "training", style.TRAIN), (val_loss, "validation", style.VAL)], complete)
        _guess(left, num_classes)
        accuracies = [(train_top1, "training top-1", style.TRAIN), (val_top1, "validation top-1", style.VAL),
                      (val_top5, "validation top-5", style.VAL_LIGHT)]
        _panel(right, "accuracy", epochs, accuracies if num_classes > 5 else accuracies[:2], complete)
        right.set_ylim(0, 1.02)
        right.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        for axes in (left, right):
            _lr_drops(axes, epochs, lr)


def _panel(axes, title, epochs, lines, complete):
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color="#eceef1", linewidth=0.8)
    axes.set_axisbelow(True)
    whole = [bool(value) for value in complete]
    for values, name, colour in lines:
        axes.plot(epochs, values, color=colour, linewidth=1.8, solid_capstyle="round",
                  marker="o" if len(epochs) == 1 else None)
        if name.startswith("validation"):
            axes.plot(epochs[whole], values[whole], "o", color=colour, markersize=4)
    axes.set_xlim(1 if len(epochs) > 1 else 0.5, max(epochs[-1], 1.5))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(bottom=0)
    _label_ends(axes, epochs[-1], lines)


def _label_ends(axes, x, lines):
    """The names of the lines at their right ends, pushed apart where the ends are close."""
    low, high = axes.get_ylim()
    high = max(high, 1.02) if high <= 1.1 else high
    gap, placed = 0.075 * (high - low), -math.inf
    for values, name, colour in sorted(lines, key=lambda line: line[0][-1]):
        y = values[-1]
        placed = max(y, placed + gap)
        value = f"{y:.1%}" if axes.get_title(loc="left") == "accuracy" else f"{y:.2f}"
        axes.annotate(f"{name} {value}", (x, placed), xytext=(8, 0), textcoords="offset points", color=colour, va="center",
                      fontsize=8.5, annotation_clip=False)


def _guess(axes, num_classes):
    guess = math.log(num_classes)
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.1 * guess))
    axes.axhline(guess, color=style.QUIET, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.annotate(f"guessing: ln {num_classes} = {guess:.2f}", (0.99, guess), xycoords=("axes fraction", "data"),
                  xytext=(0, 3), textcoords="offset points", ha="right", color=style.QUIET, fontsize=8)


def _lr_drops(axes, epochs, lr):
    for before, after, old, new in zip(epochs, epochs[1:], lr, lr[1:]):
        if new != old:
            axes.axvline((before + after) / 2, color="#d5d9df", linewidth=0.9, zorder=0)
            axes.annotate(f"lr {new:g}", ((before + after) / 2, 1), xycoords=("data", "axes fraction"), xytext=(3, -3),
                          textcoords="offset points", color=style.QUIET, fontsize=7.5, va="top")


def filters(path, weight, towers=1):
    """The kernels of the first layer as small pictures, as PNG: weight (C_out, 1 or 3, KH, KW), in `towers` blocks.

    One scale for all: grey is 0, and the strongest percent of the weights reach the ends of the scale.
    """
    blocks = np.split(np.asarray(weight, np.float32), towers)
    per_row = min(PER_ROW, len(blocks[0]))
    rows = [math.ceil(len(block) / per_row) for block in blocks]
    width = 10 if per_row == PER_ROW else max(4, 10 * per_row / PER_ROW)
    tile = (width - 0.4) / per_row
    height = tile * sum(rows) + 0.35 * len(blocks) + 0.6
    with style.figure(path, width, height) as drawing:
        _, _, tall, wide = weight.shape
        drawing.text(0.2 / width, 1 - 0.32 / height, f"conv1's {len(weight)} kernels of {tall}×{wide}×{weight.shape[1]}",
                     fontsize=11, fontweight="bold")
        top = height - 0.5
        for number, (block, count) in enumerate(zip(blocks, rows)):
            if towers > 1:
                drawing.text(0.2 / width, (top - 0.22) / height, f"tower {number + 1}", fontsize=8.5, color=style.QUIET)
            top -= 0.3
            axes = drawing.add_axes([0.2 / width, (top - tile * count) / height, 1 - 0.4 / width, tile * count / height])
            axes.imshow(_mosaic(block, per_row, np.abs(weight)), interpolation="nearest", aspect="auto")
            axes.axis("off")
            top -= tile * count + 0.05


def _mosaic(kernels, per_row, sizes):
    """(count, C, KH, KW) -> one picture (H, W, 3) with a white line between kernels."""
    scale = max(float(np.percentile(sizes, 99)), 1e-12)
    tiles = (0.5 + 0.5 * kernels / scale).clip(0, 1)
    tiles = np.broadcast_to(tiles, (len(tiles), 3, *tiles.shape[2:])) if tiles.shape[1] == 1 else tiles
    tiles = np.pad(tiles, ((0, -len(tiles) % per_row), (0, 0), (0, 1), (0, 1)), constant_values=1)
    count, channels, height, width = tiles.shape
    grid = tiles.reshape(count // per_row, per_row, channels, height, width).transpose(0, 3, 1, 4, 2)
    return grid.reshape(count // per_row * height, per_row * width, channels)[:-1, :-1]
