"""Training code that is no pair of functions: a loop at the top level, a function or method that
trains. What is written there is cut down to one step.

    for epoch in range(10000):          the loop is gone through once; so is one over examples in
        for x, t in zip(X, y):          it, if it changes the weights; what is printed, plotted or
            …                           stopped by is left out, and so is what follows the weights'
            W += rate * np.outer(d, x)  last change
"""
import ast
import copy
import itertools
import re
import sys
from typing import NamedTuple

from ...gradcheck import binding
from ...gradcheck.dialects import (
    LEARNING_RATE,
    name_words,
    plain,
    role,
    stem,
    stems_of_gradient,
)
from ..dialects import TESTS, TRAINS

PRODUCTS = {"dot", "matmul", "outer", "sum", "mean", "einsum", "tensordot", "multiply"}
COUNTS = ("range", "xrange", "tqdm", "trange")
# calls whose value nobody wants: they tell, draw, wait or keep a record
TELLS = re.compile(r"(print|input|display|exit|quit|open|sleep)$|(plt|sys|time|ax|fig|pyplot"
                   r"|logging|logger|os|json|pickle|pd|f|file|writer|bar|pbar)\."
                   r"|self\.\w*(loss|cost|err|hist|acc|mse)\w*\.append")
NO_WEIGHT = re.compile(r"(?i)loss|cost|err|acc|count|correct|total|hits|score|mse|grad|delta")
OF_LOSS = re.compile(r"(?i).*(loss|cost|mse|sse)|err|error|j|e|entropy")
LOOPS, BLOCKS = (ast.For, ast.While), (ast.If, ast.With, ast.Try)


class Unit(NamedTuple):
    """A piece of training code. before: what comes before its loop; body: the loop, or statements
    that are one step; parameters: inspect's, of a function; outside: what comes before that."""

    before: list
    body: list
    parameters: tuple = ()
    outside: tuple = ()
    methods: dict = {}
    owner: type | None = None

    def __hash__(self):
        return id(self)

    def roots(self) -> set[str]:
        """What it changes: W of W -= …, self.w_ of self.w_[1:] += …"""
        return set(changed(self.body, self.methods))


def of(statements: list, parameters: tuple = (), methods: dict | None = None) -> list[Unit]:
    """One Unit for each outermost loop that changes something, and one for all that changes
    something outside of loops. methods: {name: what it changes}."""
    found, plainly, before, methods = [], [], [], methods or {}
    for node in statements:
        if isinstance(node, BLOCKS):
            found += [unit._replace(before=[*before, *unit.before])
                      for unit in of(_inside(node), parameters, methods)]
        elif isinstance(node, LOOPS) and changed([node], methods):
            found.append(Unit(list(before), [node], parameters, (), methods))
        elif changed([node], methods):
            plainly.append(node)
        before.append(node)
    if plainly:
        roots = set(changed(plainly, methods))
        last = statements.index(plainly[-1]) + 1
        first = max((place for place, node in enumerate(statements[:last])
                     if roots & set(_set(node)) - set(changed([node], methods))), default=-1) + 1
        found.append(Unit(statements[:first], statements[first:last], parameters, (), methods))
    return found


def of_function(function: object, methods: dict | None = None) -> list[Unit]:
    """The same of a function."""
    return of(body_of(function), tuple(binding.signature(function)), methods)


def body_of(function: object) -> list[ast.stmt]:
    """The statements of a function, in the lines where they stand."""
    tree = binding.syntax_tree(function)
    code = getattr(function, "__code__", None)
    if code is None or not tree.body or not isinstance(tree.body[0], ast.FunctionDef):
        return []
    ast.increment_lineno(tree, code.co_firstlineno - 1)
    return tree.body[0].body


def of_class(cls: type, methods: dict, any_name: bool) -> tuple[str, Unit] | None:
    """(name, Unit) of the method in which an object trains itself: of those that are called so the
    likeliest; any_name: else one that computes gradients and takes them off its own arrays."""
    inner = _changing(sys.modules[cls.__module__])
    units = {name: found[0] for name, method in methods.items() if not name.startswith("__")
             and (found := of_function(method, inner))}
    named = [name for name in units if plain(name) in TRAINS] or [
        name for name, unit in units.items() if any_name and gradients_of(unit.body)
        and any("self." in root for root in changed(unit.body, inner))]  # not dW += … of a loop
    name = min(named, key=lambda one: TRAINS.get(plain(one), 99), default=None)
    return name and (name, units[name]._replace(owner=cls))


