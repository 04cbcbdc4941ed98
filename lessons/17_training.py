"""Training on a subset: reading curves, filters, and experiments

Prerequisites: lessons 06 to 10 and 14 to 16. Minutes: 45. Afterwards you can read the curves of a
run, and say what a difference between two networks is worth. Three claims of the paper cannot be
computed, only measured: ReLU is six times faster, overlapping pooling saves 0.4 points, response
normalisation 1.4. Here a small network is trained live; `python -m lessons.labs` did it for many
seeds.
"""
# %% Tools
import csv
from math import log

import classroom
import numpy as np
from classroom import broken, claim, fact, predict, settle, show
from drawings import training

import minialex as ma
from lessons.labs import activations, bench, figure, overlap, pooling, response_norm, results
from lessons.labs import race as second

# %% [markdown]
# ## 1. Figure 1, live and small
# Lesson 06 raced three activations with one seed. The labs did it with several seeds, on two sets
# of pictures. The measure is the paper's: epochs until 25 % of the training pictures are wrong.
# Live, there are four layers, 120 drawn pictures of six classes, no augmentation and no weight
# decay. Every activation gets a learning rate of its own, because the best one differs.

# %%
claim("T1", "N5", "ReLU trains about six times faster than sigmoid")
guess = predict("tanh's epochs divided by ReLU's, here: "
                "what do you expect? (The paper found 6 on CIFAR-10.)", within=0.5)
each = classroom.live("pictures of a class", 20, 10)
pictures = bench.draw_pictures(each, 10, classes=6)
images, labels, val, val_labels, _ = pictures.choose(seed=0, per_class=each)

def race(activation, rate, goal=25.0, most=40):
    """Training error after each epoch, until it is at most `goal`; conv1's kernels before and
    after."""
    ma.manual_seed(3)
    net, curve = bench.network(6, activation), []
    before = net.conv1.weight.data.copy()

    def look(epoch, net):
        curve.append(bench.errors(bench.probabilities(net, images), labels)["top1"])
        return curve[-1] <= goal

    bench.train(net, images, labels, 3, most, lr=rate, augment=False, weight_decay=0.0,
                constant=True, after_epoch=look)
    return curve, before, net

rates = {"relu": 0.01, "tanh": 0.02}
curves = {name: race(name, rate) for name, rate in rates.items()}
epochs = {name: len(curve) for name, (curve, *_) in curves.items()}
guess.turned_out(round(epochs["tanh"] / epochs["relu"], 2))
fact(f"both get there: ReLU in {epochs['relu']} epochs, tanh in {epochs['tanh']}",
     all(c[-1] <= 25 for c, *_ in curves.values()))

def measured(lab, name):
    """The rows of a lab's CSV for one set of pictures."""
    return [row for row in results.read(results.FOLDER / f"{lab}.csv") if row["pictures"] == name]

def speeds(name):
    """Each activation's mean epochs to 25 % over the lab's seeds, each with the learning rate that
    was fastest for it."""
    found = results.epochs_to(measured("activations", name), activations.GOAL, activations.EPOCHS)
    return {kind: results.spread(found[arm].values())[0]
            for kind, arm in figure.fastest(activations, found).items()}

sets = ["built-in", "caltech20"]
lab = {name: speeds(name) for name in sets}
fact("in the lab sigmoid needs more than twice ReLU's epochs on both sets of pictures",
     all(lab[name]["sigmoid"] > 2 * lab[name]["relu"] for name in sets))
slower = {name: lab[name]["tanh"] / lab[name]["relu"] for name in sets}
times = ", ".join(f"{factor:.1f} times on {name}" for name, factor in slower.items())
fact(f"with a rate of its own tanh needs about as many epochs as ReLU: {times}",
     all(0.7 < factor < 1.5 for factor in slower.values()))
