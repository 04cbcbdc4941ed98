"""Stand-ins for what a file imports from files that were not handed in: the rest of it can then be
checked.

As a base class or in an annotation one is as good as another. Called, a stand-in is

    what every course has (softmax, im2col, Affine(W, b) …)   the usual one, in USUAL
    given sizes alone, as a function that makes weights is    an array of that shape
    a class that is given an array, as Parameter is           an object that holds it

In arithmetic one stands for a constant, POOL_SIZE or EPS, whose name says how large it may be; and
anything else says which file is missing.
"""
import abc
import ast
import builtins
import functools
import importlib.util
import inspect
import operator
import re
import types

import numpy as np

from ...gradcheck.report import Report
from ..called.binding import every
from ..dialects import GEOMETRY, NUMPYS, OF_GRADIENTS, OPTIONS, SIZES, letter
from ..names import is_rate, option, plain
from ..status import problems
from .changes import set_or_imported
from .sources import source
from .usual import ACTIVATIONS, SCIPYS, USUAL, sizes_of, weights

NOWHERE: set[str] = set()  # base classes and annotations that a file has from nowhere
USED: dict[str, str] = {}  # {a usual function that was called: where the file has its own from}
FRAMEWORKS = {"torch", "tensorflow", "keras", "mxnet", "paddle", "theano"}  # of other arrays
KNOWN = {"scipy", "pandas"}  # what these have is known
OF_DATA = ("value", "val", "v", "shape", "ndim", "size", "dtype", "T")


class NotHandedIn(AttributeError):
    """The code needs what is in a file that is not here."""

    kind = "not handed in"


def begin() -> None:
    """A check begins: from now on constants are known, which tell() names. While a file is read
    they are not: there is no check yet that could name them."""
    USED.clear()
    _Kind.computes = True


def used() -> str:
    """Which usual ones were called or taken as numbers: "softmax, POOL_SIZE of tools"."""
    names = {module: ", ".join(name for name, its in USED.items() if its == module)
             for module in USED.values()}
    return ", ".join(f"{those} of {module}" for module, those in names.items())


def tell(report: Report, is_wrong: bool, code: object) -> None:
    """Adds to the report's title which stand-ins the code was given. Raises NotHandedIn where
    something is wrong, since that may be their fault."""
    told, text = used(), source(code)
    if told and is_wrong:
        raise NotHandedIn(f"with the usual {told} this is not right ({problems(report.counted())}),"
                          " but those modules are not here: put them beside this file")
    report.title += f" (with the usual {told})" if told else ""
    nowhere = ", ".join(name for name in sorted(NOWHERE) if re.search(rf"\b{name}\b", text))
    report.title += f" (with an empty class for {nowhere}, which nothing defines)" * bool(nowhere)


def is_clear(error: BaseException) -> bool:
    """Is something missing that no other inputs bring?"""
    return isinstance(error, NotHandedIn) or type(error) is NameError


class _Kind(abc.ABCMeta):
    """The class of a stand-in, and of its heirs. missing: of a stand-in alone, its module."""

    computes = False

    def __call__(cls, *arguments, **keywords):
        if is_missing(cls):
            return _called(cls, *arguments, **keywords)
        return super().__call__(*arguments, **keywords)

    @property
    def __signature__(cls):
        own = inspect.signature(cls.__init__)
        return own.replace(parameters=list(own.parameters.values())[1:])

    def __getattr__(cls, name):
        if name.startswith("__") or not is_missing(cls):
            raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")
        return stand_in(name, cls.missing)  # it may be a module

    def __getitem__(cls, _):
        return cls  # Tensor["N D"]

    def __or__(cls, other):
        return cls

    __ror__ = __or__
    __hash__ = type.__hash__
    __array_priority__ = 1e6  # x * SLOPE asks SLOPE

    def __bool__(cls):
        known = plain(cls.__name__) in USUAL or _is_class(cls.__name__)
        return True if known or not is_missing(cls) else cls._refuse()

    def __eq__(cls, other):
        if not is_missing(cls) or not isinstance(other, VALUES):
            return NotImplemented
        number = cls._number()
        return cls._refuse() if number is None else number == other

    def _number(cls):
        """The usual one of a constant of this name; None where it may be anything."""
        name = cls.__name__
        if not cls.computes or not is_missing(cls) or _is_class(name):
            return None
        size = letter(name) or GEOMETRY.get(plain(name))
        number = SIZES[size] if size else OPTIONS.get(
            option(name), 0.1 if is_rate(name) else None)
        if isinstance(number, (int, float)):
            USED[name] = cls.missing
            return number
        return None

    @property
    def __array__(cls):
        if not is_missing(cls):
            raise AttributeError("a class is no array")
        # NumPy leaves a class alone whose __array__ is a method
        return functools.partial(cls._as_array)

    def _as_array(cls, *_, **__):
        number = cls._number()
        return cls._refuse() if number is None else np.asarray(number)

    def _refuse(cls, *others, **_):
        """What no stand-in can do, as the constant that it may stand for could; an heir does as
        any class."""
        if is_missing(cls):
            raise NotHandedIn(_said(cls))
        if others:
            return NotImplemented
        raise TypeError(f"the class {cls.__name__} is no number and no list")


