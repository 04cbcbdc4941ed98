"""What was found becomes what the checker needs: a function of named arrays, and one that gives
gradients by name.

    of_class(found, layout, request)   [Reading, …], one for each way in which it may be meant; the
                                       best one is told

A code has the methods of gradcheck.numpy_code.Functions: title, run(values), backward(run, douts),
takes_dout(run).
"""
import contextlib
import copy
import functools
import inspect
import itertools
import sys

import numpy as np

from ..gradcheck import binding
from ..gradcheck.dialects import INITIALISE, LAYERS, LISTS, NEIGHBOURS, OUTPUTS, STACKS, plain, role
from . import finding, inputs, objects
from .functions import (
    CONTEXT,
    Reading,
    as_slopes,
    asks_for_the_input,
    functions,
    required,
    with_context,
)
from .layers import Layer, NotChecked


def of_class(found, layout, request):
    """[Reading] of a class, with its constructor's and its forward's arguments drawn."""
    cls, (forward, backward) = found.forward, found.backward
    cls = _with_loss(cls, forward, backward) if backward else cls
    is_static = all(isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod))
                    for name in (forward, backward or forward))
    built = {} if is_static else _arguments(found, layout, request)
    prototype = cls if is_static else cls(**built)
    method, gradient = getattr(prototype, forward), getattr(prototype,
                                                            backward) if backward else None
    kind = finding.kind_of(backward or "")
    if is_static or [p.name for p in binding.signature(method)][:1] in ([name] for name in CONTEXT):
        return of_functions(method, gradient, kind, layout, request)
    empty = _stacked(prototype, found, layout, request)
    objects.set_learning_rates(prototype)
    values = inputs.draw(inputs.parameters_of(method), layout, request)
    _initialised(prototype, forward, values, layout, request)
    if empty and _gives_back(prototype, forward, values):
        raise NotChecked(f"{found.name} was made with nothing in {empty}, and gives its input "
                         "back: put a layer into the file, or a class that makes one with layers")
    if not any(isinstance(value, int) for value in built.values()):
        values = _wide_enough(prototype, forward, values)
    # beside it, y is the output
    asks_for_dout = backward and binding.names_of_dout(method, gradient)
    asked = [] if asks_for_dout else inputs.parameters_of(gradient)
    targets = inputs.draw([p for p in asked if p.name not in values
                           and role(p.name) == "labels"], layout, request)
    base = Layer(found.title, prototype, forward, backward, list(targets))
    base.learn({**values, **targets}, built)
    drawn = {**values, **targets, **base.values()}
    sloppy = asks_for_the_input(method, gradient)
    readings = [Reading(base.read(feed, loss), drawn, words)
                for feed, loss, words in _meanings(base, values, targets, sloppy)]
    if not backward:
        return readings
    derivative = sloppy or not asks_for_dout and kind == "derivative" or _asks_for_nothing(gradient)
    slopes = [Reading(code, values, words)
              for code, words in as_slopes(base.bare())] if derivative and not targets else []
    return readings + slopes if base.wanted else slopes + with_scores(readings)


def _with_loss(cls, forward, backward):
    """The class, with its get_loss(label) as the last step of forward where backward() wants no
    more than what both kept."""
    asked = {name: [p.name for p in binding.signature(getattr(cls, name))[1:]]
             for name in (forward, backward, *dir(cls)) if callable(getattr(cls, name))}
    losses = [name for name, names in asked.items()
              if "loss" in name and list(map(role, names)) == ["labels"]]
    if asked[backward] or not losses or len(asked[forward]) != 1:
        return cls

    def both(self, x, label):
        getattr(cls, forward)(self, x)
        return getattr(self, losses[0])(label)

    return type(cls.__name__, (cls,), {forward: both})


def _runs(prototype, forward, values):
    try:
        getattr(objects.clone(prototype), forward)(**values)
    except Exception:  # something is still missing, or of another shape
        return False
    return True


def _gives_back(prototype, forward, values):
    """Is the output the very input?"""
    try:
        output = getattr(objects.clone(prototype), forward)(**values)
    except Exception:  # it runs otherwise, or not at all
        return False
    return any(isinstance(value, np.ndarray) and np.array_equal(value, output)
               for value in values.values())


def _wide_enough(prototype, forward, values):
    """The same inputs, the first as wide as some weights: of a network whose sizes are written in
    its constructor."""
    name = next((name for name, value in values.items() if np.ndim(value) == 2
                 and binding.is_checked(value)), None)
    weights = [array for _, array in objects.arrays(prototype) if array.ndim == 2
               and array.dtype.kind == "f"] if name else []
    sizes = [size - column for column in (0, 1) for array in weights for size in array.shape]
    for width in [None, *dict.fromkeys(sizes)]:  # a column of ones may be added
        tried = values if width is None else {**values, name: np.random.default_rng(
            width).standard_normal((len(values[name]), width))}
        if _runs(prototype, forward, tried):
            return tried
    return values


