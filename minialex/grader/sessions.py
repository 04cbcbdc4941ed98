"""Submissions, each checked in a process of its own with a limit of time and memory.

    for result in results(jobs): ...      a dictionary for each, in their order, several at a time
    graded(job)                           for a grader: believes nothing that a submission says

A job: {"file", "names", "like", "shapes", "labels", "options", "seed", "plot", "timeout",
"memory"}; "level": of sandbox.py, by default the strongest. A result has always the same keys:
file, status, checks, error, printed. status is "correct", "remarks" (the gradients are right, but
dout or an input is changed in place, or an axis of length 1 is too many), "wrong" (a gradient is),
"undecided" (nothing wrong is proven, nor right) or "error" (something could not be run, or looks
like a layer and was not checked). docs/gradient-checking.md documents them all.
"""
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path

from ..errors import UserError
from ..gradcheck.tensor_function import frozen
from ..students.reading import files
from ..students.status import as_elsewhere, empty, status_of
from ..utils.machine import processes_start
from .confirming import Teacher, believed, confirmed, forged, shaped
from .remote import Remote
from .sandbox import Process
from .submission import Submission
from .wire import StudentError


def results(jobs: list[dict], at_once: int | None = None) -> Iterator[dict]:
    """Yields one result after the other. Raises UserError when the teacher's file cannot be
    used."""
    stopped = threading.Event()
    if not processes_start():
        yield from (_result(job, None, stopped) for job in jobs)
        return
    with ThreadPoolExecutor(at_once or os.cpu_count() or 1) as pool:
        futures = [pool.submit(_result, job, None, stopped) for job in jobs]
        try:
            for future in futures:
                yield future.result()
        finally:  # also after Ctrl-C
            stopped.set()
            for process in list(Process.alive):
                process.end()


def graded(job: dict) -> dict:
    """The result of a job whose comparisons are made once more, here. One at a time in a
    process: np.random is shared."""
    return _result(job, Teacher(job["like"]), threading.Event())


def _result(job, teacher, stopped):
    """When a check ends its process, by a crash or an endless loop, the next process goes on
    with the check after it."""
    session, left = Session(job, teacher), True
    while left and not stopped.is_set():
        left = session.run()
    as_elsewhere(session.checks)
    troubles = [told for told, counts in session.troubles if counts]
    status = status_of(session.checks, session.error or troubles)
    error = session.error or next((told for told, _ in session.troubles), None)
    return {"file": job["file"], "status": status, "checks": session.checks, "error": error,
            "printed": session.printed, **({"label": job["label"]} if "label" in job else {})}


class Here:
    """Stands for the process where none can be started, as in a browser: the submission in this
    one, not confined."""

    def __init__(self, path: Path) -> None:
        self.path, self.process, self.said, self.left = path, self, StringIO(), ExitStack()

    def __enter__(self):
        self.left.enter_context(redirect_stdout(self.said))
        self.submission = Submission(self.left.enter_context(frozen()))
        return self

    def __exit__(self, *exception):
        self.left.close()

    def ask(self, what: str, *arguments):
        """What this method of the submission returns. Raises StudentError for what the code
        raises."""
        try:
            return getattr(self.submission, what)(*arguments)
        except Exception as error:
            raise StudentError(files.explained(error, self.path)) from error

    def place(self, path):
        """Where the file is: where it was."""
        return str(path)

    def printed(self) -> str:
        """What the code printed."""
        return self.said.getvalue()


class Session:
    """The checks of one submission, finished or ended, from one process or several. error: of
    the whole file; troubles: of its lines; printed: what it printed."""

    def __init__(self, job: dict, teacher: Teacher | None) -> None:
        self.job, self.teacher = job, teacher
        self.checks, self.troubles, self.error, self.printed = [], [], None, ""

    def run(self) -> bool:
        """Ask one process, to the end or until the code ends it; then: is something left to
        check?"""
        path, like, done = Path(self.job["file"]).resolve(), self.job["like"], len(self.checks)
        found = []
        try:
            trusted, alone = self.teacher is None, self.job.get("alone")
            seen = [path] if alone else files.around(path, trusted)
            seen += [like] if like and trusted else []
            limits = self.job["timeout"], self.job["memory"], self.job.get("level")
            with Remote(seen, *limits) if processes_start() else Here(path) as remote:
                try:
                    found = self._found(remote, {**self.job, "file": remote.process.place(path),
                                                 "like": like and remote.process.place(like)})
                    for number in range(done, len(found)):
                        stopped = forged("the checking was stopped by the code")
                        self.checks.append({**found[number], "error": stopped})
                        self.checks[number] = self._checked(remote, number)
                finally:
                    self.printed = self.printed or remote.process.printed()
        except UserError:
            raise
        except Exception as error:  # of whatever kind: it may not stop the grading of others
            self._failed(error, in_check=len(self.checks) > done)
        return bool(self.checks[done:]) and len(self.checks) < len(found)

    def _found(self, remote, job):
        """An empty result for each check."""
        # before anything of the submission is run
        if not self.teacher and (why := remote.ask("reference", job["like"])):
            raise UserError(str(why))
        answer = remote.ask("find", job, self.teacher and self.teacher.known())
        if "nothing" in answer:
            why = str(answer["nothing"])
            self.error = {"kind": "nothing to check", "message": why, "lines": []}
            return []
        if not self.checks:
            self.troubles = [(believed(told), bool(counts)) for told, counts in answer["troubles"]]
        names = sorted(one["name"] for one in answer["found"])
        if self.teacher and names != sorted(self.teacher.items):
            raise ValueError("these are not the teacher's layers")
        return [empty(str(one["name"]), str(one["checked"])) for one in answer["found"]]

    def _checked(self, remote, number):
        result, basis = remote.ask("check", number)
        told = shaped(result, {**self.checks[number], "error": None})
        return confirmed(told, basis, self.teacher, remote, self.job) if self.teacher else told

    def _failed(self, error, in_check):
        """What ends a check is that check's, what comes before them the file's."""
        why = f"the answers cannot be judged: {type(error).__name__}: {error}"[:500]
        told = error.told if isinstance(error, StudentError) else \
            {"kind": "not judged", "message": why, "lines": []}
        if in_check:
            self.checks[-1]["error"] = told
        else:
            self.error = told
