"""What was found becomes what the checker needs: a function of named arrays, and one that gives
gradients by name.

    of_class(found, layout, request)   [Reading, …], one for each way in which it may be meant; the
                                       best one is told

A code has the methods of called.numpy_code.Functions: title, run(values), backward(run, douts),
takes_dout(run).
"""
import contextlib
import copy
import functools
import inspect
import itertools
import os
import re
import sys

import numpy as np

from . import finding, pairing, suiting
from .called import binding
from .dialects import LAYERS, LISTS, STACKS, letter
from .drawn import dictionaries, inputs, settings, used
from .forms import boxed, joined, objects, outer
from .forms.functions import (
    CONTEXT,
    EachExample,
    Reading,
    Reduced,
    Within,
    as_slopes,
    asks_for_the_input,
    functions,
    with_context,
    with_output_kept,
)
from .forms.layers import ROW, Layer, NotChecked
from .forms.losses import LOSSES
from .forms.preparing import begin_sums, choose_plain_steps, initialise, returned
from .forms.renaming import required
from .forms.widths import as_index, as_wide, wide_enough
from .names import OUTPUTS, plain, role
from .reading.sources import source
from .reading.usual import ACTIVATIONS, softmax


def of_class(found, layout, request):
    """[Reading] of a class, with its constructor's and its forward's arguments drawn."""
    found = boxed.of_variables(found)
    cls, (forward, backward) = found.forward, found.backward
    cls = joined.whole(cls, forward, backward) if backward else cls
    is_static = all(isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod))
                    for name in (forward, backward or forward))
    built = {} if is_static else arguments(found, layout, request)
    prototype = cls if is_static else cls(**built)
    method, gradient = getattr(prototype, forward), getattr(prototype,
                                                            backward) if backward else None
    if is_static or binding.arguments_of(method)[:1] in ([name] for name in CONTEXT):
        return of_functions(method, gradient, pairing.kind_of(backward or ""), layout, request)
    empty = stacked(prototype, found, layout, request)
    objects.set_learning_rates(prototype)
    objects.make_numbers_arrays(prototype, built, method)
    choose_plain_steps(prototype)
    values = inputs.draw(inputs.parameters_of(method), layout, request)
    if not gradient:
        values = used.in_a_row(method, values, layout, request.named())
    weights = [path for path, _ in objects.arrays(prototype)]  # not what forward keeps
    initialise(prototype, forward, values, layout, request)
    objects.set_learning_rates(prototype)  # of an optimizer that was made there, too
    begin_sums(prototype, forward, backward)
    square = _as_wide_as_x(built, layout)
    if square != layout and not returned(prototype, forward, values):
        return of_class(found, square, request)  # a scale of n_out numbers
    if empty and _gives_back(prototype, forward, values):
        raise NotChecked(f"{found.name} was made with nothing in {empty}, and gives its input "
                         "back: put a layer into the file, or a class that makes one with layers")
    if not any(isinstance(value, int) and letter(name) not in ("J", "M")
               for name, value in built.items()):
        values = wide_enough(prototype, forward, values, weights)
    # beside it, y is the output
    asks_for_dout = backward and binding.names_of_dout(method, gradient)
    asked = [p for p in ([] if asks_for_dout else inputs.parameters_of(gradient))
             if p.name not in values and role(p.name) == "labels"]
    # of Y, T the former is the output, too
    asked = asked[len(asked) > 1 and plain(asked[0].name) in OUTPUTS:]
    targets = inputs.draw(asked, layout, request)
    targets = as_wide(prototype, forward, values, targets, layout.turn == 0)
    targets = as_index(prototype, forward, values, targets, gradient)
    base, values, targets = _layer(found, cls, prototype, built, (values, targets))
    return _readings(base, values, targets, method, gradient, asks_for_dout)


