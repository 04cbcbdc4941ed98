"""Everything that takes part in a run, built from what the user gave."""

import csv
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import data, models, nn, optim, own_model, weights
from ..data.sample import Sample
from ..errors import UserError, require
from ..evaluation import runs
from ..evaluation.kernels import convolutions
from ..folders import names
from . import finetune
from .checkpoint import Saved
from .config import ALWAYS, INITIALISATIONS, Config, need, resolve

MOST_AT_ONCE = 128  # pictures in a validation's batch

Pictures = data.PictureSet


class Beginning(NamedTuple):
    """What a run begins from: the user's options for a new one, else its folder (see resume)."""

    config: Config
    train: Pictures
    val: Pictures
    weights: weights.Weights | None  # those that config.init names
    own: own_model.OwnModel | None  # the user's network
    saved: Saved | None = None


@dataclass
class Experiment:
    """The parts of a run. `notes`: what was found while building them, for the user to read."""

    config: Config
    train: Pictures
    val: Pictures
    statistics: data.Statistics
    class_weights: np.ndarray | None
    model: nn.Module
    optimizer: optim.SGD
    schedule: Any
    notes: list[str]
    first_kernels: np.ndarray | None  # the first layer's weights before training
    trunk: nn.Module | None  # the frozen layers
    head: nn.Module  # the layers that learn
    fresh: frozenset  # names of the parameters that a file of weights did not have
    views: int  # crops of each picture whose features are kept; 0: the trunk sees every batch

    @property
    def learner(self) -> nn.Module:
        """The network that takes what the training loader gives."""
        return self.head if self.views else self.model

    def loaders(self, phase: Callable[..., Any]) -> tuple[Any, Any, Any]:
        """Batches (to train on, of all validation pictures, of the usual validation's).

        To train on are random crops, in another order each epoch. A last batch that is not full is
        left out: its few pictures would count as much as a whole batch, and others are left out
        next time. Validation sees central crops, the same ones in the same order each time. Where
        the frozen layers' features are kept, they stand for pictures. phase: as Progress.phase, for
        who waits.
        """
        config, views, size = self.config, self.views, min(self.config.part_size, MOST_AT_ONCE)
        train = self._loader(self.train, config.batch_size, train=True, seed=config.seed,
                             reflect=config.reflect, random_crop=config.crop, colour=config.colour,
                             drop_last=len(self.train) >= config.batch_size)
        whole = self._loader(self.val, size, train=False)
        if not views:
            some = Sample(self.val, config.val_images)
            return train, whole, self._loader(some, size, train=False)
        of_train = finetune.FeatureLoader(train, self.trunk, views, phase)
        of_val = finetune.FeatureLoader(whole, self.trunk, 1, phase)
        return of_train, of_val, of_val

    def _loader(self, pictures, batch_size, **options):
        config, model = self.config, self.model
        return data.Loader(
            pictures, batch_size, model.input_shape[-1], statistics=self.statistics,
            scale=config.pixels == "unit", workers=config.workers, channels=config.channels,
            device=model.parameters()[0].device, **options)


# ---------------------------------------------------------------------------------------- a new run


def new(given: dict[str, Any], progress: bool) -> Beginning:
    """What the user's options name. progress: show how far long work is. Raises UserError."""
    found = finetune.named_in(given)
    given = finetune.settings(given, found)
    own = _own_model(given)
    if own is not None:
        given |= {"variant": own.variant, "model": own.settings()}
    train, val = open_pictures(ALWAYS | given, progress)
    make_absolute(given, *(("init", "mean") if found else ()))
    if given.get("class_weights") is not None:
        given["class_weights"] = spelled_weights(given["class_weights"], train.classes)
    config = resolve(given, len(train), len(val))
    return Beginning(config, train, val, found, own and own._replace(seed=config.seed))


def _own_model(given):
    """The user's network, or None. --init RUN brings the network that the run has trained."""
    if given.get("model") is not None:
        return own_model.read(given["model"])
    if own_model.is_own(given.get("variant")):
        return runs.own_model_of(given["init"], given["variant"])
    return None


def make_absolute(given: dict[str, Any], *more: str) -> None:
    """Let --resume find from anywhere what the user named."""
    for name in ("data", "labels", "class_names", *more):
        if given.get(name) is not None and (name != "mean" or os.path.exists(given[name])):
            given[name] = os.path.abspath(given[name])


def open_pictures(settings: dict[str, Any], progress: bool) -> tuple[Pictures, Pictures]:
    """(train, val) for the data options in a dict. Raises UserError."""
    parts = data.open_data(
        settings["data"], settings["subset"], progress=progress, size=runs.picture_size(settings),
        **{name: settings[name] for name in ("labels", "val_fraction", "strict")})
    for part in parts:
        part.classes = names.of_data(settings["data"], part.classes, settings["class_names"])
    return parts


