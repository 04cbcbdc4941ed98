"""A backward that stands alone is compared with the usual forward of its name.

    dx, dw, db = conv_backward(dout, cache)    x, w, b, conv_param = cache says what forward keeps
    dx = relu_backward(dA, Z)                  what it takes besides dout are forward's inputs
    dw, db = compute_gradient(x, y, w, b)      of a line or a logistic regression, by a usual cost
    p − t = softmax_loss_backward(p, t)        of a usual loss; of the scores before p, too

Forward is written with the engine's own operations, in each layout in turn. A backward that is
right with none of them is not blamed: its own forward may be another.
"""
import ast
import inspect
from collections.abc import Callable, Iterator

import numpy as np

from ...gradcheck.verdicts import names as verdict
from ...ops.convolution import Conv2d
from ...ops.pooling import AvgPool2d, MaxPool2d
from ..called import binding
from ..called.gradients import Named
from ..dialects import GEOMETRY, LOSSES, USUAL_LAYERS, USUAL_LOSSES
from ..drawn import dictionaries, inputs
from ..names import CACHE, ROLE, name_words, plain, role
from ..reading import usual
from ..reading.sources import source
from ..reading.usual import softmax
from . import cells, deep
from .functions import Composed, Reading, as_slopes, whose

ACTIVATIONS = {name: [function] for name, (function, _) in usual.ACTIVATIONS.items()}
ACTIVATIONS |= {"softmax": [softmax, lambda x: softmax(x, 0)], "logistic": ACTIVATIONS["sigmoid"],
                "softplus": [lambda x: np.log(1 + np.exp(x))],
                "leaky": [lambda x, alpha=0.01: np.where(x > 0, x, alpha * x)],
                "swish": [lambda x: x / (1 + np.exp(-x))]}
USUAL = "with the usual forward"
LOSS_WORDS = {"loss", "cost", "error", *LOSSES}
WITHOUT_LAYOUT = "cell", "deep"  # what these read says all shapes


def kind_of(function: Callable) -> str:
    """"relu", "conv", "linear", "loss", …; "" where no usual forward has its name, or several."""
    words, given = set(name_words(binding.title(function))), _besides(function)
    roles = set(map(_role, given))
    if deep.asked(function):
        return "deep"
    if "labels" in roles and len(given) > 1:
        is_line = {"x", "w"} <= roles
        return "" if not _meant(words) else "line" if is_line else "loss" if len(roles) == 2 else ""
    if cells.parts(function):
        return "cell"
    if "activation" in words:  # linear_activation_backward(dA, cache, activation)
        named = any(plain(name).startswith("activ") for name in given)
        return "both" if named and words & USUAL_LAYERS["linear"] else ""
    found = [name for name in ACTIVATIONS if name in words or f"d{name}" in words]
    found += [name for name, others in USUAL_LAYERS.items() if words & others]
    found = ["leaky"] if set(found) == {"leaky", "relu"} else found
    return found[0] if len(found) == 1 and not words & {"loss", "cross", "entropy"} else ""


def _meant(words):
    """Which of the usual losses this name may mean: all of compute_gradient, none of mae_prime."""
    called = {mark: words & others for mark, others in USUAL_LOSSES.items()}
    others = words & LOSSES.keys() - set().union(*called.values())
    return [mark for mark in called if not any(called.values()) or called[mark]
            ] if not others else []


def forward_of(function: Callable) -> Callable:
    """A function that names the inputs of the forward that is looked for."""
    def forward(**_):
        raise NotImplementedError
    keyword = inspect.Parameter.KEYWORD_ONLY
    kind = kind_of(function)
    given = {p.name: p.default for p in binding.signature(function)}
    slopes = [name for name, value in given.items() if isinstance(value, float)]  # leaky's alpha
    names = ["x", *(slopes if kind == "leaky" else ())] if kind in ACTIVATIONS else _inputs(
        function)
    if kind == "both":
        names = ["A_prev", "W", "b", *(name for name in names if plain(name).startswith("activ")
                                       and "cache" not in name)]
    forward.__name__ = binding.title(function)
    return binding.with_parameters(forward, [inspect.Parameter(
        name, keyword, default=given.get(name, inspect.Parameter.empty)) for name in names])


def _besides(function):
    """Its arguments other than dout."""
    douts = binding.names_of_dout(forward=None, backward=function)
    names = [p.name for p in binding.signature(function) if p.name != "self"]
    is_loss = len(names) == 2 and "labels" in map(role, names) and LOSS_WORDS & {
        *name_words(binding.title(function))}  # its dvalues are what came out
    return [name for name in names if is_loss or name not in douts[:1]]


