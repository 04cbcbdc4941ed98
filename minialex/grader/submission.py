"""Checks one submission, in its own process: what is found out is said at once, so that it survives a crash in a later check.

    {"checking": name, …}    {"check": {…}}    {"trouble": {…}}    {"error": {…}}    {"usage": sentence}    {"done": True}
"""
import ast
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import files, finding
from .checking import Check
from .files import explained
from .finding import NothingFound
from .inputs import Request

SCRIPT = 0.15  # of the time for one statement that is no definition
FAIR = 0.1  # of the time at least for each check
CONFIRMED = 0.6  # of the time for us where a grader makes the comparison once more


class Submission:
    """The file of a job. teacher: the module of the teacher's file, where that is not to be read here."""

    def __init__(self, job: dict, say: Callable[..., None], teacher=None) -> None:
        self.job, self.say, self.teacher, self.path = job, say, teacher, Path(job["file"]).resolve()
        options = {name: ast.literal_eval(value) for name, value in job["options"].items()}
        self.request = Request(job["shapes"], job["labels"], options, job["seed"], job.get("constant", ()))
        self.doing, self.returned, self.began = "reading the file", False, time.process_time()

    def run(self) -> None:
        """Says all that there is to say."""
        sys.argv[:] = [str(self.path)]
        troubles, seconds = [], self.job["timeout"]
        try:
            reference = self.teacher or self._reference()
            module = files.load(self.path, troubles, SCRIPT * seconds)
            found = self._found(module, reference)
        except Unusable as problem:
            return self.say(usage=str(problem))
        except NothingFound as problem:
            nothing = {"kind": "nothing to check", "message": str(problem), "lines": []}
            return self.say(error=explained(troubles[0][1], self.path) if troubles else nothing)
        except BaseException as error:  # SystemExit and KeyboardInterrupt, too: nothing in a submission stops us
            return self.say(error=explained(error, self.path))
        if not self.job["start"]:
            self._tell_troubles(troubles)
        share = CONFIRMED if self.teacher else 1
        for number, item in list(enumerate(found))[self.job["start"]:]:
            check = Check(self, item, module, reference)
            self.doing, self.returned = item.title, False
            left = share * seconds - (time.process_time() - self.began)
            self.say(checking=item.title, number=number, of=len(found), empty=check.result)
            result = check.told(len(found), max(left / min(2, len(found) - number), FAIR * share * seconds))
            self.say(check=result, **check.basis)
        return self.say(done=True)

    def _reference(self):
        """The teacher's module, or None. A mistake in it ends everything."""
        like = self.job["like"]
        if like is None:
            return None
        try:
            module = files.load(like)
            finding.everything(module)
            return module
        except NothingFound as problem:
            raise Unusable(f"{like}: {problem}.") from None
        except BaseException as error:
            told = explained(error, Path(like).resolve())
            raise Unusable(f"{like} cannot be used: {told['kind']}: {told['message']}.") from None

    def _found(self, module, reference):
        if self.job["names"]:
            return finding.chosen(module, self.job["names"])
        if reference is not None:
            return [finding.like(module, item) for item in finding.everything(reference)]
        return finding.everything(module)

    def _tell_troubles(self, troubles):
        """A definition that failed counts; a test cell or another line that failed is only said."""
        for part, error in sorted(troubles, key=lambda trouble: not isinstance(trouble[0], files.DEFINITIONS)):
            self.say(trouble=explained(error, self.path), counts=isinstance(part, files.DEFINITIONS))


class Unusable(Exception):
    """The teacher's file cannot be used; the message says why."""
