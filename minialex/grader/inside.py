"""In the submission's process: loads its file, and does what the grader asks, one request after the other (see remote.py).

Nothing here can be relied on by the grader, since the submission may change it: it computes values, and decides nothing.
"""
import copy
import json
import os
import socket
import sys
import tempfile
import threading
import time
import traceback
import types
from pathlib import Path

import numpy as np

import minialex as ma

from ..gradcheck import binding, check
from ..gradcheck.numpy_code import Functions, Run
from ..gradcheck.report import Report, Row
from ..gradcheck.tensor_function import frozen
from ..nn import Module
from . import wire
from .remote import ANSWERS, PATIENCE, load, parameters, signature

OUT_OF_TIME = 3  # exit status


class Inside:
    """The submission, its objects by number, and the channel to the grader."""

    def __init__(self, channel, restart):
        self.channel, self.restart = channel, restart
        self.objects, self.answers, self.asked = [], {}, 0
        self.module = self.path = None
        self.lock, self.doing, self.busy = threading.Lock(), "reading the file", False
        self.raised = self.submission = None
        self.runs = {}

    def serve(self):
        while True:
            self.obey(self.receive())

    def obey(self, message):
        """Does what is asked, and answers."""
        try:
            self.busy = True
            answer = getattr(self, f"do_{message['do']}")(*message["arguments"], **message["options"])
            data = wire.pack({"answer": answer}, self.keep)
        except BaseException as error:  # SystemExit and KeyboardInterrupt, too
            self.raised, answer = error, None
            data = wire.pack({"failed": self.explained(error)}, self.keep)
        finally:
            self.busy = False
        self.remember(answer, message["do"])
        self.send(data)

    def exchange(self, message):
        """The grader's answer to a question of ours; it may want something from us before it gives it."""
        self.send(wire.pack(message, self.keep))
        busy, self.busy = self.busy, False
        while "do" in (reply := self.receive()):
            self.obey(reply)
        self.busy = busy
        return reply

    def remember(self, answer, what):
        answer = answer[0] if what == "call" and answer else answer
        self.answers[self.asked] = (answer, *(answer if isinstance(answer, (tuple, list)) else ()))
        self.answers.pop(self.asked - ANSWERS, None)
        self.asked += answer is not None or what != "call"

    # what may be asked

    def do_load(self, path):
        self.path = Path(path)
        course = types.ModuleType("course")
        course.check = lambda *answers: None  # the last line of an exercise; the grader checks
        sys.modules["course"] = course
        self.module = load(path)

    def do_names(self, names):
        return [getattr(self.module, name, None) for name in names]

    def do_copy(self, target):
        return copy.copy(target)

    def do_call(self, target, method, arguments, keywords, randomness):
        if randomness is True:
            self.restart()
        elif randomness is not None:
            np.random.set_state(("MT19937", randomness[:-1], int(randomness[-1])))
        function = target if method is None else getattr(target, method)
        places = {**dict(enumerate(arguments)), **keywords}
        before = {key: value.copy() for key, value in places.items() if isinstance(value, np.ndarray)}
        self.doing = getattr(function, "__name__", "a call")
        value = function(*arguments, **keywords)
        changed = [[key, places[key]] for key, old in before.items()
                   if old.tobytes() != np.ascontiguousarray(places[key]).tobytes()]
        return value, changed

    # checking layers

    def do_check(self, job, known):
        """All checks of this file; the grader makes the comparisons."""
        self.path = Path(job["file"])
        self.submission = _submission(self, job, None if known is None else self.teacher(known))
        self.submission.run()
        self.exchange({"say": {"done": True}})

    def teacher(self, known):
        """The teacher's file, as far as it may be known: forward functions, which the grader runs, and names."""
        module = sys.modules["teacher"] = types.ModuleType("teacher")
        for name, value in known.items():
            if isinstance(value, dict):
                methods = {method: _unwritten(method, places) for method, places in value.items()}
                value = type(name, (), {**methods, "__module__": "teacher"})
            setattr(module, name, value or _unwritten(name))
        return module

    def compare(self, code, values, options):
        """The grader's report."""
        reply = self.exchange({"compare": code, "title": code.title, "values": values, "options": options})
        if "raised" in reply:
            raise self.raised
        if "failed" in reply:
            raise {"TypeError": TypeError}.get(reply["failed"], ValueError)(reply["message"])
        return _report(reply["value"])

    def do_run(self, code, values):
        self.restart()
        before = {name: _copy(value) for name, value in values.items()}
        run = code.run(values)
        number = len(self.runs)
        self.runs[number] = run
        self.runs.pop(number - ANSWERS, None)
        self.runs.setdefault(number - ANSWERS, None)
        changed = {name: value for name, value in run.inputs.items() if name in before and _differs(before[name], value)}
        return number, list(run.outputs), changed

    def do_runs(self, code, wanted):
        """The outputs of several runs."""
        found = []
        for values in wanted:
            self.restart()
            found.append([np.array(output) for output in code.run(values).outputs])
        return found

    def do_rest(self, number):
        return list(self.runs[number].rest)

    def do_back(self, code, number, douts, randomness):
        if randomness is not None:
            np.random.set_state(("MT19937", randomness[:-1], int(randomness[-1])))
        run = self.runs[number]
        before = {name: _copy(value) for name, value in run.inputs.items()}
        gradients = code.backward(run, douts)
        return gradients, douts, {name: value for name, value in run.inputs.items() if _differs(before.get(name), value)}

    def do_takes_dout(self, code, number):
        return bool(code.takes_dout(self.runs[number]))

    # what travels

    def send(self, data):
        with self.lock:
            self.channel.sendall(data)

    def receive(self):
        text, buffers = wire.HEAD.unpack(self.bytes(wire.HEAD.size))
        return wire.unpack(self.bytes(text), self.bytes(buffers), self.made, self.found)

    def bytes(self, count):
        data = bytearray()
        while len(data) < count:
            chunk = self.channel.recv(min(count - len(data), 2 ** 20))
            if not chunk:
                os._exit(0)  # the grader has gone
            data += chunk
        return bytes(data)

    def keep(self, value):
        if isinstance(value, np.random.Generator):
            return {"generator": value.bit_generator.state}
        if isinstance(value, ma.Tensor):
            return {"tensor": value.data, "requires_grad": bool(value.requires_grad)}
        self.objects.append(value)
        name = getattr(value, "__name__", type(value).__name__)
        described = {"number": len(self.objects) - 1, "type": str(name), "is_class": isinstance(value, type)}
        if isinstance(value, type) and issubclass(value, ma.Function):
            described["base"] = "Function"
        if callable(value) and not isinstance(value, ma.Function):
            described.update(callable=True, parameters=parameters(value))
        return described

    def made(self, description):
        if "tensor" in description:
            return ma.Tensor(description["tensor"], requires_grad=description["requires_grad"])
        number, name = description["callback"], description["name"]

        def called(*arguments, **keywords):
            return self.call_back(number, [*arguments, *keywords.values()])

        called.__name__, called.__module__, called.__signature__ = name, "teacher", signature(description["parameters"])
        return called

    def found(self, number):
        if number[0] == "object":
            return self.objects[number[1]]
        return self.answers[number[1]][number[2] + 1]

    def call_back(self, number, arguments):
        reply = self.exchange({"callback": number, "arguments": list(arguments)})
        if reply.get("failed") == "NotImplementedError":
            raise NotImplementedError(reply["message"])
        if "failed" in reply:
            raise RuntimeError(f"{reply['failed']}: {reply['message']}")
        return reply["value"]

    # what goes wrong

    def explained(self, error):
        from .submission import explained

        return explained(error, self.path)

    def watch(self, seconds, thread):
        """In a thread of its own: waits for too much computing time, or waiting, says where the code is, and ends it all.
        Code that never lets another thread run is ended by the system, or by the grader."""
        from .submission import own_lines

        began, waited = time.process_time(), 0.0
        while time.process_time() - began < seconds and waited < PATIENCE * seconds:
            time.sleep(0.1)
            waited += 0.1 if self.busy else 0.0  # not while the grader computes
        frame = sys._current_frames().get(thread)
        stack = traceback.extract_stack(frame) if frame is not None else []
        doing = self.submission.doing if self.submission else self.doing
        message = f"{doing} was not done after {seconds:g} s (--timeout): does a loop never end?"
        told = {"kind": "out of time", "message": message, "lines": own_lines(stack, self.path) if self.path else []}
        self.channel.sendall(wire.pack({"late": told}, self.keep))
        os._exit(OUT_OF_TIME)


