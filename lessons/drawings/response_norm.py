"""Lesson 8: what neighbours do to a value, a row of channels before and after, and the towers'
edge."""
import classroom
import numpy as np
from drawings.paper import AMBER, BLUE, GREY, INK, PALE, RED


def draw(lrn, k, beta, a, one, two, bump):
    """lrn: the formula, with these k and beta; a: (96,) activations; one, two: normalised as one
    tower and as two; bump: channels."""
    canvas = classroom.picture()
    figure = canvas.figure(figsize=(13, 9))
    grid = figure.add_gridspec(2, 2, hspace=0.36, wspace=0.2, left=0.06, right=0.98, top=0.93,
                               bottom=0.07)
    _response(figure.add_subplot(grid[0, 0]), lrn, k, beta)
    _bump(figure.add_subplot(grid[0, 1]), lrn, k, beta, bump)
    _edge(figure.add_subplot(grid[1, :]), a, one, two)
    return figure


def _response(axis, lrn, k, beta):
    values = np.linspace(0, 300, 200)
    for neighbours, colour in [(0, BLUE), (50, AMBER), (150, RED)]:
        row = np.full(5, float(neighbours))
        answers = []
        for value in values:
            row[2] = value
            answers.append(lrn(row)[2])
        axis.plot(values, answers, color=colour, linewidth=2.2, label=f"neighbours at {neighbours}")
    axis.plot(values, values / k**beta, color=INK, linewidth=1, linestyle=(0, (4, 3)),
              label=f"a/{k:g}^{beta:g}: small values")
    axis.set_ylim(0, 110)
    axis.set_xlabel("a")
    axis.set_ylabel("b")
    axis.legend(frameon=False, loc="upper left", fontsize=9.5)
    _title(axis, "What comes out: loud neighbours dim")


def _bump(axis, lrn, k, beta, a):
    places = np.arange(len(a))
    axis.bar(places - 0.2, a / k**beta, width=0.4, color=PALE, label=f"a/{k:g}^{beta:g}")
    axis.bar(places + 0.2, lrn(a, n=5), width=0.4, color=BLUE, label="b, normalised")
    axis.set_xticks(places)
    axis.set_xlabel("channel")
    axis.legend(frameon=False)
    _title(axis, "A bump across channels: its peak keeps the smallest share")


def _edge(axis, a, one, two):
    shown = np.arange(40, 56)
    axis.axvspan(47.5, 55.6, color="#f6e3bd", alpha=0.5, linewidth=0)
    axis.axvspan(39.4, 47.5, color=PALE, alpha=0.4, linewidth=0)
    axis.bar(shown - 0.2, one[shown], width=0.4, color=GREY, edgecolor=INK, linewidth=0.6,
             label="one device")
    colours = [RED if not np.isclose(one[i], two[i]) else GREY for i in shown]
    axis.bar(shown + 0.2, two[shown], width=0.4, color=colours, edgecolor=INK, linewidth=0.6,
             label="two towers; red: different")
    for i in shown:
        if not np.isclose(one[i], two[i]):
            axis.text(i + 0.2, two[i] + 0.4, f"{two[i] / one[i] - 1:+.1%}", ha="center",
                      fontsize=10, color=RED)
    axis.axvline(47.5, color=INK, linewidth=1.5)
    axis.set_xticks(shown)
    axis.set_xlim(39.4, 55.6)
    axis.set_xlabel("channel; the edge of the towers lies between 47 and 48")
    axis.set_ylabel("b")
    axis.legend(frameon=False, loc="upper left", ncols=2)
    axis.set_ylim(0, 1.18 * max(two[shown]))
    _title(axis, "At the edge of a tower the window is cut: the same 96 activations, "
           "normalised by one device and by two")


def _title(axis, text):
    axis.set_title(text, loc="left", fontsize=12, weight="bold", color=INK)
