"""A student's statements, such that what older Python and NumPy did is done again.

    a / b                   of whole numbers: Python 2 drops the fraction
    out[i, j] = x           where x is an array of one number; float(x), math.exp(x), "%f" % x
    np.array([[1], [2, 3]]) is an array of lists
    names.keys()[0]         of Python 2, whose keys are a list

Only what newer ones refuse is done otherwise: what runs, runs as it is. What was done so is told.
"""
import ast
import builtins
import copy
import math
import operator

import numpy as np

from ..called.binding import every
from .changes import set_or_imported
from .older import NAMES, USED, WHOLE, Division

NAME = "__older__"  # what this module is called in a student's
NUMBERS = {"float", "int", "complex"}
RAGGED = {"array", "asarray", "asanyarray"}
LISTS = {"keys", "values", "items"}
METHODS = {f"iter{name}": name for name in LISTS} | {f"view{name}": name for name in LISTS}
OF_PYTHON_2 = NAMES.keys() - dir(builtins) - {"reduce"} | {"xrange"}
INPLACE = {ast.Add: "iadd", ast.Sub: "isub", ast.Mult: "imul", ast.Div: "quotient_in_place"}


_OF_FILES: dict = {}


def prepare(path: object, tree: list[ast.stmt], python_2: bool) -> None:
    """The statements of this file are going to be rewritten."""
    _OF_FILES[str(path)] = _Rewriter(tree, python_2)


def rewritten(module: ast.Module, path: object) -> ast.Module:
    """A copy, to be compiled, of statements of a file that was prepared. Its names need NAME."""
    rewriter = _OF_FILES.get(str(path))
    return module if rewriter is None else ast.fix_missing_locations(
        rewriter.visit(copy.deepcopy(module)))


class _Rewriter(ast.NodeTransformer):
    def __init__(self, tree, python_2):
        nodes = every(tree)
        own = {node.id for node in nodes if isinstance(node, ast.Name)
               and isinstance(node.ctx, ast.Store)}
        own |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        of_math = {alias.asname or alias.name for node in nodes
                   if isinstance(node, ast.ImportFrom) and node.module == "math"
                   for alias in node.names}
        self.numbers = NUMBERS | (of_math - {"*"}) | ({*vars(math)} if "*" in of_math else set())
        self.numbers -= own
        self.python_2 = python_2
        self.divides = not any(isinstance(node, ast.ImportFrom) and node.module == "__future__"
                               and node.names[0].name == "division" for node in nodes)

    def visit_ClassDef(self, node):
        self.generic_visit(node)  # without __slots__: what an object keeps is looked for in it
        node.body = [one for one in node.body if not (isinstance(one, ast.Assign) and getattr(
            one.targets[0], "id", "") == "__slots__")] or [ast.Pass()]
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        is_text = isinstance(node.left, ast.JoinedStr) or isinstance(
            getattr(node.left, "value", None), str) and isinstance(node.left, ast.Constant)
        if isinstance(node.op, (ast.Mod, ast.RShift)) and _is_print(node.left):
            return node.left if isinstance(node.left, ast.Call) else ast.Constant(None)
        name = "quotient" if isinstance(node.op, ast.Div) and self.divides else (
            "formatted" if is_text and isinstance(node.op, ast.Mod) else "")
        return _call(name, node, node.left, node.right) if name else node

    def visit_Assign(self, node):
        self.generic_visit(node)
        (target, *others) = node.targets
        if others or not isinstance(target, ast.Subscript):
            return node
        return ast.copy_location(ast.Expr(_call("store", node, node.value, target.value,
                                                _index(target.slice))), node)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        name = INPLACE.get(type(node.op))
        if isinstance(node.target, ast.Subscript) and name:
            return ast.copy_location(ast.Expr(_call(
                "update", node, ast.Constant(name), node.target.value, _index(node.target.slice),
                node.value)), node)
        if name != "quotient_in_place" or not self.divides:
            return node
        now = copy.deepcopy(node.target)
        now.ctx = ast.Load()
        return ast.copy_location(ast.Assign([node.target], _call(name, node, now, node.value)),
                                 node)

    def visit_Call(self, node):
        self.generic_visit(node)
        function, name = node.func, getattr(node.func, "attr", getattr(node.func, "id", ""))
        is_method = isinstance(function, ast.Attribute)
        of = getattr(function.value, "id", "") if is_method else ""
        if is_method and isinstance(function.value, ast.Call) and _is_print(function.value):
            return function.value
        if any(isinstance(one, ast.Starred) for one in node.args) or not is_method and (
                name not in self.numbers):
            return node
        if not is_method or of == "math":
            return _call("number", node, function, *node.args, keywords=node.keywords)
        if name in RAGGED and of in ("np", "numpy"):
            return _call("array", node, function, *node.args, keywords=node.keywords)
        if self.python_2 and name in LISTS and not node.args:
            return _call("listed", node, node)
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if self.python_2 and isinstance(node.ctx, ast.Load) and node.attr in {*METHODS, "has_key"}:
            return _call("method", node, node.value, ast.Constant(node.attr))
        return node


