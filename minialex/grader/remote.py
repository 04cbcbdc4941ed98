"""A submission's functions, as if they were here: each call is carried out in the submission's own process.

    with Remote(path, timeout=10) as remote:
        relu, relu_backward = remote.names(["relu", "relu_backward"])
        ma.check_backward(relu, relu_backward, [x])

The grader chooses the inputs, computes the numeric gradients and the verdict in its own process; the other one is only asked
for values. So a submission can give wrong values, or none, and nothing else. What it changes in an argument is changed here.
"""
import collections
import importlib.machinery
import importlib.util
import inspect
import signal
import socket
import sys
from pathlib import Path

import numpy as np

import minialex as ma

from . import wire
from .sandbox import Process, python_code

PATIENCE = 6  # times the limit of computing time by the clock: on a busy machine nobody is blamed for waiting
GRACE = 30  # seconds by the clock, for starting Python
PLAIN = (type(None), bool, int, float, str)
ANSWERS = 8  # so many answers can be referred to later


class StudentError(Exception):
    """Raised by the submission's code. told: {"kind", "message", "lines"}, in the submission's words."""

    def __init__(self, told):
        super().__init__(told["message"])
        self.told = told


class Gone(StudentError):
    """The submission's process has ended, or must be ended: nothing more can be asked."""


