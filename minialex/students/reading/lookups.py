"""What is looked up by whole numbers: which names are those numbers, and how many each is.

    v = self.W_in[center]                 one
    for word in negatives:                several, since each of them is one
        u = self.W_out[word]
    rows = [context] + list(negatives)    and so are those of which a list of them is made
"""
import ast
import inspect
from collections.abc import Callable

from ..called.binding import arguments_of, every
from .changes import body_of, pairs_of, root_of

DEEP = 3  # calls within calls
GATHERING = {"int", "list", "array", "asarray", "concatenate", "append", "hstack", "tuple",
             "unique"}
AT = {"at": 1, "take": 1}  # np.add.at(W, ids, g)


def numbers(body: list[ast.stmt], functions: dict[str, Callable],
            roots: set[str] = frozenset(), deep: int = DEEP) -> dict[str, bool]:
    """{name: is it several} of what stands where something is looked up. functions: those that may
    be called, by name; roots: what is looked up, or nothing for anything."""
    found = {name for node in every(body) for place, name in _looked_up(node) if not roots
             or place in roots}
    several, size = set(), -1
    for call in every(body, ast.Call) if deep else ():
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        for given, are_several in _within(functions.get(name), call, functions, roots, deep):
            found |= given
            several |= given if are_several else set()
    while size != len(found) + len(several):
        size = len(found) + len(several)
        for node in every(body):
            for target, value in pairs_of(node):
                if root_of(target) in found and (made := _gathered(value)) is not None:
                    found |= made
            for one, over in _gone_over(node):
                found |= {over} if one in found else set()
                several |= {over} if one in found else set()
    several |= {root_of(call.args[0]) for call in every(body, ast.Call) if call.args
                and getattr(call.func, "id", "") in ("len", "list")}
    return {name: name in several or _is_plural(name) for name in found}


def _is_plural(name):
    return name.rstrip("_").endswith(("s", "neg")) and not name.endswith(("pos", "class", "ss"))


def _looked_up(node):
    """(what is looked up, the name of the number)"""
    if isinstance(node, ast.Subscript):
        for place in getattr(node.slice, "elts", [node.slice]):
            yield from ((root_of(node.value), name) for name in _gathered(place) or ())
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in AT and len(node.args) > 1:
        yield from ((root_of(node.args[0]), name) for name in _gathered(node.args[1]) or ())


def _gathered(node):
    """The names of which a number or a list of them is made; None where it is computed."""
    if isinstance(node, (ast.Name, ast.Subscript)):
        return {root_of(node)} - {""}
    if isinstance(node, ast.Constant):
        return set()
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(
            node.func, "id", "")) in GATHERING:
        inside = node.args
    else:
        inside = [node.left, node.right] if isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.Add) else getattr(node, "elts", None)
    parts = [_gathered(getattr(one, "value", one) if isinstance(one, ast.Starred) else one)
             for one in inside or ()]
    return None if inside is None or None in parts else set().union(*parts)


def _gone_over(node):
    """(a loop's name, what it goes over) of for n in ids, for i, n in enumerate(ids)."""
    loops = [node] if isinstance(node, (ast.For, ast.comprehension)) else []
    for loop in loops:
        call = isinstance(loop.iter, ast.Call) and getattr(loop.iter.func, "attr", getattr(
            loop.iter.func, "id", ""))
        names = getattr(loop.target, "elts", [loop.target])
        if call == "enumerate" and len(names) == 2:
            yield root_of(names[1]), root_of(loop.iter.args[0])
        elif call == "zip":
            yield from zip(map(root_of, names), map(root_of, loop.iter.args))
        elif len(names) == 1 and (over := _gathered(loop.iter)):
            yield from ((root_of(names[0]), one) for one in over)


def _within(function, call, functions, roots, deep):
    """({names given}, …) of arguments that are such numbers in what is called."""
    if not inspect.isroutine(function):
        return
    names = [name for name in arguments_of(function) if name != "self"]
    inside = numbers(body_of(function), functions, roots, deep - 1)
    both = [*zip(names, call.args), *((one.arg, one.value) for one in call.keywords)]
    for name, value in both:
        if name in inside and (given := _gathered(value)):
            yield given, inside[name]
