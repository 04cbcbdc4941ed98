"""Examples that lie together in a list are taken apart, so that each part can be drawn by its name:

    for center, context in pairs:         for _ in [0]:
        …                                     …
    for i in order:                       and the same here; pairs becomes [(center, context)] for
        center, context = pairs[i]        what comes before
"""
import ast
import copy
from collections.abc import Callable

from .changes import root_of

WRAPPERS = ("tqdm", "enumerate", "list", "shuffled", "sample", "permutation")


def taken_apart(body: list[ast.stmt], is_missing: Callable) -> tuple[list[ast.stmt], dict]:
    """(the statements, {name of the list: (its parts' names)}), where a list is missing."""
    apart = _Apart(is_missing)
    body = [apart.visit(copy.deepcopy(node)) for node in body]
    return body, apart.parts


class _Apart(ast.NodeTransformer):
    def __init__(self, is_missing):
        self.is_missing, self.parts, self.each = is_missing, {}, {}

    def visit_For(self, node):
        over, target, before = node.iter, node.target, []
        while isinstance(over, ast.Call) and over.args and ast.unparse(over.func).split(".")[
                -1] in WRAPPERS:
            if getattr(over.func, "id", "") == "enumerate" and isinstance(target, ast.Tuple):
                count, target = target.elts
                before = [ast.Assign([count], ast.Constant(0))]
            over = over.args[0]
        name = root_of(over) if isinstance(over, (ast.Name, ast.Attribute)) else ""
        if name and self.is_missing(name):
            if isinstance(target, ast.Name):  # a, b = pair, below
                self.each[target.id] = name
            elif self._take(name, target):
                node.target, node.iter = ast.Name("_", ast.Store()), ast.List(
                    [ast.Constant(0)], ast.Load())
                node.body = before + node.body
        return self.generic_visit(node)

    def visit_Assign(self, node):
        target, value = node.targets[0], node.value
        name = self.each.get(getattr(value, "id", ""), "")
        if isinstance(value, ast.Subscript) and not isinstance(value.slice, ast.Slice) and (
                self.is_missing(root_of(value.value))):
            name = root_of(value.value)
        is_part = name and isinstance(target, ast.Tuple) and self._take(name, target)
        return ast.copy_location(ast.Pass(), node) if is_part else node

    def _take(self, name, target):
        """Are its parts such names, and the same as elsewhere?"""
        names = tuple(one.id for one in getattr(target, "elts", ()) if isinstance(one, ast.Name))
        if len(names) < 2 or len(names) < len(target.elts) or self.parts.get(name, names) != names:
            return False
        self.parts[name] = names
        return True