again = results.epochs_to(measured("race", "drawn"), second.GOAL, second.MOST, second.UNIT)
times, low, high = results.ratio(again["tanh"], again["relu"])
fact(f"in a second lab, with wider layers and {second.SEEDS} seeds, each with pictures of its own, "
     f"tanh needs {times:.2f} times ReLU's steps, between {low:.2f} and {high:.2f} (95 %): "
     "1 is possible, 6 is not", len(again["relu"]) == second.SEEDS and low < 1 < high < 6)
fact(f"live, tanh needs {epochs['tanh']} epochs and ReLU {epochs['relu']}: "
     "that is not six times as many", epochs["tanh"] < 6 * epochs["relu"])
by_set = "; ".join(f"{name} {v['relu']:.1f} / {v['tanh']:.1f} / {v['sigmoid']:.1f}"
                   for name, v in lab.items())
settle("T1", "half true: the paper's six is against tanh", "epochs to 25 % training error in the "
       f"lab, ReLU / tanh / sigmoid (31: not within 30): {by_set}; live: ReLU {epochs['relu']}, "
       f"tanh {epochs['tanh']}; second lab, tanh / ReLU: {times:.2f}")

# %% [markdown]
# ## 2. A difference needs an interval
# Two networks that differ in nothing but their random numbers differ in their errors. So one
# comparison proves nothing. Take n seeds, and the same seed for both sides. That gives n
# differences, with mean d and standard deviation s. The true difference lies within d ± t·s/√n in
# 19 of 20 experiments of this kind (t is 2.776 for n = 5). If 0 lies inside, nothing was seen.

# %%
claim("T2", "N4, P", "overlapping pooling lowers the top-1 / top-5 error by 0.4 / 0.3 points")
claim("T3", "P", "response normalisation lowers the top-1 / top-5 error by 1.4 / 1.2 points")
five = [1 + 2**0.5, 1 - 2**0.5, 1.0, 1.0, 1.0]
guess = predict("Five differences have mean 1 and standard deviation 1 point. "
                "How wide is ±, with t = 2.776?", within=0.05)
(mean, half), deviation = results.paired(dict(enumerate(five)),
                                         dict.fromkeys(range(5), 0.0)), results.spread(five)[1]
guess.turned_out(round(2.776 * deviation / 5**0.5, 3))
fact(f"their mean is {mean:g} and their standard deviation {deviation:g}",
     abs(mean - 1) < 1e-9 and abs(deviation - 1) < 1e-9)
fact(f"2.776·{deviation:g}/√5 = {half:.3f}, by hand and by the lab's own function",
     abs(half - 2.776 * deviation / 5**0.5) < 1e-9)

def differences(lab, ours, theirs):
    """'built-in −1.2 ± 0.9 (lower)' and the like for both sets, top-1; the half-widths; lower,
    higher or neither."""
    said, halves, seen = [], [], []
    for name, found in ((name, results.by_arm(measured(lab, name), "top1")) for name in sets):
        mean, half = results.paired(found[ours], found[theirs])
        said.append(f"{name} {mean:+.1f} ± {half:.1f} points over "
                    f"{len(found[ours])} seeds ({results.sentence(mean, half)})")
        halves.append(half)
        seen.append(results.sentence(mean, half))
    return "; ".join(said), halves, seen

pool, pool_halves, pool_seen = differences("pooling", *pooling.COMPARE[0][:2])
norm, _, norm_seen = differences("response_norm", *response_norm.COMPARE[0][:2])
same, *_ = differences("response_norm", *response_norm.COMPARE[2][:2])
fact("for pooling every interval is wider than the paper's 0.4 points: that could not be seen here",
     min(pool_halves) > 0.4)
mean, half = results.paired(*(results.by_arm(measured("overlap", "drawn"), "top1")[arm]
                              for arm in ("3/2", "2/2")))
