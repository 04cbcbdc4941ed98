"""What is there to check in a student's file? Loads it, and finds the pairs, Functions and Modules in it.

    NAME_forward, NAME_backward      out, cache = conv_forward(x, w, b);  dx, dw, db = conv_backward(dout, cache)
    forward, backward                the same
    NAME, NAME_backward              y = relu(x);  dx = relu_backward(dy, x)
    a Function or a Module           a class of the file, or an object at its top level
"""
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import NamedTuple

from ..nn import Module
from ..tensor import Function


class Found(NamedTuple):
    """Something to check. backward: None for a Function or a Module. missing: the name of what is not there, or None."""

    name: str
    forward: object
    backward: object = None
    missing: str | None = None

    @property
    def title(self):
        return self.name if self.backward is None else getattr(self.backward, "__name__", f"{self.name}_backward")


class NothingFound(Exception):
    """The file holds nothing that can be checked, or not what was asked for."""


def load(path):
    """The module in the file at `path`, run once. Files beside it can be imported, as when it is run itself."""
    path = Path(path).resolve()
    name = "student_" + "".join(letter if letter.isalnum() else "_" for letter in path.stem)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up
    sys.path.insert(0, str(path.parent))
    spec.loader.exec_module(module)
    return module


def everything(module):
    """[Found, ...] in the order of the file. Raises NothingFound when there is nothing."""
    names = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    found = [Found(stem, *_pair(stem, names)) for stem in _stems(names)]
    used = {id(part) for item in found for part in (item.forward, item.backward)}
    for name, value in names.items():
        if id(value) not in used and _is_layer(value, module):
            found.append(Found(name, value))
    if not found:
        raise NothingFound("it defines no pair NAME_forward and NAME_backward (or forward and backward, or NAME and "
                           "NAME_backward), no Function and no Module")
    return sorted(found, key=lambda item: _line(item.forward))


def chosen(module, names):
    """Found for the names after the colon of FILE:forward,backward or FILE:Layer. Raises NothingFound."""
    for name in names:
        if not hasattr(module, name):
            raise NothingFound(f"it defines no {name}")
    parts = [getattr(module, name) for name in names]
    stem = names[0].removesuffix("_forward")
    if len(parts) == 1 and not _is_a_layer_kind(parts[0]):
        namespace = vars(module)
        stem = names[0].removesuffix("_backward").removesuffix("_forward")
        forward, backward = _pair(stem, namespace)
        if forward is None or backward is None:
            raise NothingFound(f"it defines no {_partner(stem, namespace)} beside {names[0]}")
        return Found(stem, forward, backward)
    return Found(stem, *parts)


def like(module, stem):
    """The pair called `stem` in a student's module; what is not there is said by its name, in `missing`."""
    names = vars(module)
    forward, backward = _pair(stem, names)
    if forward is None or backward is None:
        return Found(stem, forward, backward, _partner(stem, names))
    return Found(stem, forward, backward)


def _stems(names):
    """The NAME of each NAME_backward that has a forward; "forward" for the bare pair."""
    stems = []
    for name, value in names.items():
        if name == "backward":
            stem = "forward"
        elif name.endswith("_backward"):
            stem = name.removesuffix("_backward")
        else:
            continue
        if callable(value) and _pair(stem, names)[0] is not None:
            stems.append(stem)
    return stems


def _pair(stem, names):
    """(forward, backward), each None if it is not there."""
    if stem == "forward":
        pair = names.get("forward"), names.get("backward")
    else:
        pair = names.get(f"{stem}_forward", names.get(stem)), names.get(f"{stem}_backward")
    return tuple(part if callable(part) else None for part in pair)


def _partner(stem, names):
    forward, _ = _pair(stem, names)
    if forward is None:
        return "forward" if stem == "forward" else f"{stem}_forward"
    return "backward" if stem == "forward" else f"{stem}_backward"


def _is_a_layer_kind(value):
    return isinstance(value, (Function, Module)) or inspect.isclass(value) and issubclass(value, (Function, Module))


def _is_layer(value, module):
    owner = value if inspect.isclass(value) else type(value)
    if not _is_a_layer_kind(value):
        return False
    return owner.__module__ == module.__name__ or not inspect.isclass(value)


def _line(forward):
    code = getattr(inspect.unwrap(forward) if callable(forward) else forward, "__code__", None)
    if code is not None:
        return code.co_firstlineno
    try:
        return inspect.getsourcelines(forward if inspect.isclass(forward) else type(forward))[1]
    except (OSError, TypeError):
        return sys.maxsize
