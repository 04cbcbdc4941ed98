"""An object with forward and backward as the code that the checker asks: of its inputs and all its
parameters by name."""
import copy

import numpy as np

from .. import dialects
from ..called import binding
from ..called.gradients import Named, is_of_number
from ..called.numpy_code import Run, leaves
from ..names import name_words, plain, role, stem, stems_of_gradient
from ..reading.sources import is_made, names_returned, source
from . import objects
from .keeping import NotChecked, input_gradient, of_its_own, output_kept
from .returned import beside_weights, besides, by_input, in_shape, is_last, named_loss_first
from .steps import of_one_size

ROW = "dout as a row"  # of a cell that returns a vector


STEPPED = ("a step of equal size everywhere, as Adam does: the gradient cannot be told from it. "
           "Keep it in an attribute such as self.dW")


class Stepped(NotChecked):
    """Backward changes the parameters by a step from which no gradient can be told."""


class Layer:
    """An object with forward and backward. Each run works on a copy of the prototype with the
    parameters' values put in.

    targets: names of the inputs that backward gets, not forward; feed: what backward is given as
    dout; loss: what makes one number of the output and the target. wanted: the parameters; without:
    those that get no gradient; missed: {name: (shape, whether it is made as weights are)} of arrays
    that change the output, called like no parameter; updating: whether backward updates them.
    """

    def __init__(self, title, prototype, forward, function, targets):
        self.title, self.prototype = title, prototype
        self.forward, self.function = forward, function
        self.targets, self.feed, self.loss, self.several = targets, "dout", None, None
        self.earlier = None  # the inputs of a forward before each
        # {input: attribute} of what the constructor was given, too; where it keeps a target
        self.data, self.aim = {}, []
        self.returns = names_returned(getattr(prototype, forward))
        self.place = binding.place_of_output(  # of the output
            getattr(prototype, forward), function and getattr(prototype, function))
        self.built = {}  # what the constructor was given, as it is told
        self.given = set()  # the names to which backward gives a gradient
        # stepped: those whose step shows no gradient
        self.wanted, self.without, self.stepped, self.missed = [], [], [], {}
        self.updating, self.axes = False, 0

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
        return {one.name: np.asarray(objects.sensible(one.array.shape, generator, one.is_scale()))
                for one in self.wanted}

    def learn(self, values, built):
        """Find out which arrays are parameters: those that forward leaves alone and that get a
        gradient. built: what the constructor was given."""
        run, first = self.run(values), self.prototype
        self.built = {name: str(value) for name, value in built.items()
                      if isinstance(value, (int, float, str, tuple))}
        self.axes = np.ndim(run.outputs[0])
        data = [built[name] for name in built if role(name) in ("x", "labels") and values]
        candidates = [one for one in objects.parameters(self.prototype)
                      if not {*self.data.values(), *self.aim} & {path[0] for path in one.paths}
                      and not any(one.array is value for value in data)]
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
        candidates = [one for one in candidates if not one.is_named_like_a_gradient()
                      or self._is_used(one, values, run)]
        self.wanted, self.stepped = candidates, None
        found, self.stepped = self._first_gradients(values), self.stepped or []
        self.given = {*found}
        is_constant = getattr(self.prototype, "trainable", True) is False
        if self.updating:  # what forward does not use is a momentum
            candidates = [one for one in candidates if one.is_named_like_one()
                          or self._is_used(one, values, run)]
        candidates = [one for one in candidates if one.name not in self.stepped]
        if self.stepped and not found:
            raise Stepped(f"{self.title}.{self.function} changes {self.stepped[0]} by {STEPPED}")
        self.wanted = [parameter for parameter in candidates if parameter.is_named_like_one()
                       and self.updating or parameter.name in found
                       and (np.any(found[parameter.name]) or not (self.updating or is_constant))]
        if self.prototype is not first:
            self._forget(first)
        self.without = [parameter.name for parameter in candidates if parameter.name not in found
                        and parameter not in self.wanted and parameter.is_named_like_one()
                        and parameter.array.ndim]
        self.missed = {} if is_constant else self._missed(candidates, values, run)

    def _missed(self, candidates, values, run):
        """Arrays that change the output, called like no parameter: nothing is passed over in
        silence."""
        wanted = self.wanted
        others = [one for one in candidates if one not in wanted and one.name not in self.without
                  and one.array.ndim and role(one.name) not in ("labels", "x")
                  and (role(one.name) != "h" or len(one.name) == 1)  # a state as h0
                  and self._is_used(one, values, run)]
        self.wanted = wanted
        return {one.name: (one.array.shape, is_made(type(self.prototype), one.paths))
                for one in others}

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
        for self.feed in ("dout", "input", "output", "dout by another name", ROW):
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
        for name, attribute in self.data.items():
            setattr(layer, attribute, copy.deepcopy(given[name]))
        method = getattr(layer, self.forward)
        if self.earlier:
            method(**_without(self._given(copy.deepcopy(self.earlier)), self.targets))
        result = method(**_without(given, self.targets))
        if self.targets and isinstance(result, tuple) and is_last(
                self.returns, result) and not objects.is_every_layer(result, given):
            result = binding.to_front(result, len(result) - 1)
        if self.function is None or "labels" in map(role, given):
            result = binding.loss_first(named_loss_first(self.returns, result))
        if self.several is None:  # once: reading a signature takes longer than a small layer
            self.several = len(binding.names_of_dout(method, getattr(layer, self.function))
                               if self.function else [1])
        result = binding.output_first(result, self.place)
        if objects.is_every_layer(result, given):
            every = list(result) if isinstance(result, tuple) else [result]
            outputs, rest = [objects.last_of(result, self.returns)], every
        else:
            outputs, rest = binding.split(self.title, output_kept(
                layer, self.title, method=method) if result is None else result,
                max(self.several, 1))
        kept = {objects.label(path): array for path, array in objects.arrays(layer)}
        run = Run(outputs, rest, {**values}, layer, kept)
        if self.loss is None:
            return run
        targets = [value for name, value in {**given, **vars(layer)}.items()
                   if role(name) == "labels" or name in self.aim]
        if not (self.targets or targets):  # an autoencoder's is its input
            targets = [value for value in given.values() if np.shape(value) == np.shape(outputs[0])]
        target = given[self.targets[0]] if self.targets else next(iter(targets), None)
        return run._replace(outputs=[self.loss(outputs[0], target)], rest=[*rest, outputs[0]])

    def _given(self, values):
        """The inputs among them: what is no parameter."""
        return _without(values, [parameter.name for parameter in self.wanted])

    def file(self):
        """Where the code is written."""
        method = getattr(type(self.prototype), self.forward)
        return getattr(getattr(method, "begins", method), "__code__", None).co_filename

    def takes_dout(self, run):
        """Has backward a place for dout?"""
        if self.feed == "dout by another name":
            return np.ndim(run.outputs[0]) > 0
        if self.function is None or self.feed not in ("dout", ROW) or self.loss:
            return False
        method = getattr(run.state, self.function)
        if objects.inlets(run.state, method) and np.ndim(run.outputs[0]) > 0:
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
        returned = run.rest[0] if len(run.rest) == 1 else tuple(run.rest)
        is_one = not isinstance(returned, (dict, list, tuple)) and np.ndim(returned) == 0
        if self.function is not None or is_one:
            returned = self.function and self._call_backward(layer, run, given, douts)
            returned = beside_weights(returned, [
                array for path, array in objects.arrays(layer) for parameter in self.wanted
                if path in parameter.paths])
            if self.targets and self.wanted and isinstance(returned, (float, np.number)):
                returned = None  # a network that trains tells how well it did
        # one gradient of a loss is its prediction's; of several each has its place
        several = isinstance(returned, (tuple, list)) and len(returned) > 1
        order = sorted(given, key=lambda name: not several and role(name) == "labels")
        moved = {name: np.shape(value)
                 for name, (_, value) in leaves({name: given[name] for name in order}).items()
                 if binding.is_checked(value) and name not in self.targets}
        if isinstance(returned, tuple):
            words = names_returned(getattr(layer, self.function or self.forward))
            moved = {name: moved[name] for name in binding.in_their_order([*moved], words)}
        if self.feed == ROW and isinstance(returned, tuple):
            returned = tuple(one[0] if np.ndim(one) == 2 and len(one) == 1 else one
                             for one in returned)
        stored = objects.gradients(layer, self.wanted)
        if stored and all(np.all(one >= 0) for one in stored.values()) and any(
                not np.array_equal(array, before.get(one.name, array)) for one in self.wanted
                for path, array in objects.arrays(layer) if path == one.paths[0]):
            stored = {}  # of an update by AdaGrad: sums of squares
        by_name = isinstance(returned, dict)  # what is returned so counts, whatever is kept
        named = self._by_names(returned)
        rest = self._unnamed(returned, named) if self.function is None else returned
        found = by_input(besides(rest, stored), moved,
                          [one for one in self.wanted if by_name or one.name not in stored])
        shapes = {**moved, **{parameter.name: parameter.array.shape for parameter in self.wanted}}
        found.update(named)
        found = {**found, **{name: value for name, value in stored.items() if name not in found
                             or np.shape(found[name]) != shapes.get(name)}}
        found.update(self._updates(layer, before, found))
        if isinstance(returned, tuple) and len(returned) == len(given):
            found.update((name, value) for name, value in zip(given, returned)
                         if is_of_number(value, given[name]))
        if not moved.keys() & found.keys() and moved and not by_name:
            found.update(input_gradient(layer, next(iter(moved))))
        found.update((name, value) for name in moved for kept, value in vars(layer).items()
                     if name not in found and "prev" in name_words(name)  # self.grad_h_prev
                     and stem(name) in stems_of_gradient(kept) and isinstance(value, np.ndarray))
        return found

    def _by_names(self, returned):
        """{name: gradient} of a tuple of gradients that backward calls by their names, dw1, db1; of
        a list with a dictionary for each layer."""
        named = self._called_so(returned)
        odd = [one for one in self.wanted if np.size(named.get(one.name, one.array))
               != one.array.size]
        if len(odd) > 1 or any(min(one.array.shape, default=0) < 2 for one in odd):
            for one in odd:  # of one matrix alone another shape is a mistake
                del named[one.name]
        return named

    def _called_so(self, returned):
        if isinstance(returned, list) and any(isinstance(one, dict) for one in returned):
            like = {name: returned for name, value in vars(self.prototype).items()
                    if isinstance(value, list) and len(value) == len(returned)}
            return objects.gradients({"grads": like}, self.wanted)
        names = self._names(returned)
        return objects.gradients(dict(zip(names, returned)), self.wanted) if names else {}

    def _names(self, returned):
        """What each is called in its return statement, behind a loss; [] where it has none."""
        names = names_returned(getattr(self.prototype, self.function or self.forward))
        names = names[1:] if self.function is None else names
        return names if isinstance(returned, tuple) and len(names) == len(returned) else []

    def _unnamed(self, returned, named):
        """Of what stands beside a loss, with gradients by name, the others: dx, no hs[-1]."""
        return tuple(value for name, value in zip(self._names(returned), returned)
                     if stems_of_gradient(name) and not any(
                         value is one for one in named.values())) if named else returned

    def _call_backward(self, layer, run, given, douts):
        method, forward = getattr(layer, self.function), getattr(layer, self.forward)
        outputs, rest = (run.rest[-1:], run.rest[:-1]) if self.loss else (run.outputs, run.rest)
        if self.feed == "dout by another name":  # the penalty of weights has no dout
            return method(douts[0] if np.ndim(outputs[0]) else next(iter(given.values())))
        feed = {"dout": douts, ROW: list(map(np.atleast_2d, douts)),
                "input": list(given.values())[:1],
                "output": [output_kept(layer, self.title, outputs[0])]}[self.feed]
        for name in objects.inlets(layer, method) if self.feed == "dout" and not self.loss else ():
            setattr(layer, name, feed[0])
        more = [name for name in dir(layer) if plain(name) in dialects.MORE_GRADIENTS
                and name != self.function and f".{name}(" not in source(method)
                and f".{self.function}(" not in source(getattr(layer, name))]
        every, returned = [*rest, *outputs], []  # Z1, A1, Z2, A2
        named = self.targets and is_last(self.returns, every) and dict(zip(self.returns, every))
        for name in [self.function, *more]:
            given = {**of_its_own(layer, getattr(layer, name), forward), **(named or {}),
                     **given}
            arguments, keywords = binding.arguments(forward, getattr(layer, name), outputs, rest,
                                                    given, feed)
            one = in_shape(getattr(layer, name)(*arguments, **keywords), self.wanted)
            returned += [] if one is None else [one]
        return returned[0] if len(returned) == 1 else returned

    def _updates(self, layer, before, found):
        """What an update inside backward took off the parameters, with a learning rate of 1."""
        after = dict(objects.numbers(layer))
        updates = {parameter.name: before[parameter.name] - after[parameter.paths[0]]
                   for parameter in self.wanted if parameter.name in before
                   and parameter.name not in found and parameter.paths[0] in after}
        for name, update in updates.items():
            if update.shape[-before[name].ndim:] != before[name].shape:
                raise ValueError(f"{self.title}.{self.function} makes {name} of shape "
                                 f"{before[name].shape} an array of shape {update.shape}")
        self.stepped = of_one_size(updates) if self.stepped is None else self.stepped
        self.updating = self.updating or any(np.nan_to_num(update).any()
                                             for update in updates.values())
        return {name: update for name, update in updates.items()
                if name not in (self.stepped or ()) and (update.any() or self.updating)}


def _without(values, names):
    return {name: value for name, value in values.items() if name not in names}
