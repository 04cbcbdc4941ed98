"""Something to check, as finding.py finds it."""
import types
from typing import NamedTuple


class NothingFound(Exception):
    """The file holds nothing that can be checked, or not what was asked for."""


class Found(NamedTuple):
    """Something to check. kind: "pair", "loss" (forward returns the gradient, too), "derivative"
    (backward may be f'), "network" (the loss is a third function), "class" (forward is the class,
    backward the names of its two methods), "usual" (forward only names its inputs), "engine",
    "layer" (a Function or a Module), "guess" (others are what is tried), "step" (forward is
    training code, cut to one step; `title` says why nothing else is checked), "trained" (nothing is
    known but that it trains), "missing" (one of the two functions is not there; `title` names it)
    or "skipped" (`title` says why).
    others: forwards that backward may belong to, too: the one that fits best is meant. thing: the
    object whose methods they are, before its constructor (begin)."""

    name: str
    forward: object
    backward: object = None
    kind: str = "pair"
    title: str = ""
    others: tuple = ()
    thing: object = None


class Known(types.ModuleType):
    """What a submission may know of the teacher's file: some of its names, and `found`, what is to
    be checked."""
