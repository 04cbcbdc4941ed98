"""What was found becomes what the checker needs: a function of named arrays, and one that gives gradients by name.

    codes(found, layout, request)   [(code, values, words)], one for each way to read it; the best one is told

A code has the methods of gradcheck.pair.Functions: title, run(values), backward(run, douts), takes_dout(run).
"""
import functools
import inspect

import numpy as np

from ..gradcheck import binding
from ..gradcheck.dialects import INPUT_GRADIENTS, MORE_GRADIENTS, OUTPUTS, ROLE, plain
from ..gradcheck.gradients import GradientsDiffer, Named
from ..gradcheck.pair import Functions, Run
from . import inputs, objects

INITIALISERS = ("initialize", "build", "init_weights", "init_params", "initialize_parameters", "init_parameters", "setup",
                "initialize_weights", "reset_parameters", "init")


class NotChecked(Exception):
    """It looks like a layer, but cannot be checked; the message says why."""


# ------------------------------------------------------------------------------------------------ functions


def functions(forward, backward, kind, by_name=True):
    """[(Functions, words)]: a derivative is read as f'(x), as f' of the output, or as a backward like any other."""
    forward, backward = with_context(forward, backward)
    plainly = [(Functions(forward, backward, by_name), "")]
    if kind != "derivative" and not asks_for_the_input(forward, backward):
        return plainly
    required = [p for p in binding.signature(backward) if p.default is p.empty and p.kind in binding.POSITIONAL]
    takes_one = len(required) <= 1 or len(required) == len([p for p in binding.signature(forward) if p.default is p.empty]) > 1
    primes = [(Derivative(forward, backward, by_name, of_output), words) for of_output, words in
              ((False, "f' of x: dx = dout · f'(x)"), (True, "f' of the output: dx = dout · f'(y)"))]
    return primes + plainly if takes_one else plainly + primes


def asks_for_the_input(forward, backward):
    """Is backward's only argument called like forward's: backward(x)? It may be f'(x), or dout by another name."""
    asked, given = (_required(function) if function else [] for function in (backward, forward))
    return len(asked) == 1 and asked == given[:1]


class Derivative(Functions):
    """y = f(x), and f' of x or of y: dx = dout · f'."""

    def __init__(self, forward, backward, by_name, of_output):
        super().__init__(forward, backward, by_name)
        self.of_output = of_output

    def backward(self, run, douts):
        values = run.outputs if self.of_output else list(run.inputs.values())
        slope = np.asarray(self.function(*values[:max(1, len(_required(self.function)))]))
        if slope.shape == (*np.shape(douts[0]), np.shape(douts[0])[-1]):  # a Jacobian for each example, as of a softmax
            return (np.einsum("...i,...ij->...j", douts[0], slope),)
        if slope.shape != np.shape(douts[0]):
            raise GradientsDiffer(f"{binding.title(self.function)} returned shape {slope.shape}, {self.title} "
                                  f"{np.shape(douts[0])}: f' has a value for each of f")
        return (douts[0] * slope, *[None] * (sum(map(binding.is_checked, run.inputs.values())) - 1))

    def takes_dout(self, run):
        if np.ndim(run.outputs[0]) == 0:
            raise NotChecked(f"{self.title} returns one number: its derivative is no f'(x)")
        return True


def _required(function):
    return [p.name for p in binding.signature(function) if p.default is p.empty and p.kind in binding.POSITIONAL]


class Context:
    """What static methods get as `ctx`: it keeps whatever forward saves."""

    def __init__(self):
        self.needs_input_grad = (True,) * 9

    def save_for_backward(self, *values):
        """Keep them, by all the names that people look for."""
        self.saved_tensors = self.saved_values = self.saved = self.saved_variables = self.saved_data = values


