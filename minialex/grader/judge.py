"""Judges submissions, one after the other: what runs in the graders' own processes, which processes.py starts.

    a job in JSON on each line of standard input, a result on each line of its output

The submission's process (inside.py) says what there is to check, and with which inputs; every comparison is made here, with
values that are asked for one by one. What that process claims is believed only where a comparison of ours says the same.
"""
import copy
import inspect
import json
import os
import re
import sys
import threading
import time
from pathlib import Path

import numpy as np

from ..gradcheck import check
from ..gradcheck.numpy_code import Run
from ..gradcheck.verdicts import names as verdict
from . import finding, forms, inputs
from .remote import Gone, Remote, StudentError, load, parameters
from .submission import explained

ANSWERS = re.compile(r"back|bprop|grad|deriv|prime|delta|update|solution", re.IGNORECASE)  # what a teacher's file may give away
RIGHT = ("correct", "remarks")
KEYS = ("name", "checked", "status", "inputs", "drawn", "rows", "error", "text")
AHEAD = 2 ** 22  # bytes of a message
SOME = 4  # entries from which an array must not be constant


def judged(job):
    """{"file", "status", "checks", "error", "printed"}. When a check ends the submission's process, by a crash or an endless
    loop, the next process goes on with the check after it. {"usage": sentence} when the teacher's file cannot be used."""
    try:
        teacher = Teacher(job["like"]) if job["like"] is not None else None
    except finding.NothingFound as problem:
        return {"usage": f"{job['like']}: {problem}."}
    except BaseException as error:
        told = explained(error, Path(job["like"]).resolve())
        return {"usage": f"{job['like']} cannot be used: {told['kind']}: {told['message']}."}
    checks, error, printed, start = [], None, "", 0
    while start is not None:
        session = Session({**job, "start": start}, teacher)
        error, start = session.run()
        checks += session.checks
        printed = printed or session.printed
    return {"file": job["file"], "status": _status(checks, error), "checks": checks, "error": error, "printed": printed}


def _status(checks, error):
    found = {check["status"] for check in checks} | ({"error"} if error else set())
    return next((status for status in ("wrong", "error", "undecided", "remarks") if status in found), "correct")


class Teacher:
    """The teacher's file: read here, and never shown to a submission but for forward functions, which may be called."""

    def __init__(self, path):
        self.module = load(path)
        self.codes = {}
        self.items = {item.name: item for item in finding.everything(self.module)}

    def known(self):
        """{name: function, None, or {method: parameters}} as a submission may know it: what could be an answer is a name."""
        found = {}
        for name, value in vars(self.module).items():
            if inspect.isfunction(value):
                found[name] = None if ANSWERS.search(name) or name.endswith("_loss") else value
            elif inspect.isclass(value) and value.__module__ == self.module.__name__:
                found[name] = {method: parameters(function) for method, function in vars(value).items()
                               if inspect.isfunction(function)}
        return found

    def inputs(self, name, seed):
        """The arrays that the teacher wants `name` to be checked with, or None where none are given."""
        make = inputs.given(self.items[name], [self.module])
        if make is None:
            return None
        values = make(seed)
        return [value for value in (values.values() if isinstance(values, dict) else values) if isinstance(value, np.ndarray)]

    def forward(self, name):
        """values -> what the teacher's forward gives, or None where there is none to compare with."""
        theirs = self.items.get(name)
        if theirs is not None and theirs.kind == "class":
            return lambda values: self._of_class(theirs, values)
        if theirs is None or theirs.kind not in ("pair", "loss") or not inspect.isfunction(theirs.forward):
            return lambda values: None

        def outputs(values):
            try:
                found = theirs.forward(*copy.deepcopy(list(values.values())))
            except Exception:  # it is not written, or takes other arguments
                return None
            finally:
                np.random.seed(0)
            return found[0] if isinstance(found, tuple) else found
        return outputs


    def _of_class(self, theirs, values):
        """The output of the teacher's class with these inputs and parameters, as soon as a layout fits; or None."""
        codes = self.codes.get(theirs.name) or self._codes(theirs, inputs.Request({}, {}, {}, 0, ()))
        for code in codes:
            try:
                outputs = code.run(copy.deepcopy(values)).outputs
            except Exception:
                continue
            finally:
                np.random.seed(0)
            self.codes[theirs.name] = [code]
            return outputs[0] if len(outputs) == 1 else None
        return None

    @staticmethod
    def _codes(theirs, request):
        backward = theirs.backward[1]  # it may not be written: what it returns does not matter here
        cls = type(theirs.forward.__name__, (theirs.forward,), {backward: lambda self, dout=None, *others, **more: dout})
        theirs = theirs._replace(forward=cls)
        for layout in inputs.layouts(theirs.name, request):
            try:
                yield forms.of_class(theirs, layout, request)[0][0]
            except Exception:  # the constructor is not for this layout
                continue




