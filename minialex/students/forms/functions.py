"""Functions and derivatives in the ways in which classes mean them: f' of x or of the output, a
context as first argument.
"""
import copy
import functools
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...gradcheck.asked import GradientsDiffer
from ..called import binding
from ..called.gradients import Named
from ..called.numpy_code import Functions
from ..names import CACHE, OUTPUTS, SUMS, is_rate, plain, role, stem, stems_of_gradient
from ..reading import absent
from ..reading.sources import names_returned, source
from .layers import NotChecked
from .renaming import renamed, required, same, with_whole_cache


class Reading(NamedTuple):
    """What was found, read in one way. words: how it is meant, where that is not as usual."""

    code: object
    values: dict
    words: str = ""


def functions(forward, backward, kind, by_name=True, in_order=False):
    """[(Functions, words)]: a derivative is read as f'(x), as f' of the output, or as a backward
    like any other. in_order: of the inputs must its gradients come, as a teacher has them."""
    forward, backward = with_context(forward, backward)
    backward = backward and with_whole_cache(forward, renamed(backward, same(forward, backward)))
    code = (Functions if in_order else InAnyOrder)(forward, backward, by_name)
    plainly = with_output_kept(code, backward)
    if kind != "derivative" and not asks_for_the_input(forward, backward):
        return plainly
    asked, given = required(backward), required(forward)
    takes_one = len(asked) <= 1 or len(asked) == len(given) > 1
    return as_slopes(code) + plainly if takes_one else plainly + as_slopes(code)


def asks_for_the_input(forward, backward):
    """Is backward's only argument called like forward's, or like no gradient: backward(x)? It may
    be f'(x), or dout by another name. Labels by their name, or that forward gets, too, are such."""
    asked, given = _but_for_a_rate(backward), required(forward)
    if len(asked) != 1 or asked == given[:1]:
        return len(asked) == 1
    is_target = role(asked[0]) == "labels" and (asked[0] in given or len(plain(asked[0])) > 2)
    return not (is_target or plain(asked[0]) in CACHE or binding.names_of_dout(forward, backward))


def _but_for_a_rate(backward):
    """What it asks for, but for a learning rate, which all layers of a network are handed."""
    return [name for name in required(backward) if not is_rate(name)]


def as_slopes(code):
    """Both readings of f'."""
    return [(Slope(code, False), "f' of x: dx = dout · f'(x)"),
            (Slope(code, True), "f' of the output: dx = dout · f'(y)")]


class InAnyOrder(Functions):
    """Two functions whose gradients may come in another order than that of the inputs."""

    def backward(self, run, douts):
        """What backward returns, in the order of the inputs."""
        returned = super().backward(run, douts)
        moved = {name: np.shape(value) for name, value in run.inputs.items()
                 if binding.is_checked(value)}
        if not isinstance(returned, (tuple, list)):
            return returned
        function = self.function or self.forward  # one that returns a loss, too
        if hasattr(self.forward, "outer"):
            said = whose(function, list(moved), stem)[-len(returned):]
            found = [(name, one) for name, one in zip(said, returned) if name in moved]
            return Named(found) if 0 < len(found) == len(dict(found)) else returned
        # a network's own input needs no gradient
        inside = {name: shape for name, shape in moved.items() if role(name) != "x"}
        layers = [name for name in inside if stem(name).rstrip("0123456789") == "w"]
        if len(layers) > 1 and len(returned) == len(inside) < len(moved):
            found = _in_order(whose(function, list(inside)),
                              list(map(np.shape, returned)), inside, list(returned))
            return returned if found is None else Named(zip(inside, found))
        if not 1 < len(returned) == len(moved):
            return returned
        said = whose(function, list(moved))[-len(moved):]
        return _in_order(said, list(map(np.shape, returned)), moved, list(returned)) or returned