def with_context(forward, backward):
    """The two functions without their first argument `ctx`, which is made anew for each forward."""
    if backward is None or [p.name for p in binding.signature(forward)][:1] not in (["ctx"], ["context"], ["self"]):
        return forward, backward
    holder = {}

    @functools.wraps(forward)
    def with_new(*arguments, **keywords):
        holder["ctx"] = Context()
        return forward(holder["ctx"], *arguments, **keywords)

    @functools.wraps(backward)
    def with_same(*arguments, **keywords):
        return backward(holder["ctx"], *arguments, **keywords)
    for function, original in ((with_new, forward), (with_same, backward)):
        function.__signature__ = inspect.Signature(binding.signature(original)[1:])
    return with_new, with_same


# ------------------------------------------------------------------------------------------------ classes


def of_class(found, layout, request):
    """[(code, values, words)] of a class, with its constructor's and its forward's arguments drawn."""
    cls, (forward, backward) = found.forward, found.backward
    if all(isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod)) for name in (forward, backward or forward)):
        return of_functions(getattr(cls, forward), backward and getattr(cls, backward), _kind(backward), layout, request)
    prototype = cls(**inputs.draw(inputs.parameters_of(cls), layout, request, numbers=True))
    objects.set_learning_rates(prototype)
    method = getattr(prototype, forward)
    if [p.name for p in binding.signature(method)][:1] in (["ctx"], ["context"]):
        return of_functions(method, getattr(prototype, backward), _kind(backward), layout, request)
    values = inputs.draw(inputs.parameters_of(method), layout, request)
    _initialised(prototype, method, values, layout, request)
    targets = inputs.draw([p for p in inputs.parameters_of(getattr(prototype, backward)) if p.name not in values and
                           ROLE.get(plain(p.name)) == "labels"], layout, request) if backward else {}
    base = Layer(found.title, prototype, forward, backward, list(targets))
    base.learn({**values, **targets})
    drawn = {**values, **targets, **base.values()}
    sloppy = backward and asks_for_the_input(getattr(prototype, forward), getattr(prototype, backward))
    readings = [(base.read(*reading), drawn, reading[-1]) for reading in _readings(base, values, targets, sloppy)]
    if backward and (sloppy or _kind(backward) == "derivative") and not base.wanted:
        method = functools.partial(_call, prototype, forward), functools.partial(_call, prototype, backward)
        for one, name in zip(method, (forward, backward)):
            one.__name__, one.__signature__ = name, inspect.signature(getattr(prototype, name))
        return [(code, values, words) for code, words in functions(*method, "derivative")] + readings
    return readings


def _call(prototype, name, *arguments, **keywords):
    return getattr(objects.clone(prototype), name)(*arguments, **keywords)


def _kind(backward):
    from .finding import kind_of
    return kind_of(backward) if backward else "loss"


def of_functions(forward, backward, kind, layout, request):
    """The same for two functions."""
    without = with_context(forward, backward)[0]
    values = inputs.draw(inputs.parameters_of(without), layout, request)
    return [(code, values, words) for code, words in functions(forward, backward, kind)]


def _initialised(prototype, method, values, layout, request):
    """Some layers make their weights in a method of their own: call it when forward does not run without."""
    try:
        getattr(objects.clone(prototype), method.__name__)(**values)
    except Exception:
        for name in INITIALISERS:
            made = getattr(prototype, name, None)
            if callable(made):
                arguments = inputs.draw(inputs.parameters_of(made), layout, request, numbers=True)
                made(**{key: Recorder() if "opt" in key else value for key, value in arguments.items()})


class Recorder:
    """An optimizer that subtracts the gradient: an update then shows it."""

    def update(self, weights, gradient, *_):
        """w − gradient"""
        return weights - gradient


def _readings(base, values, targets, sloppy):
    """(what is fed to backward, how the loss comes of the output, words), the plain reading first. A loss class may want its
    input or its output where others want dout; a network whose backward gets the target has a loss that nobody wrote down."""
    yield "dout by another name" if sloppy else "dout", None, ""
    of_loss = any(ROLE.get(plain(name)) == "labels" for name in values)
    if of_loss and base.function:
        for feed in ("dout", "input", "output"):
            for reduce, words in ((None, ""), (np.mean, "of the mean of what forward returns"),
                                  (np.sum, "of the sum of what forward returns")):
                if feed != "dout" or reduce:
                    said = f"backward is given forward's {feed}" if feed != "dout" else ""
                    yield feed, reduce and (lambda y, _, reduce=reduce: reduce(y)), ", ".join(filter(None, (said, words)))
    elif targets:
        for words, loss in LOSSES.items():
            yield "dout", loss, f"as the gradient of {words}"


