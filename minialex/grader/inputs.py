"""Where the inputs of a student's function come from: the teacher, the student, the command line, or its arguments' names.

    1. NAME_inputs(generator) or inputs(generator) in the file after --like, or in the student's own
    2. --shape x=2,3,7,9, --labels y=4:10, --option stride=2
    3. what the argument is called: x, w, b, gamma, labels, stride, conv_param ... stand for the same things in all courses

A layout gives the arguments their shapes, in letters: N pictures or rows, C channels, H×W pixels, F filters of K×K, D and M
numbers in and out, Q classes. Layouts are tried in turn; the first with which forward runs is taken.
"""
import copy
import inspect

import numpy as np

from ..gradcheck.report import times

SIZES = {"N": 2, "C": 3, "H": 7, "W": 9, "F": 4, "K": 3, "D": 5, "M": 3, "Q": 5, "1": 1}
SQUARE, EVEN = {"W": 7}, {"H": 6, "W": 8}  # for code that takes pictures to be square, or windows to fill them

ROLES = {
    "x": "x input inputs inp image images img a_prev data z s in_data features h",
    "w": "w weight weights kernel kernels filter filters theta",
    "b": "b bias biases",
    "gamma": "gamma scale g",
    "beta": "beta shift",
    "labels": "y t label labels target targets classes y_true truth",
    "scores": "scores logits y_pred pred prediction predictions yhat y_hat output",
}
ROLE = {name: role for role, names in ROLES.items() for name in names.split()}

LAYOUTS = {  # words in the function's name: layouts
    "conv": [({"x": "NCHW", "w": "FCKK", "b": "F"}, {}), ({"x": "NCHW", "w": "FCKK", "b": "F"}, SQUARE),
             ({"x": "NHWC", "w": "KKCF", "b": "111F"}, {}), ({"x": "NHWC", "w": "KKCF", "b": "F"}, {}),
             ({"x": "HW", "w": "KK", "b": "1"}, {})],
    "pool": [({"x": "NCHW"}, EVEN), ({"x": "NCHW"}, {}), ({"x": "NCHW"}, {"H": 6, "W": 6}), ({"x": "HW"}, EVEN)],
    "spatial": [({"x": "NCHW", "gamma": "C", "beta": "C"}, {}), ({"x": "NCHW", "gamma": "1C11", "beta": "1C11"}, {})],
    "norm bn": [({"x": "ND", "gamma": "D", "beta": "D"}, {"N": 4}), ({"x": "NCHW", "gamma": "C", "beta": "C"}, {}),
                ({"x": "NCHW", "gamma": "1C11", "beta": "1C11"}, {})],
    "lrn response": [({"x": "NCHW"}, {"C": 6, "H": 2, "W": 3})],
    "loss entropy xent mse svm hinge": [({"x": "NQ", "scores": "NQ", "labels": "classes"}, {"N": 4}),
                                        ({"x": "NQ", "scores": "NQ", "labels": "NQ"}, {"N": 4}),
                                        ({"x": "NQ", "scores": "NQ", "labels": "one-hot"}, {"N": 4})],
    "linear affine dense fc full": [({"x": "ND", "w": "DM", "b": "M"}, {"N": 4}), ({"x": "ND", "w": "MD", "b": "M"}, {"N": 4}),
                                    ({"x": "ND", "w": "DM", "b": "1M"}, {"N": 4}), ({"x": "DN", "w": "MD", "b": "M1"}, {"N": 4})],
}
ANY = [*LAYOUTS["linear affine dense fc full"], *LAYOUTS["norm bn"][:1], *LAYOUTS["loss entropy xent mse svm hinge"],
       *LAYOUTS["conv"], ({"x": "NCHW"}, EVEN)]

OPTIONS = {  # options without a default of their own
    "stride": 2, "strides": 2, "s": 2, "pad": 1, "padding": 1, "p": 0.5, "rate": 0.5, "ratio": 0.5, "dropout": 0.5,
    "keep_prob": 0.5, "drop_prob": 0.5, "eps": 1e-5, "epsilon": 1e-5, "slope": 0.1, "alpha": 0.1, "negative_slope": 0.1, "k": 2,
    "ksize": 2, "size": 2, "pool_size": 2, "kernel_size": 2, "pool": 2, "window": 2, "f": 2, "n": 5, "pool_height": 2,
    "pool_width": 2, "pool_h": 2, "pool_w": 2, "training": True, "train": True, "mode": "train", "seed": 0,
    "conv_param": {"stride": 2, "pad": 1}, "pool_param": {"pool_height": 2, "pool_width": 2, "stride": 2},
    "bn_param": {"mode": "train", "eps": 1e-5, "momentum": 0.9}, "ln_param": {"eps": 1e-5}, "gn_param": {"eps": 1e-5},
    "dropout_param": {"mode": "train", "p": 0.5, "seed": 0}, "hparameters": {"stride": 2, "pad": 1, "f": 2},
}


class CannotDraw(Exception):
    """No inputs could be found for a function: the message says what to give."""


