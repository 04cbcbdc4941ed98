"""A page about a class: which mistakes, how many, who shares them, what to teach again.

    write(at("class.html"), results, anonymous=False)       results: as sessions.results yields them

One file without scripts, pictures or links: nothing is asked from any other place.
"""
import configparser
import html
import os
import random
from collections import Counter, defaultdict
from pathlib import Path

from ..gradcheck.verdicts import names as verdict
from ..utils.files import Output, replacing
from ..utils.html_page import render
from .telling import labels

TEMPLATES = Path(__file__).with_name("templates")
EARLIER = b'<meta name="generator" content="minialex.gradcheck">'  # in pages before they had a mark
STATES = {"correct": "all right", "remarks": "right, with a remark", "wrong": "a gradient is wrong",
          "undecided": "not decided", "error": "could not be checked"}
SUMMED = {"remarks": "right with a remark", "wrong": "have a wrong gradient",
          "undecided": "are not decided", "error": "could not be checked"}
ELSE = "03, gradient checking"
_TEACH = configparser.ConfigParser(interpolation=None, delimiters=("=",))
_TEACH.read_string((TEMPLATES / "lessons.txt").read_text("utf-8"))
AGAIN = {word: tuple(text.split(" | ")) for word, text in _TEACH["mistakes"].items()}


def at(path: str | os.PathLike, force: bool = False) -> Output:
    """The place of a page. Raises UserError where none can be written, or another file has its
    name."""
    output = Output(path, "class-report", force=force, signs=(EARLIER,))
    output.check()
    return output


def write(target: Output, results: list[dict], anonymous: bool = False) -> None:
    """Write the page, whole or not at all."""
    with replacing(target, "w", encoding="utf-8") as file:
        file.write(page(results, anonymous, target.mark))


# ---------------------------------------------------------------------------------- what is counted


def named(results: list[dict], anonymous: bool = False) -> dict[str, dict]:
    """{name: result}, sorted: the part of the path that differs; or "student 1", … in an order
    that says nothing."""
    names = labels([result["file"] for result in results])
    if anonymous:
        width = len(str(len(names)))
        names = [f"student {number:0{width}d}" for number in range(1, len(names) + 1)]
        random.SystemRandom().shuffle(names)
    return dict(sorted(zip(names, results)))


def mistakes(students: dict[str, dict]) -> list[tuple]:
    """[(verdict, {name: {layer: [gradient, …]}})], the most frequent first. A student counts
    once for each."""
    found = {}
    for name, check, row in _wrong_rows(students):
        layers = found.setdefault(row["verdict"], {}).setdefault(name, {})
        layers.setdefault(check["name"], []).append(row["name"])
    return _frequent_first(found)


def errors(students: dict[str, dict]) -> list[tuple]:
    """[((layer or "the file", kind), [name])] of what could not be checked, the most frequent
    first."""
    found = {}
    for name, result in students.items():
        for one in (result, *result["checks"]):
            if one["error"]:
                place = one.get("name", "the file"), one["error"]["kind"]
                found.setdefault(place, []).append(name)
    return _frequent_first(found)


def to_teach(students: dict[str, dict]) -> list[tuple]:
    """[(lesson, {names}, the three most frequent sentences)], for most students first."""
    who, says = defaultdict(set), defaultdict(Counter)
    for name, check, row in _wrong_rows(students):
        title = lesson(check["name"], row["verdict"])
        who[title].add(name)
        says[title].update(AGAIN.get(row["verdict"], ())[:1])
    return [(title, names, [text for text, _ in says[title].most_common(3)])
            for title, names in _frequent_first(who)]


def lesson(layer: str, word: str) -> str:
    """The lesson of the course where this layer is taught, or where this mistake is."""
    for words, title in _TEACH["layers"].items():
        if any(part in layer.lower() for part in words.split()):
            return title
    return AGAIN.get(word, ("", ELSE))[1]


def _wrong_rows(students):
    for name, result in students.items():
        for check in result["checks"]:
            yield from ((name, check, row) for row in check["rows"]
                        if row["verdict"] != verdict.CORRECT)


def _frequent_first(found):
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


# ----------------------------------------------------------------------------------------- the page