class Session:
    """One process of one submission. checks: those that were finished, or that ended it; printed: what it printed."""

    def __init__(self, job, teacher):
        self.job, self.teacher = job, teacher
        self.checks, self.reports, self.begun, self.done, self.error = [], [], None, False, None
        self.printed, self.trouble = "", None

    def run(self):
        """(the error of the whole file or None, the number of the check to go on with or None)."""
        path = Path(self.job["file"]).resolve()
        remote = None
        try:
            remote = Remote(path, self.job["timeout"], self.job["memory"], self.job.get("alone", False), self.heard)
            known = self.teacher.known() if self.teacher else None
            remote.ask("check", {**self.job, "file": remote.process.place(path)}, known)
        except StudentError as error:
            self.error = self.error or error.told
        except Exception as error:
            self.error = {"kind": "not judged", "message": f"{type(error).__name__}: {error}"[:500], "lines": []}
        finally:
            if remote is not None:
                remote.end()
                self.printed = remote.printed()
        if self.begun is None:
            self.error = self.error or self.trouble
            if self.error is None and not self.done:
                self.error = _forged("it ended before it was checked")
            return self.error, None
        return self._ended_within_a_check()

    def _ended_within_a_check(self):
        """An error within a check becomes that check's."""
        if self.error is None and self.done:
            return None, None
        self.checks.append({**self.begun["empty"], "error": self.error or _forged("the checking was stopped by the code")})
        number = self.begun["number"] + 1
        return None, number if number < self.begun["of"] else None

    # what comes from the submission's process

    def heard(self, message):
        """The answer to a message. Raises what does not look like one: then the process is ended."""
        if "compare" in message:
            return self.compared(message["compare"], message["title"], message["values"], message["options"])
        line = message["say"]
        if "checking" in line:
            self.begun, self.reports = self._begun(line), []
        elif "check" in line:
            self.checks.append(self._confirmed(line["check"]))
            self._plot()
            self.begun = None
        elif "error" in line:
            self.error = {"kind": str(line["error"]["kind"]), "message": str(line["error"]["message"]),
                          "lines": list(line["error"]["lines"])}
        elif "trouble" in line and line["counts"]:
            self.trouble = self.trouble or dict(line["trouble"])
        elif "done" in line:
            self.done = self._complete()
        return {"value": None}

    def _begun(self, line):
        number, of = int(line["number"]), min(int(line["of"]), 1000)
        if number != self.job["start"] + len(self.checks):
            raise ValueError("out of order")
        return {"number": number, "of": of, "name": str(line["empty"]["name"]), "empty": dict(line["empty"])}

    def _plot(self):
        if not self.job["plot"] or not self.reports:
            return
        target = Path(self.job["plot"])
        if self.begun["of"] > 1:
            target = target.with_name(f"{target.stem}-{self.begun['name'].replace(os.sep, '_')}{target.suffix}")
        try:
            self.reports[-1][0].plot(target)
        except ValueError:  # nothing was compared: there is nothing to draw
            pass

    def _complete(self):
        """Has all been checked that was to be?"""
        if self.teacher is None or self.job["names"]:
            return True
        return [check["name"] for check in self.checks] == list(self.teacher.items)[self.job["start"]:]

    def compared(self, code, title, values, options):
        """{"value": number, "report": …}: the comparison of the submission's forward and backward, as a plain dictionary."""
        forward = self.teacher.forward(self.begun["name"]) if self.teacher and not self.job["names"] else None
        remote_code = RemoteCode(code, title, forward, self.job["file"])
        try:
            report = check.check_code(remote_code, values, **options)
        except Gone:
            raise
        except StudentError:
            return {"raised": True}
        except (TypeError, ValueError) as error:
            return {"failed": type(error).__name__, "message": str(error)}
        self.reports.append((report, self._trusted(remote_code, values, options)))
        return {"value": report.to_dict()}

    def _trusted(self, code, values, options):
        """Does this comparison say something about what was to be checked? With the teacher's inputs, all of them, and the
        teacher's forward; or with inputs that are not all the same."""
        arrays = [value for value in values.values() if isinstance(value, np.ndarray)]
        if any(array.dtype.kind == "f" and array.size >= SOME and array.min() == array.max() for array in arrays):
            return self.teacher is None
        if self.teacher is None or self.job["names"]:
            return True
        given = self.teacher.inputs(self.begun["name"], self.job["seed"])
        if given is not None and not self.job["shapes"]:
            kept = [array for name, array in values.items() if isinstance(array, np.ndarray) and
                    name not in options.get("constant", ())]
            if not all(any(np.array_equal(one, other) for other in kept) for one in given):
                return False
        return code.is_the_teachers is not False

    def _confirmed(self, claimed):
        """The result of a check as it was told, if what is said to be right has been found right here."""
        claimed = {**{key: claimed[key] for key in KEYS}, **claimed}
        if claimed["status"] not in RIGHT and not any(row["verdict"] == verdict.CORRECT for row in claimed["rows"]):
            return claimed
        said = {row["name"]: row["verdict"] for row in claimed["rows"]}
        for report, trusted in self.reports:
            right = {row.name for row in report.rows if row.is_correct or row.is_remark}
            if (trusted or claimed["status"] not in RIGHT) and {row.name for row in report.rows} <= said.keys() and \
                    {name for name, word in said.items() if word == verdict.CORRECT} <= right:
                return claimed
        return {**claimed, "status": "error", "rows": [], "text": "",
                "error": _forged("what it says of its gradients is not what was found")}


