"""Going on from what was learnt before: --init FILE, and --freeze, which keeps layers as they are.

    pictures (N, 3, 227, 227)
        →  trunk, frozen: conv1 … pool5  →  features (N, 256, 6, 6)
        →  head: fc6 … fc8, which learns

A frozen parameter has requires_grad = False: no gradient is computed for it, and the optimiser,
which would also let it decay, does not have it. What the trunk makes of a crop never changes, so it
is computed once and kept: each picture is cropped and reflected at random not every epoch but VIEWS
times, and epoch e trains on the crops that were drawn for epoch e mod VIEWS. A view's features are
computed in the set's order, all pictures at once, whatever epoch asks for them: a run that was
stopped and goes on gets the same bytes.
"""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .. import models, nn, shapes, weights
from ..data import Loader, Statistics
from ..device import to_device, to_numpy
from ..errors import UserError, require
from ..evaluation.runs import picture_size
from ..fast.buffers import release_memory
from ..foreign import names
from ..tensor import Tensor, no_grad
from .config import INITIALISATIONS, Config

VIEWS = 4
MEMORY = 2**31  # bytes for all views; larger sets have fewer, and where not even one fits, none
BATCH = 64

# -------------------------------------------------------------------------------------- --init FILE


def named_in(given: dict[str, Any]) -> weights.Weights | None:
    """The Weights that --init names, or None when it names a distribution or nothing."""
    init = given.get("init") or "own"
    return None if init in INITIALISATIONS else weights.read(init, given.get("mean"))


def settings(given: dict[str, Any], found: weights.Weights | None) -> dict[str, Any]:
    """The user's options, completed by what travels with the weights: variant and pixels."""
    if found is None:
        return given
    pixels = given.get("pixels", found.pixels)
    require(given.get("mean") is None or pixels == found.pixels, f"--mean {given.get('mean')} is "
            f"for --pixels {found.pixels}: leave one of the two options out.")
    own = {"variant": found.variant, "pixels": found.pixels if found.statistics else None}
    return {name: value for name, value in own.items() if value is not None} | given


def statistics(found: weights.Weights | None, config: Config) -> Statistics | None:
    """The mean image and spread that the weights were trained with; None to measure the pictures'.

    Raises UserError where they must be measured although --mean names them.
    """
    if found is None or found.statistics is None:
        return None
    side = picture_size(config.settings())
    same_pictures = found.statistics.mean.shape == (config.channels, side, side)
    colours = not config.colour or found.statistics.components is not None
    if same_pictures and colours and found.pixels == config.pixels:
        return found.statistics
    other = "--pixels or --variant" if colours else "--colour"
    require(config.mean is None, f"--mean {config.mean} does not go with {other}, for which the "
            "pictures' own mean is measured: leave one of them out.")
    return None


def load_into(model: nn.Module, found: weights.Weights,
              path: str) -> tuple[list[str], frozenset[str]]:
    """Copy into a model what Weights have for it.

    A layer of another shape, such as fc8 for another number of classes, keeps its initial weights.
    Returns sentences that say so, and the names of the parameters that are fresh. Raises UserError
    when nothing fits, or what does holds NaN.
    """
    arrays, own = found.arrays, model.state_dict()
    if found.variant == "torchvision" and not own.keys() & arrays.keys():
        arrays = names.renamed(arrays, names.TO_TORCHVISION)  # as the user's own network has them
    there = [name for name in own if name in arrays]
    fitting = {name: arrays[name] for name in there if arrays[name].shape == own[name].shape}
    require(fitting, f"no array in {path} fits this network: it holds {_some(arrays)}, the network "
                     f"has {_some(own)}.")
    weights.check_numbers(fitting, path)
    model.load_state_dict(own | fitting)
    notes = [f"{len(fitting)} of {len(own)} arrays come from {path}: {found.origin}", *found.notes]
    if found.variant not in (None, model.variant):
        notes.append(f"these weights were learnt by the variant {found.variant}, this network is "
                     f"the variant {model.variant}")
    missing = [name for name in own if name not in arrays]
    unknown = [name for name in arrays if name not in own]
    if missing:
        notes.append(f"not in {path}, so with initial values: {', '.join(missing)}")
    notes += [f"{name} has shape {arrays[name].shape} in {path} and {own[name].shape} here: it "
              "keeps its initial values" for name in there if name not in fitting]
    if unknown:
        notes.append(f"not used from {path}: {', '.join(unknown)}")
    return notes, frozenset(own) - set(fitting)


def _some(arrays):
    shown = [f"{name} {array.shape}" for name, array in list(arrays.items())[:4]]
    return ", ".join(shown) + ", ..." * (len(arrays) > 4)


def settle(learner: nn.Module, fresh: frozenset, images: Any) -> None:
    """Divide the weights of the first fresh layer by the size of what comes into it.

    He's variance 2/fan_in takes inputs of mean square 1 for granted; learnt layers give others:
    pool5 of Caffe's AlexNet has about 120. images: the first batch of training, as the network
    takes it.
    """
    x = Tensor(images)
    with no_grad():
        for name, layer in learner.named_children() if models.is_chain(learner) else ():
            if f"{name}.weight" in fresh:
                layer.weight.data /= float((x.data ** 2).mean()) ** 0.5 or 1.0
                return
            x = layer(x)


# ----------------------------------------------------------------------------------------- --freeze


