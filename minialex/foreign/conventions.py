"""What other programs do differently, and how to undo it, so that the same network gives the same
answer here.

    channels       Caffe and its descendants read pictures as blue, green, red: conv1's input
                   channels are turned around
    layout         TensorFlow keeps kernels as (KH, KW, C_in, C_out), matrices as (in, out); here
                   (C_out, C_in, KH, KW), (out, in)
    fc6's order    where pool5 was (H, W, C), row h·W·C + w·C + c of fc6 belongs to our column c·H·W
                   + h·W + w
    response norm  a/(k + α·Σa²)^β with other k and α is the same network with other weights (see
                   fold_response_norm)
    numbers        a bfloat16, which NumPy lacks, is the upper half of a float32
    pixels         every network wants (x − mean) / std in units of its own; here x is 0..255, mean
                   an image, std one number: a std per channel goes into conv1's weights, as w/std_c
                   · std = w · (std / std_c), which is exact
"""

import json
from dataclasses import dataclass, field

import numpy as np

from ..data import Statistics
from ..errors import UserError
from ..folders.names import differing, named

SIZE = 256  # pixels a side of a mean image
# mean colour (red, green, blue) of Caffe's ilsvrc_2012_mean
CAFFE_MEAN = (122.67891434, 116.66876762, 104.00698793)
MEAN = "minialex.mean"  # the name of the mean image among a file's arrays
NUMBERS = ("bool", "complex64", "complex128",
           *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
           "float16", "float32", "float64")  # PyTorch and NumPy have the same names for them


class Refusal(Exception):
    """Why a file cannot be used, as the rest of a sentence that begins with its path."""


class Difference(Refusal):
    """Where the file's network differs from ours, as a part of a sentence."""

    def __init__(self, difference: str, network: str = "AlexNet"):
        super().__init__(f"holds another network than {network}: {difference}.")


@dataclass
class Weights:
    """Weights in minialex's own conventions, with what must be known to use them.

    arrays: {name in state_dict: array}; variant: a name in models.VARIANTS, "lenet5" or None when
    the file does not say; statistics: mean image and spread of the pixels, None when unknown;
    pixels: "raw" (0..255 minus the mean) or "unit" (also divided by the spread); classes: their
    names or None; origin: where they come from, for people to read; notes: what people must know
    about them, in sentences; folded: the std of each channel that conv1's weights contain.
    """

    arrays: dict[str, np.ndarray]
    origin: str
    variant: str | None = None
    statistics: Statistics | None = None
    pixels: str = "raw"
    classes: list[str] | None = None
    notes: list[str] = field(default_factory=list)
    folded: np.ndarray | None = None


def check_numbers(arrays: dict[str, np.ndarray], path: str) -> None:
    """Raise UserError for {name: array} of a file with NaN or infinity, or with whole numbers,
    which are rounded weights."""
    for name, array in arrays.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise UserError(f"{name} in {path} does not hold finite floating-point numbers: "
                            "these weights cannot be used.")


def shown(text: str) -> str:
    """A file's own text, fit to stand in a sentence."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:120])


def stored(name: str) -> np.dtype:
    """As what a file's numbers of a type, by PyTorch's name for it, are read. Raises Refusal for a
    type that NumPy lacks."""
    if name in NUMBERS:
        return np.dtype(name).newbyteorder("<")
    if name == "bfloat16":
        return np.dtype("<u2")
    raise Refusal(f"holds numbers of the type {shown(name)}, which NumPy does not have: "
                  "save them as float32 (in PyTorch tensor.float(), "
                  "times its scale where the file has one).")


def widened(array: np.ndarray, name: str) -> np.ndarray:
    """An array that was read as `stored` says, as the numbers that it holds."""
    return (array.astype("<u4") << 16).view("<f4") if name == "bfloat16" else array


def mean_image(colour, size: int = SIZE) -> np.ndarray:
    """A mean colour (C,) as the mean image (C, size, size) that subtracts it everywhere."""
    return np.broadcast_to(np.asarray(colour, np.float32)[:, None, None],
                           (len(colour), size, size)).copy()


def bgr_to_rgb(kernels: np.ndarray) -> np.ndarray:
    """(C_out, 3, KH, KW) for blue, green, red -> the same for red, green, blue; as it is for other
    numbers of channels."""
    return np.ascontiguousarray(kernels[:, ::-1]) if kernels.shape[1] == 3 else kernels


def from_tensorflow(layer: str, weight: np.ndarray, pool5: tuple[int, int]) -> np.ndarray:
    """(KH, KW, C_in, C_out) -> (C_out, C_in, KH, KW); (in, out) -> (out, in), where fc6's rows are
    (H, W, C) maps.

    pool5: (H, W) of what fc6 sees.
    """
    if weight.ndim == 4:
        return np.ascontiguousarray(weight.transpose(3, 2, 0, 1))
    if layer != "fc6":
        return np.ascontiguousarray(weight.T)
    rows, out = weight.shape
    maps = weight.reshape(*pool5, rows // (pool5[0] * pool5[1]), out)
    return np.ascontiguousarray(maps.transpose(3, 2, 0, 1)).reshape(out, rows)


def fold_std(kernels: np.ndarray, std) -> tuple[np.ndarray, float]:
    """(conv1's kernels, s): dividing all pixels by s and using these gives what dividing channel c
    by std[c] gave."""
    std = np.asarray(std, np.float64)
    common = float(std.mean())
    return (kernels * (common / std)[None, :, None, None]).astype(kernels.dtype), common


def fold_response_norm(arrays: dict[str, np.ndarray], theirs: tuple, ours: tuple,
                       beta: float = 0.75) -> None:
    """Weights for response norm a/(k + α·Σa²)^β with ours = (k', α') that give what theirs = (k, α)
    gave, in place.

    With a' = s·a and s² = k'α/(kα'):  a'/(k' + α'Σa'²)^β = s·(k/k')^β · a/(k + αΣa²)^β.
    ReLU and max-pooling pass a factor on, so conv1 and conv2 are multiplied by s, and the layer
    after each norm by (k'/k)^β/s. The results are the same.
    """
    (k, alpha), (our_k, our_alpha) = theirs, ours
    scale = (our_k * alpha / (k * our_alpha)) ** 0.5
    back = (our_k / k) ** beta / scale
    factors = {"conv1.weight": scale, "conv1.bias": scale, "conv2.weight": back * scale,
               "conv2.bias": scale, "conv3.weight": back}
    for name in factors.keys() & arrays.keys():
        arrays[name] = arrays[name] * np.float32(factors[name])


def description(weights: Weights) -> tuple[str, dict[str, np.ndarray]]:
    """(JSON text, {name: array}) from which `described` makes the same Weights again."""
    statistics = weights.statistics
    text = json.dumps({"variant": weights.variant, "pixels": weights.pixels,
                       "classes": weights.classes, "class_names": differing(weights.classes or ()),
                       "std": statistics and statistics.std})
    return text, weights.arrays | ({MEAN: statistics.mean} if statistics else {})


def described(text: str | bytes, arrays: dict[str, np.ndarray], origin: str) -> Weights:
    """Weights from what `description` returned. Raises Refusal when it is something else."""
    try:
        known = json.loads(text)
        statistics = None if known["std"] is None else Statistics(arrays[MEAN], float(known["std"]))
        classes = known["classes"] and named(known["classes"], known.get("class_names") or {})
        arrays = {name: array for name, array in arrays.items() if name != MEAN}
        return Weights(arrays, origin, known["variant"], statistics, known["pixels"], classes)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refusal("is damaged: what it says about its network cannot "
                      f"be read ({shown(str(error))}).") from error
