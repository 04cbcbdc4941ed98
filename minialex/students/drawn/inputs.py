"""Where the inputs of a student's code come from: the teacher, the student, the command line, or
its arguments' names.

    1. NAME_inputs(generator) or inputs(generator) in the file after --like, or in the student's own
    2. --shape x=2,3,7,9, --labels y=4:10, --option stride=2
    3. what the argument is called: x, w, b, gamma, labels, stride, conv_param ... mean the same in
       all courses

A layout gives the arguments their shapes, in letters (see dialects.txt). A constructor's whole
numbers are letters, too (n_in is D). The first layout with which forward runs is taken, and then
further ones, where other mistakes show.
"""
import copy
import inspect
import re
from collections.abc import Callable, Iterable

import numpy as np

from .. import dialects
from ..called import binding
from ..dialects import GEOMETRY, letter
from ..names import name_words, option, plain, role
from ..reading import absent, kinds, usual
from ..reading.sources import source
from .arrays import of_letters
from .requests import CannotDraw, Layout, Request

__all__ = ["CannotDraw", "Layout", "Request"]

NAMED = (*binding.POSITIONAL, inspect.Parameter.KEYWORD_ONLY)
PENALTY, CHOICE = 2, 3  # a layout's `also`: a penalty whose default is 0; another word for "max"
OTHER = "other"  # a layout's role of all arguments but the first
LAST = 2  # the turn in which a constructor's default None is drawn, too
LARGE = 16  # a constructor's default size above it is drawn like one that has no default


def given(found, modules, seed):
    """What an inputs(generator) function of one of the modules gives, or inputs(generator, size)
    for the usual size 0; None if there is no such function."""
    for module in modules:
        for name in (f"{found.name}_inputs", "inputs"):
            make = getattr(module, name, None)
            if callable(make):
                places = [p for p in binding.signature(make) if p.kind in binding.POSITIONAL]
                return make(*[np.random.default_rng(seed), 0][:len(places)])
    return None


def layouts(name, request, small=False, also=False, forward=None):
    """Yields each Layout that goes with this name once: the likely ones first, then those that know
    most of forward's parameters; `also`: those where other mistakes show. Where the first argument
    may be a list of arrays, that is tried, too."""
    table, seen = (dialects.FURTHER if also else dialects.LAYOUTS), []
    lists = {"said": (True, False), "maybe": (False, True),
             "": (False,)}[takes_list(forward) if forward else ""]
    weights, named = roles(p.name for p in parameters_of(forward)) & {"w"}, telling(forward)
    others = sorted(dialects.ANY_NAME["any"], key=lambda layout: len(named - layout[0].keys()))
    likely = sorted(of_name(name, table), key=lambda layout: weights - layout[0].keys() != set())
    for turn in range(1 if also else 3):
        for shapes, sizes in [*likely, *([] if also else others)]:
            sizes = {**dialects.SIZES, **(dialects.SMALLER if small else {}), **sizes}
            layout = Layout(shapes, _settled(shapes, sizes, request), turn, also)
            if layout not in seen:
                seen.append(layout)
                yield from (layout._replace(several=several) for several in lists)


def telling(forward: Callable) -> set[str]:
    """Those roles of its arguments that a layout must know: a state, a scale, weights of both."""
    named = roles(p.name for p in parameters_of(forward))
    return named & {"gamma", "beta", "wx", "wh", "h", *({"attn"} if "x" in named else ())}


def of_name(name: str, table: dict = dialects.LAYOUTS) -> list:
    """The layouts of a table that go with this name."""
    text = "".join(f".{word}." for word in name_words(name)) + name.lower()
    return [layout for words, found in table.items()
            if any(word in text for word in words.split()) for layout in found]


def _settled(shapes, sizes, request):
    """Letters that a given shape settles are the same everywhere."""
    sizes = dict(sizes)
    for name, shape in request.shapes.items():
        pattern = shapes.get(role(name), "")
        if len(pattern) == len(shape):
            sizes.update(zip(pattern, shape))
    return sizes


def parameters_of(code):
    """The parameters of a function, a bound method or a class's constructor."""
    found = binding.signature(code)
    if not isinstance(code, type):
        return found
    if [str(p) for p in found] == ["*args", "**kwargs"]:
        found = _decorated(code.__init__) or found
    keys = {key: p.replace(name=key, kind=p.KEYWORD_ONLY, default=default) for p in found
            if p.kind == p.VAR_KEYWORD for _, key, default in kinds.keywords(code.__init__)}
    return [*found, *_of_the_base(code, found), *keys.values()]