def _submission(inside, job, teacher):
    """submission.Submission, for which the grader keeps the teacher's file, and whom it tells every line."""
    from .submission import Submission

    class Watched(Submission):
        def say(self, **line):
            inside.exchange({"say": line})

        def _reference(self):
            return teacher

    folder = Path(tempfile.mkdtemp())
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return Watched(folder)


def _unwritten(name, places=None):
    def unwritten(*arguments, **keywords):
        raise NotImplementedError(f"{name} is the teacher's")

    unwritten.__name__, unwritten.__module__ = name, "teacher"
    if places is not None:
        unwritten.__signature__ = signature(places)
    return unwritten


def _copy(value):
    return value.copy() if isinstance(value, np.ndarray) else value


def _differs(before, after):
    if not isinstance(before, np.ndarray):
        return False
    return not isinstance(after, np.ndarray) or before.shape != after.shape or before.tobytes() != after.tobytes()


def _report(plain):
    """A Report of a dictionary."""
    rows = []
    for row in plain["rows"]:
        row = {**row, "more": row["lines"]}
        numbers = {key: float(row[key]) for key in ("error", "numeric", "analytic", "factor") if row[key] is not None}
        lists = {key: tuple(row[key]) for key in ("shape", "index", "map", "seen", "more") if row[key] is not None}
        rows.append(Row(**{key: value for key, value in {**row, **numbers, **lists}.items() if key in Row._fields}))
    return Report(plain["title"], rows)


