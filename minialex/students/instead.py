"""Functions that cannot be checked by themselves are looked at in one step of the code that trains
with them, which says what they are given and whose weights they change:

    for epoch in range(epochs):
        activations = forward(X, parameters)
        parameters = backward(activations, parameters, y, rate)
"""
import copy
import inspect
import time
import types

import numpy as np

from . import guessing
from .called import binding
from .forms import chained, episodes, units
from .found import Found
from .reading import changes, usage
from .reading.sources import calls

ALONE = 0.6  # of the time, for the functions by themselves
OF_FUNCTIONS = ("pair", "network", "usual", "derivative", "guess")


def with_steps(found: list[Found], module: types.ModuleType) -> list[Found]:
    """What was found, and with functions of the file the steps in which their backward is called,
    or that it takes itself; with a class one step of its training."""
    own = changes.functions_of(module)
    every = list(_units(module, own)) if any(item.kind in OF_FUNCTIONS for item in found) else []
    found = [_of_class(item) if item.kind == "class" else _of_episodes(module, item)
             for item in found]
    return [item._replace(kind="either", others=(item, *steps),
                          title=item.name if item.kind == "guess" else item.title)
            if item.kind in OF_FUNCTIONS and (steps := list(_steps(module, own, every, _backward(
                item, own)))) else item for item in found]


def _of_class(item):
    """The same with steps of its objects' training, if there are any: first what looks things
    up."""
    methods, (forward, backward) = guessing.methods_of(item.forward), item.backward
    if forward not in methods or backward not in (None, *methods):
        return item
    is_first, found = chained.of_class(item.forward, methods, forward, backward)
    steps = [Found(item.name, unit, kind="step", title=f"{item.name}.{name}")
             for name, unit in found]
    both = (*steps, item) if is_first else (item, *steps)
    return item._replace(kind="either", others=both) if steps else item


def _of_episodes(module, item):
    """Of a policy, with a backward through all of an episode, one step and no more."""
    both = item.forward, item.backward
    is_one, unit = episodes.of_pair(*both, module) if item.kind in OF_FUNCTIONS and all(
        map(inspect.isfunction, both)) else (False, None)
    why = (f"{item.title} is given all steps of an episode: hand in the weights, too, a dictionary "
           "at the top level")
    return item._replace(forward=unit or item.forward, kind="step" if unit else "skipped",
                         name=item.title, title=item.title if unit else why) if is_one else item


def _backward(item, own):
    """The function that computes gradients, of a guess the first; None of no functions."""
    if item.kind not in OF_FUNCTIONS:
        return None
    return _backward(item.others[0], own) if item.kind == "guess" else item.backward if (
        item.backward in own.values()) else None


def _units(module, own):
    """Yields (name of a function or "", its parameters, a Unit of it)."""
    outside = changes.outside(module)
    bodies = {"": (outside, ()), **{name: (changes.body_of(value), _as_called(module, value))
                                    for name, value in own.items()}}
    for name, (statements, places) in bodies.items():
        for unit in units.of(statements, places, changes.handed(statements, own)):
            yield name, places, unit._replace(outside=outside * bool(name))


def _steps(module, own, every, backward):
    """[Found] of steps in which this function is called, or that are its own."""
    for name, places, unit in every if backward else ():
        is_own = own.get(name) is backward and {p.name for p in places} & unit.roots()
        if is_own or own.get(name) is not backward and any(
                _calls(module, part, own, backward) for part in unit.body):
            yield Found(name or "the top level", unit, kind="step", title=name)


def _as_called(module, function):
    """Its parameters, which have what the file itself gives them as defaults."""
    given = next(usage.calls(module, function), {})
    return tuple(p.replace(default=given[p.name]) if p.default is p.empty and p.name in given else p
                 for p in binding.signature(function))


def _calls(module, part, own, backward):
    names = changes.loads(part) & own.keys()
    return any(own[name] is backward or calls(module, own[name], backward) for name in names)


def chosen(found: Found, checks: list, count: int, seconds: float) -> tuple[dict, dict]:
    """(the result, its basis) of the functions by themselves, or of the first step that can be run
    where they cannot; of guesses the best."""
    if found.kind == "guess":
        return guessing.best(found, checks, count, seconds)
    until, alone, names = time.process_time() + seconds, None, vars(checks[0].module)
    kept = {name: copy.deepcopy(value) for name, value in names.items()
            if isinstance(value, (np.ndarray, list, dict, int, float)) and name[:2] != "__"}
    for check in checks:
        if alone:
            names.update(copy.deepcopy(kept))  # those may have been drawn anew
        left = until - time.process_time()
        is_last = alone or check.found.kind == "class"  # a step takes what time is left
        one = check.told(count, left if is_last else ALONE * left)
        if one["status"] != "error":
            called = {"name": found.name, "checked": found.title}
            return {**one, **called} if alone else one, check.basis
        alone = alone or (one, check.basis)
    return alone
