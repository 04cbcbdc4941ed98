"""A lesson as cells, in the percent format that editors know: `# %%` begins code, `# %% [markdown]`
begins text.

The docstring at the head is the first text. A title behind `# %%` belongs to its code.
"""
import ast
import re
from dataclasses import dataclass

MARK = re.compile(r"# %%(?P<text> \[markdown\])?\s*(?P<title>.*)")


@dataclass
class Cell:
    """kind: "text" or "code"; title: what stands behind the mark; body: the lines below it, a
    text's without their "# "; line: where in the file the cell begins, counted from 1."""

    kind: str
    title: str
    body: str
    line: int


def read(source):
    """The cells of a lesson's source, the docstring first."""
    head, *parts = re.split(r"^(?=# %%)", source, flags=re.MULTILINE)
    cells, line = [Cell("text", *_head(source), line=1)], 1 + head.count("\n")
    for part in parts:
        mark, _, body = part.partition("\n")
        found = MARK.match(mark)
        body = re.sub(r"^# ?", "", body, flags=re.MULTILINE) if found["text"] else body
        cells.append(Cell("text" if found["text"] else "code", found["title"], body.strip("\n"),
                          line))
        line += part.count("\n")
    return cells


def _head(source):
    title, _, rest = (ast.get_docstring(ast.parse(source)) or "").partition("\n")
    return title, rest.strip("\n")


def summary(module):
    """The first paragraph of a module's docstring, as one line."""
    return " ".join(module.__doc__.partition("\n\n")[0].split())


def paragraphs(body):
    """A text's paragraphs, headings and list items, each as one line: what a terminal wraps
    anew."""
    lines = []
    for line in body.splitlines():
        begins = not line.strip() or re.match(r"#|[-*] |\d+\. |```|    |\|", line)
        if begins or not lines or not lines[-1] or re.match(r"#|```|    |\|", lines[-1]):
            lines.append(line.rstrip())
        else:
            lines[-1] += " " + line.strip()
    return lines