def _readings(base, values, targets, method, gradient, asks_for_dout):
    """What a layer's backward may be meant for."""
    drawn = {**values, **targets, **base.values()}
    sloppy = asks_for_the_input(method, gradient)
    (feed, *_), *others = _meanings(base, values, targets, sloppy)
    readings = [Reading(code, drawn, words)
                for code, words in with_output_kept(base.read(feed, None), gradient)]
    readings += [Reading(base.read(feed, loss), drawn, words) for feed, loss, words in others]
    readings += past_softmax(base.read(feed, None), drawn
                             ) if base.wanted and asks_for_dout else []
    if not gradient:
        return readings
    of_loss = any(role(name) == "labels" for name in values)
    kind = pairing.kind_of(base.function)
    derivative = (sloppy or not asks_for_dout and kind == "derivative"
                  or _asks_for_nothing(gradient) and not of_loss)
    slopes = [Reading(code, values, words)
              for code, words in as_slopes(base.bare())] if derivative and not targets else []
    return readings + slopes if base.wanted else slopes + with_scores(readings)


def _layer(found, cls, prototype, built, given):
    """(the Layer, its inputs and targets). What the constructor was given, too, is the same."""
    data = objects.data_of(prototype, built, [name for one in given for name in one])
    values, targets = ({name: getattr(prototype, data[name]) if name in data else value
                        for name, value in one.items()} for one in given)
    base = Layer(found.title, prototype, *found.backward, list(targets))
    base.data, base.aim = data, objects.kept_as(prototype, built, used.targets(cls, built))
    base.learn({**values, **targets}, built)
    return base, values, targets


def _as_wide_as_x(built, layout):
    """The layout with as many outputs as inputs, where the outputs are all that a constructor is
    told."""
    told = {letter(name) for name, value in built.items() if isinstance(value, int)} - {None}
    width = layout.sizes["C" if "C" in layout.shapes.get("x", "") else "D"]
    return layout._replace(sizes={**layout.sizes, "M": width}) if told == {"M"} else layout


def _gives_back(prototype, forward, values):
    """Is the output the very input?"""
    return any(isinstance(value, np.ndarray) and np.array_equal(value, output)
               for output in returned(prototype, forward, values) for value in values.values())


def _asks_for_nothing(backward):
    """backward(self, *_) or (self, _): it gives f' of what forward kept, whatever it is given."""
    return all(p.name == "_" or p.kind == p.VAR_POSITIONAL
               for p in binding.signature(backward)[:2])


def arguments(found: finding.Found, layout: inputs.Layout, request: inputs.Request) -> dict:
    """What the constructor is given, drawn; for another layer, the first of the file that fits."""
    values = inputs.draw(inputs.parameters_of(found.forward), layout, request, numbers=True)
    both = found.backward if found.kind == "class" else (None, None)  # of what trains
    values = used.as_used(found.forward, values, layout, request.named(), both)
    values.update(settings.of(found.forward, values, layout, request))
    for name in values:
        if plain(name).endswith("shape") and isinstance(values[name], int) and re.search(
                r"reshape\((\w+, )?\*?self\.\w+\)", source(found.forward)):
            values[name] = layout.numbers(layout.shapes["x"])  # with the batch, if there is one
        is_size = plain(name) in LISTS and not (layout.turn == 2 and isinstance(values[name], list))
        is_stack = not is_size and (plain(name) in STACKS or used.is_stack(found, name))
        if (plain(name) in LAYERS or is_stack) and name not in request.options:
            values[name] = (_stack if is_stack else _another)(found, name, layout, request)
    return values


SEVERAL = 12  # layers of the file that are looked at for a stack


@functools.lru_cache(maxsize=16)
def _kin(module, backward):
    """The classes with the same two methods that need no other layer: of the file, then of the rest
    of its package, and of files beside it that it imports."""
    package, folder = module.__name__.partition(".")[0] + ".", os.path.dirname(module.__file__)
    imported = {getattr(one, "__module__", "") for one in vars(module).values()}
    items = []
    for one in [module, *[other for name, other in list(sys.modules.items())
                          if f"{name}.".startswith(package) or name in imported
                          and os.path.dirname(getattr(other, "__file__", None) or "") == folder]]:
        items += [item for item in finding.anything(one) if item not in items]
    return [item for item in items if item.kind == "class" and item.backward == backward
            and not any(plain(p.name) in {**LAYERS, **STACKS}
                        for p in inputs.parameters_of(item.forward))]


