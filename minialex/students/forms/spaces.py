"""What training code reads before a step of it can run: what the file has, numbers and arrays drawn
by their names and in all shapes that fit the weights, and what is computed of those.
"""
import ast
import builtins
import contextlib
import copy
import functools
import sys
import types
from collections.abc import Iterable, Iterator

import numpy as np

from ..called import binding
from ..dialects import EXAMPLES, OPTIONS, SIZES, STEPS, letter
from ..names import is_penalty, is_rate, option, plain, role
from ..reading import changes, lookups
from ..reading.files import at_most
from ..reading.rewriting import rewritten
from . import cutting, objects, shapes
from .objects import at, put, scalars
from .shapes import STATES, N
from .units import Unit

MANY = 12  # rows of the file's own data that are few enough
NONE = object()  # no value of a name


def spaces(unit: Unit, module: types.ModuleType,
           things: Iterable = (None,)) -> Iterator[tuple[dict, list, bool]]:
    """Yields (space, names of the data, whether some of it is drawn). things: objects, of a
    method."""
    functions = {**vars(module), **(vars(unit.owner) if unit.owner else {})}
    several = (lookups.numbers(unit.body, functions),
               lookups.numbers(unit.body, functions, frozenset(unit.roots())))
    for thing in things:
        yield from _of_thing(unit, vars(module), {} if thing is None else {unit.holder: thing},
                             several)


def _of_thing(unit, names, space, several):
    roots = {root.partition(".")[0] for root in unit.roots()}
    wanted = _read(unit.body, names) | roots
    wanted -= _made(unit.body) - roots
    earlier = [*filter(_is_simple, [*unit.outside, *unit.before])]
    needed = _before(earlier, wanted | {
        one for name in wanted for one in changes.loads(binding.syntax_tree(
            getattr(unit.owner, name.removeprefix("self."), None))) if one.startswith("self.")})
    space.update({name: value for name, value in names.items()
                  if name in wanted and _is_data(value) and name not in space})
    gone_over = {root for one in binding.every(unit.body, ast.For)
                 for root in changes.loads(one.iter) - changes.counted([ast.Expr(one.iter)])}
    given = {p.name: _given(p, names if not unit.owner else {}, p.name not in gone_over | roots)
             for p in unit.parameters if p.name in needed and p.name not in space}
    space.update({name: value for name, value in given.items() if value is not NONE})
    own = [node for node in unit.before if _is_simple(node) and unit.parameters
           and not given.keys() & set(_names_set(node))]
    _rerun([node for node in earlier if not unit.owner or not any(
        name.startswith("self") for name in _names_set(node))], needed, space, names, own)
    missing = [name for name in dict.fromkeys([*given, *sorted(wanted)])
               if not _is_known(space, name) and name not in unit.roots() | roots and (
                   name in given or "." in name or _is_unknown(name, names, unit.body)
                   or any(name in parts for parts in unit.apart.values()))]
    counted = changes.counted([*earlier, *unit.body])
    for name in sorted(counted & needed - {*missing}):  # of what makes the weights
        if name.startswith("self.") and not _is_known(space, name):
            put(space, name.split("."), _number(name[5:], True))
    for name in [one for one in missing if one not in gone_over | several[0].keys()]:
        if (number := _number(name.rpartition(".")[2], name in counted)) is not None:
            put(space, name.split("."), number)
            missing.remove(name)
    missing = [name for name in missing if not _follows(name, missing, earlier, {**names, **space})]
    made = {name for node in earlier for name in _names_set(node)
            if name not in changes.loads(node)}  # Q = Q.T
    weights = [name for name in given if name in roots - made and name not in space]
    for drawn in ({**one, **other} for one in shapes.of_weights(weights, bool(several[1]))
                  for other in shapes.of_data(missing, {**space, **one}, unit, several)):
        yield from _with(unit, names, space, drawn, (earlier, needed, own))


