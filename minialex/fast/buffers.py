"""Large arrays whose memory is used again."""
import ctypes
import math
import os
import threading
import weakref
from collections import OrderedDict

import numpy as np
from numpy.typing import DTypeLike

from ..aliases import Array, Shape
from ..device import array_module

# A fresh 150 MB array costs 37,000 page faults. A training step asks for the same sizes again and
# again, so blocks above this size go back to a shelf when their last view dies: a step at batch 32
# takes 1.59 s with it and 2.05 s without.
_RECYCLED_FROM = 1 << 20
# Smaller arrays come from the C library, and glibc too hands those above 128 kB back to the system
# when they are freed, until a larger one has been: from then on it keeps up to that size
# (M_MMAP_THRESHOLD in `man mallopt`, at most 32 MB). So one of 31 MB comes and goes here. Nobody
# touches it, so it costs nothing. Without it a step of LeNet-5 at batch 64 has 350 page faults: its
# loss and second tanh take 0.66 ms instead of 0.27.
np.empty(31 << 20, dtype=np.uint8)
_shelf = OrderedDict()  # size: blocks, the size asked for last at the end
_bytes = {"lent": 0, "idle": 0, "most lent": 0}
# Not Lock: a collection inside the block may end an array, whose end locks again.
_shelf_lock = threading.RLock()


def empty(shape: Shape, dtype: DTypeLike, like: Array | None = None) -> Array:
    """An uninitialised array on the device of `like` (CPU without it). Large CPU blocks are
    recycled."""
    xp = np if like is None else array_module(like)
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if xp is not np or size < _RECYCLED_FROM:
        return xp.empty(shape, dtype=dtype)
    block = _take(size)
    # The memoryview keeps NumPy from collapsing the chain of bases: every view of `flat` holds
    # `flat` alive.
    flat = np.frombuffer(memoryview(block), dtype=dtype)
    weakref.finalize(flat, _put_back, size, block).atexit = False
    return flat.reshape(shape)


def _take(size: int) -> Array:
    """A block from the shelf, or a new one; for a new one the shelf gives up what has not been
    asked for lately, so that blocks in use and idle ones together never exceed the most that was in
    use at once by more than 64 MB."""
    with _shelf_lock:
        blocks = _shelf.get(size)
        block = blocks.pop() if blocks else None
        if block is not None:
            _bytes["idle"] -= size
            _shelf.move_to_end(size)
        _bytes["lent"] += size
        _bytes["most lent"] = max(_bytes["most lent"], _bytes["lent"])
        for old in list(_shelf) if block is None else ():
            while (_shelf[old] and _bytes["idle"] + _bytes["lent"] > _bytes["most lent"]
                   + (64 << 20)):
                _shelf[old].pop()
                _bytes["idle"] -= old
            if not _shelf[old]:
                del _shelf[old]
    return np.empty(size, dtype=np.uint8) if block is None else block


def _put_back(size: int, block: Array) -> None:
    with _shelf_lock:
        _shelf.setdefault(size, []).append(block)
        _bytes["lent"] -= size
        _bytes["idle"] += size


def release_memory() -> None:
    """Give all recycled blocks back to the operating system (after a change of batch size, say),
    and what the C library keeps of those that came from it: a fifth of a gigabyte after steps of
    the paper's network at batch 32."""
    with _shelf_lock:
        _shelf.clear()
        _bytes.update({"idle": 0, "most lent": _bytes["lent"]})
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        # it is glibc's, which a browser, macOS and Windows do not have
        pass


_local = threading.local()


def scratch(name: str, shape: Shape, dtype: DTypeLike, like: Array) -> Array:
    """An uninitialised array for the time of one slice of images: on the CPU each thread has one
    block of memory per name and uses it again and again, so that it stays in the thread's cache.
    The next call with this name overwrites it."""
    if array_module(like) is not np:
        return empty(shape, dtype, like)
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    block = getattr(_local, name, None)
    if block is None or block.size < size:
        block = np.empty(size, dtype=np.uint8)
        setattr(_local, name, block)
    return block[:size].view(dtype).reshape(shape)


def _after_fork() -> None:
    """In a forked child the copy of the lock may be locked for ever."""
    global _shelf_lock
    _shelf_lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