fact(f"in a second lab, with {overlap.SEEDS} seeds, each with pictures of its own: "
     f"{mean:+.1f} ± {half:.1f} points with 3/2 ({results.sentence(mean, half)}). "
     f"It would find {results.detectable(half):.1f} points four times in five, not 0.4",
     abs(mean) > half and results.detectable(half) > 0.4)
scores = {}
for name, options in {"3/2": {}, "2/2": {"pool": (2, 2)}, "norm": {"norm_alpha": 1e-4}}.items():
    ma.manual_seed(0)
    net = bench.train(bench.network(6, **options), images, labels, 0, 6)
    scores[name] = bench.errors(bench.probabilities(net, val), val_labels)["top1"]
show("  live, one seed: " + ", ".join(f"{name} {score:.0f} %" for name, score in scores.items())
     + ": one seed says nothing")
fact("three networks of the same seed, one change each, and three answers of their own",
     len({round(score, 1) for score in scores.values()}) > 1)

def verdict(seen):
    return ("true here too" if set(seen) == {"lower"} else "half true: not seen here, once even "
            "the other way round" if "higher" in seen else "half true: not seen at this scale")

settle("T2", "true here too, in the second lab" if mean + half < 0 else verdict(pool_seen),
       f"3/2 against 2/2: {pool}; second lab {mean:+.1f} ± {half:.1f}. "
       "The paper's 0.4 is smaller than these intervals")
settle("T3", verdict(norm_seen), f"α = 10⁻⁴ against none: {norm}; "
       f"with α times the pixels' variance: {same}")

# %% [markdown]
# ## 3. Reading curves
# This is a real run: AlexNet on 20 classes of photographs (`benchmarks/caltech20-metrics.csv`).
# Three questions to ask of any curve. Where does it start? A network that knows nothing gives each
# of K classes the probability 1/K, and its loss is ln K (lesson 09). When does it begin to
# **overfit**, to learn its pictures by heart? Then the loss of training falls below that of
# validation. In the first epochs it is often the other way round, for two reasons: training sees
# random crops, and it loses half of fc6 and fc7 to dropout, while validation sees the middle of the
# picture with the whole network.

# %%
guess = predict("At which loss does a network with 20 classes begin?", within=0.02)
with open(classroom.HERE.parent / "benchmarks" / "caltech20-metrics.csv", encoding="utf-8") as file:
    run = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
guess.turned_out(round(log(20), 3))
fact("after one epoch it is still within 0.2 of ln 20 = 2.996",
     abs(run[0]["val_loss"] - log(20)) < 0.2)
gap = [row["val_loss"] - row["train_loss"] for row in run]
crossing = next(row["epoch"] for row, value in zip(run, gap)
                if all(later > 0 for later in gap[run.index(row):]))
easier = [int(row["epoch"]) for row, value in zip(run, gap) if value < 0]
fact(f"validation has the smaller loss in the epochs {', '.join(map(str, easier))}; "
     f"from epoch {crossing:.0f} on the larger one", easier and max(easier) == crossing - 1)
lowest = min(run, key=lambda row: row["val_loss"])
fact(f"at the end {gap[-1]:.2f} lie between them: it overfits. Still, "
     f"validation is near its lowest, {lowest['val_loss']:.2f}",
     gap[-1] > 0.3 and run[-1]["val_loss"] < lowest["val_loss"] + 0.05)
calm = [row for row in run if row["lr"] == run[0]["lr"]][-1]
later = run[-1]["val_top1"] - calm["val_top1"]
fact(f"{100 * later:.0f} points of accuracy came after the rate began to fall. "
     "Whether they came because of it, only a second run whose rate stays could tell, "
     "and there is none", later > 0.25)

# %% [markdown]
# ## 4. Reading filters, and two things broken on purpose
# conv1's kernels are small pictures. At the start they are noise. What has training added? Subtract
# the start and look. Then two failures: a learning rate ten times too large, and a network that is
# given no picture at all.

