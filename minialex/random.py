"""Where random numbers come from: initial weights and dropout masks, on the CPU and on GPUs."""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np

from .aliases import Array
from .device import device_of, to_device

# The generator is made when first asked for: numpy.random takes 10 ms.
_random: dict[str, Any] = {"host": None}
_part = threading.local()  # .first_row: each thread may work on a part of its own


def manual_seed(seed: int) -> None:
    """Seed every random number that the engine draws: initial weights and dropout masks, on the CPU
    and on GPUs.

    Raises ValueError for anything but a whole number of at least 0.
    """
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"manual_seed needs a whole number of at least 0, got {seed!r}.")
    _random["host"] = np.random.default_rng(int(seed))
    _part.first_row = 0  # after an error within a part, too


def host_generator() -> np.random.Generator:
    """The NumPy generator behind weight initialisation; every other random number follows from what
    it draws."""
    if _random["host"] is None:
        _random["host"] = np.random.default_rng()
    return _random["host"]


def random_key() -> int:
    """A whole number below 2^64 that stands for a long sequence of random numbers, such as a
    dropout mask.

    It is drawn on the host and may be made into the sequence where the array is (cuda/dropout.cu),
    so that a GPU's random numbers are the CPU's, and that the host generator's state, which a
    checkpoint keeps, is all the state there is.
    """
    return int(host_generator().integers(1 << 64, dtype=np.uint64))


def sequence(key: int, first: int, count: int) -> Array:
    """Numbers `first` to `first + count − 1` of the sequence that `key` stands for: float32, in [0,
    1).

    Philox is a generator that computes any part of its sequence without the parts before it. So the
    same key gives the same numbers again, on any number of cores and on a GPU. One step of its
    counter makes eight float32 numbers.
    """
    counter, skipped = divmod(first, 8)
    generator = np.random.Generator(np.random.Philox(key=key, counter=counter))
    return generator.random(skipped + count, dtype=np.float32)[skipped:]


def next_sequence(x: Array) -> tuple[int, int]:
    """(key, first): which sequence has the next random numbers, one for each of x's, and where they
    begin."""
    return random_key(), first_row() * (x.size // max(len(x), 1) if x.ndim else 0)


def uniform_like(x: Array) -> Array:
    """A random number in [0, 1) for each of x's, float32, on x's device."""
    return to_device(sequence(*next_sequence(x), x.size).reshape(x.shape), device_of(x))


def parts_of_batch(slices: Iterable[slice]) -> Iterator[slice]:
    """Yield the slices of one batch. While a part is worked on, the random numbers are those that
    its rows would have had in the whole batch: each part begins with the same keys, and
    `first_row()` says where in their sequences it starts. A part may be cut again: slices then
    count from its first row."""
    before, first = random_state(), first_row()
    try:
        for part in slices:
            set_random_state(before)
            _part.first_row = first + part.start
            yield part
    finally:
        _part.first_row = first


def first_row() -> int:
    """The number, in the whole batch, of the first row of the part that is being worked on."""
    return getattr(_part, "first_row", 0)


@contextmanager
def frozen_randomness() -> Iterator[Callable[[], None]]:
    """Inside the block, every run draws the same numbers again each time `restart()` is called;
    afterwards the generators go on as if nothing had been drawn. Gradient checking needs a dropout
    mask that stands still."""
    before, generator = _random["host"], np.random.default_rng(0)
    start = generator.bit_generator.state  # put back at once; a new one takes longer

    def restart() -> None:
        generator.bit_generator.state = start
        _random["host"], _part.first_row = generator, 0

    restart()
    try:
        yield restart
    finally:
        _random["host"] = before


def random_state() -> dict[str, Any]:
    """All that the random numbers to come depend on, on the CPU and on GPUs, as plain JSON-able
    values for checkpoints."""
    return dict(host_generator().bit_generator.state)


def set_random_state(state: dict[str, Any]) -> None:
    """Put back what `random_state` returned."""
    host_generator().bit_generator.state = state
