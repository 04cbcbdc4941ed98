"""What a course means by its gradients: the mean over the examples where a sum is due, or their
sum; that they are clipped, or that a penalty is added to them; and by a bias, which is drawn as
large as x where it is only added to it."""
import contextlib
import copy
import re
from typing import Any

import numpy as np

from ..gradcheck.report import Report
from ..gradcheck.verdicts import names as verdict
from .called import binding
from .called.check import check_code
from .called.gradients import Named
from .called.numpy_code import NumpyCode, leaves
from .classes import PastSoftmax
from .forms.functions import Around, Composed, Faint, Reading
from .names import is_penalty, plain, role
from .reading.sources import calls, source
from .status import leave_open, status_of_report


def conventions(check: Any, report: Report, reading: Any, count: int) -> None:
    """Says so in the report of a Check, which is one of `count`."""
    if report.averaged() and status_of_report(report) == "undecided":
        _averages(check, report, count)
    elif reading is not None and not check.reference:
        _past_softmax(report, reading)
        if status_of_report(report) == "wrong":
            _penalised(check, report, reading)
        _sums(report, reading.values)
        for convention in (_next_layers, _counted, _clipped, _saturated, _after_the_update,
                           _in_turn):
            if status_of_report(report) == "wrong":
                convention(check, report, reading)
        if report and check.result["drawn"]:
            _biases(check, report, reading)
            _matrices(check, report, reading)


def _past_softmax(report, reading):
    """A layer that leaves out the slope of its own softmax is right where p − t comes in, which
    only a whole network is known to be given."""
    matrices = [value for _, value in leaves(reading.values).values()
                if np.ndim(value) > 1 and min(np.shape(value)) > 1]
    if report and reading.words == PastSoftmax.words and len(matrices) <= 2:  # x and one W
        leave_open(report, "right if dout is output − target: else the softmax's own derivative is "
                   "missing")


def _averages(check, report, count):
    """All weights' gradients are averaged: they are right if a network of the file is that calls
    this backward."""
    averaged = report.averaged()
    for found in (one for item in check.submission.checks for one in (
            item.found.others if item.found.kind == "either" else (item.found,))):
        if found.kind in ("network", "loss") and calls(
                check.module, found.backward or found.forward, check.found.backward):
            again = type(check)(check.submission, found, check.module, check.reference)
            if again.told(count, check.left(0.2))["status"] in ("correct", "remarks"):
                report.rows = [row._replace(verdict=verdict.CORRECT, detail="", evidence="averaged "
                                            f"over the examples, and {found.title}, which calls "
                                            "this, is right") if row.name in averaged else row
                               for row in report.rows]
                return


def _sums(report, values):
    """A network's gradients are all those of the sum of which its cost takes the mean: the learning
    rate makes up for it."""
    labels = [np.shape(value) for name, value in values.items() if role(name) == "labels"]
    counts = {n for shape in labels for n in (*shape, np.prod(shape, dtype=int)) if n > 1}
    rows = report.counted()
    factors = {round(row.factor, 6) if row.verdict == verdict.FACTOR and row.factor else None
               for row in rows}
    weights = [row for row in rows if role(row.name.rstrip("0123456789")) == "w"]
    if len(weights) > 1 and len(factors) == 1 and factors <= counts:
        leave_open(report, "right for the sum over the examples, as all gradients here: "
                   f"{rows[0].factor:g} times that of their mean")


class _Linear(Around):
    """A code without what its backward adds whatever dout is."""

    def __getattr__(self, name):
        return getattr(self.code, name)  # what its parameters are, and which have no gradient

    def backward(self, run, douts):
        """The gradients less those for a dout of 0."""
        at = [_gradients(self.code, run.inputs, scale, douts) for scale in (1.0, 0.0)]
        return Named({name: one - at[1][name] for name, one in at[0].items()
                      if one is not None and at[1].get(name) is not None})


def _gradients(code, values, scale, douts):
    """{name: gradient} for these dout times scale."""
    pair = NumpyCode(code, copy.deepcopy(values), (), lambda: None)
    return pair.found(scale * binding.join("dout", douts))


