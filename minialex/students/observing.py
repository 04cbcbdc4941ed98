"""Training that uses what was found, run as it is (forms/observed.py): with objects that are made,
and data that are drawn.

    net = Network([5, 4, 3]); net.fit(X, y, epochs=3)       a method that trains, of any class
    train(X, y, n_h, num_iterations=3)                      a function
"""
import ast
import contextlib
import copy
import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..gradcheck.verdicts import names as verdict
from . import finding, trainers
from .called import binding
from .dialects import SIZES, STEPS, TRAINS, letter
from .drawn import inputs
from .forms import objects
from .forms import observed as steps
from .forms.explained import explained
from .forms.functions import Reading
from .forms.layers import NotChecked
from .names import is_rate, plain, role
from .reading import changes, kinds
from .reading.files import TooSlow
from .reading.rewriting import rewritten

OBJECTS = 6  # that are made of a class
MANY = 6  # examples
ENOUGH = 4  # ways in which training runs
TIMES = 3  # steps
KEPT = 0.15  # of the time: for the comparison


def as_trained(check: Any, count: int) -> None:
    """Where a Check has come to nothing, or everything is wrong with what was drawn, training that
    uses it is run as it is: its result is taken if it says more."""
    first, before = check.result, check.basis
    rows = [row["verdict"] for row in first["rows"] if row["verdict"] != verdict.NOT_COMPARED]
    is_vague = first["status"] == "wrong" and not {*rows} - {verdict.UNKNOWN, verdict.SHAPE}
    if not (first["status"] == "error" or is_vague) or not check.left():
        return
    check.result, check.basis, check.trains = check.empty(), {}, True
    check.tell(count, lambda: observed(check.found, check.module, check.request, check.left))
    now = check.result
    right = {row["verdict"] for row in now["rows"]} & {verdict.CORRECT}
    if now["status"] == "error" or not right or is_vague and now["status"] == "wrong":
        check.result, check.basis = first, before


def observed(found: finding.Found, module: object, request: inputs.Request,
             left: Callable) -> list[Reading]:
    """The readings of one step of training that is run as it is, if it uses what was found. left:
    seconds until no more than a share of the time is left. Raises NotChecked."""
    involved, problem, best = _codes(found, module), NotChecked("nothing trains with it"), None
    ran, others = 0, set()  # what trains something else
    for name, drive in _drives(found, module, request):
        if not left(KEPT):
            break
        if name in others:
            continue
        try:
            one = steps.best(name, module, drive, involved, left(KEPT))
        except MemoryError:
            raise
        except Exception as error:  # other data may fit
            problem = error
            others |= {name} if isinstance(error, steps.Uninvolved) else set()
            continue
        best = max(best, (one[0], name, one[1]), key=lambda one: one[0]) if best else (
            one[0], name, one[1])
        ran += 1
        if best[0] == 1 or ran == ENOUGH:
            break
    if not best:
        raise problem
    found, penalties = explained(*best[1:]), best[2].penalties
    return [one._replace(words=f"{one.words}, and of a penalty on the weights")
            for one in found] if any(penalties.values()) else found


def _codes(found, module):
    """Of the functions that it is made of; nothing where it stands at the top level."""
    things = [found.forward, found.backward, *found.others]
    if found.kind == "step":
        things = [found.forward.owner or getattr(module, found.name, None)]
    things = [one for thing in things for one in (
        vars(thing).values() if inspect.isclass(thing) else [thing])]
    return {inspect.unwrap(one).__code__ for one in things if inspect.isfunction(one)}


def _drives(found, module, request):
    """Yields (name, what trains): the file itself, then methods and functions of the file that
    train, with objects made, and data drawn, in one way after the other."""
    if main := _main(module):
        yield "the file, run as it is,", functools.partial(_run, main, vars(module))
    own = [value for value in vars(module).values()
           if getattr(value, "__module__", "") == module.__name__]
    classes = sorted(filter(inspect.isclass, own), key=lambda cls: cls not in (
        found.forward, getattr(found.forward, "owner", None)))
    for cls in classes:
        names = sorted((name for name, one in inspect.getmembers(cls, inspect.isfunction)
                        if name != "__init__" and _trains(one)),
                       key=lambda name: TRAINS.get(plain(name), 99))
        for thing in itertools.islice(trainers.made(cls, request), OBJECTS) if names else ():
            for name, data in itertools.product(names, _data(thing)):
                given = _arguments(getattr(cls, name), data, request)
                yield f"{cls.__name__}.{name}", functools.partial(_train, thing, name, given)
    for one in own:
        if inspect.isfunction(one) and _trains(one):
            for data in _data(None):
                yield one.__name__, functools.partial(
                    _train, None, one, _arguments(one, data, request))


