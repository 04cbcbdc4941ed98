"""The figure of a lab: a panel per picture set, a dot per seed, the mean and its interval beside
the dots."""
import textwrap

from lessons.cells import summary
from lessons.labs import results
from minialex.utils.drawing import Canvas

INK, BLUE, PALE, RED, GREY = "#22303c", "#2f6db3", "#bfd7f0", "#d1344b", "#8a8f98"
COLOURS = {"relu": BLUE, "tanh": RED, "sigmoid": GREY}
NAMES = {"top1": "validation error, %", "top5": "top-5 validation error, %",
         "loss": "validation loss", "gap": "validation minus training error, points"}


def draw(lab, rows, path):
    """Writes the figure of all picture sets in the CSV."""
    canvas = Canvas({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    sets = list(dict.fromkeys(row["pictures"] for row in rows))
    figure, axes = canvas.subplots(1, len(sets), figsize=(5.6 * len(sets), 4.4), squeeze=False,
                                   layout="constrained")
    panel = _curves if hasattr(lab, "GOAL") else _dots
    for axis, name in zip(axes[0], sets):
        panel(axis, lab, [row for row in rows if row["pictures"] == name])
        axis.set_title(name, loc="left", fontsize=10.5, weight="bold", color=INK)
    title = "\n".join(textwrap.wrap(summary(lab), 56 * len(sets)))
    figure.suptitle(f"{title}\n", x=0.01, ha="left", fontsize=12, weight="bold", color=INK)
    below = "\n".join(textwrap.wrap(f"{lab.PAPER}. {lab.SETTING}.", 90 * len(sets)))
    figure.supxlabel(below, x=0.01, ha="left", fontsize=8, color=GREY)
    figure.savefig(path, dpi=110, facecolor="white")


def _dots(axis, lab, rows):
    """Lines join what one seed gave; a bar of twice the interval's half-width stands under the
    difference."""
    column = lab.COMPARE[0][2]
    found = results.by_arm(rows, column)
    arms = [arm for arm in lab.ARMS if arm in found]
    for seed in found[arms[0]]:
        axis.plot(range(len(arms)), [found[arm][seed] for arm in arms], "-o", color=PALE,
                  linewidth=1, markersize=4, zorder=1)
    means = [results.spread(found[arm].values())[0] for arm in arms]
    axis.plot(range(len(arms)), means, "o", color=BLUE, markersize=8, zorder=3)
    for place, mean in enumerate(means):
        axis.annotate(f"{mean:.1f}", (place, mean), (9, 0), textcoords="offset points", va="center",
                      color=INK, weight="bold")
    lines = []
    for ours, theirs, error in lab.COMPARE:
        found = results.by_arm(rows, error)
        mean, half = results.paired(found[ours], found[theirs])
        digits = 2 if error == "loss" or half < 0.1 else 1
        lines.append(f"{error.replace('top', 'top-')}, {ours} against {theirs}: "
                     f"{mean:+.{digits}f} ± {half:.{digits}f}, {results.sentence(mean, half)}")
    axis.set_xticks(range(len(arms)),
                    [arm.replace(", ", ",\n").replace(" (", "\n(") for arm in arms])
    axis.set_xlim(-0.4, len(arms) - 0.4)
    axis.set_ylim(0, 1.05 * axis.get_ylim()[1])
    axis.set_ylabel(NAMES[column])
    axis.set_xlabel("\n".join(lines), fontsize=8, loc="left", color=INK)


def _curves(axis, lab, rows):
    """The paper's Figure 1: training error over epochs or steps, a thin line per seed."""
    found = results.epochs_to(rows, lab.GOAL, lab.MOST, lab.UNIT)
    axis.axhline(lab.GOAL, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    lines = []
    for name, arm in fastest(lab, found).items():
        for seed in found[arm]:
            curve = [row for row in rows if row["arm"] == arm and row["seed"] == seed]
            axis.plot([row[lab.UNIT] for row in curve], [row["train_top1"] for row in curve],
                      color=COLOURS[name], linewidth=1)
        mean, deviation = results.spread(found[arm].values())
        missed = sum(value > lab.MOST for value in found[arm].values())
        lines.append(f"{arm}: {mean:.1f} ± {deviation:.1f} {lab.UNIT}s" if not missed else
                     f"{arm}: {missed} of {len(found[arm])} not within {lab.MOST} {lab.UNIT}s")
        axis.plot([], [], color=COLOURS[name], label=arm)
    axis.set_ylim(0, 100)
    axis.set_xlim(0.5, max(row[lab.UNIT] for row in rows) + 0.5)
    axis.set_ylabel(f"training error after each {lab.UNIT}, %")
    axis.set_xlabel(f"{lab.UNIT}\n" + "\n".join(lines), fontsize=8, color=INK)
    axis.legend(frameon=False)


def fastest(lab, found):
    """{activation: the arm whose seeds need the fewest epochs on average}."""
    best = {}
    for arm in lab.ARMS:
        name = lab.ARMS[arm][0]
        if arm in found and (name not in best or _mean(found[arm]) < _mean(found[best[name]])):
            best[name] = arm
    return best


def _mean(by_seed):
    return results.spread(by_seed.values())[0]
