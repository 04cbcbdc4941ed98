"""What is there to check in a student's file?

    NAME_forward, NAME_backward      out, cache = conv_forward(x, w, b);  dx, dw, db =
                                     conv_backward(dout, cache)
    forward, backward                the same, and so conv_forward_naive, conv_backward_naive,
                                     conv_backward_alt
    NAME, NAME_backward              y = relu(x);  dx = relu_backward(dy, x)
    NAME, NAME_prime                 f and its derivative; NAME(x, deriv=False)
    a function that returns both     loss, dx = softmax_loss(x, y)
    a class                          forward and backward of one object, by any name in
                                     dialects.txt; static methods
    a scalar engine                  a Value with operators and backward()
    a Function or a Module           of the engine: a class of the file, or an object at its top
                                     level

Only what the file itself defines. What looks like a layer but is none of these is "skipped".
"""
import ast
import inspect
import re
import sys
import types

from ..nn import Module
from ..tensor import Function
from . import guessing, instead, pairing, unseen
from .called import binding
from .dialects import BACKWARD, BASES, DERIVATIVE, FORWARD, TESTS
from .forms import alone, deep, engines, nodes, units
from .forms.keeping import as_function, unbegun
from .forms.layers import NotChecked
from .forms.renaming import spread
from .found import Found, Known, NothingFound
from .names import CACHE, DOUT, name_words, plain, role
from .reading import changes
from .reading.files import known, load
from .reading.sources import is_bare, is_empty, is_free, is_unwritten, source
from .valued import fills_gradients, returns_gradients

__all__ = ["Found", "NothingFound", "chosen", "everything", "like", "load"]


def everything(module: types.ModuleType) -> list[Found]:
    """[Found, ...] in the order of the file. Raises NothingFound when there is nothing."""
    if isinstance(module, Known):
        return module.found
    found = instead.with_steps(unseen.with_the_rest(module, anything(module)), module)
    found += unseen.training(module, found)
    if all(item.kind == "skipped" for item in found):
        reasons = "".join(f"; {item.title}" for item in found)
        raise NothingFound(f"{unseen.NOTHING}{reasons}")
    return found


def anything(module: types.ModuleType) -> list[Found]:
    """The same of a file that may hold nothing to check."""
    if isinstance(module, Known):
        return module.found
    names = {**getattr(module, "__earlier__", {}), **known(module)}
    names, own = dict(_with_inner({name: value for name, value in names.items()
                                   if not name.startswith("__")}, module)), {}
    for name, value in names.items():
        # MSE = MeanSquaredError is the same
        if is_own(value, module) and value not in own.values():
            own[name] = value
    graph = [Found(name, *both, "pair", name) for name, *both in nodes.registered(own)]
    own = {name: value for name, value in own.items() if not nodes.drives(value, bool(graph))
           and value not in [inspect.unwrap(item.backward) for item in graph]}
    pairs = {forward: [Found(bare, names[forward], own[backward], kind, backward,
                             tuple(names[loss] for loss in losses))
                       for bare, kind, backward, losses in items]
             for forward, items in pairing.pairs(own, names).items()}
    used = pairs.keys() | {item.title for items in pairs.values() for item in items}
    found = graph + [item for name, value in names.items()
             for item in pairs.get(name) or (() if name in used else _alone(name, value, own))]
    engine = [item.backward.__name__ for item in found if item.kind == "engine"
              and callable(item.backward)]  # checked with its class
    return guessing.with_guesses([item for item in found if item.kind == "engine" or
                                  item.title.partition(":")[0] not in engine], own, module)


def _alone(name, value, own):
    """[Found] of what belongs to no pair."""
    is_layer = isinstance(value, (Function, Module)) or inspect.isclass(value) and issubclass(
        value, (Function, Module))
    if is_layer and (name in own or not inspect.isclass(value)):
        return [Found(name, value, None, "layer", name)]
    if name in own and inspect.isclass(value):
        found = _in_class(name, value, own)
        return found + [second for item in found for second in pairing.seconds(item)]
    if name in own and returns_gradients(name, value) and not deep.asked(value):
        return [Found(name, spread(value), None, "loss", name)]
    if name in own and re.search(r"^\s+def _?backward\(\)", source(value), re.MULTILINE):
        return [Found(name, value, None, "skipped", f"{name}: its gradient is in a function inside "
                      "it, which only the engine that it is written for can call")]
    is_backward = name in own and inspect.isroutine(value) and not units.trains(value)
    if is_backward and (both := pairing.with_flag(name, value)):
        return both
    stems = list(pairing.stems(name)) if is_backward else []
    if stems and alone.kind_of(value):
        bare = stems[0][0] if stems[0][0] != "forward" else name
        return [Found(bare, alone.forward_of(value), value, "usual", name)]
    if any(kind == "pair" for _, kind in stems):
        return [Found(name, value, None, "skipped",
                      f"{name}: the file has no forward that goes with it: hand in both, "
                      "or give a file that has it with --like")]
    return []


