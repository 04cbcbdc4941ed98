"""python -m lessons.labs NAME: run an experiment, or go on with one. Without NAME: the list.

A seed is measured once for each picture set and lab; what the CSV has is not measured again. So the
committed results stay as they are, `--seeds` with a larger number adds to them, and `--out FOLDER`
starts from nothing.
"""
import argparse
import importlib
import os
import sys
from pathlib import Path
from statistics import median

from lessons.cells import summary
from lessons.labs import figure, results
from lessons.labs import seeds as seeds_of
from minialex.errors import UserError
from minialex.utils import console

LABS = ["activations", "pooling", "response_norm", "dropout", "augmentation", "ensemble", "race",
        "overlap"]


def load(name):
    """The module of a lab. Raises UserError for a name that none has."""
    if name not in LABS:
        raise UserError(f"there is no lab {name!r}: choose one of {', '.join(LABS)}")
    return importlib.import_module(f"lessons.labs.{name}")


def run(name, seeds=None, folder=None, out=results.FOLDER, say=print, grid=False, processes=1):
    """Measures the seeds 0 … seeds − 1 that the CSV lacks; returns all its rows and draws the
    figure.

    grid: measures the rates that were tried instead, on the seeds kept for that, into a CSV of
    their own, without a figure.
    """
    lab = load(name)
    if grid and not hasattr(lab, "grid"):
        raise UserError(f"the lab {name!r} has no rates to try: "
                        f"its own were tried once, see lessons/labs/{name}.py")
    path = Path(out) / (f"{name}-rates.csv" if grid else f"{name}.csv")
    rows = results.read(path, lab.SETTING)
    pictures = seeds_of.open_pictures(lab, folder)
    have = {row["seed"] for row in rows if row["pictures"] == pictures.name}
    wanted = lab.GRID_SEEDS if grid else range(lab.SEEDS if seeds is None else seeds)
    todo = [seed for seed in wanted if seed not in have]
    for seed, (found, seconds) in zip(todo, seeds_of.measured(lab, pictures, folder, grid, todo,
                                                              processes)):
        rows += [{"pictures": pictures.name, "seed": seed, **row} for row in found]
        results.write(path, lab.SETTING, rows)
        say(f"{path.stem}, {pictures.name}, seed {seed}: {seconds:.0f} s of processor time",
            flush=True)
    if not grid:
        figure.draw(lab, rows, path.with_suffix(".png"))
    return rows


def report(name, rows):
    """What was measured, as lines: every arm's mean and spread, then every difference with its 95 %
    interval."""
    lab, lines = load(name), []
    for pictures in dict.fromkeys(row["pictures"] for row in rows):
        here = [row for row in rows if row["pictures"] == pictures]
        lines.append(f"\n{pictures}")
        lines += _speeds(lab, here) if hasattr(lab, "GOAL") else _errors(lab, here)
    return lines


def rates(name, rows):
    """The best rate for each, in every picture set, as lines."""
    for pictures in dict.fromkeys(row["pictures"] for row in rows):
        best = load(name).best_rates([row for row in rows if row["pictures"] == pictures])
        yield f"{pictures}: " + ", ".join(f"{arm} {rate}" for arm, rate in best.items())


def _speeds(lab, rows):
    for goal in lab.GOALS:
        found = results.epochs_to(rows, goal, lab.MOST, lab.UNIT)
        yield f"  {lab.UNIT}s to {goal:.0f} % training error"
        for arm, by_seed in found.items():
            mean, deviation = results.spread(by_seed.values())
            late = sum(count > lab.MOST for count in by_seed.values())
            yield (f"    {arm:<22} {mean:5.1f}, "
                   f"spread {deviation:.1f}, median {median(by_seed.values()):g}"
                   + (f"; {late} of {len(by_seed)} not within {lab.MOST}, "
                      f"counted as {lab.MOST + 1}" if late else ""))
        best = figure.fastest(lab, found)
        for name in list(best)[1:]:
            times, low, high = results.ratio(found[best[name]], found[best["relu"]])
            yield (f"    {best[name]} / {best['relu']}: {times:.2f} times (95 %: {low:.2f} "
                   f"to {high:.2f}); {results.signs(found[best[name]], found[best['relu']])}")


def _errors(lab, rows):
    for arm in lab.ARMS:
        parts = []
        for column in ("train_top1", "top1", "top5", "loss"):
            mean, deviation = results.spread(results.by_arm(rows, column)[arm].values())
            parts.append(f"{column} {mean:.2f} ± {deviation:.2f}")
        yield f"  {arm:<22} {', '.join(parts)}"
    for ours, theirs, error in lab.COMPARE:
        found = results.by_arm(rows, error)
        mean, half = results.paired(found[ours], found[theirs])
        yield (f"  {error}, {ours} − {theirs}: "
               f"{mean:+.2f} ± {half:.2f} (95 %): {results.sentence(mean, half)}")
        yield (f"    {results.signs(found[ours], found[theirs])}; a difference of "
               f"{results.detectable(half):.1f} would be found four times in five")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m lessons.labs",
                                     description="The experiments behind the lessons.")
    parser.add_argument("name", nargs="?", help="the experiment; without it the list is printed")
    parser.add_argument("--seeds", type=int, metavar="N",
                        help="how many seeds (as committed without it)")
    parser.add_argument("--rates", action="store_true",
                        help="measure the learning rates that were tried, not the lab")
    parser.add_argument("--processes", type=int, metavar="N", default=1,
                        help="how many at once, each on one core (1)")
    parser.add_argument("--data", metavar="DIR",
                        help="a tree of class folders instead of the built-in pictures")
    parser.add_argument("--out", metavar="FOLDER", default=results.FOLDER,
                        help="where CSV and figure lie (lessons/labs/results)")
    options = parser.parse_args(arguments)
    if options.seeds is not None and options.seeds < 1:
        parser.error(f"--seeds {options.seeds}: at least 1")
    if options.processes < 1:
        parser.error(f"--processes {options.processes}: at least 1")
    try:
        if options.name is None:
            for name in LABS:
                lab = load(name)
                print(f"  {name:<14} {summary(lab)}\n{'':17}{lab.SETTING}; {lab.SEEDS} seeds")
            return 0
        rows = run(options.name, options.seeds, options.data, options.out, grid=options.rates,
                   processes=options.processes)
        if options.rates:
            print("\n".join(rates(options.name, rows)))
            return 0
        print("\n".join(report(options.name, rows)))
        print(f"\n{os.path.relpath(Path(options.out) / options.name)}.csv and .png")
    except UserError as error:
        print(f"python -m lessons.labs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(console.run("python -m lessons.labs", main))
