"""What is there to check in a student's file?

    NAME_forward, NAME_backward      out, cache = conv_forward(x, w, b);  dx, dw, db =
                                     conv_backward(dout, cache)
    forward, backward                the same, and so conv_forward_naive, conv_backward_naive,
                                     conv_backward_alt
    NAME, NAME_backward              y = relu(x);  dx = relu_backward(dy, x)
    NAME, NAME_prime                 f and its derivative
    a function that returns both     loss, dx = softmax_loss(x, y)
    a class                          forward and backward of one object, by any name in
                                     dialects.txt; static methods
    a scalar engine                  a Value with operators and backward()
    a Function or a Module           of the engine: a class of the file, or an object at its top
                                     level

Only what the file itself defines. What looks like a layer and is none of these is Found, too, as
"skipped", with the reason.
"""
import ast
import inspect
import re
import types
from typing import NamedTuple

from ..gradcheck import binding
from ..gradcheck.dialects import (
    BACKWARD,
    BASES,
    DERIVATIVE,
    FORWARD,
    LOSSES,
    NO_LAYER,
    OF_GRADIENTS,
    PARAMETERS,
    TESTS,
    TRIMMED,
    name_words,
    plain,
    role,
    stem,
)
from ..nn import Module
from ..tensor import Function
from .files import load
from .sources import is_empty, source, source_tree

__all__ = ["Found", "NothingFound", "chosen", "everything", "like", "load"]


REDUCING = {"mean", "sum", "average", "norm", "std", "var", "float", "item", "max", "abs"}
GRADIENT_NAME = r"d[A-Z]\w*|d[a-z]|d_\w+|grads?\w*|\w+_grads?"  # what is returned beside a loss


class NothingFound(Exception):
    """The file holds nothing that can be checked, or not what was asked for."""


class Found(NamedTuple):
    """Something to check. kind: "pair", "loss" (forward returns the gradient, too), "derivative"
    (backward may be f'), "network" (the loss is a third function), "class" (forward is the class,
    backward the names of its two methods), "engine", "layer" (a Function or a Module), "missing"
    (one of the two functions is not there; `title` names it) or "skipped" (`title` says why)."""

    name: str
    forward: object
    backward: object = None
    kind: str = "pair"
    title: str = ""


class Known(types.ModuleType):
    """What a submission may know of the teacher's file: some of its names, and `found`, what is to
    be checked."""


def everything(module: types.ModuleType) -> list[Found]:
    """[Found, ...] in the order of the file. Raises NothingFound when there is nothing."""
    found = anything(module)
    if all(item.kind == "skipped" for item in found):
        reasons = "".join(f"; {item.title}" for item in found)
        raise NothingFound("it defines no forward and backward, "
                           "as functions in pairs or methods of a class, "
                           f"no loss that returns its gradient, no Function and no Module{reasons}")
    return found


def anything(module: types.ModuleType) -> list[Found]:
    """The same of a file that may hold nothing to check."""
    if isinstance(module, Known):
        return module.found
    names = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    own = {}
    for name, value in names.items():
        # MSE = MeanSquaredError is the same
        if is_own(value, module) and value not in own.values():
            own[name] = value
    pairs = _pairs(own, names)
    used = pairs.keys() | {item.title for items in pairs.values() for item in items}
    return [item for name, value in names.items()
            for item in pairs.get(name) or (() if name in used else _alone(name, value, own))]


def _alone(name, value, own):
    """[Found] of what belongs to no pair."""
    if _is_layer(value) and (name in own or not inspect.isclass(value)):
        return [Found(name, value, None, "layer", name)]
    if name in own and inspect.isclass(value):
        return _in_class(name, value, own)
    if name in own and _returns_gradients(name, value):
        return [Found(name, value, None, "loss", name)]
    if name in own and any(kind == "pair" for _, kind in _stems(name)):
        return [Found(name, value, None, "skipped",
                      f"{name}: there is no forward of that name to check it against")]
    return []


def is_own(value: object, module: types.ModuleType) -> bool:
    """Is this function or class defined in this file? What was imported is another's."""
    return (inspect.isfunction(value)
            or inspect.isclass(value)) and value.__module__ == module.__name__


# ---------------------------------------------------------------------------------------- functions


def _pairs(own, names):
    """{a forward's name: [Found]}: each backward or derivative of the file with its forward."""
    found = {}
    for name, value in own.items():
        for bare, kind in _stems(name) if inspect.isfunction(value) else ():
            forward = _forward_of(name, bare, kind, names) or _predictor(value, own)
            if forward:
                kind = "network" if _is_network(names[forward], value) else kind
                found.setdefault(forward, []).append(Found(bare, names[forward], value, kind, name))
                break
    return found


def _is_network(forward, backward):
    """Does forward take parameters, together or one by one, and backward a target that forward does
    not know, and no dout?"""
    given, asked = ([p.name for p in binding.signature(function)]
                    for function in (forward, backward))
    has_parameters = any(plain(name) in PARAMETERS for name in given) or any(
        role(name) in ("w", "b") or stem(name) in ("w1", "b1") for name in given)
    return has_parameters and not binding.names_of_dout(forward, backward) and any(
        role(name) == "labels" and name not in given for name in asked)