def _decorated(wrapper):
    """The parameters of the function that a decorator without functools.wraps took in; nothing if
    it is not to be seen."""
    held = [cell.cell_contents for cell in getattr(wrapper, "__closure__", None) or ()]
    return next((binding.signature(one)[1:] for one in held if inspect.isfunction(one)), [])


def _of_the_base(cls, found):
    """What **kwargs hands on to the constructor of the class below."""
    inherited = next((base for base in cls.__mro__[1:] if base is not object
                      and "__init__" in vars(base)), None)
    if inherited is None or not any(p.kind == p.VAR_KEYWORD for p in found):
        return []
    return [p for p in parameters_of(inherited) if p.name not in {p.name for p in found}
            and p.kind in NAMED]


KNOWN = (GEOMETRY, dialects.LISTS, dialects.LAYERS, dialects.STACKS, dialects.NEIGHBOURS)


def mysterious(parameters, request):
    """The required arguments whose names say nothing."""
    return [p.name for p in parameters if p.default is p.empty and p.name not in request.named()
            and p.kind in NAMED and not (role(p.name) or letter(p.name) or option(p.name))
            and not any(plain(p.name) in table for table in KNOWN)]


def draw(parameters, layout, request, numbers=False):
    """{name: value} of what must be given, and of defaults that are better drawn. numbers: of a
    constructor, whose n_in is a whole number."""
    values, roles = {}, _roles([p.name for p in parameters], layout)
    if len(parameters) == 1 and not numbers and roles[parameters[0].name] is None:
        roles[parameters[0].name] = "x"  # f(n) and f(activation) are applied to what is given
    if OTHER in layout.shapes and not numbers:
        roles = {name: OTHER if number else "x" for number, name in enumerate(roles)}
    in_a_row = _in_a_row(roles, layout)
    for p in parameters:
        if p.name in request.named() or p.kind in NAMED and (p.default is p.empty
                                                             or _better_drawn(p, layout, numbers)):
            known, its_layout = in_a_row.get(p.name, (roles[p.name], layout))
            values[p.name] = _value(p, known, its_layout, request, numbers, values)
            if isinstance(p.default, tuple) and isinstance(values[p.name], int):
                values[p.name] = (values[p.name],) * len(p.default)
    name, array = next(iter(values.items()), (None, None))
    if layout.several and not numbers and isinstance(array, np.ndarray):
        both = [array, np.random.default_rng([request.seed, 2]).standard_normal(array.shape)]
        values[name] = tuple(both) if "tuple" in str(parameters[0].annotation).lower() else both
    if isinstance(values.get("activations"), list):  # one for each layer of (…, neurons, …)
        many = {p.name for p in parameters if letter(p.name) in ("J", "M") and p.name.endswith("s")}
        values.update((name, list(layout.numbers("JM"))) for name in many & values.keys())
    functions = {name: dialects.FUNCTIONS[plain(name)]
                 for name in values if numbers and plain(name) in dialects.FUNCTIONS}
    if np.cos not in functions.values():  # one that knows its derivative, where no word will do
        functions = {name: usual.Activation(*usual.ACTIVATIONS["tanh"]) for name in functions
                     if letter(name) is None and plain(name) not in GEOMETRY
                     and (layout.turn == LAST or option(name) is None)}
    return {**values, **functions}


def draw_named(names: Iterable[str], layout: Layout, request: Request, numbers=False) -> dict:
    """What arguments of these names are given."""
    return draw([inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in names],
                layout, request, numbers)


def _in_a_row(names, layout):
    """{name: (role, layout)} of W1, b1, W2, b2: each layer takes as many numbers as come out of the
    one before."""
    found = {name: re.fullmatch(r"(.*?)_?(\d+)", name) for name in names}
    known = {name: (role(one[1]), int(one[2])) for name, one in found.items()
             if one and role(one[1]) in ("w", "b")}
    numbers, sizes = sorted({number for _, number in known.values()}), layout.sizes
    if len(numbers) < 2 or "w" not in layout.shapes:
        return {}
    widths = [sizes["D"], *range(sizes["J"], sizes["J"] + len(numbers) - 1), sizes["M"]]
    layers = {number: layout._replace(sizes={**sizes, "D": width, "M": following})
              for number, width, following in zip(numbers, widths, widths[1:])}
    return {name: (which, layers[number]) for name, (which, number) in known.items()}


