"""A trained network with all that must be known to use it: from a run folder or a file of weights
to class probabilities."""

import itertools
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import data, models, own_model, weights
from .. import functional as F
from ..data.transforms import centre, luminance
from ..device import resolve_device, to_device, to_numpy
from ..errors import UserError
from ..folders import names as class_names
from ..tensor import Tensor, no_grad
from ..utils.ahead import ahead
from .metrics import Scores
from .runs import own_model_of

BATCH = 64  # crops in one forward pass


@dataclass
class Classifier:
    """model: in evaluation mode, on its device; classes: names; statistics: mean image and spread;
    factor: what pixels minus the mean are multiplied by; path: where its weights were; notes: what
    people must know about these, in sentences."""

    model: Any  # an nn.Module with input_shape, (C, crop, crop)
    classes: list[str]
    statistics: data.Statistics
    factor: float
    path: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def channels(self) -> int:
        """1 for a network that looks at grey pictures."""
        return self.model.input_shape[0]

    @property
    def size(self) -> int:
        """Pixels a side to which pictures are decoded."""
        return self.statistics.mean.shape[-1]

    def crops(self, planes: np.ndarray, ten: bool = False) -> np.ndarray:
        """uint8 (3, size, size) -> what the network takes: float32 (1 or 10, C, crop, crop)."""
        planes = luminance(planes) if self.channels == 1 else planes
        crop = self.model.input_shape[-1]
        if ten:
            return data.ten_crops(planes[None], crop, self.statistics.mean, self.factor)[0]
        start = centre(self.size, crop)
        window = np.s_[:, start : start + crop, start : start + crop]
        return ((planes[window] - self.statistics.mean[window])
                * np.float32(self.factor))[None].astype(np.float32)

    def probabilities(self, crops: np.ndarray) -> np.ndarray:
        """softmax of the network's outputs: float32 (N, C, crop, crop) -> float32 (N, classes),
        both on the CPU."""
        device = self.model.parameters()[0].device
        with no_grad():
            parts = [to_numpy(F.softmax(self.model(Tensor(to_device(crops[at : at + BATCH],
                                                                    device)))).data)
                     for at in range(0, len(crops), BATCH)]
        return np.concatenate(parts)

    def picture(self, planes: np.ndarray, ten: bool = False) -> np.ndarray:
        """Class probabilities (classes,) of one picture, uint8 (3, size, size); ten: the mean over
        the paper's ten crops."""
        return self.probabilities(self.crops(planes, ten)).mean(axis=0)


# ------------------------------------------------------------------------------ where it comes from


def of(experiment: Any) -> Classifier:
    """The Classifier of a network that is being trained; its model is in evaluation mode from here
    on."""
    factor = 1 / experiment.statistics.std if experiment.config.pixels == "unit" else 1.0
    return Classifier(experiment.model.eval(), experiment.train.classes, experiment.statistics,
                      factor)


def named(path: str, options: Namespace) -> Classifier:
    """The Classifier of `path` as a command's options say (device, classes, class_names, mean).
    Prints on stderr what people must know about its weights: what a file of another program leaves
    open. Raises UserError."""
    classes = class_names.read_classes(options.classes) if options.classes else None
    network = load(path, resolve_device(options.device).name, classes, options.class_names,
                   options.mean)
    for note in network.notes:
        print(f"note: {path}: {note}", file=sys.stderr)
    return network


def load(path: str, device: str = "cpu", classes: Sequence[str] | None = None,
         names: str | None = None, mean: str | None = None) -> Classifier:
    """The Classifier of a run folder or a file of weights. classes: of its outputs, instead of
    those it brings; names: a file that says what people read for each class; mean: what --mean
    names.

    Raises UserError when the file does not hold a whole network, or not what its pixels must look
    like.
    """
    found = weights.read(path, mean)
    model = _model(found, path)
    found.arrays.clear()  # the model has them: twice 244 MB of AlexNet would be kept
    if found.statistics is None:
        raise UserError(f"{path} does not say what was subtracted from its pictures' pixels: "
                        "give it with --mean, or give a run, a checkpoint, "
                        "or a file that python -m minialex.export has written.")
    model.to(device)
    factor = 1 / found.statistics.std if found.pixels == "unit" else 1.0
    return Classifier(model.eval(), _classes(path, found, classes, names, model.num_classes),
                      found.statistics, factor, str(path), found.notes)


