"""What arguments whose names say nothing are by how the source uses them: W[index], range(count),
factor / 2."""
import ast
import inspect
from collections.abc import Callable, Iterable, Iterator

from ..called import binding
from . import dictionaries, guesses

COUNTED = {"range", "xrange", "zeros", "ones", "eye", "reshape", "arange", "full", "identity",
           "randn", "rand"}


def hints(forward: Callable, backward: object, names: Iterable[str], N: int) -> dict:
    """{name: what} of those that are indices, of N examples, or counts."""
    known, counts = {}, list(guesses.COUNTS)
    functions = [one for one in (forward, backward) if inspect.isroutine(one)]
    asked = {p.name for p in binding.signature(forward)}
    for name in (name for name in names if name in asked):
        uses = {use for function in functions for node, called in _uses(function, name)
                for use in [_use(node, called)] if use}
        if uses and not uses - {"index"}:
            known[name] = "labels", ((N,), 3)
        elif "count" in uses and not uses - {"count", "index"}:
            known[name] = "option", counts.pop(0)
    return known


def factors(function: Callable, names: Iterable[str]) -> dict:
    """{name: what} of those that stand beside * and / alone, or are added: they may be numbers."""
    return {name: ("option", 0.5) for name in names if _is_factor(function, name)}


def _is_factor(function, name):
    read, beside = set(), set()
    for node, called in _uses(function, name):
        if _is(node, called) and isinstance(node.ctx, ast.Load):
            read.add(node)
        elif isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
            beside |= {one for one in (node.left, node.right) if _is(one, called)}
        elif isinstance(node, ast.UnaryOp):
            beside.add(node.operand)
    return bool(read) and read <= beside


def _uses(function: Callable, name: str) -> Iterator[tuple]:
    return dictionaries.uses(inspect.unwrap(function), name)


def _is(node, name):
    return isinstance(node, ast.Name) and node.id == name


def _use(node, name):
    """How a part of the source uses what has this name: "index", "count", "array" or ""."""
    def has(part):
        return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(part))

    if isinstance(node, ast.Subscript) and has(node.slice):
        return "count" if any(isinstance(one, ast.Slice) and has(one)
                              for one in ast.walk(node.slice)) else "index"
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(
            node.func, "id", "")) in COUNTED and any(map(has, node.args)):
        return "count"
    inside = getattr(node, "value", getattr(node, "iter", None))
    return "array" if isinstance(inside, ast.Name) and inside.id == name and isinstance(
        node, (ast.Attribute, ast.Subscript, ast.Starred, ast.For, ast.comprehension)) else ""
