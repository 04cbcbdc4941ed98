"""Tables as text: any rows in columns; and a network's summary, a line for each layer, notes on
what was rounded, totals."""
import textwrap
from collections.abc import Collection, Iterator, Sequence
from typing import Any

WIDTH = 100


def render(summary: Any) -> str:
    """The whole text: table, notes, totals."""
    return "\n".join([*_table(summary.rows), *_notes(summary.rows), "", *_totals(summary)])


def is_rounded(row: Any) -> bool:
    """Does this layer's window leave columns unread?"""
    return row.formula.startswith(("(", "height (")) and "→" in row.formula


def _table(rows):
    head = ("layer", "type", "size, formula", "output", "groups", "parameters", "MACs", "KiB")
    lines = [head, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    gaps = 2 * (len(head) - 1)
    while sum(widths) + gaps > WIDTH:
        # Only the texts on the left may be cut.
        widest = max(range(3), key=lambda column: widths[column])
        widths[widest] -= 1
    ruler = "─" * (sum(widths) + gaps)
    text = columns([[shorten(cell, width) for cell, width in zip(line, widths)] for line in lines],
                   left=(0, 1, 2))
    return [next(text), ruler, *text, ruler]


def _cells(row):
    macs = "?" if row.macs is None else _amount(row.macs) if row.macs else ""
    kibibytes = row.activation_bytes / 1024
    memory = ("view" if kibibytes == 0 else f"{kibibytes:.2g}" if kibibytes < 10
              else f"{kibibytes:,.0f}")
    groups = str(row.groups) if row.groups > 1 else ""
    parameters = f"{row.parameters:,}" if row.parameters else ""
    return (row.name, row.type, _short(row.formula), times(row.output_shape), groups, parameters,
            macs, memory)


def _short(formula):
    """'(227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55, ...' -> '(227-11+2·0)/4+1 = 55'."""
    if not formula.startswith("("):
        return formula
    first, *_, last = formula.split(",")[0].split(" = ")
    return f"{first.replace(' ', '')} = {last}"


def _notes(rows):
    notes = [f"{row.name}: {row.formula}" for row in rows if is_rounded(row)]
    unknown = [row for row in rows if row.macs is None]
    notes += [f"{row.name}: {row.type} is not known here, its multiply-accumulates are not counted"
              for row in unknown]
    return [line for note in notes for line in textwrap.wrap(note, WIDTH, subsequent_indent="  ")]


def _totals(summary):
    totals = summary.totals
    weights, outputs = totals.parameters / 2**18, totals.activation_bytes / 2**20
    connected = _share(totals.fully_connected_parameters, totals.parameters)
    connected_macs = _share(totals.fully_connected_macs, totals.macs)
    return [f"{summary.title}, one picture of {times(summary.input_shape)}",
            f"  parameters            {totals.parameters:>13,}  {connected}",
            f"  multiply-accumulates  {totals.macs:>13,}  = {_amount(totals.macs)} without biases, "
            f"{connected_macs}", f"  weights               {weights:>9,.1f} MiB  in float32; "
            f"with gradient and velocity {3 * weights:,.0f}",
            f"  activations           {outputs:>9,.1f} MiB  in float32, every output; "
            f"{128 * outputs:,.0f} for 128 pictures"]


def _share(part, whole):
    return f"{part / whole if whole else 0:.1%} in fully connected layers"


def times(shape: Sequence[int]) -> str:
    """(96, 55, 55) -> '96×55×55'"""
    return "×".join(map(str, shape)) or "one number"


def _amount(number):
    """117600 -> '117.6 k', 105415200 -> '105.4 M'."""
    return (f"{number / 1e6:,.1f} M" if number >= 1e6 else f"{number / 1e3:,.1f} k" if number >= 1e3
            else str(number))


def shorten(text: str, most: int) -> str:
    """A text of at most `most` letters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def columns(rows: Sequence[Sequence[str]], left: Collection[int] = (0,),
            gap: str = "  ") -> Iterator[str]:
    """Lines of a table, each column as wide as its widest cell: those numbered in `left` begin
    together, the others end so."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield gap.join(cell.ljust(width) if number in left else cell.rjust(width)
                       for number, (cell, width) in enumerate(zip(row, widths))).rstrip()
