"""Where training code stands that is no pair of functions: a loop at the top level, a function or
a method that trains. What is one step of it: cutting.py.
"""
import ast
import functools
import sys
import types
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..called import binding
from ..dialects import STEPS, TRAINS
from ..names import plain, role, stem, stems_of_gradient
from ..reading import changes
from ..reading.changes import LOOPS, body_of, called, changed, gradients_of, names_set
from ..reading.plainer import written_out

BLOCKS = (ast.If, ast.With, ast.Try)


class Unit(NamedTuple):
    """A piece of training code. before: what comes before its loop; body: the loop, or statements
    that are one step; parameters: inspect's, of a function; outside: what comes before that;
    methods: {name: what it changes}; owner: the class, of a method; holder: what its object is
    called; states: the methods that set something of their objects; whole: with what comes between
    its weights and the loop, which may be one over entries; others: Units, for it may be meant
    otherwise; lost: weights that it changes under another name alone; apart: {a list of examples:
    its parts}."""

    before: list
    body: list
    parameters: tuple = ()
    outside: tuple = ()
    methods: dict = {}
    owner: type | None = None
    holder: str = "self"
    states: frozenset = frozenset()
    whole: "Unit | None" = None
    others: tuple = ()
    lost: frozenset = frozenset()
    apart: dict = {}

    def __hash__(self):
        return id(self)

    def roots(self) -> set[str]:
        """What it changes and does not make: W of W -= …, self.w_ of self.w_[1:] += …"""
        return set(_roots(self))


@functools.lru_cache(maxsize=16)
def _roots(unit):
    made = {name for node in unit.body for _, value in changes.pairs_of(node)
            for name in names_set(node) if name.isidentifier()
            and name not in changes.loads(value)}
    return set(changed(unit.body, unit.methods)) - made


def of(statements: list, parameters: tuple = (), methods: dict | None = None) -> list[Unit]:
    """One Unit for each outermost loop that changes something, and one for all that changes
    something outside of loops. methods: {name: what it changes}."""
    found, plainly, before, methods = [], [], [], methods or {}
    statements = written_out(statements)
    for node in statements:
        if isinstance(node, BLOCKS):
            found += [unit._replace(before=[*before, *unit.before])
                      for unit in of([*node.body, *getattr(node, "orelse", ())], parameters,
                                     methods)]
        elif isinstance(node, LOOPS) and changed([node], methods):
            first = _last_made(before, set(changed([node], methods)), methods)
            whole = Unit(before[:first], [*before[first:], node], parameters, (),
                         methods) if before[first:] else None
            found.append(Unit(list(before), [node], parameters, (), methods, whole=whole))
        elif changed([node], methods):
            plainly.append(node)
        before.append(node)
    if plainly:
        last = statements.index(plainly[-1]) + 1
        while last < len(statements) and _only_takes(statements[last]):
            last += 1
        first = _last_made(statements[:last], set(changed(plainly, methods)), methods)
        body = statements[first:last]
        found = [one for one in found if one.body[0] not in body]  # it is part of the step
        found.append(Unit(statements[:first], body, parameters, (), methods))
    return found


def _only_takes(node):
    """for word, g in gradients: self.U[word] -= rate * g, behind another step; or its loss."""
    return isinstance(node, ast.For) and all(changes.updates([one]) for one in node.body) or any(
        "loss" in name for name in names_set(node))


def untaken(statements: list, names: dict) -> tuple[Unit, dict[str, int]] | None:
    """(one step, {gradient: its line}) of a script that computes gradients of its own arrays W and
    b, two at least, and takes them off nothing."""
    weights = {stem(name): name for name, value in names.items() if isinstance(value, np.ndarray)
               and role(name.rstrip("0123456789_")) in ("w", "b")}
    found = {weights[one]: (changes.root_of(target), node) for node in statements
             for target, value in changes.pairs_of(node) if isinstance(target, ast.Name)
             and not (isinstance(value, ast.Call) and isinstance(value.func, ast.Name))
             for one in stems_of_gradient(target.id) if one in weights}
    if len(found) < 2:
        return None
    last = max(statements.index(node) for _, node in found.values()) + 1
    first = _last_made(statements[:last], set(found), {})
    # the rate lets a factor be told
    steps = ast.parse("\n".join(f"{name} = {name} - learning_rate * {gradient}"
                                for name, (gradient, _) in found.items())).body
    for one in steps:
        ast.increment_lineno(one, statements[last - 1].lineno - one.lineno)
    return Unit(statements[:first], [*statements[first:last], *steps]), {
        gradient: node.lineno for gradient, node in found.values()}


def _last_made(statements, roots, methods):
    """The place behind the last statement that makes one of these."""
    return max((place for place, node in enumerate(statements)
                if roots & set(names_set(node)) - set(changed([node], methods))), default=-1) + 1


def of_function(function: object, methods: dict | None = None) -> list[Unit]:
    """The same of a function. What it returns last may be its loss."""
    *body, last = body_of(function) or [ast.Pass()]
    if isinstance(last, ast.Return) and isinstance(last.value, (ast.BinOp, ast.UnaryOp)):
        last = ast.copy_location(ast.Assign([ast.Name("returned_loss", ast.Store())],
                                            last.value), last)
    return of([*body, last], tuple(binding.signature(function)), methods)


def trains(function: object) -> bool:
    """Does it go over the data for many epochs, whatever it is called?"""
    counts = binding.arguments_of(function)
    for node in binding.nodes(function):  # for epoch in range(EPOCHS)
        if isinstance(node, ast.For) and "steps" not in ast.unparse(node.iter).lower():
            counts += [one.id for one in ast.walk(node.iter) if isinstance(one, ast.Name)]
    return any(plain(name) in STEPS for name in counts) and any(
        gradients_of(unit.body) for unit in of_function(function))


