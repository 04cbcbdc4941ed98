"""An array for a page: its shape, its range, some of its numbers and a thumbnail, however large it
is."""
import base64
import math
from typing import Any

import numpy as np

from ..device import array_module, device_of, to_numpy

VALUES = 64  # numbers that are kept; all of an array that has no more
TILES, SIDE = 8, 32  # maps in a thumbnail, and their largest height and width


def of(array: Any) -> dict[str, Any]:
    """A few kilobytes at most, which hold nothing of the array itself."""
    told: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype),
                            "bytes": int(array.nbytes)}
    if device_of(array) != "cpu":
        told["device"] = device_of(array)
    if not array.size:
        return told
    flat = to_numpy(array.reshape(-1)[:: -(-array.size // VALUES)] if array.size > VALUES
                    else array.reshape(-1))
    told["values"] = [number(value) for value in flat]
    xp = array_module(array)
    told |= {name: number(getattr(array, name)()) for name in ("min", "max", "mean")}
    told["zeros"] = int(array.size - xp.count_nonzero(array))
    bad = int(array.size - xp.isfinite(array).sum())
    return told | ({"bad": bad} if bad else {"thumbnail": _thumbnail(array)} if array.ndim > 1
                   and array.size > VALUES else {})


def number(value: Any) -> float | str:
    """With six digits; what JSON has no number for as a word."""
    value = float(value)
    return float(f"{value:.6g}") if math.isfinite(value) else str(value)


def _thumbnail(array: Any) -> dict[str, Any]:
    """The first picture's first maps, or a matrix, every few values."""
    while array.ndim > 3:
        array = array[0]
    tiles = array[None] if array.ndim == 2 else array[:TILES]
    every = [max(1, -(-side // SIDE)) for side in tiles.shape[1:]]
    small = to_numpy(tiles[:, ::every[0], ::every[1]]).astype(np.float64)
    low, high = float(small.min()), float(small.max())
    steps = np.rint((small - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    return {"shape": list(small.shape), "low": number(low), "high": number(high),
            "values": base64.b64encode(steps.tobytes()).decode("ascii")}
