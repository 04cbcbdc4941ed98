"""Training code (units.Unit) is cut down to one step.

    for epoch in range(10000):          the loop is gone through once; so is one over examples in
        for x, t in zip(X, y):          it, if it changes the weights; what is printed, plotted or
            …                           stopped by is left out, and so is what follows the weights'
            W += rate * np.outer(d, x)  last change
"""
import ast
import copy
import re
import types
from collections.abc import Iterable

from ..called import binding
from ..dialects import TESTS, letter
from ..names import is_penalty, name_words, role
from ..reading import changes, pairs
from ..reading.changes import LOOPS, called, changed, is_target, loads, pairs_of, root_of, updates
from ..reading.plainer import without_optimizer
from .units import BLOCKS, Unit

COUNTS = ("range", "xrange", "tqdm", "trange")
# calls whose value nobody wants: they tell, draw, wait or keep a record
TELLS = re.compile(r"(print|input|display|exit|quit|open|sleep)$|(plt|sys|time|ax|fig|pyplot"
                   r"|logging|logger|os|json|pickle|pd|f|file|writer|bar|pbar)\."
                   r"|self\.\w*(loss|cost|err|hist|acc|mse)\w*\.append")
SHAPING = ("reshape", "ravel", "flatten", "squeeze", "copy", "astype")
OF_LOSS = re.compile(r"(?i).*(loss|cost|mse|sse)|err|error|j|e|entropy")


def cut(unit: Unit, roots: set[str], data: set[str]) -> list[ast.stmt]:
    """One step: statements that can be run. roots: of the weights; data: names of examples and
    targets. name = __seen__(name) comes after each array that comes of the data, and __taken__
    before 1 is taken off at classes."""
    body = [_Chosen(data).visit(node) for node in without_optimizer(copy.deepcopy(unit.body))]
    return _once(body, roots, data, unit.methods, outer=len(body) == 1)


class _Chosen(ast.NodeTransformer):
    """np.eye(3)[y] comes of the data, too; the strength of a penalty that is set here is 0."""

    def __init__(self, data):
        self.data = data

    def visit_Subscript(self, node):
        node = self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and loads(node.slice) & self.data:
            return ast.Call(ast.Name("__seen__", ast.Load()), [node], [])
        return node

    def visit_Assign(self, node):
        node = self.generic_visit(node)
        if isinstance(node.value, ast.Constant) and all(is_penalty(root_of(target).rpartition(
                ".")[2]) for target in node.targets):
            return ast.copy_location(ast.Assign(node.targets, ast.Constant(0.0)), node)
        return node


def targets_of(body: list[ast.stmt], names: Iterable[str]) -> set[str]:
    """Which of these are called like targets; where none is, which are subtracted, or subtracted
    from, and stand in no product and no call."""
    found = {name for name in names if is_target(name.rpartition(".")[2])}
    every = binding.every(body)
    same = {name: name for name in names}
    for node in every:
        same.update((root_of(target), same[source]) for target, value in pairs_of(node)
                    if (source := _whose(value)) in same and isinstance(target, ast.Name))
        if isinstance(node, (ast.For, ast.comprehension)):
            same.update((one, source) for source in set(names) for one in _bound(
                node.target, node.iter, {source}))
    compared, fed = set(), set()
    in_losses = {one for node in every if _sets_loss(node) and "loss" in ast.unparse(
        changes.targets(node)[0]).lower() for one in ast.walk(node)}
    for node in every:
        if isinstance(node, ast.BinOp):
            (compared if isinstance(node.op, ast.Sub) else fed).update(
                map(_whose, (node.left, node.right)))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "np.subtract":
            compared.update(map(_whose, node.args))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) != "len" and (
                node not in in_losses):
            fed.update(map(_whose, [*node.args, getattr(node.func, "value", None)]))
    both = [{same[one] for one in part if one in same} for part in (compared, fed)]
    return found or (both[0] - both[1] if len(set(names)) > 1 else found)


def chosen(body: list[ast.stmt]) -> set[str]:
    """The names of classes, actions at which 1 is taken off."""
    return {name for node in binding.every(body, ast.AugAssign) if _takes_one(node)
            for name in loads(node.target.slice)}


def _takes_one(node):
    return (isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript)
            and isinstance(node.op, ast.Sub) and getattr(node.value, "value", None) == 1)


