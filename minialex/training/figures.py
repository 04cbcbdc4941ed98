"""Two pictures of a run: its curves, and what conv1 has learnt to see (the paper's Figure 3)."""

import math

import numpy as np

from . import style

PER_ROW = 16  # the paper's Figure 3 shows 96 kernels in six rows
TILE = 0.6  # inches a kernel


def curves(path, history, num_classes, complete):
    """Loss and accuracy over the epochs as a PNG. history: rows of metrics.csv; complete: per row, did the validation see
    all pictures? Those that did are dots."""
    epochs, lr, train_loss, train_top1, val_loss, val_top1, val_top5 = (np.array(column, float) for column in zip(*history))
    top1 = [(train_top1, "training top-1", style.TRAIN), (val_top1, "validation top-1", style.VAL)]
    top5 = [(val_top5, "validation top-5", style.VAL_LIGHT)] if num_classes > 5 else []
    with style.figure(path, 11, 4.2) as drawing:
        left, right = drawing.subplots(1, 2)
        drawing.subplots_adjust(left=0.05, right=0.855, top=0.86, bottom=0.12, wspace=0.48)
        _panel(left, "loss", epochs, [(train_loss, "training", style.TRAIN), (val_loss, "validation", style.VAL)], complete)
        _guess(left, math.log(num_classes), f"guessing: ln {num_classes} = {math.log(num_classes):.2f}")
        _label_ends(left, "{:.2f}", upward=True)
        _panel(right, "accuracy", epochs, top1 + top5, complete)
        right.set_ylim(0, 1.02)
        right.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        _guess(right, 1 / num_classes, f"guessing: {1 / num_classes:.1%}")
        _label_ends(right, "{:.1%}", upward=False)
        for axes in (left, right):
            _lr_drops(axes, epochs, lr)


def _panel(axes, title, epochs, lines, complete):
    axes.set_title(title, pad=18)
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color="#eceef1", linewidth=0.8)
    axes.set_axisbelow(True)
    whole = np.array(complete, bool)
    for values, name, colour in lines:
        axes.plot(epochs, values, color=colour, linewidth=1.8, solid_capstyle="round", label=name, clip_on=False, zorder=3)
        if name.startswith("validation") or len(epochs) == 1:
            shown = whole if name.startswith("validation") else slice(None)
            axes.plot(epochs[shown], values[shown], "o", color=colour, markersize=4, clip_on=False, zorder=4)
    axes.set_xlim(0 if len(epochs) == 1 else epochs[0], epochs[-1])
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(bottom=0)


def _label_ends(axes, number, upward):
    """Name and last value of each line at its right end, pushed apart where ends are close."""
    lines = [line for line in axes.get_lines() if not line.get_label().startswith("_")]
    gap = 0.062 * (axes.get_ylim()[1] - axes.get_ylim()[0]) * (1 if upward else -1)
    placed = None
    for line in sorted(lines, key=lambda line: line.get_ydata()[-1], reverse=not upward):
        end = line.get_ydata()[-1]
        placed = end if placed is None else max(end, placed + gap) if upward else min(end, placed + gap)
        axes.annotate(f"{line.get_label()}  {number.format(end)}", (line.get_xdata()[-1], placed), xytext=(9, 0), va="center",
                      textcoords="offset points", color=line.get_color(), fontsize=8.5, annotation_clip=False)


def _guess(axes, level, words):
    """A dashed line where a network is that knows nothing."""
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.1 * level))
    axes.axhline(level, color=style.QUIET, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1, label="_guess")
    axes.annotate(words, (0.99, level), xycoords=("axes fraction", "data"), xytext=(0, 3), textcoords="offset points",
                  ha="right", color=style.QUIET, fontsize=8)


def _lr_drops(axes, epochs, lr):
    for before, after, old, new in zip(epochs, epochs[1:], lr, lr[1:]):
        if new != old:
            middle = (before + after) / 2
            axes.axvline(middle, color="#d5d9df", linewidth=0.9, zorder=0, label="_lr")
            axes.annotate(f"lr {new:g}", (middle, 1), xycoords=("data", "axes fraction"), xytext=(0, 3), ha="center",
                          textcoords="offset points", color=style.QUIET, fontsize=7.5)


def filters(path, weight, towers=1):
    """The kernels of the first layer as small pictures, as PNG: weight (C_out, 1 or 3, KH, KW), in `towers` blocks.

    One scale for all: grey is 0, and the strongest percent of the weights reach the ends of the scale.
    """
    blocks = np.split(np.asarray(weight, np.float32), towers)
    per_row = min(PER_ROW, len(blocks[0]))
    rows = [math.ceil(len(block) / per_row) for block in blocks]
    width = max(5.5, TILE * per_row + 0.4)
    height = TILE * sum(rows) + 0.35 * len(blocks) + 0.6
    with style.figure(path, width, height) as drawing:
        _, _, tall, wide = weight.shape
        drawing.text(0.2 / width, 1 - 0.32 / height, f"conv1's {len(weight)} kernels of {tall}×{wide}×{weight.shape[1]}",
                     fontsize=11, fontweight="bold")
        drawing.text(1 - 0.2 / width, 1 - 0.32 / height, "grey is 0; one scale for all", fontsize=8.5, color=style.QUIET,
                     ha="right")
        top = height - 0.42
        for number, (block, count) in enumerate(zip(blocks, rows)):
            if towers > 1:
                drawing.text(0.2 / width, (top - 0.22) / height, f"tower {number + 1}", fontsize=8.5, color=style.QUIET)
            top -= 0.3
            axes = drawing.add_axes([0.2 / width, (top - TILE * count) / height, TILE * per_row / width, TILE * count / height])
            axes.imshow(_mosaic(block, per_row, np.abs(weight)), interpolation="nearest", aspect="auto")
            axes.axis("off")
            top -= TILE * count + 0.05


def _mosaic(kernels, per_row, sizes):
    """(count, C, KH, KW) -> one picture (H, W, 3) with a white line between kernels."""
    scale = max(float(np.percentile(sizes, 99)), 1e-12)
    tiles = (0.5 + 0.5 * kernels / scale).clip(0, 1)
    tiles = np.broadcast_to(tiles, (len(tiles), 3, *tiles.shape[2:])) if tiles.shape[1] == 1 else tiles
    tiles = np.pad(tiles, ((0, -len(tiles) % per_row), (0, 0), (0, 1), (0, 1)), constant_values=1)
    count, channels, height, width = tiles.shape
    grid = tiles.reshape(count // per_row, per_row, channels, height, width).transpose(0, 3, 1, 4, 2)
    return grid.reshape(count // per_row * height, per_row * width, channels)[:-1, :-1]
