"""What a submission's process says of its gradients is not believed: the grader makes the
comparison once more.

The code stays where it is, and is asked for values one by one; which inputs, which dout, how exact
and what it means is decided here, in the grader's own process. Where the teacher's file gives
inputs they must be those, and where it has a forward the submission's must give the same.
"""
import contextlib
import copy
import functools
import inspect
import json
import re
from collections.abc import Callable

import numpy as np

from ..gradcheck.report import OPEN, REMARKS, Report
from ..gradcheck.tensor_function import frozen
from ..gradcheck.verdicts import names as verdict
from ..students import classes, finding
from ..students.called import check
from ..students.called.numpy_code import Functions, Run
from ..students.checking import FEWEST
from ..students.drawn import inputs
from ..students.forms import engines
from ..students.forms.layers import NotChecked
from ..students.status import STATUSES, status_of_report, without_gradient
from .remote import Gone, Remote, trimmed
from .submission import reference
from .wire import Far, StudentError, parameters, random_state

# what a teacher's file may give away
ANSWERS = re.compile(r"back|bprop|grad|deriv|prime|delta|update|solution", re.IGNORECASE)
AHEAD = 2 ** 22  # bytes of a message
LOST = "it stops, or gives another value than the teacher's"  # an operation of a scalar engine
NAMED = {*verdict.VERDICTS} - {verdict.CORRECT, *REMARKS, *OPEN}  # what is wrong, none of it right
SOME = 4  # entries from which an array must not be constant


def forged(message: str) -> dict:
    """The error of a submission whose word is not what was found."""
    return {"kind": "forged", "message": f"the code interferes with the checker: {message}",
            "lines": []}


def believed(told: object) -> dict:
    """An error as a submission's process tells it, in the form of one."""
    return trimmed(told) or forged("what it says of an error cannot be read")


NOTHING_FOUND = forged("what it says of its gradients is not what was found")
FORWARD = {"kind": "forward differs", "message": "forward is not that of the teacher's file",
           "lines": []}


class Teacher:
    """The teacher's file: read here, and never shown to a submission but for forward functions,
    which may be called."""

    def __init__(self, path: str) -> None:
        self.codes = {}
        self.module = reference(path)
        self.items = {item.name: item for item in finding.anything(self.module)}

    def known(self) -> dict:
        """What a submission may know. names: {name: function, None, or {method: parameters}}, so
        that what could be an answer is a name; items: (name, the forward's name, kind, title) of
        what is to be checked."""
        found = {}
        for name, value in vars(self.module).items():
            if inspect.isfunction(value):
                found[name] = None if ANSWERS.search(name) or name.endswith("_loss") else value
            elif inspect.isclass(value) and value.__module__ == self.module.__name__:
                found[name] = {method: parameters(function)
                               for method, function in vars(value).items()
                               if inspect.isfunction(function)}
        return {"names": found, "items": [(item.name, getattr(item.forward, "__name__", item.name),
                                           item.kind, item.title) for item in self.items.values()]}

    def inputs(self, name: str, seed: int) -> list[np.ndarray]:
        """The arrays that the teacher wants `name` to be checked with."""
        values = inputs.given(self.items[name], [self.module], seed) or ()
        return [value for value in (values.values() if isinstance(values, dict) else values)
                if isinstance(value, np.ndarray)]

    def forward(self, name: str, values: dict) -> object:
        """What the teacher's forward gives, or None where there is none to compare with, or where
        it takes other arguments."""
        theirs = self.items.get(name)
        if theirs is None or not (theirs.kind in ("pair", "loss", "class")
                                  and callable(theirs.forward)):
            return None
        if name not in self.codes:
            self.codes[name] = list(self._codes(theirs))
        for code in list(self.codes[name]):
            try:
                found = code.run(copy.deepcopy(values)).outputs[0]
            except NotImplementedError:  # it is not written, whatever the values are
                self.codes[name].remove(code)
                continue
            except Exception:  # this layout does not fit
                continue
            finally:
                np.random.seed(0)
            self.codes[name] = [code]
            return found
        return None

    @staticmethod
    def _codes(theirs):
        """Code for his forward; for a class one for each layout that its constructor takes."""
        if theirs.kind != "class":
            with contextlib.suppress(NotChecked):
                finding.begin(theirs)
                yield Functions(theirs.forward, theirs.backward)
            return
        backward = theirs.backward[1]  # it may not be written: what it returns does not matter here
        inert = {backward: lambda self, dout=None, *others, **more: dout} if backward else {}
        cls = type(theirs.forward.__name__, (theirs.forward,), inert)
        for layout in inputs.layouts(theirs.name, inputs.Request()):
            with contextlib.suppress(Exception):  # the constructor is not for this layout
                theirs = theirs._replace(forward=cls)
                yield classes.of_class(theirs, layout, inputs.Request())[0].code