VALUES = (str, int, float, tuple, list, np.ndarray, np.generic)
OPERATORS = ("add sub mul truediv floordiv mod pow matmul radd rsub rmul rtruediv rfloordiv rmod "
             "rpow rmatmul lt le gt ge neg pos abs invert index int float round len iter").split()


def _operator(name):
    is_turned = hasattr(operator, name[1:])
    does = getattr(operator, name[is_turned:], None) or vars(builtins)[name]

    def method(cls, *others):
        number = cls._number()
        try:
            return cls._refuse(*others) if number is None else does(
                *((*others, number) if is_turned else (number, *others)))
        except TypeError:  # it is no number
            return cls._refuse(*others)
    return method


for _name in OPERATORS:
    setattr(_Kind, f"__{_name}__", _operator(_name))


class Absent(metaclass=_Kind):
    """What all stand-ins are. Of an heir, what a base class usually sets is there once it is
    asked for."""

    def __init__(self, *arguments, **keywords):
        pass

    def __getattr__(self, name):
        data = vars(self).get("data")
        if data is not None and name in OF_DATA:
            return getattr(data, name, data)
        if name in ("grad", "gradient") and data is not None:
            return None
        if plain(name) in OF_GRADIENTS or plain(name) in ("params", "parameters", "cache"):
            return self.__dict__.setdefault(name, {})
        if name in ("training", "trainable", "requires_grad"):
            return True
        origin = next((base for base in type(self).__mro__ if is_missing(base)), Absent)
        if name.startswith("__") or origin is Absent:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        if _is_only_called(type(self), name):
            return lambda *_, **__: None
        of_base = f"{type(self).__name__} has no {name}; its base class "
        raise NotHandedIn((of_base if origin is not type(self) else "") + _said(origin),
                          name=name, obj=origin)

    def __array__(self, *_, **__):
        return np.asarray(self.data)


def _is_only_called(cls, name):
    """Is the method a statement wherever it is used: self.register(), whose value nobody wants?"""
    used = re.findall(rf"^.*\bself\.{name}\b.*$", source(cls), re.MULTILINE)
    return bool(used) and all(line.lstrip().startswith(f"self.{name}(") for line in used)


def stand_in(name: str, module: str, keeps: bool = False) -> type:
    """A new one, for what a file calls so. keeps: whether it returns its input, too, as in
    A, cache = relu(Z)."""
    return _Kind(name, (Absent,), {"missing": module, "__module__": "absent", "keeps": keeps})


def stands_in(error: BaseException, module: types.ModuleType) -> bool:
    """Is it a base class or an annotation that a definition lacks, and nothing in the file sets? It
    has a stand-in then."""
    tree, name = module.__statements__, getattr(error, "name", None)
    if type(error) is not NameError or name not in _unbound(tree):
        return False
    # of a class without methods nothing is checked, and nothing would be said
    places = [one for node in every(tree) if not isinstance(node, ast.ClassDef) or any(
        isinstance(part, ast.FunctionDef) for part in node.body) for one in (
        *getattr(node, "bases", ()), getattr(node, "annotation", None),
        getattr(node, "returns", None)) if one is not None]
    if name not in {one.id for one in every(places, ast.Name)}:
        return False
    NOWHERE.add(name)
    setattr(module, name, stand_in(name, ""))
    return True


def _said(missing):
    if not missing.missing:
        return f"{missing.__name__} is defined nowhere in the file: define it, or import it"
    return (f"{missing.__name__} comes from {missing.missing}, which is not here: "
            "put that module beside this file, or install it")