def whose(function: Callable, names: list[str], role: Callable = role) -> list[str | None]:
    """Which of the inputs each gradient in its return statement is called after: dW of W, or of
    what has the role of w."""
    said = [stems_of_gradient(one.split("[")[0]) for one in names_returned(function)]
    return [next((name for known in (stem, role) for name in names if known(name) in stems), None)
            for stems in said]


WEIGHTS = {"w", "wx", "wh", "gamma"}


def _in_order(said, shapes, moved, returned):
    """The gradients in the order of the inputs, as they are called, or else by their shapes; None
    where nothing fits."""
    places, by_shape = list(range(len(moved))), []
    for shape in moved.values():
        by_shape += [place for place in places if shapes[place] == shape
                     and place not in by_shape][:1]
    by_name = [said.index(name) for name in moved] if set(said) == {*moved} else places
    # of inputs alone no other order is a convention
    orders = (by_name, places, by_shape) if WEIGHTS & {*map(role, moved)} else (by_name, places)
    return next(([returned[place] for place in order] for order in orders
                 if [shapes[place] for place in order] == list(moved.values())), None)


class Composed(Functions):
    """Two functions that are written here, around a student's. file: where his code is; "" where no
    small number counts."""

    def __init__(self, forward, backward, title, file=""):
        super().__init__(forward, backward, by_name=True)
        self.title, self.source = title, file

    def file(self):
        return self.source


class Around:
    """A code around another one, of which it changes a method or two."""

    def __init__(self, code):
        self.code, self.title, self.file = code, code.title, code.file

    def run(self, values):
        """A Run of forward."""
        return self.code.run(values)

    def backward(self, run, douts):
        """What backward returns."""
        return self.code.backward(run, douts)

    def takes_dout(self, run):
        """Has backward a place for dout?"""
        return self.code.takes_dout(run)


class Within(Around):
    """A code around another one, whose Run is the state of its own."""

    def backward(self, run, douts):
        """What backward returns."""
        return self.code.backward(run.state, douts)

    def takes_dout(self, run):
        """Has backward a place for dout?"""
        return self.code.takes_dout(run.state)


class Slope(Around):
    """A code whose backward gives f', of x or of the output: dx = dout · f'."""

    def __init__(self, code, of_output):
        super().__init__(code)
        self.of_output = of_output

    def run(self, values):
        """A Run of forward. f' is asked for what f was given, which f may write into."""
        before, inner = copy.deepcopy(values), self.code.run(values)
        given = [value if np.array_equal(value, before[name]) else before[name]
                 for name, value in inner.inputs.items()]
        return inner._replace(state=(inner, given))

    def backward(self, run, douts):
        """{the first input: dout · f'}"""
        inner, given = run.state
        function = self.code.backward_of(inner)
        name, x = min(run.inputs.items(), key=lambda item: role(item[0]) == "labels")
        values = run.outputs if self.of_output else given
        takes = any(p.kind in (*binding.POSITIONAL, p.VAR_POSITIONAL)
                    for p in binding.signature(function))  # or it is f' of what forward kept
        asked = _but_for_a_rate(function)
        slope = function(*values[:max(takes, len(asked))],
                         **dict.fromkeys([name for name in required(function)
                                          if name not in asked], 1.0))
        return Named({name: chained(douts[0], slope, x, binding.title(function))})

    def takes_dout(self, run):
        """The chain rule's factor; one number of an array has none."""
        if np.ndim(run.outputs[0]) == 0 and np.ndim(next(iter(run.inputs.values()))) > 0:
            raise NotChecked(f"{self.title} returns one number: its derivative is no f'(x)")
        return True


class Keeps(Around):
    """A code whose forward returns nothing but its output, which, or its only input, backward gets
    as its cache: relu_backward(dA, Z) beside relu(x)."""

    def __init__(self, code, what):
        super().__init__(code)
        self.what = what

    def run(self, values):
        """A Run of forward, with what is kept besides."""
        run = self.code.run(values)
        if run.rest:
            raise NotChecked(f"{self.title} returns its cache")
        given = run.outputs if self.what == "output" else [*run.inputs.values()]
        return run._replace(rest=given[:1])