def _penalised(check, report, reading):
    """To a weight's gradient c · W or c · sign(W) is added, whatever dout is: right if the loss has
    that penalty, c/2 · Σ W² or c · Σ |W|, which it has where backward calls c the strength of
    one."""
    code, values, _ = reading
    run = code.run(copy.deepcopy(values))
    if not code.takes_dout(run) or np.ndim(run.outputs[0]) == 0:
        return
    try:
        added = _gradients(code, values, 0.0, run.outputs)
    except MemoryError:
        raise
    except Exception:  # it takes no dout of zeros
        return
    penalties = {name: _penalty(name, one, values.get(name)) for name, one in added.items()
                 if one is not None and np.any(one)}
    if not penalties or any(not one or role(name) != "w" for name, one in penalties.items()):
        return
    without, found = _rows(check, reading._replace(code=_Linear(code))), check.found
    written = [found.backward] if found.kind != "class" else [
        value for name, value in vars(found.forward).items() if name != "__init__"]
    text = "".join(map(source, written))
    is_told = any(map(is_penalty, re.findall(r"[^\W\d]\w*", text)))
    for place, row in enumerate(report.rows):
        penalty, other = penalties.get(row.name), without.get(row.name)
        if penalty and other is not None:
            said = f"without the penalty {penalty} that is added"
            report.rows[place] = other._replace(evidence="; ".join(filter(
                None, [other.evidence, said]))) if is_told else other._replace(
                verdict=verdict.UNDECIDED, detail=f"right {said}: has the loss one?",
                evidence="") if other.is_correct else row


def _rows(check, reading, quickly=False):
    """{name: its row} of the report for another reading; nothing where it has none."""
    again, _ = check.reports([reading], quickly)
    return {row.name: row for row in again[0][0].rows} if again else {}


def _penalty(name, added, weight):
    """"0.1 · W", "0.1 · sign(W)" or both, with positive factors, of what is added to a weight's
    gradient; "" of anything else."""
    if not binding.is_checked(weight) or np.shape(added) != np.shape(weight):
        return ""
    slopes = {name: np.ravel(weight), f"sign({name})": np.sign(np.ravel(weight))}
    columns = np.stack(list(slopes.values()), axis=1)
    factors = np.linalg.lstsq(columns, np.ravel(added), rcond=None)[0]
    small = 1e-6 * abs(added).max()
    if factors.min() < -small or abs(columns @ factors - np.ravel(added)).max() > small:
        return ""
    return " + ".join(f"{factor:.3g} · {slope}" for slope, factor in zip(slopes, factors)
                      if factor > small)


SOME, LITTLE = 10, 1e-2  # examples at least; an error of a clipped x, at most
UPDATED_FIRST = "right with the weights after their update: take dx before you change them"


def _after_the_update(_, report, reading):
    """dx = dout @ W.T after W -= lr * dW is the gradient with another W."""
    code, values, _ = reading
    unknown = {row.name: place for place, row in enumerate(report.rows)
               if row.verdict == verdict.UNKNOWN and binding.is_checked(values.get(row.name))}
    if not unknown or not getattr(code, "updating", False) or (
            getattr(code, "loss", "") is not None):  # of a layer alone
        return
    run = code.run(copy.deepcopy(values))
    douts = [np.random.default_rng(11).standard_normal(np.shape(one)) for one in run.outputs]
    found = code.backward(run, douts)
    after = {**values, **{one.name: values[one.name] - found[one.name] for one in code.wanted
                          if one.name in found and one.name in values}}

    def forward(**given):
        outputs = code.run({**copy.deepcopy(after), **given}).outputs
        return sum(float((one * dout).sum()) for one, dout in zip(outputs, douts)), None
    for name, place in unknown.items():
        moved = Composed(forward, lambda _, name=name: Named({name: found[name]}), code.title)
        if check_code(moved, {name: values[name]}):
            report.rows[place] = report.rows[place]._replace(detail=UPDATED_FIRST)


IN_TURN = ("right for small steps alone: what it is computed with has been changed already in this "
           "step")
NO_COPY = " (a row W[i] is no copy, W[i].copy() is)"


def _in_turn(check, report, reading):
    """One weight's step is taken with another one that has its step behind it: of rows that are
    looked up that is hardly meant otherwise."""
    if not (faint := getattr(reading.code, "faint", None)):
        return
    small = _rows(check, reading._replace(code=faint()), quickly=True)
    names = [row.name for row in report.counted() if not row.is_correct
             and row.name in small and small[row.name].is_correct]
    gradients = names and _gradients(reading.code, reading.values, 1.0, [np.ones(())])
    if names and all(np.ndim(gradients[name]) == 2 and not all(
            np.any(gradients[name], axis).all() for axis in (0, 1)) for name in names):
        leave_open(report, IN_TURN + NO_COPY, names)
    report.rows = [row._replace(detail=IN_TURN) if row.name in names and row.verdict
                   == verdict.UNKNOWN else row for row in report.rows]


NEXT = ("its backward asks for {0}, which may be that of the layer behind it: only a network says "
        "what comes in")


