"""Which entries are compared one by one, and along which directions the whole tensor is moved.

A small tensor is compared entry by entry. Of a large one a random sample is; a few directional
derivatives

    dL/dt at x + t·v = Σ gradient · v          v: a random number for every entry

look at all entries at once, so that a single wrong one among millions still shows. Moving all
entries by the same amount is one more direction: tied entries stay tied, so that a maximum is
smooth along it.
"""
import math
from collections.abc import Iterable, Iterator

import numpy as np

CLASSROOM = 2000  # entries of an input of a student's function that are all compared


TOGETHER = "all entries together"


def how_many(size: int) -> int:
    """How many entries of each tensor to compare when all tensors together hold `size` numbers: 64,
    and down to 16 for the largest layers, where every comparison reads them all twice."""
    return min(64, max(16, 400_000_000 // size))


def entries(gradient: np.ndarray | None, shape: tuple[int, ...], samples: int,
            generator: np.random.Generator) -> list[tuple[int, ...]]:
    """Up to `samples` different indices (tuples) of an array of `shape`: all when there are no more
    than that, else the first, the last (borders go wrong there) and random ones, in reading order.

    Most of a max-pooling's gradient is zero, and zeros prove little: half of the sample is drawn
    from the entries where `gradient` (an array, or None) has something, as far as a limited number
    of draws finds them.
    """
    size = int(np.prod(shape, dtype=np.int64))
    if size <= samples:
        return [index_of(position, shape) for position in range(size)]
    chosen = {0, size - 1}
    for position in generator.integers(size, size=10 * samples) if gradient is not None else ():
        if len(chosen) < samples // 2 and gradient[index_of(position, shape)] != 0:
            chosen.add(int(position))
    while len(chosen) < samples:
        chosen.add(int(generator.integers(size)))
    return [index_of(position, shape) for position in sorted(chosen)[:samples]]


def index_of(position: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of an entry, of its number in reading order."""
    return tuple(int(i) for i in np.unravel_index(position, shape))


def directions(shape: tuple[int, ...], samples: int, count: int,
               generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Yields (name, direction): float64 arrays of `shape` with entries between −1 and 1.

    `count` random ones where not every entry is compared, and the uniform one for more than one
    entry.
    """
    size = int(np.prod(shape, dtype=np.int64))
    if size > 1:
        yield TOGETHER, np.broadcast_to(1.0, shape)
    for number in range(count if size > samples else 0):
        yield f"random direction {number + 1}", random_direction(shape, generator)


def chance_of_seeing(error: float, size: int, drawn: int, everywhere: float,
                     random: Iterable[float]) -> float:
    """The probability that a single entry among `size` whose gradient is off by `error` makes the
    report say so.

        P = 1 − (1 − k/N) · [error ≤ T₀] · Π_d min(1, T_d / error)

    It goes unseen only if it escapes everything: it is not among the k of N entries drawn at random
    (`drawn`); moving all entries together, its weight is 1 and its error stays below T₀
    (`everywhere`), the smallest error that this direction would show; and in every random direction
    d its weight v, uniform in [−1, 1), leaves |v · error| ≤ T_d, which has the probability T_d /
    error (`random`: all T_d). T grows with √N, since a direction adds up N terms: for ten million
    entries it is about a hundredth of a typical one.
    """
    missed = (1 - drawn / size) * (error <= everywhere)
    return 1 - missed * math.prod(min(1.0, limit / error) for limit in random)


def random_direction(shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Numbers in [−1, 1): no two wrong entries have the same weight, so their errors do not
    cancel."""
    return np.asarray(generator.random(shape) * 2 - 1)