def _predictor(backward, own):
    """The network's forward, by whatever name, of a ComputeGradients(X, Y, P, W): it takes inputs
    and weights that backward gets, too."""
    asked = {p.name for p in binding.signature(backward)}
    for name, value in own.items():
        given = {p.name for p in binding.signature(value)} if inspect.isfunction(value) else set()
        if value is not backward and len(given & asked) > 1 and _is_network(value, backward):
            return name
    return None


def kind_of(backward: str) -> str:
    """"derivative" for a name such as f_prime, "pair" for others."""
    return next(_stems(backward), ("", "pair"))[1]


def _without(words, table):
    """Yields the other words for each run of them that is one of the table's."""
    for start in range(len(words)):
        for stop in range(len(words), start, -1):
            if "".join(words[start:stop]) in table:
                yield words[:start] + words[stop:]


def _stems(name):
    """Yields (relu, "pair") for relu_backward, (sigmoid, "derivative") for sigmoid_prime; (forward,
    …) for the bare word."""
    words = name_words(name)
    for table, kind, others in ((BACKWARD, "pair", TESTS),
                                (DERIVATIVE, "derivative", {**TESTS, **NO_LAYER})):
        if set(words) & others.keys():
            return
        yield from (("_".join(rest) or "forward", kind) for rest in _without(words, table))
    if name.startswith("d") and len(name) > 3:
        yield name[1:].lstrip("_"), "derivative"


def _forward_of(backward, stem, kind, names):
    """The name of the forward that goes with this backward, or None: conv_forward, forward_conv,
    conv; for cube_backward_alt that of cube."""
    stems = [stem]
    while stems[-1].count("_") and stems[-1].rpartition("_")[2] in TRIMMED:
        stems.append(stems[-1].rpartition("_")[0])
    functions = [name for name, value in names.items() if callable(value)
                 and not inspect.isclass(value) and name != backward]
    for one in stems:
        exact = [name for name in functions if name == one or kind == "pair"
                 and name == backward.replace("backward", "forward")]
        others = [name for name in functions if _bare(name) == plain(one)]
        # Loss beside loss
        same = [name for name in others if name.lower() == one != name
                and backward.startswith(name)]
        if exact or others:
            return same[0] if same else max(exact, key=lambda name: "forward"
                                            in name) if exact else others[0]
    return None


def _bare(name):
    """relu of relu_forward, fwd_relu and relu."""
    rest = next(_without(name_words(name), FORWARD.keys() - {"loss", "cost", "activation"}), None)
    return plain(name) if rest is None else "".join(rest) or "forward"


def _returns_gradients(name, function):
    """Does it return a loss and gradients: a tuple with a name in it such as dW, or, in a function
    called a loss, any tuple?"""
    words = set(name_words(name))
    if words & {**NO_LAYER, **TESTS}.keys():
        return False
    if "loss" in words and is_empty(function) and len(binding.signature(function)) > 1:
        return True  # of a skeleton
    for node in ast.walk(source_tree(function)):
        if isinstance(node, ast.Return) and isinstance(node.value,
                                                       ast.Tuple) and len(node.value.elts) > 1:
            first, last = (_words_of(node.value.elts[place]) for place in (0, -1))
            if words & {"loss", "cost", "entropy", "criterion"} or re.fullmatch(GRADIENT_NAME,
                                                                                last):
                return _is_number(node.value.elts[0])
            if any(map(LOSSES.__contains__,
                       (*words, plain(name)))) and _is_value_and_gradient(node.value, function):
                return True
            return bool(re.fullmatch(GRADIENT_NAME, first)
                        and re.fullmatch("(?i).*(loss|cost)|j", last))
    return False


def _is_value_and_gradient(returned, function):
    """Is it (np.mean(r ** 2), 2 * X.T @ r)? Two numbers, such as an error and R², are none, nor are
    weights and a cost."""
    first, last = returned.elts[0], returned.elts[-1]
    given = {p.name for p in binding.signature(function)}
    multiplies = any(isinstance(node, ast.MatMult)
                     for node in ast.walk(last)) or bool(_called(last) & {"dot", "T"})
    moved = not _called(last) & REDUCING and any(isinstance(node, ast.Name) and node.id in given
                                                 for node in ast.walk(last))
    return bool(_called(first) & REDUCING) and not isinstance(last,
                                                              ast.Name) and (multiplies or moved)


def _called(node):
    """The attributes and functions in an expression: mean of np.mean(x) and of x.mean()."""
    return {one.attr if isinstance(one, ast.Attribute) else one.id for one in ast.walk(node)
            if isinstance(one, (ast.Attribute, ast.Name))}