def takes_list(forward: Callable) -> str:
    """Is its first argument a list of arrays? "said" in its annotation or description; "maybe" by
    what is done with it; or ""."""
    first = next((p for p in parameters_of(forward) if p.name != "self"), None)
    if first is None:
        return ""
    if re.match(r"typing\.(List|Tuple|Sequence)|<class '(list|tuple)'|(List|list|Sequence|tuple)\b",
                str(first.annotation)):
        return "said"
    name, text = re.escape(first.name), source(forward)
    if re.search(rf"\b{name}\s*:\s*:?(py:class:|class:)?`?(list|tuple|sequence)\b", text):
        return "said"
    each = re.search(rf"\b{name}\[0\]", text) and re.search(
        rf"\b(len|zip|enumerate)\({name}\b|\bin {name}\b", text)
    return "maybe" if each else ""


class Neighbour:
    """The layer before, or the network around, as a layer looks at it: its output by all usual
    names, its sizes."""

    def __init__(self, layout, generator):
        shape = layout.numbers(layout.shapes["x"])
        self.A = self.a = self.output = self.out = self.outputs = generator.standard_normal(shape)
        self.output_shape = self.out_shape = self.shape = shape[layout.turn != 1:]
        self.learning_rate = self.lr = 1.0
        self.training, self.width, self.dtype = True, layout.sizes["D"], np.float64

    def backward(self, dout):
        """It goes on with dout."""

    def __getattr__(self, name):
        if name.startswith("_") or letter(name) not in ("D", "M"):
            raise AttributeError(name)
        return self.width


def helpers(annotation: object) -> list:
    """For activation: Activation, the student's classes of that kind."""
    own = isinstance(annotation, type) and annotation.__module__ not in ("builtins", "numpy",
                                                                         "inspect")
    return [*annotation.__subclasses__(), annotation] if own else []


def _object_of(annotation, first):
    """An object of the first of the helpers that can be made of nothing, from number `first` on;
    None where there is none."""
    for cls in helpers(annotation)[first:]:
        try:
            return cls()
        except Exception:  # it wants something, or is abstract
            continue
    return None


def _roles(names, layout):
    """{name: role}. Of two targets the first is the prediction, if nothing else can be; a second
    gamma is no gamma."""
    roles, taken = {}, []
    has_sizes = any(plain(name) in dialects.LISTS or _is_size(name) for name in names)
    for name in names:
        known = role(name)
        if known in taken and known != "qkv" and (plain(name) in GEOMETRY
                                                  or option(name)):
            known = None
        if known == "x" in taken and "h" in layout.shapes and "h" not in taken:
            known = "h"  # the a_prev of a recurrent cell
        if has_sizes and (known == "w" or plain(name) in dialects.PARAMETERS):
            known = "flat"
        roles[name] = known
        taken.append(known)
    if {"x", "w", "c"} <= {*taken} and not {"labels", "h"} & {*taken} | {"c"} & {*layout.shapes}:
        roles.update((name, "labels") for name in names if roles[name] == "c")  # loss(X, W, C)
        taken = [*roles.values()]
    if "labels" in taken and not {"x", "scores", *layout.shapes.keys() & {"probs"}} & set(taken):
        # the p of loss(y, p) is no probability of a dropout
        roles.update((name, "x") for name in names if roles[name] == "probs")
    targets = [name for name in names if roles[name] == "labels"]
    if len(targets) == 2 and not {"x", "scores", "probs",
                                  "a"} & set(taken) and "labels" in layout.shapes:
        roles[min(targets, key=lambda name: ("true" in name or "target" in name,
                                             plain(name) != "y", names.index(name)))] = "scores"
    return roles


def _is_size(name):
    """Is it a whole number of a function, as input_layer_size of a cost?"""
    return letter(name) in ("D", "J", "M") and plain(name) not in GEOMETRY and role(name) is None


def roles(names) -> set:
    """What these names say that they are: "x", "labels", …"""
    return {role(name) for name in names}


def _better_drawn(p, layout, numbers):
    """A default size of 784 is drawn; so are strides, paddings and windows for the second look."""
    if p.default is None and (role(p.name) == "labels" or role(p.name) == "b" and not numbers
                              or numbers and layout.turn == LAST and _is_known(p.name)):
        return True
    if is_penalty(p):
        return layout.also == PENALTY
    if isinstance(p.default, str):
        return layout.also == CHOICE and has_choices(p)
    if isinstance(p.default, tuple):  # of two windows, as many
        return bool(layout.also) and plain(p.name) in GEOMETRY
    if isinstance(p.default, bool) or not isinstance(p.default, int):
        # many layers keep nothing for backward without it
        return p.default is False and plain(p.name) in dialects.TRAINING
    if layout.also and plain(p.name) in GEOMETRY:
        return not numbers or letter(p.name) in (None, "K", "P")
    is_large = p.default > LARGE or layout.turn == LAST and letter(p.name) == "Q"
    return is_large and numbers and letter(p.name) is not None


