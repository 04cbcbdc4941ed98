"""ReLU against tanh once more: layers as in the paper's Figure 1, fresh pictures, the best learning
rate for each.

Section 3.1: "a four-layer convolutional neural network with ReLUs reaches a 25 % training error
rate on CIFAR-10 six times faster than an equivalent network with tanh neurons. The learning rates
for each network were chosen independently to make training as fast as possible. No regularization
of any kind was employed."

The first try (`activations`) was over after a few passes over few pictures. Here the error is
looked at every few steps, on a part of the training pictures, and the rates come from seeds that do
not count.
"""
from lessons.labs import bench, results

SEEDS, GRID_SEEDS, PER_CLASS, LOOKED_AT = 8, (100,), 200, 400
UNIT, EVERY, MOST = "step", 8, 400
GOAL, GOALS = 25.0, (50.0, 25.0, 10.0)
TRIED = {"relu": (0.001, 0.003, 0.01), "tanh": (0.003, 0.01, 0.03)}
RATES = {"relu": 0.003, "tanh": 0.01}  # the best of them, by the seed GRID_SEEDS
ARMS = {"relu": ("relu",), "tanh": ("tanh",)}
SETS = ("drawn",)
SETTING = (f"at most {PER_CLASS} training pictures per class, {MOST} steps of {bench.BATCH}; "
           "constant learning rate, no augmentation, no decay; "
           f"error on {LOOKED_AT} training pictures every {EVERY} steps")
PAPER = "paper: ReLU six times faster than tanh, on CIFAR-10"


def open_pictures(folder=None):
    """Drawn anew for each seed, or a tree of class folders."""
    return bench.FreshPictures(val_per_class=1) if folder is None else bench.open_pictures(folder)


def measure(pictures, seed):
    """One seed: a row for every look at every network, until it has reached the last goal."""
    images, labels, *_ = pictures.choose(seed, PER_CLASS)
    for arm, rate in RATES.items():
        yield from _train(images, labels, seed, arm, arm, rate)


def grid(pictures, seed):
    """The same for every rate that was tried."""
    images, labels, *_ = pictures.choose(seed, PER_CLASS)
    for activation, rates in TRIED.items():
        for rate in rates:
            yield from _train(images, labels, seed, f"{activation}, lr {rate}", activation, rate)


def _train(images, labels, seed, arm, activation, rate):
    some = slice(None, None, max(1, len(images) // LOOKED_AT))  # of all classes alike
    rows = []

    def look(step, net):
        if step % EVERY == 0:
            error = bench.errors(bench.probabilities(net, images[some]), labels[some])["top1"]
            net.train()
            rows.append({"arm": arm, "lr": rate, UNIT: step, "train_top1": error})
        return step == MOST or bool(rows) and rows[-1]["train_top1"] <= GOALS[-1]

    bench.ma.manual_seed(seed)
    net = bench.network(labels.max() + 1, activation, convolutions=bench.PAPERS)
    bench.train(net, images, labels, seed, MOST, lr=rate, augment=False, weight_decay=0.0,
                constant=True, after_step=look)
    return rows


def best_rates(rows):
    """{activation: the rate with the fewest steps to GOAL, on average over the grid's seeds
    (one)}."""
    found = results.epochs_to(rows, GOAL, MOST, UNIT)
    mean = {arm: results.spread(steps.values())[0] for arm, steps in found.items()}
    return {activation: min(rates, key=lambda rate: mean[f"{activation}, lr {rate}"])
            for activation, rates in TRIED.items()}
