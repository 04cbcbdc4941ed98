"""The network that other programs' files must hold: its layers as one table, and the sentence on
where a file differs.

Each program has its own words for a layer (caffe.network and keras say the table in them), and its
own layout of weights, which conventions undoes. What remains is compared here, once.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from .conventions import Difference, shown

# filters, kernel, stride, padding, and towers, which Keras' program has none of
CONVOLUTIONS = {"conv1": (96, 11, 4, 0, 1), "conv2": (256, 5, 1, 2, 2), "conv3": (384, 3, 1, 1, 1),
                "conv4": (384, 3, 1, 1, 2), "conv5": (256, 3, 1, 1, 2)}
POOLED = ("conv1", "conv2", "conv5")  # by windows of 3 × 3, two apart
HIDDEN = 4096  # outputs of fc6 and of fc7

Layer = tuple[str, str, dict[str, Any]]  # name, kind and settings, in a program's own words
Shape = tuple[int | None, ...]  # None: any number


def shapes(pool5: int, towers: bool) -> dict[str, Shape]:
    """{layer: shape of its weight here}, for any pictures and classes. pool5: height and width of
    what fc6 sees."""
    found: dict[str, Shape] = {}
    channels = None
    for name, (filters, size, _, _, groups) in CONVOLUTIONS.items():
        found[name] = filters, channels and channels // (groups if towers else 1), size, size
        channels = filters
    return found | {"fc6": (HIDDEN, channels * pool5**2), "fc7": (HIDDEN, HIDDEN),
                    "fc8": (None, HIDDEN)}


CAFFE = shapes(6, towers=True)
# Of torchvision's kernels; its pictures may have any number of channels.
TORCHVISION: dict[str, Shape] = {
    "conv1": (64, None, 11, 11), "conv2": (192, 64, 5, 5), "conv3": (384, 192, 3, 3),
    "conv4": (256, 384, 3, 3), "conv5": (256, 256, 3, 3)}


def fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    """Is this an array's shape that is wanted?"""
    return len(shape) == len(wanted) and all(two in (None, one)
                                             for one, two in zip(shape, wanted))


def compare_shape(name: str, theirs: str, shape: tuple[int, ...]) -> None:
    """Raises Difference when weights of this shape, of the file's layer `theirs`, are not those of
    Caffe's AlexNet."""
    if name not in CAFFE:
        raise Difference(f"{theirs} has weights, the network's {name} has none")
    out, inputs, *kernel = CAFFE[name]
    wanted = (out or shape[0], inputs or (1 if shape[1:2] == (1,) else 3), *kernel)
    if shape != wanted:
        raise Difference(f"{theirs}'s weights have shape {shape}, "
                         f"the network's {name} has {wanted}")


def compare(theirs: Iterable[Layer], ours: Sequence[Layer], network: str = "AlexNet") -> None:
    """Raises Difference for the first layer of theirs that is not ours; settings that are not given
    are not compared.

    ours: each setting with its value, or a tuple of those that do the same; a layer without a name
    is told by its kind.
    """
    for number, (name, kind, given) in enumerate(theirs):
        told = f"{shown(name)} ({shown(kind)})"
        if number >= len(ours):
            raise Difference(f"it has more layers than the network, the first is {told}", network)
        our_name, our_kind, wanted = ours[number]
        if kind != our_kind:
            is_ours = f"{our_name} ({our_kind})" if our_name else our_kind
            raise Difference(f"its layer {number + 1} is {told}, the network's is {is_ours}",
                             network)
        for setting, values in wanted.items():
            values = values if isinstance(values, tuple) else (values,)
            if setting in given and not any(_same(given[setting], value) for value in values):
                raise Difference(f"{shown(name)} has {setting} {_word(given[setting])}, the "
                                 f"network's {our_name or 'layer'} has {_word(values[0])}", network)


def _same(theirs, ours):
    return abs(theirs - ours) <= 1e-5 * abs(ours) if isinstance(ours, float) else theirs == ours


def _word(value):
    value = "×".join(map(str, value)) if isinstance(value, tuple) else value
    return f"{value:g}" if isinstance(value, float) else shown(str(value))
