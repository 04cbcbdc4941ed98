""".npz files: our own checkpoints, plain arrays under state_dict names, and the convolutions of Caffe's AlexNet.

A checkpoint holds model/<name> arrays, the mean image and, as JSON text, the network's name, its classes and the pixels'
spread. Plain files hold <name> arrays; nothing says there what pixels they want, unless the names are torchvision's. Files
that hold convN_W, convN_b and mean_bgr_chw are Caffe's, whose layers npy.py reads.
"""

import json
import re

import numpy as np

from ..data import Statistics
from ..data.names import named
from ..errors import UserError
from . import conventions, names, npy
from .conventions import Weights


def read(file, path):
    """Weights from an open .npz file. Raises UserError for anything but plain arrays."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            # Without what only training needs, which takes as much memory as the weights.
            arrays = {name: archive[name] for name in archive.files if not name.startswith("velocity/")}
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
    if arrays and all(re.fullmatch(r"arr_\d+", name) for name in arrays):
        raise UserError(f"the arrays in {path} have no names (arr_0, ...): save them as np.savez(FILE, **model.state_dict()).")
    found = {(name,): array for name, array in arrays.items()}
    if npy.is_one(arrays):
        return npy.layers(arrays, path, ".npz")
    return names.weights(*names.choose(found), ".npz")


def _checkpoint(arrays, path):
    model = {name[len("model/"):]: array for name, array in arrays.items() if name.startswith("model/")}
    if "state" not in arrays:
        return Weights(model, "arrays of a checkpoint (.npz)")
    try:
        state = json.loads(str(arrays["state"][()]))
        statistics = Statistics(arrays["mean"].astype(np.float32), float(state["std"]))
        classes = named(state["classes"], state.get("class_names") or {})
        return Weights(model, "a checkpoint of minialex", state["variant"], statistics, state["pixels"], classes)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise UserError(f"{path} is no checkpoint of minialex: its state cannot be read ({error}).") from error

