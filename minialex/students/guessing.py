"""Which is a forward, and which its backward, where no name says so: what they do says it.

    def adelante(self, datos):  self.h = f(datos @ self.p) …     keeps self.h
    def ajusta(self, e):        dp = datos.T @ (e * …) …         reads self.h, computes gradients

A backward computes products under names of gradients (dW, delta, grad_b), or takes a step off
something; its forward does not, and one hands on to the other what it computed. Such a pair is a
guess: it counts where its gradients are right, or some of them and none has another shape.
"""
import ast
import inspect
import linecache
import re
import sys
import time
import types
from collections.abc import Callable
from typing import NamedTuple

from ..gradcheck.verdicts import names as verdict
from . import pairing
from .called import binding
from .dialects import BACKWARD, DERIVATIVE, FORWARD, INITIALISE, LOSSES, NO_LAYER, TESTS, TRAINS
from .forms.units import trains
from .found import Found
from .names import DOUT, MARKS, OUTPUTS, ROLE, name_words, plain, stem, stems_of_gradient
from .reading import changes
from .reading.sources import names_returned

PRODUCTS = {*changes.PRODUCTS, "T"}
# a function that is called so is neither
NEITHER = {*TESTS, *NO_LAYER, *INITIALISE, "main", "init", "initialize", "load", "iterate", "fit"}
MOST = 4  # pairs of one class that are tried
DOUBTFUL = {verdict.SHAPE, verdict.ZERO, verdict.UNDECIDED}
NEARLY = {verdict.CORRECT, verdict.FACTOR, verdict.MEAN, verdict.NEGATIVE}
ENOUGH = 3  # what must speak for a pair


class Facts(NamedTuple):
    """What one method or function says of itself. keeps, reads: attributes of self; hands_on: what
    it returns, by name; calls: functions and methods; steps: what it changes by a difference;
    gradients: names of gradients that get a value; multiplies: is one of those a product?"""

    given: list
    keeps: set
    reads: set
    hands_on: set
    calls: set
    gradients: set
    steps: set
    multiplies: bool
    returns: bool


def facts(function: Callable) -> Facts:
    """The Facts in its source; of what has none, empty ones."""
    nodes = binding.nodes(function)
    given = [p.name for p in binding.signature(function) if p.name != "self"]
    stored = [name for node in nodes for name in _stored(node)]
    keeps = {name for name, of_self in stored if of_self}
    calls = binding.nodes(function, ast.Call)
    keeps |= {node.func.value.attr for node in calls if isinstance(node.func, ast.Attribute)
              and node.func.attr in ("append", "extend") and _of_self(node.func.value)}
    reads = {node.attr for node in nodes if _of_self(node) and isinstance(node.ctx, ast.Load)}
    reads |= {key for node in binding.nodes(function, ast.Subscript)
              if isinstance(node.ctx, ast.Load) for key in _texts([node.slice])}
    names = {name for name, _ in stored}
    known = {stem(name) for name in (*given, *reads, *keeps, *names, *ROLE)}
    gradients = {name for name in names if _is_gradient(name, known)}
    keys = {key for node in nodes if isinstance(node, ast.Dict) or isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Store)  # of grads["dW"] = … and {"dW": …}
            for key in _texts(getattr(node, "keys", None) or [getattr(node, "slice", None)])
            if _is_gradient(key, known)}
    returned = [node.value for node in binding.nodes(function, ast.Return) if node.value]
    changed = {changes.root_of(target).rpartition(".")[2]
               for _, target, _ in changes.updates(nodes[:1])} - {"self"}
    computes = any(_multiplies(node.value, {name for name, _ in _stored(node)} & gradients)
                   for node in binding.nodes(function, ast.Assign, ast.AugAssign)
                   if {name for name, _ in _stored(node)} & (gradients | changed))
    return Facts(given, keeps, reads, {*names_returned(function), *map(ast.unparse, returned)},
                 {getattr(node.func, "attr", getattr(node.func, "id", "")) for node in calls},
                 gradients | keys, changed, computes or bool(keys), bool(returned))


def _multiplies(value, is_gradient):
    """Has an expression a product of matrices or a sum over axes; of a gradient, any product?"""
    return any(isinstance(node, ast.MatMult) or isinstance(node, ast.Attribute)
               and node.attr in PRODUCTS or is_gradient and isinstance(node, ast.Mult)
               for node in ast.walk(value))


