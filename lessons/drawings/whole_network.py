"""Lesson 13: where the parameters, the work and the neurons are, as three strips; and the slip in
the figure."""
import classroom
import numpy as np
from drawings.paper import INK, RED

CONVOLUTIONS = ["#d9e6f5", "#b3cdea", "#8db4df", "#6598d0", "#2f6db3"]
CONNECTED = ["#f6d9a0", "#e0a030", "#b37816"]


def draw(parameters, macs, neurons, told):
    """Three dicts {layer: number}, and the neurons as the paper's figure has them."""
    figure, axes = classroom.picture().subplots(2, 1, figsize=(13, 8), height_ratios=(1.5, 1))
    _strips(axes[0], {"neurons": neurons, "multiply-accumulates": macs, "parameters": parameters})
    _slip(axes[1], np.array(list(neurons.values())), told, list(neurons))
    figure.tight_layout(h_pad=2.5)
    return figure


def _strips(axis, rows):
    for place, (name, numbers) in enumerate(rows.items()):
        total, left = sum(numbers.values()), 0.0
        for (layer, number), colour in zip(numbers.items(), CONVOLUTIONS + CONNECTED):
            share = number / total
            axis.barh(place, share, left=left, color=colour, edgecolor="white", height=0.62)
            if share > 0.03:
                dark = colour in ("#2f6db3", "#b37816", "#6598d0")
                label = f"{layer}\n{share:.0%}"
                axis.text(left + share / 2, place, label, ha="center", va="center", fontsize=10,
                          color="white" if dark else INK)
            left += share
        axis.text(-0.01, place, f"{name}\n{total:,}", ha="right", va="center", fontsize=11,
                  color=INK)
    axis.set_xlim(0, 1)
    axis.set_axis_off()
    title = "Neurons in front, work in the middle, parameters at the end"
    axis.set_title(title, loc="left", fontsize=15, weight="bold", color=INK)


def _slip(axis, counted, told, names):
    places = np.arange(len(counted))
    axis.bar(places - 0.2, told, width=0.4, color=[RED, *["#c9ced6"] * 7],
             label="the paper's figure")
    axis.bar(places + 0.2, counted, width=0.4, color="#2f6db3", label="counted")
    for place, (a, b) in enumerate(zip(told, counted)):
        if a != b:
            axis.text(place - 0.02, a + 6000, f"{a:,}\n= 55·48·96", ha="right", fontsize=9.5,
                      color=RED)
            axis.text(place + 0.02, b + 6000, f"{b:,}\n= 55·55·96", ha="left", fontsize=9.5,
                      color="#2f6db3")
    axis.set_xticks(places)
    axis.set_xticklabels(names)
    axis.set_ylim(0, 370_000)
    axis.set_yticks([0, 100_000, 200_000, 300_000])
    axis.set_yticklabels(["0", "100,000", "200,000", "300,000"])
    axis.legend(frameon=False)
    title = f"Neurons: {told.sum():,} in the figure, {counted.sum():,} counted"
    axis.set_title(title, loc="left", fontsize=13, weight="bold", color=INK)
