"""Nodes of a graph: objects that are handed other nodes, with forward() and backward() that ask for
nothing, or the gradient of an operation in a function that is registered for it.

    class Linear(Node):
        def __init__(self, x, W, b): …              nodes, which hold their values
        def forward(self): self.value = self.inbound_nodes[0].value @ …
        def backward(self): for n in self.outbound_nodes: grad = n.gradients[self] …

    @RegisterGradient("matmul")
    def _matmul_gradient(op, grad): …

Each is made with leaves that hold its inputs. Its dout lies in self.grad, or in the gradients of
nodes behind it; what it gives back lies in its own gradients, in the leaves, or is returned.
"""
import ast
import contextlib
import functools
import inspect
import itertools
import re
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ..called import binding
from ..called.gradients import Named
from ..dialects import BACKWARD, DATA, GRAD, LEAVES, letter
from ..names import plain, role
from ..reading import changes
from ..reading.sources import source
from .renaming import required

VALUES = {*DATA, "output", "out", "y", "a"}
POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
COMPUTES = "compute", "forward", "evaluate", "__call__"
PARTS = 0.25, 0.75  # of dout, from two nodes behind


class Leaf:
    """A node that stands for the inputs, where the file has none that can be made: it has an empty
    list of whatever is looked for."""

    def __getattr__(self, name: str) -> list:
        if name.startswith("__"):
            raise AttributeError(name)
        return vars(self).setdefault(name, [])


def both(cls: type, forward: str, backward: str) -> tuple[Callable, Callable] | None:
    """(forward of arrays, backward) of such a class; None of others."""
    methods = getattr(cls, forward), getattr(cls, backward)
    if any(isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod))
           for name in (forward, backward)):
        return None  # they are given a context
    given = required(methods[0])[1:]
    values = [one.attr for one in binding.nodes(methods[0], ast.Attribute)
              if plain(one.attr) in VALUES and (_name(one.value) in given if given
                                                else not _is_self(one.value))]
    calls = any(_name(one.func) == forward and not _is_self(one.func.value)
                for one in binding.nodes(methods[0], ast.Call)
                if isinstance(one.func, ast.Attribute))
    if plain(cls.__name__) in LEAVES and _behind(methods[1])[0]:
        return _functions(cls, methods, ["x"], next((name for name in DATA if re.search(
            rf"\bself\.{name}\b", "".join(map(source, cls.__mro__[:-1])))), "value"))
    if len(required(methods[1])) > 2 or not (values or calls and not given):
        return None
    if given:  # two units of a gate
        return None if required(cls) else _functions(cls, methods, given, values[0], cls)
    names, make = _inputs(cls, methods)
    return _functions(cls, methods, names, values[0] if values else "", make) if names and not any(
        map(letter, names)) else None


def is_leaf(cls: type, forward: str, backward: str) -> bool:
    """Does a class hold what others compute with, and compute nothing itself?"""
    asked = len(required(getattr(cls, forward))) == 1 and plain(cls.__name__) in LEAVES
    return asked and not changes.multiplies(binding.syntax_tree(getattr(cls, backward)))


def _functions(cls, methods, names, value, make=None):
    """make: the class where its node is made of nothing, and forward is given the others; list
    where it is made of a list of them."""
    run, back = methods
    place, kept = _behind(back)
    takes_dout = len(required(back)) > 1
    marks = [one for one in binding.nodes(back, ast.Attribute) if plain(one.attr) in GRAD]
    inside = next((one.attr for one in marks if _is_self(one.value)
                   and isinstance(one.ctx, ast.Load)), "") if not place else ""
    handed = {one.attr for one in marks if not _is_self(one.value)}

    def forward(*given):
        leaves = [_leaf(cls, one, value, handed) if isinstance(one, np.ndarray) else one
                  for one in given]
        node = leaves[0] if isinstance(leaves[0], cls) else _made(
            cls, [] if make is cls else [leaves] if make is list else leaves)
        returned = run(node, *leaves) if make is cls else run(node)
        told = returned if hasattr(returned, value) else node
        return getattr(told, value) if told is not node or returned is None and value else (
            returned), (node, leaves, told)

    def backward(dout, cache):
        node, leaves, told = cache
        if told is not node:
            setattr(told, next(iter(handed), "grad"), np.array(dout))
        elif place:
            getattr(node, place).extend(types.SimpleNamespace(**{kept: {node: part * dout}})
                                        for part in PARTS)
        elif inside:
            setattr(node, inside, np.array(dout))
        returned = back(node, *[dout][:takes_dout])
        return _found(node, names, leaves, returned)

    return _as_pair(cls, names, (forward, backward), place or inside or takes_dout or make is cls,
                    methods)


