"""What a submission's process is asked for: functions by name, or the checks of its file.

Nothing here can be relied on by a grader, since the submission may change it: it computes values,
and decides nothing.
"""
import ast
import copy
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..students import finding
from ..students.checking import Check
from ..students.drawn.inputs import Request
from ..students.finding import NothingFound
from ..students.reading import files
from ..students.reading.files import explained
from .wire import signature

SCRIPT = 0.15  # of the time for one statement that is no definition
FAIR = 0.1  # of the time at least for each check
# of the time: for all of it, what is left may be needed; where a grader compares once more
PLANNED, CONFIRMED = 0.85, 0.6


class Submission:
    """The file of a job. restart: so that every run draws the same numbers. doing, returned:
    what is said when it is late."""

    def __init__(self, restart) -> None:
        self.restart, self.checks = restart, []
        self.path = self.module = self.theirs = None
        self.doing, self.returned, self.began = "reading the file", False, time.process_time()

    # an exercise

    def load(self, path: str) -> None:
        """Read the file of an exercise."""
        self.path = Path(path)
        course = types.ModuleType("course")
        course.check = lambda *answers: None  # the last line of an exercise; the grader checks
        sys.modules["course"] = course
        self.module = files.load(path)

    def names(self, names: list[str]) -> list:
        """What the submission calls so."""
        return [getattr(self.module, name, None) for name in names]

    def copy(self, target: Any) -> Any:
        """A copy of a Function."""
        return copy.copy(target)

    # a file with layers

    def reference(self, like: str | None) -> str | None:
        """Read the teacher's file: why it cannot be used, or None."""
        try:
            self.theirs = reference(like)
        except UserError as problem:
            return str(problem)
        return None

    def find(self, job: dict, known: dict | None) -> dict:
        """Read the file: {"found": an empty result for each check, "troubles": [(error, whether
        it counts)]}, or {"nothing": why there is nothing}. known: what may be known of the
        teacher's file, where it is not to be read here (confirming.Teacher)."""
        self.job, self.path = job, Path(job["file"]).resolve()
        options = {name: ast.literal_eval(value) for name, value in job["options"].items()}
        self.request = Request(job["shapes"], job["labels"], options, job["seed"],
                               job.get("constant", ()), in_order=bool(job.get("like")))
        self.share = job["timeout"] * (PLANNED if known is None else CONFIRMED)
        sys.argv[:], troubles = [str(self.path)], []
        try:
            theirs = self.theirs if known is None else _teacher(known)
            self.module = files.load(self.path, troubles, SCRIPT * job["timeout"])
            self.checks = [Check(self, item, self.module, theirs) for item in self._found(theirs)]
        except NothingFound as problem:
            if troubles and not isinstance(troubles[0][1], ImportError):
                raise troubles[0][1] from None
            besides = f"; besides, {troubles[0][1]}" if troubles else ""
            return {"nothing": f"{problem}{besides}"}
        troubles.sort(key=lambda trouble: not isinstance(trouble[0], files.DEFINITIONS))
        told = [[explained(error, self.path), isinstance(part, files.DEFINITIONS)]
                for part, error in troubles]
        for (one, _), (_, error) in zip(told, troubles):
            if isinstance(error, SystemExit):
                one["message"] += "; what comes after it is checked all the same"
        return {"found": [check.result for check in self.checks], "troubles": told}

    def _found(self, reference):
        if self.job["names"]:
            return finding.chosen(self.module, self.job["names"])
        if reference is not None:
            return [finding.like(self.module, item) for item in finding.everything(reference)]
        return finding.everything(self.module)

    def check(self, number: int) -> tuple[dict, dict]:
        """(the result of one check, what its comparison was made with)."""
        check, count = self.checks[number], len(self.checks)
        # of a step, whose loops are cut, what comes late is slow
        self.returned, step = check.trains, "one step of " * check.trains
        self.doing = f"{step}{check.result['checked']}"
        left = self.share - (time.process_time() - self.began)
        return check.told(count, max(left / min(2, count - number), FAIR * self.share)), check.basis

    # the code of a check, run again

    def _run(self, code, values):
        self.restart()
        return code.run(values)

    def outputs(self, code: Any, wanted: list[dict]) -> list:
        """What forward returns for each of these inputs."""
        return [list(map(np.array, self._run(code, values).outputs)) for values in wanted]

    def rest(self, code: Any, values: dict) -> list:
        """What forward returned besides, or kept."""
        return list(self._run(code, copy.deepcopy(values)).rest)

    def backward(self, code: Any, values: dict, douts: list, randomness: dict | None) -> object:
        """The gradients; what is written into the inputs or into dout is written there, too."""
        run = self._run(code, values)
        if randomness is not None:
            np.random.set_state(randomness)
        return code.backward(run, douts)

    def takes_dout(self, code: Any, values: dict) -> bool:
        """Has backward a place for dout?"""
        return bool(code.takes_dout(self._run(code, copy.deepcopy(values))))

    def attributes(self, target: Any, names: list[str]) -> dict:
        """Those that it has."""
        return {name: getattr(target, name) for name in names if hasattr(target, name)}


def reference(like: str | None) -> types.ModuleType | None:
    """The teacher's module, or None. Raises UserError where it cannot be used: that ends
    everything."""
    if like is None:
        return None
    try:
        module = files.load(like)
        finding.everything(module)
        return module
    except NothingFound as problem:
        raise UserError(f"{like}: {problem}.") from None
    except BaseException as error:
        told = explained(error, Path(like).resolve())
        raise UserError(f"{like} cannot be used: {told['kind']}: {told['message']}.") from None


def _teacher(known):
    """The teacher's file, as far as it may be known: forward functions, which the grader runs,
    and names."""
    module = sys.modules["teacher"] = finding.Known("teacher")
    for name, value in known["names"].items():
        if isinstance(value, dict):
            methods = {method: _function(method, places) for method, places in value.items()}
            setattr(module, name, type(name, (), {**methods, "__module__": "teacher"}))
        else:
            setattr(module, name, _function(name, None, value))
    module.found = [finding.Found(name, getattr(module, forward, None), None, kind, title)
                    for name, forward, kind, title in known["items"]]
    return module


def _function(name, places=None, theirs=None):
    """A function of the teacher's, called over there, or not written."""
    def function(*arguments, **keywords):
        if theirs is None:
            raise NotImplementedError(f"{name} is the teacher's")
        return theirs(*arguments, **keywords)

    function.__name__, function.__module__ = name, "teacher"
    if places is not None or theirs is not None:
        function.__signature__ = signature(places) if theirs is None else theirs.__signature__
    return function
