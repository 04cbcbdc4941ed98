"""An object with forward and backward as the code that the checker asks: of its inputs and all its
parameters by name."""
import copy

import numpy as np

from ..gradcheck import binding, dialects
from ..gradcheck.dialects import DOUT, OUTPUTS, plain, role, stem, stems_of_gradient
from ..gradcheck.gradients import Named, is_of_number
from ..gradcheck.numpy_code import Run, leaves
from . import objects


class NotChecked(Exception):
    """It looks like a layer, but cannot be checked; the message says why."""


class Layer:
    """An object with forward and backward. Each run works on a copy of the prototype with the
    parameters' values put in.

    targets: names of the inputs that backward gets, not forward; feed: what backward is given as
    dout; loss: what makes one number of the output and the target. wanted: the parameters; without:
    those that get no gradient; updating: whether backward updates them.
    """

    def __init__(self, title, prototype, forward, function, targets):
        self.title, self.prototype, self.forward, self.function = (title, prototype, forward,
                                                                   function)
        self.targets, self.feed, self.loss = targets, "dout", None
        self.built = {}  # what the constructor was given, as it is told
        self.wanted, self.without, self.updating, self.returns_number = [], [], False, True

    def read(self, feed, loss):
        """The same object, read in another way."""
        other = copy.copy(self)
        other.feed, other.loss = feed, loss
        return other

    def bare(self):
        """The same object without parameters: as it was made."""
        return Layer(self.title, self.prototype, self.forward, self.function, self.targets)

    def backward_of(self, run):
        """The method itself, of the object that ran."""
        return getattr(run.state, self.function)

    def values(self):
        """{name: drawn value} of the parameters: random, whatever the constructor chose."""
        generator = np.random.default_rng(7)
        return {parameter.name: sensible(parameter.array.shape, generator, parameter.is_scale())
                for parameter in self.wanted}

    def learn(self, values, built):
        """Find out which arrays are parameters: those that forward leaves alone and that get a
        gradient. built: what the constructor was given."""
        run, first = self.run(values), self.prototype
        self.built = {name: str(value) for name, value in built.items()
                      if isinstance(value, (int, float, str, tuple))}
        self.returns_number = np.ndim(run.outputs[0]) == 0
        candidates = objects.parameters(self.prototype)
        for parameter in candidates:  # its argument's name is one of its own, too
            parameter.paths += [(name,) for name, array in built.items()
                                if array is parameter.array]
        if not candidates and objects.parameters(run.state):  # made at the first forward
            self.prototype = objects.clone(run.state)
            candidates = [one for one in objects.parameters(self.prototype)
                          if self._is_used(one, values, run)]
            self.prototype = self.prototype if candidates else first
        keys = {key for parameter in candidates for key in parameter.keys()}
        candidates = [parameter for parameter in candidates if self._survives(parameter, values)
                      and not any(key in keys for path in parameter.paths
                                  for key in objects.keys_of_gradient(path))]
        self.wanted = candidates
        found = self._first_gradients(values)
        is_constant = getattr(self.prototype, "trainable", True) is False
        self.wanted = [parameter for parameter in candidates if parameter.is_named_like_one()
                       and self.updating or parameter.name in found
                       and (np.any(found[parameter.name]) or not (self.updating or is_constant))]
        if self.prototype is not first:
            self._forget(first)
        self.without = [parameter.name for parameter in candidates if parameter.name not in found
                        and parameter not in self.wanted and parameter.is_named_like_one()]

    def _forget(self, first):
        """Of the first forward, which made the weights, keep no lists of inputs and outputs."""
        kept = {path[0] for parameter in self.wanted for path in parameter.paths}
        for name, value in vars(first).items():
            now = getattr(self.prototype, name, None)
            if name in kept or plain(name) in dialects.OF_GRADIENTS:
                continue
            if isinstance(value, list):
                setattr(self.prototype, name, copy.deepcopy(value))
            elif isinstance(now, dict):
                now.update((key, []) for key, one in now.items() if isinstance(one, list))

    def _first_gradients(self, values):
        """What one backward gives, fed with whatever it takes."""
        first = None
        for self.feed in ("dout", "input", "output", "dout by another name"):
            run = self.run(values)
            douts = [np.random.default_rng(5).standard_normal(np.shape(output))
                     for output in run.outputs]
            try:
                return self._found(run, douts)
            except NotImplementedError:
                raise
            except Exception as error:
                first = first or error
            finally:
                self.feed = "dout"
        raise first

    def _is_used(self, parameter, values, run):
        """Does the output change with this array? Not with one that forward keeps of an earlier
        call."""
        self.wanted = [parameter]
        changed = np.random.default_rng(3).uniform(0.5, 1, parameter.array.shape)
        try:
            outputs = self.run({**values, parameter.name: changed}).outputs
        except Exception:
            return True
        return not all(map(np.array_equal, outputs, run.outputs))

    def _survives(self, parameter, values):
        """Does forward leave this array alone? One that it overwrites is no parameter."""
        changed = np.random.default_rng(3).uniform(0.5, 1, parameter.array.shape)
        copied = objects.clone(self.prototype, {id(parameter.array): changed})
        try:
            getattr(copied, self.forward)(**_without(values, self.targets))
        except Exception:
            return True
        after = dict(objects.arrays(copied)).get(parameter.paths[0])
        return after is not None and np.array_equal(after, changed)

    # ------------------------------------------------------------------------ the methods of a code

    def run(self, values):
        """A Run of forward on a fresh copy."""
        new = {id(parameter.array): values[parameter.name]
               for parameter in self.wanted if parameter.name in values}
        layer, given = objects.clone(self.prototype, new), self._given(values)
        method = getattr(layer, self.forward)
        result = method(**_without(given, self.targets))
        if self.function is None or "labels" in map(role, given):
            result = binding.loss_first(result)
        several = len(binding.names_of_dout(method,
                                            getattr(layer, self.function))) if self.function else 1
        outputs, rest = binding.split(self.title, _output(layer, self.title) if result is None
                                      else result, max(several, 1))
        kept = {objects.label(path): array for path, array in objects.arrays(layer)}
        run = Run(outputs, rest, {**values}, layer, kept)
        if self.loss is None:
            return run
        targets = [value for name, value in {**given, **vars(layer)}.items()
                   if role(name) == "labels"]
        target = given[self.targets[0]] if self.targets else next(iter(targets), None)
        return run._replace(outputs=[self.loss(outputs[0], target)], rest=[*rest, outputs[0]])

    def _given(self, values):
        """The inputs among them: what is no parameter."""
        return _without(values, [parameter.name for parameter in self.wanted])

    def file(self):
        """Where the code is written."""
        return getattr(getattr(type(self.prototype), self.forward), "__code__", None).co_filename

    def takes_dout(self, run):
        """Has backward a place for dout?"""
        if self.feed == "dout by another name":
            return np.ndim(run.outputs[0]) > 0
        if self.function is None or self.feed != "dout" or self.loss:
            return False
        method = getattr(run.state, self.function)
        if _inlets(run.state, method) and np.ndim(run.outputs[0]) > 0:
            return True
        return binding.takes_dout(getattr(run.state, self.forward), method, run.outputs, run.rest)

    def backward(self, run, douts):
        """Gradients by name."""
        found = self._found(run, douts)
        if not found:
            raise NotChecked(f"{self.title}.{self.function} gives no gradient: none is returned, "
                             "and none is in self.dx, self.dinputs, self.dW, "
                             "self.grads or the like")
        return Named(found)

    def _found(self, run, douts):
        layer, given = run.state, self._given(run.inputs)
        before = {parameter.name: array.copy() for parameter in self.wanted
                  for path, array in objects.arrays(layer) if path == parameter.paths[0]}
        returned = run.rest[0] if len(run.rest) == 1 else run.rest
        if self.function is not None or np.ndim(returned) == 0 and not isinstance(returned, dict):
            returned = self.function and self._call_backward(layer, run, given, douts)
        # one gradient of a loss is its prediction's
        order = sorted(given, key=lambda name: role(name) == "labels")
        moved = {name: np.shape(value)
                 for name, (_, value) in leaves({name: given[name] for name in order}).items()
                 if binding.is_checked(value) and name not in self.targets}
        found = _returned(returned, moved, self.wanted)
        shapes = {**moved, **{parameter.name: parameter.array.shape for parameter in self.wanted}}
        stored = objects.gradients(layer, self.wanted)
        found = {**found, **{name: value for name, value in stored.items()
                             if np.shape(found.get(name)) != shapes.get(name)}}
        found.update(self._updates(layer, before, found))
        if isinstance(returned, tuple) and len(returned) == len(given):
            found.update((name, value) for name, value in zip(given, returned)
                         if is_of_number(value, given[name]))
        if not moved.keys() & found.keys() and moved:
            found.update(_input_gradient(layer, next(iter(moved))))
        return found

    def _call_backward(self, layer, run, given, douts):
        method, forward = getattr(layer, self.function), getattr(layer, self.forward)
        outputs, rest = (run.rest[-1:], run.rest[:-1]) if self.loss else (run.outputs, run.rest)
        if self.feed == "dout by another name":  # the penalty of weights has no dout
            return method(douts[0] if np.ndim(outputs[0]) else next(iter(given.values())))
        feed = {"dout": douts, "input": list(given.values())[:1],
                "output": [_output(layer, self.title, outputs[0])]}[self.feed]
        for name in _inlets(layer, method) if self.feed == "dout" and not self.loss else ():
            setattr(layer, name, feed[0])
        more = [name for name in dir(layer) if plain(name) in dialects.MORE_GRADIENTS
                and name != self.function]
        returned = []
        for name in [self.function, *more]:
            arguments, keywords = binding.arguments(forward, getattr(layer, name), outputs, rest,
                                                    given, feed)
            one = getattr(layer, name)(*arguments, **keywords)
            returned += [] if one is None else [one]
        return returned[0] if len(returned) == 1 else returned

    def _updates(self, layer, before, found):
        """What an update inside backward took off the parameters, with a learning rate of 1."""
        after = dict(objects.arrays(layer))
        updates = {parameter.name: before[parameter.name] - after[parameter.paths[0]]
                   for parameter in self.wanted if parameter.name in before
                   and parameter.name not in found and parameter.paths[0] in after}
        for name, update in updates.items():
            if update.shape[-before[name].ndim:] != before[name].shape:
                raise ValueError(f"{self.title}.{self.function} makes {name} of shape "
                                 f"{before[name].shape} an array of shape {update.shape}")
        self.updating = self.updating or any(np.nan_to_num(update).any()
                                             for update in updates.values())
        return {name: update for name, update in updates.items() if update.any() or self.updating}