def _whose(node):
    """X of X[i], of X.T, of X.reshape(-1, 1) and of X; self.X of self.X[i]."""
    while isinstance(node, (ast.Subscript, ast.Attribute)) and not (
            isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self") or (
            isinstance(node, ast.Call) and getattr(node.func, "attr", "") in SHAPING):
        node = node.func if isinstance(node, ast.Call) else node.value
    return root_of(node)


def needed(unit: Unit) -> Unit:
    """The unit with no more than its weights and losses depend on."""
    unit = unit._replace(body=_until_changed(unit.body, unit.roots(), unit.methods))
    wanted, before = {root.partition(".")[0] for root in unit.roots()}, None
    wanted |= {f".{name}" for name in (*unit.methods, *unit.states)}  # grad = layer.backward(grad)
    wanted |= {f"self.{name}()" for name, changes in unit.methods.items()
               if unit.roots() & set(changes)}  # costs.append(self.update(x, t))
    while before != wanted:
        before = set(wanted)
        _needed(unit.body, wanted)
    body = _needed(unit.body, wanted, losses=True)
    return unit._replace(body=[_first_time(node) if isinstance(node, LOOPS) and body == [node]
                               else node for node in body])


def apart(unit: Unit, module: types.ModuleType) -> Unit:
    """The unit, with the parts of its examples for lists of them that are not here."""
    given = {p.name for p in unit.parameters if p.default is p.empty or p.default is None}
    made: set[str] = set()
    for name in {one for node in unit.body for one in called(node)} if unit.owner else ():
        made |= loads(binding.syntax_tree(getattr(unit.owner, name, None)))  # it may keep them
    body, parts = pairs.taken_apart(unit.body, lambda name: name in given or (
        name.startswith("self.") and name not in made if unit.owner
        else name.isidentifier() and vars(module).get(name) is None))
    return unit._replace(body=body, apart=parts) if parts else unit


def _until_changed(body, roots, methods, again=False):
    """Without what follows the last change of the weights, but for losses; again: and for what a
    loop hands on to its next time."""
    last = max((place for place, node in enumerate(body) if roots & {*changed([node], methods)}),
               default=len(body) - 1)
    kept = _handed_on(body[:last + 1], body[last + 1:]) if again else []
    found = [*body[:last + 1], *(node for node in body[last + 1:]
                                 if node in kept or _sets_loss(node))]
    if body and isinstance(body[last], (*LOOPS, ast.If, ast.With)):
        found[last] = copy.copy(body[last])
        found[last].body = _until_changed(body[last].body, roots, methods,
                                          isinstance(body[last], LOOPS))
    return found


def _handed_on(before, after):
    """Of what follows in a loop what its next time reads: delta = below"""
    read, made, found = set(), set(), []
    for node in before:
        read |= loads(node) - made
        made |= {*changes.names_set(node)}
    for node in reversed(after):
        if read & {*changes.names_set(node), *changes.names_stored(node)} - {"self"}:
            read |= loads(node)
            found.insert(0, node)
    return found


def _sets_loss(node):
    return isinstance(node, (ast.Assign, ast.AugAssign)) and bool(
        OF_LOSS.fullmatch(root_of(changes.targets(node)[0])))


def _keeps_loss(node):
    """self.loss += …, on which no gradient depends"""
    return _sets_loss(node) and isinstance(changes.targets(node)[0], ast.Attribute) and bool(
        re.search("loss|cost", changes.targets(node)[0].attr))


def is_loss(node: ast.AST) -> bool:
    """Is it a statement that sets a loss, which nothing else needs?"""
    return isinstance(node, ast.Try)


def _needed(body, wanted, losses=False):
    """The statements on which what is wanted depends; wanted grows by what they read. losses: also
    those that set a loss, if they can be run."""
    found = []
    for node in reversed(body):
        if isinstance(node, (*LOOPS, *BLOCKS)):
            found[:0] = _block(node, wanted, losses)
        elif _is_needed(node, wanted) and not _keeps_loss(node):
            wanted |= loads(node)
            found.insert(0, node)
        elif losses and _sets_loss(node):
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
    if isinstance(node, (ast.Continue, ast.Import, ast.ImportFrom, ast.Global)) or any(
            f".{name}" in wanted for name in called(node, others=True)) or any(
            f"self.{name}()" in wanted for name in called(node)):
        return True
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name in wanted
    if isinstance(node, ast.Expr):
        call = node.value if isinstance(node.value, ast.Call) else None
        if call is None or TELLS.match(ast.unparse(call.func)):
            return False
        root = root_of(call.func).partition(".")[0]
        if root == "self" and {*TESTS} & set(name_words(call.func.attr)):
            return False  # it plots
        return isinstance(call.func, ast.Name) or root in wanted or root in ("np", "numpy") and any(
            loads(one) & wanted for one in call.args)
    targets = changes.targets(node)
    names = {one.id for one in binding.every(targets, ast.Name)
             if not isinstance(one.ctx, ast.Load)}
    return bool(wanted & {*names, *(root_of(target).partition(".")[0] for target in targets)})


