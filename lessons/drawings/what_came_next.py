"""Lesson 20: how the field of view grows in AlexNet and VGG-16, and the gradient through fifty
layers."""
from drawings.paper import BLUE, GREY, INK, RED, heading, sheet


def draw(fields, chains, depths):
    """fields: {network: {layer: (across, jump)}}; chains: {name: gradient at the input for each of
    depths}."""
    figure = sheet(12, 6.4)
    heading(figure, 0.94, "What one value sees, layer by layer")
    heading(figure, 0.94, "Gradient at the input", left=0.7)
    axis = figure.add_axes((0.06, 0.11, 0.57, 0.76))
    for network, colour in (("AlexNet", BLUE), ("VGG-16", RED)):
        widths = [across for across, _ in fields[network].values()]
        axis.plot(range(1, len(widths) + 1), widths, "o-", color=colour, markersize=5)
        for place, (name, across) in enumerate(zip(fields[network], widths), 1):
            if network == "AlexNet" or name.startswith("pool"):
                beside = (-6, 4) if network == "AlexNet" else (6, -9)
                axis.annotate(f"{name}: {across}", (place, across), beside,
                              textcoords="offset points", fontsize=8.5, color=colour,
                              ha="right" if network == "AlexNet" else "left")
        axis.text(place + 0.2, widths[-1] + 7, network, color=colour, weight="bold",
                  ha="right" if place > 9 else "left")
    axis.axhline(227, color=GREY, linewidth=1)
    axis.text(18.9, 229, "the picture: 227 (AlexNet)", fontsize=8.5, color=INK, ha="right",
              va="bottom")
    axis.set_xlim(-0.9, 19.6)
    axis.set_ylim(-10, 245)
    axis.set_xticks(range(1, 19))
    axis.set_xlabel("layers (convolution or pooling)")
    axis.set_ylabel("pixels across")
    side = figure.add_axes((0.74, 0.11, 0.24, 0.76))
    for (name, values), colour in zip(chains.items(), (RED, BLUE)):
        side.semilogy(depths, values, "o-", color=colour)
        side.annotate(name, (depths[-1], values[-1]), (-14, 8), textcoords="offset points",
                      color=colour, ha="right")
    side.set_xlabel("layers of 32 neurons")
    side.set_xlim(0, 1.04 * depths[-1])
    return figure
