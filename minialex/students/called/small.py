"""The small numbers that are written in a student's file: what is added inside a logarithm."""
import ast
import contextlib
import functools
import linecache
import sys
import types
from pathlib import Path

import numpy as np

SMALL = 1e-3  # what is added inside a logarithm or a root is no larger


def numbers(file: str) -> list[float]:
    """The positive numbers that are written in a file, or in those that it takes something from:
    1e-8, 10 ** -8, pow(10, -8) and the eps of NumPy's finfo."""
    return list(_numbers_in(file, tuple(linecache.getlines(file)), len(sys.modules)))


@functools.lru_cache(maxsize=64)  # asked for with each gradient; more modules may hold more
def _numbers_in(file, *_):
    found: list = []
    for one in _taken_from(file):
        with contextlib.suppress(SyntaxError):
            found += map(_number, ast.walk(ast.parse("".join(linecache.getlines(one)))))
    return tuple(number for number in found if number is not None and number > 0)


def _number(node):
    """What a node is as a number; None of others."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) in (int, float) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inside = _number(node.operand)
        return None if inside is None else -inside
    if isinstance(node, ast.Attribute) and node.attr == "eps":
        return float(np.finfo(float).eps) if "finfo" in ast.unparse(node) else None
    power = [node.left, node.right] if isinstance(node, ast.BinOp) and isinstance(
        node.op, ast.Pow) else node.args if isinstance(node, ast.Call) and len(
        node.args) == 2 and ast.unparse(node.func) in ("pow", "math.pow", "np.power") else []
    base, exponent = map(_number, power) if power else (None, None)
    is_small = base is not None and exponent is not None and 0 < base and -400 < exponent < 0
    return float(base) ** exponent if is_small else None


def _taken_from(file):
    """The file, and those that were handed in with it whose functions and classes it has, also
    through others."""
    files = {module.__file__: module for name, module in list(sys.modules.items())
             if getattr(module, "__file__", None) and not name.startswith("minialex")}
    names = {name: module.__file__ for module_file, module in files.items()
             for name in [module.__name__] if "site-packages" not in module_file
             and Path(file).parent.parent in Path(module_file).parents}
    found = [file]
    for one in found:  # which grows
        its = vars(files[one]).values() if one in files else ()
        others = {names.get(getattr(value, "__module__", None) or getattr(value, "__name__", None))
                  for value in its if callable(value) or isinstance(value, types.ModuleType)}
        found += sorted(others - {None, *found})
    return found
