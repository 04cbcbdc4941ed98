"""Lesson 14: how much of the signal depends on the picture, layer by layer, and two training
curves."""
from math import log

from drawings.paper import AMBER, BLUE, INK, RED, heading, sheet


def draw(paper, raw, he, small, grown, sigma):
    """paper, raw, he: {layer: share}; small, grown: the loss of each step; sigma: of small."""
    figure = sheet(12, 5.2)
    heading(figure, 0.93, "What is left of the picture, and what it does to training")
    left, right = figure.add_axes((0.075, 0.13, 0.46, 0.66)), figure.add_axes((0.63, 0.13, 0.33,
                                                                               0.66))
    places = range(1, len(paper) + 1)
    for shares, colour, label in ((he, BLUE, "He: σ = √(2/n)"),
                                  (raw, AMBER, "paper, larger pixels"),
                                  (paper, RED, "paper, pixels of variance 1")):
        left.semilogy(places, [100 * share for share in shares.values()], "o-", color=colour)
        left.text(len(paper) + 0.12, 100 * list(shares.values())[-1], label, color=colour,
                  va="center", fontsize=9)
    left.set_xticks(list(places), ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"])
    left.set_xlim(0.8, len(paper) + 2.6)
    left.set_ylabel("share of the signal that depends\non the picture, % (untrained AlexNet)")
    right.axhline(log(10), color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    right.text(len(small) - 1, log(10) + 0.03, "ln 10", color=INK, fontsize=9, ha="right")
    right.plot(small, color=RED)
    right.plot(grown, color=BLUE)
    right.text(len(small) * 0.55, log(10) - 0.09, f"σ = {sigma:g}", color=RED, fontsize=9)
    right.text(len(grown) * 0.62, 1.05, "He", color=BLUE, fontsize=9)
    right.set_xlabel("step (32 drawn pictures each)")
    right.set_ylabel("loss of a four-layer network")
    right.set_ylim(0, 2.8)
    return figure