def _without(values, names):
    return {name: value for name, value in values.items() if name not in names}


def sensible(shape: tuple[int, ...], generator: np.random.Generator,
             is_scale: bool = False) -> np.ndarray:
    """Weights of about one over the root of their number of inputs, biases of a half, scales around
    one."""
    drawn = generator.standard_normal(shape)
    return 1 + 0.3 * drawn if is_scale else drawn / max(1.0, np.prod(shape[1:]) ** 0.5
                                                        if len(shape) > 1 else 2.0)


def _output(layer, title, default=None):
    """Where forward returns nothing: self.output and the like."""
    names = [name for name, value in vars(layer).items() if plain(name) in OUTPUTS
             and isinstance(value, (np.ndarray, float)) or "loss" in name
             and isinstance(value, float)]
    if names:
        return getattr(layer, min(names, key=lambda name: (role(name) == "labels",
                                                           OUTPUTS.get(plain(name), 99))))
    if default is not None:
        return default
    raise NotChecked(f"{title} returns nothing and keeps no self.output: is `return` missing?")


def _inlets(layer, backward):
    """Where backward() without arguments finds dout: in an attribute such as dA, still None, of an
    output A."""
    if any(p.kind in binding.POSITIONAL for p in binding.signature(backward)):
        return []
    return [name for name, value in vars(layer).items() if value is None and any(
        one in OUTPUTS for one in stems_of_gradient(name))]