class Remote:
    """One submission. gone: why there is no process any more, or None. heard: answers what its process asks from us.
    alone: without the files beside it."""

    def __init__(self, path, timeout=10.0, memory=4096, alone=False, heard=None):
        path = Path(path).resolve()
        self.timeout, self.gone, self.heard = timeout, None, heard
        self.objects, self.answers, self.asked = {}, collections.OrderedDict(), 0
        code = f"from minialex.grader.inside import main\nmain({float(timeout)!r}, {{channel}})"
        self.process = Process(python_code(code), path if alone else _around(path), timeout, memory)
        self.left = PATIENCE * timeout + GRACE  # seconds that we wait for it, all in all
        try:
            if heard is None:
                self.ask("load", self.process.place(path))
        except StudentError:
            self.end()
            raise

    def names(self, names):
        """What the submission calls so: functions and classes as if they were here; None for what is not there."""
        return self.ask("names", list(names))

    def ask(self, what, *arguments, **options):
        """The answer. Raises StudentError for what the code raises, Gone when no answer will come."""
        if self.gone is not None:
            raise self.gone
        self._send({"do": what, "arguments": list(arguments), "options": options})
        while True:
            reply = self._receive()
            if "callback" in reply:
                self._send(self._called_back(reply))
            elif "answer" in reply:
                return self._remembered(reply)
            elif self.heard is not None and ("say" in reply or "compare" in reply):
                self._send(self._heard(reply))
            else:
                raise self._failure(reply)

    def _called_back(self, reply):
        try:
            return {"value": self.objects[reply["callback"]](*reply["arguments"])}
        except Exception as error:
            return {"failed": type(error).__name__, "message": str(error)[:500]}

    def _heard(self, message):
        try:
            return self.heard(message)
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
        if "late" in reply:
            return self._ends(**told)
        return _as_raised(told)

    def _remembered(self, reply):
        answer = reply["answer"]
        self.answers[self.asked] = (answer, *(answer if isinstance(answer, (tuple, list)) else ()))
        self.asked += 1
        if len(self.answers) > ANSWERS:
            self.answers.popitem(last=False)
        return answer

    # what travels

    def _send(self, message):
        data = wire.pack(message, self._keep, self._known)
        sent, channel = 0, self.process.channel
        channel.settimeout(0.2)
        while sent < len(data):
            try:
                sent += channel.send(data[sent:sent + 2 ** 20])
            except TimeoutError:
                self._still_there(0.2)
            except OSError:
                raise self._how_it_ended() from None

    def _receive(self):
        text, buffers = wire.HEAD.unpack(self._bytes(wire.HEAD.size))
        if text + buffers > wire.LARGE:
            raise self._ends("crash", "it returned more than half a gigabyte")
        text, buffers = self._bytes(text), self._bytes(buffers)
        try:
            reply = wire.unpack(text, buffers, self._made)
        except wire.Garbled:
            raise self._ends("crash", "what came back cannot be read") from None
        if not isinstance(reply, dict):
            raise self._ends("crash", "what came back cannot be read")
        return reply

    def _bytes(self, count):
        data, channel = bytearray(), self.process.channel
        channel.settimeout(0.2)
        while len(data) < count:
            try:
                chunk = channel.recv(min(count - len(data), 2 ** 20))
            except TimeoutError:
                self._still_there(0.2)
                continue
            except OSError:
                chunk = b""
            if not chunk:
                raise self._how_it_ended()
            data += chunk
        return bytes(data)

    def _still_there(self, waited):
        self.left -= waited
        if self.left < 0:
            raise self._ends("out of time", f"no answer after {self.timeout:g} seconds (--timeout)")
        if self.process.status() is not None and not _readable(self.process.channel):
            raise self._how_it_ended()

    def _keep(self, value):
        """What the other side gets to know of an object of ours."""
        if isinstance(value, ma.Tensor):
            return {"tensor": value.data, "requires_grad": value.requires_grad}
        if not callable(value):
            raise TypeError(f"a {type(value).__name__} cannot be handed to a submission")
        self.objects[id(value)] = value
        return {"callback": id(value), "name": getattr(value, "__name__", "function"), "parameters": parameters(value)}

    def _known(self, value):
        number = getattr(value, "_remote_number", None) if isinstance(value, (RemoteFunction, RemoteObject)) else None
        if number is not None:
            return ["object", number]
        if isinstance(value, (np.ndarray, list, tuple, dict)):
            for number, parts in self.answers.items():
                for position, part in enumerate(parts):
                    if part is value:
                        return ["answer", number, position - 1]
        return None

    def _made(self, description):
        """What stands here for an object of the other side."""
        if "tensor" in description:
            return ma.Tensor(description["tensor"], requires_grad=description["requires_grad"] is True)
        if "generator" in description:
            generator = np.random.default_rng(0)
            generator.bit_generator.state = description["generator"]
            return generator
        number, name = int(description["number"]), str(description["type"])[:100]
        if description.get("base") == "Function" and description.get("is_class"):
            return _function_class(self, number, name)
        if description.get("callable"):
            return RemoteFunction(self, number, name, description["parameters"])
        return RemoteObject(self, number, name)

    # how it ends

    def _ends(self, kind, message, lines=()):
        self.gone = Gone({"kind": kind, "message": message, "lines": list(lines)})
        self.end()
        return self.gone

    def _how_it_ended(self):
        status = self.process.status(2.0)
        name = signal.Signals(-status).name if status is not None and -status in set(signal.Signals) else ""
        if status is None:
            return self._ends("crash", "the code closed the connection to the grader")
        if name == "SIGXCPU" or name == "SIGKILL":
            return self._ends("out of time", f"no answer after {self.timeout:g} seconds (--timeout)")
        if status < 0:
            return self._ends("crash", f"the Python interpreter crashed ({name or f'signal {-status}'})")
        self.process.reader.join(0.5)
        last = self.process.printed().strip().splitlines()[-1:]
        said = f", with the words: {last[0][:200]}" if status and last else ""
        return self._ends("crash", f"the code ended the Python interpreter (exit status {status}{said})")

    def end(self):
        """Ends the process and all that it started."""
        if self.gone is None:
            self.gone = Gone({"kind": "crash", "message": "the submission's process was ended", "lines": []})
        self.process.end()

    def printed(self):
        return self.process.printed()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


# ------------------------------------------------------------------------------------------------ what stands for what


