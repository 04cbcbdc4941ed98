"""The report of a student's code: what no gradient was due for, and a mean that may be meant."""
from collections.abc import Callable

from ...gradcheck.report import Report, Row
from ...gradcheck.verdicts import names as verdict
from ...utils.table import times
from ..dialects import PARAMETERS
from ..names import plain, role, stem
from .numpy_code import NumpyCode


class StudentsReport(Report):
    """Gradients averaged over the examples are open, neither right nor wrong. subject: the code,
    with what its backward gives no gradient for."""

    def __init__(self, subject: NumpyCode, title: str, rows: list[Row],
                 curves: Callable | None = None):
        super().__init__(title, [*rows, *absent(subject)] if curves else rows, curves)

    def averaged(self) -> set[str]:
        """The parameters whose gradients are averaged over the examples, if those of all are, and
        nothing else: courses do so on purpose, where dout is one example's; of a bias alone it is a
        mistake."""
        rows = self.counted()
        found = {row.name for row in rows if "--mean-over-examples" in row.evidence}
        parameters = {row.name: kind for row in rows if (kind := _kind(row.name))}
        alone = {*map(_kind, found)} <= {"b", "beta"}
        return found if found == {*parameters} and not alone else set()


def _kind(name):
    """"w", "b", "gamma" or "beta" of a parameter, by its whole name or by the word it begins with:
    W_ih, bias_h, fc1.W; None of others."""
    if plain(name.partition("[")[0]) in PARAMETERS and "[" in name:
        return "w"  # params[0]
    name = name.rpartition(".")[2]
    known = {"wx": "w", "wh": "w", "wy": "w", "wg": "w", "ug": "w", "by": "b"}
    whole, first = role(name), role(stem(name.lstrip("_").partition("_")[0]))
    kinds = ("w", "b", "gamma", "beta")
    return next((kind for kind in (known.get(whole, whole), first) if kind in kinds), None)


def absent(subject: NumpyCode) -> list[Row]:
    """Rows for the inputs that backward gives no gradient for: the data of a first layer or a
    network, the target of a loss."""
    rows = [Row(name, slot.shape, slot.size, evidence=f"backward gives no gradient for {name}",
                **({"verdict": verdict.UNDECIDED, "detail": f"if none is due: --constant {name}"}
                   if name in subject.unclear and subject.matters(name) else {}))
            for name, slot in subject.absent.items()]
    return rows + [Row(name, (), 1, verdict=verdict.UNDECIDED,
                       evidence=f"backward returns a gradient of shape {times(value.shape)} for "
                       f"{name}, which was given as a number: give it as an array, "
                       f"as with --shape {name}={','.join(map(str, value.shape))}")
                   for name, value in subject.unasked.items()]