def page(results: list[dict], anonymous: bool = False, mark: str = "") -> str:
    """The text of the page."""
    students = named(results, anonymous)
    states, layers = Counter(result["status"] for result in results), defaultdict(Counter)
    for check in (check for result in results for check in result["checks"]):
        layers[check["name"]][check["status"]] += 1
    return render(
        TEMPLATES / "class.html", TEMPLATES / "class.css", mark,
        "One class, " + _plural(len(results), "submission"),
        summary=_summary(states), states=_states(states), lessons=_lessons(students),
        mistakes=_mistakes(students), distribution=_distribution(results),
        layers=_table(("layer", *STATES.values()), [
            (layer, *(count[state] for state in STATES)) for layer, count in layers.items()],
            "No layer was checked."),
        errors=_table(("where", "what happened", "how many", "who"), [
            (*place, len(who), ", ".join(who)) for place, who in errors(students)],
            "Everything could be checked."),
        students=_table(("student", "result", "in detail"), [
            (name, _state(result["status"]), "\n".join(_in_detail(result, anonymous)))
            for name, result in students.items()], "Nobody."))


def _state(state):
    return Html(f'<span class="state {state}">{STATES[state]}</span>')


def _summary(states):
    said = [f"{states[state]} {words}" for state, words in SUMMED.items() if states[state]]
    return ", ".join([f"{states['correct']} of {states.total()} are all right", *said]) + "."


def _states(states):
    total = max(states.total(), 1)
    count = [(state, states[state], words) for state, words in STATES.items()]
    bars = "".join(f'<span class="{state}" style="width:{100 * number / total:.2f}%"></span>'
                   for state, number, _ in count if number)
    keys = "".join(f'<li><span class="key {state}"></span>{number} {words}</li>'
                   for state, number, words in count)
    said = ", ".join(f"{number} {words}" for _, number, words in count)
    return (f'<div class="stack" role="img" aria-label="{said}">{bars}</div>'
            f'<ul class="keys">{keys}</ul>')


def _lessons(students):
    found = "".join(f"<li><b>Lesson {_safe(title)}</b>, for {_plural(len(names), 'student')}: "
                    f"{_safe('; '.join(says))}.</li>" for title, names, says in to_teach(students))
    return f"<ol>{found}</ol>" if found else "<p>Nothing: no gradient is wrong.</p>"


def _mistakes(students):
    def where(layers):
        return "; ".join(f"{layer}: {', '.join(gradients)}" for layer, gradients in layers.items())

    found = mistakes(students)
    most = max((len(who) for _, who in found), default=1)
    return _table(("mistake", "how many", "who, where"), [
        (word, _bar(len(who), most),
         "; ".join(f"{name} ({where(layers)})" for name, layers in who.items()))
        for word, who in found], "No gradient is wrong.")


def _bar(number, most):
    width = f"width:{90 * number / most:.1f}%"
    return Html(f'{number}<span class="bar" aria-hidden="true" style="{width}"></span>')


def _distribution(results):
    """How many students have how many gradients right: columns, with the numbers in words."""
    count = Counter(sum(row["verdict"] == verdict.CORRECT for check in result["checks"]
                        for row in check["rows"]) for result in results)
    numbers, highest = range(max(count, default=0) + 1), max(count.values(), default=1)
    columns = "".join(
        f'<li><span class="column" style="height:{100 * count[right] / highest:.1f}%"></span>'
        f'<b>{count[right]}</b><span>{right}</span></li>' for right in numbers)
    said = "; ".join(f"{right} right: {_plural(count[right], 'student')}" for right in numbers)
    return f'<ol class="columns" start="0" role="img" aria-label="{said}">{columns}</ol>'


def _in_detail(result, anonymous):
    for check in result["checks"]:
        wrong = [f"{row['name']} {row['verdict']}{': ' + row['detail'] if row['detail'] else ''}"
                 for row in check["rows"] if row["verdict"] != verdict.CORRECT]
        wrong += [check["error"]["kind"]] if check["error"] else []
        yield f"{check['name']}: {'; '.join(wrong) or 'right'}"
    if result["error"]:
        message = "" if anonymous else f": {result['error']['message'][:200]}"
        yield result["error"]["kind"] + message


class Html(str):
    """A cell that is written so, and not a text."""


def _table(heads, rows, empty):
    if not rows:
        return f"<p>{empty}</p>"
    head = "".join(f'<th scope="col">{title}</th>' for title in heads)
    body = "".join("<tr>" + "".join(f'<td data-head="{title}">{_safe(cell)}</td>'
                                    for title, cell in zip(heads, row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _plural(number, word):
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _safe(text):
    if isinstance(text, Html):
        return text
    return html.escape("".join(letter for letter in str(text)
                               if letter.isprintable() or letter == "\n"))
