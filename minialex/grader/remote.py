"""A submission's functions, as if they were here: each call is carried out in the submission's own process (inside.py).

    remote = Remote([path], timeout=10)
    remote.ask("load", path)
    relu, relu_backward = remote.ask("names", ["relu", "relu_backward"])
    ma.check_backward(relu, relu_backward, [x])

The grader chooses the inputs, computes the numeric gradients and the verdict in its own process; the other one is only asked
for values. So a submission can give wrong values, or none, and nothing else. What it changes in an argument is changed here.
"""
import builtins
import inspect
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minialex as ma

from . import wire
from .sandbox import Process, python_code

PATIENCE = 6  # times the limit of computing time by the clock: on a busy machine nobody is blamed for waiting
GRACE = 30  # seconds by the clock, for starting Python
PLAIN = (type(None), bool, int, float, str)


class StudentError(Exception):
    """Raised by the submission's code. told: {"kind", "message", "lines"}, in the submission's words."""

    def __init__(self, told: dict) -> None:
        super().__init__(told["message"])
        self.told = told


class Gone(StudentError):
    """The submission's process has ended, or must be ended: nothing more can be asked."""


class Remote:
    """One submission's process. files: what it may see. gone: why there is none any more, or None. heard: answers what it says
    of its own accord. level: of sandbox.py; the strongest by default."""

    def __init__(self, files: list[Path], timeout: float = 10.0, memory: int = 4096,
                 heard: Callable[[dict], Any] | None = None, level: str | None = None) -> None:
        self.timeout, self.gone, self.heard, self.objects = timeout, None, heard, {}
        code = f"from minialex.grader.inside import main\nmain({float(timeout)!r}, {{channel}})"
        self.process = Process(python_code(code), files, timeout, memory, level)
        self.channel = wire.Channel(self.process.channel, self._keep, self._made)
        self.left = PATIENCE * timeout + GRACE  # seconds that we wait for it, all in all

    def ask(self, what: str, *arguments) -> Any:
        """The answer. Raises StudentError for what the code raises, Gone when no answer will come."""
        message = {"do": what, "arguments": list(arguments)}
        while True:
            reply = self._exchange(message)
            if "answer" in reply:
                return reply["answer"]
            if "callback" in reply:
                message = self._called_back(reply)
            elif self.heard is not None and "say" in reply:
                message = self._heard(reply["say"])
            else:
                raise self._failure(reply)

    def _exchange(self, message):
        """The next message after this one. One that takes too long ends the process."""
        if self.gone is not None:
            raise self.gone
        began, watch = time.monotonic(), threading.Timer(max(self.left, 0), self.process.hang_up)
        watch.start()
        try:
            self.channel.send(message)
            return self.channel.receive()
        except wire.Garbled as problem:
            raise self._ends("crash", str(problem)) from None
        except (OSError, EOFError, ValueError):  # of a closed socket
            raise self._how_it_ended(began) from None
        finally:
            watch.cancel()
            self.left -= time.monotonic() - began

    def _called_back(self, reply):
        try:
            return {"value": self.objects[reply["callback"]](*reply["arguments"])}
        except Exception as error:
            return {"failed": type(error).__name__, "message": str(error)[:500]}

    def _heard(self, said):
        try:
            return {"value": self.heard(said)}
        except Gone:
            raise
        except Exception as error:  # of whatever kind: nobody's submission may stop the grading of others
            told = f"the answers cannot be judged: {type(error).__name__}: {error}"
            raise self._ends("not judged", told[:500]) from None

    def _failure(self, reply):
        told = reply.get("failed", reply.get("late"))
        if not isinstance(told, dict) or not isinstance(told.get("kind"), str) or not isinstance(told.get("message"), str):
            return self._ends("crash", "what came back cannot be read")
        told = {"kind": told["kind"][:100], "message": told["message"][:2000], "lines": _lines(told.get("lines"))}
        return self._ends(**told) if "late" in reply else _as_raised(told)

    # what travels

    def _keep(self, value):
        """What the other side gets to know of an object of ours."""
        if isinstance(value, RemoteObject):
            return {"number": value._remote_number}
        if isinstance(value, ma.Tensor):
            return {"tensor": value.data, "requires_grad": value.requires_grad}
        if not callable(value):
            raise TypeError(f"a {type(value).__name__} cannot be handed to a submission")
        self.objects[id(value)] = value
        return {"callback": id(value), "name": getattr(value, "__name__", "function"), "parameters": parameters(value)}

    def _made(self, description):
        """What stands here for an object of the other side."""
        if "tensor" in description:
            return ma.Tensor(description["tensor"], requires_grad=description["requires_grad"] is True)
        if "generator" in description:
            generator = np.random.default_rng(0)
            generator.bit_generator.state = description["generator"]
            return generator
        number, name = int(description["number"]), str(description["type"])[:100]
        if description.get("is_function"):
            return _function_class(self, number, name)
        if description.get("parameters") is not None:
            return RemoteFunction(self, number, name, description["parameters"])
        return RemoteObject(self, number)

    # how it ends

    def _ends(self, kind, message, lines=()):
        self.gone = Gone({"kind": kind, "message": message, "lines": list(lines)})
        self.process.end()
        return self.gone

    def _how_it_ended(self, began):
        late = time.monotonic() - began >= self.left
        status = None if late else self.process.status(2.0)
        name = signal.Signals(-status).name if status is not None and -status in set(signal.Signals) else ""
        if late or name in ("SIGXCPU", "SIGKILL"):
            return self._ends("out of time", f"no answer after {self.timeout:g} seconds (--timeout)")
        if status is None:
            return self._ends("crash", "the code closed the connection to the grader")
        if status < 0:
            return self._ends("crash", f"the Python interpreter crashed ({name or f'signal {-status}'})")
        self.process.reader.join(0.5)
        last = self.process.printed().strip().splitlines()[-1:]
        said = f", with the words: {last[0][:200]}" if status and last else ""
        return self._ends("crash", f"the code ended the Python interpreter (exit status {status}{said})")

    def end(self) -> None:
        """Ends the process and all that it started."""
        if self.gone is None:
            self._ends("crash", "the submission's process was ended")


