"""Lesson 7: a picture and how many windows each of its pixels wins, without and with overlap."""
import classroom
from drawings.paper import AMBER, BLUE, INK, PALE, RED


def draw(photo, wins):
    """photo: (H, W); wins: {"2/2": (H, W) of how many windows a pixel wins, "3/2": ...}."""
    from matplotlib.colors import ListedColormap

    colours = ListedColormap(["white", PALE, BLUE, AMBER, RED])
    figure, axes = classroom.picture().subplots(1, 3, figsize=(14, 5))
    axes[0].imshow(photo, cmap="gray")
    axes[0].set_title(f"a map, {photo.shape[0]}×{photo.shape[1]}", fontsize=12.5, color=INK,
                      weight="bold")
    for axis, (name, count) in zip(axes[1:], wins.items()):
        shown = axis.imshow(count, cmap=colours, vmin=-0.5, vmax=4.5, interpolation="nearest")
        windows, winners = int(count.sum()), int((count > 0).sum())
        text = f"{name}: {windows} windows, {winners} winners"
        axis.set_title(text, fontsize=12.5, color=INK, weight="bold")
        axis.set_xlabel(f"{int((count > 1).sum())} pixels win more than once", color=INK,
                        fontsize=11)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
        for side in axis.spines.values():
            side.set_visible(True)
    figure.subplots_adjust(left=0.01, right=0.91, wspace=0.05, top=0.93, bottom=0.07)
    bar = figure.colorbar(shown, cax=figure.add_axes((0.925, 0.1, 0.015, 0.8)), ticks=range(5))
    bar.set_label("windows that a pixel wins = its gradient")
    return figure