def _stack(found, name, layout, request):
    """Two layers, of which one keeps the shape and one has parameters: their order counts."""
    fitting = list(itertools.islice(_fitting(found, layout, request), SEVERAL))
    plain_one = next((layer for layer, wanted, keeps in fitting if keeps and not wanted), None)
    other = next((layer for layer, wanted, _ in fitting if wanted), None)
    # the gradient of one that trains goes through the last to the first
    order = (other, plain_one) if found.kind == "step" else (plain_one, other)
    both = [layer for layer in order if layer is not None]
    request.depths[found.forward] = max(len(both), request.depths.get(found.forward, 0))
    if len(both) < request.depths[found.forward]:
        # backward failed with both: one alone is no excuse
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
                code, values, _ = reading = of_class(item, layout, request)[0]
                run, gradients = suiting.both_ways(reading)
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
    values = dictionaries.filled(without, values, layout, request)
    forward = outer.with_outer(forward, backward)
    values = {**outer.drawn(forward), **values}
    codes = functions(forward, backward, kind, in_order=request.in_order)
    plain_one = next(code for code, words in codes if not words)
    if backward and _of_each(plain_one, values, bool(binding.names_of_dout(forward, backward))):
        codes += [(Reduced(plain_one, lambda y, reduce=reduce: reduce(y, None)), words)
                  for words, reduce in REDUCED.items() if reduce]
    if "w" in inputs.roles(values):  # of a bias or a scale alone the sum was forgotten
        codes += [(EachExample(code), ", ".join(filter(None, (words, "one for each example"))))
                  for code, words in codes]
    return with_scores([Reading(code, values, words) for code, words in codes])


def _of_each(code, values, takes_dout):
    """Does a loss return one number for each example, in rows or columns, or, where backward takes
    no dout, for each label?"""
    labels = [value for name, value in values.items() if role(name) == "labels"
              or getattr(value, "dtype", np.dtype(float)).kind in "iu"]
    try:
        output = code.run(copy.deepcopy(values)).outputs[0] if labels else ()
    except Exception:  # it is not for this layout
        return False
    columns = {np.shape(value)[-1:] for name, value in values.items() if role(name) == "x"}
    return np.size(output) > 1 and any((np.size(output),) in (
        np.shape(one)[:1], *(columns & {np.shape(one)[-1:]})) or not takes_dout and np.shape(
            output) == np.shape(one) for one in labels)


def with_scores(readings):
    """The readings of a loss, and of the same loss as a function of the scores before its
    probabilities: many courses give that gradient, p − t, as the gradient of the cross entropy."""
    code, values, _ = next(reading for reading in readings if not reading.words)
    inputs_of = [name for name, value in values.items() if binding.is_checked(value)
                 and role(name) != "labels"]
    if "labels" not in inputs.roles(values) or len(inputs_of) != 1:
        return readings
    text = source(getattr(code, "function", None))
    squashes_itself = any(word in text for word in ("exp", "softmax", "sigmoid"))
    forward = getattr(code, "forward", None)
    forward = getattr(code.prototype, forward) if isinstance(forward, str) else forward
    meant = [one for one in readings if not one.words  # or of each example, or fed what came out
             or "log" in source(forward) and "forward" in one.words]
    return readings + [Reading(BeforeProbabilities(one.code, inputs_of[0], squash, own), values,
                               ", ".join(filter(None, (one.words, "as the gradient of the scores "
                                                       f"before the {name}"))))
                       for one in meant for own in range(1 + squashes_itself)
                       for name, squash in PROBABILITIES.items()]


