"""What is written in a student's functions and classes."""
import ast
import inspect
import linecache
import re

from ..called.binding import names_returned, nodes, signature, syntax_tree
from ..dialects import ITS_COST
from ..names import role


def source(thing: object) -> str:
    """The text of a class or function; "" where there is none."""
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError, SyntaxError):
        return ""


def is_empty(function: object) -> bool:
    """Nothing but a docstring, pass, raise NotImplementedError, or return of that or of what
    another method made?"""
    return all(isinstance(node, (ast.Pass, ast.Raise))
               or isinstance(node, (ast.Expr, ast.Return)) and isinstance(node.value, ast.Constant)
               or isinstance(node, ast.Return)
               and re.fullmatch(r"return|return (NotImplemented\w*(\(\))?|self\.\w+)",
                                ast.unparse(node)) for node in _body(function))


def cost_of(forward: object) -> str:
    """What a forward that gets the targets, too, calls the cost that it returns; "" of others."""
    names = [name for name in names_returned(forward) if name.isidentifier()
             and name.rpartition("_")[2].lower() in ITS_COST]
    return names[0] if names and any(role(p.name) == "labels" for p in signature(forward)) else ""


def given_back(function: object) -> list[str]:
    """The arguments that it returns under their own names, as a step of training does with the
    weights: return W1, b1, loss; or which it changes where they are, W1 -= …, if nothing is
    returned."""
    given = {p.name for p in signature(function)}
    returned = [node.value for node in nodes(function, ast.Return) if node.value]
    last = returned[-1:] and getattr(returned[-1], "elts", returned[-1:])
    if not returned:
        last = [one for node in nodes(function, ast.AugAssign, ast.Assign)
                for one in [getattr(node, "target", None) or node.targets[0]]
                if isinstance(one, ast.Subscript) or isinstance(node, ast.AugAssign)
                or ast.unparse(node.value).startswith(f"{ast.unparse(one)} - ")]
        last = list({name: one for part in last for one in [getattr(part, "value", part)]
                     for name in [getattr(one, "id", "")]}.values())
    return [one.id for one in last if isinstance(one, ast.Name) and one.id in given
            and role(one.id) not in ("x", "labels")]


def is_unwritten(function: object) -> bool:
    """Nothing but a docstring, pass or return, as a template has it, or an exception that says
    so?"""
    return all(isinstance(node, ast.Pass) or isinstance(node, ast.Raise) and re.match(
                   r"(?i)raise (?!notimpl)\w+\(.*(not.{0,6}implement|todo)", ast.unparse(node))
               or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
               or isinstance(node, ast.Return) and getattr(node.value, "value", None) is None
               and isinstance(node.value, (ast.Constant, type(None))) for node in _body(function))


def _body(function):
    """Its statements; [None] of what is no function that can be read."""
    found = getattr(syntax_tree(function), "body", [])
    return found[0].body if found and isinstance(found[0], ast.FunctionDef) else [None]


def words_of(node: ast.expr) -> str:
    """An expression as it is written; of a dictionary its first key."""
    key = node.keys[0] if isinstance(node, ast.Dict) and node.keys else None
    return str(key.value) if isinstance(key, ast.Constant) else ast.unparse(node)


CUTS = {"clip", "minimum", "maximum", "min", "max"}


def thresholds(file: str) -> list[float]:
    """The numbers that stand where values are compared or cut: 3 of `abs(x) - 3 < 0`, and of
    `abs(x) < delta` where delta is 3 somewhere in the file."""
    try:
        nodes = list(ast.walk(ast.parse("".join(linecache.getlines(file)))))
    except SyntaxError:
        return []
    known: dict[str, list] = {}
    for node in nodes:
        for name, value in _named_values(node):
            known.setdefault(name, []).append(value)
    axes = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "axis"]
    compared = [one for node in nodes for part in _compared(node) for one in ast.walk(part)
                if one not in axes]
    compared += [value for one in compared for value in known.get(_called(one), [])]
    return [one.value for one in compared if isinstance(one, ast.Constant)
            and type(one.value) in (int, float)]


def _compared(node):
    """What is compared or cut here; the 20 of epoch % 20 == 0 is not."""
    if isinstance(node, ast.Compare):
        counts = any(isinstance(one, ast.Mod) for one in ast.walk(node))
        return [] if counts else [node.left, *node.comparators]
    if isinstance(node, ast.Call) and _called(node.func) in CUTS:
        return [*node.args, *(one.value for one in node.keywords)]
    return []


def _named_values(node):
    """(name, its value) of each that is given one here: a variable, an attribute, a default."""
    if isinstance(node, ast.Assign):
        return [(_called(target), node.value) for target in node.targets]
    if isinstance(node, ast.AnnAssign):
        return [(_called(node.target), node.value)]
    if isinstance(node, ast.arguments):
        positional = [*node.posonlyargs, *node.args]
        return [(one.arg, value) for one, value in (
            *zip(positional[::-1], node.defaults[::-1]), *zip(node.kwonlyargs, node.kw_defaults))]
    return []


def _called(node):
    """delta of delta and of self.delta."""
    return getattr(node, "id", getattr(node, "attr", ""))


def calls(module: object, function: object, other: object) -> bool:
    """Does the function call the other one, or a function of the file that does?"""
    names, asked = set(), [function]
    while asked:
        found = {name for name in re.findall(r"\b(\w+)\(", source(asked.pop()))
                 if inspect.isfunction(getattr(module, name, None))} - names
        names |= found
        asked += [getattr(module, name) for name in found]
    return getattr(other, "__name__", "") in names


def is_free(method: object) -> bool:
    """Is it a function that only stands in a class: its `self` is not used?"""
    first = next(iter(getattr(getattr(method, "__code__", None), "co_varnames", ())), None)
    return first is not None and not any(
        node.id == first for node in nodes(method, ast.Name))


def is_bare(method: object) -> bool:
    """Is it called as Loss.forward(out, target), without an object: its first argument is an input
    by its name, and nothing is set in it?"""
    first = next(iter(getattr(getattr(method, "__code__", None), "co_varnames", ())), "self")
    return inspect.isfunction(method) and role(first) is not None and not re.search(
        rf"\b{first}\.\w+ *[-+*/]?=[^=]", source(method))


def is_made(cls: type, paths: list[tuple]) -> bool:
    """Is an array of its objects made as weights are, of zeros or random numbers? The h0 of a cell
    is not meant."""
    names = "|".join(re.escape(f"{part}") for path in paths for part in path
                     if isinstance(part, str) and role(part) not in ("h", "c"))
    made = (r"[^\n=]*=[^\n=].*\b(zeros|rand\w*|normal|uniform|standard_normal)\(|"
            r"[\"'\]]* *= *(np\.|numpy\.)?(full|ones)\(")
    text = "".join(map(source, cls.__mro__[:-1]))
    return bool(names and re.search(rf"\b({names})\b({made})", text))