def _is_known(name):
    """Does the name say what to give a constructor in the place of None?"""
    key = plain(name)
    return bool(letter(name) or _makes_weights(name)) or "opt" in key or any(
        key in table for table in (dialects.SHAPES, dialects.NEIGHBOURS, dialects.FUNCTIONS))


def _makes_weights(name):
    """Is it a function such as weight_init_fn(n_in, n_out)?"""
    return bool(re.search("init", plain(name)))


def is_penalty(p: inspect.Parameter) -> bool:
    """Is it the factor of a penalty, 0 as long as nobody asks for one?"""
    is_number = isinstance(p.default, (int, float)) and not isinstance(p.default, bool)
    return is_number and p.default == 0 and dialects.OPTIONS.get(option(p.name)) == 0.1


def has_choices(p: inspect.Parameter) -> bool:
    """May another word be given: "average" for "max", "sigmoid" for "relu"?"""
    return p.default in dialects.CHOICES if isinstance(p.default, str) else (
        p.default is p.empty and plain(p.name) in dialects.CHOICES)


def _value(p, known, layout, request, numbers, before):
    name, key = p.name, plain(p.name)
    generator = np.random.default_rng([request.seed, *name.encode()])
    if name in request.named():
        return request.value(name)
    if numbers and "optim" in key:
        return absent.Recorder()
    if numbers and _makes_weights(name):
        return usual.weights
    if numbers and key in dialects.STEPS:
        return 1
    if isinstance(p.default, str):
        return dialects.CHOICES[p.default]
    number = _of_constructor(p, key, layout, generator) if numbers else None
    if number is not None:
        return number
    if known not in (*layout.shapes, "x") and (key in GEOMETRY or option(name)
                                       and not (numbers and key in dialects.LISTS)):
        return of_option(name, layout)
    if key in dialects.LISTS:
        return list(layout.numbers("J" if key.startswith("hidden") else "DJM"))
    if numbers and known is None:
        return layout.sizes["DM"[len(before) % 2]]
    if _is_size(name) and known is None:
        return layout.sizes[letter(name)]
    other = "N" * ("N" in layout.shapes["x"]) if known == "each" else layout.shapes["x"]
    letters = "flat" if known == "flat" else layout.shapes.get(known, other)
    return of_letters(letters, layout, generator, before, known)


def _of_constructor(p, key, layout, generator):
    """What a constructor is given for its sizes, and for what lies around the layer; None for
    others."""
    pattern, size = layout.shapes.get("x", ""), letter(p.name)
    is_picture, is_window = "H" in pattern, size in ("K", "P")
    first = layout.turn != 1  # some name the batch, too
    if p.annotation is int and key in {**dialects.LISTS,
                                       **dialects.OPTIONS} and key not in GEOMETRY:
        return layout.sizes["M"]  # layers: int
    if re.match(r"(typing\.)?tuple\b(?!.*\|)", str(p.annotation), re.IGNORECASE):
        if is_window:
            return (layout.sizes[size],) * 2
        if key in dialects.SHAPES:
            return layout.numbers(pattern)[first:]
        if size == "M":
            return (int(np.prod(layout.numbers(pattern)[first:])),)
    made = _object_of(p.annotation, layout.helper)
    if made is not None or key in dialects.NEIGHBOURS:
        return Neighbour(layout, generator) if made is None else made
    if key in dialects.SHAPES and (len(pattern) > 2 and (is_picture or layout.turn or key.endswith(
            "shape")) or key == "shape" or key.endswith("shape") and layout.turn == LAST):
        # of a sequence, the last axis only
        return layout.numbers(pattern)["N" in pattern and first:]
    if size is None or key in GEOMETRY and "w" not in layout.shapes:
        return None
    if size == "P" and not is_picture:
        size = "D"
    if size == "D" and "C" in pattern and "D" not in pattern:
        size = "C"  # the features of a picture
    number = layout.sizes[size]
    return (number, number) if is_window and is_picture and layout.turn == 1 else number


def of_option(name: str, layout: Layout) -> object:
    """A window, stride or padding of this layout, or what dialects.txt has for a name."""
    key = plain(name)
    if key in GEOMETRY:
        value = layout.sizes[GEOMETRY[key]]
        if key in dialects.PAIRS and layout.turn == 1:
            return value, value
        return [value, "same", "valid"][layout.turn] if key == "padding" else value
    value = copy.deepcopy(dialects.OPTIONS[option(name)])  # running averages are kept in bn_param
    if isinstance(value, list):
        return value[layout.turn % len(value)]
    if isinstance(value, dict):
        value.update((key, layout.sizes[GEOMETRY[plain(key)]])
                     for key in value if plain(key) in GEOMETRY and key != "p")
    return value