def with_output_kept(code, backward):
    """[(code, words)]: the code, and with its output, or only input, as the cache, if backward asks
    for one, or for what forward does not know; with ones before it, if backward drops them."""
    known = binding.arguments_of(code.forward) if callable(code.forward) else []
    douts = known and backward and binding.names_of_dout(code.forward, backward)
    asked = [name for name in required(backward) if plain(name) in CACHE or douts
             and name not in (*known, *douts) and role(name) != "labels"] if backward else []
    alone = known and len(required(code.forward)) == 1
    found = [(code, "")]
    for what, sure in (("output", OUTPUTS), ("input", OUTPUTS.keys() - SUMS))[:1 + bool(alone)]:
        names = [name for name in asked if plain(name) not in sure]
        found += [(Keeps(code, what), f"{name} is forward's {what}") for name in names[:1]]
    drops = re.search(r"delete\(|\[(:, *)?1:[],]", source(backward)) and known
    return found + [(WithOnes(one, axis), f"behind a {what} of ones, which backward drops")
                    for one, _ in found for axis, what in enumerate(ONES if drops else ())]


ONES = "row", "column"


class WithOnes(Around):
    """A code whose output has a row or column of ones before it, for the biases of the next layer:
    that is what backward is given, and what it drops."""

    def __init__(self, code, axis):
        super().__init__(code)
        self.axis = axis

    def run(self, values):
        """A Run of forward and of the ones, also where it is the output that is kept."""
        run = self.code.run(values)
        wide = np.insert(run.outputs[0], 0, 1.0, axis=self.axis)
        return run._replace(outputs=[wide], rest=[wide if one is run.outputs[0] else one
                                                  for one in run.rest])


class Reduced(Within):
    """A code of which one number is made of all that forward returns: a loss of each example."""

    def __init__(self, code, reduce):
        super().__init__(code)
        self.reduce = reduce

    def run(self, values):
        """A Run with that number; its state is that of all."""
        inner = self.code.run(values)
        return inner._replace(outputs=[self.reduce(inner.outputs[0])], state=inner)


class EachExample(Around):
    """A code whose backward gives the gradient of every weight and bias for each example by
    itself: their sum is that of all."""

    def backward(self, run, douts):
        """The gradients, summed over the examples. Raises NotChecked where one is summed."""
        returned = self.code.backward(run, douts)
        flat = list(returned) if isinstance(returned, (tuple, list)) else [returned]
        weights = {name: np.shape(value) for name, value in run.inputs.items()
                   if binding.is_checked(value) and role(name) in ("w", "b", "gamma", "beta")}
        of_one = [np.squeeze(one[0]).shape if np.ndim(one) else None for one in flat]
        found = {name: next((place for place, one in enumerate(of_one)
                             if one == tuple(n for n in shape if n > 1)), None)
                 for name, shape in weights.items()}
        if not found or None in found.values() or len(set(found.values())) < len(found):
            raise NotChecked(f"{self.title} gives no gradients for each example")
        for name, place in found.items():
            flat[place] = np.sum(flat[place], axis=0).reshape(weights[name])
        return tuple(flat) if len(flat) > len(found) else Named(
            {name: flat[place] for name, place in found.items()})


class OneEntry(Within):
    """A code with the last entry of its output alone: dout has one entry that is not 0, as that of
    a cross entropy."""

    def run(self, values):
        """A Run of forward; its state is that of the whole output."""
        inner = self.code.run(values)
        return inner._replace(outputs=[np.ravel(inner.outputs[0])[-1]], state=inner)

    def backward(self, run, douts):
        """The gradients for a dout of zeros but for one."""
        dout = np.zeros(np.shape(run.state.outputs[0]))
        dout.reshape(-1)[-1] = douts[0]
        return super().backward(run, [dout])

    def takes_dout(self, run):
        """One that is a number."""
        return True


