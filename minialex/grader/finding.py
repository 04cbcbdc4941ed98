"""What is there to check in a student's file? Loads it, and finds the pairs, losses, Functions and Modules in it.

    NAME_forward, NAME_backward      out, cache = conv_forward(x, w, b);  dx, dw, db = conv_backward(dout, cache)
    forward, backward                the same, and so conv_forward_naive, conv_backward_naive
    NAME, NAME_backward              y = relu(x);  dx = relu_backward(dy, x)
    NAME_loss alone                  loss, dx = softmax_loss(x, y)
    a Function or a Module           a class of the file, or an object at its top level
"""
import importlib.util
import inspect
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import NamedTuple

from ..nn import Module
from ..tensor import Function


class NothingFound(Exception):
    """The file holds nothing that can be checked, or not what was asked for."""


class Found(NamedTuple):
    """Something to check. kind: "pair", "loss" (forward returns the gradient, too), "layer" (a Function or a Module) or
    "missing" (one of the two functions is not there; `title` names it)."""

    name: str
    forward: object
    backward: object = None
    kind: str = "pair"
    title: str = ""


def load(path):
    """The module in the file at `path`, run once. Files beside it can be imported, as when it is run itself, but none of
    them can stand in for an installed package."""
    path = Path(path).resolve()
    name = "student_" + "".join(letter if letter.isalnum() else "_" for letter in path.stem)
    spec = importlib.util.spec_from_loader(name, SourceFileLoader(name, str(path)))  # whatever the file's name ends with
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec.loader.exec_module(module)
    return module


def everything(module):
    """[Found, ...] in the order of the file. Raises NothingFound when there is nothing."""
    names = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    found = [_found(stem, names) for stem in _stems(names)]
    used = {id(part) for item in found for part in (item.forward, item.backward)}
    for name, value in names.items():
        if id(value) in used:
            continue
        if _is_layer(value) and (not inspect.isclass(value) or value.__module__ == module.__name__):
            found.append(_layer(name, value))
        elif name.endswith("_loss") and inspect.isfunction(value) and value.__module__ == module.__name__:
            found.append(Found(name, value, None, "loss", name))
    if not found:
        raise NothingFound("it defines no pair NAME_forward and NAME_backward (or forward and backward, or NAME and "
                           "NAME_backward), no Function and no Module")
    return sorted(found, key=lambda item: _line(item.forward))


def chosen(module, names):
    """[Found] for what stands after the colon: FILE:forward,backward, FILE:conv for a pair, FILE:Layer. Raises NothingFound."""
    if len(names) == 1:
        (name,) = names
        found = like(module, _stem(name.replace("forward", "backward")) if "ward" in name else name)
        if found.kind != "missing":
            return [found]
        if name not in vars(module) or name != found.name:
            raise NothingFound(f"it defines no {found.title}")
        return [Found(name, getattr(module, name), None, "loss", name)]  # loss, dx = my_loss(x, y)
    for name in names:
        if not callable(getattr(module, name, None)):
            raise NothingFound(f"it defines no {name}")
    forward, backward = names
    return [Found(forward.removesuffix("_forward"), getattr(module, forward), getattr(module, backward), "pair", backward)]


def like(module, stem):
    """The pair, loss or layer called `stem` in a student's module."""
    names = vars(module)
    if stem.endswith("_loss") and callable(names.get(stem)) and f"{stem}_backward" not in names:
        return Found(stem, names[stem], None, "loss", stem)
    if _is_layer(names.get(stem)):
        return _layer(stem, names[stem])
    return _found(stem, names)


def _layer(name, value):
    return Found(name, value, None, "layer", name)


def _found(stem, names):
    """Of the pair called `stem`: as it is, or what is missing. "conv" is conv_forward or conv, and conv_backward."""
    for forward, backward in _candidates(stem, names):
        if callable(names.get(forward)) and callable(names.get(backward)):
            return Found(stem, names[forward], names[backward], "pair", backward)
    here = [name for name in (f"{stem}_forward", stem) if callable(names.get(name))]
    missing = f"{stem}_backward" if here else f"{stem}_forward"
    if stem == "forward":
        missing = "backward" if here else "forward"
    return Found(stem, names.get(here[0]) if here else None, None, "missing", missing)


def _candidates(stem, names):
    """The two names of a pair, as people choose them."""
    for backward in names:
        if "backward" in backward and _stem(backward) == stem:
            for forward in (backward.replace("backward", "forward"), stem):
                yield forward, backward


def _stem(backward):
    """relu of relu_backward, conv_naive of conv_backward_naive; "forward" of the bare backward."""
    return "_".join(filter(None, backward.replace("backward", "").split("_"))) or "forward"


def _stems(names):
    """Each pair's name, if both are there."""
    stems = dict.fromkeys(_stem(name) for name in names if "backward" in name)
    return [stem for stem in stems if _found(stem, names).kind == "pair"]


def _is_layer(value):
    return isinstance(value, (Function, Module)) or inspect.isclass(value) and issubclass(value, (Function, Module))


def _line(forward):
    """Where it is defined; objects come last."""
    code = getattr(inspect.unwrap(forward), "__code__", None) if callable(forward) else None
    if code is not None:
        return code.co_firstlineno
    try:
        return inspect.getsourcelines(forward)[1]
    except (OSError, TypeError):
        return sys.maxsize
