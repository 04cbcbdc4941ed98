"""Which of a file's arrays are the network? Training scripts save it in containers of any name,
under any prefix.

    {"epoch": 3, "model_state_dict": {"_orig_mod.module.features.0.weight": ...}, "optimizer":
    {...}, "loss": ...}

The network is told by its own names: what comes before `features.0.weight` (torchvision's) or
`conv1.weight` (minialex's) is the prefix, and all that has the same prefix belongs to it. Where
several are as large, the one that is no optimiser's and no moving average is taken. Arrays of other
names: the largest group that lies in one container.

torchvision's network wants pixels 0..1, normalised by ImageNet's mean and spread for each channel.
Its LRN-free layers are those of the variant torchvision; fc6 sees (C, H, W), as here.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..data import Statistics
from . import architecture, conventions, pickles
from .conventions import Refusal, Weights, shown

DEEPEST = 40  # containers in containers
# all of one; a weight that was pruned is there in two parts
SIGNATURES = (("features.0.weight",), ("features.0.weight_orig",), ("conv1.weight", "conv5.weight"),
              ("conv1.weight", "fc5.weight"))
WRAPPERS = re.compile(
    r"(_orig_mod|module|model|net|network|backbone|encoder|alexnet|_forward_module)\.")
COMPANIONS = re.compile(
    r"optim|momentum|average|teacher|shadow|polyak|exp_avg|velocity"
    r"|(?<![a-z])(ema|grads?|gradients?|swa|adam)(?![a-z])", re.IGNORECASE)
WITHIN = re.compile(r"(features|classifier)\.(?:_orig_mod\.|module\.)+")
# attributes of a torch.nn.Module that was pickled whole
INSIDE = ("_modules", "_parameters", "_buffers")
TORCHVISION = {"features.0": "conv1", "features.3": "conv2", "features.6": "conv3",
               "features.8": "conv4", "features.10": "conv5", "classifier.1": "fc6",
               "classifier.4": "fc7", "classifier.6": "fc8"}
TO_TORCHVISION = {ours: theirs for theirs, ours in TORCHVISION.items()}
# of pixels in 0..1
TORCHVISION_MEAN, TORCHVISION_STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def leaves(value: Any, path: tuple[str, ...] = (),
           seen: set | None = None) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(path, array or pickles.Later) of every array in nested containers, each container once;
    arrays of objects are such."""
    seen = set() if seen is None else seen
    if isinstance(value, pickles.Array) and (objects := value.objects()):
        # NumPy puts an array around what is none
        value = objects[0] if len(objects) == 1 else objects
    if isinstance(value, (pickles.Later, np.ndarray)):
        yield path, value
    elif isinstance(value, (dict, list, tuple)) and id(value) not in seen and len(path) < DEEPEST:
        seen.add(id(value))
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in value.contents(seen) if isinstance(value, pickles.Object) else items:
            key = key.decode("latin-1") if isinstance(key, bytes) else key
            key = str(key) if isinstance(key, (str, int)) else type(key).__name__
            yield from leaves(item, (*path, key), seen)


def choose(found: dict[tuple[str, ...], Any]) -> tuple[dict[str, Any], list[str]]:
    """({name: item}, notes): the network among {path: item}, without its prefix. path: the keys of
    nested containers."""
    # Without what wrappers put into names: DataParallel(model.features) makes
    # features.module.0.weight.
    full = {WITHIN.sub(r"\1.", _name(path)): item for path, item in found.items()}
    groups = {prefix: {name[len(prefix):]: item
                       for name, item in full.items() if name.startswith(prefix)}
              for prefix in _prefixes(full)} or _containers(found)
    best = max(groups, key=lambda prefix: (not COMPANIONS.search(prefix), len(groups[prefix])),
               default=None)
    others = [prefix.rstrip(".") or "the one without a prefix" for prefix in groups
              if prefix != best and len(groups[prefix]) == len(groups[best])]
    notes = ["the file holds several networks: "
             f"taken is {best.rstrip('.') or 'the one without a prefix'}, "
             f"not {', '.join(others)}"] if others else []
    group = groups.get(best, {})
    while all(WRAPPERS.match(name)
              for name in group) and len({name.partition(".")[0] for name in group}) == 1:
        group = {name.partition(".")[2]: item for name, item in group.items()}
    return group, notes


def _name(path):
    return ".".join(word for word in path if word not in INSIDE)


