"""What statements set, change, read and compute, by their source alone: W -= rate * dW changes W,
sets nothing as a whole, and reads rate and dW.
"""
import ast
import builtins
import inspect
import re
import types
from collections.abc import Callable, Iterator

from ..called import binding
from ..called.binding import every
from ..names import is_rate, name_words, role, stem, stems_of_gradient

PRODUCTS = {"dot", "matmul", "outer", "sum", "mean", "einsum", "tensordot", "multiply"}
MAKING = {"zeros", "ones", "randn", "rand", "range", "xrange", "eye"}
NO_WEIGHT = re.compile(r"(?i)loss|cost|err|acc|count|correct|total|hits|score|mse|grad|delta")
LOOPS = (ast.For, ast.While)
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
ASSIGNS = (ast.Assign, ast.AugAssign, ast.AnnAssign)
DEEP = 4  # what is computed of what is computed


def body_of(function: object) -> list[ast.stmt]:
    """The statements of a function, in the lines where they stand. What is private to a class has
    the name that it has outside of it: self._Net__weights."""
    tree = binding.parsed(function)
    code = getattr(function, "__code__", None)
    if code is None or not tree.body or not isinstance(tree.body[0], ast.FunctionDef):
        return []
    ast.increment_lineno(tree, code.co_firstlineno - 1)
    owner = getattr(function, "__qualname__", "").split(".")[:-1]
    for node in ast.walk(tree) if owner else ():
        if isinstance(node, ast.Attribute) and re.fullmatch(r"__\w*[^\W_]_?", node.attr):
            node.attr = f"_{owner[-1].lstrip('_')}{node.attr}"
    return tree.body[0].body


def root_of(node: ast.AST) -> str:
    """W of W[1:], self.w_ of self.w_[1:], params of params["W"]."""
    while isinstance(node, (ast.Subscript, ast.Starred)):
        node = node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return getattr(node, "id", "")


def functions_of(module: types.ModuleType) -> dict[str, Callable]:
    """{name: function} of those that a file itself defines."""
    return {name: value for name, value in vars(module).items() if inspect.isfunction(value)
            and value.__module__ == module.__name__}


def outside(module: types.ModuleType) -> list[ast.stmt]:
    """The statements at the top level that define nothing."""
    return [part for part in getattr(module, "__statements__", [])
            if not isinstance(part, DEFINITIONS)]


def targets(node: ast.AST) -> list[ast.AST]:
    """What a statement, or a loop, gives values to."""
    found = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return [one for one in found if one is not None]


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
    for node in every(nodes):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
            found.append((node, node.target, node.value))
        for target, value in pairs_of(node):
            sides = [value.left, value.right][:1 + isinstance(value.op, ast.Add)] if isinstance(
                value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub)) else []
            if ast.unparse(target) in map(ast.unparse, sides):
                found.append((node, target, value))
            elif (inside := _of_each(target, value)) is not None:
                found.append((node, target, inside))
    return [one for one in found if not isinstance(one[2], (ast.Constant, ast.JoinedStr, ast.List))]


def _of_each(target, value):
    """rate * g of Ws = [w - rate * g for w, g in zip(Ws, gs)]; None of anything else."""
    each = getattr(value, "value" if isinstance(value, ast.DictComp) else "elt", None)
    if isinstance(each, ast.BinOp) and isinstance(each.op, (ast.Add, ast.Sub)) and ast.unparse(
            target) in [ast.unparse(one) for over in value.generators for one in ast.walk(over.iter)
                        if isinstance(one, (ast.Name, ast.Attribute))]:
        return each.right
    return None


def changed(nodes: list, methods: dict | None = None) -> list[str]:
    """The roots of what may be weights: no counts, and nothing that is made anew in the loop.
    methods: what those change that are called; a number is an argument's place."""
    anew = {name for part in nodes if isinstance(part, LOOPS) for node in ast.walk(part)
            for name in names_set(node)} - {root_of(target) for _, target, _ in _again(nodes)}
    roots = [root_of(target) for _, target, _ in updates(nodes)]
    by_calls = [root for call in every(nodes, ast.Call) for root in _by_call(call, methods or {})]
    back = {root for root in by_calls if "." not in root}  # handed
    return [root for root in dict.fromkeys([*roots, *by_calls]) if root and root not in anew - back
            and not NO_WEIGHT.search(root.rpartition(".")[2])]


def _by_call(call, methods):
    """What a call changes."""
    for root in methods.get(_name_of(call), ()):
        if isinstance(root, str):
            yield root
        elif root < len(call.args):
            yield root_of(call.args[root])


