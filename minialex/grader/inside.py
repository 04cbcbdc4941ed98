"""In the submission's process: loads its file, and does what the other side asks, one request after the other (see remote.py).

Nothing here can be relied on by a grader, since the submission may change it: it computes values, and decides nothing.
"""
import builtins
import copy
import os
import socket
import sys
import threading
import time
import traceback
import types
from pathlib import Path
from typing import Any

import numpy as np

import minialex as ma

from ..gradcheck.numpy_code import Run
from ..gradcheck.tensor_function import frozen
from . import files, wire
from .remote import PATIENCE, parameters, signature
from .submission import Submission

RUNS = 8  # so many runs can be referred to later


class Inside:
    """The submission, its objects by number, and the channel to the other side."""

    def __init__(self, connection, restart) -> None:
        self.channel, self.restart = wire.Channel(connection, self.keep, self.made), restart
        self.objects, self.runs, self.module = [], {}, None
        self.path, self.doing, self.submission, self.busy = None, "reading the file", None, False

    def serve(self) -> None:
        """Obeys until the other side has gone."""
        while True:
            self.obey(self.channel.receive())

    def obey(self, message: dict) -> None:
        """Does what is asked, and answers."""
        self.busy = True
        try:
            self.channel.send({"answer": getattr(self, f"do_{message['do']}")(*message["arguments"])})
        except BaseException as error:  # SystemExit and KeyboardInterrupt, too
            self.channel.send({"failed": files.explained(error, self.path)})
        finally:
            self.busy = False

    def exchange(self, **message) -> Any:
        """The other side's answer to a question of ours; it may want something from us before it gives it."""
        self.channel.send(message)
        busy, self.busy = self.busy, False
        while "do" in (reply := self.channel.receive()):
            self.obey(reply)
        self.busy = busy
        return reply

    # what may be asked

    def do_load(self, path: str) -> None:
        """The file of an exercise."""
        self.path = Path(path)
        course = types.ModuleType("course")
        course.check = lambda *answers: None  # the last line of an exercise; the grader checks
        sys.modules["course"] = course
        self.module = files.load(path)

    def do_names(self, names: list[str]) -> list:
        """What the submission calls so."""
        return [getattr(self.module, name, None) for name in names]

    def do_copy(self, target: Any) -> Any:
        """A copy of a Function."""
        return copy.copy(target)

    def do_call(self, target: Any, method: str | None, arguments: list, keywords: dict, randomness: np.ndarray | None) -> tuple:
        """(what is returned, the arguments that were changed)."""
        _set_random_state(randomness)
        function = target if method is None else getattr(target, method)
        places = {**dict(enumerate(arguments)), **keywords}
        before = _arrays(places)
        self.doing = getattr(function, "__name__", "a call")
        value = function(*arguments, **keywords)
        return value, [[key, places[key]] for key, old in before.items() if _differs(old, places[key])]

    # checking layers

    def do_check(self, job: dict, known: dict | None) -> None:
        """All checks of a file. known: of the teacher's file, what a submission that nobody trusts may know."""
        self.path = Path(job["file"])
        teacher = None if known is None else _teacher(known)
        self.submission = Submission(job, lambda **line: self.exchange(say=line), teacher)
        self.submission.run()

    def do_run(self, code: Any, values: dict) -> tuple:
        """(the number of the run, its outputs, the inputs that it changed)."""
        run, changed = self._run(code, values)
        number = len(self.runs)
        self.runs[number], self.runs[number - RUNS] = run, None
        return number, list(run.outputs), changed

    def do_runs(self, code: Any, wanted: list[dict]) -> list:
        """The outputs of several runs."""
        return [[np.array(output) for output in self._run(code, values)[0].outputs] for values in wanted]

    def _run(self, code, values):
        self.restart()
        before = _arrays(values)
        run = code.run(values)
        return run, {name: value for name, value in run.inputs.items() if _differs(before.get(name), value)}

    def do_rest(self, number: int) -> list:
        """What forward returned besides its outputs, or kept."""
        return list(self.runs[number].rest)

    def do_back(self, code: Any, number: int, douts: list, randomness: np.ndarray | None) -> tuple:
        """(the gradients, dout afterwards, the inputs that were changed)."""
        _set_random_state(randomness)
        run: Run = self.runs[number]
        before = _arrays(run.inputs)
        gradients = code.backward(run, douts)
        return gradients, douts, {name: value for name, value in run.inputs.items() if _differs(before.get(name), value)}

    def do_takes_dout(self, code: Any, number: int) -> bool:
        """Has backward a place for dout?"""
        return bool(code.takes_dout(self.runs[number]))

    # what travels

    def keep(self, value: Any) -> dict:
        """What the other side gets to know of an object of ours."""
        if isinstance(value, np.random.Generator):
            return {"generator": value.bit_generator.state}
        if isinstance(value, ma.Tensor):
            return {"tensor": value.data, "requires_grad": bool(value.requires_grad)}
        self.objects.append(value)
        is_function = isinstance(value, type) and issubclass(value, ma.Function)
        return {"number": len(self.objects) - 1, "type": str(getattr(value, "__name__", type(value).__name__)),
                "is_function": is_function,
                "parameters": parameters(value) if callable(value) and not isinstance(value, ma.Function) else None}

    def made(self, description: dict) -> Any:
        """What stands here for an object of the other side; or our own."""
        if "tensor" in description:
            return ma.Tensor(description["tensor"], requires_grad=description["requires_grad"])
        if "number" in description:
            return self.objects[description["number"]]

        def called(*arguments, **keywords):
            reply = self.exchange(callback=description["callback"], arguments=[*arguments, *keywords.values()])
            if "failed" in reply:
                kind = {"NotImplementedError": NotImplementedError}.get(reply["failed"], RuntimeError)
                raise kind(f"{reply['failed']}: {reply['message']}" if kind is RuntimeError else reply["message"])
            return reply["value"]

        return _as_teachers(called, description["name"], description["parameters"])

    # what goes wrong

    def watch(self, seconds: float, thread: int) -> None:
        """In a thread of its own: waits for too much computing time, or waiting, says where the code is, and ends it all.
        Code that never lets another thread run is ended by the system, or by the other side."""
        began, waited = time.process_time(), 0.0
        while time.process_time() - began < seconds and waited < PATIENCE * seconds:
            time.sleep(0.1)
            waited += 0.1 if self.busy else 0.0  # not while the other side computes
        frame = sys._current_frames().get(thread)
        stack = traceback.extract_stack(frame) if frame is not None else []
        doing, returned = (self.submission.doing, self.submission.returned) if self.submission else (self.doing, False)
        why = f"it is slow: --timeout {4 * seconds:g}" if returned else "does a loop never end?"
        told = {"kind": "out of time", "message": f"{doing} was not done after {seconds:g} s (--timeout): {why}",
                "lines": files.own_lines(stack, self.path) if self.path else []}
        self.channel.send({"late": told})
        os._exit(0)