def _as_pair(cls, names, own, has_dout, written):
    """Forward and backward, called alike, which say what they take. written: the student's."""
    forward, backward = own
    asked = ["dout", "cache"] if has_dout else ["cache"]

    def of_one_number(cache):
        return backward(1.0, cache)
    return (_named(f"{cls.__name__}_forward", forward, names, written[0]),
            _named(f"{cls.__name__}_backward", backward if has_dout else of_one_number, asked,
                   written[1]))


def _named(title, function, names, written):
    @functools.wraps(written)
    def called(*given, **named):
        return function(*given, *(named[name] for name in names if name in named))
    called.__name__ = title
    return binding.with_parameters(called, [inspect.Parameter(name, POSITIONAL) for name in names])


def _found(node, names, leaves, returned):
    """{input: its gradient}"""
    told = [one for one in vars(node).values() if isinstance(one, dict)]
    every = returned if isinstance(returned, (list, tuple)) else [returned]
    found = {}
    for place, (name, leaf) in enumerate(zip(names, leaves)):
        if not hasattr(leaf, "__dict__"):
            continue
        inside = [one[leaf] for one in told if leaf in one]
        held = [one for key, one in vars(leaf).items() if plain(key) in GRAD and isinstance(
            one, (np.ndarray, float)) and (np.any(one) or role(name) != "labels")]
        rest = every[place:place + 1] if len(every) == len(names) else []
        value = next((one for one in (*inside, *rest, *held) if one is not None), None)
        if value is not None:
            found[name] = value
    return Named(found)


def _behind(backward):
    """(outbound_nodes, gradients) of n.gradients[self] for the nodes n behind it; empty where it
    looks at none."""
    for whole in binding.nodes(backward, ast.For, ast.GeneratorExp, ast.ListComp):
        for over in getattr(whole, "generators", [whole]):
            names = changes.names_in(over.target) if _is_self(getattr(
                over.iter, "value", None)) and isinstance(over.iter, ast.Attribute) else ()
            for one in binding.every([whole] if names else [], ast.Subscript):
                if _is_self(one.slice) and getattr(getattr(
                        one.value, "value", None), "id", "") in names:
                    return over.iter.attr, one.value.attr
    return "", ""


def _inputs(cls, methods):
    """(what the nodes are called that a constructor takes, list if it takes one list): by its own
    arguments, or, of *nodes and of a list, as forward unpacks them."""
    places = [p for p in binding.signature(cls) if p.default is p.empty]
    is_star = [p.kind for p in places] == [inspect.Parameter.VAR_POSITIONAL]
    if not is_star and (len(places) != 1 or role(places[0].name) != "x"
                        or not plain(places[0].name).endswith("s")):
        names, make = [p.name for p in places], None
    else:
        unpacked = [target.elts for one in binding.nodes(methods[0], ast.Assign)
                    for target in one.targets if isinstance(target, ast.Tuple)
                    and any(map(_is_self, ast.walk(one.value)))]
        counts = [one.slice.value for one in binding.nodes(methods[0], ast.Subscript)
                  if isinstance(one.slice, ast.Constant) and isinstance(one.slice.value, int)
                  and any(map(_is_self, ast.walk(one.value)))]
        names = [one.id for one in unpacked[0] if isinstance(one, ast.Name)] if unpacked else [
            "x", "b", "c"][:1 + max(counts, default=-1)]
        make = None if is_star else list
    sums = any(_name(one.func) in ("sum", "mean", "add.reduce") or "axis" in ast.unparse(one)
               for one in binding.nodes(methods[1], ast.Call))
    if len(names) == 2 and not changes.multiplies(binding.syntax_tree(methods[0])):
        # one is added to each row of the other, or both are alike
        known = role(names[1])
        names[1] = "shift" if sums and known == "b" else names[1] if sums or known in (
            None, "x") else f"{names[1]}_2"
    return names, make