def _inputs(function):
    """The names of the forward's inputs: what is in the cache, what comes besides it."""
    return [name for one in _besides(function) for name in (
        _needed(function, _kept(function, one)) or [one] if plain(one) in CACHE else [one])]


def _needed(function, kept):
    """Without what a cache holds besides, such as the Z of A_prev, W, b, Z, which is not used."""
    read = [name for name in kept if _is_read(function, name)]
    taken = {None, *map(_role, read)}
    return [name for name in kept if name in read or _role(name) not in taken]


def _is_read(function, name):
    """Is what a cache is unpacked into used: Z of Z, _, gamma = cache?"""
    return any(node.id == name and isinstance(node.ctx, ast.Load)
               for node in binding.nodes(function, ast.Name)) or not name.isidentifier()


def _kept(function, cache):
    """[x, w, b] of `x, w, b = cache`, and of cache["x"]; nothing where it is used as it is."""
    for node in binding.nodes(function, ast.Assign):
        if dictionaries.is_name(node.value, cache):
            target = node.targets[0]
            names = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
            return [ast.unparse(name) for name in names]
    return dictionaries.keys(function, cache)


def _role(name):
    """That of a word of it, too: w of current_w."""
    words = [role(name), *(ROLE.get(word) for word in name_words(name))]
    return next((one for one in words if one), None)


def readings(found, layout: inputs.Layout, request: inputs.Request,
             losses: dict) -> list[Reading]:
    """What the backward may be meant for, with inputs of this layout. Raises ValueError where this
    layout has no usual forward. losses: {words: a usual loss of output and target}"""
    function, kind = found.backward, kind_of(found.backward)
    if kind == "cell":
        return [Reading(_code(found, forward, list(drawn), drawn), drawn, USUAL)
                for forward, drawn in cells.forwards(function, request.seed)]
    if kind == "deep":
        return deep.readings(function, found.title, request.seed)
    places = binding.signature(found.forward)
    marks = _meant(set(name_words(found.title)))
    losses = {words: loss for words, loss in losses.items() if any(one in words for one in marks)}
    if kind == "line":
        return list(_of_line(found, _drawn_by_role(places, layout, request), losses))
    drawn = {p.name: p.default for p in places if p.default is not p.empty}
    drawn.update(inputs.draw(places, layout, request))
    if kind in ACTIVATIONS:
        return list(_of_activation(found, ACTIVATIONS[kind], drawn))
    if kind == "loss":
        return list(_of_loss(found, drawn, losses))
    drawn = dictionaries.with_own_words(function, {
        name: {} if dictionaries.keys(function, name) and not isinstance(value, dict) else value
        for name, value in drawn.items()}, layout)
    arrays = [name for name, value in drawn.items() if isinstance(value, np.ndarray)]
    places = dict(zip("xwb", sorted(arrays, key=lambda name: ("wb".find(_role(name) or "x")))))
    options = {}
    for name, value in drawn.items():
        options.update(value if isinstance(value, dict) else {} if name in arrays
                       else {name: value})
    if {"avg", "average", "mean", "avgpool"} & set(name_words(found.title)):
        options["mode"] = "average"
    if len(arrays) > (1 if kind == "pool" else 3) or any(
            isinstance(value, str) and value not in source(function).lower()
            for value in options.values()):
        raise ValueError(f"{found.title}: {', '.join(drawn)}")
    if kind == "both":
        return _of_both(found, drawn, options, layout.shapes)
    made = _with_cache(found, kind, options, layout.shapes)
    readings = []
    for bias in ([], ["b"])[:1 + (len(places) == 2)]:  # whether there is one nobody says
        values = {**drawn, **inputs.draw_named(bias, layout, request)}
        places.update(zip(bias, bias))
        readings.append(Reading(_code(found, made(dict(places)), list(values), places.values()),
                                values, USUAL))
    return readings


def says_less(found: object, reading: Reading) -> bool:
    """Are these a single example or number? A mean over one is its sum. The matrix f' of a softmax
    is that of one."""
    function = found.backward
    if kind_of(function) in ("line", "loss", "deep") or not binding.names_of_dout(None, function):
        return False
    x = next(one for one in reading.values.values() if isinstance(one, np.ndarray))
    return np.ndim(x) < 2 or 1 in np.shape(x)


def never(found: object, reports: list) -> set[str]:
    """The inputs whose gradient can be right with no forward of this kind: it is always 0, or, of
    an activation, of another shape than what comes in."""
    of_one = kind_of(found.backward) in ACTIVATIONS and binding.names_of_dout(None, found.backward)
    wrong = {verdict.ZERO, *[verdict.SHAPE][:bool(of_one)]}
    told = [{row.name for row in report.counted() if row.verdict in wrong} for report in reports]
    return set.intersection(*told) if len(told) > 1 else set()


