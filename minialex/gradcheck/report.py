"""How a gradient check is told: a table of at most 80 columns, or a dictionary for programs."""
import textwrap
from typing import NamedTuple

WIDTH = 80


class Row(NamedTuple):
    """One input or parameter. error, index, numeric, analytic: of the worst compared entry; None if there is none.

    verdict: one of verdicts.VERDICTS. evidence: the test that supports it. detail: what the verdict leaves open, in a few words
    ("k = 6, the batch size"). factor: k of "off by a constant factor" and "mean where a sum is due".
    """

    name: str
    shape: tuple
    size: int
    compared: int
    kinks: int
    error: float | None
    index: tuple | None
    numeric: float | None
    analytic: float | None
    verdict: str
    evidence: str
    detail: str = ""
    factor: float | None = None
    map: tuple = ()


class Report:
    """The result of a gradient check: truthy when every tensor's gradient is correct. `rows` in the order of the inputs,
    then the parameters; `str()` is the table."""

    def __init__(self, title, rows):
        self.title, self.rows = title, list(rows)

    def __bool__(self):
        return all(row.verdict == "correct" for row in self.rows)

    @property
    def largest_error(self):
        """The largest relative error of all compared entries; 0.0 if there are none."""
        return max((row.error for row in self.rows if row.error is not None), default=0.0)

    def __repr__(self):
        return str(self)

    def __str__(self):
        right = sum(row.verdict == "correct" for row in self.rows)
        lines = [f"gradients of {self.title}: {right} of {len(self.rows)} correct", "",
                 f"{'name':<16} {'shape':<18} {'compared':<17} {'error':<8} verdict"]
        for row in self.rows:
            lines += _table_lines(row)
        return "\n".join(lines)

    def to_dict(self):
        """Plain values, for JSON."""
        return {"title": self.title, "correct": bool(self), "rows": [_plain(row) for row in self.rows]}


def _table_lines(row):
    compared = f"{row.compared} of {row.size:,}" if row.compared < row.size else f"all {row.size:,}"
    error = "-" if row.error is None else f"{row.error:.1e}"
    lines = [f"{cut(row.name, 16):<16} {cut(times(row.shape), 18):<18} {compared:<17} {error:<8} {row.verdict}"]
    if row.index is not None:
        where = f"worst at {list(row.index)}" if row.index else "its value"
        lines.append(f"    {where}: numeric {row.numeric:.9g}, analytic {row.analytic:.9g}")
    return lines + textwrap.wrap(row.evidence, WIDTH, initial_indent="    ", subsequent_indent="    ")


def _plain(row):
    finite = {key: value if isinstance(value, (str, int)) or value is None else float(value)
              for key, value in row._asdict().items() if key not in ("shape", "index", "map")}
    # JSON knows neither NaN nor infinity
    finite = {key: repr(value) if isinstance(value, float) and value - value != 0 else value for key, value in finite.items()}
    return {**finite, "shape": list(row.shape), "index": None if row.index is None else list(row.index),
            "map": list(row.map)}


def times(shape):
    """(2, 3, 7, 7) -> '2×3×7×7'"""
    return "×".join(map(str, shape)) or "one number"


def cut(text, width):
    """`text`, its middle left out when it is longer than `width`."""
    return text if len(text) <= width else text[: width // 2 - 1] + "…" + text[len(text) - width + width // 2:]
