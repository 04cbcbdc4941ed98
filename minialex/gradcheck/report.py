"""How a gradient check is told: a table of at most 80 columns, a dictionary for programs, a
picture."""
import math
import textwrap
from typing import NamedTuple

from ..utils.table import times

WIDTH = 80
MARGIN = "    "
REMARKS = {"backward changes dout in place", "backward changes its input in place",
           "forward changes its input in place"}
# in a detail: no more than a remark
VALUES_RIGHT = ("values right (keepdims", "right where no values are equal")
# neither right nor wrong
OPEN = {"undecided", "not compared", "dtype too low to decide", "not differentiable here"}


class Row(NamedTuple):
    """One input or parameter. error, index, numeric, analytic: of the worst compared entry; None if
    there is none.

    verdict: one of verdicts.VERDICTS. evidence: the test that supports it. detail: what the verdict
    leaves open, in a few words ("k = 6, the batch size"). factor: k of "off by a constant factor"
    and "mean where a sum is due". map: lines that show where the gradient is wrong, for "unknown".
    seen: where only a sample was compared, the probability that a single wrong entry would have
    been seen, if it is off by a typical entry's size, and if by a hundredth of that
    (sampling.chance_of_seeing). more: lines for `report.verbose()`.
    """

    name: str
    shape: tuple
    size: int
    compared: int = 0
    kinks: int = 0
    error: float | None = None
    index: tuple | None = None
    numeric: float | None = None
    analytic: float | None = None
    verdict: str = "not compared"
    evidence: str = ""
    detail: str = ""
    factor: float | None = None
    map: tuple = ()
    seen: tuple | None = None
    more: tuple = ()

    @property
    def is_correct(self) -> bool:
        return self.verdict == "correct"

    @property
    def is_remark(self) -> bool:
        """The values are right, but something else is to be said: dout or an input is changed in
        place, an axis of length 1 is too many, tied values of a maximum each get the whole
        gradient."""
        return self.compared > 0 and self.verdict in REMARKS or any(words in self.detail
                                                                    for words in VALUES_RIGHT)


class Report:
    """The result of a gradient check: truthy when every tensor's gradient is correct. `rows` in the
    order of the inputs, then the parameters; `str()` is the table, `verbose()` the table with more
    numbers.

    curves: how to measure what `plot()` draws, a function without arguments.
    """

    def __init__(self, title, rows, curves=None):
        self.title, self.rows, self._curves = title, list(rows), curves

    def __bool__(self):
        """Are the gradients right? A remark changes nothing; what no gradient is due for (the data
        of a network) does not count beside what was compared."""
        return all(row.is_correct or row.is_remark for row in self.counted())

    def counted(self) -> list[Row]:
        """The rows that were compared; all of them if none was."""
        return [row for row in self.rows if row.verdict != "not compared"] or self.rows

    @property
    def largest_error(self) -> float:
        """The largest relative error of all compared entries; 0.0 if there are none."""
        return max((row.error for row in self.rows if row.error is not None), default=0.0)

    def averaged(self) -> set[str]:
        """The parameters whose gradients are averaged over the examples on purpose: none here."""
        return set()

    def __repr__(self):
        return str(self)

    def __str__(self):
        return self._table(_lines)

    def verbose(self) -> str:
        """The table with the worst entries, the directions and what was assumed."""
        return self._table(_all_lines)

    def _table(self, lines_of):
        counted = self.counted()
        right = sum(row.is_correct or row.is_remark for row in counted)
        lines = [f"gradients of {self.title}: {right} of {len(counted)} correct", "",
                 f"{'name':<16} {'shape':<18} {'compared':<17} {'error':<8} verdict"]
        averaged = self.averaged()
        for row in self.rows:
            lines += lines_of(row, row.verdict in OPEN or row.name in averaged)
        return "\n".join(lines)

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return {"title": self.title, "correct": bool(self),
                "rows": [_plain(row) for row in self.rows]}

    def plot(self, path: object = None) -> object:
        """Draw the error against the step size, and where the gradient is wrong. Returns the
        Matplotlib figure, or writes it to `path`. The function is run again for it: with inputs
        that have changed since, it shows those."""
        if self._curves is None:
            raise ValueError(f"report.plot: nothing could be compared of {self.title}, "
                             "so there is nothing to draw.")
        from .plot import draw
        return draw(self, self._curves(), path)


def _lines(row, is_open):
    compared = f"{row.compared} of {row.size:,}" if row.compared < row.size else f"all {row.size:,}"
    error = "-" if row.error is None else f"{row.error:.1e}"
    word = ("correct" if row.is_correct else "but" if row.is_remark else "open"
            if is_open else "wrong")
    lines = [f"{cut(row.name, 16):<16} {cut(times(row.shape), 18):<18} {compared:<17} {error:<8} "
             f"{word}"]
    if not row.is_correct:
        but = "correct, but " if row.is_remark else ""
        lines += _wrapped(f"=> {but}{row.verdict}" + (f": {row.detail}" if row.detail else ""),
                          "       ")
    lines += _wrapped(row.evidence)
    if row.index is not None:
        where = f"worst at {list(row.index)}" if row.index else "its value"
        lines.append(f"{MARGIN}{where}: numeric {row.numeric:.9g}, analytic {row.analytic:.9g}")
    if row.is_correct and row.seen is not None:
        usual, small = map(percent, row.seen)
        lines += _wrapped(f"chance of seeing a single wrong entry of the {row.size:,}: "
                          f"{usual} if it is off by as much as a typical entry, "
                          f"{small} if by a hundredth of that")
    return lines + [f"{MARGIN}{line}" for line in row.map]


def _all_lines(row, is_open):
    return _lines(row, is_open) + [line for text in row.more for line in _wrapped(text)]


def _wrapped(text, after=MARGIN):
    return textwrap.wrap(text, WIDTH, initial_indent=MARGIN, subsequent_indent=after)


def _plain(value):
    if isinstance(value, Row):
        return {"lines" if key == "more" else key: _plain(item)
                for key, item in value._asdict().items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int)):
        return value
    value = float(value)
    return value if value - value == 0 else repr(value)  # JSON knows neither NaN nor infinity


def percent(probability: float) -> str:
    """0.99987 -> '99.987 %', as many nines as there are and one digit more; never rounded up."""
    if probability >= 1 - 1e-9:
        return "above 99.9999999 %" if probability < 1 else "100 %"
    if probability < 0.001:
        return "below 0.1 %"
    digits = 1
    while digits < 8 and 1 - probability < 10.0 ** -(digits + 1):
        digits += 1
    return f"{math.floor(100 * probability * 10 ** digits + 1e-6) / 10 ** digits:.{digits}f} %"


def cut(text: str, width: int) -> str:
    """`text`, its middle left out when it is longer than `width`."""
    return text if len(text) <= width else text[: width // 2 - 1] + "…" + text[len(text) - width
                                                                               + width // 2:]