class Layer:
    """A Function or Module of the engine as code to be checked: its parameters are inputs, too."""

    def __init__(self, layer):
        self.layer = layer
        self.title = type(layer).__name__.lstrip("_")
        self.parameters = dict(layer.named_parameters()) if isinstance(layer, Module) else {}

    def values(self, arrays):
        """{name: array} of the inputs and the parameters."""
        forward = type(self.layer).forward
        names = [p[0] for p in parameters(forward)[1:]] if not any(p[1] == "VAR_POSITIONAL" for p in parameters(forward)) else []
        names = names if len(names) >= len(arrays) else [f"input {i}" for i in range(len(arrays))]
        return {**{name: np.array(array, dtype=np.float64) for name, array in zip(names, arrays)},
                **{name: np.array(tensor.data, dtype=np.float64) for name, tensor in self.parameters.items()}}

    def run(self, values):
        leaves = {name: ma.Tensor(value, requires_grad=True) for name, value in values.items() if name not in self.parameters}
        for name, tensor in self.parameters.items():
            tensor.data, tensor.grad = values[name], None
        layer = copy.copy(self.layer) if isinstance(self.layer, ma.Function) else self.layer
        output = layer(*leaves.values())
        if not isinstance(output, ma.Tensor):
            raise TypeError(f"{self.title} must return one Tensor, it returned a {type(output).__name__}.")
        return Run([output.data.copy()], [], values, (output, {**leaves, **self.parameters}))

    def backward(self, run, douts):
        output, leaves = run.state
        if output.requires_grad:
            output.backward(np.array(douts[0], dtype=np.float64).reshape(output.shape))
        return {name: leaf.grad for name, leaf in leaves.items()}

    def file(self):
        return ""

    def takes_dout(self, run):
        return True


def _asked_of(inside):
    """The checker's entrances, so that they ask the grader: whoever imports them afterwards gets these."""
    def check_code(code, values, **options):
        return inside.compare(code, values, options)

    def check_backward(forward, backward, inputs, names=None, **options):
        values, by_name = binding.named(forward, inputs, names)
        return inside.compare(Functions(forward, backward, by_name), values, options)

    def gradcheck(layer, arrays=(), names=None, **options):
        code = Layer(layer() if isinstance(layer, type) else layer)
        return inside.compare(code, code.values(arrays), options)

    for entrance in (check_code, check_backward, gradcheck):
        setattr(check, entrance.__name__, entrance)
        setattr(ma.gradcheck, entrance.__name__, entrance)


def main(seconds, descriptor):
    """Called in the new process, before anything of the submission is loaded."""

    channel = socket.socket(fileno=descriptor)
    channel.setblocking(True)
    sys.stdin = open(os.devnull, encoding="utf-8")
    with frozen() as restart:
        inside = Inside(channel, restart)
        _asked_of(inside)
        threading.Thread(target=inside.watch, args=(seconds, threading.get_ident()), daemon=True).start()
        try:
            inside.serve()
        finally:
            os._exit(0)