def _asks_for_nothing(backward):
    """backward(self, *_) or (self, _): it gives f' of what forward kept, whatever it is given."""
    return [p.name == "_" or p.kind == p.VAR_POSITIONAL
            for p in binding.signature(backward)] == [True]


def _arguments(found, layout, request):
    """What the constructor is given, drawn; for another layer, the first of the file that fits."""
    values = inputs.draw(inputs.parameters_of(found.forward), layout, request, numbers=True)
    for name in values:
        # layers=(4, 8, 2), or 2
        is_size = plain(name) in LISTS and not (layout.turn == 2 and isinstance(values[name], list))
        is_stack = plain(name) in STACKS and not is_size
        if (plain(name) in LAYERS or is_stack) and name not in request.options:
            values[name] = (_stack if is_stack else _another)(found, name, layout, request)
    return values


_DEPTHS: dict = {}  # {class: of how many layers a stack was made for it}
SEVERAL = 12  # layers of the file that are looked at for a stack


@functools.lru_cache(maxsize=16)
def _kin(module, backward):
    """The classes with the same two methods that need no other layer: of the file, then of the rest
    of its package."""
    package = module.__name__.partition(".")[0] + "."
    items = []
    for one in [module, *[other for name, other in list(sys.modules.items())
                          if f"{name}.".startswith(package)]]:
        items += [item for item in finding.anything(one) if item not in items]
    return [item for item in items if item.kind == "class" and item.backward == backward
            and not any(plain(p.name) in {**LAYERS, **STACKS}
                        for p in inputs.parameters_of(item.forward))]


def _stack(found, name, layout, request):
    """Two layers, of which one keeps the shape and one has parameters: their order counts."""
    fitting = list(itertools.islice(_fitting(found, layout, request), SEVERAL))
    plain_one = next((layer for layer, wanted, keeps in fitting if keeps and not wanted), None)
    other = next((layer for layer, wanted, _ in fitting if wanted), None)
    both = [layer for layer in (plain_one, other) if layer is not None]
    _DEPTHS[found.forward] = max(len(both), _DEPTHS.get(found.forward, 0))
    if len(both) < _DEPTHS[found.forward]:  # backward failed with both: one alone is no excuse
        raise NotChecked(f"{found.title}: backward does not run with two layers")
    return both or [_another(found, name, layout, request)]


def _another(found, name, layout, request):
    for layer, *_ in _fitting(found, layout, request):
        return layer
    raise NotChecked(f"{found.title}: its constructor takes another layer, {name}, "
                     "and the file holds none that fits: give one in a function "
                     f"{found.name}_inputs(generator) that returns {{{name!r}: …}}")


def _fitting(found, layout, request):
    """Yields (layer, whether it has parameters, whether it keeps the shape): those that run."""
    for item in _kin(sys.modules[found.forward.__module__], found.backward):
        if item.forward is not found.forward:
            try:
                code, values, _ = of_class(item, layout, request)[0]
                run = code.run(copy.deepcopy(values))
                gradients = code.backward(run, [np.ones(np.shape(run.outputs[0]))])
            except Exception:  # it is not for this layout
                continue
            first = next(iter(values))
            if np.shape(gradients.get(first)) == np.shape(values[first]):
                layer, shape = getattr(code, "code", code), np.shape(run.outputs[0])
                yield layer.prototype, bool(layer.wanted), shape == np.shape(values[first])


def of_functions(forward, backward, kind, layout, request):
    """The same for two functions."""
    without = with_context(forward, backward)[0]
    values = inputs.draw(inputs.parameters_of(without), layout, request)
    return with_scores([Reading(code, values, words)
                        for code, words in functions(forward, backward, kind)])


def with_scores(readings):
    """The readings of a loss, and of the same loss as a function of the scores before its
    probabilities: many courses give that gradient, p − t, as the gradient of the cross entropy."""
    code, values, _ = next(reading for reading in readings if not reading.words)
    inputs_of = [name for name, value in values.items() if binding.is_checked(value)
                 and role(name) != "labels"]
    if "labels" not in inputs.roles(values) or len(inputs_of) != 1:
        return readings
    return readings + [Reading(BeforeProbabilities(code, inputs_of[0], squash), values,
                               f"as the gradient of the scores before the {name}")
                       for name, squash in SQUASHES.items()]


