"""Everything that takes part in a run, built from its Config: pictures, network, optimiser, schedule."""

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import data, models, nn, optim
from ..data import names
from ..data.names import read_text
from ..errors import UserError
from ..evaluation.runs import picture_size
from ..own_model import OwnModel
from ..weights import Weights
from . import finetune
from .config import INITIALISATIONS, MILESTONES, Config, channels, parse_milestones

MAX_VALIDATION_BATCH = 128


@dataclass
class Experiment:
    """The parts of a run. `notes`: what was found while building them, for the user to read."""

    config: Config
    train: data.PictureSet
    val: data.PictureSet
    statistics: data.Statistics
    model: nn.Module
    optimizer: optim.SGD
    schedule: Any
    notes: list[str]
    first_kernels: np.ndarray | None  # the first layer's weights before training, to show what training has changed
    trunk: nn.Module | None  # the frozen layers
    head: nn.Module  # the layers that learn
    fresh: frozenset  # names of the parameters that a file of weights did not have
    views: int  # crops of each picture whose features are kept (see finetune); 0: the trunk sees every batch

    @property
    def learner(self) -> nn.Module:
        """The network that takes what the training loader gives."""
        return self.head if self.views else self.model


def open_pictures(settings: dict, progress: bool) -> tuple:
    """(train, val) for the data options in a dict. Raises UserError."""
    parts = data.open_data(settings["data"], settings["subset"], progress=progress, val_fraction=settings["val_fraction"],
                           size=picture_size(settings), strict=settings["strict"], labels=settings["labels"])
    for part in parts:
        part.classes = names.of_data(settings["data"], part.classes, settings["class_names"])
    return parts


def measured(config: Config, train: Any, found: Weights | None, progress: bool) -> data.Statistics:
    """The statistics that come with the Weights which config.init names, or else those of the pictures."""
    return finetune.statistics(found, config) or data.statistics(train, channels(config), workers=config.workers,
                                                                 progress=progress)


def build(config: Config, train: Any, val: Any, device: str, statistics: data.Statistics, found: Weights | None = None,
          own: OwnModel | None = None) -> Experiment:
    """Build the Experiment. found: the Weights that config.init names; own: the user's network. Raises UserError."""
    model = _network(config, len(train.classes), own)
    for _, layer in convolutions(model)[:1]:
        layer.weight.data *= np.float32(config.first_init)
    notes, fresh = finetune.load_into(model, found, config.init) if found else ([], frozenset())
    for _, layer in model.named_modules():
        if isinstance(layer, nn.Dropout) and config.dropout is not None:
            layer.p = config.dropout
    kernels = next((layer.weight.data.copy() for _, layer in convolutions(model)), None)
    model.to(device)
    trunk, head = finetune.freeze(model, config.freeze) if config.freeze else (None, model)
    optimizer = optim.SGD(_groups(head, model, config), config.lr, config.momentum, config.weight_decay)
    views = 0
    if trunk is not None:
        views = finetune.views(trunk, model.input_shape, len(train) + len(val), config.crop or config.reflect)
    return Experiment(config, train, val, statistics, model, optimizer, make_schedule(config, optimizer), notes, kernels,
                      trunk, head, fresh, views)


def _groups(learner, model, config):
    """The parameters that learn, in their order; the first convolution's weights in a group of their own where their rate is."""
    parameters = learner.parameters()
    own = [layer.weight for _, layer in convolutions(model)[:1] if config.first_lr != 1 and layer.weight in parameters]
    if not own:
        return parameters
    at = parameters.index(own[0])
    parts = [parameters[:at], own, parameters[at + 1:]]
    return [{"params": part} | ({"lr": config.first_lr * config.lr} if part is own else {}) for part in parts if part]


def convolutions(model: nn.Module) -> list[tuple[str, nn.Conv2d]]:
    """[(name, layer)]"""
    return [(name, layer) for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d)]


def _network(config, num_classes, own):
    how = config.init if config.init in INITIALISATIONS else None
    try:
        if own is None:
            return models.build(config.variant, num_classes, channels(config), how)
        model = own.build(num_classes)
        return model if how in (None, "own") else models.initialise(model, how)
    except ValueError as error:
        raise UserError(str(error)) from error


def class_weights(config: Config, train: Any) -> np.ndarray | None:
    """How much a picture of each class counts in the loss, float32 (K,); None: all the same.

    "balanced" is n/(K·n_c) for n_c of n pictures: each class counts as much as any other, and the mean over the pictures is 1.
    """
    if config.class_weights is None:
        return None
    if config.class_weights == "balanced":
        counts = np.bincount(train.labels, minlength=len(train.classes))
        return (len(train) / (len(train.classes) * np.maximum(counts, 1))).astype(np.float32)
    return np.array(config.class_weights.split(","), dtype=np.float32)


