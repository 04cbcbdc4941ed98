"""`ma.record()`: what a forward and a backward pass did, operation by operation, to be played again
on a page.

    with ma.record(model, x=x) as tape:
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
    tape.save("tape.html")                            or, with what the gradient checker found:
    tape.save("tape.html", ma.gradcheck(MyReLU, [array]))

It listens to the engine from outside (tensor.observers), so nothing is different while nobody
records. Of each array a sample is kept (samples.py), never the array: what would be freed is freed.
"""
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np

from ..device import is_array
from ..nn import Module
from ..tensor import Function, Tensor
from ..watching import watching
from . import samples
from .verdict import marks_of

MOST = 1000  # forward and backward calls of a recording; of a longer one the first
_OWN = {"sources", "released", "saved", "needs_input_grad", "input_types", "layer",
        "owns_grad_output", "fresh_gradients"}
_recording = threading.local()


@contextmanager
def record(*modules: Module, **named: Tensor | Module) -> Iterator["Recording"]:
    """Record every operation of this thread inside the block. Yields a Recording, to be saved as a
    page afterwards.

    modules: whose parameters are called by their names; named: Tensors and modules with the names
    that the page gives them. Raises TypeError for anything else, RuntimeError inside another
    `record()` of the same thread.
    """
    if getattr(_recording, "active", False):
        raise RuntimeError("record() is at work in this thread already: end its block first, "
                           "since one tape holds one recording.")
    tape = Recording(_names(modules, named))
    _recording.active = True
    try:
        with watching(tape._observe):
            yield tape
    finally:
        _recording.active = False
        tape._end()


def _names(modules: tuple[Any, ...], named: dict[str, Any]) -> list[tuple[Tensor, str]]:
    wrong = [value for value in modules if not isinstance(value, Module)]
    wrong += [value for value in named.values() if not isinstance(value, (Module, Tensor))]
    if wrong:
        raise TypeError("record() takes modules, and Tensors by name as in record(model, x=x), "
                        f"got a {type(wrong[0]).__name__}.")
    found = [(parameter, path) for module in modules
             for path, parameter in module.named_parameters()]
    for name, value in named.items():
        inside = value.named_parameters() if isinstance(value, Module) else [("", value)]
        found += [(value, f"{name}.{path}" if path else name) for path, value in inside]
    return found