def load(path):
    """The module in the file at `path`, run once: a teacher's, or in a submission's own process the submission."""
    path = Path(path).resolve()
    loader = importlib.machinery.SourceFileLoader("handed_in", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module  # dataclasses look their module up
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    loader.exec_module(module)
    return module


def _around(path):
    """What a file may need: the folder that it is in, or all of the package."""
    folder = path.parent
    while (folder / "__init__.py").exists() and (folder.parent / "__init__.py").exists():
        folder = folder.parent
    return folder


class RemoteObject:
    """Something of the submission's that is no plain value: it can only be handed back."""

    def __init__(self, remote, number, name):
        self._remote, self._remote_number, self._remote_name = remote, number, name

    def __deepcopy__(self, memo):
        return self

    __copy__ = lambda self: self  # noqa: E731


class RemoteFunction(RemoteObject):
    """A function, method or class of the submission's. starts_random: whether random numbers start again with each call."""

    def __init__(self, remote, number, name, parameters=()):
        super().__init__(remote, number, name)
        self.__name__ = self.__qualname__ = name
        self.starts_random = False
        self.__signature__ = signature(parameters)

    def __call__(self, *arguments, **keywords):
        return _call(self._remote, self, None, arguments, keywords, self.starts_random)


def _call(remote, target, method, arguments, keywords, starts_random=False):
    answer = remote.ask("call", target, method, list(arguments), keywords, _random_numbers(starts_random))
    value, changed = answer
    for key, array in changed:
        given = keywords.get(key) if isinstance(key, str) else arguments[key]
        if isinstance(given, np.ndarray) and isinstance(array, np.ndarray) and given.shape == array.shape:
            given[...] = array
    remote.answers.popitem()
    remote.answers[remote.asked - 1] = (value, *(value if isinstance(value, (tuple, list)) else ()))
    return value


_START = np.random.RandomState(0).get_state()


def _random_numbers(starts):
    """What the other side does to np.random: True: start again; an array: go on from there; None: nothing."""
    state = np.random.get_state()
    if state[2] == _START[2] and np.array_equal(state[1], _START[1]):
        return True if starts else None
    return np.append(state[1], np.uint32(state[2])) if not starts else True


def parameters(function):
    """[[name, kind, has a default, the default where it is plain], …]"""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [["arguments", "VAR_POSITIONAL", False, None]]
    return [[p.name, p.kind.name, p.default is not p.empty, p.default if isinstance(p.default, PLAIN) else None] for p in found]


def signature(parameters):
    """The inspect.Signature that they describe."""
    kinds = {kind.name: kind for kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD,
                                          inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.KEYWORD_ONLY,
                                          inspect.Parameter.VAR_KEYWORD)}
    found = []
    for name, kind, has_default, default in parameters:
        found.append(inspect.Parameter(str(name), kinds[kind], default=default if has_default else inspect.Parameter.empty))
    return inspect.Signature(found)


def _function_class(remote, number, name):
    """A Function whose two directions are computed by the submission's class."""

    origin = RemoteObject(remote, number, name)

    class Carried(ma.Function):
        def __init__(self, *arguments, **keywords):
            self._instance = _call(remote, origin, None, arguments, keywords)

        def __copy__(self):
            twin = type(self).__new__(type(self))
            twin.__dict__.update(self.__dict__)
            twin._instance = remote.ask("copy", self._instance)
            return twin

        __deepcopy__ = lambda self, memo: self.__copy__()  # noqa: E731

        def forward(self, *arrays):
            return self._asked("forward", arrays)

        def backward(self, grad_output):
            return self._asked("backward", [grad_output])

        def _asked(self, method, arrays):
            return _call(remote, self._instance, method, arrays, {})

    Carried.__name__ = Carried.__qualname__ = name
    return Carried


def _as_raised(told):
    """An exception of the same name, of the built-in class where there is one, that carries the submission's lines."""
    import builtins

    base = getattr(builtins, told["kind"], None)
    if not (isinstance(base, type) and issubclass(base, Exception)):
        base = Exception
    try:
        return type(told["kind"], (StudentError, base), {})(told)
    except TypeError:
        return StudentError(told)


def _lines(lines):
    """[{"file", "line", "in", "code"}] of whatever came."""
    found = []
    for line in lines[:10] if isinstance(lines, list) else ():
        if isinstance(line, dict) and isinstance(line.get("line"), int):
            found.append({"line": line["line"], **{key: str(line.get(key, ""))[:300] for key in ("file", "in", "code")}})
    return [{key: line[key] for key in ("file", "line", "in", "code")} for line in found]


def _readable(channel):
    channel.setblocking(False)
    try:
        return bool(channel.recv(1, socket.MSG_PEEK))
    except OSError:
        return False
    finally:
        channel.settimeout(0.2)
