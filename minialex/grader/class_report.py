"""A page about a class: which mistakes, how many, who shares which, what to teach again.

    write("class.html", results, anonymous=False)       results: as sessions.results yields them

One file without scripts, pictures or links: nothing is asked from any other place when it is opened.
"""
import collections
import configparser
import html
import os
import random
import string
from pathlib import Path

from ..errors import UserError
from ..gradcheck.verdicts import names as verdict
from ..utils.files import replacing
from .telling import labels

TEMPLATES = Path(__file__).with_name("templates")
MARK = '<meta name="generator" content="minialex.gradcheck">'
STATES = {"correct": "all right", "remarks": "right, with a remark", "wrong": "a gradient is wrong",
          "undecided": "not decided", "error": "could not be checked"}
ELSE = "03, gradient checking"
_TEACH = configparser.ConfigParser(interpolation=None, delimiters=("=",))
_TEACH.read_string((TEMPLATES / "lessons.txt").read_text("utf-8"))
AGAIN = {word: tuple(text.split(" | ")) for word, text in _TEACH["mistakes"].items()}


def check_place(path: str | os.PathLike) -> None:
    """Raises UserError where the page cannot be written, or where another file has its name."""
    path = Path(path)
    if os.path.lexists(path) and not _is_ours(path):
        raise UserError(f"--report: {path} exists, and is no page of this command: give another name.")
    if not path.parent.is_dir():
        raise UserError(f"--report: there is no folder {path.parent} for {path.name}.")


def write(path: str | os.PathLike, results: list[dict], anonymous: bool = False) -> None:
    """Writes the page, whole or not at all. Raises UserError as check_place does."""
    check_place(path)
    text = page(results, anonymous)
    with replacing(path, "w", encoding="utf-8") as file:
        file.write(text)


def _is_ours(path):
    try:
        return not path.is_symlink() and MARK in path.read_text("utf-8", errors="replace")[:2000]
    except OSError:
        return False


# ------------------------------------------------------------------------------------------------ what is counted


def named(results: list[dict], anonymous: bool = False) -> dict[str, dict]:
    """{name: result}, sorted by name: the part of the path that differs; or "student 1", … in an order that says nothing."""
    names = labels([result["file"] for result in results])
    if anonymous:
        names = [f"student {number:0{len(str(len(names)))}d}" for number in range(1, len(names) + 1)]
        random.SystemRandom().shuffle(names)
    return dict(sorted(zip(names, results)))


def mistakes(students: dict[str, dict]) -> list[tuple]:
    """[(verdict, {name: [(layer, gradient), …]})], the most frequent first. A student counts once for each."""
    found = {}
    for name, check, row in _wrong_rows(students):
        found.setdefault(row["verdict"], {}).setdefault(name, []).append((check["name"], row["name"]))
    return _frequent_first(found)


def errors(students: dict[str, dict]) -> list[tuple]:
    """[((layer or "the file", kind), [(name, message)])] of what could not be checked, the most frequent first."""
    found = {}
    for name, result in students.items():
        for place, error in [("the file", result["error"]), *((check["name"], check["error"]) for check in result["checks"])]:
            if error:
                found.setdefault((place, error["kind"]), []).append((name, error["message"]))
    return _frequent_first(found)


def to_teach(students: dict[str, dict]) -> list[tuple]:
    """[(lesson, {names}, the three most frequent sentences)], for most students first."""
    who, says = {}, collections.defaultdict(collections.Counter)
    for name, check, row in _wrong_rows(students):
        title = lesson(check["name"], row["verdict"])
        who.setdefault(title, set()).add(name)
        says[title].update({AGAIN[row["verdict"]][0]} if row["verdict"] in AGAIN else ())
    return [(title, names, [text for text, _ in says[title].most_common(3)]) for title, names in _frequent_first(who)]


def lesson(layer: str, word: str) -> str:
    """The lesson of the course where this layer is taught, or where this mistake is."""
    for words, title in _TEACH["layers"].items():
        if any(part in layer.lower() for part in words.split()):
            return title
    return AGAIN.get(word, ("", ELSE))[1]


def _wrong_rows(students):
    for name, result in students.items():
        for check in result["checks"]:
            for row in check["rows"]:
                if row["verdict"] != verdict.CORRECT:
                    yield name, check, row


def _frequent_first(found):
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


# ------------------------------------------------------------------------------------------------ the page