def _train(thing, name, given):
    """Call it again and again: it may take one step alone."""
    method = name if thing is None else getattr(objects.clone(thing), name)
    for _ in range(TIMES):
        method(**copy.deepcopy(given))


def _main(module):
    """The statements that run if the file does, in code, one by one; nothing where none calls a
    function of the file."""
    parts = []
    for part in changes.outside(module):
        is_main = isinstance(part, ast.If) and "__name__" in changes.loads(part.test)
        parts += part.body if is_main else [part]
    own = {name for name, value in vars(module).items()
           if getattr(value, "__module__", "") == module.__name__}
    if not any(changes.loads(part) & own for part in parts):
        return []
    return [compile(rewritten(ast.Module([part], []), module.__file__), module.__file__, "exec")
            for part in parts if not isinstance(part, (ast.Import, ast.ImportFrom))]


def _run(main, names):
    """What stops is passed over: it may be data that are not here."""
    for code in main:
        try:
            exec(code, names)  # noqa: S102
        except (TooSlow, MemoryError):
            raise
        except (Exception, SystemExit):
            continue


def _trains(function):
    """Is it called so, or does it go over the data many times?"""
    counts = [*binding.arguments_of(function), *(
        getattr(one, "id", getattr(one, "attr", "")) for node in binding.nodes(function, ast.For)
        for one in ast.walk(node.iter))]
    return plain(function.__name__) in TRAINS or any(plain(name) in STEPS for name in counts)


def _data(thing):
    """Yields (X, y) of some examples in rows, and in columns, as wide as its weights are."""
    shapes = [np.shape(array) for _, array in objects.arrays(thing) if np.ndim(array) == 2
              and min(np.shape(array)) > 1]
    first, last = (shapes[0], shapes[-1]) if shapes else ((), ())
    generator = np.random.default_rng(7)
    for D, M in itertools.product(dict.fromkeys([*first, SIZES["D"]]),
                                  dict.fromkeys([*last[::-1], 1, SIZES["M"]])):
        X, classes = generator.standard_normal((MANY, D)), np.arange(MANY) % max(M, 2)
        hot = np.eye(M)[classes] if M > 1 else classes[:, None].astype(float)
        yield from ((X, hot), (X.T, hot.T), (X, classes), (X.T, classes))
        if M == 1:
            yield from ((X, classes.astype(float)), (X.T, classes.astype(float)))
    yield np.arange(MANY) % 3, (np.arange(MANY) + 1) % 3  # of words, by their numbers


def _arguments(function, data, request):
    """{name: value}: data, a few epochs, and else what a default or a name says. Where no name says
    which are the targets, they come after the examples."""
    asked = [p for p in binding.signature(function) if p.name != "self" and p.kind in inputs.NAMED]
    given, layout = {}, next(iter(inputs.layouts("net", request)))
    for p in asked:
        if plain(p.name) in STEPS:
            given[p.name] = 3
        elif is_rate(p.name):
            given[p.name] = 0.1
        elif letter(p.name) == "N":
            given[p.name] = MANY
        elif kinds.kind_of(function, p.name).what == "count" and p.default is p.empty:
            given[p.name] = MANY
    due = [p.name for p in asked if p.default is p.empty and p.name not in given]
    if is_one := len(due) == 1 and role(due[0]) != "x":
        given[due[0]] = [tuple(one[0][..., None] if np.ndim(one[0]) else one[0]
                               for one in data)]  # [(x, y)], in columns
    for which, known in enumerate(("x", "labels") if not is_one else ()):
        named = [name for name in due if role(name) == known]
        given.update(dict.fromkeys(named or due[which:which + 1], data[which]))
    for p in asked:
        if p.name in due and p.name not in given:
            with contextlib.suppress(inputs.CannotDraw):
                given.update(inputs.draw([p], layout, request, numbers=True))
    return given
