"""Settings that a constructor takes together, whatever they are called: a dictionary or an object
with a size, a word and a rate in it.

    config = {"n_in": 4, "act": "relu"}        at the top level, by the same name: as it is there
    def __init__(self, config: DenseConfig)    an object of that class of the file, a choice of that
                                               Enum
    config["n_in"];  config.n_in               what is read of it, each by its name
"""
import copy
import dataclasses
import enum
import sys
import types

from ..names import name_words, plain
from ..reading import kinds
from . import inputs
from .requests import Layout, Request


def of(cls: type, values: dict, layout: Layout, request: Request) -> dict:
    """{name: value} of those arguments of a constructor that are settings."""
    found = {p.name: _settings(cls, p, layout, request) for p in inputs.parameters_of(cls)
             if p.name in values and p.name not in request.named()}
    return {name: value for name, value in found.items() if value is not None}


def _settings(cls, p, layout, request):
    module = sys.modules[cls.__module__]
    known = {name: value for name, value in vars(module).items()
             if type(value) is dict and value or _is_of_fields(type(value))}
    made = getattr(module, str(p.annotation), p.annotation)
    if isinstance(made, enum.EnumMeta):
        return list(made)[layout.turn % len(made)]
    if _is_of_fields(made):
        fields = inputs.draw(inputs.parameters_of(made), layout, request, numbers=True)
        return made(**{**fields, **of(made, fields, layout, request)})
    read = [(mark, more) for path, mark, more in sorted(kinds.kind_of(cls, p.name).marks, key=str)
            if not path]
    for name, value in known.items():
        if plain(p.name) in (plain(name), *name_words(name)[-1:]) and (
                not read or {mark for mark, _ in read} & {"table", "object"}):
            return copy.deepcopy(value)
    keys = [more for mark, more in read if mark == "table" and isinstance(more, str)]
    fields = [more for mark, more in read if mark == "object" and isinstance(more, str)]
    if not inputs.mysterious([p], request) or not keys and not (
            fields and {mark for mark, _ in read} == {"object"}):
        return None
    drawn = inputs.draw_named(keys or fields, layout, request, numbers=True)
    return drawn if keys else types.SimpleNamespace(**drawn)


def _is_of_fields(cls):
    return isinstance(cls, type) and dataclasses.is_dataclass(cls)