def _with(unit, names, space, drawn, prelude):
    """The spaces with these arrays."""
    found, (earlier, needed, own) = copy.deepcopy(space), prelude
    for name, value in drawn.items():
        put(found, name.split("."), value)
    for name, parts in unit.apart.items():
        if all(part in found for part in parts):
            put(found, name.split("."), [tuple(found[part] for part in parts)])
    if drawn or unit.owner:
        _rerun(earlier, needed, found, names, own, never=drawn)
    for root in unit.roots():
        _as_arrays(found, root.split("."))
    again, averages, made, decaying = _set_again(unit)
    for name in needed:  # a batch is no larger than what is drawn
        if letter(name) == "N" and type(value := {**names, **found}.get(name)) is int:
            found[name] = min(value, N)
    for name in averages & found.keys():
        if isinstance(found[name], (int, float)):
            found[name] = 0.0
        for path, one in objects.arrays(found[name], (name,)):
            put(found, path, np.zeros_like(one))
    # self.m = 0.9 * self.m + …, and what starts as zeros
    kept = unit.roots() | made | averages | {
        name for name in again if "." in name or not np.any(_numbers(found.get(name)))}
    numbers = {name: _numbers(value) for name, value in [*found.items(), *(
        (f"self.{key}", one) for key, one in getattr(found.get("self"), "__dict__", {}).items())]}
    data = {name: value for name, value in numbers.items() if value is not None
            and name not in kept and name not in unit.apart
            and (value.ndim or changes.is_target(name) or name in drawn)
            and not (name in drawn and role(name) in STATES)}
    long = {len(value) for value in data.values() if value.ndim == 2} - {1}
    data = {name: _few(value) if value.ndim == 2 or changes.is_target(name)
            and value.size in long else value for name, value in data.items()}
    for path, _ in scalars(found):
        decays = is_penalty(path[-1]) or path[-1] in decaying
        if decays or is_rate(path[-1].rstrip("0123456789")) > is_rate(path[-1]):
            put(found, path, float(not decays))  # layers learn at one rate
    for kind in (float, None):
        for name, value in data.items():
            put(found, name.split("."), value.astype(kind or value.dtype))
        is_drawn = drawn or data.keys() & names.get("unset", ()) or any(  # or was given
            name.startswith(f"{unit.holder}.") for name in data)
        yield copy.deepcopy(found), sorted(data), bool(is_drawn)


@functools.lru_cache(maxsize=16)
def _set_again(unit):
    """What a step sets; running averages; what it makes anew; strengths of penalties."""
    return ({name for one in binding.every(unit.body, ast.Assign) for name in _names_set(one)},
            changes.averages(unit.body) - unit.roots(), _made(unit.body),
            changes.decaying(unit.body))


def begun(cls: type, given: dict) -> object:
    """An object of which the constructor has set what it can."""
    thing = object.__new__(cls)
    inside = {**vars(sys.modules[cls.__module__]), **given, "self": thing}
    for p in binding.signature(cls):
        if p.default is not p.empty:
            inside.setdefault(p.name, p.default)
    for node in changes.body_of(cls.__init__):
        with contextlib.suppress(Exception), at_most(0.2):  # what it needs may not be here
            exec(_compiled(node, inside.get("__file__")), inside)  # noqa: S102
    return thing


@functools.lru_cache(maxsize=128)
def _compiled(node, path):
    return compile(rewritten(ast.Module([node], []), path), str(path), "exec")


def _is_known(space, name):
    """Is it there: a name, or what an object has or can do?"""
    first, _, rest = name.partition(".")
    return first in space and (not rest or getattr(space[first], rest, None) is not None)


def _read(body, names):
    """The names that statements read, and those that functions do which they call."""
    found = set().union(*(changes.loads(node) for node in _all(body)))
    new = list(found)
    while new:
        one = names.get(new.pop())
        for code in _codes(one):
            more = {*code.co_names} - found
            found |= more
            new += more
    return found


def _all(body):
    """The statements without losses."""
    for node in body:
        if isinstance(node, (*changes.LOOPS, ast.If)):
            head = copy.copy(node)
            head.body, head.orelse = [], []
            yield head
            yield from _all([*node.body, *node.orelse])
        elif not cutting.is_loss(node):
            yield node


def _made(body):
    """The names that it sets, and does not read for that."""
    both = [(one, name) for one in binding.every(body, ast.Assign, ast.For)
            for name in _names_set(one)]
    return {name for _, name in both} - {name for one, name in both if isinstance(
        one, ast.Assign) and name in changes.loads(one.value)}


def _codes(one):
    """Of a function or a class, and the functions within."""
    tried = [one, *vars(one).values()] if isinstance(one, type) else [one]
    codes = [code for each in tried if (code := getattr(each, "__code__", None)) is not None]
    for code in codes:
        codes += [inside for inside in code.co_consts if isinstance(inside, types.CodeType)]
    return codes


def _is_data(value):
    return value is not None and not isinstance(value, (
        types.ModuleType, type, types.FunctionType, types.BuiltinFunctionType, np.ufunc))


def _is_unknown(name, names, body):
    return (names.get(name) is None and not hasattr(builtins, name) and any(
        name in changes.loads(part) for part in body) and name not in {
            one for node in binding.every(body) for one in _stored(node)})


def _stored(node):
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    if isinstance(node, (ast.FunctionDef, ast.arg, ast.alias)):
        yield getattr(node, "name", None) or node.arg


def _given(p, names, may_be_number):
    """What a parameter gets: its default, a number by its name, the file's own value of it."""
    number = _number(p.name) if may_be_number else None
    if number is not None:
        return number
    if p.default is not p.empty and p.default is not None:
        return p.default
    value = names.get(p.name)
    return value if _is_data(value) and _numbers(value) is not None else NONE


