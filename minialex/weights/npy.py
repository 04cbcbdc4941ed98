"""bvlc_alexnet.npy: a dictionary {layer: [weights, biases]}, pickled inside a .npy file, as converters from Caffe to
TensorFlow write it. Kernels are (KH, KW, C_in, C_out), matrices (in, out), fc6's rows in the order (H, W, C), channels blue,
green, red; the file does not hold the mean, which is the ImageNet mean colour."""

import numpy as np

from ..data import Statistics
from ..errors import UserError
from . import conventions, pickles
from .conventions import Weights

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
POOL5 = (6, 6)  # height and width of what fc6 sees


def read(file, path):
    """Weights from an open .npy file. Raises UserError; runs nothing that the file holds."""
    layers = _dictionary(file, path)
    arrays = {}
    for layer, pair in layers.items():
        layer = layer.decode("latin-1") if isinstance(layer, bytes) else layer
        if layer not in LAYERS:
            raise UserError(f"{path} holds a layer {layer!r}, so it is no AlexNet, whose layers are {', '.join(LAYERS)}.")
        pair = [pair.get(kind) for kind in ("weights", "biases")] if isinstance(pair, dict) else pair
        try:
            weight, bias = (np.asarray(array, np.float32) for array in pair)
            arrays[f"{layer}.weight"], arrays[f"{layer}.bias"] = _weight(layer, weight), bias
        except (TypeError, ValueError) as error:
            raise UserError(f"{path} has no weights and biases for {layer} as minialex knows them: {error}.") from error
    if "conv1.weight" not in arrays:
        raise UserError(f"{path} holds no conv1, so it is no AlexNet: its layers are {', '.join(map(str, layers)) or 'none'}.")
    if arrays["conv1.weight"].shape[1] == 3:
        arrays["conv1.weight"] = conventions.bgr_to_rgb(arrays["conv1.weight"])
    statistics = Statistics(conventions.mean_image(conventions.CAFFE_MEAN), 1.0)
    return Weights(arrays, "Caffe's AlexNet as TensorFlow arrays (.npy)", "caffe", statistics)


def _dictionary(file, path):
    file = pickles.Careful(file)
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        _, _, kind = header(file)
    except (ValueError, SyntaxError, RecursionError) as error:
        raise UserError(f"cannot read {path}: its header is damaged ({error}).") from error
    if not kind.hasobject:
        raise UserError(f"{path} holds one array without a name: give an .npz file of named arrays, or a .npy with a dictionary.")
    value = pickles.read(file, path, pickles.NUMPY)
    while isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if not isinstance(value, dict):
        raise UserError(f"{path} holds no dictionary of layers.")
    return value


def _weight(layer, weight):
    if weight.ndim == 4:
        return conventions.hwio_to_oihw(weight)
    if layer == "fc6":
        return conventions.hwc_rows_to_chw(weight, *POOL5)
    return np.ascontiguousarray(weight.T)