def _of_self(node):
    return (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            and node.value.id == "self")


def _stored(node):
    """(name, whether it is of self) of what gets a value here: dW, self.dW, self.grads["dW"]."""
    for target in changes.targets(node) if isinstance(node, changes.ASSIGNS) else ():
        for one in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            while isinstance(one, ast.Subscript):
                one = one.value
            if isinstance(one, ast.Name):
                yield one.id, False
            elif _of_self(one):
                yield one.attr, True


def _texts(nodes):
    return [key.value for key in nodes if isinstance(key, ast.Constant)
            and isinstance(key.value, str)]


def _is_gradient(name, known):
    """delta, grad, error2, and dW where there is a W."""
    return bool(MARKS & set(name_words(name))) or plain(name).rstrip("0123456789") in MARKS or bool(
        known & set(stems_of_gradient(name)))


# ------------------------------------------------------------------------------------------ pairs


def pairs(functions: dict[str, Callable], elsewhere: str = "") -> list[tuple[str, str]]:
    """[(forward's name, backward's name)] of functions that stand side by side, or methods of a
    class, the most likely first. elsewhere: text in which they may be called."""
    told = {name: facts(function) for name, function in functions.items()
            if not {*name_words(name)} & NEITHER and not trains(function)}
    backwards = [name for name, one in told.items() if one.multiplies
                 and (one.gradients or one.steps) and plain(name) not in FORWARD
                 and not {"loss", "cost", *LOSSES} & {*name_words(name)}]
    found = [(_evidence(told, forward, backward, elsewhere), forward, backward)
             for backward in backwards for forward in told
             if forward not in backwards and plain(forward) not in {**BACKWARD, **DERIVATIVE}]
    found = [one for one in found if one[0] >= ENOUGH]
    found.sort(key=lambda one: -one[0])
    return [(forward, backward) for _, forward, backward in found[:MOST]]


def _evidence(told, forward, backward, elsewhere):
    """What speaks for a pair: something kept is read again, is handed on, one is called in the
    other or before it, one has a usual name."""
    first, then = told[forward], told[backward]
    if not (first.returns or first.keeps) or not (first.given or first.reads) or (
            backward in first.calls or not (then.gradients or then.steps & {*first.reads,
                                                                            *first.given})):
        return 0
    used = {*first.given, *first.reads}
    handed = {plain(name) for name in then.given} & {plain(name) for name in first.hands_on}
    order = re.search(rf"\b{forward}\(.*?\b{backward}\(", elsewhere, re.DOTALL)
    of_its_inputs = {stem(name) for name in used} & {
        one for name in then.gradients for one in stems_of_gradient(name)}
    return (2 * bool(first.keeps & then.reads) + 2 * bool(handed) + (forward in then.calls)
            + min(2, len(used & {*then.given, *then.reads, *then.steps}))
            + min(2, len(of_its_inputs))
            + bool(order) + any(map(DOUT.search, then.given)) + (plain(forward) in FORWARD)
            + (plain(backward) in {**BACKWARD, **DERIVATIVE}))


def methods_of(cls: type) -> dict[str, Callable]:
    """Those that may be one of a pair."""
    return {name: value for base in reversed(cls.__mro__[:-1]) for name, value in vars(base).items()
            if inspect.isfunction(value) and (not name.startswith("__") or name == "__call__")}


def follows(cls: type, name: str) -> bool:
    """Is this method called after another one, whose input or output it reads, or is given again
    beside a dout, as a backward is after its forward? One that trains calls its forward, has it
    inside, or is called so."""
    told = {one: facts(method) for one, method in methods_of(cls).items()}
    then = told.pop(name, None)
    return then is not None and plain(name) not in TRAINS and any(
        (first.keeps & then.reads or first.reads & then.steps and {*first.given} & {*then.given}
         and any(map(DOUT.search, {*then.given} - {*first.given})))
        and first.given and one not in then.calls
        and (first.returns or any(plain(kept) in OUTPUTS for kept in first.keeps))
        for one, first in told.items())


