"""A page of HTML that needs nothing but itself: text, style and script are inside, and a policy
lets no request out."""

import html
import string
from pathlib import Path
from typing import Any


def filled(template: Path, **values: str) -> str:
    """The text of a template file with these values, which are HTML already, for its $names."""
    return string.Template(template.read_text("utf-8")).substitute(values)


def render(template: Path, style: Path, mark: str, title: str, script: bool = False,
           **values: Any) -> str:
    """A whole page.

    template, style: files with what stands in its body, and its CSS; mark: by which the command
    that writes it knows it again; title: any text, which the body has as $title, too; script: does
    the body hold some?
    """
    title = html.escape(title)
    return filled(Path(__file__).with_suffix(".html"), mark=mark, title=title,
                  style=style.read_text("utf-8"), body=filled(template, title=title, **values),
                  script="'unsafe-inline'" if script else "'none'")
