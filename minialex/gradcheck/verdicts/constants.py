"""What a number is: 1/6 is one over the batch size, 4 the square of the stride, 2 the forgotten ½
of a loss."""
from collections.abc import Iterator
from itertools import combinations

from .case import Case

CLOSE = 1e-5


def meaning(k: float, case: Case) -> str:
    """k and, where it is one of the sizes and options of this case, what it is: "0.25 = 1/N, N the
    batch size"."""
    size, sign = abs(k), "−" if k < 0 else ""
    for value, symbol, words in _candidates(case):
        for inverse in (False, True):
            if abs(size * value - 1 if inverse else size / value - 1) < CLOSE:
                bracketed = f"({symbol})" if inverse and "·" in symbol else symbol
                found = f"{sign}{'1/' if inverse else ''}{bracketed}"
                equals = f"{k:.6g}" if found == f"{k:.6g}" else f"{k:.6g} = {found}"
                return ", ".join(filter(None, (equals, words)))
    return f"{k:.6g}"


def _candidates(case):
    """(value, symbol, words), from the plain to the far-fetched."""
    (batch, *sizes), options = _sizes(case), list(numbers_in(case.options))
    yield from [batch] * (batch[0] > 1)
    yield from ((value, name, "") for name, value in options)
    yield from ((value * value, f"{name}²", f"{name} = {value:g}")
                for name, value in options if value == int(value))
    yield from ((1 - value, f"1 − {name}", f"{name} = {value:g}")
                for name, value in options if 0 < value < 1)
    yield 2, "2", ""
    sizes = [size for size in sizes if size[0] > 1]
    yield from sizes
    yield from ((a * b, f"{one}·{other}", "") for (one, a), (other, b) in combinations(options, 2))
    for times, symbol in ((2, "2"), (0.5, "½")):
        yield from ((times * value, f"{symbol}·{name}", words)
                    for value, name, words in [batch, *sizes])


def _sizes(case):
    """The batch, then all others; those of 1 explain nothing."""
    y, values = case.y, list(case.looks[0].values.items())
    count, what = case.examples()
    count = count if count > 1 or not values[0][1].ndim else len(values[0][1])
    yield (count, what, "") if ", " in what else (count, "N", "the batch size")
    if y.ndim == 4:
        N, _, OH, OW = y.shape
        yield from ((OH * OW, "OH·OW", "the size of a picture that comes out"),
                    (N * OH * OW, "N·OH·OW", "batch and picture"))
    yield from ((value.shape[2] * value.shape[3], "KH·KW", f"the size of a kernel of {name}")
                for name, value in values[1:] if value.ndim == 4)
    window = max(y.size, case.size) / min(y.size, case.size)
    yield from [(window, f"{window:g}", "the size of a window")] * (y.ndim > 2)
    if y.ndim > 1:
        yield y.shape[1], str(y.shape[1]), "the number of outputs"
    yield y.size, str(y.size), "the size of the output"
    yield from ((length, str(length), f"the length of axis {axis} of {case.name}")
                for axis, length in enumerate(case.shape))
    yield case.size, str(case.size), f"the size of {case.name}"


def numbers_in(options: dict) -> Iterator[tuple[str, float]]:
    """(name, value) of all positive numbers among the options but 1, also inside dictionaries and
    tuples."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from numbers_in(value)
        elif isinstance(value, (int, float)) and value > 0 and value != 1:
            yield str(name), value
        elif isinstance(value, tuple) and {*map(type, value)} == {int}:
            yield from ((f"{name}[{i}]", number) for i, number in enumerate(value) if number > 1)