def spelled_weights(text: str | None, classes: list[str]) -> str | None:
    """What --class-weights says, as Config keeps it: "balanced", numbers in the classes' order, or a file of class,weight."""
    if text in (None, "balanced"):
        return text
    cells = text.split(",")
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        numbers = _weights_in(text, classes)
    if len(numbers) != len(classes) or not all(0 < number < math.inf for number in numbers):
        raise UserError(f"--class-weights {text} is not possible: it needs balanced, or a number above 0 for each of the "
                        f"{len(classes)} classes ({', '.join(classes[:4])}{', ...' * (len(classes) > 4)}) with commas between, "
                        "or a file of lines class,weight.")
    return ",".join(map(repr, numbers))


def _weights_in(path, classes):
    found = dict.fromkeys(classes, 1.0)
    for number, row in enumerate(csv.reader(read_text(path, "the class weights in").splitlines()), 1):
        if not row or row == ["class", "weight"]:
            continue
        try:
            name, weight = row[0].strip(), float(row[1])
        except (ValueError, IndexError) as error:
            raise UserError(f"line {number} of {path} is not class,weight: {','.join(row)}") from error
        if name not in found:
            raise UserError(f"line {number} of {path} names the class {name}, which is none of {', '.join(classes[:8])}"
                            f"{', ...' * (len(classes) > 8)}")
        found[name] = weight
    return list(found.values())


def milestones(config: Config) -> list[int]:
    """After which epochs the schedules "steps" and "milestones" divide the learning rate by 10."""
    if config.schedule == "milestones":
        return parse_milestones(config.milestones)
    after = {max(1, round(part * config.epochs)) for part in MILESTONES} if config.schedule == "steps" else set()
    return sorted(epoch for epoch in after if epoch < config.epochs)


def make_schedule(config: Config, optimizer: optim.SGD) -> Any:
    """The learning-rate schedule; all have step(validation error)."""
    if config.schedule == "plateau":
        return optim.ReduceOnPlateau(optimizer)
    if config.schedule == "linear":
        return optim.LinearDecay(optimizer, config.epochs)
    return optim.MultiStepLR(optimizer, milestones(config))


def loaders(experiment: Experiment, phase: Callable[..., Any]) -> tuple[Any, Any]:
    """(batches to train on, batches of all validation pictures): of the frozen layers' features, where these are kept.

    To train on are random crops, in another order each epoch. A last batch that is not full is left out: its few pictures
    would count as much as a whole batch, and others are left out next time. phase: as Progress.phase, for who waits.
    """
    config, views = experiment.config, experiment.views
    train = _loader(experiment, experiment.train, config.batch_size, train=True, seed=config.seed, reflect=config.reflect,
                    random_crop=config.crop, colour=config.colour, drop_last=len(experiment.train) >= config.batch_size)
    val = validation_loader(experiment, experiment.val)
    if not views:
        return train, val
    return tuple(finetune.FeatureLoader(loader, experiment.trunk, count, phase) for loader, count in ((train, views), (val, 1)))


def validation_loader(experiment: Experiment, pictures: Any) -> data.Loader:
    """Central crops of these pictures, the same ones in the same order each time."""
    return _loader(experiment, pictures, min(part_size(experiment.config), MAX_VALIDATION_BATCH), train=False)


def _loader(experiment, pictures, batch_size, **options):
    config, model = experiment.config, experiment.model
    return data.Loader(pictures, batch_size, model.input_shape[-1], statistics=experiment.statistics,
                       scale=config.pixels == "unit", workers=config.workers, channels=channels(config),
                       device=model.parameters()[0].device, **options)


def part_size(config: Config) -> int:
    """Pictures that the network works on at once."""
    return -(-config.batch_size // config.accumulate)


def parts(config: Config, count: int) -> list[slice]:
    """The rows of a batch of `count` pictures that the network works on at once, one part after the other."""
    size = part_size(config)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def validation_pictures(experiment: Experiment, complete: bool) -> Any:
    """What a validation looks at: all pictures, or config.val_images from all over the set."""
    count, total = experiment.config.val_images, len(experiment.val)
    return experiment.val if complete or count == total else Sample(experiment.val, spread(count, total))


def spread(count: int, total: int) -> np.ndarray:
    """`count` of the numbers 0 … total − 1, evenly spread: in a set in order of class, every class keeps its share."""
    return np.arange(count) * total // max(count, 1)


class Sample:
    """Some pictures of a set, by their numbers in it."""

    def __init__(self, pictures: Any, indices: np.ndarray):
        self.pictures, self.indices, self.size, self.classes = pictures, indices, pictures.size, pictures.classes
        self.labels = pictures.labels[indices]

    def __len__(self) -> int:
        return len(self.indices)

    def planes(self, index: int) -> np.ndarray:
        """uint8 (3, size, size), as PictureSet has it."""
        return self.pictures.planes(int(self.indices[index]))
