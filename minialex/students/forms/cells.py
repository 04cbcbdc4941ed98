"""A recurrent cell's backward that stands alone, beside tanh(x·W + h·U + b) (J. L. Elman, 1990).

    x, h_prev, h_next, W, U, b = cache    what its cache holds says what forward takes and gives

Of vectors, rows or columns, with either of the matrices for x: right with one of them it is right.
"""
from collections.abc import Callable, Iterator

import numpy as np

from ..called import binding
from ..drawn import dictionaries
from ..names import CACHE, name_words, plain, role

D, H, N = 5, 6, 4
LAYOUTS = {"rows": ((N,), ()), "columns": ((), (N,)), "vectors": ((), ())}  # before, behind


def parts(function: Callable) -> dict:
    """{"x": its name, "h": …, "next": …, "w": (one, the other), "b": …} of a cell's backward, by
    what it unpacks its cache as; {} of any other function."""
    words = set(name_words(binding.title(function)))
    caches = [p.name for p in binding.signature(function) if plain(p.name) in CACHE]
    names = dictionaries.unpacked(function, caches[0]) if caches else []
    if not (words & {"rnn", "recurrent"} and words & {"cell", "step"} and len(names) == 6):
        return {}
    states = [name for name in names if name[:1] in "ha" and role(name) != "labels"]
    before = [name for name in states if {"prev", "previous"} & {*name_words(name)}]
    x = [name for name in names if name[0] == "x"]
    b = [name for name in names if role(name) == "b"]
    if not (len(states) == 2 and len(before) == len(x) == len(b) == 1):
        return {}
    after = next(name for name in states if name != before[0])
    weights = [name for name in names if name not in (*states, *x, *b)]
    return {"x": x[0], "h": before[0], "next": after, "w": tuple(weights), "b": b[0],
            "kept": names}


def forwards(function: Callable, seed: int) -> Iterator[tuple[Callable, dict]]:
    """(a usual forward, inputs for it), in each way in which the cell may be meant."""
    told, generator = parts(function), np.random.default_rng(seed)
    for ahead, behind in LAYOUTS.values():
        for of_x, of_h in (told["w"], told["w"][::-1]):
            shapes = {told["x"]: (*ahead, D, *behind), told["h"]: (*ahead, H, *behind),
                      of_x: (D, H) if ahead else (H, D), of_h: (H, H),
                      told["b"]: (H, 1) if behind else (H,)}
            drawn = {name: generator.standard_normal(shape) for name, shape in shapes.items()}

            def forward(of_x=of_x, of_h=of_h, turned=not ahead, **given):
                x, h = given[told["x"]], given[told["h"]]
                z = (given[of_x] @ x + given[of_h] @ h if turned
                     else x @ given[of_x] + h @ given[of_h])
                out = np.tanh(z + given[told["b"]])
                return out, tuple({**given, told["next"]: out}[name] for name in told["kept"])
            yield forward, {name: drawn[name] for name in told["kept"] if name in drawn}