class Recording:
    """What happened, as plain values. nodes: the operations and the leaves; arrays: samples;
    events: calls in their order."""

    def __init__(self, names: list[tuple[Tensor, str]]) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.arrays: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.left_out = 0
        self._names = {id(value): (weakref.ref(value), name) for value, name in names}
        self._thread = threading.get_ident()
        # by id: a weak reference to an array, its number
        self._seen: dict[int, tuple[Any, int]] = {}
        self._made: dict[int, int] = {}  # by an array's number: the node that it came from
        self._nodes: Any = weakref.WeakKeyDictionary()  # by Function or leaf: its node
        self._leaves: list[tuple[Any, int]] = []
        # Functions that have saved something, and their nodes
        self._holding: list[tuple[Any, int]] = []

    def __repr__(self) -> str:
        return f"Recording({len(self.events)} events, {len(self.nodes)} operations and leaves)"

    def save(self, path: str | PathLike[str], *reports: Any, force: bool = False) -> None:
        """Write a page that plays it again. reports: of `ma.gradcheck`, of an operation in it or of
        the whole: what they find wrong is marked. force: replace a file that this did not write.
        Raises UserError, or ValueError for a report that says nothing of this recording."""
        from ..utils.files import Output
        from . import page

        marks = [mark for report in reports for mark in marks_of(report, self.nodes)]
        operations = sum(node["kind"] == "operation" for node in self.nodes)
        data = {"nodes": self.nodes, "arrays": self.arrays, "events": self.events, "marks": marks,
                "leftOut": self.left_out}
        page.write(Output(path, "player", force=force), "player", "The tape",
                   f"{operations} operations, {len(self.events)} events", data)

    # ------------------------------------------------------------------------------------ listening

    def _observe(self, direction: str, function: Function,
                 call: Callable[..., Any]) -> Callable[..., Any]:
        if threading.get_ident() != self._thread:
            return call
        if len(self.events) >= MOST:
            self.left_out += 1
            return call
        note = self._forward if direction == "forward" else self._backward

        def noted(*arrays: Any) -> Any:
            event = {"kind": direction, "freed": self._freed()}
            try:
                result = call(*arrays)
            except Exception as error:
                node = self._node(function, arrays if direction == "forward" else ())
                self.events.append(event | {"kind": "failed", "node": node, "direction": direction,
                                            "error": f"{type(error).__name__}: {error}"})
                raise
            self.events.append(event | note(function, arrays, result))
            return result
        return noted

    def _forward(self, function: Function, arrays: tuple[Any, ...], result: Any) -> dict[str, Any]:
        node = self._node(function, arrays)
        output = self._number(result)
        self._made[output] = node
        asked = any(function.needs_input_grad)
        saved = [self._number(value) for value in function.saved
                 if is_array(value)] if asked else []
        self.nodes[node] |= {"output": output, "saved": saved, "asked": asked}
        if saved:
            self._holding.append((weakref.ref(function), node))
        return {"node": node}

    def _backward(self, function: Function, arrays: tuple[Any, ...], result: Any) -> dict[str, Any]:
        node, (gradient,) = self._node(function, ()), arrays
        returned = result if isinstance(result, (tuple, list)) else (result,)
        return {"node": node, "gradient": self._number(gradient),
                "gradients": [self._number(value) for value in returned]}

    def _end(self) -> None:
        gradients = [(node, leaf.grad) for reference, node in self._leaves
                     if (leaf := reference()) is not None and leaf.grad is not None]
        self.events.append({"kind": "end", "freed": self._freed(),
                            "leaves": [[n, self._number(grad)] for n, grad in gradients]})
        self._seen.clear()

    # ----------------------------------------------------------------------------------- who is who

    def _node(self, function: Function, arrays: tuple[Any, ...]) -> int:
        """The number of an operation; one from before the block is known by its shapes only."""
        if function not in self._nodes:
            inputs = [self._source(source, array)
                      for source, array in zip(function.sources, arrays)]
            self._nodes[function] = len(self.nodes)
            module = type(function).__module__
            where = (f"{module.removeprefix('minialex.').replace('.', '/')}.py"
                     if module.startswith("minialex.") else module)
            self.nodes.append({"kind": "operation", "name": function.name, "layer": function.layer,
                               "inputs": inputs, "output": None, "saved": [], "asked": True,
                               "options": _options(function), "where": where})
        return self._nodes[function]

    def _source(self, source: Any, array: Any) -> dict[str, Any]:
        """Where an input comes from: {node, array}."""
        number = self._number(array)
        if isinstance(source, Function):
            return {"node": self._node(source, ()), "array": number}
        if source is None and number in self._made:
            return {"node": self._made[number], "array": number}
        return {"node": self._leaf(source, array, number), "array": number}

    def _leaf(self, leaf: Tensor | None, array: Any, number: int) -> int:
        if leaf is not None and leaf in self._nodes:
            return self._nodes[leaf]
        named = next((name for reference, name in self._names.values() if (known := reference())
                      is not None and (known is leaf or known.data is array)), None)
        if leaf is None and number in self._made:
            return self._made[number]
        node = len(self.nodes)
        self.nodes.append({"kind": "leaf",
                           "name": named or ("leaf" if leaf is not None else "input"),
                           "output": number, "asked": leaf is not None, "inputs": [], "saved": []})
        if leaf is None:
            self._made[number] = node
        else:
            self._nodes[leaf] = node
            self._leaves.append((weakref.ref(leaf), node))
        return node

    def _number(self, value: Any) -> int | None:
        """The number of an array, sampled when it is first seen or has changed since; None for no
        array."""
        if value is None:
            return None
        array = value if is_array(value) else np.asarray(value)
        if array.dtype.kind not in "fiub":
            return None
        sample = samples.of(array)
        reference, number = self._seen.get(id(array), (None, -1))
        if reference is not None and reference() is array and self.arrays[number] == sample:
            return number
        if array is value:
            self._seen[id(array)] = weakref.ref(array), len(self.arrays)
        self.arrays.append(sample)
        return len(self.arrays) - 1

    def _freed(self) -> list[int]:
        """The operations whose saved arrays have been let go since this was asked last."""
        gone = [(reference, node) for reference, node in self._holding if (f := reference()) is None
                or f.released]
        self._holding = [pair for pair in self._holding if pair not in gone]
        return [node for _, node in gone]


def _options(function: Function) -> dict[str, Any]:
    def is_plain(value: Any) -> bool:
        return isinstance(value, (bool, int, float,
                                  str)) or isinstance(value, tuple) and all(map(is_plain, value))

    return {name: samples.number(value) if isinstance(value, float) else value
            for name, value in vars(function).items() if name not in _OWN
            and not name.startswith("_") and is_plain(value)}