def _of_both(found, drawn, options, letters):
    """A linear layer and its activation, of which the cache holds both caches."""
    activation, _ = usual.ACTIVATIONS[next(iter(options.values()))]

    def forward(A_prev, W, b, **_):
        Z = _linear(A_prev, W, b, letters=letters, options={})
        return activation(Z), ((A_prev, W, b), Z)
    return [Reading(_code(found, forward, list(drawn), ["A_prev", "W", "b"]), drawn, USUAL)]


def _with_cache(found, kind, options, letters):
    """A function that makes a forward of {"x": the name of x, …}: it returns what the backward's
    cache holds, too."""
    function = found.backward
    cache = next((name for name in _besides(function) if plain(name) in CACHE), None)
    kept = _kept(function, cache) if cache else []
    by_key = cache and dictionaries.keys(function, cache) == kept != []

    def made(places):
        def forward(**given):
            out = FORMULAS[kind](*(given[name] for name in places.values()), letters=letters,
                                 options=options)
            inside = [given.get(name) for name in kept]  # nobody reads what is not there
            one = next(iter(inside or given.values()))
            cached = dict(zip(kept, inside)) if by_key else tuple(inside) if inside[1:] else one
            return (out, cached) if cache else out
        return forward
    return made


class Usual(Composed):
    """A student's backward with a forward that is written here: its gradients go to the inputs by
    the names that it returns, or by their shapes."""

    names: list = []

    def backward(self, run, douts):
        """Gradients by name, of some of the inputs."""
        returned = super().backward(run, douts)
        if isinstance(returned, dict):
            return returned
        flat = list(returned) if isinstance(returned, (tuple, list)) else [returned]
        if len(self.names) == len(flat) == 1:
            return Named(zip(self.names, flat))
        said = whose(self.function, self.names, _role)
        if len(set(said) - {None}) == len(flat):
            return Named(zip(said, flat))
        order, shapes = self.names[:len(flat)], [np.shape(run.inputs[one]) for one in self.names]
        if list(map(np.shape, flat)) != shapes[:len(flat)]:
            order = [next((name for name, shape in zip(self.names, shapes)
                           if shape == np.shape(one)), None) for one in flat]
        if None in order or len(set(order)) != len(flat):
            raise ValueError(f"{self.title}: gradients of other shapes")
        return Named(zip(order, flat))


def _code(found, forward, names, moved, backward=None):
    binding.with_parameters(forward, [inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names])
    file = inspect.unwrap(found.backward).__code__.co_filename
    code = Usual(forward, backward or found.backward, found.title, file)
    code.names = list(moved)
    return code


def _of_activation(found, formulas, drawn) -> Iterator[Reading]:
    """dout · f'(x), or f' alone; of what comes in or of what came out."""
    takes_dout = binding.names_of_dout(None, found.backward)
    x = drawn["x"]
    # a softmax of one number is 1, and so is its dout; of relu both sides count
    if 1 in np.shape(x) or takes_dout and not np.ndim(x) or np.ndim(x) and np.min(x) >= 0:
        raise ValueError("that says nothing")
    more = {name: value for name, value in drawn.items() if name != "x"}
    besides = _besides(found.backward)
    parts = next((kept for one in besides if len(kept := _kept(found.backward, one)) > 1
                  and plain(one) in CACHE), [])
    keys = [key for name in besides for key in dictionaries.keys(found.backward, name)]
    # z is what comes in, wherever it is kept
    is_z = any(plain(name) == "z" for one in besides
               for name in [one, *_kept(found.backward, one), *keys]
               if not parts or name not in parts or _is_read(found.backward, name))
    for formula in formulas:
        for of_output in (False, True):
            def forward(x, formula=formula, of_output=of_output, **more):
                out = formula(x, *more.values())
                kept = out if of_output else x
                return out, dict.fromkeys(keys, kept) if keys else tuple(
                    kept if _is_read(found.backward, name) else None for name in parts) or kept
            code = _code(found, forward, ["x", *more], ["x"])
            if takes_dout and not (of_output and is_z):
                yield Reading(code, {"x": x, **more}, USUAL)
        if not takes_dout:
            yield from (Reading(slope, {"x": x, **more}, f"{USUAL}, {words}")
                        for slope, words in as_slopes(code))


def _drawn_by_role(places, layout, request):
    """Drawn as what a part of each name says: current_w as w."""
    known = {p.name: {"labels": "y"}.get(_role(p.name), _role(p.name)) for p in places}
    drawn = inputs.draw([p.replace(name=known[p.name] or p.name) for p in places], layout, request)
    if len(drawn) < len(places):
        raise ValueError(f"of one kind are two of {', '.join(known)}")
    return {name: drawn[one or name] for name, one in known.items()}