def _with_inner(names, module):
    """Yields (name, value), and of classes those that stand in them: ("Activation.ReLU", …)."""
    for name, value in names.items():
        yield name, value
        if inspect.isclass(value) and is_own(value, module):
            yield from _with_inner({f"{name}.{inner}": one for inner, one in vars(value).items()
                                    if inspect.isclass(one) and one.__qualname__
                                    == f"{value.__qualname__}.{inner}"}, module)


def is_own(value: object, module: types.ModuleType) -> bool:
    """Is this function or class defined in this file? What was imported is another's."""
    return (inspect.isfunction(value)
            or inspect.isclass(value)) and value.__module__ == module.__name__


# ------------------------------------------------------------------------------------------ classes


def _in_class(name, cls, own):
    """[Found] of a class: its forward and backward by their names, a network's loss with gradients,
    or a scalar engine."""
    methods = _written(cls, own)
    backward = _best(methods, BACKWARD) or _best(methods, DERIVATIVE)
    both = _with_gradients(cls, methods, backward, own)
    if not backward and (begins := engines.begins(cls, methods, own)) is not None:
        return [Found(name, cls, begins, "engine", name)]
    if plain(backward or "") in DERIVATIVE and backward in both or (
            backward == "gradient_descent" and not _takes_activations(methods[backward])):
        backward = None  # it goes forward, too, or it trains
    of_weights = None if both else pairing.of_weights(cls, methods)
    if of_weights and " = None\n" not in source(cls.__init__):
        return [Found(name, cls, of_weights, "class", name)]
    if not both and not _best(methods, BACKWARD) and (
            step := units.of_class(cls, methods, any_name=not backward)
            ) and not guessing.follows(cls, step[0]):
        return _that_trains(name, cls, step, of_weights)
    if not backward and not both:
        others = _pairs_of_methods(name, cls)
        if not (pair := pairing.of_attributes(cls, methods, unbegun(cls) is None)):
            return others
        return [*(item for item in others if item.kind != "skipped"
                  and not re.search(rf"\b{pair[1]}\(", source(item.backward))),
                Found(name, cls, pair, "class", f"{name}.{pair[1]}")]
    if issubclass(cls, BaseException) or _is_interface(cls, backward, own):
        return []
    if backward and {"__add__", "__mul__"} & methods.keys():
        return [Found(name, cls, backward, "engine", name)]
    forward = _forward_of(cls, methods, backward)
    if not backward or not forward and both:
        return [Found(name if len(both) == 1 else f"{name}.{method}", cls, (method, None), "class",
                      f"{name}.{method}") for method in both]
    if (forward and "__init__" not in methods
        and binding.arguments_of(methods[forward]) == ["self"]):  # Relu.forward(x)
        return [Found(name, methods[forward], methods[backward], "derivative", name)]
    if forward and is_bare(methods[forward]) and is_bare(methods[backward]):
        return [Found(name, methods[forward], methods[backward], pairing.kind_of(backward), name)]
    if not forward:
        return _without_forward(name, cls, backward)
    if both := nodes.both(cls, forward, backward):
        return [Found(name, *both, "pair", name)]
    if nodes.is_leaf(cls, forward, backward):
        return []
    slopes = [item for item in _pairs_of_methods(name, cls, free=not inspect.isabstract(cls))
              if item.kind == "derivative" and all(map(is_free, (item.forward, item.backward)))
              and (item.title != f"{name}.{backward}" or unbegun(cls) is None)]
    return [*slopes, Found(name, cls, (forward, backward), "class", name)]


def _that_trains(name, cls, step, of_weights):
    """[Found] of a class that trains itself: its pairs of methods, and one step, which is another
    way to check those that it calls."""
    whole = Found(name, step[1], kind="step", title=f"{name}.{step[0]} trains by itself: hand in a "
                  "class with forward and backward, or functions")
    used = {one for part in step[1].body for one in changes.called(part)}
    found = [item._replace(kind="either", others=(item, whole)) if item.kind == "pair"
             and item.title.rpartition(".")[2] in used else item
             for item in _pairs_of_methods(name, cls) if item.kind != "skipped"
             and not (of_weights and item.title == f"{name}.{of_weights[1]}")]
    return found + [whole] * all(item.kind != "either" for item in found)


