"""A page about a class: which mistakes, how many, who shares which, what to teach again.

    write("class.html", results, anonymous=False)       results: as sessions.results yields them

One file without scripts, pictures or links: nothing is asked from any other place when it is opened.
"""
import collections
import html
import os
import random
import string
from pathlib import Path

from ..errors import UserError
from ..gradcheck.verdicts import names as verdict
from ..utils.files import replacing

TEMPLATE = Path(__file__).with_name("templates") / "class.html"
MARK = '<meta name="generator" content="minialex.gradcheck">'
STATES = {"correct": "all right", "remarks": "right, with a remark", "wrong": "a gradient is wrong",
          "undecided": "not decided", "error": "could not be checked"}
LESSONS = [  # words in a layer's name: the lesson of the course
    ("conv im2col col2im", "04, convolution"), ("pool", "07, pooling"),
    ("entropy softmax loss xent hinge svm", "09, cross-entropy"),
    ("dropout", "10, dropout"), ("lrn response norm", "08, response normalisation"), ("relu sigmoid tanh", "06, activation"),
    ("linear affine dense fc", "11, fully connected layers")]
AGAIN = {  # what to say again, in a sentence, and the lesson where the layer's name says none
    verdict.ZERO: ("the gradient has to be computed and returned for every input", "02, the tape"),
    verdict.SIGN: ("which way the loss moves when the input grows", "02, the tape"),
    verdict.FACTOR: ("where the factor belongs: mean or sum, 1/2, the batch size", "09, cross-entropy"),
    verdict.TRANSPOSED: ("dL/dW has the shape of W: write the shapes beside the product", "11, fully connected layers"),
    verdict.FLIPPED: ("backward slides the same kernel, turned by half a turn, over dout", "04, convolution"),
    verdict.SHIFTED: ("what forward padded, backward cuts off, on the same side", "04, convolution"),
    verdict.NOT_SUMMED: ("what was used many times gets the sum of all its gradients", "11, fully connected layers"),
    verdict.MEAN: ("gradients of many uses are added up, not averaged", "11, fully connected layers"),
    verdict.LAST: ("where windows overlap, gradients add up: += and not =", "07, pooling"),
    verdict.TERM: ("an input that acts on two ways has two terms", "08, response normalisation"),
    verdict.TOO_MANY: ("only what depends on the input has a slope", "09, cross-entropy"),
    verdict.BORDER: ("the last window counts, too", "04, convolution"),
    verdict.PADDED: ("padding gets gradients that are thrown away", "04, convolution"),
    verdict.NEGATIVE: ("where nothing gets through, no gradient comes back", "06, activation"),
    verdict.TIED: ("of equal maxima one gets the gradient", "07, pooling"),
    verdict.OUTPUT: ("the slope at x, not at y", "06, activation"),
    verdict.INPUT: ("the slope written with y needs y", "06, activation"),
    verdict.IGNORES: ("dL/dx is dout times the slope", "02, the tape"),
    verdict.SHAPE: ("a gradient has the shape of what it belongs to", "02, the tape"),
    verdict.IN_PLACE: ("forward must leave its inputs as they are", "02, the tape"),
    verdict.UNKNOWN: ("check one small case by hand, number by number", "03, gradient checking")}


def check_place(path):
    """Raises UserError where the page cannot be written, or where another file has its name."""
    path = Path(path)
    if os.path.lexists(path) and not _is_ours(path):
        raise UserError(f"--report: {path} exists, and is no page of this command: give another name.")
    if not path.parent.is_dir():
        raise UserError(f"--report: there is no folder {path.parent} for {path.name}.")


def write(path, results, anonymous=False):
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


def page(results, anonymous=False):
    """The text of the page."""
    students = named(results, anonymous)
    found = mistakes(students)
    template = string.Template(TEMPLATE.read_text("utf-8"))
    count = collections.Counter(result["status"] for result in students.values())
    return template.substitute(
        title="One class, " + _plural(len(students), "submission"), summary=_summary(count, len(students)), states=_states(count),
        lessons=_lessons(found), mistakes=_mistakes(found), layers=_layers(students), distribution=_distribution(students),
        errors=_errors(students), students=_students(students, anonymous), mark=MARK)


def named(results, anonymous=False):
    """{name: result}, sorted by name: the part of the path that differs; or "student 1", … in an order that says nothing."""
    paths = [Path(result["file"]).with_suffix("") for result in results]
    shared = os.path.commonpath([path.parent for path in map(Path.absolute, paths)]) if paths else "."
    names = [path.absolute().relative_to(shared).as_posix() for path in paths]
    last = {name.rpartition("/")[2] for name in names}
    if len(last) == 1 < len(names):  # a folder for each student, the same file in all
        names = [name.rpartition("/")[0] for name in names]
    if anonymous:
        numbers = list(range(1, len(names) + 1))
        random.SystemRandom().shuffle(numbers)
        names = [f"student {number:0{len(str(len(names)))}d}" for number in numbers]
    return dict(sorted(zip(names, results)))


