"""The pages of this folder: their text, style, script and data in one HTML file.
(utils/html_page.py: their frame.)"""
import html
import json
import re
from pathlib import Path
from typing import Any

from ..utils import html_page
from ..utils.files import Output, replacing

HERE = Path(__file__).parent


def write(target: Output, name: str, title: str, subtitle: str, data: dict[str, Any]) -> None:
    """Write the page `name` ("explorer" or "player") with its data to `target`. Raises
    UserError."""
    text = render(name, title, subtitle, data, target.mark)
    with replacing(target, "w", encoding="utf-8") as file:
        file.write(text)


def render(name: str, title: str, subtitle: str, data: dict[str, Any], mark: str) -> str:
    """The whole page as text."""
    return html_page.render(HERE / "frame.html", HERE / "page.css", mark, title, script=True,
                            subtitle=html.escape(subtitle), view=_read(f"{name}.html"),
                            data=embedded(data), program=script(name))


def script(name: str) -> str:
    """A module and those that it imports, first, as one script: a file opened by double click may
    not fetch its modules."""
    parts: list[str] = []
    _collect(name, parts, set())
    return "\n".join(parts)


def _collect(name: str, parts: list[str], seen: set[str]) -> None:
    if name in seen:
        return
    seen.add(name)
    source = _read(f"{name}.js")
    for needed in re.findall(r'^import .* from "\./(\w+)\.js";$', source, re.MULTILINE):
        _collect(needed, parts, seen)
    source = re.sub(r"^import .*\n", "", source, flags=re.MULTILINE)
    parts.append(re.sub(r"^export ", "", source, flags=re.MULTILINE))


def embedded(data: dict[str, Any]) -> str:
    """JSON that may stand inside a script element, whatever text it holds. Raises ValueError for
    NaN, which JSON has not."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _read(name: str) -> str:
    return (HERE / name).read_text("utf-8")