def is_python_2(tree: list[ast.stmt]) -> bool:
    """Does it use what only Python 2 has?"""
    bound = set_or_imported(tree)
    return any(
        isinstance(node, ast.Name) and node.id in OF_PYTHON_2 - bound
        or isinstance(node, ast.Attribute) and (
            node.attr in {*METHODS, "has_key"} and getattr(node.value, "id", "") != "six"
            or isinstance(node.value, ast.Call) and _is_print(node.value))
        or isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.RShift))
        and _is_print(node.left) for node in every(tree))


def _is_print(node):
    return getattr(getattr(node, "func", node), "id", "") == "print"


def _call(name, place, *arguments, keywords=()):
    function = ast.Attribute(ast.Name(NAME, ast.Load()), name, ast.Load())
    made = ast.Call(function, list(arguments), list(keywords))
    for node in (made, function, function.value):
        ast.copy_location(node, place)
    return made


def _index(node):
    """What stands in brackets, as an expression."""
    if isinstance(node, ast.Tuple):
        return ast.copy_location(ast.Tuple(list(map(_index, node.elts)), ast.Load()), node)
    if not isinstance(node, ast.Slice):
        return node
    parts = [part or ast.copy_location(ast.Constant(None), node)
             for part in (node.lower, node.upper, node.step)]
    return _call("slice", node, *parts)


# ---------------------------------------------------------------------- what the statements call


slice = slice  # a file may have another


quotient = Division.of


def quotient_in_place(a, b):
    """a /= b"""
    return quotient(a, b) if isinstance(a, WHOLE) else operator.itruediv(a, b)


def store(value, target, index):
    """target[index] = value"""
    try:
        target[index] = value
    except (ValueError, TypeError) as error:
        if not (isinstance(target, np.ndarray) and _refuses_one(error) and _is_one(value)):
            raise
        target[index] = _one(value)


def update(name, target, index, value):
    """target[index] += value"""
    done = quotient_in_place if name == "quotient_in_place" else getattr(operator, name)
    store(done(target[index], value), target, index)


def number(function, *arguments, **keywords):
    """float(x), math.exp(x)"""
    try:
        return function(*arguments, **keywords)
    except TypeError as error:
        if not _refuses_one(error) or not any(map(_is_one, arguments)):
            raise
        return function(*[_one(one) if _is_one(one) else one for one in arguments], **keywords)


def formatted(text, values):
    """text % values"""
    try:
        return text % values
    except TypeError:
        several = values if isinstance(values, tuple) else (values,)
        if not any(map(_is_one, several)):
            raise
        return text % tuple(_one(one) if _is_one(one) else one for one in several)


def array(function, *arguments, **keywords):
    """np.array(rows), of any lengths."""
    try:
        return function(*arguments, **keywords)
    except ValueError as error:
        rows, *others = arguments or [None]
        if "inhomogeneous" not in str(error) or not isinstance(rows, (list, tuple)):
            raise
        if all(np.ndim(one) == 0 or _is_one(one) for one in rows):
            return function([_one(one) if _is_one(one) else one for one in rows], *others,
                            **keywords)
        if others or keywords.get("dtype", object) is not object:
            raise
    USED["array"] = "newer NumPy makes no array of rows of different lengths: add dtype=object"
    found = np.empty(len(rows), dtype=object)
    for number, row in enumerate(rows):
        found[number] = row
    return found


def listed(found):
    """keys() as a list."""
    return list(found) if type(found) in {type(getattr({}, name)()) for name in LISTS} else found


def method(thing, name):
    """What Python 2's dictionaries have."""
    if not hasattr(thing, name) and isinstance(thing, dict):
        return thing.__contains__ if name == "has_key" else getattr(thing, METHODS[name])
    return getattr(thing, name)


def _refuses_one(error):
    return str(error).startswith(("setting an array element with a sequence", "only 0-dim",
                                  "only length-1", "only size-1"))


def _is_one(value):
    """An array of one number where a number is due?"""
    return isinstance(value, np.ndarray) and value.size == 1 and value.ndim > 0


def _one(value):
    USED["one"] = "newer NumPy takes no array for a number: write x.item()"
    return value.item()

