"""What is said of a step of training where nobody wrote its loss down."""
import ast
import re

import numpy as np

from ...gradcheck.verdicts import names as verdict
from ..called.binding import assigned, syntax_tree
from ..names import role, stem, stems_of_gradient
from ..reading import changes
from ..reading.changes import root_of
from .layers import NotChecked


def of_another_loss(found: list) -> dict[str, str]:
    """{name: what is said of it} of weights whose update is the gradient of a cross entropy where
    others' is that of another loss: the output's derivative is left out of the hidden error. found:
    (report, reading) of each loss, the best first. Nothing where that does not explain them all."""
    told = {}
    for row in found[0][0].counted():
        right = [reading.words for report, reading in found for one in report.rows
                 if one.name == row.name and one.is_correct]
        if found[0][1].words not in right:
            told[row.name] = next((
                f"right {words}, while the others are right {found[0][1].words}: the error that is "
                "handed down leaves out the output's derivative, as in the query/train network of "
                "a well-known book" for words in right if "cross entropy" in words), "")
    weights = {row.name for row in found[0][0].counted() if role(row.name) != "b"}
    is_told = all(told.values()) and weights & told.keys() and weights - told.keys()
    return told if is_told and "cross entropy" not in found[0][1].words else {}


def tell(found: object, report: object, is_wrong: bool) -> None:
    """What is right for no usual loss may follow another rule, as that of a perceptron. Raises
    NotChecked."""
    named = [row for row in report.counted() if row.is_correct or row.verdict == verdict.SIGN]
    if is_wrong and not named:
        names = ", ".join(row.name for row in report.counted())
        raise NotChecked(f"what one step of {found.name} takes off {names} is the gradient of "
                         "none of the usual losses: hand in a backward, or functions, with theirs")


FACTORS = (verdict.FACTOR, verdict.MEAN)  # a rate of 1 / N, too, if it is that of all


def without_learning_rate(rows: list, updated: list[str]) -> list:
    """Where all parameters that are updated inside backward are off by the same factor, it is the
    learning rate."""
    factors = [row.factor if row.verdict in FACTORS else None for row in rows
               if row.name in updated]
    if not factors or None in factors or np.ptp(factors) > 1e-6 * max(factors):
        return rows
    factor = float(f"{factors[0]:.6g}")
    return [row._replace(verdict=verdict.CORRECT, detail="", evidence="its update inside backward "
                         f"is {factor:g} · the gradient: a learning rate") if row.name in updated
            and 0 < factor < 1 else row for row in rows]


def beside_errors(rows: list, updated: list[str], code: object) -> list:
    """Of a network that is given targets and adds what is right to its weights: what it returns
    with the other sign is no gradient of x, but target − output, handed down."""
    method = getattr(code, "targets", ()) and code.function and getattr(
        code.prototype, code.function)
    adds = method and any(_adds(node) and not _is_sum(root_of(target), method, updated)
                          for node, target, _ in changes.updates([syntax_tree(method)]))
    if not adds or not all(row.is_correct for row in rows if row.name in updated):
        return rows
    return [row._replace(verdict=verdict.NOT_COMPARED, detail="", evidence="what backward returns "
                         "is minus its gradient, as of an error, target − output")
            if row.verdict == verdict.SIGN else row for row in rows]


def _adds(node):
    return isinstance(getattr(node, "op", getattr(node.value, "op", None)), ast.Add)


def _is_sum(root, method, updated):
    """Is it a variable of the method, error += …, or a gradient that is added up, self.dW += …?"""
    weights = {stem(re.split(r"[\[.]", name)[-1] if "." in name else name.partition("[")[0])
               for name in updated}
    return root in assigned(method) or not weights.isdisjoint(
        stems_of_gradient(root.rpartition(".")[2]))


def decayed(rows: list) -> list:
    """The rows, of what an update takes off weights; some of themselves may be a penalty."""
    return [row._replace(verdict=verdict.UNDECIDED, evidence=row.evidence.split(": it does not")[0],
                         detail="right if it is meant to make the weights smaller, too, by a "
                         "penalty that no loss here has")
            if row.verdict in (verdict.TERM, verdict.TOO_MANY)
            and {row.name, f"sign({row.name})"}.issuperset(re.split(": | and ", row.detail)[-2:])
            and "numeric − analytic = -" in row.evidence else row for row in rows]
