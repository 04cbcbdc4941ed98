"""Your own engine: what every brick in my_engine/ needs, and `check(...)`, the last line of each.

A brick is handed in by running it. The other bricks and the last program take its pieces, after
checking it once more. Where a brick is missing or not right, minialex's operation stands in, by the
book.
"""
import functools
import importlib.util
import sys
import traceback
from pathlib import Path

import checking
import numpy as np
import progress
import wall
from checking import Wrong, call, same

import minialex as ma
import minialex.functional as F

HOME = Path(__file__).resolve().parent / "my_engine"
FOLDER = HOME  # where the bricks lie; solutions/my_engine/engine.py names its own

# --------------------------------------------------------------------------------------- handing in


def check(*answers) -> None:
    """Runs the checks of the brick that calls this, and shows the wall. Exit status 0: right; 1:
    not yet, and why."""
    caller = sys._getframe(1).f_globals
    if caller["__name__"] != "__main__":  # another brick or the last program takes it
        caller["handed_in"] = answers
        return
    path = Path(caller["__file__"]).resolve()
    if path.stem not in wall.BRICKS:
        print(f"there is no brick called {path.name}: keep the file's name, "
              f"one of {', '.join(wall.BRICKS)}.", file=sys.stderr)
        sys.exit(2)
    right = checking.passes(task(path.stem), answers)
    if path.parent == HOME:
        progress.note("bricks", path.stem, "solved" if right else "tried")
    mine = {name for name, state in progress.load()["bricks"].items() if state == "solved"}
    print(f"\n{wall.draw(mine)}")
    if not right:
        sys.exit(1)


def task(name: str):
    """The module my_engine/checks/NAME.py."""
    return checking.load(name, HOME / "checks")


# --------------------------------------------------------------------------------------- the pieces


@functools.cache
def brick(name: str) -> tuple[dict, str]:
    """({piece: what the student wrote}, ""), or ({}, why it cannot be used yet)."""
    path = FOLDER / f"{name}.py"
    try:
        spec = importlib.util.spec_from_file_location(f"brick_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        task(name).check(*module.handed_in)
    except Wrong as problem:
        return {}, str(problem).splitlines()[0]
    except Exception as error:
        frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
                  if Path(frame.filename) == path]
        line = getattr(error, "lineno", None) or (frames[-1] if frames else "?")
        return {}, f"line {line} stops with {type(error).__name__}: {error}"
    return {piece: getattr(module, piece) for piece in wall.BRICKS[name]}, ""


def piece(name: str):
    """The student's piece of this name if its brick is right, else what stands in for it. Raises
    AttributeError."""
    home = next((brick for brick, pieces in wall.BRICKS.items() if name in pieces), None)
    if home is None:
        raise AttributeError(f"no brick has a piece called {name}")
    pieces, _ = brick(home)
    return pieces[name] if pieces else stand_in(name)


# minialex's operations on its own Tensors, in the form of the bricks: inputs first, then the
# options.
OPERATIONS = {
    "Convolution": F.conv2d,
    "ReLU": F.relu,
    "Tanh": F.tanh,
    "MaxPool": F.max_pool2d,
    "MeanPool": F.avg_pool2d,
    "ResponseNorm": F.local_response_norm,
    "CrossEntropy": F.cross_entropy,
    "Dropout": lambda x, p, u: x * ((u >= p) / (1 - p)),
    "Linear": F.linear,
}


def stand_in(name: str):
    """minialex's piece of this name, on the student's tape if there is one."""
    fixed = {"Tensor": functools.partial(ma.Tensor, requires_grad=True), "Function": ma.Function,
             "update": _update}
    if name in fixed:
        return fixed[name]
    operation = OPERATIONS[name]

    class StandIn(piece("Function")):
        def __init__(self, *options, **more):
            self.options, self.more = options, more

        def forward(self, *arrays):
            self.arguments = [ma.Tensor(array, requires_grad=True) for array in arrays]
            with ma.textbook():
                self.result = operation(*self.arguments, *self.options, **self.more)
            return self.result.data

        def backward(self, g):
            self.result.backward(np.asarray(g))
            return tuple(argument.grad for argument in self.arguments)

    StandIn.__name__ = name
    return StandIn


def _update(w, g, v, lr, momentum, decay):
    w, v = w.copy(), v.copy()
    with ma.textbook():
        F.sgd_update(w, g, v, lr, momentum, decay)
    return w, v


# ------------------------------------------------------------------------------- what the checks do


def right(engine, *inputs, seed: int = 0, g: np.ndarray | None = None) -> tuple:
    """What minialex gives by the book for these arrays: (y, the incoming gradient g, drawn if not
    given, [dL/d(input), ...])."""
    tensors = [ma.Tensor(array, requires_grad=True) for array in inputs]
    with ma.textbook():
        y = engine(*tensors)
    g = np.asarray(np.random.default_rng(seed).normal(size=y.shape) if g is None else g)
    y.backward(g)
    return y.data, g, [tensor.grad for tensor in tensors]


def operation(make, inputs, expected, forward=(), backward=()) -> None:
    """Raises Wrong unless the operation that make() returns gives what minialex gives.

    expected: what `right` returned; forward: hints for y; backward: for each input its name and the
    hints for dL/d(input)."""
    y, g, slopes = expected
    one, given = make(), [np.copy(array) for array in inputs]
    title = type(one).__name__
    same(f"{title}.forward", call(one.forward, *given), y, forward)
    _untouched(f"{title}.forward", given, inputs)
    incoming = g.copy()
    found = call(one.backward, incoming)
    found = list(found) if isinstance(found, (tuple, list)) else [found]
    if len(found) != len(slopes):
        raise Wrong(f"{title}.backward returns {len(found)} of {len(slopes)} gradients: "
                    "one for each input of forward, in its order.")
    names = [name for name, _ in backward]

    def verdict():
        def slopes_of(g, *arrays):
            again = make()
            again.forward(*arrays)
            return again.backward(g)

        def forward(*arrays):
            return make().forward(*arrays)

        forward.__name__ = title
        return ma.check_backward(forward, slopes_of, list(inputs), names)

    for (name, hints), got, wanted in zip(backward, found, slopes):
        same(f"{title}.backward, dL/d{name}", got, wanted, hints, verdict=verdict)
    _untouched(f"{title}.backward", [*given, incoming], [*inputs, g])


def _untouched(what, arrays, originals):
    if not all(np.array_equal(array, original) for array, original in zip(arrays, originals)):
        raise Wrong(f"{what} has changed an array that it was given; others still need it. "
                    "Write into a copy or a new array.")
