"""Checks one submission, in a process of its own: `python -m minialex.grader.submission FOLDER`, started by processes.py.

FOLDER holds job.json. What is found out is appended to result.jsonl there, a line as soon as it is known, so that the
checks that were done survive a crash or an endless loop in a later one:

    {"checking": title, ...}    {"check": {...}}    {"error": {...}}    {"usage": sentence}    {"done": true}

What a student's code prints goes to standard output and disturbs nothing. This keeps mistakes apart, not malice: it is no
place to run code that you would not run yourself.
"""
import ast
import copy
import inspect
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy as np

import minialex as ma

from ..gradcheck.verdicts import names as verdict
from . import finding, inputs
from .finding import NothingFound
from .inputs import CannotDraw, Request
from .processes import PATIENCE

UNPROVEN = {verdict.UNDECIDED, verdict.DTYPE, verdict.RANDOM, verdict.KINK, verdict.NOT_COMPARED}  # neither right nor wrong
OUT_OF_TIME = 3  # exit status
FRAMES = 6  # how many of the student's lines are shown at most


class Submission:
    """The file of a job, and the lines of its result."""

    def __init__(self, folder):
        self.job = json.loads((folder / "job.json").read_text("utf-8"))
        self.path = Path(self.job["file"]).resolve()
        self.result = open(folder / "result.jsonl", "a", encoding="utf-8")
        options = {name: ast.literal_eval(value) for name, value in self.job["options"].items()}  # JSON knows no tuples
        self.request = Request(self.job["shapes"], self.job["labels"], options, self.job["seed"])
        self.doing = "reading the file"

    def say(self, **line):
        self.result.write(json.dumps(line) + "\n")
        self.result.flush()

    def run(self):
        reference = self._reference()
        try:
            module = finding.load(self.path)
            found = self._found(module, reference)
        except NothingFound as problem:
            self.say(error={"kind": "nothing to check", "message": str(problem), "lines": []})
            return
        except BaseException as error:  # SystemExit and KeyboardInterrupt, too: nothing in a submission stops us
            self.say(error=explained(error, self.path))
            return
        for number, item in list(enumerate(found))[self.job["start"]:]:
            check = Check(self, item, module, reference)
            self.doing = item.title
            self.say(checking=item.title, number=number, of=len(found), empty=check.result)
            self.say(check=check.told(len(found)))

    def _reference(self):
        """The teacher's module, or None. A mistake in it ends everything."""
        if self.job["like"] is None:
            return None
        try:
            module = finding.load(self.job["like"])
            finding.everything(module)
            return module
        except NothingFound as problem:
            self.stop(f"{self.job['like']}: {problem}.")
        except BaseException as error:
            told = explained(error, Path(self.job["like"]).resolve())
            self.stop(f"{self.job['like']} cannot be used: {told['kind']}: {told['message']}.")

    def stop(self, sentence):
        self.say(usage=sentence)
        leave(0)

    def _found(self, module, reference):
        if self.job["names"]:
            return finding.chosen(module, self.job["names"])
        if reference is not None:
            return [finding.like(module, item.name) for item in finding.everything(reference)]
        return finding.everything(module)

    def watch(self, seconds, thread):
        """In a thread of its own: waits for too much computing time, or waiting, says where the code is, and ends it all.
        Code that never lets another thread run is ended by the system (limit_resources), or by processes.py."""
        began = time.monotonic(), time.process_time()
        while time.process_time() - began[1] < seconds and time.monotonic() - began[0] < PATIENCE * seconds:
            time.sleep(0.1)
        frame = sys._current_frames().get(thread)
        stack = traceback.extract_stack(frame) if frame is not None else []
        message = f"{self.doing} was not done after {seconds:g} s (--timeout): does a loop never end?"
        self.say(error={"kind": "out of time", "message": message, "lines": own_lines(stack, self.path)})
        leave(OUT_OF_TIME)