def _changing(module):
    """{name of a method: what it, and those that it calls, change} of all classes of a module."""
    bodies, found = {}, {}
    for cls in vars(module).values():
        if isinstance(cls, type) and cls.__module__ == module.__name__:
            for name, method in vars(cls).items():
                bodies.setdefault(name, []).extend(body_of(method))
    for _ in range(3):  # calls within calls
        found = {name: roots for name, body in bodies.items() if name[:2] != "__"
                 and (roots := [root for root in changed(body, found) if "self." in root])}
    return found


def _inside(node):
    return [*node.body, *getattr(node, "orelse", ())]


def _root(node):
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
            for name in _set(node)} - {_root(target) for _, target, _ in _again(nodes)}
    roots = [_root(target) for _, target, _ in updates(nodes)]
    roots += [root for part in nodes for name in _called(part) for root in (methods or {}).get(
        name, ())]
    return [root for root in dict.fromkeys(roots) if root and root not in anew
            and not NO_WEIGHT.search(root.rpartition(".")[2])]


def _called(node):
    """The methods that are called in it, whosever they are."""
    return [one.func.attr for one in ast.walk(node) if isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)]


def _again(nodes):
    """W = W − …, which sets nothing anew."""
    return [one for one in updates(nodes) if isinstance(one[0], ast.Assign)]


def _set(node):
    """The names that a statement sets as a whole."""
    for target, _ in pairs_of(node):
        for one in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(one, (ast.Name, ast.Attribute)):
                yield _root(one)


def gradients_of(nodes: list) -> dict[str, int]:
    """{name of a gradient that is computed here and subtracted: its line}: w -= lr * dw."""
    every = [one for part in nodes for one in ast.walk(part)]
    computed = {_root(target): node for node in every for target, value in pairs_of(node)
                if isinstance(target, ast.Name) and multiplies(value)}
    made = {name for node in every for name in _set(node)}
    sums = [(node.target, node.value) for node in every if isinstance(node, ast.AugAssign)]
    scaled = {_root(target) for target, value in [*sums, *itertools.chain(*map(pairs_of, every))]
              if isinstance(target, ast.Name) and isinstance(value, ast.BinOp)
              and isinstance(value.op, ast.Mult) and not _calls(value)}
    found = {}
    for node, target, value in updates(nodes):
        names = {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}
        root = _root(target)
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


# ------------------------------------------------------------------------------------ the cut step


def cut(unit: Unit, roots: set[str], data: set[str]) -> list[ast.stmt]:
    """One step: statements that can be run. roots: of the weights; data: names of examples and
    targets. name = __seen__(name) comes after each array that comes of the data."""
    body = [_Chosen(data).visit(node) for node in copy.deepcopy(unit.body)]
    return _once(body, roots, data, unit.methods, outer=True)


class _Chosen(ast.NodeTransformer):
    """np.eye(3)[y] comes of the data, too."""

    def __init__(self, data):
        self.data = data

    def visit_Subscript(self, node):
        node = self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and loads(node.slice) & self.data:
            return ast.Call(ast.Name("__seen__", ast.Load()), [node], [])
        return node


def needed(unit: Unit) -> Unit:
    """The unit with no more than its weights and losses depend on."""
    wanted, before = {root.partition(".")[0] for root in unit.roots()}, None
    while before != wanted:
        before = set(wanted)
        _needed(unit.body, wanted)
    body = _needed(unit.body, wanted, losses=True)
    return unit._replace(body=[_first_time(node) if isinstance(node, LOOPS) else node
                               for node in body])


def is_loss(node: ast.AST) -> bool:
    """Is it a statement that sets a loss, which nothing else needs?"""
    return isinstance(node, ast.Try)