def _forged(message):
    return {"kind": "forged", "message": f"the code interferes with the checker: {message}", "lines": []}


class RemoteCode:
    """A submission's forward and backward, in whatever form: see gradcheck.numpy_code.Functions."""

    def __init__(self, code, title, teachers, path):
        self.path = str(path)
        self.code, self.remote, self.title = code, code._remote, str(title)[:200]
        self.teachers, self.is_the_teachers = teachers, None
        self.known = {}  # {values as bytes: outputs} of runs that were asked for ahead

    def run(self, values):
        expected = self.teachers(values) if self.teachers else None
        outputs = self.known.pop(_key(values), None) if self.known else None
        if outputs is not None:
            return Run(self._checked(list(outputs), expected), [], values)
        number, outputs, changed = self.remote.ask("run", self.code, values)
        values.update({name: value for name, value in changed.items() if name in values})
        return Run(self._checked(list(outputs), expected), Rest(self.remote, number), values, number)

    def ask_ahead(self, wanted):
        """Runs of forward alone, as many as fit a message at a time: waiting for each would take longer than computing it."""
        keys, self.known = [_key(values) for values in wanted], {}
        if not wanted or max(map(len, keys)) > AHEAD:
            return
        many = max(1, AHEAD // max(map(len, keys)))
        for start in range(0, len(wanted), many):
            found = self.remote.ask("runs", self.code, wanted[start:start + many])
            self.known.update(zip(keys[start:start + many], found))

    def _checked(self, outputs, expected):
        """The teacher's output where the submission's is the same: so nobody gains by bending forward where it is moved."""
        if expected is None or len(outputs) != 1 or self.is_the_teachers is False:
            return outputs
        try:
            self.is_the_teachers = np.shape(expected) == np.shape(outputs[0]) and \
                np.allclose(expected, outputs[0], rtol=1e-6, atol=1e-9)
        except (TypeError, ValueError):
            self.is_the_teachers = False
        is_double = getattr(outputs[0], "dtype", np.float64) == np.float64
        return [expected] if self.is_the_teachers and is_double else outputs

    def backward(self, run, douts):
        randomness = _random_numbers()
        gradients, moved, changed = self.remote.ask("back", self.code, run.state, douts, randomness)
        for dout, new in zip(douts, moved):
            if isinstance(dout, np.ndarray) and np.shape(new) == dout.shape:
                dout[...] = new
        run.inputs.update({name: value for name, value in changed.items() if name in run.inputs})
        return gradients

    def file(self):
        return self.path

    def takes_dout(self, run):
        return bool(self.remote.ask("takes_dout", self.code, run.state))


class Rest(list):
    """What forward returned besides its outputs, or kept: fetched when somebody looks at it."""

    def __init__(self, remote, number):
        super().__init__()
        self.remote, self.number, self.fetched = remote, number, None

    def items(self):
        if self.fetched is None:
            self.fetched = self.remote.ask("rest", self.number)
        return self.fetched

    def __iter__(self):
        return iter(self.items())

    def __len__(self):
        return len(self.items())


def _key(values):
    """All values as bytes."""
    parts = [value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode() for value in values.values()]
    return b"|".join(parts)


def _random_numbers():
    """The state of np.random where a comparison has set it since the last forward: see NumpyCode.found; else None."""
    state, start = np.random.get_state(), _START
    if state[2] == start[2] and np.array_equal(state[1], start[1]):
        return None
    return np.append(state[1], np.uint32(state[2]))


_START = np.random.RandomState(0).get_state()  # what every run of forward begins with: see subject.frozen


def _end_with(parent):
    """Who would read the results of a judge whose parent has ended?"""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main():
    """A result for each job, until the input ends. The channel is not standard output, so that nothing else gets into it."""
    sys.dont_write_bytecode = True  # nothing is left beside the teacher's file
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    for line in sys.stdin:
        out.write(json.dumps(judged(json.loads(line))) + "\n")
        out.flush()

