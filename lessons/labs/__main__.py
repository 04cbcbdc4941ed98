"""python -m lessons.labs NAME: run an experiment, or go on with one. Without NAME: the list.

A seed is measured once for each picture set and lab; what the CSV has is not measured again. So the committed results
stay as they are, `--seeds` with a larger number adds to them, and `--out FOLDER` starts from nothing.
"""
import argparse
import importlib
import os
import sys
import time
from pathlib import Path

from lessons.labs import figure, results
from minialex.errors import UserError
from minialex.utils import console

LABS = ["activations", "pooling", "response_norm", "dropout", "augmentation", "ensemble"]


def load(name):
    """The module of a lab. Raises UserError for a name that none has."""
    if name not in LABS:
        raise UserError(f"there is no lab {name!r}: choose one of {', '.join(LABS)}")
    return importlib.import_module(f"lessons.labs.{name}")


def run(name, seeds=None, folder=None, out=results.FOLDER, say=print):
    """Measures the seeds 0 … seeds − 1 that the CSV lacks; returns all its rows and draws the figure."""
    from lessons.labs import bench

    lab = load(name)
    path = Path(out) / f"{name}.csv"
    rows = results.read(path, lab.SETTING)
    pictures = bench.open_pictures(folder)
    have = {row["seed"] for row in rows if row["pictures"] == pictures.name}
    for seed in range(lab.SEEDS if seeds is None else seeds):
        if seed in have:
            continue
        start = time.process_time()
        rows += [{"pictures": pictures.name, "seed": seed, **row} for row in lab.measure(pictures, seed)]
        results.write(path, lab.SETTING, rows)
        say(f"{name}, {pictures.name}, seed {seed}: {time.process_time() - start:.0f} s of processor time", flush=True)
    figure.draw(lab, rows, path.with_suffix(".png"))
    return rows


def report(name, rows):
    """What was measured, as lines: every arm's mean and spread, then every difference with its 95 % interval."""
    lab, lines = load(name), []
    for pictures in dict.fromkeys(row["pictures"] for row in rows):
        here = [row for row in rows if row["pictures"] == pictures]
        lines.append(f"\n{pictures}")
        lines += _speeds(lab, here) if hasattr(lab, "GOAL") else _errors(lab, here)
    return lines


def _speeds(lab, rows):
    found = results.epochs_to(rows, lab.GOAL, lab.EPOCHS)
    for arm, by_seed in found.items():
        mean, deviation = results.spread(by_seed.values())
        late = sum(epochs > lab.EPOCHS for epochs in by_seed.values())
        yield f"  {arm:<22} {mean:5.1f} epochs, spread {deviation:.1f}" + (
            f"; {late} of {len(by_seed)} not within {lab.EPOCHS}, counted as {lab.EPOCHS + 1}" if late else "")
    best = figure.fastest(lab, found)
    for name in list(best)[1:]:
        ratio = results.spread(found[best[name]][s] / found[best["relu"]][s] for s in found[best["relu"]])
        yield f"  {best[name]} / {best['relu']}: {ratio[0]:.1f} times the epochs (spread {ratio[1]:.1f})"


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
        yield f"  {error}, {ours} − {theirs}: {mean:+.2f} ± {half:.2f} (95 %): {results.sentence(mean, half)}"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m lessons.labs", description="The experiments behind the lessons.")
    parser.add_argument("name", nargs="?", help="the experiment; without it the list is printed")
    parser.add_argument("--seeds", type=int, metavar="N", help="how many seeds (as committed without it)")
    parser.add_argument("--data", metavar="DIR", help="a tree of class folders instead of the built-in pictures")
    parser.add_argument("--out", metavar="FOLDER", default=results.FOLDER, help="where CSV and figure lie (lessons/labs/results)")
    options = parser.parse_args(arguments)
    if options.seeds is not None and options.seeds < 1:
        parser.error(f"--seeds {options.seeds}: at least 1")
    try:
        if options.name is None:
            for name in LABS:
                lab = load(name)
                print(f"  {name:<14} {lab.__doc__.splitlines()[0]}\n{'':17}{lab.SETTING}; {lab.SEEDS} seeds")
            return 0
        rows = run(options.name, options.seeds, options.data, options.out)
        print("\n".join(report(options.name, rows)))
        print(f"\n{os.path.relpath(Path(options.out) / options.name)}.csv and .png")
    except UserError as error:
        print(f"python -m lessons.labs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(console.run("python -m lessons.labs", main))
