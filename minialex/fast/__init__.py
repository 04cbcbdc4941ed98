"""The same operations, fast."""
import importlib

import numpy as np

from ..device import array_module


def kernels(array):
    """The module with the hot loops for this array's device: `fast.cpu` or `fast.gpu`, same names in both."""
    return importlib.import_module("minialex.fast.cpu" if array_module(array) is np else "minialex.fast.gpu")