def _prefixes(full):
    """What comes before a network's names."""
    for first, *more in SIGNATURES:
        for name in full:
            before = name.removesuffix(first)
            if name.endswith(first) and (not before or before[-1]
                                         == ".") and all(before + other in full for other in more):
                yield before


def _containers(found):
    """{container: {name: item}}; a module's own containers all belong to it."""
    groups = {}
    for path, item in found.items():
        whole = next((at for at, word in enumerate(path) if word in INSIDE), len(path) - 1)
        groups.setdefault(".".join(path[:whole]), {})[_name(path[whole:])] = item
    return groups


def array(item: Any) -> np.ndarray:
    """One of `leaves` as an array."""
    return item.array() if isinstance(item, pickles.Later) else item


def weights(value: Any, form: str, told: str | bytes | None = None) -> Weights:
    """Weights from the arrays in nested containers, which a file of this form holds; only those of
    the network are read.

    told: the text of conventions.description, in files that minialex has written. Raises Refusal
    where there are no arrays.
    """
    if told is not None:
        found = conventions.described(told, {name: array(item) for (name,), item in leaves(value)},
                                      f"minialex ({form})")
        found.arrays = renamed(found.arrays,
                               TORCHVISION) if found.variant == "torchvision" else found.arrays
        return found
    found = dict(leaves(value))
    if not found:
        raise Refusal("holds no state_dict, a network's arrays by their names, "
                      "as torch.save(model.state_dict(), FILE) or np.savez(FILE, "
                      "**model.state_dict()) writes them.")
    chosen, notes = choose(found)
    if all(re.fullmatch(r"\d*", name) for name in chosen):
        raise Refusal(f"holds {len(chosen)} arrays that have no names: save them by their names, "
                      "as torch.save(model.state_dict(), FILE) or np.savez(FILE, "
                      "**model.state_dict()) does.")
    return _conventions({name: array(item) for name, item in chosen.items()}, notes, form)


def _conventions(arrays, notes, form):
    """Weights from a network's {name: array}: torchvision's conventions where the names are
    torchvision's."""
    if not any(name.startswith("features.0.weight") for name in arrays):
        return Weights(arrays, f"plain arrays ({form})", notes=notes)
    beside = [name for name, array in arrays.items() if "." not in name
              and (array.ndim == 0 or array.dtype.kind != "f")]  # such as the epoch
    arrays = {name: array for name, array in arrays.items() if name not in beside}
    if difference := _difference(arrays):
        note = f"its names are torchvision's, but it is another network than AlexNet: {difference}"
        return Weights(arrays, f"plain arrays ({form})", notes=[*notes, note])
    arrays = renamed(arrays, TORCHVISION)
    found = Weights(arrays, f"torchvision's AlexNet ({form})", "torchvision", notes=notes)
    kernels = arrays["conv1.weight"]
    if kernels.ndim == 4 and kernels.shape[1] == 3:
        found.folded, found.pixels = 255 * TORCHVISION_STD, "unit"
        arrays["conv1.weight"], std = conventions.fold_std(kernels, found.folded)
        found.statistics = Statistics(conventions.mean_image(255 * TORCHVISION_MEAN), std)
    return found


def _difference(arrays):
    """Where arrays under torchvision's names are not its AlexNet's, in words, or None. Many of its
    networks begin with features.0; the classifier may be the user's."""
    for name, array in arrays.items():
        layer, _, kind = name.rpartition(".")
        ours = TORCHVISION.get(layer)
        if name.startswith("features.") and (ours is None or kind not in ("weight", "bias")):
            return f"it has {shown(name)}, which AlexNet has not"
        wanted = architecture.TORCHVISION.get(ours)
        if kind == "weight" and wanted and not architecture.fits(array.shape, wanted):
            return (f"{name} has shape {array.shape}, AlexNet's has "
                    f"{tuple(3 if size is None else size for size in wanted)}")
        if wanted and array.dtype.kind != "f":
            raise Refusal(f"holds {name} as {array.dtype}: whole numbers are rounded weights, so "
                          "multiply them by their scale and save them as float32.")
    return None


def renamed(arrays: dict[str, np.ndarray], layers: dict[str, str]) -> dict[str, np.ndarray]:
    """{name: array} with other names of layers, those in {name: new name}; all else stays as it
    is."""
    split = {name: name.rpartition(".") for name in arrays}
    return {f"{layers.get(layer, layer)}{dot}{kind}": arrays[name]
            for name, (layer, dot, kind) in split.items()}