# %%
_, before, net = curves["relu"]
change = net.conv1.weight.data - before
likeness = float(np.corrcoef(before.ravel(), net.conv1.weight.data.ravel())[0, 1])
fact(f"live, conv1's kernels still correlate by {likeness:.2f} with the random numbers that "
     "they began with", likeness > 0.7)

def smoothness(kernels):
    """The correlation of neighbouring weights: 0 for noise."""
    return float(np.corrcoef(kernels[..., :-1].ravel(), kernels[..., 1:].ravel())[0, 1])

fact("what training has changed is smoother than the start: "
     f"neighbours correlate by {smoothness(change):.2f}, not {smoothness(before):.2f}",
     smoothness(change) > smoothness(before) + 0.2)
with open(classroom.HERE.parent / "benchmarks" / "filters.csv", encoding="utf-8") as file:
    runs = [{key: value if key == "run" else float(value or "nan") for key, value in row.items()}
            for row in csv.DictReader(file)]
ours, published = [row for row in runs if row["run"] == "builtin"], runs[-1]
photographs = [row for row in runs if row["run"] == "caltech20"]
fact("`python -m minialex.train --subset` lets conv1 start at 0.25 times those numbers, "
     "and learn 20 times as fast. There " + ", ".join(f"{100 * row['left']:.0f} %" for row in ours)
     + " of the kernels leave their start (three seeds)",
     all(row["start"] == 0.25 and row["rate"] == 20 and row["left"] > 0.5 for row in ours))
fact("the paper's first tower holds coloured kernels, its second grey ones: in the published "
     f"weights {100 * published['colour1']:.0f} % and {100 * published['colour2']:.0f} % of the "
     "energy is colour", published["colour1"] > 0.5 > 0.25 > published["colour2"])
fact("three runs of eight epochs on drawn pictures do not show it, both towers are nearly grey: "
     + "; ".join(f"{100 * row['colour1']:.0f} % and {100 * row['colour2']:.0f} %" for row in ours),
     all(max(row["colour1"], row["colour2"]) < 0.25 for row in ours))
fact("thirty epochs on 1,200 photographs begin to, always with the first tower: "
     + "; ".join(f"{100 * row['colour1']:.0f} % and {100 * row['colour2']:.0f} %"
                 for row in photographs) + " (three seeds)",
     all(row["colour1"] - row["colour2"] > 0.1 for row in photographs))
ma.manual_seed(0)
stuck = bench.train(bench.network(6), images, labels, 3, 3, lr=0.1, constant=True)
wrong = bench.errors(bench.probabilities(stuck, images), labels)["top1"]
fact(f"with ten times the learning rate the network is lost: {wrong:.0f} % wrong, "
     f"guessing is {100 * 5 / 6:.0f} %", wrong > 60)
with broken(ValueError):
    bench.probabilities(net, val[:0])
classroom.save(training.draw(curves, before, change, run), "17_training",
               f"Left: the race, ReLU {epochs['relu']} epochs and tanh {epochs['tanh']}. Right: "
               f"the losses of a real run cross before epoch {crossing:.0f}; grey, the rate falls. "
               "Below: kernels as drawn, and what training has changed in them.")
classroom.score()

# %% [markdown]
# ## Try
# Change one line, run the lesson again, and read which sentence changes or which fact no longer
# holds.
#
# - `rates = {"relu": 0.003, "tanh": 0.003}`: who wins with the same small rate?
# - `five = [1.0, 1.0, 1.0, 1.0, 1.5]`: how wide is the interval of five differences that nearly
#   agree?
# - `wrong = bench.errors(bench.probabilities(net, images), labels)["top1"]`: is the network of
#   section 1 lost?
#
# ## Exercise
# `lessons/exercises/17_training.py`: epochs to a goal, a paired interval, and a diagnosis from
# curves. Before you write it: why is the interval of the paired differences narrower than that of
# two separate means?