def _model(found, path):
    if own_model.is_own(found.variant):
        model = own_model_of(path, found.variant).build(len(found.classes))
        return _filled(model, found, path, found.variant)
    conv1 = found.arrays.get("conv1.weight")
    # their shape tells all
    guess: dict[Any, str] = {(64, 3, 11, 11): "torchvision", (6, 1, 5, 5): "lenet5"}
    variant = found.variant or guess.get(() if conv1 is None else conv1.shape)
    last = "fc5" if variant == "lenet5" else "fc8"
    if f"{last}.weight" not in found.arrays or conv1 is None:
        why = "".join(f" ({note})" for note in found.notes)
        raise UserError(f"{path} holds no whole network, {last}.weight is missing{why}: with "
                        f"python -m minialex.train --init {path} it can be the beginning of one.")
    if variant is None:
        raise UserError(f"{path} does not say which network its arrays belong to: give a run, "
                        "a checkpoint, or a file that python -m minialex.export has written.")
    kernels, final = conv1.shape, found.arrays[f"{last}.weight"].shape
    if len(kernels) != 4 or len(final) != 2:
        raise UserError(f"{path} does not hold the network {variant}: conv1.weight has shape "
                        f"{kernels} and {last}.weight {final}, which need 4 axes and 2.")
    try:
        model = models.build(variant, final[0], kernels[1])
    except ValueError as error:
        raise UserError(f"{path} does not hold the network {variant}: {error}") from error
    return _filled(model, found, path, variant)


def _filled(model, found, path, variant):
    try:
        model.load_state_dict(found.arrays)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} does not hold the network {variant}: {error}") from error
    weights.check_numbers(found.arrays, path)
    return model


def _classes(path, found, given, names, count):
    """The network's classes in the order of its outputs. given: those of --classes, or None; names:
    the file of --class-names.

    Where the network knows its classes, `given` may have another order: what is called what was
    settled when it was trained.
    """
    own = found.classes
    if given and own and len(given) == len(own) and set(given) == set(own):
        by_name = dict(zip(given, given))
        own, given = [by_name[name] for name in own], None
    chosen = given or own or [f"class {number}" for number in range(count)]
    if len(chosen) != count:
        raise UserError(f"{path} tells {count} classes apart, "
                        f"but there are {len(chosen)} names for them.")
    return class_names.named(chosen, class_names.read_mapping(names, chosen) if names else {})


# ------------------------------------------------------------------------------------- what it says


def predict(network: Classifier, pictures: Any, ten: bool = False,
            seen: Callable[[int], None] = lambda count: None) -> Scores:
    """Scores of a PictureSet, without the pictures that cannot be read; seen(count): called while
    it goes on."""
    found = [(index, p) for index, _, p in judge(network, planes_of(pictures), ten, seen)]
    kept = [index for index, _ in found]
    probabilities = (np.stack([p for _, p in found]) if found
                     else np.empty((0, len(network.classes)), np.float32))
    # the network's have names
    classes = network.classes if network.classes == pictures.classes else pictures.classes
    return Scores(probabilities, pictures.labels[kept] if kept else np.empty(0, int), list(classes),
                  kept)


def judge(network: Classifier, read: Iterable[tuple[Any, np.ndarray]], ten: bool = False,
          seen: Callable[[int], None] = lambda count: None) -> Iterator[tuple[Any, np.ndarray,
                                                                              np.ndarray]]:
    """(key, planes, probabilities) for each (key, planes) of `read`, as they come, BATCH crops at a
    time. With ten crops, the probabilities are the mean over them."""
    for batch in batches(read, BATCH // (10 if ten else 1)):
        p = network.probabilities(np.concatenate([network.crops(planes, ten)
                                                  for _, planes in batch]))
        for (key, planes), mean in zip(batch, p.reshape(len(batch), -1, p.shape[-1]).mean(axis=1)):
            yield key, planes, mean
        seen(len(batch))


def batches(read: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The same, `size` at a time, the last ones fewer."""
    items = iter(read)
    while batch := list(itertools.islice(items, size)):
        yield batch


def planes_of(pictures: Any) -> Iterator[tuple[int, np.ndarray]]:
    """(number, planes) of every picture of a set that can be read, decoded ahead."""
    def read(index):
        try:
            return index, pictures.planes(index)
        except data.UnreadablePicture:
            return index, None
    return (found for found in ahead(read, range(len(pictures)), 2) if found[1] is not None)