def _next_layers(check, report, reading):
    """delta · W.T of a layer's backward(delta, W) is due with the next layer's W, which no layer
    alone has."""
    code = reading.code
    method = getattr(code, "function", None) and getattr(code, "prototype", None) is not None and (
        getattr(code.prototype, code.function, None))
    asked = [p.name for p in binding.signature(method)] if method else []
    own = [name for name in asked if role(name) == "w" and name not in binding.names_of_dout(
        getattr(code.prototype, code.forward), method) and isinstance(
            vars(code.prototype).get(name), np.ndarray)]
    if own and check.found.kind == "class" and sum(one.array.ndim > 1 for one in code.wanted) == 1:
        leave_open(report, NEXT.format(own[0]))


CLIPPED = "right for small gradients, wrong for large ones: right if they are meant to be clipped"


def _clipped(check, report, reading):
    """What is clipped is no derivative: the gradients of a small dout tell whether it was one."""
    text = source(check.found.forward if check.found.kind == "class" else check.found.backward)
    small = _rows(check, reading._replace(code=Faint(reading.code))) if re.search(
        r"\b(clip|minimum|maximum|min|max|norm)\w*\(", text) else {}
    report.rows = [row if row.is_correct or row.name not in small else
                   row._replace(verdict=verdict.UNDECIDED, detail=CLIPPED, evidence="", map=())
                   if small[row.name].is_correct else small[row.name] for row in report.rows]


def _counted(check, report, _):
    """db = dz.sum() / 48000 is the mean over as many examples as the author has."""
    rows = report.counted()
    factors = {row.factor and round(1 / row.factor, 3) if row.verdict == verdict.FACTOR else None
               for row in rows}
    n = factors.pop() if len(factors) == 1 else None
    if n and n >= SOME and n == int(n) and re.search(
            rf"/ *{int(n)}\b", source(check.found.forward if check.found.kind == "class"
                                      else check.found.backward)):
        leave_open(report, f"right for {int(n)} examples: it divides by that number, whatever "
                   "comes in")


def _saturated(check, report, reading):
    """1 / (1 + exp(−clip(x, −10, 10))) has another derivative than σ(1 − σ) where x is clipped,
    which differs by little: that is what it is clipped for."""
    near = [row.name for row in report.counted() if not row.is_correct and row.error is not None
            and row.error < LITTLE]
    if not near or "clip(" not in source(check.module):
        return
    values = {name: 0.1 * value if binding.is_checked(value) else value
              for name, value in reading.values.items()}
    small = _rows(check, reading._replace(values=values), quickly=True)
    if right := [name for name in near if name in small and small[name].is_correct]:
        leave_open(report, "right but where x is clipped, if that is meant to keep exp from "
                   "overflow", right)


def _biases(check, report, reading):
    """Of x + b the b is a row for most: what is right for one as large as x alone says so. In a + b
    both are alike."""
    code, values, _ = reading
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    x = next(iter(values))
    name = next((name for name, value in arrays.items() if role(name) == "b" and value.ndim > 1
                 and value.shape == np.shape(arrays.get(x)) and name != x), None)
    if name is None or (plain(x), plain(name)) == ("a", "b") or name in check.request.named():
        return
    row = {**values, name: values[name][(0,) * (values[name].ndim - 1)]}
    moved = {**values, x: values[x] + 1, name: values[name] - 1}
    with contextlib.suppress(Exception):  # it does not take them
        if np.allclose(*[code.run(copy.deepcopy(one)).outputs[0] for one in (values, moved)]):
            again = _rows(check, reading._replace(values=row), quickly=True).get(name)
            if again and again.verdict in (verdict.SHAPE, verdict.NOT_SUMMED):
                leave_open(report, f"right for a {name} as large as {x}, wrong for one row, "
                           "which is not summed over", [name])


def _matrices(check, report, reading):
    """A capital letter means a matrix: what runs with one, but is right for a vector W alone, says
    so."""
    code, values, words = reading
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    w, x = (next((name for name in arrays if role(name) == one), None) for one in ("w", "x"))
    if not w or not x or not w[0].isupper() or len(arrays) > 2 or w in check.request.named() or {
            np.ndim(value) for value in arrays.values()} != {1}:
        return
    rows, columns = (np.stack([arrays[name], *[np.roll(arrays[name], n) + n for n in (1, 2)]])
                     for name in (x, w))
    for matrix in (columns.T, columns):
        given = {**values, x: rows[:2], w: matrix}
        with contextlib.suppress(ValueError):  # that is no matrix for it
            if np.ndim(code.run(copy.deepcopy(given)).outputs[0]) == 2:
                again, _ = check.reports([Reading(code, given, words)], quickly=True)
                if not (again and again[0][0]):
                    leave_open(report, f"right for a vector {w}, wrong for a matrix, with which "
                               "forward runs")
                return
