"""Checks one submission, in a process of its own: `python -m minialex.grader.submission FOLDER`, started by processes.py.

FOLDER holds job.json. What is found out is appended to result.jsonl there, a line as soon as it is known, so that the
checks that were done survive a crash or an endless loop in a later one:

    {"checking": title, ...}    {"check": {...}}    {"error": {...}}    {"usage": sentence}    {"done": true}

What a student's code prints goes to standard output and disturbs nothing. This keeps mistakes apart, not malice: it is no
place to run code that you would not run yourself.
"""
import ast
import builtins
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy as np

from . import files, finding
from .checking import Check
from .explaining import explained, own_lines
from .finding import NothingFound
from .inputs import Request
from .processes import PATIENCE

OUT_OF_TIME = 3  # exit status
SCRIPT = 0.15  # of the time for one statement that is no definition
FAIR = 0.1  # of the time at least for each check


class Submission:
    """The file of a job, and the lines of its result."""

    def __init__(self, folder):
        self.job = json.loads((folder / "job.json").read_text("utf-8"))
        self.path = Path(self.job["file"]).resolve()
        self.result = open(folder / "result.jsonl", "a", encoding="utf-8")
        options = {name: ast.literal_eval(value) for name, value in self.job["options"].items()}  # JSON knows no tuples
        self.request = Request(self.job["shapes"], self.job["labels"], options, self.job["seed"],
                               self.job.get("constant", ()))
        self.doing, self.returned, self.began = "reading the file", False, time.process_time()

    def say(self, **line):
        self.result.write(json.dumps(line) + "\n")
        self.result.flush()

    def run(self):
        reference = self._reference()
        troubles = []
        seconds = self.job["timeout"]
        try:
            module = files.load(self.path, troubles, SCRIPT * seconds)
            found = self._found(module, reference)
        except NothingFound as problem:
            if troubles:
                self.say(error=explained(troubles[0][1], self.path))
            else:
                self.say(error={"kind": "nothing to check", "message": str(problem), "lines": []})
            return
        except BaseException as error:  # SystemExit and KeyboardInterrupt, too: nothing in a submission stops us
            self.say(error=explained(error, self.path))
            return
        if not self.job["start"]:
            self._tell_troubles(troubles)
        for number, item in list(enumerate(found))[self.job["start"]:]:
            check = Check(self, item, module, reference)
            self.doing, self.returned = item.title, False
            left = seconds - (time.process_time() - self.began)
            self.say(checking=item.title, number=number, of=len(found), empty=check.result)
            self.say(check=check.told(len(found), max(left / min(2, len(found) - number), FAIR * seconds)))

    def _reference(self):
        """The teacher's module, or None. A mistake in it ends everything."""
        if self.job["like"] is None:
            return None
        try:
            module = files.load(self.job["like"])
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
            return [finding.like(module, item) for item in finding.everything(reference)]
        return finding.everything(module)

    def _tell_troubles(self, troubles):
        """A definition that failed counts; a test cell or another line that failed is only said."""
        for part, error in sorted(troubles, key=lambda trouble: not isinstance(trouble[0], files.DEFINITIONS)):
            self.say(trouble=explained(error, self.path), counts=isinstance(part, files.DEFINITIONS))

    def watch(self, seconds, thread):
        """In a thread of its own: waits for too much computing time, or waiting, says where the code is, and ends it all.
        Code that never lets another thread run is ended by the system (limit_resources), or by processes.py."""
        began = time.monotonic()
        while time.process_time() - self.began < seconds and time.monotonic() - began < PATIENCE * seconds:
            time.sleep(0.1)
        frame = sys._current_frames().get(thread)
        stack = traceback.extract_stack(frame) if frame is not None else []
        why = f"it is slow: --timeout {4 * seconds:g}" if self.returned else "does a loop never end?"
        message = f"{self.doing} was not done after {seconds:g} s (--timeout): {why}"
        self.say(error={"kind": "out of time", "message": message, "lines": own_lines(stack, self.path)})
        leave(OUT_OF_TIME)


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
    for name in ("int", "float", "bool", "object", "str"):  # older NumPy had them, and older hand-ins use them
        if name not in vars(np):
            setattr(np, name, getattr(builtins, name))
    seconds = submission.job["timeout"]
    limit_resources(submission.job["memory"], seconds)
    threading.Thread(target=submission.watch, args=(seconds, threading.get_ident()), daemon=True).start()
    submission.run()
    submission.say(done=True)
    leave(0)


if __name__ == "__main__":
    main()
