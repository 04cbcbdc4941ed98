"""What other programs do differently, and how to undo it, so that the same network gives the same answer here.

    channels       Caffe and its descendants read pictures as blue, green, red: conv1's input channels are turned around
    layout         TensorFlow keeps kernels as (KH, KW, C_in, C_out), matrices as (in, out); here (C_out, C_in, KH, KW), (out, in)
    fc6's order    where pool5 was (H, W, C), row h·W·C + w·C + c of fc6 belongs to our column c·H·W + h·W + w
    response norm  a/(k + α·Σa²)^β with other k and α is the same network with other weights (see fold_response_norm)
    pixels         every network wants (x − mean) / std in units of its own; here x is 0..255, mean an image, std one number:
                   a std per channel goes into conv1's weights, as w/std_c · std = w · (std / std_c), which is exact
"""

import json
from dataclasses import dataclass, field

import numpy as np

from ..data import Statistics
from ..data.names import differing, named
from ..errors import UserError

SIZE = 256  # pixels a side of a mean image
CAFFE_MEAN = (122.67891434, 116.66876762, 104.00698793)  # mean colour (red, green, blue) of Caffe's ilsvrc_2012_mean
TORCHVISION_MEAN, TORCHVISION_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of pixels in 0..1


@dataclass
class Weights:
    """Weights in minialex's own conventions, with what must be known to use them.

    arrays: {name in state_dict: array}; variant: a name in models.VARIANTS, "lenet5" or None when the file does not say;
    statistics: mean image and spread of the pixels, None when unknown; pixels: "raw" (0..255 minus the mean) or "unit"
    (also divided by the spread); classes: their names or None; origin: where they come from, for people to read;
    notes: what people must know about them, in sentences; folded: the std of each channel that conv1's weights contain.
    """

    arrays: dict
    origin: str
    variant: str | None = None
    statistics: Statistics | None = None
    pixels: str = "raw"
    classes: list | None = None
    notes: list = field(default_factory=list)
    folded: np.ndarray | None = None


def mean_image(colour, size=SIZE):
    """A mean colour (C,) as the mean image (C, size, size) that subtracts it everywhere."""
    return np.broadcast_to(np.asarray(colour, np.float32)[:, None, None], (len(colour), size, size)).copy()


def bgr_to_rgb(kernels):
    """(C_out, 3, KH, KW) for blue, green, red -> the same for red, green, blue."""
    return np.ascontiguousarray(kernels[:, ::-1])


def hwio_to_oihw(kernels):
    """(KH, KW, C_in, C_out) -> (C_out, C_in, KH, KW)"""
    return np.ascontiguousarray(kernels.transpose(3, 2, 0, 1))


def hwc_rows_to_chw(matrix, height, width):
    """(H·W·C, out), rows in the order of an (H, W, C) map -> (out, C·H·W)"""
    rows, out = matrix.shape
    maps = matrix.reshape(height, width, rows // (height * width), out)
    return np.ascontiguousarray(maps.transpose(3, 2, 0, 1)).reshape(out, rows)


def fold_std(kernels, std):
    """(conv1's kernels, s): dividing all pixels by s and using these gives what dividing channel c by std[c] gave."""
    std = np.asarray(std, np.float64)
    common = float(std.mean())
    return (kernels * (common / std)[None, :, None, None]).astype(kernels.dtype), common


def fold_response_norm(arrays, theirs, ours, beta=0.75):
    """Weights for response norm a/(k + α·Σa²)^β with ours = (k', α') that give what theirs = (k, α) gave, in place.

    With a' = s·a and s² = k'α/(kα'):  a'/(k' + α'Σa'²)^β = s·(k/k')^β · a/(k + αΣa²)^β.  ReLU and max-pooling pass a factor
    on, so conv1 and conv2 are multiplied by s, and the layer after each norm by (k'/k)^β/s. The results are the same.
    """
    (k, alpha), (our_k, our_alpha) = theirs, ours
    scale = (our_k * alpha / (k * our_alpha)) ** 0.5
    back = (our_k / k) ** beta / scale
    factors = {"conv1.weight": scale, "conv1.bias": scale, "conv2.weight": back * scale, "conv2.bias": scale,
               "conv3.weight": back}
    for name in factors.keys() & arrays.keys():
        arrays[name] = arrays[name] * np.float32(factors[name])


MEAN = "minialex.mean"  # the name of the mean image among a file's arrays


def description(weights):
    """(JSON text, {name: array}) from which `described` makes the same Weights again."""
    statistics = weights.statistics
    text = json.dumps({"variant": weights.variant, "pixels": weights.pixels, "classes": weights.classes,
                       "class_names": differing(weights.classes or ()), "std": statistics and statistics.std})
    return text, weights.arrays | ({MEAN: statistics.mean} if statistics else {})


def described(text, arrays, origin, path):
    """Weights from what `description` returned. Raises UserError when it is something else."""
    try:
        known = json.loads(text)
        statistics = None if known["std"] is None else Statistics(arrays[MEAN], float(known["std"]))
        arrays = {name: array for name, array in arrays.items() if name != MEAN}
        classes = known["classes"] and named(known["classes"], known.get("class_names") or {})
        return Weights(arrays, origin, known["variant"], statistics, known["pixels"], classes)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot read {path}: what it says about its network is damaged ({error}).") from error
