"""Submissions, each checked in a process of its own with a limit of time and memory.

    for result in results(jobs): ...      a dictionary for each, in the order of the jobs, several at a time
    graded(job)                           the same for a grader, who believes nothing that a submission says of itself

A job: {"file", "names", "like", "shapes", "labels", "options", "seed", "plot", "timeout", "memory"}; "level": of sandbox.py, by
default the strongest. A result has always the same keys: file, status, checks, error, printed. status is "correct",
"remarks" (the gradients are right, but dout or an input is changed in place, or an axis of length 1 is too many), "wrong" (a
gradient is), "undecided" (nothing wrong is proven, nor right) or "error" (something could not be run, or looks like a layer and
was not checked). README.md documents them all.
"""
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import UserError
from . import files
from .confirming import Confirming, Teacher, forged
from .remote import Remote, StudentError
from .sandbox import Process

KEYS = ("name", "checked", "status", "inputs", "drawn", "rows", "error", "text")


def results(jobs: list[dict], at_once: int | None = None) -> Iterator[dict]:
    """Yields one result after the other. Raises UserError when the teacher's file cannot be used."""
    stopped = threading.Event()
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
    """The result of a job whose comparisons are made once more, here. One at a time in a process: np.random is shared."""
    return _result(job, Teacher(job["like"]), threading.Event())


def _result(job, teacher, stopped):
    """When a check ends its process, by a crash or an endless loop, the next process goes on with the check after it."""
    checks, troubles, error, printed, start = [], [], None, "", 0
    while start is not None and not stopped.is_set():
        session = Session({**job, "start": start}, teacher)
        error, start = session.run()
        checks += session.checks
        troubles += session.troubles
        printed = printed or session.printed
    status = status_of(checks, error or any(trouble["counts"] for trouble in troubles))
    error = error or next((trouble["trouble"] for trouble in troubles), None)
    return {"file": job["file"], "status": status, "checks": checks, "error": error, "printed": printed,
            **({"label": job["label"]} if "label" in job else {})}


def status_of(checks: list[dict], error: object) -> str:
    """The worst that was found."""
    found = {check["status"] for check in checks} | ({"error"} if error else set())
    return next((status for status in ("wrong", "error", "undecided", "remarks") if status in found), "correct")


class Session:
    """One process of one submission. checks: those that were finished, or that ended it; printed: what it printed."""

    def __init__(self, job: dict, teacher: Teacher | None) -> None:
        self.job, self.teacher, self.checks, self.troubles, self.printed = job, teacher, [], [], ""
        self.begun, self.done, self.error, self.usage = None, False, None, None

    def run(self) -> tuple[dict | None, int | None]:
        """(the error of the whole file or None, the number of the check to go on with or None)."""
        path, remote = Path(self.job["file"]).resolve(), None
        try:
            seen = [path] if self.job.get("alone") else files.around(path, trusted=self.teacher is None)
            seen += [self.job["like"]] if self.job["like"] and self.teacher is None else []
            remote = Remote(seen, self.job["timeout"], self.job["memory"], self.heard, self.job.get("level"))
            place = remote.process.place
            remote.ask("check", {**self.job, "file": place(path), "like": self.job["like"] and place(self.job["like"])},
                       self.teacher and self.teacher.known())
        except StudentError as error:
            self.error = self.error or error.told
        except Exception as error:
            self.error = {"kind": "not judged", "message": f"{type(error).__name__}: {error}"[:500], "lines": []}
        finally:
            if remote is not None:
                remote.end()
                self.printed = remote.process.printed()
        if self.usage:
            raise UserError(self.usage)
        return self._how_it_ended()

    def _how_it_ended(self):
        """An error within a check becomes that check's."""
        if self.error is None and not self.done:
            self.error = forged("the checking was stopped by the code" if self.begun else "it ended before it was checked")
        if self.error is None or self.begun is None:
            return self.error, None
        self.checks.append({**self.begun["empty"], "error": self.error})
        number = self.begun["number"] + 1
        return None, number if number < self.begun["of"] else None

    def heard(self, line: dict) -> None:
        """What the process says of its own accord. Raises what does not look like that: then the process is ended."""
        if "checking" in line:
            self.begun = self._begun(line)
        elif "check" in line:
            claimed = {key: line["check"][key] for key in KEYS}
            self.checks.append(Confirming(self, line).confirmed(claimed) if self.teacher else claimed)
            self.begun = None
        elif "error" in line:
            self.error = {"kind": str(line["error"]["kind"]), "message": str(line["error"]["message"]),
                          "lines": list(line["error"]["lines"])}
        elif "trouble" in line:
            self.troubles.append({"trouble": dict(line["trouble"]), "counts": bool(line["counts"])})
        elif "usage" in line:
            self.usage = str(line["usage"])
        elif "done" in line:
            self.done = self.teacher is None or [check["name"] for check in self.checks] == \
                list(self.teacher.items)[self.job["start"]:]

    def _begun(self, line):
        number, of = int(line["number"]), min(int(line["of"]), 1000)
        if number != self.job["start"] + len(self.checks):
            raise ValueError("out of order")
        return {"number": number, "of": of, "name": str(line["empty"]["name"]), "empty": dict(line["empty"])}
