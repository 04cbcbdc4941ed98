"""Which of a file's arrays are the network? Training scripts save it in containers of any name, under any prefix.

    {"epoch": 3, "model_state_dict": {"_orig_mod.module.features.0.weight": ...}, "optimizer": {...}, "loss": ...}

The network is told by its own names: what comes before `features.0.weight` (torchvision's) or `conv1.weight` (minialex's) is
the prefix, and all that has the same prefix belongs to it. Where several are as large, the one that is no optimiser's and no
moving average is taken. Arrays of other names: the largest group that lies in one container.
"""

import re

from . import torchvision
from .conventions import Weights

DEEPEST = 40  # containers in containers
SIGNATURES = (("features.0.weight",), ("conv1.weight", "conv5.weight"), ("conv1.weight", "fc5.weight"))  # all of one
WRAPPERS = re.compile(r"(_orig_mod|module|model|net|network|backbone|encoder|alexnet|_forward_module)\.")
COMPANIONS = re.compile(r"optim|ema|grad|momentum|average|swa|teacher|exp_avg|adam|velocity", re.IGNORECASE)
WITHIN = re.compile(r"(features|classifier)\.(?:_orig_mod\.|module\.)+")
INSIDE = ("_modules", "_parameters", "_buffers")  # attributes of a torch.nn.Module that was pickled whole


def leaves(value, kinds, path=(), seen=None):
    """(path, item) of every item of these kinds in nested containers, each container once."""
    seen = set() if seen is None else seen
    if isinstance(value, kinds):
        yield path, value
    elif isinstance(value, (dict, list, tuple)) and id(value) not in seen and len(path) < DEEPEST:
        seen.add(id(value))
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, kinds, (*path, _word(key)), seen)


def _word(key):
    key = key.decode("latin-1") if isinstance(key, bytes) else key
    return str(key) if isinstance(key, (str, int)) else type(key).__name__


def choose(found):
    """({name: item}, notes): the network among {path: item}, without its prefix. path: the keys of nested containers."""
    full = _full(found)
    groups = {prefix: {name[len(prefix):]: item for name, item in full.items() if name.startswith(prefix)}
              for prefix in _prefixes(full)} or _containers(found)
    best = max(groups, key=lambda prefix: (not COMPANIONS.search(prefix), len(groups[prefix])), default=None)
    others = [prefix.rstrip(".") or "the one without a prefix" for prefix in groups
              if prefix != best and len(groups[prefix]) == len(groups[best])]
    notes = [f"the file holds several networks: taken is {best.rstrip('.') or 'the one without a prefix'}, not "
             f"{', '.join(others)}"] if others else []
    return _unwrapped(groups.get(best, {})), notes


def _full(found):
    """{name: item}, without what wrappers put into names: DataParallel(model.features) makes features.module.0.weight."""
    return {WITHIN.sub(r"\1.", ".".join(word for word in path if word not in INSIDE)): item for path, item in found.items()}


def _prefixes(full):
    """What comes before a network's names."""
    for first, *more in SIGNATURES:
        for name in full:
            before = name.removesuffix(first)
            if name.endswith(first) and (not before or before[-1] == ".") and all(before + other in full for other in more):
                yield before


def _containers(found):
    """{container: {name: item}}; a module's own containers all belong to it."""
    groups = {}
    for path, item in found.items():
        whole = next((at for at, word in enumerate(path) if word in INSIDE), len(path) - 1)
        name = ".".join(word for word in path[whole:] if word not in INSIDE)
        groups.setdefault(".".join(path[:whole]), {})[name] = item
    return groups


def _unwrapped(group):
    """Without what programs that wrap a module put before all of its names."""
    while all(WRAPPERS.match(name) for name in group) and len({name.partition(".")[0] for name in group}) == 1:
        group = {name.partition(".")[2]: item for name, item in group.items()}
    return group


def weights(arrays, notes, form):
    """Weights from a network's {name: array}: torchvision's conventions where the names are torchvision's."""
    beside = [name for name, array in arrays.items() if "." not in name and (array.ndim == 0 or array.dtype.kind != "f")]
    if torchvision.is_one(arrays):
        arrays = {name: array for name, array in arrays.items() if name not in beside}  # such as the epoch
        found = torchvision.read(arrays, f"torchvision's AlexNet ({form})")
    else:
        found = Weights(arrays, f"plain arrays ({form})")
    found.notes.extend(notes)
    return found