def _with_gradients(cls, methods, backward, own):
    """The methods that return a loss with its gradients; none that is left to classes below."""
    found = [method for method in methods if returns_gradients(method, getattr(cls, method)) or
             {"loss", "gradients"} <= set(name_words(method)) or not backward
             and plain(method) in FORWARD and fills_gradients(getattr(cls, method))]
    return [method for method in found if not is_empty(methods[method]) or not any(
        method in vars(other) for other in _below(cls, own))]


def _without_forward(name, cls, backward):
    """[Found] of a class with a backward alone: that, where there is a usual forward; or the
    functions that its get_gradient(name) looks up."""
    if re.search(rf"def __call__(?:(?!\bdef ).)*\b{name}\(", source(sys.modules[cls.__module__]),
                 re.DOTALL):
        return []  # what the functions of an engine take
    if (lone := as_function(cls, backward)) and alone.kind_of(lone):
        return [Found(name, alone.forward_of(lone), lone, "usual", f"{name}.{backward}")]
    return [item for item in _pairs_of_methods(name, cls) if item.kind != "skipped"
            and item.title != f"{name}.{backward}"] or [
        Found(name, cls, None, "skipped", f"{name}: it has {backward}, "
              "but no forward (or fprop, __call__ …)")]


def _written(cls, own):
    """{name: method} of a class, without those that are left abstract where it has a forward and
    a gradient that need none of them, and no class below it: then it can be made."""
    methods = {method: value for base in reversed(cls.__mro__[:-1])
               for method, value in vars(base).items() if callable(getattr(cls, method, None))
               and not inspect.isclass(value)}
    left = getattr(cls, "__abstractmethods__", frozenset())
    rest = {name: value for name, value in methods.items() if name not in left}
    needed = re.search(rf"\bself\.({'|'.join(left)})\b", source(cls)) if left else None
    both = _best(rest, FORWARD), _best(rest, BACKWARD) or _best(rest, DERIVATIVE)
    if not left or needed or None in both or _below(cls, own):
        return methods
    cls.__abstractmethods__ = frozenset()
    return rest


def _below(cls, own):
    """The file's classes that are made from this one."""
    return [other for other in own.values() if inspect.isclass(other) and other is not cls
            and cls in other.__mro__]  # a Protocol answers no issubclass


def _takes_activations(method):
    """gradient_descent(self, X, Y, A, alpha) is one step after a forward, and no training."""
    names = [plain(p.name) for p in binding.signature(method)]
    return any(name.rstrip("0123456789") in ("a", *CACHE) for name in names)


def _pairs_of_methods(name, cls, free=False):
    """[Found] of methods that belong together, as functions would: relu and relu_backward, static,
    of an object that is made of nothing, or, free, that use nothing of theirs."""
    thing = unbegun(cls)
    written = {method: value for method, value in vars(cls).items() if not method.startswith("__")
               and callable(getattr(cls, method)) and hasattr(value, "__get__")}
    bare = object.__new__(cls) if free else thing
    methods = {method: value.__get__(bare if is_free(value) else thing, cls)
               for method, value in written.items()}
    methods = {method: value for method, value in methods.items()
               if inspect.ismethod(value) or isinstance(written[method], staticmethod)}
    found = [Found(f"{name}.{bare}", methods[forward], methods[backward], kind,
                   f"{name}.{backward}", tuple(methods[loss] for loss in losses),
                   thing if any(getattr(methods[one], "__self__", None) is thing
                                for one in (forward, backward, *losses)) else None)
             for forward, items in pairing.pairs(methods, methods).items()
             for bare, kind, backward, losses in items if kind != "network"]
    checked = {item.title for item in found}
    return found + [Found(f"{name}.{method}", cls, None, "skipped", f"{name}.{method}: it has no "
                          "forward that goes with it, or its object cannot be made of nothing: "
                          "hand in a class with forward and backward, or functions")
                    for method in written if f"{name}.{method}" not in checked
                    and any(kind == "pair" for _, kind in pairing.stems(method))
                    and (checked or _gives_gradients(getattr(cls, method)))]


def begin(found: Found) -> None:
    """Run the constructor of the object whose methods are to be checked. Raises NotChecked."""
    try:
        if found.thing is not None:
            found.thing.__init__()
    except (Exception, SystemExit) as error:
        name = type(found.thing).__name__
        raise NotChecked(f"{found.title}: {name}() fails with {type(error).__name__}: {error}. "
                         "Hand in a class that can be made of nothing, or functions") from error


def _gives_gradients(method):
    """A layer's backward takes dout, a cache or data, and returns something; move_backward(self,
    distance) does not."""
    names = binding.arguments_of(method)
    return any(DOUT.search(name) or plain(name) in CACHE or role(name) for name in names) and any(
        node.value for node in binding.nodes(method, ast.Return))


