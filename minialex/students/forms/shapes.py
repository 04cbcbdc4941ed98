"""Arrays for what training code has to be given: examples, targets, whole numbers, weights; in all
shapes that go with the weights that are there.
"""
import itertools
from collections.abc import Iterator

import numpy as np

from ..names import role, stem
from ..reading import changes
from . import cutting, objects
from .units import Unit

N, FEW = 4, 3  # examples that are drawn; rows that are looked up for one of them
WAYS = 10  # which of the whole numbers are several
STATES = ("h", "c")  # roles of what a recurrent network keeps


def of_data(missing: list, space: dict, unit: Unit,
            several: tuple[dict, dict]) -> Iterator[dict[str, np.ndarray]]:
    """Yields {name: array} for what is missing, in all shapes that it may have: examples, of one
    shape; targets; the state of a recurrent network; whole numbers. several: what reading.lookups
    finds, and those with which weights are looked up."""
    if not missing:
        yield {}
        return
    roots = {root.partition(".")[0] for root in unit.roots()}
    shapes = [np.shape(array) for path, array in objects.arrays(
        {name: space[name] for name in roots if name in space})]
    several, looked_up = several
    targets = cutting.targets_of(unit.body, missing) - looked_up.keys()
    indices = {name: several[name] for name in missing if name in several and name not in targets}
    kept = [name for name in missing if role(name) in STATES and name not in indices]
    others = [name for name in missing if name not in {*targets, *kept, *indices}]
    own = [size for shape in shapes for size in shape if size > 1]
    sizes = list(dict.fromkeys([*own, 3, 5]))
    # of words, of which there are more than numbers for each; or fewer
    below = dict.fromkeys([min(map(max, filter(None, shapes)), default=3)] * bool(
        looked_up.keys() & indices.keys()) + [min(own or [3])])
    firsts = [shape for some in (sizes, [size - 1 for size in sizes if size > 2])
              for shape in ([(N, size) for size in some] + [(size, N) for size in some])]
    lasts = [(N, 1), (1, N), (N,), *(shape for size in sizes for shape in ((N, size), (size, N)))]
    single = [*((size,) for size in sizes), *((size, 1) for size in sizes)]
    three = [shape for size in sizes for shape in ((N, size, 1), (N, 1, size))]
    firsts, lasts = [*firsts, *single, (N,), *three], [*lasts, *single, (1,), (), *three]
    if looked_up.keys() & indices.keys():  # of one example, or of a few
        firsts, lasts = [(), *firsts], [(), *lasts[:-len(three)], *three]
    wholes = [one for most in below for one in _wholes(indices, most)] if indices else [{}]
    positive = changes.positive(unit.body)
    both = [(x, y) for x in (firsts if others else [()]) for y in (lasts if targets else [()])]
    states = [shape for J in {len(shape) and shape[0] for shape in shapes if shape[:1] == shape[1:]}
              for shape in ((J, 1), (J,), (N, J))] if kept else [()]
    for x, y in sorted(both, key=lambda one: (firsts.index(one[0]) if others else 0) // 2):
        for state, whole in itertools.product(states, wholes):
            yield {**{name: _drawn(name, () if not x else (N,) * (N in x) if role(name) == "each"
                                   else x, name in positive) for name in others},
                   **{name: _drawn(name, state) for name in kept}, **whole,
                   **{name: _drawn(name, y, True) if name in positive else _drawn(name, (N,))
                      if role(name) == "each" and N in x else _labels(name, y)
                      for name in targets}}


def _wholes(several, below):
    """Yields {name: whole numbers}, N of each, or one of some and a few of others; no two are the
    same, as far as it goes."""
    order = np.random.default_rng(7).permutation(below)
    ways = [several, dict.fromkeys(several, True), *(
        dict(zip(several, some)) for some in itertools.product((False, True), repeat=len(several)))]
    for way in [way for place, way in enumerate(ways) if way not in ways[:place]][:WAYS]:
        counts = {name: None if not way[name] else N if all(way.values()) else FEW for name in way}
        found, place = {}, 0
        for name in sorted(way, key=way.get):
            places = np.arange(place, place + (counts[name] or 1)) % below
            place += len(places)
            found[name] = order[places] if way[name] else order[places[0]]
        yield found


def of_weights(names: list, looked_up: bool) -> Iterator[dict[str, np.ndarray]]:
    """Yields {name: array} of weights and biases that a function is given: of layers of examples
    in rows, in columns, of one output; of one number each."""
    if not names:
        yield {}
        return
    biases = [name for name in names if role(name) == "b" or stem(name).startswith("b")]
    matrices = [name for name in names if name not in biases]
    if looked_up:  # a row, or a column, of each word
        for one in ((7, 3), (3, 7)):
            yield {name: _drawn(name, (7,) if name in biases else one) for name in names}
    inner = [(5, 3, 7)] * (len(names) == len(matrices) == 2)  # K of range(K) is 3
    inner += [SIZES_OF_LAYERS[:len(matrices)] + (last,) for last in (3, 1)]
    for sizes in inner:
        both = list(zip(sizes, sizes[1:]))
        for turn, bias in ((1, "{0}"), (1, "1,{0}"), (-1, "{0},1"), (-1, "{0}")):
            shapes = dict(zip(matrices, (one[::turn] for one in both)))
            shapes.update(zip(biases, ([tuple(map(int, bias.format(one[1]).split(","))) for one
                                        in both] if len(biases) <= len(both) else [])))
            yield {name: _drawn(name, shape) for name, shape in shapes.items()}
    for shape in ((5,), ()):
        yield {name: _drawn(name, shape if name in matrices else ()) for name in names}


SIZES_OF_LAYERS = (5, 6, 7, 8, 9, 10)


def _drawn(name, shape, is_positive=False):
    drawn = np.asarray(np.random.default_rng([7, *name.encode()]).standard_normal(shape))
    return np.abs(drawn) + 0.5 if is_positive else drawn


def _labels(name, shape):
    """0 and 1; of several in a row, or in a column, one is 1."""
    generator = np.random.default_rng([7, *name.encode()])
    if len(shape) == 2 and min(shape) > 1:
        rows = np.eye(min(shape) if N not in shape else sum(shape) - N)
        hot = rows[generator.integers(0, len(rows), N)]
        return (hot if shape[0] == N else hot.T).astype(int)
    found = np.array(generator.integers(0, 2, shape))
    found[(0,) * len(shape)] = 1
    return found
