"""Text that Python 3 does not parse, made such as it does: magics of notebooks, Python 2, tabs. Of
what nobody understands the smallest part is left out: a method, a function, a statement, a cell.
"""
import ast
import io
import linecache
import re
import tokenize

from .older import OLD

UNREADABLE = 4  # parts that Python does not understand: with more it is no Python
LINES = 200  # that are mended at most
NOTEBOOK = (r"^(\s*)(?:([\w, ]+= *)[%!].*|[%!?].*|[\w.]+\?+)$",
            lambda line: f"{line[1]}{line[2] or ''}{'[]' if line[2] else 'pass'}")
PYTHON_2 = (  # what only it understands, and what that is here
    (r"\bexcept\s+(\(.*\)|[^,:]+),\s*(\w+)\s*:", r"except \1 as \2:"),
    (r"\braise\s+([\w.]+)\s*,(.*)$", r"raise \1(\2)"),
    (r"^(\s*)exec\s+([^(\s].*?)(\s+in\s+\w+)?\s*$", r"\1exec(\2)"),
    ("<>", "!="), (r"`([^`]+)`", r"repr(\1)"), (r"\b[uU][rR](?=[\"'])", "r"),
    (r"\b(0[xX][\da-fA-F]+|\d+)[lL]\b", r"\1"), (r"(?<![\w.])0([0-7]+)\b(?!\.)", r"0o\1"))


def parsed(path: str, source: str, troubles: list | None,
           cells: list | None = None) -> list[ast.stmt]:
    """The statements. Lines that only a notebook or Python 2 understands are mended; what nobody
    understands is left out, and appended to troubles. cells: (cell, line) of each line."""
    lines = source.split("\n")
    for _ in range(LINES):
        try:
            body = ast.parse("\n".join(lines), path).body
        except SyntaxError as error:
            place = (error.lineno or 1) - 1
            mended = _mended(path, lines, place, error)
            if mended is None and troubles is not None:
                mended = _without(lines, place, error, cells, len(troubles) < UNREADABLE)
                troubles.append((ast.FunctionDef(), error))
            if mended is None:
                raise
            lines = mended
            continue
        # who looks up a class reads the whole file
        if troubles is not None and lines != source.split("\n"):
            linecache.cache[path] = (1, None, [f"{line}\n" for line in lines], path)
        return body
    raise SyntaxError("too many lines that Python 3 does not understand")


def _mended(path, lines, place, error):
    """The lines as Python 3 has them; None where no rule helps."""
    if not place < len(lines):
        return None
    line = re.sub(*NOTEBOOK, lines[place])
    if line == lines[place]:
        rest = _without_print(lines[place:])
        for pattern, now in PYTHON_2:
            line = re.sub(pattern, now, line)
        if rest is not None or line != lines[place]:
            OLD.add(path)
            return lines[:place] + (rest or [line, *lines[place + 1:]])
    if line != lines[place]:
        return [*lines[:place], line, *lines[place + 1:]]
    return _without_tabs(lines) if isinstance(error, IndentationError) else None


def _without_print(lines):
    """The lines with pass for a `print "…"` in the first of them, however many it goes over; None
    where there is none."""
    found, depth, begins, before = None, 0, True, None
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            if before and not re.match(r"[(=.,)]", token.string):
                found = before
            before = token.start if begins and token.string == "print" else None
            depth += (token.string in "([{") - (token.string in ")]}") if token.string else 0
            is_end = not depth and (token.type == tokenize.NEWLINE or token.string == ";")
            if found and is_end:
                break
            if token.type == tokenize.NEWLINE:
                return None
            begins = not depth and token.string in (":", ";") or token.type in (
                tokenize.INDENT, tokenize.COMMENT, tokenize.NL)
    except (tokenize.TokenError, SyntaxError):
        return None
    if not found or found[0] > 1:
        return None
    (_, first), (row, column) = found, token.start
    tail = lines[row - 1][column:] if token.string == ";" else ""
    return [lines[0][:first] + "pass" + tail, *[""] * (row - 1), *lines[row:]]


def _without_tabs(lines):
    """Tabs mixed with spaces, as wide as Python 2 takes them, or an editor; None where neither
    is right."""
    for width in (8, 4):
        even = [line.expandtabs(width) for line in lines]
        try:
            ast.parse("\n".join(even))
        except IndentationError:
            continue
        except SyntaxError:  # of another line
            pass
        if even != lines:
            return even
    return None


def _without(lines, place, error, cells, may_be_cut):
    """The lines without the part around this one, which `error` names then: the innermost
    definition with which the trouble is gone, or all of the cell, or the statement. None where
    nothing would be left."""
    if not (cells or may_be_cut):
        return None
    if header := re.search(r"on line (\d+)", error.msg):  # an open bracket, or a def without a body
        place = min(place, int(header[1]) - 1)
    tried = _definitions(lines, place)
    if cells:
        tried.append(("this cell", [number for number, (cell, _) in enumerate(cells)
                                    if cell == cells[min(place, len(cells) - 1)][0]]))
    else:
        tried.append(("this", _statement(lines, place)))
    for left, (words, part) in zip(range(len(tried))[::-1], tried):
        rest = [*lines[:part[0]], re.match(r"\s*", lines[part[0]])[0] + "pass",
                *[""] * (part[-1] - part[0]), *lines[part[-1] + 1:]]
        if not left or _place_of_error(rest) > part[-1]:
            error.msg += f" ({words} is left out)"
            return rest if any(line.strip() not in ("", "pass") for line in rest) else None
    return None


def _place_of_error(lines):
    """The number of the first line that does not parse."""
    try:
        ast.parse("\n".join(lines))
    except SyntaxError as error:
        return (error.lineno or 1) - 1
    return len(lines) + 1


def _definitions(lines, place):
    """[(its name, its lines)] of the definitions around a line, from the inside."""
    found, inside = [], float("inf")
    for number in range(place, -1, -1):
        begins = re.match(r"( *)(?:async +)?(?:def|class) +(\w+)", lines[number].expandtabs())
        if begins and len(begins[1]) < inside:
            inside = len(begins[1])
            first = number
            while first and re.match(r"\s*@", lines[first - 1]):
                first -= 1
            last = number
            for after in range(number + 1, len(lines)):
                text = lines[after].expandtabs()
                if text.strip() and not re.match(r" *#", text):
                    if len(text) - len(text.lstrip()) <= inside:
                        break
                    last = after
            if last >= place:
                found.append((begins[2], range(first, last + 1)))
        elif re.match(r"[^\s#]", lines[number]) and number < place:
            break
    return found


def _statement(lines, place):
    """The lines of the statement of the file around this one."""
    begins = [i for i, line in enumerate(lines) if re.match(r"[\w@]", line)
              and not re.match(r"(else|elif|except|finally)\b", line)
              and not lines[i - 1].startswith("@")]
    first = max((i for i in begins if i <= place), default=0)
    return range(first, min((i for i in begins if i > place), default=len(lines)))
