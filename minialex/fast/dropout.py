"""Dropout on the CPU; `cuda/dropout.cu` has the same for a GPU, with the same random numbers."""
import numpy as np

from .buffers import empty
from .threads import parallel_map

_BLOCK = 1 << 15  # numbers at a time, to stay in the cache; a multiple of 8, see below


def dropout(x, p, key, first=0):
    """y = x · m / (1 − p), m = 1 where a random number in [0, 1) is at least p, else 0.

    The number at position i is number first + i of the sequence that `key` stands for, and depends on nothing else: Philox
    is a generator that computes any part of its sequence without the parts before it. So the same key gives the same mask
    again, on any number of cores and on a GPU; `first` is where a part of a batch begins in the whole batch's mask.
    """
    y = empty(x.shape, x.dtype)
    source, target, scale = x.reshape(-1), y.reshape(-1), x.dtype.type(1 / (1 - p))

    def block(part):
        # One step of Philox's counter makes eight float32 numbers.
        counter, skipped = divmod(first + part.start, 8)
        generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
        drawn = generator.random(skipped + part.stop - part.start, dtype=np.float32)[skipped:]
        np.multiply(source[part], (drawn >= np.float32(p)) * scale, out=target[part])

    parallel_map(block, [slice(start, min(start + _BLOCK, x.size)) for start in range(0, x.size, _BLOCK)])
    return y
