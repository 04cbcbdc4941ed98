"""What a number is: 1/6 is one over the batch size, 4 the square of the stride, ½ the ½ of a loss."""
from itertools import combinations

CLOSE = 1e-5


def meaning(k, case):
    """A few words for k, or "" for a number that is none of the sizes and options of this case."""
    size = abs(k)
    sign = "−" if k < 0 else ""
    for inverse in (False, True):
        for value, words in _candidates(case):
            target = 1 / value if inverse else value
            if abs(size / target - 1) < CLOSE:
                return f"{sign}{words}" if not inverse else f"{sign}1/({words})" if " " in words else f"{sign}1/{words}"
    return ""


def _candidates(case):
    """(value, words), from the plain to the far-fetched."""
    sizes = list(_sizes(case))
    options = list(_numbers(case.options))
    yield from sizes[:1]  # the batch
    yield from ((value, f"{name} = {value:g}") for name, value in options)
    yield from ((value * value, f"{name}² = {value:g}²") for name, value in options if value == int(value))
    yield from ((1 - value, f"1 − {name}, {name} = {value:g}") for name, value in options if 0 < value < 1)
    yield 2, "2"
    yield from sizes[1:]
    yield from ((a * b, f"{one}·{other}") for (one, a), (other, b) in combinations(options, 2))
    yield from ((2 * value, f"2·({words})") for value, words in sizes)
    yield from ((value / 2, f"½·({words})") for value, words in sizes)


def _sizes(case):
    x, y = case.looks[0].x, case.looks[0].y
    first = next(iter(case.looks[0].values.values()))
    if first.ndim:
        yield len(first), f"{len(first)}, the batch size"
    if y.ndim == 4:
        OH, OW = y.shape[2:]
        yield OH * OW, f"OH·OW = {OH}·{OW}"
        yield len(y) * OH * OW, f"N·OH·OW = {len(y)}·{OH}·{OW}"
    for value in case.looks[0].values.values():
        if value.ndim == 4 and value is not first:
            KH, KW = value.shape[2:]
            yield KH * KW, f"KH·KW = {KH}·{KW}, the size of the kernel"
    if y.ndim > 1:
        yield y.shape[1], f"{y.shape[1]}, the number of outputs"
    yield y.size, f"{y.size}, the size of the output"
    for axis, length in enumerate(x.shape):
        yield length, f"{length}, the length of axis {axis}"
    yield x.size, f"{x.size}, the size of {case.name}"


def _numbers(options, prefix=""):
    """(name, value) of all numbers among the options, also inside dictionaries and tuples."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 and value != 1:
            yield str(name), value
        elif isinstance(value, tuple) and value and all(isinstance(v, int) for v in value):
            yield from ((f"{name}[{i}]", v) for i, v in enumerate(value) if v > 1)
