"""What a number is: 1/6 is one over the batch size, 4 the square of the stride, 2 the forgotten ½ of a loss."""
from itertools import combinations

CLOSE = 1e-5


def meaning(k, case):
    """k and, where it is one of the sizes and options of this case, what it is: "0.25 = 1/N, N the batch size"."""
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
    sizes, options = list(_sizes(case)), list(numbers_in(case.options))
    yield from sizes[:1]  # the batch
    yield from ((value, name, "") for name, value in options)
    yield from ((value * value, f"{name}²", f"{name} = {value:g}") for name, value in options if value == int(value))
    yield from ((1 - value, f"1 − {name}", f"{name} = {value:g}") for name, value in options if 0 < value < 1)
    yield 2, "2", ""
    yield from sizes[1:]
    yield from ((a * b, f"{one}·{other}", "") for (one, a), (other, b) in combinations(options, 2))
    yield from ((2 * value, f"2·{symbol}", words) for value, symbol, words in sizes)
    yield from ((value / 2, f"½·{symbol}", words) for value, symbol, words in sizes)


def _sizes(case):
    look = case.looks[0]
    x, y, first = look.x, look.y, next(iter(look.values.values()))
    count, what = case.examples()
    if count > 1 or first.ndim and len(first) > 1:
        yield (count, what, "") if ", " in what else (count if count > 1 else len(first), "N", "the batch size")
    if y.ndim == 4:
        (OH, OW), N = y.shape[2:], len(y)
        yield from ((OH * OW, "OH·OW", "the size of a picture that comes out"), (N * OH * OW, "N·OH·OW", "batch and picture"))
    for name, value in look.values.items():
        if value.ndim == 4 and value is not first:
            yield value.shape[2] * value.shape[3], "KH·KW", f"the size of a kernel of {name}"
    if y.ndim > 1 and y.shape[1] > 1:
        yield y.shape[1], str(y.shape[1]), "the number of outputs"
    if y.size > 1:
        yield y.size, str(y.size), "the size of the output"
    yield from ((length, str(length), f"the length of axis {axis} of {case.name}")
                for axis, length in enumerate(x.shape) if length > 1)
    if x.size > 1:
        yield x.size, str(x.size), f"the size of {case.name}"


def numbers_in(options):
    """(name, value) of all positive numbers among the options but 1, also inside dictionaries and tuples."""
    for name, value in options.items():
        if isinstance(value, dict):
            yield from numbers_in(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 and value != 1:
            yield str(name), value
        elif isinstance(value, tuple) and value and all(isinstance(number, int) for number in value):
            yield from ((f"{name}[{i}]", number) for i, number in enumerate(value) if number > 1)
