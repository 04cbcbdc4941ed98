""".npz files: our own checkpoints, plain arrays under state_dict names, and the convolutions of Caffe's AlexNet.

A checkpoint holds model/<name> arrays, the mean image and, as JSON text, the network's name, its classes and the pixels'
spread. Plain files hold <name> arrays; nothing says there what pixels they want. Files that hold convN_W, convN_b and
mean_bgr_chw are Caffe's: blue before red, pixels 0..255 minus that mean, response norm with k = 1.
"""

import json

import numpy as np

from ..data import Statistics
from ..errors import UserError
from . import conventions
from .conventions import Weights


def read(file, path):
    """Weights from an open .npz file. Raises UserError for anything but plain arrays."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray):  # NumPy gives bytes for what is no .npy inside
                raise ValueError(f"{name} is no array")
    except Exception as error:  # damaged bytes make zip and NumPy raise almost anything
        raise UserError(f"cannot read {path}: it is damaged, cut off, or no .npz file of plain arrays ({error}).") from error
    if any(name.startswith("model/") for name in arrays):
        return _checkpoint(arrays, path)
    if "minialex" in arrays:
        text = str(arrays.pop("minialex"))
        return conventions.described(text, arrays, "minialex (.npz)", path)
    if "conv1_W" in arrays:
        return _caffe(arrays)
    return Weights(arrays, "plain arrays (.npz)")


def _checkpoint(arrays, path):
    model = {name[len("model/"):]: array for name, array in arrays.items() if name.startswith("model/")}
    if "state" not in arrays:
        return Weights(model, "arrays of a checkpoint (.npz)")
    try:
        state = json.loads(str(arrays["state"][()]))
        statistics = Statistics(arrays["mean"].astype(np.float32), float(state["std"]))
        return Weights(model, "a checkpoint of minialex", state["variant"], statistics, state["pixels"], list(state["classes"]))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise UserError(f"{path} is no checkpoint of minialex: its state cannot be read ({error}).") from error


def _caffe(arrays):
    named = {}
    for name, array in arrays.items():
        layer, _, kind = name.rpartition("_")
        if kind in ("W", "b") and layer:
            named[f"{layer}.{'weight' if kind == 'W' else 'bias'}"] = array
    named["conv1.weight"] = conventions.bgr_to_rgb(named["conv1.weight"])
    mean = arrays.get("mean_bgr_chw")
    mean = conventions.mean_image(conventions.CAFFE_MEAN) if mean is None else np.ascontiguousarray(mean[::-1], np.float32)
    return Weights(named, "Caffe's AlexNet as arrays (.npz)", "caffe", Statistics(mean, 1.0))
