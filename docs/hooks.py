"""`@include FILE` on a page of the documentation stands for that file of the repository."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def on_page_markdown(markdown, **_):
    def text(match):
        body = (ROOT / match[1]).read_text("utf-8").partition("\n")[2]  # without its title
        body = body.replace("](../docs/", "](")
        return re.sub(r"\[([^\]]*)\]\((?!https?:|#)([^)]+\.(?:md|csv|py)|my_engine)\)",
                      r"\1 (`\2`)", body)

    return re.sub(r"^@include (\S+)$", text, markdown, flags=re.MULTILINE)
