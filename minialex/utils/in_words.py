"""A picture in words, for people who do not see it: what stands written in it, and the numbers that
it draws.

The words are made of the figure itself, of its titles, labels, lines, bars and images, so they say
what is drawn and can say nothing else. A PNG carries them as its Description, where pages and
notebooks find them (`read`).
"""
from collections.abc import Iterator
from os import PathLike
from typing import Any

import numpy as np

FEW = 12  # numbers that are all named; of more, the ends and the range
MOST_TEXTS = 90  # in one part of a picture
KEY = "Description"  # PNG's own name for it


def of(figure: Any) -> str:
    """The text alternative of a matplotlib figure."""
    head = [text.get_text()
            for text in sorted(figure.texts, key=lambda text: -text.get_position()[1])]
    parts = [_sentence([text]) for text in head] + [_sentence(_axes(axes)) for axes in figure.axes]
    return " ".join(filter(None, parts))


def read(path: str | PathLike[str]) -> str:
    """The words that a PNG carries; "" where there are none."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            picture.load()  # a long text stands behind the pixels
            return str(getattr(picture, "text", {}).get(KEY, ""))
    except OSError:
        return ""


def _sentence(parts: Any) -> str:
    text = "; ".join(filter(None, (" ".join(part.split()) for part in parts)))
    return text + "." * bool(text and text[-1] not in ".:!?…")


def _axes(axes: Any) -> Iterator[str]:
    """What one part of a picture says: title, names of its axes, then what is drawn."""
    titles = filter(None, (axes.get_title(loc=place) for place in ("left", "center", "right")))
    names = [f"{side}: {label}"
             for side, label in (("across", axes.get_xlabel()), ("up", axes.get_ylabel())) if label]
    yield ": ".join([", ".join(titles), ", ".join(names)]).strip(": ")
    columns, rows = (_named_places(side) if axes.axison else {}  # else matplotlib makes them for us
                     for side in (axes.xaxis, axes.yaxis))
    ticks = dict.fromkeys([*columns.values(), *rows.values()])
    yield f"marked {', '.join(ticks)}" if ticks else ""
    drawn = [*_images(axes), *_bars(axes), *_lines(axes), *_points(axes)]
    yield from drawn[:FEW]
    if len(drawn) > FEW:
        yield f"and {len(drawn) - FEW} more"
    yield ", ".join(list(filter(None, _texts(axes, rows, columns)))[:MOST_TEXTS])


def _texts(axes: Any, rows: dict[float, str], columns: dict[float, str]) -> Iterator[str]:
    """What stands written in it; in a table, with the names of the row and the column."""
    for text in axes.texts:
        words, (x, y) = " ".join(text.get_text().split()), text.get_position()
        yield f"{rows[y]}, {columns[x]}: {words}" if words and y in rows and x in columns else words


def _named_places(side: Any) -> dict[float, str]:
    """{place: name} along an axis, where it has names."""
    return {place: text.get_text()
            for place, text in zip(side.get_ticklocs(), side.get_ticklabels())
            if any(letter.isalpha() for letter in text.get_text())
            and not text.get_text().startswith("$\\mathdefault")}


def _images(axes: Any) -> Iterator[str]:
    for image in axes.images:
        values = np.ma.asarray(image.get_array())
        rows, columns = values.shape[:2]
        is_photo = values.ndim == 3
        yield (f"a picture of {rows}×{columns}" if is_photo
               else f"a map of {rows}×{columns} from {_range(values)}")


def _bars(axes: Any) -> Iterator[str]:
    found: dict[str, list[Any]] = {}  # those without a name are taken together
    for container in axes.containers:
        # 0: what bars stand on.
        patches = [patch for patch in getattr(container, "patches", ()) if patch.get_zorder() > 0]
        lying = getattr(container, "orientation", "vertical") == "horizontal"
        values = [patch.get_width() if lying else patch.get_height() for patch in patches]
        found.setdefault(_label(container, "bars"), []).extend(values)
    yield from (f"{label}: {_numbers(values)}" for label, values in found.items() if values)


def _lines(axes: Any) -> Iterator[str]:
    for line in axes.lines:
        x, y = (np.ma.asarray(side, dtype=float).filled(np.nan) for side in line.get_data())
        seen = np.isfinite(x) & np.isfinite(y)
        x, y = x[seen], y[seen]
        is_rule = line.get_transform() != axes.transData  # across the whole part
        # its places mean nothing
        is_sketch = not axes.axison and str(line.get_label()).startswith("_")
        if not len(x) or is_rule or is_sketch:
            continue
        if len(x) <= FEW:
            yield f"{_label(line, 'line')} at " + ", ".join(f"({_short(a)}, {_short(b)})"
                                                            for a, b in zip(x, y))
        else:
            yield (f"{_label(line, 'line')} of {len(x)} points from ({_short(x[0])}, "
                   f"{_short(y[0])}) to ({_short(x[-1])}, {_short(y[-1])}), {_range(y)}")


def _points(axes: Any) -> Iterator[str]:
    for group in axes.collections:
        if hasattr(group, "levels"):
            yield f"contours at {_numbers([level for level in group.levels if np.isfinite(level)])}"
        elif len(places := np.ma.asarray(group.get_offsets(), dtype=float).filled(np.nan)) > 1:
            across, up = map(_range, places.T)
            yield (f"{_label(group, 'points')}: {len(places)} places, across from {across}, "
                   f"up from {up}")


def _label(drawn: Any, otherwise: str) -> str:
    label = str(drawn.get_label() or "")
    return otherwise if label.startswith("_") or not label else label


def _numbers(values: Any) -> str:
    return (", ".join(map(_short, values)) if len(values) <= FEW
            else f"{len(values)} numbers from {_range(values)}")


def _range(values: Any) -> str:
    return f"{_short(np.nanmin(values))} to {_short(np.nanmax(values))}"


def _short(value: Any) -> str:
    return f"{float(value):.4g}"