def _cross_entropy(y, t):
    y = np.clip(y, 1e-12, 1 - 1e-12)
    return -(t * np.log(y)).sum(), -(t * np.log(y) + (1 - t) * np.log(1 - y)).sum()


LOSSES = {
    "½ Σ (output − target)²": lambda y, t: ((y - t) ** 2).sum() / 2,
    "Σ (output − target)²": lambda y, t: ((y - t) ** 2).sum(),
    "½ Σ (output − target)² / N": lambda y, t: ((y - t) ** 2).sum() / 2 / len(y),
    "mean (output − target)²": lambda y, t: ((y - t) ** 2).mean(),
    "½ mean over the columns, Σ (output − target)²": lambda y, t: ((y - t) ** 2).sum() / 2 / np.shape(y)[-1],
    "binary cross entropy": lambda y, t: _cross_entropy(y, t)[1],
    "binary cross entropy / N": lambda y, t: _cross_entropy(y, t)[1] / len(y),
    "binary cross entropy / the number of columns": lambda y, t: _cross_entropy(y, t)[1] / np.shape(y)[-1],
    "cross entropy": lambda y, t: _cross_entropy(y, t)[0],
    "cross entropy / N": lambda y, t: _cross_entropy(y, t)[0] / len(y),
}


class Layer:
    """An object with forward and backward. Each run works on a copy of the prototype with the parameters' values put in."""

    def __init__(self, title, prototype, forward, function, targets):
        self.title, self.prototype, self.forward, self.function = title, prototype, forward, function
        self.targets, self.feed, self.loss = targets, "dout", None
        self.wanted, self.without, self.updating = [], [], False

    def read(self, feed, loss, _):
        """The same object, read in another way."""
        other = Layer(self.title, self.prototype, self.forward, self.function, self.targets)
        other.wanted, other.without, other.updating = self.wanted, self.without, self.updating
        other.feed, other.loss = feed, loss
        return other

    def values(self):
        """{name: drawn value} of the parameters: random, whatever the constructor chose."""
        generator = np.random.default_rng(7)
        return {parameter.name: _sensible(parameter, generator) for parameter in self.wanted}

    def learn(self, values):
        """Find out which arrays are parameters: those that forward leaves alone and that get a gradient."""
        run = self.run(values)
        candidates = objects.parameters(self.prototype)
        if not candidates and objects.parameters(run.state):  # made at the first forward
            self.prototype = objects.clone(run.state)
            candidates = objects.parameters(self.prototype)
        keys = {key for parameter in candidates for key in parameter.keys()}
        candidates = [parameter for parameter in candidates if self._survives(parameter, values) and not any(
            key in keys for path in parameter.paths for key in objects.keys_of_gradient(path))]
        self.wanted = candidates
        found = self._first_gradients(values)
        self.wanted = [parameter for parameter in candidates if parameter.name in found or
                       self.updating and parameter.is_named_like_one()]
        self.without = [parameter.name for parameter in candidates if parameter.name not in found and
                        parameter not in self.wanted and parameter.is_named_like_one()]

    def _first_gradients(self, values):
        """What one backward gives, fed with whatever it takes."""
        first = None
        for self.feed in ("dout", "input", "output", "dout by another name"):
            run = self.run(values)
            douts = [np.random.default_rng(5).standard_normal(np.shape(output)) for output in run.outputs]
            try:
                return self._found(run, douts)
            except NotImplementedError:
                raise
            except Exception as error:
                first = first or error
            finally:
                self.feed = "dout"
        raise first

    def _survives(self, parameter, values):
        """Does forward leave this array alone? One that it overwrites is no parameter."""
        changed = np.random.default_rng(3).uniform(0.5, 1, parameter.array.shape)
        copied = objects.clone(self.prototype, {id(parameter.array): changed})
        try:
            getattr(copied, self.forward)(**{name: value for name, value in values.items() if name not in self.targets})
        except Exception:
            return True
        after = dict(objects.arrays(copied)).get(parameter.paths[0])
        return after is not None and np.array_equal(after, changed)

    # ------------------------------------------------------------------------ the methods of a code

    def run(self, values):
        """A Run of forward on a fresh copy."""
        new = {id(parameter.array): values[parameter.name] for parameter in self.wanted if parameter.name in values}
        layer = objects.clone(self.prototype, new)
        names = {parameter.name for parameter in self.wanted}
        given = {name: value for name, value in values.items() if name not in names}
        method = getattr(layer, self.forward)
        result = method(**{name: value for name, value in given.items() if name not in self.targets})
        several = len(binding.names_of_dout(method, getattr(layer, self.function))) if self.function else 1
        outputs, rest = binding.split(self.title, _output(layer, self.title) if result is None else result, max(several, 1))
        kept = {objects.label(path): array for path, array in objects.arrays(layer)}
        run = Run(outputs, rest, {**values}, layer, kept)
        if self.loss is None:
            return run
        return run._replace(outputs=[self.loss(outputs[0], given.get(next(iter(self.targets), "")))], rest=[*rest, outputs[0]])

    def file(self):
        """Where the code is written."""
        return getattr(getattr(type(self.prototype), self.forward), "__code__", None).co_filename

    def takes_dout(self, run):
        """Has backward a place for dout?"""
        if self.feed == "dout by another name":
            return True
        if self.function is None or self.feed != "dout" or self.targets and self.loss:
            return False
        method = getattr(run.state, self.function)
        return binding.takes_dout(getattr(run.state, self.forward), method, run.outputs, run.rest)

    def backward(self, run, douts):
        """Gradients by name."""
        found = self._found(run, douts)
        if not found:
            raise NotChecked(f"{self.title}.{self.function} gives no gradient: none is returned, and none is in "
                             "self.dx, self.dinputs, self.dW, self.grads or the like")
        return Named(found)

    def _found(self, run, douts):
        layer, names = run.state, {parameter.name for parameter in self.wanted}
        given = {name: value for name, value in run.inputs.items() if name not in names}
        before = {parameter.name: array.copy() for parameter in self.wanted
                  for path, array in objects.arrays(layer) if path == parameter.paths[0]}
        returned = run.rest[0] if len(run.rest) == 1 else run.rest
        if self.function is not None:
            returned = self._call_backward(layer, run, given, douts)
        moved = {name: np.shape(value) for name, value in given.items() if binding.is_checked(value) and name not in self.targets}
        found = _returned(returned, moved, self.wanted)
        found = {**objects.gradients(layer, self.wanted), **found}
        found.update(self._updates(layer, before, found))
        if not moved.keys() & found.keys() and moved:
            found.update(_input_gradient(layer, next(iter(moved))))
        return found

    def _call_backward(self, layer, run, given, douts):
        method, forward = getattr(layer, self.function), getattr(layer, self.forward)
        outputs, rest = (run.rest[-1:], run.rest[:-1]) if self.loss else (run.outputs, run.rest)
        if self.feed == "dout by another name":
            return method(douts[0])
        feed = {"dout": douts, "input": list(given.values())[:1], "output": [_output(layer, self.title, outputs[0])]}[self.feed]
        arguments, keywords = binding.arguments(forward, method, outputs, rest, given, feed)
        returned = method(*arguments, **keywords)
        for name in dir(layer):
            if plain(name) in MORE_GRADIENTS and name != self.function:
                more = getattr(layer, name)
                arguments, keywords = binding.arguments(forward, more, outputs, rest, given, feed)
                returned = [returned, more(*arguments, **keywords)] if returned is not None else more(*arguments, **keywords)
        return returned

    def _updates(self, layer, before, found):
        """What an update inside backward took off the parameters, with a learning rate of 1."""
        after = dict(objects.arrays(layer))
        updates = {parameter.name: before[parameter.name] - after[parameter.paths[0]] for parameter in self.wanted
                   if parameter.name in before and parameter.name not in found and parameter.paths[0] in after}
        for name, update in updates.items():
            if update.shape[-before[name].ndim:] != before[name].shape:
                raise ValueError(f"{self.title}.{self.function} makes {name} of shape {before[name].shape} an array of shape "
                                 f"{update.shape}")
        self.updating = self.updating or any(np.nan_to_num(update).any() for update in updates.values())
        return {name: update for name, update in updates.items() if update.any() or self.updating}


