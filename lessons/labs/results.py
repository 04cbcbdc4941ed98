"""What a lab has measured: a CSV that a killed lab goes on with, and what may be concluded from
it."""
import csv
import math
import os
from collections import defaultdict
from pathlib import Path

from minialex.errors import UserError

FOLDER = Path(__file__).resolve().parent / "results"
# Student's t, 97.5 %, for 1 to 15 degrees of freedom; beyond that the value for 15 is used, which
# is a little too wide.
T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
     2.145, 2.131]


def read(path, setting=None):
    """The rows measured so far, [] without a file. Raises UserError for a file that another setting
    has written, if one is asked for."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        first = file.readline().rstrip("\r\n")
        rows = list(csv.DictReader(file))
    if setting is not None and first != f"# {setting}":
        raise UserError(f"{path} was measured with another setting ({first[2:]}): delete it, "
                        "or name another folder with --out")
    return [{key: _number(value) for key, value in row.items()} for row in rows]


def _number(text):
    try:
        return float(text)
    except ValueError:
        return text


def write(path, setting, rows):
    """All rows, in one replacement of the file: a kill leaves the old one or the new one, never
    half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8", newline="") as file:
        file.write(f"# {setting}\n")
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows({key: f"{value:.6g}" if isinstance(value, float) else value
                         for key, value in row.items()} for row in rows)
    os.replace(f"{path}.new", path)


def by_arm(rows, column):
    """{arm: {seed: value}} of the rows of one picture set."""
    found = defaultdict(dict)
    for row in rows:
        found[row["arm"]][row["seed"]] = row[column]
    return dict(found)


def epochs_to(rows, goal, limit, unit="epoch"):
    """{arm: {seed: epochs (or steps) until the training error was at most `goal`}}; limit + 1 for
    those that never were."""
    found = defaultdict(dict)
    for row in rows:
        reached = found[row["arm"]].setdefault(row["seed"], limit + 1)
        if row["train_top1"] <= goal:
            found[row["arm"]][row["seed"]] = min(reached, row[unit])
    return dict(found)


def spread(values):
    """(mean, standard deviation of single values)."""
    values = list(values)
    mean = sum(values) / len(values)
    return mean, (sum((v - mean) ** 2 for v in values) / max(1, len(values) - 1)) ** 0.5


def paired(ours, theirs):
    """(mean difference, half-width of its 95 % interval) over the seeds that both have: mean ±
    t·s/√n, s of the differences. Pairing takes out what a seed does to both, such as an easy choice
    of pictures."""
    seeds = sorted(set(ours) & set(theirs))
    mean, deviation = spread(ours[seed] - theirs[seed] for seed in seeds)
    if len(seeds) < 2:
        return mean, float("inf")
    return mean, T[min(len(seeds) - 1, len(T)) - 1] * deviation / len(seeds) ** 0.5


def ratio(ours, theirs):
    """(how many times theirs ours is, the two ends of its 95 % interval), over the seeds that both
    have: by logarithms, so that twice and half are equally far from once."""
    mean, half = paired(*({seed: math.log(value) for seed, value in side.items()}
                          for side in (ours, theirs)))
    return tuple(math.exp(value) for value in (mean, mean - half, mean + half))


def signs(ours, theirs):
    """The sign test in words: in how many seeds ours is lower or higher, and how often chance alone
    would do as much."""
    seeds = set(ours) & set(theirs)
    lower, higher = (sum(one[seed] < other[seed] for seed in seeds)
                     for one, other in ((ours, theirs), (theirs, ours)))
    return (f"lower in {lower} seeds, higher in {higher}, "
            f"sign test p = {sign_test(lower, higher):.2g}")


def sign_test(lower, higher):
    """How often fair coins, one for each seed without a tie, fall at least as unevenly, to either
    side."""
    count = lower + higher
    return min(1.0, 2 * sum(math.comb(count, k) for k in range(min(lower, higher) + 1)) / 2**count)


def detectable(half):
    """The true difference that an experiment whose interval is ± half finds four times in five:
    another 40 % of half on top, as t's 80 % point is about 0.4 of its 97.5 % point."""
    return 1.4 * half


def sentence(mean, half):
    """What an interval allows to say."""
    if half == float("inf"):
        return "one seed: nothing can be said"
    if abs(mean) <= half:
        return "no difference could be seen"
    return "lower" if mean < 0 else "higher"
