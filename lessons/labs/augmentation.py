"""Augmentation: random crops and reflections against the same central crop in every epoch.

The paper, section 4.1: "Without this scheme, our network suffers from substantial overfitting,
which would have forced us to use much smaller networks."
"""
from lessons.labs import bench

SEEDS, EPOCHS, PER_CLASS = 3, 24, 20
SETTING = f"{PER_CLASS} training pictures per class, {EPOCHS} epochs"
ARMS = {"centre only": False, "crops, reflections": True}
COMPARE = [("crops, reflections", "centre only", "top1"),
           ("crops, reflections", "centre only", "top5")]
PAPER = "paper: less overfitting with"


def measure(pictures, seed):
    """One seed: the same pictures and first weights for both."""
    images, labels, val, val_labels, _ = pictures.choose(seed, PER_CLASS)
    for arm, augment in ARMS.items():
        bench.ma.manual_seed(seed)
        net = bench.train(bench.network(pictures.classes), images, labels, seed, EPOCHS,
                          augment=augment)
        yield {"arm": arm, **bench.scores(net, images, labels, val, val_labels)}
