"""Submissions, each checked in a process of its own with a limit of time and memory, several at a time.

    for result in results(jobs): ...      a dictionary for each, in the order of the jobs

A result has always the same keys: file, status, checks, error, printed. status is "correct", "remarks" (the
gradients are right, but dout or an input is changed in place, or an axis of length 1 is too many), "wrong" (a gradient is),
"undecided" (nothing wrong is proven, nor right) or "error" (something could not be run, or looks like a layer and was not
checked). README.md documents them all.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import UserError

PATIENCE = 6  # times the limit of computing time by the clock: on a busy machine nobody is blamed for waiting
GRACE = 30  # seconds by the clock, for starting Python
PRINTED = 2000  # characters kept of what a submission prints
PACKAGE = Path(__file__).resolve().parents[2]


def results(jobs, at_once=None):
    """Yields one result after the other. Raises UserError when the teacher's file cannot be used."""
    stopped = threading.Event()
    with ThreadPoolExecutor(at_once or os.cpu_count() or 1) as pool:
        futures = [pool.submit(result, job, stopped) for job in jobs]
        try:
            for future in futures:
                yield future.result()
        finally:  # also after Ctrl-C
            stopped.set()
            _Running.end_all()


def result(job, stopped):
    """Runs one job: {"file", "names", "like", "shapes", "labels", "options", "seed", "plot", "timeout", "memory"}. When a
    check ends its process, by a crash or an endless loop, the next process goes on with the check after it."""
    checks, troubles, error, printed, start = [], [], None, "", 0
    while start is not None and not stopped.is_set():
        lines, status, output = _run({**job, "start": start})
        printed = printed or output
        checks += [line["check"] for line in lines if "check" in line]
        troubles += [line for line in lines if "trouble" in line]
        error, start = _how_it_ended(lines, status, job, checks, output)
    status = _status(checks, error or any(line["counts"] for line in troubles))
    error = error or next((line["trouble"] for line in troubles), None)
    return {"file": job["file"], "status": status, "checks": checks, "error": error, "printed": printed,
            **({"label": job["label"]} if "label" in job else {})}


def _run(job):
    """(the lines of the result, the exit status or None when time ran out, what was printed)."""
    with tempfile.TemporaryDirectory(prefix="gradcheck-") as folder:
        Path(folder, "job.json").write_text(json.dumps(job), encoding="utf-8")
        running = _Running(folder)
        status = running.wait(2 * PATIENCE * job["timeout"] + GRACE)  # by then it has ended itself, or cannot
        lines = _lines(Path(folder, "result.jsonl"))
    for line in lines:
        if "usage" in line:
            raise UserError(line["usage"])
    return lines, status, running.printed()


def _how_it_ended(lines, status, job, checks, printed):
    """(the error of the whole file or None, the number of the check to go on with or None). An error within a check
    becomes that check's."""
    error = next((line["error"] for line in lines if "error" in line), None)
    if error is None and not any("done" in line for line in lines):
        error = _crashed(status, job, printed if not lines else "")
    begun = [line for line in lines if "checking" in line]
    if error is None or not begun:
        return error, None
    last = begun[-1]
    checks.append({**last["empty"], "error": error})
    return None, last["number"] + 1 if last["number"] + 1 < last["of"] else None


def _lines(path):
    """A line that was cut off by the end of the process is left out."""
    found = []
    for line in path.read_text("utf-8", errors="replace").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            pass
    return found


def _status(checks, error):
    found = {check["status"] for check in checks} | ({"error"} if error else set())
    return next((status for status in ("wrong", "error", "undecided", "remarks") if status in found), "correct")


def _crashed(status, job, printed):
    if status is None or status == -getattr(signal, "SIGXCPU", 0):
        return {"kind": "out of time", "message": f"no answer after {job['timeout']:g} seconds (--timeout)", "lines": []}
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        return {"kind": "crash", "message": f"the Python interpreter crashed ({name})", "lines": []}
    last = printed.strip().splitlines()[-1:]
    said = f", with the words: {last[0]}" if status and last else ""
    return {"kind": "crash", "message": f"the code ended the Python interpreter (exit status {status}{said})", "lines": []}


class _Running:
    """A process that checks one submission. What it prints is read to the end, and mostly thrown away."""

    alive = set()

    def __init__(self, folder):
        environment = {**os.environ, "PYTHONPATH": _first(PACKAGE, os.environ.get("PYTHONPATH")), "MPLBACKEND": "Agg",
                       "PYTHONIOENCODING": "utf-8:replace", "PYTHONUNBUFFERED": "1", "MINIALEX_THREADS": "1",
                       "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minialex.grader.submission", folder], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.alive.add(self)
        self.kept = bytearray()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        with self.process.stdout as pipe:
            while chunk := pipe.read(2 ** 16):
                self.kept += chunk[:max(0, 4 * PRINTED - len(self.kept))]

    def wait(self, seconds):
        """The exit status, or None when time ran out. Afterwards nothing that was started runs any more."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.end()
            self.reader.join(1)

    def end(self):
        """Also what the submission itself has started: it is all one group where the system has groups."""
        self.alive.discard(self)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError, PermissionError):
            self.process.kill()
        self.process.wait()

    @classmethod
    def end_all(cls):
        for running in list(cls.alive):
            running.end()

    def printed(self):
        text = self.kept.decode("utf-8", errors="replace")
        return text if len(text) <= PRINTED else text[:PRINTED] + "…"


def _first(folder, path):
    return os.pathsep.join(filter(None, [str(folder), path]))