def _called(missing, *arguments, **keywords):
    name, given = missing.__name__, [*arguments, *keywords.values()]
    is_class = name.lstrip("_")[:1].isupper()  # SGD, too
    takes = sum(isinstance(one, np.ndarray) for one in given)
    package = missing.missing.partition(".")[0]
    is_numpys = name in NUMPYS and package not in FRAMEWORKS
    its = SCIPYS.get(name) if package == "scipy" else None
    usual = its or (getattr(np, name) if is_numpys else USUAL.get(plain(name)))
    if usual is not None and (not is_class or plain(name) in ACTIVATIONS or _takes(usual, given)):
        if package not in KNOWN and (takes or not is_numpys):  # zeros(3, 4) makes weights
            USED[name] = missing.missing
        found = usual(*arguments, **keywords)
        return (found, *given[:1]) if missing.keeps and plain(name) in ACTIVATIONS else found
    if is_class and takes < 2:
        return held(missing, given[0] if given else None)
    if sizes_of(given) and not takes:
        constant = next((word for word in ("zero", "one", "empty") if word in name), None)
        return np.full(sizes_of(given), float(constant == "one")) if constant else weights(*given)
    raise NotHandedIn(_said(missing))


def _takes(usual, given):
    """Is it a layer that can be made of this?"""
    most = len(inspect.signature(usual).parameters)
    return isinstance(usual, type) and len(given) <= most and (not given or sizes_of(given) or any(
        isinstance(one, np.ndarray) for one in given))


def _is_class(name):
    """And no constant: Tensor, not SLOPE."""
    return name.lstrip("_")[:1].isupper() and not name.isupper()


def is_missing(thing: object) -> bool:
    """Is it a stand-in?"""
    return isinstance(thing, _Kind) and "missing" in vars(thing)


def framework(thing: object) -> str:
    """The library of other arrays than NumPy's that this is, or comes from; "" of all else."""
    module = getattr(thing, "missing" if is_missing(thing) else "__name__", None)
    package = str(module).partition(".")[0]
    return package if package in FRAMEWORKS else ""


def held(missing: type, value: object) -> object:
    """An object of a class that is not here, which holds this array or list."""
    made = object.__new__(missing)
    if isinstance(value, (np.ndarray, list, float)):
        made.data = np.asarray(value)
    return made


class Recorder:
    """An optimizer that subtracts the gradient: an update then shows it."""

    def update(self, weights, gradient, *_, **__):
        """w − gradient"""
        return weights - gradient

    step = __call__ = update


def bind(part: ast.stmt, tree: list[ast.stmt], names: dict) -> None:
    """Give a stand-in to each name that a statement was to import. tree: the whole file, of which
    `import *` binds what it uses and defines nowhere."""
    imports = [one for one in ast.walk(part) if isinstance(one, (ast.Import, ast.ImportFrom))]
    for node, alias in [(one, alias) for one in imports for alias in one.names]:
        is_from = isinstance(node, ast.ImportFrom)
        module = _module(node) if is_from else alias.name
        bound = alias.asname or (alias.name if is_from else alias.name.split(".")[0])
        called = alias.name.rpartition(".")[2]
        if bound == "*":
            module = " or ".join(map(_module, _stars(tree)))
        for name in _unbound(tree) if bound == "*" else [bound]:
            names.setdefault(name, np if name == "numpy" else stand_in(
                name if bound == "*" else called, module, name in _unpacked(tree)))


class Within(ast.NodeTransformer):
    """Takes imports of what is nowhere out of functions, and binds stand-ins in their place."""

    def __init__(self, tree, names):
        self.tree, self.names = tree, names
        self.read = {node.id for node in every(tree, ast.Name)
                     if isinstance(node.ctx, ast.Load)} | {"*"}

    def visit_Import(self, node):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [
            "." if node.level else node.module]
        firsts = [module.partition(".")[0] for module in modules]
        bound = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        if not (all(firsts) and bound & self.read) or any(map(_is_there, firsts)):
            return node  # what nobody uses fails as it is
        bind(node, self.tree, self.names)
        return ast.copy_location(ast.Pass(), node)

    visit_ImportFrom = visit_Import


def _is_there(module):
    try:
        return importlib.util.find_spec(module) is not None
    except (ValueError, ImportError):  # of a module that was made, and not found
        return True


def _unpacked(tree):
    """Functions of which two values are taken: relu of A, cache = relu(Z)."""
    return {getattr(node.value.func, "id", "") for node in every(tree, ast.Assign) if isinstance(
        node.value, ast.Call) and len(getattr(node.targets[0], "elts", ())) == 2}


def _module(node):
    return "." * node.level + (node.module or "")


def _stars(tree):
    return [node for node in every(tree, ast.ImportFrom) if node.names[0].name == "*"]


def _unbound(tree):
    """Names that a file uses, and binds nowhere."""
    bound = {getattr(node, "name", None) or getattr(node, "arg", None) for node in every(tree)}
    return {node.id for node in every(tree, ast.Name)} - bound - set_or_imported(tree) - {
        *dir(builtins)}