PROBABILITIES = {"softmax": softmax, "sigmoid": ACTIVATIONS["sigmoid"][0]}


def past_softmax(code, values):
    """[Reading] of a network with a softmax at its end whose backward is given p − t, the gradient
    of the scores before that, as in error = output − target; nothing of others."""
    p = code.run(copy.deepcopy(values)).outputs[0]
    return [Reading(PastSoftmax(code, axis), values, PastSoftmax.words)
            for axis in range(np.ndim(p) - 1, -1, -1) if p.shape[axis] > 1
            and np.all(p > 0) and np.allclose(p.sum(axis), 1)][:1]


class PastSoftmax(Within):
    """A network whose output is p, of a softmax along this axis, and whose backward gets p − t."""

    words = "of the cross entropy: backward is given p − t, past the softmax"

    def __init__(self, code, axis):
        super().__init__(code)
        self.axis = axis

    def __getattr__(self, name):
        return getattr(self.code, name)  # what its parameters are, and which have no gradient

    def _targets(self, p):
        p = np.moveaxis(p, self.axis, -1)
        places = np.arange(p.size // p.shape[-1]) % p.shape[-1]
        return np.moveaxis(np.eye(p.shape[-1])[places].reshape(p.shape), -1, self.axis)

    def run(self, values):
        """A Run with the loss; its state is that with the probabilities."""
        inner = self.code.run(values)
        loss = -np.sum(self._targets(inner.outputs[0]) * np.log(inner.outputs[0]))
        return inner._replace(outputs=[loss], state=inner)

    def backward(self, run, douts):
        """The gradients of that loss."""
        p = run.state.outputs[0]
        return super().backward(run, [douts[0] * (p - self._targets(p))])


class BeforeProbabilities(Within):
    """A code whose input `name` is squashed to probabilities first. takes_scores: backward gets
    what it was before."""

    def __init__(self, code, name, squash, takes_scores):
        super().__init__(code)
        self.name, self.squash, self.takes_scores = name, squash, takes_scores

    def run(self, values):
        """A Run of forward with these scores; its state is that with the probabilities."""
        inner = self.code.run({**values, self.name: self.squash(values[self.name])})
        state = inner._replace(inputs=values) if self.takes_scores else inner
        return inner._replace(inputs=values, state=state)


def stacked(prototype: object, found: finding.Found, layout: inputs.Layout,
            request: inputs.Request) -> str:
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


def _meanings(base, values, targets, sloppy):
    """(what is fed to backward, how the loss comes of the output, words), the plain reading first.
    A loss class may want its input or its output where others want dout; a network whose backward
    gets the target has a loss that nobody wrote down."""
    yield "dout by another name" if sloppy else "dout", None, ""
    if base.axes == 1 and base.function and all(np.ndim(value) < 2 for value in values.values()):
        yield ROW, None, "backward is given dout as a row"
    # a layer's y has a gradient, too
    of_loss = any(role(name) == "labels" and name not in base.given for name in values)
    reduced = {"": None} if not base.axes else REDUCED
    methods = [getattr(base.prototype, name) for name in (base.forward, base.function) if name]
    asked = [*required(methods[1]), *binding.names_of_dout(*methods)] if base.function else []
    feeds = FEEDS if set(asked) - values.keys() else {"dout": ""}
    for feed, words in itertools.product(feeds, reduced) if of_loss and base.function else ():
        if FEEDS[feed] or words:
            yield feed, REDUCED[words], ", ".join(filter(None, (FEEDS[feed], words)))
    if targets or base.function and (of_loss and base.axes or not of_loss
                                     and not required(getattr(base.prototype, base.function))):
        for words, loss in LOSSES.items():
            yield "dout", loss, f"as the gradient of {words}"


FEEDS = {"dout": "", "input": "backward is given forward's input",
         "output": "backward is given forward's output"}
REDUCED = {"": None, "of the mean of what forward returns": lambda y, _: np.mean(y),
           "of the sum of what forward returns": lambda y, _: np.sum(y)}