def page(results: list[dict], anonymous: bool = False) -> str:
    """The text of the page."""
    students = named(results, anonymous)
    count, found = collections.Counter(result["status"] for result in students.values()), mistakes(students)
    most, layers = max((len(who) for _, who in found), default=1), collections.defaultdict(collections.Counter)
    for check in (check for result in students.values() for check in result["checks"]):
        layers[check["name"]][check["status"]] += 1
    lessons = [f"<li><b>Lesson {_safe(title)}</b>, for {_plural(len(names), 'student')}: {_safe('; '.join(says))}.</li>"
               for title, names, says in to_teach(students)]
    return string.Template((TEMPLATES / "class.html").read_text("utf-8")).substitute(
        title="One class, " + _plural(len(students), "submission"), mark=MARK, summary=_summary(count), states=_states(count),
        lessons=f"<ol>{''.join(lessons)}</ol>" if lessons else "<p>Nothing: no gradient is wrong.</p>",
        mistakes=_table(("mistake", "how many", "who, where"), "No gradient is wrong.", [
            (_safe(word), _bar(len(who), most), _safe("; ".join(f"{name} ({_places(places)})" for name, places in who.items())))
            for word, who in found]),
        layers=_table(("layer", *STATES.values()), "No layer was checked.", [
            (_safe(layer), *(str(states[state]) for state in STATES)) for layer, states in layers.items()]),
        distribution=_distribution(students),
        errors=_table(("where", "what happened", "how many", "who"), "Everything could be checked.", [
            (_safe(place), _safe(kind), str(len(who)), _safe(", ".join(name for name, _ in who)))
            for (place, kind), who in errors(students)]),
        students=_table(("student", "result", "in detail"), "Nobody.", [
            (_safe(name), f'<span class="state {result["status"]}">{STATES[result["status"]]}</span>',
             "<br>".join(map(_safe, _in_detail(result, anonymous)))) for name, result in students.items()]))


def _summary(count):
    words = {"remarks": "right with a remark", "wrong": "have a wrong gradient", "undecided": "are not decided",
             "error": "could not be checked"}
    return f"{count['correct']} of {sum(count.values())} are all right" + "".join(
        f", {count[state]} {text}" for state, text in words.items() if count[state]) + "."


def _states(count):
    total = max(sum(count.values()), 1)
    bars = "".join(f'<span class="{state}" style="width:{100 * count[state] / total:.2f}%"></span>'
                   for state in STATES if count[state])
    keys = "".join(f'<li><span class="key {state}"></span>{count[state]} {words}</li>' for state, words in STATES.items())
    said = ", ".join(f"{count[state]} {words}" for state, words in STATES.items())
    return f'<div class="stack" role="img" aria-label="{said}">{bars}</div><ul class="keys">{keys}</ul>'


def _places(places):
    """conv: x, w"""
    layers = {}
    for layer, gradient in places:
        layers.setdefault(layer, []).append(gradient)
    return "; ".join(f"{layer}: {', '.join(gradients)}" for layer, gradients in layers.items())


def _distribution(students):
    """How many students have how many gradients right: columns, with the numbers in words."""
    count = collections.Counter(sum(row["verdict"] == verdict.CORRECT for check in result["checks"] for row in check["rows"])
                                for result in students.values())
    numbers, highest = range(max(count, default=0) + 1), max(count.values(), default=1)
    columns = "".join(f'<li><span class="column" style="height:{100 * count[right] / highest:.1f}%"></span>'
                      f'<b>{count[right]}</b><span>{right}</span></li>' for right in numbers)
    said = "; ".join(f"{right} right: {_plural(count[right], 'student')}" for right in numbers)
    return (f'<ol class="columns" start="0" role="img" aria-label="{said}">{columns}</ol>'
            "<p class=small>Below: gradients that are right. Above: students.</p>")


def _in_detail(result, anonymous):
    for check in result["checks"]:
        wrong = [f"{row['name']} {row['verdict']}{': ' + row['detail'] if row['detail'] else ''}" for row in check["rows"]
                 if row["verdict"] != verdict.CORRECT]
        yield f"{check['name']}: {'; '.join(wrong + ([check['error']['kind']] if check['error'] else [])) or 'right'}"
    if result["error"]:
        yield result["error"]["kind"] + ("" if anonymous else f": {result['error']['message'][:200]}")


def _bar(number, most):
    return f'{number}<span class="bar" aria-hidden="true" style="width:{90 * number / most:.1f}%"></span>'


def _table(heads, empty, rows):
    if not rows:
        return f"<p>{empty}</p>"
    head = "".join(f'<th scope="col">{title}</th>' for title in heads)
    body = "".join("<tr>" + "".join(f'<td data-head="{title}">{cell}</td>' for title, cell in zip(heads, row)) + "</tr>"
                   for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plural(number, word):
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _safe(text):
    return html.escape("".join(letter for letter in str(text) if letter.isprintable() or letter == "\n"))
