"""How a run with --paper differs from the training in the paper (Krizhevsky, Sutskever and Hinton, 2012)."""

from .config import RECIPES

CLASSES, PICTURES, CROP = 1000, 1_200_000, 224  # section 2 (1.2 million), section 4.1

# What the network itself leaves of the paper.
_NETWORKS = {
    "paper": "each response norm sees all channels, where the paper's two GPUs normalised their own: at the 49th map the window "
    "crosses from one tower to the other (--variant krizhevsky keeps them apart)",
    "krizhevsky": "the network is that of the released program: pool before ReLU, a second norm within each map",
    "single-tower": "the network has no towers: every kernel sees all channels",
}


def differences(experiment):
    """Sentences, the most important ones first."""
    config, train = experiment.config, experiment.train
    if len(train.classes) != CLASSES or len(train) < PICTURES:
        yield f"{len(train):,} pictures of {len(train.classes):,} classes, not about {PICTURES:,} of {CLASSES:,}"
    for name, value in RECIPES["paper"].items():
        if getattr(config, name) != value:
            yield f"{name.replace('_', ' ')} {getattr(config, name)}, not {value}"
    if config.dropout != 0.5:
        yield f"dropout {config.dropout:g}, not 0.5"
    for name, what in (("crop", "no random crops"), ("reflect", "no reflections")):
        if not getattr(config, name):
            yield what
    yield "one device computes both towers, which the paper put on two GPUs; the products are the same"
    yield _NETWORKS.get(config.variant, f"the network is the variant {config.variant}")
    size = experiment.model.input_shape[-1]
    if size != CROP:
        yield f"crops of {size} pixels, not {CROP}, which the paper's own sizes of layers contradict (lesson 1)"
    if config.schedule == "plateau":
        yield "the learning rate is divided by 10 after 5 epochs without a better validation error, not by hand"
    yield "dropout divides by 1 − p while training; the paper multiplies by 1 − p afterwards, which has the same mean"
    yield "validation looks at the central crop; ten crops, as in the paper's results: python -m minialex.evaluate --ten-crop"
    if config.accumulate > 1:
        yield f"each batch is worked on in {config.accumulate} parts: the same sums in another order"
    if config.tf32:
        yield "matrix products round their factors to TF32"