def loads(node: ast.AST) -> set[str]:
    """The names that it reads."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)
            and not isinstance(one.ctx, ast.Store)} | {
                _root(one) for one in ast.walk(node) if isinstance(one, ast.Attribute)
                and getattr(one.value, "id", "") == "self"}


def _needed(body, wanted, losses=False):
    """The statements on which what is wanted depends; wanted grows by what they read. losses: also
    those that set a loss, if they can be run."""
    found = []
    for node in reversed(body):
        if isinstance(node, (*LOOPS, *BLOCKS)):
            found[:0] = _block(node, wanted, losses)
        elif _is_needed(node, wanted):
            wanted |= loads(node)
            found.insert(0, node)
        elif losses and isinstance(node, ast.Assign) and OF_LOSS.fullmatch(_root(node.targets[0])):
            found[:0] = ast.parse("try: pass\nexcept Exception: pass").body
            found[0].body[:] = [node]
    return found


def _block(node, wanted, losses):
    inner = [_needed(getattr(node, name, None) or [], wanted, losses)
             for name in ("body", "orelse")]
    if not any(inner):
        return []
    if isinstance(node, (ast.With, ast.Try)):
        return inner[0]
    if isinstance(node, ast.If) and all(isinstance(one, ast.Try) for part in inner for one in part):
        return []  # a loss, every hundred steps
    wanted |= loads(node.iter) | loads(node.target) if isinstance(node, ast.For) else loads(
        node.test)
    new = copy.copy(node)
    new.body, new.orelse = inner[0] or [ast.Pass()], inner[1]
    return [new]


def _is_needed(node, wanted):
    if isinstance(node, (ast.Continue, ast.Import, ast.ImportFrom, ast.Global)):
        return True
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name in wanted
    if isinstance(node, ast.Expr):
        call = node.value if isinstance(node.value, ast.Call) else None
        if call is None or TELLS.match(ast.unparse(call.func)):
            return False
        root = _root(call.func).partition(".")[0]
        if root == "self" and {*TESTS} & set(name_words(call.func.attr)):
            return False  # it plots
        return isinstance(call.func, ast.Name) or root in wanted or root in ("np", "numpy") and any(
            loads(one) & wanted for one in call.args)
    names = {one.id for target in getattr(node, "targets", [getattr(node, "target", None)])
             if target is not None for one in ast.walk(target) if isinstance(one, ast.Name)
             and not isinstance(one.ctx, ast.Load)}
    names |= {_root(target).partition(".")[0] for target in getattr(
        node, "targets", [getattr(node, "target", None)]) if target is not None}
    return bool(names & wanted)


def _once(body, roots, data, methods, outer):
    """Loops that train are gone through once."""
    found = []
    for node in body:
        if isinstance(node, LOOPS):
            data = data | set(_bound(node.target, node.iter, data)) if isinstance(
                node, ast.For) else data
            trains = roots & set(changed([node], methods))
            is_cut = trains and (outer or bool(loads(node) & data))
            node.body = _once(node.body, roots, data, methods, outer=False)
            if is_cut:
                node.body.append(ast.Break())
                node = _first_time(node)
        elif isinstance(node, BLOCKS):
            node.body = _once(node.body, roots, data, methods, outer)
            node.orelse = _once(node.orelse, roots, data, methods, outer)
        found.append(node)
        found += [ast.parse(f"{name} = __seen__({name})").body[0] for name in _seen(node, data)]
    return found


def _bound(target, over, data):
    """The names that a loop gives to parts of the data: t of for x, t in zip(X, y)."""
    name = ast.unparse(over.func) if isinstance(over, ast.Call) else ""
    inside = getattr(target, "elts", ())
    if name == "zip" and len(inside) == len(over.args):
        for one, part in zip(inside, over.args):
            yield from _bound(one, part, data)
    elif name == "enumerate" and len(inside) == 2:
        yield from _bound(inside[1], over.args[0], data)
    elif loads(over) & data and name.split(".")[-1] not in COUNTS:
        yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))


def _first_time(node):
    node = copy.copy(node)
    if isinstance(node, ast.While):
        node.test = ast.Constant(True)
        return node
    call = node.iter
    while isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in COUNTS:
        inside = call.args[0] if call.args else None
        if isinstance(inside, ast.Call):
            call = inside
            continue
        first = inside if len(call.args) > 1 else ast.Constant(0)
        node.iter = ast.List([first], ast.Load())
        break
    return node


def _seen(node, data):
    """Names that a simple statement sets from the data."""
    if isinstance(node, ast.Assign) and loads(node.value) & data:
        for target, _ in pairs_of(node):
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (one.id for one in names if isinstance(one, ast.Name))


def is_target(name: str) -> bool:
    """Is it called like what a network is to give?"""
    return role(name) == "labels" or role(name) is None and name_words(name)[:1] == ["y"]
