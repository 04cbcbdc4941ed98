"""How a file itself calls what it defines, also where that is not run: net = Network([2, 4, 1])
says what the constructor takes, net.forward(X) with X = np.random.randn(6, 2) in which shapes.

Of the file's own code no more runs for that than constructors of its classes.
"""
import ast
import contextlib
import inspect
import re
import types
from collections.abc import Callable, Iterator

from ...gradcheck.tensor_function import frozen
from ..called import binding
from .changes import DEFINITIONS
from .sources import source

DEEP = 6  # names that stand for names
HARMLESS = {"range", "len", "list", "tuple", "int", "float", "dict", "sorted", "max", "min", "sum"}
LIBRARIES = {"np", "numpy", "math", "random"}


def of(found: object, module: types.ModuleType) -> Iterator[dict]:
    """{parameter: value} for a Found, as the file calls it: of a class for its constructor, and
    for its forward where its object is known."""
    if found.kind != "class":
        yield from calls(module, found.forward)
        return
    made = [*calls(module, found.forward)]
    called = [*calls(module, found.forward, found.backward[0])]
    yield from ({**first, **then} for first in made or [{}] for then in called)
    yield from made


def calls(module: types.ModuleType, code: Callable, method: str = "") -> Iterator[dict]:
    """{parameter: value} of each call of a function or class that stands in the file, with those
    arguments that can be told. method: of a class, which of its objects' methods."""
    name = getattr(code, "__name__", "")
    target = getattr(code, method) if method else code
    for scope in _scopes(getattr(module, "__statements__", [])):
        values = _Values(scope, module)
        for call in binding.every(scope, ast.Call):
            if (values.made_by(call.func) == (name, method) if method
                    else getattr(call.func, "id", "") == name):
                if found := _bound(target, call, values, bool(method)):
                    yield found


def _scopes(statements):
    """The statements of the top level, with those of `if __name__ == …`, and of each function."""
    outside = []
    for node in statements:
        outside += node.body if isinstance(node, ast.If) else [node]
    yield [node for node in outside if not isinstance(node, DEFINITIONS)]
    yield from (node.body for node in binding.every(outside, ast.FunctionDef))


def _bound(target, call, values, is_method):
    places = [p.name for p in binding.signature(target) if p.kind not in (
        inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)]
    places = places[1:] if is_method and places[:1] == ["self"] else places
    given = [*zip(places, call.args), *((word.arg, word.value) for word in call.keywords
                                        if word.arg in places)]
    found = {}
    for name, node in given:
        with contextlib.suppress(Exception):  # it depends on what is not here
            found[name] = values.of(node)
    return found


class _Values:
    """What the names of a scope stand for, as far as that can be told by making values."""

    def __init__(self, scope, module):
        self.module, self.nodes = module, {}
        for node in binding.every(scope, ast.Assign):
            if isinstance(node.targets[0], ast.Name):
                self.nodes.setdefault(node.targets[0].id, node.value)

    def made_by(self, node):
        """(class, method) of net.forward, where net = Class(…)."""
        if not isinstance(node, ast.Attribute):
            return None
        made = self.nodes.get(getattr(node.value, "id", ""), node.value)
        made = made.func if isinstance(made, ast.Call) else None
        return getattr(made, "id", ""), node.attr

    def of(self, node, deep=0):
        """The value of an expression. Raises an Exception where it cannot be told."""
        names = vars(self.module)
        inside = {}
        for one in ast.walk(node):
            if isinstance(one, (ast.Lambda, ast.Await, ast.Yield, ast.NamedExpr)):
                raise ValueError("it does more than to name a value")
            if isinstance(one, ast.Call) and not self._is_harmless(one.func):
                raise ValueError("it runs the file's own code")
            if isinstance(one, ast.Name) and names.get(one.id) is None and one.id in self.nodes:
                if deep >= DEEP:
                    raise ValueError("it is defined by itself")
                inside[one.id] = self.of(self.nodes[one.id], deep + 1)
        with frozen() as restart:
            restart()
            return eval(compile(ast.Expression(node), "", "eval"), names, inside)  # noqa: S307

    def _is_harmless(self, function):
        """A function of NumPy, or a class of the file, which makes an object."""
        while isinstance(function, ast.Attribute):
            function = function.value
        name = getattr(function, "id", "")
        return name in HARMLESS | LIBRARIES or isinstance(vars(self.module).get(name), type) or (
            name in self.nodes)


def names_in(module: types.ModuleType) -> set[str]:
    """The arguments of all that a file itself defines, and what its objects keep: what the command
    line may name."""
    own = [value for value in vars(module).values()
           if getattr(value, "__module__", "") == module.__name__]
    classes = [value for value in own if inspect.isclass(value)]
    methods = [one for cls in classes for one in vars(cls).values() if inspect.isroutine(one)]
    kept = {name for cls in classes for name in re.findall(r"self\.(\w+)", source(cls))}
    return kept.union(*(binding.arguments_of(one) for one in [*own, *methods] if callable(one)))