def spelled_weights(text: str, classes: list[str]) -> str:
    """What --class-weights says, as Config keeps it: "balanced", or numbers in the classes' order.

    It may also name a file of class,weight.
    """
    if text == "balanced":
        return text
    try:
        numbers = [float(cell) for cell in text.split(",")]
    except ValueError:
        numbers = _weights_in(text, classes)
    right = len(numbers) == len(classes) and all(0 < number < math.inf for number in numbers)
    some = ", ".join(classes[:4]) + ", ..." * (len(classes) > 4)
    need(right, "class-weights", text, f"balanced, or a number above 0 for each of the "
         f"{len(classes)} classes ({some}) with commas between, or a file of lines class,weight")
    return ",".join(map(repr, numbers))


def _weights_in(path, classes):
    found = dict.fromkeys(classes, 1.0)
    lines = csv.reader(names.read_text(path, "the class weights in").splitlines())
    for number, row in enumerate(lines, 1):
        if not row or row == ["class", "weight"]:
            continue
        try:
            name, weight = row[0].strip(), float(row[1])
        except (ValueError, IndexError) as error:
            what = f"line {number} of {path} is not class,weight: {','.join(row)}"
            raise UserError(what) from error
        require(name in found, f"line {number} of {path} names the class {name}, which is none of "
                               f"{', '.join(classes[:8])}{', ...' * (len(classes) > 8)}")
        found[name] = weight
    return list(found.values())


# ---------------------------------------------------------------------------------------- the parts


def measured(begun: Beginning, **options: Any) -> data.Statistics:
    """The pictures' statistics, or those that come with the weights. options: data.statistics's."""
    config = begun.config
    return finetune.statistics(begun.weights, config) or data.statistics(
        begun.train, config.channels, workers=config.workers, **options)


def build(begun: Beginning, device: str, statistics: data.Statistics) -> Experiment:
    """Build the Experiment. Raises UserError."""
    config, train, val, found, own, _ = begun
    model = _network(config, len(train.classes), own)
    first = [layer.weight for _, layer in convolutions(model)[:1]]
    for weight in first:
        weight.data *= np.float32(config.first_init)
    notes, fresh = finetune.load_into(model, found, config.init) if found else ([], frozenset())
    notes += own.notes if own else ()
    for _, layer in model.named_modules():
        if isinstance(layer, nn.Dropout) and config.dropout is not None:
            layer.p = config.dropout
    kernels = first[0].data.copy() if first else None
    model.to(device)
    trunk, head = finetune.freeze(model, config.freeze) if config.freeze else (None, model)
    learning = [parameter for parameter in head.parameters() if parameter.requires_grad]
    groups = _groups(learning, first if config.first_lr != 1 else [], config)
    optimizer = optim.SGD(groups, config.lr, config.momentum, config.weight_decay)
    views = 0
    if trunk is not None:
        count, augmented = len(train) + len(val), config.crop or config.reflect
        views = finetune.views(trunk, model.input_shape, count, augmented)
    return Experiment(
        config, train, val, statistics, class_weights(config, train), model, optimizer,
        _schedule(config, optimizer), notes, kernels, trunk, head, fresh, views)


def _network(config, num_classes, own):
    how = config.init if config.init in INITIALISATIONS else None
    try:
        if own is None:
            return models.build(config.variant, num_classes, config.channels, how)
        model = own.build(num_classes)
        return model if how in (None, "own") else models.initialise(model, how)
    except ValueError as error:
        raise UserError(str(error)) from error


def _groups(parameters, first, config):
    """The parameters in order; `first`, if it is one of them, in a group with its own rate."""
    own = [weight for weight in first if weight in parameters]
    if not own:
        return parameters
    at = parameters.index(own[0])
    parts = [{"params": parameters[:at]}, {"params": own, "lr": config.first_lr * config.lr},
             {"params": parameters[at + 1:]}]
    return [part for part in parts if part["params"]]


def _schedule(config, optimizer):
    if config.schedule == "plateau":
        return optim.ReduceOnPlateau(optimizer)
    if config.schedule == "linear":
        return optim.LinearDecay(optimizer, config.epochs)
    return optim.MultiStepLR(optimizer, config.drops())


def class_weights(config: Config, train: Pictures) -> np.ndarray | None:
    """How much a picture of each class counts in the loss, float32 (K,); None: all the same.

    "balanced" is n/(K·n_c) for n_c of n pictures: each class counts as much as any other, and the
    mean over the pictures is 1.
    """
    if config.class_weights != "balanced":
        numbers = config.class_weights and config.class_weights.split(",")
        return np.array(numbers, np.float32) if numbers else None
    counts = np.bincount(train.labels, minlength=len(train.classes))
    return (len(train) / (len(train.classes) * np.maximum(counts, 1))).astype(np.float32)