# ------------------------------------------------------------------------------------------------ what stands for what


class RemoteObject:
    """Something of the submission's that is no plain value: it can only be handed back."""

    def __init__(self, remote: Remote, number: int) -> None:
        self._remote, self._remote_number = remote, number

    def __deepcopy__(self, memo):
        return self


class RemoteFunction(RemoteObject):
    """A function, method or class of the submission's."""

    def __init__(self, remote: Remote, number: int, name: str, parameters: list) -> None:
        super().__init__(remote, number)
        self.__name__, self.__signature__ = name, signature(parameters)

    def __call__(self, *arguments, **keywords):
        return _call(self, None, arguments, keywords)


def _call(target, method, arguments, keywords):
    value, changed = target._remote.ask("call", target, method, list(arguments), keywords, random_state())
    for key, array in changed:
        given = keywords.get(key) if isinstance(key, str) else arguments[key]
        if isinstance(given, np.ndarray) and isinstance(array, np.ndarray) and given.shape == array.shape:
            given[...] = array
    return value


_START = np.random.RandomState(0).get_state()  # what every run of forward begins with: see frozen


def random_state() -> np.ndarray | None:
    """The state of np.random where a comparison has set it since the last forward; else None: the other side goes on."""
    state = np.random.get_state()
    if state[2] == _START[2] and np.array_equal(state[1], _START[1]):
        return None
    return np.append(state[1], np.uint32(state[2]))


def parameters(function: Callable) -> list:
    """[[name, kind, has a default, the default where it is plain], …]"""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [["arguments", "VAR_POSITIONAL", False, None]]
    return [[p.name, p.kind.name, p.default is not p.empty, p.default if isinstance(p.default, PLAIN) else None] for p in found]


def signature(parameters: list) -> inspect.Signature:
    """The inspect.Signature that they describe."""
    return inspect.Signature([
        inspect.Parameter(str(name), inspect._ParameterKind[kind], default=default if has_default else inspect.Parameter.empty)
        for name, kind, has_default, default in parameters])


def _function_class(remote, number, name):
    """A Function whose two directions are computed by the submission's class."""

    origin = RemoteObject(remote, number)

    class Carried(ma.Function):
        def __init__(self, *arguments, **keywords):
            self._instance = _call(origin, None, arguments, keywords)

        def __copy__(self):
            twin = type(self).__new__(type(self))
            twin.__dict__.update(self.__dict__)
            twin._instance = remote.ask("copy", self._instance)
            return twin

        __deepcopy__ = lambda self, memo: self.__copy__()  # noqa: E731

        def forward(self, *arrays):
            return _call(self._instance, "forward", arrays, {})

        def backward(self, grad_output):
            return _call(self._instance, "backward", [grad_output], {})

    Carried.__name__ = Carried.__qualname__ = name
    return Carried


def _as_raised(told):
    """An exception of the same name, of the built-in class where there is one, that carries the submission's lines."""
    base = getattr(builtins, told["kind"], None)
    if not (isinstance(base, type) and issubclass(base, Exception)):
        base = Exception
    try:
        return type(told["kind"], (StudentError, base), {})(told)
    except TypeError:
        return StudentError(told)


def _lines(lines):
    """[{"file", "line", "in", "code"}] of whatever came."""
    return [{"file": str(line.get("file", ""))[:300], "line": line["line"], "in": str(line.get("in", ""))[:300],
             "code": str(line.get("code", ""))[:300]}
            for line in (lines[:10] if isinstance(lines, list) else ())
            if isinstance(line, dict) and isinstance(line.get("line"), int)]
