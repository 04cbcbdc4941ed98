"""The types that signatures share."""
from typing import Any, TypeAlias

import numpy as np

# NumPy's array, or on a GPU CuPy's, which is used in the same way.
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Shape: TypeAlias = tuple[int, ...]  # the length of each axis
Pair: TypeAlias = tuple[int, int]  # (vertical, horizontal)
Size: TypeAlias = int | Pair  # one number for both directions, or two
Axes: TypeAlias = int | tuple[int, ...] | None  # one axis, several, or all