def _number(name, counts=False):
    if is_rate(name):
        return 1.0
    if plain(name) in {**STEPS, **EXAMPLES}:
        return 1 if plain(name) in STEPS else N
    if is_penalty(name):
        return 0.0
    if option(name) and isinstance(OPTIONS[option(name)], (int, float)):
        return OPTIONS[option(name)]
    known = letter(name) if role(name) is None else None  # n_hidden, not inputs
    if known in ("D", "J", "M", "Q"):
        return SIZES[known]
    return N if known == "N" or counts and plain(name) in EXAMPLES else 3 if counts else None


def _rerun(earlier, needed, space, names, own, never=()):
    """Run what comes before the loop, where it sets what is needed and not known: own, too."""
    inside, made = {**names, **space}, set()
    for node in earlier:
        sets = set(_names_set(node)) or _filled(node)
        known = not _filled(node) & made and node not in own and all(
            inside.get(name) is not None for name in sets)
        if known or not sets & needed and not _calls_itself(node) or sets & set(never):
            continue
        try:
            np.random.seed(0)
            exec(_compiled(node, names.get("__file__")), inside)  # noqa: S102
        except Exception:  # what it needs is not here
            continue
        made |= sets
        space.update({name: inside[name] for name in sets if name in inside
                      and _is_data(inside[name])})


def _follows(name, missing, earlier, known):
    """Is it computed from other things that are missing, or follow from those: n of X.shape?"""
    nodes = [node for node in earlier if name in _names_set(node)]
    earlier = earlier[:earlier.index(nodes[-1])] if nodes else []
    unknown = [one for node in nodes[-1:] for one in changes.loads(node) - {*_names_set(node)}
               if known.get(one) is None and not hasattr(builtins, one)
               and not ("." in one and _is_known(known, one))]
    return bool(unknown) and all(one in missing and one != name
                                 or _follows(one, missing, earlier, known) for one in unknown)


def _is_simple(node):
    return isinstance(node, changes.ASSIGNS) or _calls_itself(node)


def _calls_itself(node):
    """self.make_weights(X.shape[1])"""
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith("self.")


def _before(before, wanted):
    """What is wanted, and what is needed to make it."""
    needed, size = set(wanted), -1
    while size != len(needed):
        size = len(needed)
        needed |= {one for node in before if {*_names_set(node), *_filled(node)} & needed
                   for one in changes.loads(node)}
    return needed


def _filled(node):
    """T of T[range(n), y] = 1, which is made before."""
    return {root for target in changes.targets(node) if isinstance(target, ast.Subscript)
            and isinstance(node, ast.Assign) and (root := changes.root_of(target)).isidentifier()}


def _names_set(node):
    if isinstance(node, ast.Expr):
        yield "self"
        return
    for target in changes.targets(node):
        yield from (f"self.{one.attr}" for one in ast.walk(target) if isinstance(one, ast.Attribute)
                    and isinstance(one.ctx, ast.Store) and getattr(one.value, "id", "") == "self")
        # W[0] = … sets nothing as a whole
        yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name)
                    and isinstance(one.ctx, ast.Store))


def _numbers(value):
    """A list or array of numbers as an array, or None."""
    if not isinstance(value, (list, tuple, np.ndarray, int, float)):
        return None
    try:
        found = np.asarray(value)
    except ValueError:
        return None
    return found if found.dtype.kind in "fiu" and found.size else None


def _few(array):
    return array[:N] if array.ndim and len(array) > MANY else array


def _as_arrays(space, path):
    """What is changed and is a number, or a list of numbers, becomes an array."""
    try:
        value = at(space, path)
    except (KeyError, AttributeError):
        return
    if isinstance(value, dict):
        for key, one in value.items():
            if isinstance(one, (int, float)):
                value[key] = np.array(float(one))
    elif isinstance(value, list) and _numbers(value) is None:  # of layers of neurons
        _inner_arrays(value)
    elif isinstance(value, (int, float)):
        put(space, path, np.array(float(value)))
    elif (numbers := _numbers(value)) is not None:
        put(space, path, numbers.astype(float, copy=False))  # others may hold the same array


def _inner_arrays(inside):
    """Lists of numbers within lists and dictionaries become arrays, and so do numbers: a bias."""
    for key, one in inside.items() if isinstance(inside, dict) else enumerate(inside):
        if isinstance(one, list) and (numbers := _numbers(one)) is not None:
            inside[key] = numbers.astype(float)
        elif isinstance(one, float) or type(one) is int and role(key) == "b":
            inside[key] = np.array(float(one))
        elif isinstance(one, (list, dict)):
            _inner_arrays(one)