class Request:
    """What the command line asks for. shapes: {name: (2, 3, 7, 9)}; labels: {name: (shape, how many classes)}; options:
    {name: value}; seed."""

    def __init__(self, shapes=None, labels=None, options=None, seed=0):
        self.shapes, self.labels, self.options, self.seed = shapes or {}, labels or {}, options or {}, seed

    def named(self):
        return {*self.shapes, *self.labels, *self.options}


def given(found, modules):
    """The inputs that an inputs() function of one of the modules gives, or None if there is no such function."""
    for module in modules:
        for name in (f"{found.name}_inputs", "inputs"):
            make = getattr(module, name, None)
            if callable(make):
                return lambda seed, make=make: make(*[np.random.default_rng(seed), 0][:_accepts(make)])
    return None


def _accepts(function):
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in inspect.signature(function).parameters.values())


def drawn(found, request):
    """Yields {name: value} for one layout after the other. Raises CannotDraw for an argument that nothing is known about."""
    parameters = _parameters(found)
    names = [p.name for p in parameters]
    unknown = sorted(request.named() - set(names))
    if unknown and not any(p.kind == p.VAR_KEYWORD for p in parameters):
        raise CannotDraw(f"{_called(found)} has no argument {', '.join(unknown)}; its arguments are {', '.join(names)}.")
    needed = [p.name for p in parameters if p.name in request.named() or p.default is p.empty and p.kind in
              (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    if not needed:
        raise CannotDraw(f"{_called(found)} names no arguments: give their shapes in order to a function "
                         f"{found.name}_inputs(generator) that returns a list.")
    seen = []
    for layout, sizes in _layouts(found.name):
        shapes = {name: _shape(name, layout, sizes, request) for name in needed if not _is_option(name, layout, request)}
        if shapes not in seen:
            seen.append(shapes)
            yield {name: _draw(found, name, shapes, request) for name in needed}


def mysterious(found, request):
    """The required arguments whose names say nothing."""
    return [p.name for p in _parameters(found) if p.default is p.empty and p.name not in request.named() and
            p.name not in OPTIONS and p.name.lower() not in ROLE]


def _parameters(found):
    code = found.forward if found.kind != "layer" else getattr(found.forward, "forward", found.forward)
    try:
        parameters = list(inspect.signature(code).parameters.values())
    except (TypeError, ValueError):
        return []
    return parameters[1:] if found.kind == "layer" and inspect.isclass(found.forward) else parameters


def _called(found):
    return getattr(found.forward, "__name__", found.name)


def _layouts(name):
    words = [layouts for words, layouts in LAYOUTS.items() if any(word in name.lower() for word in words.split())]
    return [*[layout for layouts in words for layout in layouts], *ANY]


def _is_option(name, layout, request):
    if name in request.shapes or name in request.labels:
        return False
    role = ROLE.get(name.lower())
    return name in request.options or role not in layout and name in OPTIONS


def _shape(name, layout, sizes, request):
    """A shape in numbers, "classes" or "one-hot"; letters that a given shape settles are the same everywhere."""
    if name in request.shapes:
        return tuple(request.shapes[name])
    if name in request.labels:
        return "classes"
    role = ROLE.get(name.lower())
    letters = layout.get(role, layout["x"])
    if letters in ("classes", "one-hot"):
        return letters
    known = {**SIZES, **sizes}
    for other, shape in request.shapes.items():
        pattern = layout.get(ROLE.get(other.lower()), "")
        if len(pattern) == len(shape):
            known.update(zip(pattern, shape))
    return tuple(known[letter] for letter in letters)


def _draw(found, name, shapes, request):
    if name not in shapes:
        return copy.deepcopy(request.options.get(name, OPTIONS.get(name)))  # running averages are kept in bn_param
    generator = np.random.default_rng([request.seed, *name.encode()])
    if name in request.labels:
        shape, classes = request.labels[name]
        return generator.integers(0, classes, shape)
    shape = shapes[name]
    if isinstance(shape, str):
        rows, classes = next((s for s in shapes.values() if len(s) == 2 and not isinstance(s, str)), (4, 5))
        labels = generator.integers(0, classes, rows)
        return labels if shape == "classes" else np.eye(classes, dtype=int)[labels]
    return generator.standard_normal(shape)


def whole_numbers(values, seed):
    """The same inputs with the first floating array replaced by whole numbers from −2 to 2: zeros, ties."""
    name = next((name for name, value in values.items() if isinstance(value, np.ndarray) and value.dtype.kind == "f"), None)
    if name is None:
        return None
    return {**values, name: np.random.default_rng(seed).integers(-2, 3, values[name].shape).astype(float)}


def told(values):
    """{name: "2×3×7×9"}: shapes of arrays, labels with their range, options as they are."""
    return {str(name): _told(value) for name, value in values.items()}


def _told(value):
    if not isinstance(value, np.ndarray):
        return str(value)
    return times(value.shape) + (" whole numbers" if value.dtype.kind in "iu" else "")
