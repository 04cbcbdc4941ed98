"""What reports come to: is the code right, which of two readings explains it better, and what is a
whole file?"""
from collections.abc import Collection

import numpy as np

from ..gradcheck.report import Report, Row
from ..gradcheck.verdicts import names as verdict
from .names import role

STATUSES = ("wrong", "error", "undecided", "remarks", "correct")  # the worst first
# neither right nor wrong
UNPROVEN = {verdict.UNDECIDED, verdict.DTYPE, verdict.RANDOM, verdict.KINK, verdict.NOT_COMPARED}


def empty(name: str, checked: str) -> dict:
    """The result of a check before it is made."""
    return {"name": name, "checked": checked, "status": "error", "inputs": {}, "drawn": False,
            "rows": [], "error": None, "text": ""}


def status_of_report(report: Report) -> str:
    """"correct", "remarks", "undecided" or "wrong"."""
    others = [row for row in report.counted() if not row.is_correct]
    found = {row.verdict for row in others if not row.is_remark}
    if verdict.MEAN in found and report.averaged():
        found.discard(verdict.MEAN)
        found.add(verdict.UNDECIDED)
    return ("correct" if not others else "remarks" if not found else "undecided"
            if found <= UNPROVEN else "wrong")


def problems(rows: list[Row]) -> str:
    """"w: not transposed, b: not summed": what is not right among them."""
    return ", ".join(f"{row.name}: {row.verdict}" for row in rows if not row.is_correct)


def leave_open(report: Report, said: str, names: Collection[str] = ()) -> None:
    """Nobody can decide about these inputs, or all that were compared. said: of each."""
    names = names or {row.name for row in report.counted()}
    report.rows = [row._replace(verdict=verdict.UNDECIDED, detail=said) if row.name in names
                   else row for row in report.rows]


def explains(report: Report) -> tuple:
    """How much of the code is right in this reading, to be compared."""
    found = [row.verdict for row in report.counted()]
    return (bool(report), not excused(report), found.count(verdict.CORRECT),
            found.count(verdict.UNDECIDED),
            -found.count(verdict.UNKNOWN) - found.count(verdict.SHAPE))


def excused(report: Report) -> bool:
    """Are the gradients right but for a learning rate? Another loss may explain them better."""
    return any(row.evidence.endswith("a learning rate") for row in report.rows)


def is_nearer(report: Report, first: Report) -> bool:
    """Has a gradient of the first report not its input's shape, and have they all in this one, some
    of them right, and what was right is right? Or is no more wrong now than the sign? Then these
    inputs are meant."""
    found = {row.verdict for row in report.counted()}
    right, now = ({row.name for row in one.counted() if row.is_correct} for one in (first, report))
    shaped = any(row.verdict == verdict.SHAPE for row in first.counted()) and right <= now and (
        verdict.CORRECT in found and verdict.SHAPE not in found)
    return shaped or found <= {verdict.CORRECT, verdict.SIGN} and not found <= {
        row.verdict for row in first.counted()}


def without_gradient(name: str) -> Row:
    """A row for a parameter of an object whose gradient was found nowhere."""
    return Row(name, (), 1, verdict=verdict.UNDECIDED,
               evidence=f"no gradient of {name} was found: none is returned, and none lies in the "
               f"object under a name such as d{name}, grad_{name}, grads[\"{name}\"]")


def as_elsewhere(checks: list[dict]) -> None:
    """Where a layer averages its weights' gradients over the examples, another one's bias alone
    may be averaged as well: the convention is the whole file's."""
    averaging = [check["name"] for check in checks if check["status"] == "undecided"
                 and verdict.MEAN in _verdicts(check)]
    for check in checks if averaging else ():
        if check["status"] == "wrong" and _verdicts(check) == {verdict.MEAN} and all(
                row["verdict"] == verdict.MEAN for row in check["rows"]
                if role(row["name"]) in ("w", "b", "gamma", "beta")):
            check["status"] = "undecided"
            check["text"] += ("\n\nAveraged over the examples, as in "
                              f"{averaging[0]}: a convention of this file.")


def _verdicts(check):
    """What is not right in it."""
    return {row["verdict"] for row in check["rows"]} - {verdict.CORRECT, verdict.NOT_COMPARED}


def status_of(checks: list[dict], error: object) -> str:
    """The worst that was found."""
    found = {check["status"] for check in checks} | ({"error"} if error else set())
    return next((status for status in STATUSES if status in found), "correct")


def compared(report: Report) -> set[str]:
    """The names of the inputs whose gradients were compared."""
    return {row.name for row in report.rows if row.verdict != verdict.NOT_COMPARED}


def differing(expected: np.ndarray, got: np.ndarray, file: str) -> str:
    """Where the outputs of the teacher's forward, in `file`, and of a student's differ; "" where
    they are the same."""
    if expected.shape != got.shape:
        return f"forward returns shape {got.shape}, that of {file} {expected.shape}"
    if np.allclose(expected, got, rtol=1e-6, atol=1e-9):
        return ""
    index = np.unravel_index(np.argmax(abs(expected - got)), expected.shape)
    place = f"at {[int(i) for i in index]} " * bool(index)
    return (f"forward is not that of {file}: {place}it gives {got[index]:.6g} instead of "
            f"{expected[index]:.6g}")
