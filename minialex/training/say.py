"""What a run says: its plan, how long it will take, a line for each epoch, what it has reached."""

import textwrap
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import shapes
from ..device import Device, memory_free, memory_used
from ..evaluation.kernels import convolutions
from ..folders.layout import is_doubtful
from ..folders.names import shown
from ..models import VARIANTS
from ..utils.progress import duration
from .callbacks import Callback
from .config import REASONS, RECIPES, SMALL
from .loop import Trainer
from .memory_estimate import caution, gigabytes, memory
from .run_dir import Epoch
from .setup import Experiment

WIDTH = 100
HEADING = ("  epoch       lr   training loss   top-1    validation loss   top-1    top-5     "
           "time, left")
VALIDATION_COST = 1 / 3  # of a picture in training: forward only
DRAWING = 6  # seconds for the pictures and the page at the end, on one core


def _row(name, text):
    return textwrap.fill(text, WIDTH, initial_indent=f"{name:9}", subsequent_indent=" " * 9)


def _rows(name, texts):
    return [_row(name, text) for text in texts]


def plan(trainer: Trainer, device: Device, data_name: str) -> list[str]:
    """Device, network, data and recipe: a list of lines."""
    experiment, config = trainer.experiment, trainer.config
    classes, free = experiment.train.classes, memory_free(trainer.device)
    named = ", ".join(map(shown, classes[:10])) + ", ..." * (len(classes) > 10)
    sampled = config.val_images < len(experiment.val)
    often = f" ({config.val_images:,} of them, marked *, until the last tenth of the epochs)"
    differing = list(differences(experiment)) if config.recipe == "paper" else []
    return [
        _row("device", device.why.removeprefix("device: ")),
        _row("network", _network(experiment)),
        _row("data", f"{data_name}: {len(classes)} classes ({named}), {len(experiment.train):,} "
                     f"pictures to train on, {len(experiment.val):,} to validate{often * sampled}"),
        _row("recipe", REASONS[config.recipe]),
        _row("", _numbers(config)),
        *_rows("weights", _class_weights(experiment)),
        *_rows("frozen", _frozen(experiment)),
        *_rows("differs", [f"from the paper: {line}" for line in differing[:1]]),
        *_rows("", differing[1:]),
        _row("memory", f"about {gigabytes(memory(experiment))}"
                       + (f"; {gigabytes(free)} are free" if free else "")),
        *_rows("note", [*experiment.notes, *_cautions(experiment)]),
        _row("run", str(trainer.folder)),
    ]


def _network(experiment):
    table, model = shapes.summary(experiment.model), experiment.model
    size = f"for pictures of {'×'.join(map(str, model.input_shape))}"
    if all(row.macs is not None for row in table.rows):
        size = f"{table.totals.macs / 1e6:,.1f} million multiply-accumulates per picture"
    return f"{model.variant}: {table.totals.parameters:,} parameters, {size}"


def _class_weights(experiment):
    """How much each class counts, the most and the least first where there are many."""
    found, classes = experiment.class_weights, experiment.train.classes
    if found is not None:
        few, by_weight = len(found) <= 10, np.argsort(-found)
        order = range(len(found)) if few else [*by_weight[:3], *by_weight[-3:]]
        named = ", ".join(f"{classes[n]} {found[n]:.3g}" for n in order)
        yield (f"a picture counts in the loss by its class: {named}"
               f"{'' if few else ' (the most and the least)'}; the losses told below are plain "
               "means, of training as of validation")


def _frozen(experiment):
    """Which layers stay as they are, and what that saves."""
    if experiment.trunk is None:
        return
    frozen, learning = ([name for name, layer in network.named_children() if layer.parameters()]
                        for network in (experiment.trunk, experiment.head))
    yield (f"{frozen[0]} to {frozen[-1]} stay as they are and get neither gradient nor weight "
           f"decay; {', '.join(learning)} learn")
    views = experiment.views
    if views > 1:
        yield (f"what they make of {views} random crops of each picture is computed once, in the "
               f"first {views} epochs, and kept; later epochs train on the same crops, in another "
               "order")
    elif views == 1:
        yield "what they make of each picture is computed once, in the first epoch, and kept"
    else:
        yield ("what they make of so many pictures does not fit into memory, so they compute it "
               "for each batch")


