"""Objects that train: an object is made, with layers and a loss of the file where its class wants
some, and one step of its training is read.

    net = Network(); net.add(Dense(5, 3)); net.use(mse, mse_prime); net.fit(X, y, epochs=1)
"""
import ast
import collections
import contextlib
import copy
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator

import numpy as np

from . import classes, finding
from .called import binding
from .dialects import CRITERIA, SLOPES_OF_CRITERIA
from .drawn import guesses, inputs
from .elsewhere import Elsewhere
from .forms import objects, spaces, stepping, widths
from .forms.functions import Reading
from .forms.layers import NotChecked
from .forms.shapes import N
from .forms.units import set_in
from .names import plain, role
from .reading import changes, usage
from .reading.files import at_most

LONGEST = 1.0  # seconds of computing for a constructor


def of_step(found: finding.Found, module: object, request: inputs.Request,
            left: Callable) -> list[Reading]:
    """The readings of code that trains. left: stepping's. Raises NotChecked."""
    (owner, holder), problems = _owner(found.forward, module), []
    for name in getattr(module, "unset", ()):  # what was drawn for another check
        vars(module).pop(name, None)
    for _ in _given(found, module, request):
        readings, first = [], [*filter(_goes_over, found.forward.others)]
        for unit in (*first, *(one for one in (found.forward, *found.forward.others)
                               if one not in first)):
            if readings and owner and (first or not isinstance(unit.body[0], changes.LOOPS)):
                continue  # what it calls for one example is checked with it
            try:
                readings += stepping.readings(
                    found.name, unit._replace(holder=holder), module,
                    made(owner, request) if owner else (None,), left)
            except NotChecked as problem:
                problems.append(problem)
        if readings or not left(0.0):
            break
    if readings:
        return readings
    raise NotChecked(f"{found.title}; as it stands: {problems[0]}") from problems[0]


def _goes_over(unit):
    """Does it go over examples that lie in a list, and compute the steps itself?"""
    node = unit.body[0]
    return isinstance(node, ast.For) and isinstance(node.target, ast.Tuple) and isinstance(
        node.iter, (ast.Name, ast.Attribute)) and changes.gradients_of(unit.body)


def _owner(unit, module):
    """(the class of the object that it changes, what that is called): self of a method, net of
    net.W -= … where a function is given net."""
    for p in unit.parameters if unit.owner is None else ():
        wanted = {root.partition(".")[2] for root in unit.roots() if root.startswith(f"{p.name}.")}
        for cls in vars(module).values() if wanted else ():
            if inspect.isclass(cls) and wanted <= {root.rpartition(".")[2] for root in set_in(cls)}:
                return cls, p.name
    return unit.owner, "self"


def _given(found, module, request):
    """Yields for each way in which data that are not here may be meant: they are drawn with a step
    of the code, or else for what the file itself makes of them."""
    yield
    data = Elsewhere(found, module)
    layouts = inputs.layouts("net", request) if data.names else ()
    for layout in itertools.takewhile(lambda layout: not layout.turn, layouts):
        data.give(layout._replace(replayed=True), request)
        yield


def made(cls: type, request: inputs.Request) -> Iterator[object]:
    """Objects of a class that trains, with what their constructors are given drawn; of one that
    fails, as it needs a file, what it has set otherwise."""
    items = finding.anything(sys.modules[cls.__module__])
    layers = collections.Counter(item.backward for item in items if item.kind == "class"
                                 and all(item.backward) and item.forward is not cls)
    methods = max(layers, key=layers.get, default=None)
    found = finding.Found(cls.__name__, cls, methods, "step")
    seen = []
    used = map(guesses.like, usage.calls(sys.modules[cls.__module__], cls))
    for guess, losses in itertools.product([*used, {}], [*_losses(items), (None, None)]):
        asked = guesses.requested(_with(cls, losses, request), guess)
        for layout in inputs.layouts("net", request):
            with contextlib.suppress(Exception):
                built = classes.arguments(found, layout, asked)
                try:
                    with at_most(LONGEST):  # it may train there
                        thing = cls(**built)
                except Exception:  # the next one may be made, or it is a file that is not here
                    thing = spaces.begun(cls, built)
                if layers:
                    classes.stacked(thing, found, layout, asked)
                _use(thing, losses)
                shapes = [(path, np.shape(array)) for path, array in objects.arrays(thing)]
                told = [repr(one) if isinstance(one, (int, float, str)) else (
                    type(one), getattr(one, "shape", ())) for one in built.values()], losses, shapes
                if told not in seen and (shapes or not layers) and all(
                        all(shape) for _, shape in shapes):  # of a file that is not here
                    seen.append(told)
                    yield thing
                    yield from _wider(thing, built)


def _wider(thing, built):
    """The same object with the targets that it keeps as wide as its last weights, whose size is
    written in its constructor: for examples in rows, in columns."""
    sizes = [array.shape for _, array in objects.arrays(thing) if array.ndim == 2
             and not any(array is value for value in built.values())][-1:]
    names = [name for name in objects.kept_as(thing, built, list(built)) if changes.is_target(name)]
    for shape in (one for first, last in sizes for one in ((N, last), (first, N))):
        other = copy.copy(thing)
        for name in names:
            setattr(other, name, widths.one_hot(shape, N))
        if names and np.shape(getattr(thing, names[0])) != shape:
            yield other


def _losses(items):
    """(loss, its derivative) of functions, (object, None) of a class: of the file's own ones."""
    for item in items:
        code = item.forward
        method = getattr(code, item.backward[0], None) if item.kind == "class" else code
        if "labels" in [role(p.name) for p in binding.signature(method)]:
            if item.kind != "class":
                yield code, item.backward
            elif not binding.signature(code):
                with contextlib.suppress(Exception):  # it cannot be made: another may
                    yield code(), None


def _with(cls, losses, request):
    """The request, with these for the constructor's loss."""
    given = _called_so(losses, binding.arguments_of(cls))
    return inputs.Request(request.shapes, request.labels, {**given, **request.options},
                          request.seed, request.constant) if given else request


def _use(thing, losses):
    """What is called a loss and still None: use(loss, loss_prime) sets it later."""
    unset = [name for name, value in vars(thing).items() if value is None]
    for name, loss in _called_so(losses, unset).items():
        setattr(thing, name, loss)


def _called_so(losses, names):
    """{name: the loss or its derivative} of the names that are called so."""
    return {name: losses[plain(name) in SLOPES_OF_CRITERIA] for name in names if losses[0]
            and plain(name) in {**CRITERIA, **SLOPES_OF_CRITERIA}}
