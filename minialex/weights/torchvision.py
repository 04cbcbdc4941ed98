"""torchvision's AlexNet by its state_dict: features.0 … classifier.6, pixels 0..1 normalised by ImageNet's mean and spread
for each channel. Its LRN-free layers are those of the variant torchvision; fc6 sees (C, H, W), as here."""

import numpy as np

from ..data import Statistics
from . import conventions
from .conventions import Weights

NAMES = {
    "features.0": "conv1", "features.3": "conv2", "features.6": "conv3", "features.8": "conv4", "features.10": "conv5",
    "classifier.1": "fc6", "classifier.4": "fc7", "classifier.6": "fc8",
}

def is_one(state):
    """Are these (array) names torchvision's?"""
    return "features.0.weight" in state

def read(state, origin):
    """Weights from {name: array} with torchvision's names."""
    arrays = renamed(state)
    mean = conventions.mean_image(255 * np.array(conventions.TORCHVISION_MEAN))
    if arrays["conv1.weight"].ndim != 4 or arrays["conv1.weight"].shape[1] != 3:
        return Weights(arrays, origin, "torchvision")
    folded = 255 * np.array(conventions.TORCHVISION_STD)
    arrays["conv1.weight"], std = conventions.fold_std(arrays["conv1.weight"], folded)
    return Weights(arrays, origin, "torchvision", Statistics(mean, std), "unit", folded=folded)

def renamed(state):
    """{torchvision's name: array} -> the same with our names."""
    arrays = {}
    for name, array in state.items():
        layer, _, kind = name.rpartition(".")
        arrays[f"{NAMES.get(layer, layer)}.{kind}"] = array
    return arrays

def state_dict(arrays):
    """{our name: array} -> the same with torchvision's names."""
    ours = {ours: theirs for theirs, ours in NAMES.items()}
    return {f"{ours[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": array for name, array in arrays.items()}

