"""What statements set, change, read and compute, by their source alone: W -= rate * dW changes W,
sets nothing as a whole, and reads rate and dW.
"""
import ast
import itertools
import re

from ...gradcheck import binding
from ...gradcheck.dialects import LEARNING_RATE, name_words, plain, role, stem, stems_of_gradient

PRODUCTS = {"dot", "matmul", "outer", "sum", "mean", "einsum", "tensordot", "multiply"}
NO_WEIGHT = re.compile(r"(?i)loss|cost|err|acc|count|correct|total|hits|score|mse|grad|delta")
LOOPS = (ast.For, ast.While)


def body_of(function: object) -> list[ast.stmt]:
    """The statements of a function, in the lines where they stand."""
    tree = binding.syntax_tree(function)
    code = getattr(function, "__code__", None)
    if code is None or not tree.body or not isinstance(tree.body[0], ast.FunctionDef):
        return []
    ast.increment_lineno(tree, code.co_firstlineno - 1)
    return tree.body[0].body


def root_of(node):
    """W of W[1:], self.w_ of self.w_[1:], params of params["W"]."""
    while isinstance(node, (ast.Subscript, ast.Starred)):
        node = node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return getattr(node, "id", "")


def pairs_of(node: ast.AST) -> list[tuple[ast.AST, ast.AST]]:
    """(target, value) of each assignment in a statement."""
    found = []
    for target in node.targets if isinstance(node, ast.Assign) else ():
        both = [one.elts for one in (target, node.value) if isinstance(one, ast.Tuple)]
        found += zip(*both) if len(both) == 2 and len(both[0]) == len(both[1]) else [
            (target, node.value)]
    return found


def updates(nodes: list) -> list[tuple[ast.AST, ast.AST, ast.AST]]:
    """(statement, target, value) of what is changed by what is added or subtracted."""
    found = []
    for node in (one for part in nodes for one in ast.walk(part)):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
            found.append((node, node.target, node.value))
        for target, value in pairs_of(node):
            sides = [value.left, value.right][:1 + isinstance(value.op, ast.Add)] if isinstance(
                value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub)) else []
            if ast.unparse(target) in map(ast.unparse, sides):
                found.append((node, target, value))
    return [one for one in found if not isinstance(one[2], (ast.Constant, ast.JoinedStr, ast.List))]


def changed(nodes: list, methods: dict | None = None) -> list[str]:
    """The roots of what may be weights: no counts, and nothing that is made anew in the loop.
    methods: what those change that are called."""
    anew = {name for part in nodes if isinstance(part, LOOPS) for node in ast.walk(part)
            for name in names_set(node)} - {root_of(target) for _, target, _ in _again(nodes)}
    roots = [root_of(target) for _, target, _ in updates(nodes)]
    roots += [root for part in nodes for name in called(part) for root in (methods or {}).get(
        name, ())]
    return [root for root in dict.fromkeys(roots) if root and root not in anew
            and not NO_WEIGHT.search(root.rpartition(".")[2])]


def called(node, others=False):
    """The methods that are called in it, whosever they are; others: not the object's own ones."""
    return [one.func.attr for one in ast.walk(node) if isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and not (others and getattr(one.func.value, "id", "") == "self")]


def _again(nodes):
    """W = W − …, which sets nothing anew."""
    return [one for one in updates(nodes) if isinstance(one[0], ast.Assign)]


def names_set(node):
    """The names that a statement sets as a whole."""
    for target, _ in pairs_of(node):
        for one in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(one, (ast.Name, ast.Attribute)):
                yield root_of(one)


def gradients_of(nodes: list) -> dict[str, int]:
    """{name of a gradient that is computed here and subtracted: its line}: w -= lr * dw."""
    every = [one for part in nodes for one in ast.walk(part)]
    computed = {root_of(target): node for node in every for target, value in pairs_of(node)
                if isinstance(target, ast.Name) and multiplies(value)}
    made = {name for node in every for name in names_set(node)}
    sums = [(node.target, node.value) for node in every if isinstance(node, ast.AugAssign)]
    scaled = {root_of(target) for target, value in [*sums, *itertools.chain(*map(pairs_of, every))]
              if isinstance(target, ast.Name) and isinstance(value, ast.BinOp)
              and isinstance(value.op, ast.Mult) and not _calls(value)}
    found = {}
    for node, target, value in updates(nodes):
        names = {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}
        root = root_of(target)
        own = sorted(names & computed.keys() - {root})
        gradients = [name for name in own if stem(root) in stems_of_gradient(name)]
        steps = any(plain(one) in LEARNING_RATE for one in names | _attributes(value))
        own += sorted(names & scaled)
        by_product = multiplies(value) and not _calls(value) and (
            steps or bool(names & made - {root}) and root in changed(nodes))
        if gradients or steps and own and root in changed(nodes) or by_product:
            for name in gradients or [f"the step of {root}"]:
                found.setdefault(name, computed.get(name, node).lineno)
    return found


def _attributes(node):
    return {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def _calls(node):
    """Functions of the file that it calls: dw of grads(X) is checked with that."""
    return any(isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
               for one in ast.walk(node))


def multiplies(node: ast.AST) -> bool:
    """Is there a product or a sum of arrays in it?"""
    return any(isinstance(one, ast.MatMult) or isinstance(one, ast.Attribute)
               and one.attr in PRODUCTS for one in ast.walk(node))


def loads(node: ast.AST) -> set[str]:
    """The names that it reads."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)
            and not isinstance(one.ctx, ast.Store)} | {
                root_of(one) for one in ast.walk(node) if isinstance(one, ast.Attribute)
                and getattr(one.value, "id", "") == "self"}


def is_target(name: str) -> bool:
    """Is it called like what a network is to give?"""
    return role(name) == "labels" or role(name) is None and name_words(name)[:1] == ["y"]