def forward_of(cls: type, backward: str) -> str | None:
    """The forward of a backward, where no name says it: the one method that the file calls before
    it on the same object and that keeps what it reads, or returns something; of a derivative also
    the only other method that is given as much."""
    methods = {name: getattr(cls, name) for name in dir(cls) if name[:2] != "__"}
    told = {name: facts(method) for name, method in methods.items() if inspect.isfunction(method)
            and not {*name_words(name)} & {*TESTS, *INITIALISE}}
    then, is_slope = told.pop(backward, None), plain(backward) in DERIVATIVE
    told = {name: one for name, one in told.items() if then and one.given and not (
        backward in one.calls or one.steps & {*one.keeps, *one.reads} or name in then.calls
        and not is_slope or MARKS & {*name_words(name)} or DOUT.search(one.given[0]))}
    text = "".join(linecache.getlines(sys.modules[cls.__module__].__file__ or ""))
    before = [name for name in told if re.search(
        rf"\b(\w+)\.{name}\((?:(?!\bdef |\bclass ).)*?\b\1\.{backward}\(", text, re.DOTALL)]
    found = [name for name in before if told[name].keeps & then.reads] or [
        name for name in before if told[name].returns] or [
        name for name, one in told.items() if is_slope and one.returns
        and len(one.given) == len(then.given) and not {*name_words(name)} & NEITHER]
    return found[0] if len(found) == 1 else None


def with_guesses(found: list[Found], own: dict, module: types.ModuleType) -> list[Found]:
    """Where names say nothing, what methods and functions do may say it: of a class in which
    nothing was found, and of functions that belong to nothing."""
    text = re.sub(r"\bdef +\w+\(", "", "".join(linecache.getlines(module.__file__)))
    checked = [item for item in found if item.kind != "skipped"]
    told = {name for item in checked for name in _owners(item)}
    heirs = {name for name, value in own.items() if inspect.isclass(value)}
    guesses = {name: [Found(name, cls, both, "class", name)
                      for both in pairs(methods_of(cls), text)]
               for name, cls in own.items() if inspect.isclass(cls) and name not in told
               and not issubclass(cls, BaseException) and not inspect.isabstract(cls)
               and not any(cls in own[heir].__mro__ for heir in told & heirs)}
    taken = {inspect.unwrap(one) if callable(one) else one for item in checked
             for one in (item.forward, item.backward, *item.others)}
    left = {name: value for name, value in own.items()
            if inspect.isfunction(value) and value not in taken}
    for forward, backward in pairs(left, text):
        both = left[forward], left[backward]
        guesses.setdefault(backward, []).append(
            Found(backward, *both, pairing.kind_of_pair(*both), backward))
    return [item for item in found if item.kind != "skipped"
            or not any(map(guesses.get, _owners(item)))] + [
        Found(name, own[name], None, "guess", f"{name}: nothing is called forward and backward, or "
              "the like, and belongs together", tuple(others))
        for name, others in guesses.items() if others]


def _owners(found):
    """The names of the class that it is, or in which it stands."""
    return found.name, found.name.rpartition(".")[0]


def best(found: Found, checks: list, count: int, seconds: float) -> tuple[dict, dict]:
    """(the result, its basis) of the first of these checks whose gradients are right; or else of
    one in which some are, and none has another shape. A guess blames nobody otherwise."""
    nearest, why, until = None, "", time.process_time() + seconds
    for number, check in enumerate(checks):  # what one leaves of its time is the next ones'
        left = (until - time.process_time()) / (len(checks) - number)
        one, pair = check.told(count, left), _names(check.found)
        rows = [row for row in one["rows"] if row["verdict"] != verdict.NOT_COMPARED]
        said = {row["verdict"] for row in rows}
        if one["status"] in ("correct", "remarks"):
            return _with(one, pair), check.basis
        if NEARLY & said and not DOUBTFUL & said:
            nearest = nearest or (_with(one, pair), check.basis)
        problem = one["error"]["message"] if one["error"] else ", ".join(
            f"{row['name']}: {row['verdict']}" for row in rows)
        why = why or f". With {pair} for them: {problem}"
    if nearest:
        return nearest
    message = f"{found.title}{why}. That is a guess: call them forward and backward"
    return {**checks[0].result, "name": found.name, "checked": found.name, "status": "error",
            "rows": [], "text": "", "error": {"kind": "not checked", "message": message,
                                              "lines": []}}, {}


def _names(found):
    """adelante and ajusta"""
    both = found.backward if found.kind == "class" else map(binding.title,
                                                            (found.forward, found.backward))
    return " and ".join(both)


def _with(result, pair):
    """The result, with the pair in the heading of its text."""
    first, *rest = result["text"].split("\n")
    return {**result, "text": "\n".join([f"{first} (by {pair})", *rest])}
