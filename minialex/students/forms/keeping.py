"""What an object keeps of forward and backward, where they return nothing: self.output, self.dx."""
import ast
import functools
import inspect
import re
from collections.abc import Callable

import numpy as np

from .. import dialects
from ..called import binding
from ..names import OUTPUTS, is_penalty, is_rate, plain, role
from ..reading import changes
from ..reading.sources import source


class NotChecked(Exception):
    """It looks like a layer, but cannot be checked; the message says why."""


def of_its_own(layer: object, backward: Callable, forward: Callable) -> dict:
    """{name: value} of what backward asks for and forward has kept in an attribute of that name: A1
    of self.__A1. An `output` is what forward returned, whatever self.output is."""
    own = {plain(name): value for name, value in vars(layer).items()
           if isinstance(value, np.ndarray)}
    dout = binding.names_of_dout(forward, backward)
    steps = factors_of_steps(getattr(backward, "__func__", backward))
    return {**{name: rate for name, rate in steps.items() if name not in dout},
            **{p.name: own[plain(p.name)] for p in binding.signature(backward)
               if plain(p.name) in own and p.name not in dout and p.default is p.empty
               and role(p.name) not in ("scores", "probs")}}


@functools.lru_cache(maxsize=64)
def factors_of_steps(backward: Callable) -> dict[str, float]:
    """{name: 1.0} of the numbers that multiply what an update adds, whatever they are called: N of
    W + N * change + M * before[i]; 0.0 of the M beside it, a momentum's."""
    tree, found = binding.syntax_tree(backward), {}
    asked = [p.name for p in binding.signature(backward) if p.default is p.empty and not (
        role(p.name) or is_rate(p.name) or is_penalty(p.name))]
    products = [(one.id, ast.unparse(other)) for node in ast.walk(tree)
                for target, value in [*changes.pairs_of(node), *(
                    [(node.target, node.value)] if isinstance(node, ast.AugAssign) else ())]
                if ast.unparse(target).startswith("self.")
                for product in ast.walk(value) if isinstance(product, ast.BinOp)
                and isinstance(product.op, ast.Mult) for one, other in (
                    (product.left, product.right), (product.right, product.left))
                if isinstance(one, ast.Name) and one.id in asked]
    for name in dict.fromkeys(name for name, _ in products):
        read = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
        kept = [other.startswith("self.") for one, other in products if one == name]
        others = [other for one, other in products if one != name and not other.startswith("self.")]
        if len(read) == len(kept):
            found[name] = 0.0 if all(kept) and others else 1.0
    return found


def output_kept(layer: object, title: str, default: object = None,
                method: object = None) -> object:
    """Where forward returns nothing: self.output and the like, or the last array of the list that
    it fills last. Raises NotChecked."""
    names = [name for name, value in vars(layer).items() if plain(name) in OUTPUTS
             and isinstance(value, (np.ndarray, float)) or "loss" in name
             and isinstance(value, float)]
    if names:
        return getattr(layer, min(names, key=lambda name: (role(name) == "labels",
                                                           OUTPUTS.get(plain(name), 99))))
    if default is not None:
        return default
    filled = [own[-1] for name in _filled(getattr(method, "__func__", None))
              if isinstance(own := getattr(layer, name, None), list) and own
              and isinstance(own[-1], np.ndarray)]
    if filled:
        return filled[-1]
    raise NotChecked(f"{title} returns nothing and keeps no self.output: is `return` missing?")


@functools.lru_cache(maxsize=64)
def _filled(function):
    """The lists of self that it fills, in its order."""
    return re.findall(r"self\.(\w+)(?:\[[^\n=]+\] *=|\.append\()", source(function))


def input_gradient(layer: object, name: str) -> dict:
    """{name: its gradient} where backward keeps that: self.dx."""
    wanted = {plain(f"d{name}"), plain(f"grad_{name}"), plain(f"{name}_grad"),
              *dialects.INPUT_GRADIENTS}
    names = [one for one in vars(layer) if plain(one) in wanted
             and isinstance(getattr(layer, one), np.ndarray)]
    return {name: getattr(layer, min(
        names, key=lambda one: dialects.INPUT_GRADIENTS.get(plain(one), -1)))} if names else {}


def unbegun(cls: type) -> object | None:
    """An object whose constructor has not run: it may train for hours, and belongs to the check of
    a pair. None where it wants something: only what is static can be called."""
    if any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
           for p in binding.signature(cls)):
        return None
    try:
        return object.__new__(cls)
    except TypeError:  # it is abstract, or an exception
        return None


def as_function(cls: type, name: str) -> Callable | None:
    """A method as a function, of a new object for each call: what it keeps as its input's gradient
    is returned. None where such an object wants something."""
    method = getattr(cls, name)
    if unbegun(cls) is None or isinstance(inspect.getattr_static(cls, name), staticmethod):
        return None

    @functools.wraps(method)
    def called(*arguments, **keywords):
        made = cls()
        returned = getattr(made, name)(*arguments, **keywords)
        return input_gradient(made, "x").get("x") if returned is None else returned
    called.__name__ = f"{cls.__name__}_{name}"
    return binding.with_parameters(called, binding.signature(method)[1:])
