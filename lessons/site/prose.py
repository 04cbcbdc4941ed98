"""A lesson's texts as HTML: what their Markdown uses, and no more."""
import html
import re

from lessons.site import formulas


def to_html(body: str, level: int = 2) -> str:
    """Paragraphs, headings, lists, formulas (indented lines), **bold** and `code`. level: of a
    heading with two marks."""
    parts, lines = [], body.splitlines()
    while lines:
        line = lines[0]
        if not line.strip():
            lines.pop(0)
        elif line.startswith("#"):
            depth = len(line) - len(line.lstrip("#")) - 2 + level
            parts.append(f"<h{depth}>{inline(lines.pop(0).lstrip('# '))}</h{depth}>")
        elif line.startswith("    "):
            rows = _while(lines, lambda row: row.startswith("    ") or not row.strip())
            parts.append(formula(rows))
        elif re.match(r"[-*] ", line):
            rows = _while(lines, lambda row: re.match(r"[-*] |  ", row))
            items = re.split(r"^[-*] ", "\n".join(rows), flags=re.MULTILINE)[1:]
            parts.append("<ul>" + "".join(f"<li>{inline(item)}</li>" for item in items) + "</ul>")
        else:
            parts.append(f"<p>{inline(' '.join(_while(lines, _is_text)))}</p>")
    return "\n".join(parts)


def inline(text: str) -> str:
    """One line's **bold** and `code`, everything else as it stands."""
    pieces = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(f"<code>{html.escape(piece[1:-1])}</code>" if piece.startswith("`")
                   else re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(piece))
                   for piece in pieces)


def formula(rows: list[str]) -> str:
    """Indented lines: formulas, one a line."""
    lines = "\n".join(row[4:] for row in rows).strip("\n").split("\n")
    seen = "\n".join(map(formulas.to_html, lines))
    return f'<pre class="formula" tabindex="0" role="region" aria-label="Formula">{seen}</pre>'


def _is_text(row):
    return bool(row.strip()) and not re.match(r"#|[-*] |    ", row)


def _while(lines, wanted):
    """Take the first lines off, as long as they are wanted; at least one."""
    taken = [lines.pop(0)]
    while lines and wanted(lines[0]):
        taken.append(lines.pop(0))
    return taken
