"""A trained network with all that must be known to use it: from a run folder or a file of weights to class probabilities."""

import sys
from dataclasses import dataclass

import numpy as np

from .. import data, models, weights
from .. import functional as F
from ..data import names as class_names
from ..data.threads import ahead
from ..data.transforms import centre, luminance
from ..device import to_device, to_numpy
from ..errors import UserError
from ..tensor import Tensor, no_grad
from .scores import Scores

BATCH = 64  # crops in one forward pass


@dataclass
class Classifier:
    """model: in evaluation mode, on its device; classes: names; statistics: mean image and spread; factor: what pixels minus
    the mean are multiplied by; found: the Weights it was made of; path: where they were."""

    model: object
    classes: list
    statistics: data.Statistics
    factor: float
    found: weights.Weights
    path: str

    @property
    def channels(self):
        return self.model.input_shape[0]

    @property
    def size(self):
        """Pixels a side to which pictures are decoded."""
        return self.statistics.mean.shape[-1]

    def crops(self, planes, ten=False):
        """uint8 (3, size, size) -> what the network takes: float32 (1 or 10, C, crop, crop)."""
        planes = luminance(planes) if self.channels == 1 else planes
        crop = self.model.input_shape[-1]
        if ten:
            return data.ten_crops(planes[None], crop, self.statistics.mean, self.factor)[0]
        start = centre(self.size, crop)
        window = np.s_[:, start : start + crop, start : start + crop]
        return ((planes[window] - self.statistics.mean[window]) * np.float32(self.factor))[None].astype(np.float32)

    def probabilities(self, crops):
        """softmax of the network's outputs: float32 (N, C, crop, crop) -> float32 (N, classes), both on the CPU."""
        device = self.model.parameters()[0].device
        with no_grad():
            parts = [to_numpy(F.softmax(self.model(Tensor(to_device(crops[at : at + BATCH], device)))).data)
                     for at in range(0, len(crops), BATCH)]
        return np.concatenate(parts)

    def tell(self):
        """Print on stderr what people must know about these weights: what a file of another program leaves open."""
        for note in self.found.notes:
            print(f"note: {self.path}: {note}", file=sys.stderr)

    def picture(self, planes, ten=False):
        """Class probabilities (classes,) of one picture, uint8 (3, size, size); ten: the mean over the paper's ten crops."""
        return self.probabilities(self.crops(planes, ten)).mean(axis=0)


def load(path, device="cpu", classes=None, names=None, mean=None):
    """The Classifier of a run folder or a file of weights. classes: of its outputs, instead of those it brings; names: a file
    that says what people read for each class; mean: what --mean names.

    Raises UserError when the file does not hold a whole network, or not what its pixels must look like.
    """
    found = weights.read(path, mean)
    variant = found.variant or _guess(found.arrays)
    last = "fc5" if variant == "lenet5" else "fc8"
    if f"{last}.weight" not in found.arrays or "conv1.weight" not in found.arrays:
        raise UserError(f"{path} holds no whole network, {last}.weight is missing: with python -m minialex.train --init {path} "
                        "it can be the beginning of one.")
    if variant is None:
        raise UserError(f"{path} does not say which network its arrays belong to: give a run, a checkpoint, or a file that "
                        "python -m minialex.export has written.")
    model = _model(variant, found, last, path)
    found.arrays.clear()  # the model has them: twice 244 MB of AlexNet would be kept
    if found.statistics is None:
        raise UserError(f"{path} does not say what was subtracted from its pictures' pixels: give it with --mean, or give a "
                        "run, a checkpoint, or a file that python -m minialex.export has written.")
    factor = 1 / found.statistics.std if found.pixels == "unit" else 1.0
    model.to(device)
    return Classifier(model.eval(), _classes(path, found, classes, names, model.num_classes), found.statistics, factor, found,
                      str(path))


def _classes(path, found, given, names, count):
    """The network's classes in the order of its outputs. given: those of --classes, or None; names: the file of --class-names.

    Where the network knows its classes, `given` may have another order: what is called what was settled when it was trained.
    """
    own = found.classes
    if given and own and len(given) == len(own) and set(given) == set(own):
        by_name = dict(zip(given, given))
        own, given = [by_name[name] for name in own], None
    chosen = given or own or [f"class {number}" for number in range(count)]
    if len(chosen) != count:
        raise UserError(f"{path} tells {count} classes apart, but there are {len(chosen)} names for them.")
    return class_names.named(chosen, class_names.read_mapping(names, chosen) if names else {})


def _model(variant, found, last, path):
    kernels, final = found.arrays["conv1.weight"].shape, found.arrays[f"{last}.weight"].shape
    if len(kernels) != 4 or len(final) != 2:
        raise UserError(f"{path} does not hold the network {variant}: conv1.weight has shape {kernels} and {last}.weight "
                        f"{final}, which need 4 axes and 2.")
    try:
        model = models.build(variant, final[0], kernels[1])
        model.load_state_dict(found.arrays)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} does not hold the network {variant}: {error}") from error
    for name, array in found.arrays.items():
        if not np.isfinite(array).all():
            raise UserError(f"{name} in {path} holds NaN or infinity: these weights cannot be used.")
    return model


def _guess(arrays):
    """Variants without anything that only their name says: torchvision's is told by its 64 kernels."""
    shape = arrays["conv1.weight"].shape if "conv1.weight" in arrays else ()
    return {(64, 3, 11, 11): "torchvision", (6, 1, 5, 5): "lenet5"}.get(shape)


def predict(network, pictures, ten=False, seen=lambda count: None):
    """Scores of a PictureSet, without the pictures that cannot be read; seen(count): called while it goes on."""
    kept, rows = [], []
    for index, _, p in judge(network, _planes(pictures), ten, seen):
        kept.append(index)
        rows.append(p)
    probabilities = np.stack(rows) if rows else np.empty((0, len(network.classes)), np.float32)
    classes = network.classes if network.classes == pictures.classes else pictures.classes  # the network's have names
    return Scores(probabilities, pictures.labels[kept] if kept else np.empty(0, int), list(classes), kept)


def judge(network, read, ten=False, seen=lambda count: None):
    """(key, planes, probabilities) for each (key, planes) of `read`, as they come, BATCH crops at a time."""
    waiting, per_batch = [], max(1, BATCH // (10 if ten else 1))
    for key, planes in read:
        waiting.append((key, planes, network.crops(planes, ten)))
        if len(waiting) == per_batch:
            yield from _batch(network, waiting)
            seen(len(waiting))
            waiting = []
    if waiting:
        yield from _batch(network, waiting)
        seen(len(waiting))


def _batch(network, waiting):
    """The same with the mean over each picture's crops (views, C, crop, crop) in the place of these."""
    p = network.probabilities(np.concatenate([crops for _, _, crops in waiting]))
    means = p.reshape(len(waiting), -1, p.shape[-1]).mean(axis=1)
    return [(key, planes, mean) for (key, planes, _), mean in zip(waiting, means)]


def _planes(pictures):
    """(number, planes) of every picture that can be read, decoded ahead."""
    def read(index):
        try:
            return index, pictures.planes(index)
        except data.UnreadablePicture:
            return index, None
    return (found for found in ahead(read, range(len(pictures)), 2) if found[1] is not None)
