"""Layouts for code that runs with no other: of square pictures, or with one stride and padding."""
import re
from collections.abc import Iterator

from .drawn.inputs import Layout
from .finding import Found
from .reading.older import USED
from .reading.sources import source

OF_PICTURES = r"(?i)conv|pool|height|width|kernel|filter|stride|image|\b(H|W|OH|OW|HH|WW)\b"
WINDOWS = [{}, {"stride": 1, "pad": 0}, {"stride": 1, "pad": 1}, {"stride": 2, "pad": 0}]


def last_resort(trying, usual: list[Layout], best: list | None, enough: int) -> list | None:
    """The readings of trying for the first such layouts with which as much runs as is enough; what
    goes wrong with the usual ones is told. None where there are none. best: what ran of those."""
    error, layout = trying.error, trying.layout
    if not isinstance(error if best is None else trying.failed,
                      (ValueError, IndexError, AssertionError)):
        return None
    for words, special in layouts(trying.found, usual):
        readings, runs = trying.furthest([one for one, _ in special])
        if runs >= enough:
            here = trying.layout
            trying.error = trying.failed = None
            trying.furthest([next(other for one, other in special if one == here)])
            wrong, trying.layout = trying.error or trying.failed, here
            why = str(wrong).partition("\n")[0]
            USED["only"] = f"for {words} only: with others comes {type(wrong).__name__}: {why}"
            return readings
    trying.error, trying.layout = error, layout
    return None


def layouts(found: Found, others: list[Layout]) -> Iterator[tuple[str, list[tuple]]]:
    """(what is special about them, [(a layout, the usual one of which it is made)]), of code for
    pictures."""
    text = source(found.forward)
    pictures = [layout for layout in others if any({"H", "W"} <= set(letters)
                                                   for letters in layout.shapes.values())]
    if not re.search(OF_PICTURES, text):
        return
    for windows in WINDOWS if "stride" in text or "pad" in text else WINDOWS[:1]:
        for square in (False, True):
            words = ["square pictures"] * square + [f"{name} {value}" for name, value
                                                    in windows.items()]
            if words:
                yield ", ".join(words), [(layout._replace(also=bool(windows), sizes={
                    **layout.sizes, **windows, **({"W": layout.sizes["H"]} if square else {})}),
                    layout) for layout in pictures]