def shaped(claimed: dict, begun: dict) -> dict:
    """A result of a check as it is documented, whatever a submission's process says. Raises an
    Exception for what is none."""
    claimed = json.loads(json.dumps(claimed))
    told = {**begun, "status": str(claimed["status"]),
            "text": str(claimed["text"]), "drawn": claimed["drawn"] is True,
            "inputs": {str(name): str(value) for name, value in claimed["inputs"].items()},
            "rows": [{**row, "name": str(row["name"]), "verdict": str(row["verdict"]),
                      "detail": str(row["detail"])} for row in claimed["rows"]],
            "error": claimed["error"] and believed(claimed["error"])}
    if told["status"] not in STATUSES:
        raise ValueError("there is no such status")
    return told


def confirmed(told: dict, basis: dict, teacher: Teacher, remote: Remote, job: dict) -> dict:
    """The result of a check, with the rows that are found here. told: what the submission's process
    says; basis: the "code", "values", … that it says it was found with."""
    if told["error"]:
        return {**told, "status": "wrong" if told["status"] == "wrong" else "error"}
    report, problem = _report(basis, told["name"], teacher, remote, job)
    if problem:
        return {**told, "status": "error", "rows": [], "text": "", "error": problem}
    if told["status"] == "undecided" and report:
        report.rows = _left_open(report.rows, told["rows"])
    said = {row["name"]: row["verdict"] for row in told["rows"]}
    # which mistake it is, its own process may have had the time to find out
    rows = [{**row, "verdict": said[row["name"]]} if said.get(row["name"]) in NAMED and (
        row["verdict"], row["evidence"] == LOST) == (verdict.UNKNOWN, False) else row
            for row in report.to_dict()["rows"]]
    names = {row["name"] for row in rows}
    more = [row for row in told["rows"] if row["name"] not in names and row["verdict"] != "correct"]
    status = "wrong" if more else status_of_report(report)
    if status in ("correct", "remarks") and told["status"] in ("error", "wrong", "undecided"):
        return told  # forward differs, or further inputs show what these do not
    as_said = {row["name"]: row["verdict"] for row in rows + more} == said
    return {**told, "status": status, "rows": rows + more,
            "text": told["text"] if as_said else str(report)}


def _left_open(rows, told):
    """What is right here, and was said to be undecided: right for the inputs of this comparison,
    and not for others."""
    said = {row["name"]: row["detail"][:200] for row in told if row["verdict"] == verdict.UNDECIDED}
    return [row._replace(verdict=verdict.UNDECIDED, detail=said[row.name]) if row.is_correct
            and row.name in said else row for row in rows]


def _report(basis: dict, name: str, teacher: Teacher, remote: Remote,
            job: dict) -> tuple[Report | None, dict | None]:
    """(the comparison, None), or (None, an error) where it says nothing about what was to be
    checked."""
    try:
        if teacher.items[name].kind == "engine":
            return _of_engine(teacher.items[name], basis["codes"], job["seed"]), None
        code, values = basis["code"], basis["values"]
        if not isinstance(code, Far) or not _tell_something(values,
                                                            teacher.inputs(name, job["seed"])):
            return None, NOTHING_FOUND
        code = RemoteCode(code, str(basis["title"])[:200],
                          lambda given: teacher.forward(name, given), job["file"])
        samples = None if basis["samples"] is None else max(FEWEST, int(basis["samples"]))
        with frozen():
            report = check.check_code(code, values, samples=samples, seed=job["seed"],
                                      cost=float(basis["cost"]),
                                      mean_over_examples=job.get("mean_over_examples", False),
                                      seconds=float(basis["seconds"]))
    except Gone:
        raise
    except (StudentError, TypeError, ValueError, KeyError):
        return None, NOTHING_FOUND
    return report, FORWARD if code.is_the_teachers is False else None