def mistakes(students):
    """[(verdict, {name: [(layer, gradient), …]})], the most frequent first. A student counts once for each."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for name, result in students.items():
        for check in result["checks"]:
            for row in check["rows"]:
                if row["verdict"] != verdict.CORRECT:
                    found[row["verdict"]][name].append((check["name"], row["name"]))
    return sorted(((word, dict(who)) for word, who in found.items()), key=lambda item: (-len(item[1]), item[0]))


def errors(students):
    """[((layer or "the file", kind), [(name, message)])] of what could not be checked, the most frequent first."""
    found = collections.defaultdict(list)
    for name, result in students.items():
        told = [("the file", result["error"]), *((check["name"], check["error"]) for check in result["checks"])]
        for place, error in told:
            if error:
                found[place, error["kind"]].append((name, error["message"]))
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


def lesson(layer, word):
    """The lesson of the course where this layer is taught, or where this mistake is."""
    for words, title in LESSONS:
        if any(part in layer.lower() for part in words.split()):
            return title
    return AGAIN.get(word, ("", "03, gradient checking"))[1]


# ------------------------------------------------------------------------------------------------ parts of the page


def _summary(count, total):
    return f"{count['correct']} of {total} are all right" + "".join(
        f", {count[state]} {words}" for state, words in (("remarks", "right with a remark"),
                                                         ("wrong", "have a wrong gradient"), ("undecided", "are not decided"),
                                                         ("error", "could not be checked")) if count[state]) + "."


def _states(count):
    total = max(sum(count.values()), 1)
    bars = "".join(f'<span class="{state}" style="width:{100 * count[state] / total:.2f}%"></span>'
                   for state in STATES if count[state])
    keys = "".join(f'<li><span class="key {state}"></span>{count[state]} {words}</li>' for state, words in STATES.items())
    said = ", ".join(f"{count[state]} {words}" for state, words in STATES.items())
    return f'<div class="stack" role="img" aria-label="{said}">{bars}</div><ul class="keys">{keys}</ul>'


def _lessons(found):
    count = collections.defaultdict(set)
    says = collections.defaultdict(collections.Counter)
    for word, who in found:
        for name, places in who.items():
            for title in {lesson(layer, word) for layer, _ in places}:
                count[title].add(name)
                if word in AGAIN:
                    says[title][AGAIN[word][0]] += 1
    if not count:
        return "<p>Nothing: no gradient is wrong.</p>"
    lines = []
    for title, names in sorted(count.items(), key=lambda item: (-len(item[1]), item[0])):
        again = "; ".join(text for text, _ in says[title].most_common(3))
        lines.append(f"<li><b>Lesson {_safe(title)}</b>, for {_plural(len(names), 'student')}: {_safe(again)}.</li>")
    return f"<ol>{''.join(lines)}</ol>"


def _mistakes(found):
    most = max((len(who) for _, who in found), default=1)
    rows = [(_safe(word), _bar(len(who), most), "; ".join(_safe(f"{name} ({_places(places)})") for name, places in who.items()))
            for word, who in found]
    return _table(("mistake", "how many", "who, where"), rows, "No gradient is wrong.")


def _places(places):
    """conv: x, w"""
    layers = collections.defaultdict(list)
    for layer, gradient in places:
        layers[layer].append(gradient)
    return "; ".join(f"{layer}: {', '.join(gradients)}" for layer, gradients in layers.items())


def _layers(students):
    count = collections.defaultdict(collections.Counter)
    for result in students.values():
        for check in result["checks"]:
            count[check["name"]][check["status"]] += 1
    rows = [(_safe(layer), *(str(states[state]) for state in STATES)) for layer, states in count.items()]
    return _table(("layer", *STATES.values()), rows, "No layer was checked.")


def _distribution(students):
    """How many students have how many gradients right: columns, with the numbers in words."""
    count = collections.Counter(sum(row["verdict"] == verdict.CORRECT for check in result["checks"] for row in check["rows"])
                                for result in students.values())
    most, highest = max(count, default=0), max(count.values(), default=1)
    columns = []
    for right in range(most + 1):
        columns.append(f'<li><span class="column" style="height:{100 * count[right] / highest:.1f}%"></span>'
                       f'<b>{count[right]}</b><span>{right}</span></li>')
    said = "; ".join(f"{right} right: {_plural(count[right], 'student')}" for right in range(most + 1))
    return (f'<ol class="columns" start="0" role="img" aria-label="{said}">{"".join(columns)}</ol>'
            "<p class=small>Below: gradients that are right. Above: students.</p>")


def _errors(students):
    rows = [(_safe(place), _safe(kind), str(len(found)), _people([name for name, _ in found]))
            for (place, kind), found in errors(students)]
    return _table(("where", "what happened", "how many", "who"), rows, "Everything could be checked.")


def _students(students, anonymous):
    rows = []
    for name, result in students.items():
        told = [f"{_safe(check['name'])}: {_safe(_of_check(check))}" for check in result["checks"]]
        told += [_safe(_of_error(result["error"], anonymous))] if result["error"] else []
        rows.append((_safe(name), f'<span class="state {result["status"]}">{STATES[result["status"]]}</span>', "<br>".join(told)))
    return _table(("student", "result", "in detail"), rows, "Nobody.")


def _of_check(check):
    if check["error"] and not check["rows"]:
        return check["error"]["kind"]
    wrong = [f"{row['name']} {row['verdict']}{': ' + row['detail'] if row['detail'] else ''}" for row in check["rows"]
             if row["verdict"] != verdict.CORRECT]
    return "; ".join(wrong + ([check["error"]["kind"]] if check["error"] else [])) or "right"


def _of_error(error, anonymous):
    return error["kind"] if anonymous else f"{error['kind']}: {error['message'][:200]}"


def _bar(number, most):
    return f'{number}<span class="bar" aria-hidden="true" style="width:{90 * number / most:.1f}%"></span>'


def _people(names):
    return ", ".join(map(_safe, names))


def _table(heads, rows, empty):
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