def _name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def handed(nodes: list, functions: dict) -> dict[str, list[str]]:
    """{name of a function: what is handed to it, and is what it gives back, or what it changes that
    lies outside of it}: parameters of parameters = update(parameters, grads)."""
    found = {name: roots for name, one in functions.items() if (roots := _outer(one))}
    for node in every(nodes, ast.Assign):
        name = getattr(getattr(node.value, "func", None), "id", "")
        if name in functions:
            found[name] = found.get(name, []) + [
                one for one in names_set(node) if one in loads(node.value)
                and role(one) not in ("h", "c")]  # the state of a recurrent network
    return {name: roots for name, roots in found.items() if roots}


def _outer(function):
    """The names outside of a function that it changes, as a whole where it says global."""
    body = body_of(function)
    inside = binding.parameter_names(function) | {
        name for one in every(body) for name in names_set(one)} | {
        name for one in every(body, ast.For) for name in names_in(one.target)}
    told = {name for one in every(body, ast.Global) for name in one.names}
    return [root for root in changed(body) if root in told or root not in inside
            and "." not in root]


def names_in(node: ast.AST) -> set[str]:
    """The plain names that stand in it."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def averages(nodes: list[ast.stmt]) -> set[str]:
    """The names of running averages, which start at zero: v of v = mu * v - rate * dw."""
    return {root_of(target) for node in every(nodes)
            for target, value in pairs_of(node) if isinstance(value, ast.BinOp)
            and isinstance(value.op, (ast.Add, ast.Sub)) and any(
                isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult)
                and ast.unparse(target) in map(ast.unparse, (one.left, one.right))
                for one in (value.left, value.right))}


def decaying(nodes: list[ast.stmt]) -> set[str]:
    """beta of P[i] += rate * (e * Q[j] - beta * P[i]), which makes the weights smaller."""
    return {root_of(one).rpartition(".")[2] for _, target, value in updates(nodes)
            for product in every([value], ast.BinOp) if isinstance(product.op, ast.Mult)
            for one, other in ((product.left, product.right), (product.right, product.left))
            if isinstance(one, (ast.Name, ast.Attribute)) and not is_rate(
                root_of(one).rpartition(".")[2]) and ast.unparse(other) == ast.unparse(target)}


def called(node: ast.AST, others: bool = False) -> list[str]:
    """The methods that are called in it, whosever they are, and the functions; others: no methods
    of the object itself, no functions."""
    return [_name_of(one) for one in every([node], ast.Call) if not others
            or isinstance(one.func, ast.Attribute) and getattr(one.func.value, "id", "") != "self"]


def _again(nodes):
    """W = W − …, which sets nothing anew."""
    return [one for one in updates(nodes) if isinstance(one[0], ast.Assign)]


def names_set(node: ast.AST) -> Iterator[str]:
    """The names that a statement sets as a whole."""
    for target, _ in pairs_of(node):
        for one in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(one, (ast.Name, ast.Attribute)):
                yield root_of(one)


def set_or_imported(nodes: list[ast.stmt]) -> set[str]:
    """The names that statements set or import."""
    return {node.id for node in every(nodes, ast.Name) if not isinstance(node.ctx, ast.Load)} | {
        (alias.asname or alias.name).split(".")[0]
        for node in every(nodes, ast.Import, ast.ImportFrom) for alias in node.names}


def names_stored(node: ast.AST) -> set[str]:
    """The names that a statement sets, as a whole or in part, or appends to; of an import none."""
    parts = [one for one in every([node], ast.Name, ast.Subscript)
             if isinstance(one.ctx, ast.Store)]
    parts += [one.func.value for one in every([node], ast.Call) if isinstance(
        one.func, ast.Attribute) and one.func.attr in ("append", "extend")]
    return {root_of(one).partition(".")[0] for one in parts} - {""}


def gradients_of(nodes: list, checked: set | None = None) -> dict[str, int]:
    """{name of a gradient that is computed here and subtracted: its line}: w -= lr * dw. checked:
    names of functions whose gradients are checked with them; None: of all."""
    both = [(node, root_of(target), value) for node in every(nodes) for target, value in [
        *pairs_of(node), *([(node.target, node.value)] if isinstance(node, ast.AugAssign) else [])]]
    both = [one for one in both if one[1].isidentifier()]
    scaled = {name for _, name, value in both if isinstance(value, ast.BinOp)
              and (isinstance(value.op, ast.Mult) or name not in loads(value) and any(
                  isinstance(getattr(one, "op", None), ast.Mult) for one in (
                      value.left, value.right))) and not _calls(value, checked)
              and ast.unparse(value.left) != ast.unparse(value.right)}  # a memory of squares
    computed = {name: node for node, name, value in both if multiplies(value)}
    for _ in range(DEEP):  # what is computed from those
        computed = {**{name: node for node, name, value in both if isinstance(
            value if isinstance(node, ast.Assign) else node, (ast.BinOp, ast.AugAssign))
            and loads(value) & computed.keys()}, **computed}
    differences = {name for _, name, value in both if isinstance(value, ast.BinOp)
                   and isinstance(value.op, ast.Sub)}
    made, found = {name for node in every(nodes) for name in names_set(node)}, {}
    for node, target, value in updates(nodes):
        names, root = loads(value), root_of(target)
        own = sorted(names & computed.keys() - {root})
        gradients = [name for name in own
                     if stem(root if root.startswith("self.") else root.rpartition(".")[2])
                     in stems_of_gradient(name)]
        steps = any(is_rate(one) for one in names | _attributes(value))
        is_weight = root in changed(nodes)
        own_call = bool(checked is not None and own and _calls(value)) and not _calls(
            value, checked)
        own += sorted(names & scaled)
        by_product = any(map(multiplies, _outside(value, checked))) and (
            steps or bool(names & made - {root}) and is_weight)
        by_entry = steps and is_weight and names & differences and _is_by_entry(target, value)
        if gradients or (steps and own or own_call) and is_weight or by_product or by_entry:
            for name in gradients or [f"the step of {root}"]:
                found.setdefault(name, computed.get(name, node).lineno)
    return found


def _is_by_entry(target, value):
    """w[i + 1] += rate * error * row[i]"""
    places = {one.slice.id for one in every([value], ast.Subscript)
              if isinstance(one.slice, ast.Name) and root_of(one) != root_of(target)}
    return isinstance(target, ast.Subscript) and bool(places & loads(target.slice))


def _attributes(node):
    return {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def _calls(node, checked=None):
    """Functions of the file that it calls: dw of grads(X) is checked with that."""
    return any(_is_call(one, checked) for one in ast.walk(node))


def _is_call(node, checked):
    name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
    return bool(name) and (not hasattr(builtins, name) if checked is None else name in checked)


def _outside(node, checked):
    """The operands of an expression that are no such calls."""
    if isinstance(node, (ast.BinOp, ast.UnaryOp)):
        parts = [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)]
        return ([node] if isinstance(getattr(node, "op", None), ast.MatMult) or _is_of_entries(node)
                else [one for part in parts for one in _outside(part, checked)])
    return [] if _is_call(node, checked) else [node]


def counted(nodes: list[ast.stmt]) -> set[str]:
    """The names of numbers of things: n of np.zeros((n, 3)), of normal(0, 1, (n, 3)), of
    range(n)."""
    found: set[str] = set()
    for call in every(nodes, ast.Call):
        makes = ast.unparse(call.func).split(".")[-1] in MAKING
        inside = [*call.args, *(one.value for one in call.keywords if one.arg in ("size", "shape"))]
        found |= {root_of(one) for argument in inside for one in (
            argument.elts if isinstance(argument, ast.Tuple) else [argument][:makes])
            if isinstance(one, (ast.Name, ast.Attribute))
            and ("random" in ast.unparse(call.func) or makes)}
    return found


def multiplies(node: ast.AST) -> bool:
    """Is there a product or a sum of arrays in it?"""
    return any(isinstance(one, ast.MatMult) or isinstance(one, ast.Attribute)
               and one.attr in PRODUCTS or _is_of_entries(one) for one in ast.walk(node))


def _is_of_entries(node):
    """x[i] * d[j]: of entries of two arrays."""
    sides = [{root_of(one) for one in every([side], ast.Subscript)
              if isinstance(one.slice, ast.Name)} for side in (node.left, node.right)
             ] if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) else []
    return all(sides) and bool(sides) and not sides[0] & sides[1]


def loads(node: ast.AST) -> set[str]:
    """The names that it reads."""
    return {one.id for one in every([node], ast.Name) if not isinstance(one.ctx, ast.Store)} | {
        root_of(one) for one in every([node], ast.Attribute)
        if getattr(one.value, "id", "") == "self"}


def positive(nodes: list) -> set[str]:
    """The names of numbers of which a logarithm or a root is taken, or that count if above 0."""
    return {root_of(call.args[0]) for call in every(nodes, ast.Call) if call.args
            and _name_of(call) in ("log", "sqrt", "log2", "log10")} | {
        root_of(one.left) for one in every(nodes, ast.Compare) if isinstance(
            one.left, ast.Subscript) and ast.unparse(one.comparators[0]) == "0"
        and isinstance(one.ops[0], (ast.Gt, ast.NotEq))}


def is_target(name: str) -> bool:
    """Is it called like what a network is to give?"""
    return role(name) == "labels" or role(name) is None and name_words(name)[:1] == ["y"]