def cut(model: nn.Sequential, until: str) -> int:
    """How many of a network's layers are frozen by --freeze `until`: "conv", or a layer's name.

    With it go the layers without parameters that follow, up to the first that behaves in another
    way while training (dropout). Raises UserError when there is no such layer, or none is left to
    learn.
    """
    if not models.is_chain(model):
        raise UserError(f"--freeze {until} is not possible: it needs networks whose layers follow "
                        f"one another, an nn.Sequential; {model.variant} has a forward of its own.")
    layers = model.named_children()
    learning = [name for name, layer in layers if layer.parameters()]
    convolutions = [name for name, layer in layers if isinstance(layer, nn.Conv2d)] or [until]
    last = convolutions[-1] if until == "conv" else until
    require(last in learning[:-1], f"--freeze {until} is not possible: choose conv (all "
            f"convolutions) or the last layer to freeze, one of {', '.join(learning[:-1])}.")
    end = [name for name, _ in layers].index(last) + 1
    while not layers[end][1].parameters() and not isinstance(layers[end][1], nn.Dropout):
        end += 1
    return end


def freeze(model: nn.Sequential, until: str) -> tuple[nn.Sequential, nn.Sequential]:
    """Freeze layers in place. Returns (trunk, head), two networks that share the model's layers."""
    end = cut(model, until)
    for parameter in model[:end].parameters():
        parameter.requires_grad = False
    return model[:end], model[end:]


def learning(model: nn.Module) -> list[str]:
    """The names of the parameters that are not frozen; of one with several names, the first."""
    first: dict[nn.Parameter, str] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            first.setdefault(parameter, name)
    return list(first.values())


# ----------------------------------------------------------------------------------------- features


def views(trunk: nn.Module, input_shape: tuple, count: int, augmented: bool) -> int:
    """How many views of `count` pictures are kept: 0 when not even one fits into MEMORY."""
    bytes_of_a_view = 4 * count * math.prod(output_shape(trunk, input_shape))
    return min(VIEWS if augmented else 1, MEMORY // bytes_of_a_view)


def output_shape(network: nn.Module, input_shape: tuple) -> tuple:
    """What a network makes of the shape of one picture."""
    return shapes.summary(network, input_shape).rows[-1].output_shape


class FeatureLoader:
    """Batches of features and labels, where `loader` (a data.Loader of a whole set) has pictures.

    trunk: the frozen layers; views: how many crops of each picture; phase: as Progress.phase, for
    who waits.
    """

    def __init__(self, loader: Loader, trunk: nn.Module, views: int, phase: Callable[..., Any]):
        self.loader, self.trunk, self.views, self.phase = loader, trunk, views, phase
        self.pictures, self.device = loader.pictures, trunk.parameters()[0].device
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.share: Callable[..., Any] | None = None  # as a Loader's
        # (loader, results): where processes share it, the results of all
        self.in_turns: Callable[..., Any] | None = None
        self.start(0)

    def __len__(self) -> int:
        return len(self.loader)

    def start(self, epoch: int, batch: int = 0) -> None:
        """Choose epoch and first batch of the next iteration."""
        self.loader.start(epoch)
        self.order, self.view, self.first_batch = self.loader.order, epoch % self.views, batch

    def prepare(self) -> int:
        """Compute what this epoch gives, if it is not there yet. Returns of how many pictures."""
        if self.view in self._kept:
            return 0
        self._kept[self.view] = self._compute(self.view)
        return len(self.pictures)

    def forget(self) -> None:
        """Give back the memory of what is kept."""
        self._kept.clear()

    def uncomputed(self, epochs: Iterable[int]) -> int:
        """Pictures whose features these epochs still need, each view's counted."""
        return len({epoch % self.views for epoch in epochs} - set(self._kept)) * len(self.pictures)

    def __iter__(self) -> Iterator:
        self.prepare()
        features, labels = self._kept[self.view]
        size, numbers = self.loader.batch_size, range(self.first_batch, len(self))
        batches = [self.order[n * size : (n + 1) * size] for n in numbers]
        for chosen in self.share(batches) if self.share else batches:
            chosen = chosen[chosen < len(labels)]
            if len(chosen):
                yield features[chosen], labels[chosen]

    def _in_order(self, view, size):
        """(features, labels) of the pictures' crops of a view, in the set's order, on the CPU."""
        in_order = copy.copy(self.loader)
        in_order.batch_size, in_order.drop_last = size, False
        in_order.start(view)
        in_order.order = np.arange(len(self.pictures))
        features = self._features(in_order)
        return self.in_turns(in_order, features) if self.in_turns else features

    def _features(self, loader):
        self.trunk.eval()
        with no_grad():
            for images, labels in loader:
                features = self.trunk(Tensor(to_device(images, self.device)))
                yield to_numpy(features.data), to_numpy(labels)

    def _compute(self, view):
        which = f" of the frozen layers, view {view + 1} of {self.views}" if self.views > 1 else ""
        features, labels, filled = None, np.empty(len(self.pictures), dtype=np.int64), 0
        with self.phase(f"features{which}", len(self.pictures)) as bar:
            for found, of_found in self._in_order(view, BATCH):
                if features is None:
                    features = np.empty((len(self.pictures), *found.shape[1:]), found.dtype)
                rows = slice(filled, filled + len(found))
                features[rows], labels[rows], filled = found, of_found, rows.stop
                bar.step(len(found))
        release_memory()
        return features[:filled], labels[:filled]

    def sample(self, count: int, size: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], float]:
        """(`count` batches of the first pictures, seconds a picture), for a dry run.

        Nothing is kept; one batch is computed before and not counted.
        """
        found, start, timed = [], 0.0, 0
        for features, labels in self._in_order(0, min(BATCH, len(self.pictures))):
            found.append((features, labels))
            timed += len(labels) if start else 0
            start = start or time.perf_counter()
            if timed >= count * size:
                break
        seconds = (time.perf_counter() - start) / timed if timed else 0.0
        features, labels = map(np.concatenate, zip(*found))
        rows = [slice(first, first + size) for first in range(0, len(labels), size)]
        return [(features[some], labels[some]) for some in rows], seconds
