"""A policy that goes forward at each step of an episode, and backward once, through all of them:

    p, h = policy_forward(x); xs.append(x); hs.append(h); dlogps.append(y - p)
    epx, eph, epdlogp = np.vstack(xs), np.vstack(hs), np.vstack(dlogps)
    grad = policy_backward(eph, epdlogp)      epx may be a name of the top level
    for k in model: model[k] += rate * grad[k]
"""
import ast
import inspect
import re
import types
from collections.abc import Callable

import numpy as np

from ..called import binding
from .units import Unit

ERROR = re.compile(r"d?log|grad|delta|err|^d")
EXAMPLES = {"x", "xs", "observation", "observations", "obs", "state", "states", "input", "inputs"}
LARGE = 20  # a size that is drawn smaller
PARAMETERS = ("rows_of_x", "targets_of_it", "step_size")


def of_pair(forward: Callable, backward: Callable,
            module: types.ModuleType) -> tuple[bool, Unit | None]:
    """(whether what backward asks for, or reads, is called like episodes of what forward takes and
    returns; one step of both)."""
    known, asked = vars(module), binding.arguments_of(backward)
    last = [node.value for node in binding.nodes(forward, ast.Return)][-1:]
    returned = [getattr(one, "id", f"output_{place}") for place, one in enumerate(
        getattr(last[0] if last else None, "elts", ()))]
    read = [name for name in getattr(getattr(backward, "__code__", None), "co_names", ())
            if known.get(name) is None and name.startswith("ep")]
    given = binding.arguments_of(forward)
    names = [*given, *getattr(getattr(forward, "__code__", None), "co_names", ())]
    weights = next((name for name in names if isinstance(known.get(name), dict) and known[name]
                    and all(isinstance(one, np.ndarray) for one in known[name].values())), "")
    parts = {name: _part(name, returned) for name in (*asked, *read)}
    kept = [name for name in returned if name in parts.values()]
    outputs = [name for name in returned if name not in kept]
    if not (any(name.startswith("ep") for name in parts) and "error" in parts.values()
            and len(outputs) == len(kept) == 1):
        return False, None
    others = {name for name, part in parts.items() if part is None} | {*given[1:]}
    if not weights or others - {weights}:
        return True, None
    known[weights] = _smaller(known[weights])
    text = f"""
kept_of, errors_of = [], []
for x_of, target_of in zip(rows_of_x, targets_of_it):
    {', '.join(returned)} = {forward.__name__}({', '.join(["x_of", *given[1:]])})
    kept_of.append({kept[0]})
    errors_of.append(target_of - {outputs[0]})
{kept[0]}, error = np.vstack(kept_of), np.vstack(errors_of)
""" + "".join(f"{name} = {part}\n" for name, part in parts.items() if part not in (None, name))
    text += f"grad = ({', '.join([*read, backward.__name__])}({', '.join(asked)}),)[-1]\n"
    text += "".join(f"{weights}[{key!r}] += step_size * grad[{key!r}]\n" for key in known[weights])
    return True, Unit([], ast.parse(text).body, tuple(inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in PARAMETERS))


def _smaller(arrays):
    """Weights of a few numbers for those of thousands of pixels."""
    sizes = dict.fromkeys(size for one in arrays.values() for size in one.shape if size > LARGE)
    smaller = dict(zip(sizes, range(5, LARGE)))
    return {key: np.zeros([smaller.get(size, size) for size in one.shape])
            for key, one in arrays.items()}


def _part(name, returned):
    """What this is of a whole episode: x, h of eph and of hs, error of epdlogp."""
    rest = re.sub(r"^ep(isode)?_?", "", name)
    if rest in EXAMPLES:
        return "rows_of_x"
    same = [one for one in returned if rest in (one, f"{one}s")]
    return same[0] if same else "error" if ERROR.search(rest) else None
