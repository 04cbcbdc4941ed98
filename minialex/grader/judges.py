"""Submissions, judged several at a time: what processes.py does, for graders, who trust no submission.

    for result in results(jobs): ...      a dictionary for each, in the order of the jobs, as processes.results gives it
"""
import json
import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from ..errors import UserError
from .sandbox import python_code


def results(jobs, at_once=None):
    """Yields one result after the other. Raises UserError when the teacher's file cannot be used. A job: {"file", "names",
    "like", "shapes", "labels", "options", "seed", "plot", "timeout", "memory"}."""
    count = max(1, min(at_once or os.cpu_count() or 1, len(jobs)))
    judges, free = [_Judge() for _ in range(count)], queue.SimpleQueue()
    for judge in judges:
        free.put(judge)

    def judged(job):
        judge = free.get()
        try:
            return judge.result(job)
        finally:
            free.put(judge)

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(judged, job) for job in jobs]
        try:
            for future in futures:
                yield future.result()
        finally:  # also after Ctrl-C
            for future in futures:
                future.cancel()
            for judge in judges:
                judge.end()


def result(job):
    """The result of one job."""
    return next(results([job], 1))


class _Judge:
    """A process of ours (judge.py) that judges one submission after the other, each in a further process."""

    def __init__(self):
        environment = {**os.environ, "MPLBACKEND": "Agg", "MINIALEX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                       "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        command = [sys.executable, *python_code("from minialex.grader.judge import main\nmain()")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
                                        encoding="utf-8", start_new_session=True)

    def result(self, job):
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except (OSError, ValueError):
            line = ""
        found = json.loads(line) if line else {"usage": f"{job['file']}: the process that judges it has ended."}
        if "usage" in found:
            raise UserError(found["usage"])
        return found

    def end(self):
        """At once; the submission's processes end with it."""
        self.process.terminate()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