class Faint(Within):
    """A code with its output times a small number: what backward clips stays below the limit."""

    SCALE = 1e-3

    def __getattr__(self, name):
        return getattr(self.code, name)  # what its parameters are, and which have no gradient

    def run(self, values):
        """A Run of forward; its state is that of the output as it is."""
        inner = self.code.run(values)
        if not self.code.takes_dout(inner):
            raise NotChecked(f"{self.title}: its gradients cannot be made small")
        return inner._replace(outputs=[self.SCALE * np.asarray(one) for one in inner.outputs],
                              state=inner)

    def backward(self, run, douts):
        """The gradients for so small a dout."""
        return super().backward(run, [self.SCALE * dout for dout in douts])


def chained(dout: np.ndarray, slope: np.ndarray, x: np.ndarray, name: str) -> np.ndarray:
    """dout · f'. f' has a value for each of f's, or a Jacobian, of each example or of all, as of a
    softmax; or a value for each of x's where f takes the maximum or the mean along an axis, or
    parts of x. Raises GradientsDiffer for any other shape."""
    slope, dout = np.asarray(slope), np.asarray(dout)
    if slope.size == 1 or slope.shape == dout.shape:  # the identity's is 1, or np.array([1])
        return dout * slope.reshape(dout.shape if slope.shape == dout.shape else ())
    if slope.shape == (*dout.shape, *dout.shape[-1:]):
        return np.einsum("...i,...ij->...j", dout, slope)
    if slope.shape == (dout.size, dout.size):
        return (dout.reshape(-1) @ slope).reshape(dout.shape)
    if slope.shape == np.shape(x) and slope.ndim == dout.ndim and not any(map(np.mod, slope.shape,
                                                                              dout.shape)):
        # of a·σ(b), x = (a, b)
        return np.tile(dout, tuple(map(int.__floordiv__, slope.shape, dout.shape))) * slope
    for axis in range(np.ndim(x)) if slope.shape == np.shape(x) and np.ndim(
            x) == dout.ndim + 1 else ():
        if np.delete(slope.shape, axis).tolist() == list(dout.shape):
            return np.expand_dims(dout, axis) * slope
    raise GradientsDiffer(f"{name} returned shape {slope.shape} where f returns {dout.shape}: "
                          "f' has a value for each of f")


CONTEXT = ("ctx", "context")


class _Saved(dict):
    """What was kept, by place or by name."""

    def __iter__(self):
        return iter(self.values())


class Context:
    """What static methods get as `ctx`: it keeps whatever forward saves."""

    def __init__(self):
        self.needs_input_grad = (True,) * 9
        self.saved_data = _Saved()

    def save_for_backward(self, *values):
        """Keep them, by all the names that people look for."""
        self.saved_tensors = self.saved_values = self.saved_variables = self.saved = values
        self.saved_data.update(enumerate(values))

    def save_arguments(self, **values):
        """Keep them by name."""
        self.saved_arguments = values


def with_context(forward, backward):
    """The two functions without their first argument `ctx`, which is made anew for each forward."""
    first, *others = binding.arguments_of(forward) or [""]
    if backward is None or first not in CONTEXT and not (first == "self" and others):
        return forward, backward
    kept = []

    def without_first(function, begins):
        places = binding.signature(function)[1:]
        # grads_dict: backward writes its gradients there, one after the other
        to_fill = [] if begins else [p.name for p in places if re.match("grad.*dict", p.name)]
        wraps = next((p.annotation for p in places if absent.is_missing(p.annotation)), None)

        @functools.wraps(function)
        def called(*arguments, **keywords):
            kept[:] = [Context()] if begins else kept
            if begins and wraps is not None:
                arguments = [absent.held(wraps, value) for value in arguments]
                keywords = {name: absent.held(wraps, value) for name, value in keywords.items()}
            filled = {name: {} for name in to_fill}
            returned = function(*kept, *arguments, **keywords, **filled)
            return returned if returned is not None or not to_fill else tuple(
                value for one in filled.values() for value in one.values())
        return binding.with_parameters(called, [p for p in places if p.name not in to_fill])
    return without_first(forward, True), without_first(backward, False)