def of_class(cls: type, methods: dict, any_name: bool) -> tuple[str, Unit] | None:
    """(name, Unit) of the method in which an object trains itself: of those that are called so the
    likeliest; any_name: else one that computes gradients and takes them off its own arrays."""
    module = sys.modules[cls.__module__]
    inner = {**changing(module), **by_name(cls)}
    units = {name: max(found, key=lambda one: sum("self." in root for root in one.roots()))
             for name, method in methods.items() if not name.startswith("__")
             and (found := of_function(method, inner))}
    named = [name for name in units if trains(methods[name])] or [
        name for name, unit in units.items() if plain(name) in TRAINS and any(
            isinstance(one, ast.Call) or changes.multiplies(one)  # not update_weights(self, grads)
            for one in binding.every(unit.body))] or [
        name for name, unit in units.items() if any_name and gradients_of(unit.body)
        and any("self." in root for root in changed(unit.body, inner))]  # not dW += … of a loop
    name = min(named, key=lambda one: TRAINS.get(plain(one), 99), default=None)
    return name and (name, owned(units[name]._replace(lost=_lost(body_of(methods[name]))), cls,
                                  _epochs(name, units)))


def owned(unit: Unit, cls: type, others: Iterable[Unit] = ()) -> Unit:
    """The Unit of a method of this class."""
    return unit._replace(owner=cls, states=_keeping(sys.modules[cls.__module__]),
                         others=tuple(owned(one, cls) for one in others))


def _lost(body):
    """W of W = self.W, W = W - … which no object has afterwards."""
    taken = {target.id for node in binding.every(body) for target, value in changes.pairs_of(node)
             if isinstance(target, ast.Name) and isinstance(value, (ast.Attribute, ast.Subscript))
             and changes.root_of(value).startswith("self.")}
    anew = {target.id for node, target, _ in changes.updates(body)
            if isinstance(node, ast.Assign) and isinstance(target, ast.Name)}
    kept = set().union(*(changes.loads(node) for node in binding.every(body) if isinstance(
        node, (ast.Return, ast.Yield)) or isinstance(node, ast.Call) and _keeps(node)
        or isinstance(node, ast.Assign) and (isinstance(node.value, HELD) or not all(
            isinstance(one, ast.Name) for target in node.targets
            for one in getattr(target, "elts", [target])))))
    return frozenset(taken & anew - kept)


HELD = (ast.Name, ast.List, ast.Tuple, ast.Dict)


def _keeps(call):
    return ast.unparse(call.func).startswith("self.") or changes.called(call)[:1] in (
        ["setattr"], ["append"], ["extend"], ["insert"], ["update"])


def _epochs(name, units):
    """Of those that it calls what goes over the examples itself, self.one_epoch(X, y), and what
    takes a step of one, self.train_pair(center, context)."""
    found = [name]
    for one in found:
        found += sorted({other for part in units[one].body for other in called(part)
                         if other in units and other not in found})
    made = [*units[name].before, *units[name].body[:-1]]
    return [units[one]._replace(before=[*made, *units[one].before]) for one in found[1:]
            if isinstance(units[one].body[0], LOOPS) or gradients_of(units[one].body)]


def _routines(module):
    """Yields (name, function, its class or None) of what the classes of a module can do, and of its
    functions."""
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield from ((name, one, value) for name, one in vars(value).items())
    yield from ((name, one, None) for name, one in changes.functions_of(module).items())


def _keeping(module):
    """The methods that set something of their objects."""
    return frozenset(
        name for name, method, cls in _routines(module) if cls and name[:2] != "__"
        and any(root.startswith("self.") for node in binding.every(body_of(method))
                for root in names_set(node)))


def changing(module: types.ModuleType) -> dict:
    """{name of a method or function: what it, and those that it calls, change} in a module. A
    number is an argument's place: 0 of step(params, grads)."""
    found: dict = {}
    routines = [(name, body_of(one), _own_arguments(one, cls), cls)
                for name, one, cls in _routines(module) if name[:2] != "__"]
    for _ in range(3):  # calls within calls
        now: dict = {}
        for name, body, places, cls in routines:
            roots = [places.get(root, root) for root in changed(body, {**found, **by_name(cls)})]
            roots += [place for one in binding.every(body, ast.For) for p, place in places.items()
                      if p in changes.loads(one.iter) and changes.names_in(one.target)
                      & set(changed(one.body))]  # for p, g in zip(params, grads): p -= rate * g
            now.setdefault(name, []).extend(
                root for root in roots if isinstance(root, int) or "self." in root)
        found = {name: list(dict.fromkeys(roots)) for name, roots in now.items() if roots}
    return found


def _own_arguments(function, cls):
    """{name: its place where it is called}"""
    if not callable(function):
        return {}
    names = binding.arguments_of(function)
    return {name: place for place, name in enumerate(names[1:] if names[:1] == ["self"] else names)}


@functools.cache
def by_name(cls: type | None) -> dict:
    """What setattr(self, name, …) may change: all that a constructor makes."""
    roots = set_in(cls) if cls else []
    return {"setattr": roots, "__setattr__": roots}


def set_in(cls: type) -> list[str]:
    """self.W of what a constructor sets, and was not handed."""
    given = binding.parameter_names(cls.__init__)
    roots = [changes.root_of(target) for node in binding.every(body_of(cls.__init__))
             for targets, value in changes.pairs_of(node) if getattr(value, "id", "") not in given
             for target in getattr(targets, "elts", [targets])]
    return [root for root in dict.fromkeys(roots) if root.startswith("self.")]