def _once(body, roots, data, methods, outer):
    """Loops that train are gone through once."""
    found = []
    for node in body:
        if isinstance(node, LOOPS):
            data = data | set(_bound(node.target, node.iter, data)) if isinstance(
                node, ast.For) else data
            trains = roots & set(changed([node], methods))
            is_cut = trains and (outer or bool(loads(node) & data) and (
                _is_over_entries(node, roots, data) or not _is_over_weights(node)))
            node.body = _once(node.body, roots, data, methods, outer=False)
            if is_cut:
                node.body.append(ast.Break())
                node = _first_time(node)
        elif isinstance(node, BLOCKS):
            node.body = _once(node.body, roots, data, methods, outer)
            node.orelse = _once(node.orelse, roots, data, methods, outer)
        found += [*_taken(node, data), node]
        found += [ast.parse(f"{name} = __seen__({name})").body[0] for name in _seen(node, data)]
        data = data | {target.id for target, value in changes.pairs_of(node) if isinstance(
            target, ast.Name) and _is_part(value, data)}
    return found


def _is_part(value, data):
    """y[i:j], y.reshape(-1, 1), one_hot(y, 10): no more than another form of some data."""
    while isinstance(value, ast.Call) and not isinstance(value.func, ast.Name) and not (
            value.args and loads(value.args[0]) & data):
        value = getattr(value.func, "value", None)
    if isinstance(value, ast.Call):
        others = [one.id for one in value.args[1:] if isinstance(one, ast.Name)]
        if any(letter(one) is None or role(one) for one in others):  # loss_prime(y, out)
            return False
        value = value.args[0] if value.args else None
    return isinstance(value, (ast.Name, ast.Subscript, ast.Attribute)) and _whose(value) in data


def _is_over_weights(node):
    """for i in range(n): w[i] += rate * error * x[i]"""
    names = changes.names_in(node.target) if isinstance(node, ast.For) else set()
    if names and not _counts(node.iter) and _is_whole(node.body):
        return False  # for word, other in zip(X, y): each takes a step of its own
    return any(isinstance(one, ast.Subscript) and names & loads(one.slice)
               for _, target, _ in updates(node.body) for one in ast.walk(target))


def _counts(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) in (*COUNTS, "enumerate",
                                                                     "reversed")


def _is_whole(body):
    """Does it compute something, and add it to nothing that was there before but weights?"""
    made = {name for node in body for name in changes.names_set(node)}
    added = {root_of(node.target) for node in binding.every(body, ast.AugAssign)
             if isinstance(node.target, ast.Name) and not _sets_loss(node)}
    return bool(made) and added <= made


def _is_over_entries(node, roots, data):
    """for i in range(n): e = R[i, j] - P[i] @ Q[j], each entry with rows of its own"""
    names = changes.names_in(node.target) if isinstance(node, ast.For) else set()
    return any(_whose(one.left) in data and names & loads(one.left) and (
        roots & loads(one.right) or isinstance(one.right, ast.Call) and names & loads(one.right))
        for one in binding.every(node.body, ast.BinOp) if isinstance(one.op, ast.Sub))


def _taken(node, data):
    """[__taken__(p, (range(n), y))] before p[range(n), y] -= 1: 1 is taken off at the classes."""
    if _takes_one(node) and loads(node.target.slice) & data:
        return ast.parse(f"__taken__({ast.unparse(node.target.value)}, "
                         f"({ast.unparse(node.target.slice)}))").body
    return []


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
        yield from changes.names_in(target)


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
    """Names that a simple statement sets from the data; T of T[range(n), y] = 1, too."""
    if isinstance(node, ast.Assign):
        yield from (root for target in node.targets if isinstance(target, ast.Subscript)
                    and (root := root_of(target)).isidentifier() and (
                        loads(target.slice) & data or loads(node.value) & data
                        and is_target(root)))
    if isinstance(node, ast.Assign) and loads(node.value) & data:
        for target, _ in pairs_of(node):
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (one.id for one in names if isinstance(one, ast.Name))