def _words_of(node):
    """An expression as it is written; of a dictionary its first key."""
    key = node.keys[0] if isinstance(node, ast.Dict) and node.keys else None
    return str(key.value) if isinstance(key, ast.Constant) else ast.unparse(node)


def _is_number(node):
    return (isinstance(node, (ast.Constant, ast.Call, ast.BinOp, ast.UnaryOp))
            or isinstance(node, ast.Name)
            and bool(re.search(r"loss|cost|^l$|^j$|err|obj|^nll|^ce$|^value$|^out$",
                               node.id.lower())))


# ------------------------------------------------------------------------------------------ classes


def _in_class(name, cls, own):
    """[Found] of a class: its forward and backward by their names, a network's loss with gradients,
    or a scalar engine."""
    methods = {method: value for base in reversed(cls.__mro__[:-1])
               for method, value in vars(base).items() if callable(getattr(cls, method, None))}
    backward = _best(methods, BACKWARD) or _best(methods, DERIVATIVE)
    both = [method for method in methods if _returns_gradients(method, getattr(cls, method)) or
            {"loss", "gradients"} <= set(name_words(method)) or not backward
            and plain(method) in FORWARD and _fills_gradients(getattr(cls, method))]
    if issubclass(cls, BaseException) or not backward and not both or _is_interface(cls, backward,
                                                                                    own):
        return []
    if backward and {"__add__", "__mul__"} & methods.keys():
        return [Found(name, cls, backward, "engine", name)]
    forward = _loss_of(methods, backward) or _best(methods, FORWARD)
    if not backward or not forward and both:
        return [Found(name if len(both) == 1 else f"{name}.{method}", cls, (method, None), "class",
                      f"{name}.{method}") for method in both]
    if (forward and "__init__" not in methods
        and [p.name for p in binding.signature(methods[forward])] == ["self"]):
        # called as Relu.forward(x)
        return [Found(name, methods[forward], methods[backward], "derivative", name)]
    if not forward:
        return [Found(name, cls, None, "skipped", f"{name}: it has {backward}, "
                      "but no forward (or fprop, __call__ …)")]
    return [Found(name, cls, (forward, backward), "class", name)]


def _best(methods, table):
    known = [method for method in methods if plain(method) in table]
    return min(known, key=lambda method: table[plain(method)], default=None)


def _fills_gradients(method):
    """Does a forward that gets the labels set self.gradients["W"] by itself?"""
    kept = re.findall(r"\bself\.(\w+)(?:\[[^\]=]*\])? *=[^=]", source(method))
    return any(plain(name) in OF_GRADIENTS for name in kept) and any(
        role(p.name) == "labels" for p in binding.signature(method))


def _loss_of(methods, backward):
    """Of loss(X, y) and gradients(X, y) the loss, whatever else is called forward."""
    asked, *others = [[p.name for p in binding.signature(methods.get(name))]
                      for name in (backward, *methods)]
    same = [name for name, given in zip(methods, others) if name != backward
            and given == asked and "loss" in name and plain(name) in FORWARD]
    return same[0] if any(role(name) == "labels" for name in asked) and same else None


def _is_interface(cls, backward, own):
    """A base class that leaves its methods to others."""
    below = [other for other in own.values() if inspect.isclass(other) and other is not cls
             and issubclass(other, cls)]
    if backward and any(getattr(other, backward) is getattr(cls, backward)
                        for other in below) and _leaves_open(cls, below):
        return True  # it is checked where it is used
    empty = backward and is_empty(getattr(cls, backward))
    return inspect.isabstract(cls) or empty and (bool(below) or plain(cls.__name__) in BASES)


def _leaves_open(cls, below):
    """Does it use what only the classes below define: methods that are empty here, or attributes
    that are not there at all?"""
    used = set(re.findall(r"\bself\.([A-Za-z_]\w*)", source(cls)))
    made = set(re.findall(r"\bself\.([A-Za-z_]\w*)(?=[^=\n()]*=[^=])", source(cls)))
    for name in used - made:
        here = getattr(cls, name, None)
        if here is None or inspect.isfunction(here) and is_empty(here):
            if any(name in vars(other) or re.search(rf"\bself\.{name}\b", source(other))
                   for other in below):
                return True
    return _best(vars(cls), FORWARD) is None


def _is_layer(value):
    return (isinstance(value, (Function, Module)) or inspect.isclass(value)
            and issubclass(value, (Function, Module)))


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
    for function, known in zip(functions, names):
        if not callable(function):
            raise NothingFound(f"it defines no {known}")
    if backward:
        return [Found(name.removesuffix("_forward"), *functions, kind_of(*backward), *backward)]
    return [Found(name, *functions, None, "loss", name)]  # loss, dx = my_loss(x, y)


def like(module: types.ModuleType, theirs: Found) -> Found:
    """What a student's module has for one Found of the teacher's: the same, or what is missing.
    Where the student hands in backward alone, the teacher's forward is taken."""
    same = [item for item in anything(module) if item.name == theirs.name
            and item.kind == theirs.kind]
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
