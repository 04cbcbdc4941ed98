"""Dropout 0.5 in a hidden fully connected layer: with, without, and with twice the epochs.

The paper, section 4.2: "Without dropout, our network exhibits substantial overfitting. Dropout
roughly doubles the number of iterations required to converge."
"""
from lessons.labs import bench

SEEDS, EPOCHS, PER_CLASS, HIDDEN = 3, 20, 20, 256
SETTING = (f"{PER_CLASS} training pictures per class, {EPOCHS} epochs, "
           f"hidden layer of {HIDDEN}, no augmentation")
ARMS = {"without": (0.0, 1), "dropout": (0.5, 1), "dropout, 2 × epochs": (0.5, 2)}
COMPARE = [(arm, "without", error) for arm in list(ARMS)[1:] for error in ("top1", "loss")]
PAPER = "paper: less overfitting with, twice the iterations"


def measure(pictures, seed):
    """One seed: the same pictures and first weights for all three."""
    images, labels, val, val_labels, _ = pictures.choose(seed, PER_CLASS)
    for arm, (p, times) in ARMS.items():
        bench.ma.manual_seed(seed)
        net = bench.network(pictures.classes, hidden=HIDDEN, dropout=p)
        bench.train(net, images, labels, seed, times * EPOCHS, augment=False)
        yield {"arm": arm, **bench.scores(net, images, labels, val, val_labels)}