class Check:
    """One pair, loss or layer of a submission."""

    def __init__(self, submission, found, module, reference):
        self.found, self.module, self.reference = found, module, reference
        self.job, self.path, self.request = submission.job, submission.path, submission.request
        self.result = {"name": found.name, "checked": found.title, "status": "error", "inputs": {}, "drawn": False,
                       "rows": [], "error": None, "text": ""}

    def told(self, count):
        """The dictionary that goes into the result; README and --help document its keys."""
        if self.found.kind == "missing":
            self._failed("missing", f"the file defines no {self.found.title}")
            return self.result
        try:
            values = self._given() or self._drawn()
            if values is not None:
                report = self._report(values)
                self._judged(report)
                if self._same_forward(values) is False:
                    self.result["status"] = "wrong"
                if self.job["plot"]:
                    self._plot(report, count)
        except CannotDraw as problem:
            self._failed("no inputs", str(problem))
        except BaseException as error:
            self.result["error"] = explained(error, self.path)
        return self.result

    def _failed(self, kind, message, lines=()):
        self.result["error"] = {"kind": kind, "message": message, "lines": list(lines)}

    def _given(self):
        modules = [module for module in (self.reference, self.module) if module is not None]
        make = inputs.given(self.found, modules)
        if make is None or self.request.named():
            return None
        values = make(self.request.seed)
        self.result["inputs"] = inputs.told(values if isinstance(values, dict) else dict(enumerate(values)))
        return values

    def _drawn(self):
        """The first drawn inputs with which forward runs; where there are none, the first error is raised or explained."""
        first, tried = None, None
        for values in inputs.drawn(self.found, self.request):
            try:
                self._try(values)
            except (NotImplementedError, MemoryError, RecursionError, SystemExit, KeyboardInterrupt):
                raise
            except Exception as error:
                first, tried = first or error, tried or values
                continue
            self.result.update(inputs=inputs.told(values), drawn=True)
            return values
        self.result.update(inputs=inputs.told(tried), drawn=True)
        unclear = inputs.mysterious(self.found, self.request)
        if not unclear:
            raise first
        told = explained(first, self.path)
        self._failed("no inputs", f"what {', '.join(unclear)} is its name does not say, and with {tried_with(tried, unclear)} "
                     f"comes {told['kind']}: {told['message']}. Give --shape {unclear[0]}=…, --option {unclear[0]}=… or a "
                     f"function {self.found.name}_inputs(generator).", told["lines"])
        return None

    def _try(self, values):
        with np.errstate(all="ignore"):
            output = self._forward(self.found, values)
        output = output[0] if isinstance(output, tuple) and output else output
        if self.found.kind != "layer" and not np.isfinite(np.asarray(output, dtype=np.float64)).all():
            raise ValueError(f"{self.found.name} gives NaN or infinity for drawn inputs: choose others, with a function "
                             f"{self.found.name}_inputs(generator).")

    @staticmethod
    def _forward(found, values):
        values = copy.deepcopy(values)
        if found.kind == "layer":
            layer = found.forward() if isinstance(found.forward, type) else found.forward
            with ma.no_grad():
                return layer(*[ma.Tensor(np.asarray(value, dtype=np.float32)) for value in values.values()])
        return found.forward(**values)

    def _report(self, values):
        """Of drawn inputs a second report follows, with whole numbers: it counts where it proves something wrong."""
        report = self._compared(values)
        whole = inputs.whole_numbers(values, self.request.seed) if report and self.result["drawn"] else None
        if whole is None:
            return report
        try:
            again = self._compared(whole)
        except ValueError:  # 0 may lie outside the domain
            return report
        if {row.verdict for row in again.rows} <= {verdict.CORRECT, *UNPROVEN}:
            return report
        self.result["inputs"] = {**inputs.told(whole), "and": "the first of them whole numbers"}
        return again

    def _compared(self, values):
        if self.found.kind == "layer":
            layer = self.found.forward() if isinstance(self.found.forward, type) else self.found.forward
            arrays = list(values.values() if isinstance(values, dict) else values)
            return ma.gradcheck(layer, arrays, seed=self.request.seed)
        return ma.check_backward(self.found.forward, self.found.backward, values, seed=self.request.seed)

    def _judged(self, report):
        self.result.update(rows=report.to_dict()["rows"], text=str(report))
        verdicts = {row.verdict for row in report.rows} - {verdict.CORRECT}
        self.result["status"] = "correct" if not verdicts else "undecided" if verdicts <= UNPROVEN else "wrong"

    def _same_forward(self, values):
        """Does forward give what the teacher's gives? None without a teacher's, or where that is not written either."""
        theirs = self.reference and finding.like(self.reference, self.found.name)
        if not theirs or theirs.kind not in ("pair", "loss") or self.found.kind != theirs.kind:
            return None
        if not isinstance(values, dict):
            values = dict(zip(inspect.signature(theirs.forward).parameters, values))
        outputs = []
        for item in (theirs, self.found):
            np.random.seed(self.request.seed)
            try:
                output = item.forward(*copy.deepcopy(list(values.values())))
            except NotImplementedError:
                return None
            outputs.append(np.asarray(output[0] if isinstance(output, tuple) else output))
        expected, got = outputs
        if expected.shape != got.shape:
            self._failed("forward differs", f"forward returns shape {got.shape}, that of {Path(self.job['like']).name} "
                         f"{expected.shape}")
        elif not np.allclose(expected, got, rtol=1e-6, atol=1e-9):
            index = np.unravel_index(np.argmax(abs(expected - got)), expected.shape)
            where = f"at {[int(i) for i in index]} it gives" if index else "it gives"
            self._failed("forward differs", f"forward is not that of {Path(self.job['like']).name}: {where} {got[index]:.6g} "
                         f"instead of {expected[index]:.6g}")
        return self.result["error"] is None

    def _plot(self, report, count):
        target = Path(self.job["plot"])
        if count > 1:
            target = target.with_name(f"{target.stem}-{self.found.name}{target.suffix}")
        try:
            report.plot(target)
        except ValueError:  # nothing was compared: there is nothing to draw
            pass


