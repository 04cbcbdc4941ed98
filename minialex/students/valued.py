"""Functions that return a loss and its gradient, loss, dx = softmax_loss(x, y); and those that
return a loss and something else: how many are right, what is predicted."""
import ast
import re
from collections.abc import Callable

from . import pairing
from .called import binding
from .dialects import ITS_COST, LOSSES, MEASURES, NO_LAYER, OF_GRADIENTS, TESTS
from .names import OUTPUTS, name_words, plain, role
from .reading.changes import targets
from .reading.sources import is_empty, source, words_of

REDUCING = {"mean", "sum", "average", "norm", "std", "var", "float", "item", "max", "abs"}
GRADIENT_NAME = r"d[A-Z]\w*|d[a-z]|d_\w+|grads?\w*|\w+_grads?"  # what is returned beside a loss
COUNTING = {"argmax", "equal", "rint", "round", "allclose"}
DEEP = 4  # names behind names


def fills_gradients(method: Callable) -> bool:
    """Does a forward that gets the labels set self.gradients["W"] by itself?"""
    kept = re.findall(r"\bself\.(\w+)(?:\[[^\]=]*\])? *=[^=]", source(method))
    return any(plain(name) in OF_GRADIENTS for name in kept) and any(
        role(p.name) == "labels" for p in binding.signature(method))


def returns_gradients(name: str, function: Callable) -> bool:
    """Does it return a loss and gradients: a tuple with a name in it such as dW, or, in a function
    called a loss, any tuple whose rest may be one?"""
    words = set(name_words(name))
    if words & {**NO_LAYER, **TESTS}.keys():
        return False
    if "loss" in words and is_empty(function) and len(binding.signature(function)) > 1:
        return True  # of a skeleton
    for node in binding.nodes(function, ast.Return):
        if isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
            first, *_, last = found = [words_of(_squeezed(one)) for one in node.value.elts]
            if re.fullmatch(GRADIENT_NAME, first) and re.fullmatch("(?i).*(loss|cost)|j", last):
                return True
            some = [one for one in found[1:] if re.fullmatch(GRADIENT_NAME, one)]  # and a state
            if not some and all(_Values(function).is_other(one) for one in node.value.elts[1:]):
                return False
            if words & {"loss", "cost", "entropy", "criterion"} or last in some or some[1:]:
                # of a backward only what is called a loss is one
                return _is_number(node.value.elts[0]) and (
                    first.isidentifier() or not any(pairing.stems(name)))
            return any(map(LOSSES.__contains__, (*words, plain(name)))) and _is_value_and_gradient(
                node.value, function)
    return False


def _squeezed(node):
    """cost of np.squeeze(cost) and of float(cost)."""
    is_one = isinstance(node, ast.Call) and len(node.args) == 1 and ast.unparse(node.func) in (
        "np.squeeze", "float")
    return node.args[0] if is_one else node


def _is_value_and_gradient(returned, function):
    """Is it (np.mean(r ** 2), 2 * X.T @ r)? Two numbers, such as an error and R², are none, nor are
    weights and a cost."""
    first, last = returned.elts[0], returned.elts[-1]
    given = {p.name for p in binding.signature(function)}
    multiplies = any(isinstance(node, ast.MatMult)
                     for node in ast.walk(last)) or bool(_called(last) & {"dot", "T"})
    given |= binding.assigned(function).keys()
    moved = not _called(last) & REDUCING and any(isinstance(node, ast.Name) and node.id in given
                                                 for node in ast.walk(last))
    return bool(_called(first) & REDUCING) and not isinstance(last,
                                                              ast.Name) and (multiplies or moved)


def _called(node):
    """The attributes and functions in an expression: mean of np.mean(x) and of x.mean()."""
    return {one.attr if isinstance(one, ast.Attribute) else one.id for one in ast.walk(node)
            if isinstance(one, (ast.Attribute, ast.Name))}


def _is_number(node):
    return (isinstance(node, (ast.Constant, ast.Call, ast.BinOp, ast.UnaryOp))
            or isinstance(node, ast.Name)
            and bool(re.search(r"loss|cost|^l$|^j$|err|obj|^nll|^ce$|^value$|^out$",
                               node.id.lower())))


class _Values:
    """What stands behind a function's own names. changed: those that get something added or set."""

    def __init__(self, function):
        self.values = binding.assigned(function)
        self.changed = {name for node in binding.nodes(function, ast.Assign, ast.AugAssign)
                        for name in _changed(node)}

    def is_other(self, node):
        """Is this no gradient: a measure or another loss by its name, a count of what is right, an
        output?"""
        name = node.func if isinstance(node, ast.Call) else node
        words = name_words(getattr(name, "id", getattr(name, "attr", "")))
        if {*words} & MEASURES.keys() or words[-1:] and words[-1] in ITS_COST:
            return True
        if isinstance(node, ast.Name) and _is_output(node.id):
            return node.id not in self.changed and not _subtracts(self.values.get(node.id))
        return self._counts(node, DEEP)

    def _counts(self, node, deep):
        """Does it hold a comparison that is counted or averaged, or a class that was chosen?"""
        if isinstance(node, ast.Name):
            value = self.values.get(node.id) if deep and node.id not in self.changed else None
            return value is not None and self._counts(value, deep - 1)
        if isinstance(node, ast.BinOp):  # of so many
            return self._counts(node.left, deep)
        if not isinstance(node, ast.Call):
            return False
        name, inside = getattr(node.func, "attr", getattr(node.func, "id", "")), [
            *node.args, getattr(node.func, "value", node.func)]
        return name in COUNTING or name in REDUCING and any(
            isinstance(self.values.get(getattr(one, "id", ""), one), ast.Compare)
            or self._counts(one, deep) for one in inside)


def _changed(node):
    """p of p[i] -= 1, p += q and p[i] = 0."""
    for target in targets(node):
        if isinstance(node, ast.AugAssign) or isinstance(target, ast.Subscript):
            inner = getattr(target, "value", target)
            yield getattr(inner, "id", "")


def _is_output(name):
    return plain(name) in OUTPUTS or role(name) in ("scores", "probs")


def _subtracts(node):
    """Is it (p − t) / n, and no exp(x − max)?"""
    return isinstance(node, ast.BinOp) and (isinstance(node.op, ast.Sub) or any(
        map(_subtracts, (node.left, node.right)))) or (
            isinstance(node, ast.UnaryOp) and _subtracts(node.operand))