def _input_gradient(layer, name):
    wanted = {plain(f"d{name}"), plain(f"grad_{name}"), plain(f"{name}_grad"),
              *dialects.INPUT_GRADIENTS}
    names = [one for one in vars(layer) if plain(one) in wanted
             and isinstance(getattr(layer, one), np.ndarray)]
    return {name: getattr(layer, min(
        names, key=lambda one: dialects.INPUT_GRADIENTS.get(plain(one), -1)))} if names else {}


def _returned(returned, moved, wanted):
    """{name: gradient} of what backward returned: dx, (dx, dW, db), (dx, [dW, db]), {"W": dW}."""
    if returned is None or isinstance(returned, bool):
        return {}
    if isinstance(returned, dict):
        found = objects.gradients({"grads": returned}, wanted)
        return {**found, **{name: value for key, value in returned.items() for name in moved
                            if plain(key) == plain(name) or stem(name) in stems_of_gradient(key) or
                            len(moved) == len(returned) == 1 and DOUT.search(key)}}
    shapes = {**moved, **{parameter.name: parameter.array.shape for parameter in wanted}}
    dictionaries = [value for value in returned
                    if isinstance(value, dict)] if isinstance(returned, (tuple, list)) else []
    found = _returned(dictionaries[0], {}, wanted) if dictionaries else {}
    flat = list(_flat(returned))
    if len(flat) == 1 and moved:  # the input's, unless only a parameter has that shape
        name, shape = next(iter(moved.items()))
        if (np.shape(flat[0]) == shape or len(shapes) == 1
            or np.shape(flat[0]) not in shapes.values()):
            return {**found, name: flat[0]}
    return {**found, **_by_shape(flat, shapes)}


def _by_shape(flat, shapes):
    if len(flat) == len(shapes) and all(np.shape(value) == shape
                                        for value, shape in zip(flat, shapes.values())):
        return dict(zip(shapes, flat))
    found = {}
    for value in flat:
        name = next((name for name, shape in shapes.items() if name not in found
                     and shape == np.shape(value)), None)
        if name is not None:
            found[name] = value
    return dict(zip(shapes, flat)) if len(flat) == len(shapes) and len(found) < len(flat) else found


def _flat(returned):
    if isinstance(returned, (tuple, list)):
        for value in returned:
            yield from _flat(value)
    elif isinstance(returned, (np.ndarray, float, np.floating)):
        yield returned