def _numbers(config):
    drops = " and ".join(map(str, config.drops()))
    falls = f" (÷10 after epoch {drops})" if drops else ""
    schedule = {
        "steps": falls, "milestones": falls, "constant": "",
        "linear": " (falling towards 0 after 40 % of them)",
        "plateau": " (÷10 when the validation error stops falling, at most 3 times)",
    }[config.schedule]
    schedule += (f" after {config.warmup} steps of warm-up, or the first epoch if it is shorter"
                 if config.warmup else "")
    pixels = "scaled to variance 1" if config.pixels == "unit" else "0 to 255"
    pixels += f", colours shifted with σ {config.colour:g}" if config.colour else ""
    epochs = "1 epoch" if config.epochs == 1 else f"{config.epochs} epochs"
    parts = f" in {config.accumulate} parts" if config.accumulate > 1 else ""
    init, lr = config.init, f"{config.lr:g}"
    if config.first_init != 1:
        init += f" (the first layer's times {config.first_init:g})"
    if config.first_lr != 1:
        lr += f" (the first layer's {config.first_lr:g} times that)"
    return (f"{epochs}, batch {config.batch_size}{parts}, lr {lr}{schedule}, momentum "
            f"{config.momentum:g}, weight decay {config.weight_decay:g}, init {init}, pixels minus "
            f"the mean, {pixels}, seed {config.seed}")


def _cautions(experiment):
    config, train, short = experiment.config, experiment.train, caution(experiment)
    doubtful = [name for name in train.classes if is_doubtful(name)]
    if doubtful:
        yield (f"{', '.join(doubtful)}: {'these are' if len(doubtful) > 1 else 'this is'} rarely "
               "the name of a class; if the pictures in it are not all of one kind, move that "
               "folder out of the class folders")
    if short:
        yield short
    late = [epoch for epoch in config.drops() if epoch >= config.epochs]
    if late:
        yield f"milestone {late[0]} is not reached: there are only {config.epochs} epochs"
    slow = config.init in ("paper", "released") and config.variant != "lenet5"
    if slow and len(train) < SMALL:
        yield (f"from the {config.init} initial weights the loss stays at ln {len(train.classes)} "
               f"for many epochs on {len(train):,} pictures; without --paper and --init it would "
               "not")
    if train.decodes_anew:
        yield (f"the decoded pictures do not fit into the {train.cache_bytes / 2**30:.1f} GB kept "
               "for them, so each epoch decodes files anew: python -m minialex.pack PICTURES PACK "
               "does that once, and --data PACK never waits for it")


# --------------------------------------------------------------------------------------- on its way


class TimeLeft(Callback):
    """Says how long the run will take, from its first steps on; a line for each epoch; the end."""

    FIRST_STEPS = 5  # measured for the first estimate, without the very first, which is slower

    def __init__(self) -> None:
        self.steps, self.seconds, self.told_heading = 0, 0.0, False
        self.began = self.last = time.perf_counter()
        self.estimated: float | None = None  # seconds for all, after the first steps

    def on_epoch_begin(self, trainer: Trainer) -> None:
        self.last = time.perf_counter()

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        now = time.perf_counter()
        self.steps += 1
        self.seconds += now - self.last if self.steps > 1 else 0
        self.last = now
        if self.steps == self.FIRST_STEPS:
            rate = (self.steps - 1) * trainer.pictures_per_step / self.seconds
            trainer.costs["train"] = 1 / rate
            left, used = seconds_left(trainer), memory_used(trainer.device)
            self.estimated = now - self.began + left
            so_far = f"; memory so far {gigabytes(used)}" if used else ""
            trainer.progress.line(f"time     about {duration(left)}, at the {rate:.1f} images/s of "
                                  f"the first steps{so_far}\n")

    def on_epoch(self, trainer: Trainer, row: Epoch) -> None:
        epochs, timing = trainer.config.epochs, trainer.timing[-1]
        trainer.costs["val"] = timing.val_seconds / timing.val_images
        if timing.train_images_per_second:
            trainer.costs["train"] = 1 / timing.train_images_per_second
        if not self.told_heading:
            trainer.progress.line(HEADING)
            self.told_heading = True
        taken = duration(timing.train_seconds + timing.val_seconds + timing.feature_seconds)
        left = f", {duration(seconds_left(trainer))}" if row.epoch < epochs else ""
        mark = " " if trainer.is_complete(row.epoch - 1) else "*"
        trainer.progress.line(
            f"{row.epoch:3}/{epochs:<3} {row.lr:8.2g} {row.train_loss:15.3f} {row.train_top1:7.1%} "
            f"{row.val_loss:18.3f} {row.val_top1:7.1%}{mark} {row.val_top5:7.1%}{mark}    "
            f"{taken}{left}")

    def on_end(self, trainer: Trainer) -> None:
        """After the drawing: what the run has reached, and what it took beside the estimates."""
        took = None
        if self.estimated is not None:
            took = (f"{duration(time.perf_counter() - self.began)}, estimated "
                    f"{duration(self.estimated)}")
            used, needed = memory_used(trainer.device), gigabytes(memory(trainer.experiment))
            took += f"; at most {gigabytes(used)} of memory, estimated {needed}" if used else ""
        for line in ending(trainer, took):
            trainer.progress.line(line)


