"""What training code is given and is not here, in all shapes that fit its weights."""
import itertools
from collections.abc import Iterator

import numpy as np

from ..names import role, stem
from ..reading import changes
from . import cutting, objects

N = 4  # examples that are drawn
STATES = ("h", "c")  # roles of what a recurrent network keeps
SIZES_OF_LAYERS = (5, 6, 7, 8, 9, 10)


def of_data(missing: list[str], space: dict, roots: set, body: list) -> Iterator[dict]:
    """Yields {name: array} for what is missing, in all shapes that it may have: examples, of one
    shape; targets; the state of a recurrent network; indices."""
    if not missing:
        yield {}
        return
    shapes = [np.shape(array) for path, array in objects.arrays(
        {name: space[name] for name in roots if name in space})]
    targets, places = cutting.targets_of(body, missing), changes.indices(body)
    kept = [name for name in missing if role(name) in STATES]
    indices = [name for name in missing if name in places and name not in targets]
    others = [name for name in missing if name not in {*targets, *kept, *indices}]
    sizes = list(dict.fromkeys([size for shape in shapes for size in shape if size > 1] + [3, 5]))
    firsts = [shape for some in (sizes, [size - 1 for size in sizes if size > 2])
              for shape in ([(N, size) for size in some] + [(size, N) for size in some])]
    lasts = [(N, 1), (1, N), (N,), *(shape for size in sizes for shape in ((N, size), (size, N)))]
    single = [*((size,) for size in sizes), *((size, 1) for size in sizes)]
    three = [shape for size in sizes for shape in ((N, size, 1), (N, 1, size))]
    firsts, lasts = [*firsts, *single, (N,), *three], [*lasts, *single, (1,), (), *three]
    both = [(x, y) for x in (firsts if others else [()]) for y in (lasts if targets else [()])]
    states = [shape for J in {len(shape) and shape[0] for shape in shapes if shape[:1] == shape[1:]}
              for shape in ((J, 1), (J,), (N, J))] if kept else [()]
    for x, y in sorted(both, key=lambda one: (firsts.index(one[0]) if others else 0) // 2):
        for state, number in itertools.product(states, [(N,), ()][:1 + bool(indices)]):
            yield {**{name: _drawn(name, x) for name in others},
                   **{name: _drawn(name, state) for name in kept},
                   **{name: _drawn(name, number, min([N, *sizes])) for name in indices},
                   **{name: _labels(name, y) for name in targets}}


def of_weights(names: list[str]) -> Iterator[dict]:
    """Yields {name: array} of weights and biases that a function is given: of layers of examples
    in rows, in columns, of one output; of one number each."""
    if not names:
        yield {}
        return
    biases = [name for name in names if role(name) == "b" or stem(name).startswith("b")]
    matrices = [name for name in names if name not in biases]
    inner = [SIZES_OF_LAYERS[:len(matrices)] + (last,) for last in (3, 1)]
    for sizes in inner:
        both = list(zip(sizes, sizes[1:]))
        for turn, bias in ((1, "{0}"), (1, "1,{0}"), (-1, "{0},1"), (-1, "{0}")):
            shapes = dict(zip(matrices, (one[::turn] for one in both)))
            shapes.update(zip(biases, ([tuple(map(int, bias.format(one[1]).split(","))) for one
                                        in both] if len(biases) <= len(both) else [])))
            yield {name: _drawn(name, shape) for name, shape in shapes.items()}
    for shape in ((5,), ()):
        yield {name: _drawn(name, shape if name in matrices else ()) for name in names}


def _drawn(name, shape, below=0):
    """Random numbers; below: whole ones."""
    generator = np.random.default_rng([7, *name.encode()])
    return generator.integers(0, below, shape) if below else np.asarray(
        generator.standard_normal(shape))


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