SQUASHES = {"softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
            "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


class BeforeProbabilities:
    """A code whose input `name` is squashed to probabilities first."""

    def __init__(self, code, name, squash):
        self.code, self.name, self.squash, self.title, self.file = (code, name, squash, code.title,
                                                                    code.file)

    def run(self, values):
        """A Run of forward with these scores; its state is that with the probabilities."""
        inner = self.code.run({**values, self.name: self.squash(values[self.name])})
        return inner._replace(inputs=values, state=inner)

    def backward(self, run, douts):
        """What backward returns for the probabilities."""
        return self.code.backward(run.state, douts)

    def takes_dout(self, run):
        """Has backward a place for dout?"""
        return self.code.takes_dout(run.state)


def _initialised(prototype, forward, values, layout, request):
    """Some layers make their weights in a method of their own, and some find their input in an
    attribute: done where forward does not run without."""
    _called(prototype, layout, request, connect=True)
    for prepare in (_called, _called, _filled):  # one of them may need what another has set
        if not _runs(prototype, forward, values):
            prepare(prototype, layout, request)


def _called(prototype, layout, request, connect=False):
    """Call what makes weights; connect: only what tells a layer of its neighbours."""
    for name in dir(type(prototype)):
        known = plain(name) in INITIALISE and name != "__init__"
        made = getattr(prototype, name) if known else None
        parameters = inputs.parameters_of(made) if callable(made) else []
        near = [p.replace(default=p.empty) for p in parameters if plain(p.name) in NEIGHBOURS]
        if callable(made) and bool(near) == connect:
            arguments = inputs.draw([*near, *(p for p in parameters if p.default is p.empty
                                              and plain(p.name) not in NEIGHBOURS)], layout,
                                    request, numbers=True)
            with contextlib.suppress(Exception):  # forward says what is missing
                made(**{key: Recorder() if "opt" in key else value
                        for key, value in arguments.items()})


def _filled(prototype, layout, request):
    """What is still None and called like an input, a target or a weight gets a drawn value."""
    names = [name for name, value in vars(prototype).items()
             if value is None and role(name) in layout.shapes
             and not (plain(name) in OUTPUTS and role(name) == "scores")]
    parameters = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names]
    vars(prototype).update(inputs.draw(parameters, layout, request))


def _stacked(prototype, found, layout, request):
    """An empty list of layers gets one; a tuple, of Sequential(*layers), too. Returns the name of
    one that stays empty."""
    empty = ""
    for name, value in list(vars(prototype).items()):
        if plain(name) in STACKS and isinstance(value, (list, tuple)) and not value:
            empty = name
            with contextlib.suppress(Exception):  # forward says what is missing
                layers = _stack(found, name, layout, request)
                if isinstance(value, tuple):
                    setattr(prototype, name, tuple(layers))
                for layer in () if isinstance(value, tuple) else layers:
                    (prototype.add if callable(getattr(prototype, "add", None))
                     else value.append)(layer)
                empty = ""
    return empty


class Recorder:
    """An optimizer that subtracts the gradient: an update then shows it."""

    def update(self, weights, gradient, *_):
        """w − gradient"""
        return weights - gradient


def _meanings(base, values, targets, sloppy):
    """(what is fed to backward, how the loss comes of the output, words), the plain reading first.
    A loss class may want its input or its output where others want dout; a network whose backward
    gets the target has a loss that nobody wrote down."""
    yield "dout by another name" if sloppy else "dout", None, ""
    of_loss = any(role(name) == "labels" for name in values)
    reduced = {"": None} if base.returns_number else REDUCED
    for feed, words in itertools.product(FEEDS, reduced) if of_loss and base.function else ():
        if FEEDS[feed] or words:
            yield feed, REDUCED[words], ", ".join(filter(None, (FEEDS[feed], words)))
    if targets or base.function and (of_loss and not base.returns_number or not of_loss
                                     and not required(getattr(base.prototype, base.function))):
        for words, loss in LOSSES.items():
            yield "dout", loss, f"as the gradient of {words}"


FEEDS = {"dout": "", "input": "backward is given forward's input",
         "output": "backward is given forward's output"}
REDUCED = {"": None, "of the mean of what forward returns": lambda y, _: np.mean(y),
           "of the sum of what forward returns": lambda y, _: np.sum(y)}


def _cross_entropy(y, t):
    t = np.eye(np.shape(y)[-1])[t] if np.ndim(t) < np.ndim(y) else t
    y = np.clip(y, 1e-12, 1 - 1e-12)
    return -(t * np.log(y)).sum(), -(t * np.log(y) + (1 - t) * np.log(1 - y)).sum()


LOSSES = {
    "½ Σ (output − target)²": lambda y, t: ((y - t) ** 2).sum() / 2,
    "Σ (output − target)²": lambda y, t: ((y - t) ** 2).sum(),
    "½ Σ (output − target)² / N": lambda y, t: ((y - t) ** 2).sum() / 2 / len(y),
    "mean (output − target)²": lambda y, t: ((y - t) ** 2).mean(),
    "½ mean over the columns, Σ (output − target)²":
        lambda y, t: ((y - t) ** 2).sum() / 2 / np.shape(y)[-1],
    "binary cross entropy": lambda y, t: _cross_entropy(y, t)[1],
    "binary cross entropy / N": lambda y, t: _cross_entropy(y, t)[1] / len(y),
    "binary cross entropy / the number of columns":
        lambda y, t: _cross_entropy(y, t)[1] / np.shape(y)[-1],
    "cross entropy": lambda y, t: _cross_entropy(y, t)[0],
    "cross entropy / N": lambda y, t: _cross_entropy(y, t)[0] / len(y),
}