def _sensible(parameter, generator):
    """Weights of about one over the root of their number of inputs, biases of a half, scales around one."""
    shape = parameter.array.shape
    drawn = generator.standard_normal(shape)
    if any(ROLE.get(key[-1]) == "gamma" for key in parameter.keys() if key):
        return 1 + 0.3 * drawn
    return drawn / max(1.0, np.prod(shape[1:]) ** 0.5 if len(shape) > 1 else 2.0)


def _output(layer, title, default=None):
    """Where forward returns nothing: self.output and the like."""
    names = [name for name in vars(layer) if plain(name) in OUTPUTS and isinstance(getattr(layer, name), (np.ndarray, float))]
    if names:
        return getattr(layer, min(names, key=lambda name: OUTPUTS[plain(name)]))
    if default is not None:
        return default
    raise NotChecked(f"{title} returns nothing and keeps no self.output: is `return` missing?")


def _input_gradient(layer, name):
    wanted = {plain(f"d{name}"), plain(f"grad_{name}"), plain(f"{name}_grad"), *INPUT_GRADIENTS}
    names = [one for one in vars(layer) if plain(one) in wanted and isinstance(getattr(layer, one), np.ndarray)]
    return {name: getattr(layer, min(names, key=lambda one: INPUT_GRADIENTS.get(plain(one), -1)))} if names else {}


