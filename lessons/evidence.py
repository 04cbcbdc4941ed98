"""When a fact does not hold: which comparison failed, and what came instead.

`fact("3·3 are 9", a == b)` gets True or False and no more. So the call is looked up in the source,
and the two sides of its comparison are computed once more: "a is 8, b is 9".
"""
import ast
import linecache

import numpy as np


class NotSo(AssertionError):
    """A fact that does not hold; its text is all that a student needs to see."""

    __module__ = "builtins"  # shown as NotSo

    def _render_traceback_(self):  # what a notebook shows
        return [str(self)]


def of_call(frame, argument=1):
    """What the failed condition, this argument of the call that `frame` is at, consists of: ""
    where it cannot be told."""
    try:
        call = _call_at(frame)
        return _parts(call.args[argument], frame)
    except Exception:
        # no source, or a value that can be computed only once: the sentence alone has to do
        return ""


def _call_at(frame):
    source = "".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals))
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)
             and len(node.args) > 1 and node.lineno <= frame.f_lineno <= node.end_lineno
             and getattr(node.func, "id", "") == "fact"]
    return max(calls, key=lambda call: call.lineno)


def _parts(node, frame):
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        node = next(value for value in node.values if not _value(value, frame))
        return _parts(node, frame)
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("allclose", "isclose",
                                                                           "array_equal"):
        sides = node.args[:2]
    else:
        return f"{ast.unparse(node)} is {_short(_value(node, frame))}"
    return ", ".join(f"{ast.unparse(side)} is {_short(_value(side, frame))}" for side in sides
                     if not isinstance(side, ast.Constant))


def _value(node, frame):
    return eval(compile(ast.Expression(node), "<fact>", "eval"), frame.f_globals, frame.f_locals)


def _short(value):
    with np.printoptions(legacy="1.25"):  # 0.46, not np.float64(0.46)
        text = " ".join(repr(value).split())
    return text if len(text) <= 120 else text[:100] + " …"