def _leaf(cls, value, attribute, handed):
    """A node that holds this array, and what is handed to it: one of the file's own, if one can be
    made."""
    own = [one for one in vars(sys.modules[cls.__module__]).values() if inspect.isclass(one)
           and one.__module__ == cls.__module__ and plain(one.__name__) in LEAVES]  # Unit(3.0, 0.0)
    own.sort(key=lambda one: one is not cls)
    leaf: Any = Leaf()
    for make, given in itertools.product([*own, cls.__mro__[-2]], ((), (value,), (value, 0.0))):
        with contextlib.suppress(Exception):  # it wants something else
            leaf = make(*given)
            break
    for name in (attribute, "output") if attribute else ("value", "output"):
        setattr(leaf, name, value)
    for name in handed:
        setattr(leaf, name, np.zeros_like(value, dtype=float))
    return leaf


def _made(cls, leaves):
    """The node of these."""
    try:
        return cls(*leaves)
    except NameError:  # of a graph that is to be there
        for one in vars(sys.modules[cls.__module__]).values():
            if inspect.isclass(one) and hasattr(one, "as_default"):
                one().as_default()
        return cls(*leaves)


def drives(thing: object, is_graph: bool) -> bool:
    """Does a function call backward() of every node, and compute nothing? So does a class, of a
    graph whose gradients are registered."""
    if inspect.isclass(thing):
        return is_graph and not changes.multiplies(binding.syntax_tree(thing))
    return inspect.isfunction(thing) and any(
        plain(_name(one.func)) in BACKWARD and not one.args and isinstance(one.func, ast.Attribute)
        for one in binding.nodes(thing, ast.Call)) and not changes.multiplies(
            binding.syntax_tree(thing))


def _is_self(node):
    return isinstance(node, ast.Name) and node.id == "self"


def _name(node):
    return getattr(node, "attr", getattr(node, "id", ""))


# --------------------------------------------------------------------------------------- registered


def registered(own: dict) -> list[tuple[str, Callable, Callable]]:
    """[(the operation, its forward, its backward)] of gradient functions that a decorator, or a
    table, registers for the file's operations."""
    found = []
    for function in own.values():
        tree = binding.syntax_tree(function).body[:1] if inspect.isfunction(function) else []
        words = [_word(one.args[0]) for node in tree for one in getattr(node, "decorator_list", ())
                 if isinstance(one, ast.Call) and len(one.args) == 1]
        for word in words:
            cls = next((value for name, value in own.items() if inspect.isclass(value)
                        and plain(name) == plain(word)), None)
            compute = next((one for name in COMPUTES if inspect.isfunction(
                one := getattr(cls, name, None))), None)
            if compute and len(required(function)) == 2:
                found.append((cls.__name__, *_of_operation(cls, compute, function)))
    return found


def _word(node):
    return str(node.value) if isinstance(node, ast.Constant) else _name(node)


def _of_operation(cls, compute, gradient):
    asked = required(compute)[1:]
    names = required(cls) if len(required(cls)) == len(asked) else asked

    def forward(*given):
        op = _made(cls, [_leaf(cls, one, "", ()) if isinstance(one, np.ndarray) else one
                         for one in given])
        op.inputs, op.output = list(given), compute(op, *given)
        return op.output, op

    def backward(dout, cache):
        returned = gradient(cache, dout)
        every = returned if isinstance(returned, (list, tuple)) else [returned]
        return Named(zip(names, every))
    return _as_pair(cls, names, (forward, backward), True, (compute, gradient))