def _set_random_state(state):
    if state is not None:
        np.random.set_state(("MT19937", state[:-1], int(state[-1])))


def _arrays(values):
    return {name: value.copy() for name, value in values.items() if isinstance(value, np.ndarray)}


def _differs(before, after):
    if before is None:
        return False
    return not isinstance(after, np.ndarray) or before.shape != after.shape or before.tobytes() != after.tobytes()


def _teacher(known):
    """The teacher's file, as far as it may be known: forward functions, which the grader runs, and names."""
    module = sys.modules["teacher"] = types.ModuleType("teacher")
    for name, value in known.items():
        if isinstance(value, dict):
            value = type(name, (), {**{method: _unwritten(method, places) for method, places in value.items()},
                                    "__module__": "teacher"})
        setattr(module, name, value or _unwritten(name))
    return module


def _unwritten(name, places=None):
    def unwritten(*arguments, **keywords):
        raise NotImplementedError(f"{name} is the teacher's")

    return _as_teachers(unwritten, name, places)


def _as_teachers(function, name, places):
    function.__name__, function.__module__ = name, "teacher"
    if places is not None:
        function.__signature__ = signature(places)
    return function


def main(seconds: float, descriptor: int) -> None:
    """Called in the new process, before anything of the submission is loaded."""
    connection = socket.fromshare(sys.stdin.buffer.read()) if os.name == "nt" else socket.socket(fileno=descriptor)
    connection.setblocking(True)
    sys.stdin = open(os.devnull, encoding="utf-8")
    for name in ("int", "float", "bool", "object", "str"):  # older NumPy had them, and older hand-ins use them
        if name not in vars(np):
            setattr(np, name, getattr(builtins, name))
    with frozen() as restart:
        inside = Inside(connection, restart)
        threading.Thread(target=inside.watch, args=(seconds, threading.get_ident()), daemon=True).start()
        try:
            inside.serve()
        finally:  # the other side has gone
            os._exit(0)