def seconds_left(trainer: Trainer) -> float:
    """How long the rest of a run takes, at what its parts have cost so far.

        pictures to train on · a + pictures to validate · b + pictures for the frozen layers · c
        + the last report's forward pass of all validation pictures + saving + drawing

    a, b, c: seconds per picture, in trainer.costs as "train", "val", "features", beside "save".
    Until b is known it is a/3.
    """
    config, val, costs = trainer.config, len(trainer.experiment.val), trainer.costs
    epochs = range(trainer.epoch, config.epochs)
    train, features = costs.get("train", 0.0), costs.get("features", 0.0)
    validate = costs.get("val", VALIDATION_COST * train)
    steps = len(epochs) * len(trainer.loader) - trainer.batch
    complete = sum(map(trainer.is_complete, epochs))
    validated = complete * val + (len(epochs) - complete) * config.val_images
    kept = [trainer.loader, trainer.validation] if trainer.experiment.views else []
    uncomputed = sum(loader.uncomputed(epochs) for loader in kept)
    report = val * (validate + features * bool(kept))
    return (steps * config.batch_size * train + validated * validate + uncomputed * features
            + report + complete * costs.get("save", 0.0) + DRAWING)


def ending(trainer: Trainer, took: str | None) -> Iterator[str]:
    """What the run has reached, where it is, and what it took (None: in very few steps)."""
    experiment, folder = trainer.experiment, trainer.folder
    last, best = trainer.history[-1], trainer.best
    first = [name for name, _ in convolutions(experiment.model)[:1]]
    files = {
        "curves.png": "loss and accuracy, epoch by epoch",
        "filters.png": f"{''.join(first)}'s kernels, and what training has changed in them",
        "predictions.png": "validation pictures with the network's five best guesses",
        "report.html": "all of this on one page, and the best and worst predictions",
        "metrics.csv": "the numbers of the curves; timing.csv: how long each epoch took",
        "config.json": "all settings; pictures.csv: what it has learnt from, and what it held out",
        "checkpoint-last.npz": "the network after the last epoch",
        "checkpoint-best.npz": f"the network after epoch {best[2]}, the best: top-1 {best[0]:.1%}",
    }
    yield ""
    scored, pictures = trainer.timing[-1].val_images, len(experiment.val)
    on = f"all {pictures:,}" if scored == pictures else f"{scored:,} of {pictures:,}"
    yield _row("done", f"validation top-1 {last.val_top1:.1%}, top-5 {last.val_top5:.1%} on {on} "
                       f"pictures; the run is in {folder}:")
    yield from (f"         {name:20} {what}" for name, what in files.items()
                if (folder.path / name).exists())
    yield from _rows("took", [took] if took else [])
    skipped = len(experiment.train.problems) + len(experiment.val.problems)
    if skipped:
        yield _row("skipped", f"{skipped:,} files or folders that could not be used; the first of "
                              "them were named above")


# ---------------------------------------------------------------------------------------- the paper

CLASSES, PICTURES, CROP = 1000, 1_200_000, 224  # section 2 (1.2 million), section 4.1

TOWERS = ("each response norm sees all channels, where the paper's two GPUs normalised their own: "
          "at the 49th map the window crosses from one tower to the other (--variant krizhevsky "
          "keeps them apart)")


def differences(experiment: Experiment) -> Iterator[str]:
    """How a run with --paper differs from the paper's training, the most important first."""
    config, train, size = experiment.config, experiment.train, experiment.model.input_shape[-1]
    variant = config.variant
    if len(train.classes) != CLASSES or len(train) < PICTURES:
        yield (f"{len(train):,} pictures of {len(train.classes):,} classes, not about {PICTURES:,} "
               f"of {CLASSES:,}")
    for name, value in RECIPES["paper"].items():
        if getattr(config, name) != value:
            yield f"{name.replace('_', ' ')} {getattr(config, name)}, not {value}"
    for holds, what in [
        (config.dropout not in (0.5, None), f"dropout {config.dropout or 0:g}, not 0.5"),
        (not config.crop, "no random crops"),
        (not config.reflect, "no reflections"),
        (True, "one device computes both towers, which the paper put on two GPUs; the products are "
               "the same"),
        (True, TOWERS if variant == "paper" else
         f"the network is {VARIANTS.get(variant, variant)}"),
        (size != CROP, f"crops of {size} pixels, not {CROP}, which the paper's own sizes of layers "
                       "contradict (lesson 1)"),
        (config.schedule == "plateau", "the learning rate is divided by 10 after 5 epochs without "
                                       "a better validation error, not by hand"),
        (True, "dropout divides by 1 − p while training; the paper multiplies by 1 − p afterwards, "
               "which has the same mean"),
        (True, "validation looks at the central crop; ten crops, as in the paper's results: "
               "python -m minialex.evaluate --ten-crop"),
        (config.accumulate > 1, f"each batch is worked on in {config.accumulate} parts: the same "
                                "sums in another order"),
        (config.tf32, "matrix products round their factors to TF32"),
    ]:
        if holds:
            yield what