def _of_loss(found, drawn, losses) -> Iterator[Reading]:
    """dL/dy of a usual loss of prediction and target; of what is given probabilities, that of the
    scores before them, too."""
    target, other = sorted(drawn, key=lambda name: _role(name) != "labels")
    is_binary = bool({"bce", "binary", "sigmoid", "logistic"} & {*name_words(found.title)})
    squash = ACTIVATIONS["sigmoid"][0] if is_binary else softmax
    for words, loss in losses.items():
        def forward(loss=loss, **given):
            return loss(given[other], given[target])
        yield Reading(_code(found, forward, list(drawn), [other]), drawn,
                      f"as the gradient of {words}")
        if "entropy" in words and "softmax" not in words and ("binary" in words) == is_binary:
            def whole(loss=loss, **given):
                given[other] = squash(given[other])
                return loss(given[other], given[target]), given

            def backward(dout, cache):
                return found.backward(**cache)
            yield Reading(_code(found, whole, list(drawn), [other], backward), drawn,
                          f"as the gradient of the scores before it, of {words}")


def _of_line(found, drawn, losses) -> Iterator[Reading]:
    """The gradient of a usual cost of x·w + b, or of its sigmoid."""
    places = {_role(name): name for name in drawn if isinstance(drawn[name], np.ndarray)}
    moved = [places[one] for one in "wb" if one in places]
    if len(drawn) != len(places):
        raise ValueError(f"{found.title}: {', '.join(drawn)}")
    turned = {**drawn, places["w"]: np.transpose(drawn[places["w"]])}  # of K classes it may be K×D
    ways = [(drawn, False)] + [(turned, True)] * (np.ndim(drawn[places["w"]]) > 1)
    for model, output, (drawn, is_turned) in (
            (model, output, way) for way in ways for model, output in (
                ("", lambda z: z), (" of the sigmoid", ACTIVATIONS["sigmoid"][0]))):
        for words, loss in losses.items():
            def forward(loss=loss, output=output, is_turned=is_turned, **given):
                x, w = given[places["x"]], given[places["w"]]
                y = x @ (w.T if is_turned else w) if np.ndim(w) else x * w
                return loss(output(y + given.get(places.get("b"), 0)), given[places["labels"]])
            if not model or "entropy" in words and "softmax" not in words:
                yield Reading(_code(found, forward, list(drawn), moved), drawn,
                              f"as the gradient of {words}{model}")


# ------------------------------------------------------------------------------------ the formulas


def _geometry(options, what, otherwise, window=1):
    """The window, stride or padding among the options, by whatever name."""
    value = next((value for name, value in options.items() if GEOMETRY.get(
        plain(name), "window" if "shape" in name else "") == what), otherwise)
    if isinstance(value, str):
        return (window - 1) // 2 if value == "same" and window % 2 else {"valid": 0}[value]
    return value


def _order(letters, wanted):
    """The axes in this order: of KKCF those of F, C, K and K."""
    if sorted(letters) != sorted(wanted):
        raise ValueError(f"no usual layout: {letters}")
    places = {one: [i for i, letter in enumerate(letters) if letter == one] for one in wanted}
    return [places[one].pop(0) for one in wanted]


def _conv(x, w, b=0, *, letters, options):
    order, stride = _order(letters["x"], "NCHW"), _geometry(options, "stride", 1)
    w = w.transpose(_order(letters["w"], "FCKK"))
    pad = _geometry(options, "pad", 0, w.shape[-1])
    if "same" in options.values() and np.max(stride) > 1:
        raise ValueError("same padding with strides means many things")
    out = Conv2d(stride, pad).forward(x.transpose(order), w)
    return (out + np.reshape(b, (-1, 1, 1))).transpose(np.argsort(order))


def _pool(x, *, letters, options):
    order = _order(letters["x"], "NCHW")
    mode = next((value for value in options.values() if isinstance(value, str)), "max")
    window = _geometry(options, "window", 2)
    pool = MaxPool2d if "max" in mode else AvgPool2d
    out = pool(window, _geometry(options, "stride", window)).forward(x.transpose(order))
    return out.transpose(np.argsort(order))


def _linear(x, w, b=0, *, letters, options):
    of_x, of_w = (letters[one].replace("1", "Z") for one in "xw")
    if "D" not in of_x or sorted(of_w) != ["D", "M"]:
        raise ValueError(f"no usual layout: {of_x}, {of_w}")
    return np.einsum(f"{of_x},{of_w}->{of_x.replace('D', 'M')}", x, w) + b


FORMULAS = {"conv": _conv, "pool": _pool, "linear": _linear}
