"""How submissions are told: in full for one file, in one table for many, in at most 80 columns; or
as JSON."""
import json
import textwrap
from collections import Counter
from os.path import commonprefix
from pathlib import Path

from ..gradcheck.report import WIDTH, cut

NAME, CHECKED = 20, 14  # columns of the table
SUMMED_UP = {"remarks": "with remarks", "wrong": "wrong", "undecided": "undecided",
             "error": "could not be checked"}
MANY_PRINTED = 10  # lines of what a submission printed that --verbose shows


def as_json(result: dict) -> str:
    """One line. Its keys are documented in the README, and stay."""
    checks = [{key: value for key, value in check.items() if key != "text"}
              for check in result["checks"]]
    return json.dumps({**{key: value for key, value in result.items() if key != "label"},
                       "checks": checks}, ensure_ascii=False)


def in_full(result: dict, verbose: bool = False) -> str:
    """Everything about one submission: a report for each check, the student's own lines for each
    error."""
    parts = [result["file"]]
    for check in result["checks"]:
        parts.append("")
        if check["inputs"]:
            parts += _wrapped(f"inputs of {check['name']}: {_inputs(check)}", "", "    ")
        if check["text"]:
            parts.append(check["text"])
        if check["error"]:
            parts += [*([] if check["text"] else [f"{check['checked']}: not checked"]),
                      *error_lines(check["error"])]
    if result["error"]:
        parts += ["", *error_lines(result["error"])]
    if verbose and result["printed"].strip():
        lines = result["printed"].rstrip().splitlines()
        parts += ["", "what the code printed:",
                  *(f"  | {cut(line, WIDTH - 4)}" for line in lines[:MANY_PRINTED])]
        parts += [f"  | … {len(lines) - MANY_PRINTED} more "
                  "lines"] if len(lines) > MANY_PRINTED else []
    return "\n".join(parts)


def _inputs(check):
    shapes = ", ".join(f"{name} {value}" for name, value in check["inputs"].items())
    return f"{shapes} (drawn; --shape, --labels, --option choose)" if check["drawn"] else shapes


def error_lines(error: dict) -> list[str]:
    """The sentence, and the student's own lines that led there."""
    lines = _wrapped(f"{error['kind']}: {error['message']}", "  ", "    ")
    for place in error["lines"]:
        within = f", in {place['in']}" if place["in"] else ""
        lines += [f"    {place['file']}, line {place['line']}{within}",
                  f"        {cut(place['code'], WIDTH - 8)}"]
    return lines


def labels(files: list[str]) -> list[str]:
    """What the table calls the files: their names, or the part of the path that differs where names
    are the same."""
    paths = [Path(file) for file in files]
    names = [path.stem for path in paths]
    found = [name if names.count(name) == 1
             else _differing(path, [other for other in paths if other.stem == name])
             for name, path in zip(names, paths)]
    return [name if found.count(name) == 1 else str(path) for name, path in zip(found, paths)]


def _differing(path, others):
    """anna of hand-ins/anna/layers.py beside hand-ins/ben/layers.py."""
    parts = [other.with_suffix("").parts for other in others]
    start = len(commonprefix(parts))
    same = len(commonprefix([part[start:][::-1] for part in parts]))
    own = path.with_suffix("").parts[start:]
    return "/".join(own[:len(own) - same]) or path.stem


def heading() -> str:
    """The head of the table of submissions."""
    return f"{'submission':<{NAME}} {'checked':<{CHECKED}} verdict\n{'─' * WIDTH}"


def rows(result: dict) -> str:
    """The lines of one submission in the table: what is wrong, or that nothing is."""
    told = [(check["name"], line) for check in result["checks"] for line in _told(check)]
    if result["error"]:
        told.append(("", _short(result["error"])))
    if not told:
        told = [("", "correct" if len(result["checks"]) == 1
                 else f"all {len(result['checks'])} correct")]
    lines = []
    for number, (checked, text) in enumerate(told):
        who = cut(result.get("label") or Path(result["file"]).stem, NAME) if number == 0 else ""
        again = number > 0 and told[number - 1][0] == checked
        first = f"{who:<{NAME}} {'' if again else cut(checked, CHECKED):<{CHECKED}} "
        lines += _wrapped(text, first, " " * (NAME + CHECKED + 4))
    return "\n".join(lines)


def _told(check):
    told = [_verdict(row) for row in check["rows"] if row["verdict"] != "correct"]
    return told + ([_short(check["error"])] if check["error"] else [])


def _verdict(row):
    detail = f": {row['detail']}" if row["detail"] else ""
    return f"{row['name']}: {row['verdict']}{detail}"


def _short(error):
    where = f"line {error['lines'][-1]['line']}: " if error["lines"] else ""
    return f"{where}{error['kind']}: {error['message']}"


def summary(results: list[dict]) -> str:
    """"17 of 30 correct, 10 wrong, 3 could not be checked"."""
    count = Counter(result["status"] for result in results)
    others = [f"{count[status]} {words}" for status, words in SUMMED_UP.items() if count[status]]
    return ", ".join([f"{count['correct']} of {len(results)} submissions correct", *others])


def _wrapped(text, first, later):
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=first,
                         subsequent_indent=later, break_long_words=True, break_on_hyphens=False)
