"""Training code in a plainer form, in which what it takes off its weights can be read:

    for w, d, m in zip([A, B], [dA, dB], [mA, mB]):     A, dA, mA for w, d, m, then B, dB, mB
        np.clip(d, -5, 5, out=d)                        left out: it is meant to change nothing
        m += d * d
        w -= rate * d / np.sqrt(m + 1e-8)               w -= rate * d: a first step has d's signs
"""
import ast
import copy

from ..called.binding import every
from ..names import stems_of_gradient
from .changes import names_in, names_set, pairs_of, root_of

LISTS = (ast.List, ast.Tuple)
PLACES = (ast.Name, ast.Attribute, ast.Subscript)


def written_out(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Loops over a few arrays that are named there, or in a list just before, written out; p is
    self.params after p = self.params."""
    statements, lists = _by_full_name(statements), {}
    for node in every(statements, ast.Assign):
        if isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            lists[name] = None if name in lists else _places(node.value)
    found = []
    for node in statements:
        made = _WrittenOut(lists).visit(copy.deepcopy(node)) if any(
            isinstance(one, ast.For) for one in ast.walk(node)) else node
        found += made if isinstance(made, list) else [made]
    return found


def _by_full_name(statements):
    """The same without other names of what an object has, and keeps: old = self.W is another thing
    after self.W = …"""
    stored: dict = {}
    anew = {name for node in every(statements) for name in names_set(node)}
    for node in every(statements, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            stored[node.id] = stored.get(node.id, 0) + 1
    known = {target.id: value for node in statements for target, value in pairs_of(node)
             if isinstance(target, ast.Name) and stored[target.id] == 1
             and isinstance(value, ast.Attribute) and ast.unparse(value).startswith("self.")
             and root_of(value) not in anew}
    if not known:
        return statements
    renamed = _Renamed(known)
    return [node if names_in(node) & known.keys() <= {getattr(one, "id", "") for one in getattr(
        node, "targets", ())} else renamed.visit(copy.deepcopy(node)) for node in statements]


def _places(node):
    """The names, attributes and entries that a list holds, or None."""
    return node.elts if isinstance(node, LISTS) and node.elts and all(
        isinstance(one, PLACES) for one in node.elts) else None


class _WrittenOut(ast.NodeTransformer):
    def __init__(self, lists):
        self.lists = lists

    def visit_For(self, node):
        node = self.generic_visit(node)
        over = node.iter.args if isinstance(node.iter, ast.Call) and ast.unparse(
            node.iter.func) == "zip" else [node.iter]
        targets = node.target.elts if isinstance(node.target, LISTS) else [node.target]
        found = [self.lists.get(one.id) if isinstance(one, ast.Name) else _places(one)
                 for one in over]
        names = [one.id for one in targets if isinstance(one, ast.Name)]
        sets_anew = any(isinstance(one, ast.Name) and one.id in names and isinstance(
            part, ast.Assign) for part in ast.walk(ast.Module(node.body, []))
            for one in getattr(part, "targets", ()))
        if (not all(found) or len(names) != len(over) or len(set(map(len, found))) > 1 or sets_anew
                or any(isinstance(one, (ast.Break, ast.Continue)) for part in node.body
                       for one in ast.walk(part))):
            return node
        return [_Renamed(dict(zip(names, places))).visit(copy.deepcopy(part))
                for places in zip(*found) for part in node.body]


class _Renamed(ast.NodeTransformer):
    def __init__(self, places):
        self.places = places

    def visit_Name(self, node):
        place = self.places.get(node.id)
        if place is None:
            return node
        place = copy.deepcopy(place)
        place.ctx = node.ctx
        return ast.copy_location(place, node)


def without_optimizer(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Without clipping of gradients, and without the division by the root of a memory of their
    squares, as of Adagrad, RMSProp, Adam."""
    memories: set = set()
    both = [(ast.unparse(node.target), node.value, True)
            for node in every(statements, ast.AugAssign)]
    both += [(text := ast.unparse(target), value, text in _texts(value))
             for node in every(statements) for target, value in pairs_of(node)]
    for _ in range(2):  # v, and v / (1 - beta ** t)
        memories |= {target for target, value, is_kept in both if (
            any(map(_is_square, ast.walk(value))) if is_kept else memories & _texts(value))}
    transformer = _WithoutOptimizer(memories)
    return [made for node in statements if (made := transformer.visit(node)) is not None]


def _texts(node):
    return {ast.unparse(one) for one in ast.walk(node) if isinstance(one, PLACES)}


def _is_square(node):
    if isinstance(node, ast.BinOp):
        return (isinstance(node.op, ast.Pow) and getattr(node.right, "value", 0) == 2
                or isinstance(node.op, ast.Mult)
                and ast.unparse(node.left) == ast.unparse(node.right))
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".square")


class _WithoutOptimizer(ast.NodeTransformer):
    def __init__(self, memories):
        self.memories = memories

    def visit_BinOp(self, node):
        node = self.generic_visit(node)
        roots = [one for one in ast.walk(node.right) if _is_root(one)] if isinstance(
            node.op, ast.Div) else []
        return node.left if any(_texts(one) & self.memories for one in roots) else node

    def visit_Expr(self, node):
        return None if _clips(node.value) and node.value.keywords else node

    def visit_Assign(self, node):
        same = _clips(node.value) and ast.unparse(node.targets[0]) == ast.unparse(
            node.value.args[0])
        return ast.copy_location(ast.Pass(), node) if same else self.generic_visit(node)


def _is_root(node):
    return (isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sqrt"
            or isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
            and getattr(node.right, "value", 0) == 0.5)


def _clips(node):
    """np.clip(dW, -5, 5), of what is called like a gradient."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".clip")
            and len(node.args) == 3):
        return False
    name = next((one for one in ast.walk(node.args[0]) if isinstance(one, ast.Name)), None)
    low, high = map(ast.unparse, node.args[1:])
    return low == f"-{high}" and name is not None and bool(stems_of_gradient(name.id))