def tried_with(values, names):
    """The shapes that a pair was tried with, for a sentence."""
    return ", ".join(f"{name} {shape}" for name, shape in inputs.told(values).items() if name in names)


def explained(error, path):
    """{"kind", "message", "lines"} of an exception: the lines of the student's own code only."""
    lines = own_lines(traceback.extract_tb(error.__traceback__), path)
    message = str(error).strip()
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).resolve().parent == path.parent:
        lines = [{"file": Path(error.filename).name, "line": error.lineno, "in": "", "code": (error.text or "").strip()}]
        message = error.msg
    elif isinstance(error, SystemExit):
        message = f"the code ends the program (exit status {error.code}): remove the call of exit()"
    elif isinstance(error, EOFError) and "input(" in "".join(line["code"] for line in lines):
        message = "the code waits for the keyboard: remove the call of input()"
    elif isinstance(error, RecursionError):
        message = "the function calls itself without end"
    elif isinstance(error, MemoryError):
        message = message or "more memory was asked for than a submission may use (--memory)"
    elif isinstance(error, NotImplementedError):
        message = message or "this part has not been written yet"
    return {"kind": type(error).__name__, "message": message[:2000], "lines": lines}


def own_lines(stack, path):
    """The frames in the student's file, or in files beside it; the first and last few of very many."""
    package = Path(ma.__file__).resolve().parent
    own = []
    for frame in stack:
        place = Path(frame.filename).resolve()
        if place == path or place.parent == path.parent and package not in place.parents:
            code = (frame.line or "").strip()
            own.append({"file": place.name, "line": frame.lineno, "in": frame.name.replace("<module>", ""), "code": code})
    return own if len(own) <= FRAMES else own[:FRAMES // 2] + own[-FRAMES // 2:]


def limit_resources(megabytes, seconds):
    """Memory and computing time, where the system can. (macOS ignores the limit of memory; Windows has neither.)"""
    try:
        import resource
    except ImportError:
        return
    seconds = int(time.process_time() + seconds) + 3  # after the watchdog, which can say more
    for limit, value in ((resource.RLIMIT_AS, megabytes * 2 ** 20), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))
        except (ValueError, OSError):  # the system allows less, or has no such limit
            pass


def leave(status):
    """At once: a submission's threads and exit handlers have no say."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(status)


def main():
    """One submission, checked in this process, which ends with it: its limits and its leftovers are nobody else's."""
    submission = Submission(Path(sys.argv[1]))
    sys.path[:] = [entry for entry in sys.path if entry not in ("", os.getcwd())]
    sys.argv = [str(submission.path)]
    seconds = submission.job["timeout"]
    limit_resources(submission.job["memory"], seconds)
    threading.Thread(target=submission.watch, args=(seconds, threading.get_ident()), daemon=True).start()
    submission.run()
    submission.say(done=True)
    leave(0)


if __name__ == "__main__":
    main()