def _of_engine(found, codes, seed):
    """The comparison of a scalar engine. What the teacher's class computes, and the submission's
    does not, is wrong."""
    wanted = engines.expressions(found.forward)
    remote = {expression: RemoteCode(code, expression,
                                     functools.partial(_value, found.forward, expression), "")
              for expression, code in codes.items() if expression in wanted}
    told = engines.report(found, remote, seed)
    compared = {row.name: remote.get(row.name.rpartition(", by ")[0]) for row in told.rows}
    told.rows = [row for row in told.rows if (code := compared[row.name]) is not None
                 and code.is_the_teachers is not False]
    followed = {row.name for row in told.rows}
    for expression in wanted:
        # his class has no such operation, or not for plain numbers
        with contextlib.suppress(Exception):
            _value(found.forward, expression, engines.leaves_of(expression))
            told.rows += [without_gradient(name)._replace(verdict=verdict.UNKNOWN,
                                                                   evidence=LOST)
                          for name in engines.rows_of(expression) if name not in followed]
    return told


def _value(cls, expression, values):
    """What the teacher's engine gives; None where that is not written."""
    try:
        return engines.computed(expression, cls, values)[0]
    except NotImplementedError:
        return None


def _tell_something(values, wanted):
    """Are these the teacher's inputs, all of them; or, where there are none, such as are not all
    the same?"""
    arrays = [value for value in values.values() if isinstance(value, np.ndarray)]
    if any(array.dtype.kind == "f" and array.size >= SOME and array.min() == array.max()
           for array in arrays):
        return False
    return all(any(np.array_equal(one, other) for other in arrays) for one in wanted)


class RemoteCode:
    """A submission's forward and backward, in whatever form: see students/called/numpy_code.py.
    The state of a Run are the inputs as they were before it: whatever is asked of it, the code is
    run again."""

    def __init__(self, code: Far, title: str, teachers: Callable[[dict], object],
                 path: str) -> None:
        self.ask, self.title, self.path = functools.partial(_ask, code), title, str(path)
        self.teachers, self.is_the_teachers = teachers, None
        self.known = {}  # {values as bytes: outputs} of runs that were asked for ahead

    def run(self, values: dict) -> Run:
        """A Run with these values, over there."""
        before, expected = copy.deepcopy(values), self.teachers(values)
        outputs = self.known.pop(_key(values), None) if self.known else None
        if outputs is None:
            (outputs,) = self.ask("outputs", [values])
        return Run(self._checked(list(outputs), expected), _rest(self, before), values, before)

    def ask_ahead(self, wanted: list[dict]) -> None:
        """Runs of forward alone, as many as fit a message at a time: waiting for each would take
        longer than computing it."""
        keys, self.known = [_key(values) for values in wanted], {}
        if not wanted or max(map(len, keys)) > AHEAD:
            return
        many = max(1, AHEAD // max(map(len, keys)))
        for start in range(0, len(wanted), many):
            found = self.ask("outputs", wanted[start:start + many])
            self.known.update(zip(keys[start:start + many], found))

    def _checked(self, outputs, expected):
        """The teacher's output where the submission's is the same: so nobody gains by bending
        forward where it is moved."""
        if expected is None or len(outputs) != 1 or self.is_the_teachers is False:
            return outputs
        try:
            self.is_the_teachers = np.shape(expected) == np.shape(outputs[0]) and \
                np.allclose(expected, outputs[0], rtol=1e-6, atol=1e-9)
        except (TypeError, ValueError):
            self.is_the_teachers = False
        is_double = getattr(outputs[0], "dtype", np.float64) == np.float64
        return [expected] if self.is_the_teachers and is_double else outputs

    def backward(self, run: Run, douts: list) -> object:
        """The gradients; dout and the inputs are changed here as they were there."""
        values = copy.deepcopy(run.state)
        gradients = self.ask("backward", values, douts, random_state())
        run.inputs.update(values)
        return gradients

    def file(self) -> str:
        """Where the code is written."""
        return self.path

    def takes_dout(self, run: Run) -> bool:
        """Has backward a place for dout?"""
        return bool(self.ask("takes_dout", run.state))


def _ask(code, what, *arguments):
    return code._peer.ask(what, code, *arguments)


def _rest(code, values):
    """What forward returned besides its outputs, or kept: fetched when somebody looks at it."""
    yield from code.ask("rest", values)


def _key(values):
    """All values as bytes."""
    return b"|".join(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
                     for value in values.values())