def _best(methods, table):
    known = [method for method, value in methods.items() if plain(method) in table
             and not units.trains(value)]
    return min(known, key=lambda method: table[plain(method)], default=None)


def _forward_of(cls, methods, backward):
    """By its name, or what the file calls before its backward."""
    return _loss_of(methods, backward) or _best(methods, FORWARD) or (
        backward and guessing.forward_of(cls, backward))


def _loss_of(methods, backward):
    """Of loss(X, y) and gradients(X, y) the loss, whatever else is called forward."""
    asked, *others = map(binding.arguments_of, map(methods.get, (backward, *methods)))
    same = [name for name, given in zip(methods, others) if name != backward
            and given == asked and "loss" in name_words(name)
            and not {*TESTS, *DERIVATIVE} & {*name_words(name)}]
    # or, of an autoencoder, loss(x) and backward(x)
    return same[0] if any(role(name) in ("labels", "x") for name in asked) and same else None


def _is_interface(cls, backward, own):
    """A base class that leaves its methods to others."""
    below = _below(cls, own)
    is_base = plain(cls.__name__) in BASES
    if backward and (is_base or any(getattr(other, backward) is getattr(cls, backward)
                                    for other in below)) and _leaves_open(cls, below):
        return True  # it is checked where it is used
    empty = backward and is_empty(getattr(cls, backward))
    says_nothing = cls.__base__ in own.values() and all(
        name.startswith(("__", "_abc")) and not callable(value)
        for name, value in vars(cls).items())
    inherited = backward not in vars(cls) or "input" in name_words(cls.__name__)
    return (says_nothing or inspect.isabstract(cls)
            or empty and (bool(below) or is_base or inherited))


def _leaves_open(cls, below):
    """Does it use what only the classes below define: methods that are empty here, or attributes
    that are not there at all?"""
    used = set(re.findall(r"\bself\.([A-Za-z_]\w*)", source(cls)))
    made = set(re.findall(r"\bself\.([A-Za-z_]\w*)(?=[^=\n()]*=[^=])", source(cls)))
    for name in used - made:
        here = getattr(cls, name, None)
        if here is None or inspect.isfunction(here) and is_empty(here):
            if not below and here or any(
                    name in vars(other) or re.search(rf"\bself\.{name}\b", source(other))
                    for other in below):
                return True
    return _best(vars(cls), FORWARD) is None and not {"__add__", "__mul__"} & {*vars(cls)}


def unwritten(found: Found) -> str:
    """The method that is still a template's, or both functions; "" where there is none."""
    if found.kind == "pair" and is_unwritten(found.forward) and is_unwritten(found.backward):
        return found.title
    left = [f"{found.name}.{name}" for name in (found.backward if found.kind == "class" else ())
            if name and is_unwritten(getattr(found.forward, name))]
    return left[0] if left else ""


# ------------------------------------------------------------------------------------------ by name


def chosen(module: types.ModuleType, names: list[str]) -> list[Found]:
    """[Found] for what stands after the colon: FILE:forward,backward, FILE:conv for a pair,
    FILE:Layer. Raises NothingFound."""
    name, *backward = names
    found = [] if backward else [item for item in anything(module)
                                 if name in (item.name, item.title,
                                             getattr(item.forward, "__name__", None))]
    if found:
        return found
    functions = [getattr(module, name, None) for name in names]
    for function, wanted in zip(functions, names):
        if not callable(function):
            raise NothingFound(f"it defines no {wanted}")
    if backward:
        kind = pairing.kind_of(*backward)
        return [Found(name.removesuffix("_forward"), *functions, kind, *backward)]
    return [Found(name, *functions, None, "loss", name)]  # loss, dx = my_loss(x, y)


def like(module: types.ModuleType, theirs: Found) -> Found:
    """What a student's module has for one Found of the teacher's: the same, or what is missing.
    Where the student hands in backward alone, the teacher's forward is taken."""
    kind = theirs.others[0].kind if theirs.kind == "either" and theirs.others else theirs.kind
    same = [item for item in anything(module) if item.name == theirs.name and item.kind == kind]
    names = vars(module)
    if same:
        return same[0]
    if theirs.kind in ("pair", "derivative"):
        forward, backward = theirs.forward.__name__, theirs.title
        if callable(names.get(backward)):
            return Found(theirs.name, names.get(forward, theirs.forward), names[backward],
                         theirs.kind, backward)
        return Found(theirs.name, names.get(forward), None, "missing",
                     backward if forward in names else forward)
    return Found(theirs.name, None, None, "missing", theirs.title)