def _returned(returned, moved, wanted):
    """{name: gradient} of what backward returned: dx, (dx, dW, db), (dx, [dW, db]), {"W": dW}."""
    if returned is None or isinstance(returned, bool):
        return {}
    if isinstance(returned, dict):
        found = objects.gradients({"grads": returned}, wanted)
        return {**found, **{name: value for key, value in returned.items() for name in moved
                            if plain(key) in (plain(name), plain(f"d{name}"), plain(f"grad{name}"))}}
    shapes = {**moved, **{parameter.name: parameter.array.shape for parameter in wanted}}
    flat = list(_flat(returned))
    several = returned if isinstance(returned, (tuple, list)) else ()
    dictionary = next((value for value in several if isinstance(value, dict)), None)
    found = _returned(dictionary, {}, wanted) if dictionary else {}
    if len(flat) == 1 and moved:
        return {**found, next(iter(moved)): flat[0]} if np.shape(flat[0]) == next(iter(moved.values())) or len(shapes) == 1 or \
            np.shape(flat[0]) not in shapes.values() else {**found, **_by_shape(flat, shapes)}
    return {**found, **_by_shape(flat, shapes)}


def _by_shape(flat, shapes):
    if len(flat) == len(shapes) and all(np.shape(value) == shape for value, shape in zip(flat, shapes.values())):
        return dict(zip(shapes, flat))
    found = {}
    for value in flat:
        name = next((name for name, shape in shapes.items() if name not in found and shape == np.shape(value)), None)
        if name is not None:
            found[name] = value
    return dict(zip(shapes, flat)) if len(flat) == len(shapes) and len(found) < len(flat) else found


def _flat(returned):
    if isinstance(returned, (tuple, list)):
        for value in returned:
            yield from _flat(value)
    elif isinstance(returned, (np.ndarray, float, np.floating)):
        yield returned
