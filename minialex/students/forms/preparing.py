"""What an object is told before its forward runs: its weights are made, it is connected, and what
its base class was to set is there.
"""
import contextlib
import functools
import inspect
import re
import sys

from ..called import binding
from ..dialects import INITIALISE, NEIGHBOURS, OPTIMIZERS, OPTIONS, PLAIN_STEPS, letter
from ..drawn import inputs
from ..names import OUTPUTS, plain, role
from ..reading import kinds
from ..reading.absent import USED, NotHandedIn, Recorder
from ..reading.sources import source
from . import objects
from .keeping import NotChecked, output_kept


def initialise(prototype: object, forward: str, values: dict, layout: inputs.Layout,
               request: inputs.Request) -> None:
    """Some layers make their weights in a method of their own, and some find their input in an
    attribute: done where forward does not run without."""
    _called(prototype, layout, request, connect=True)
    for prepare in (_called, _called, _filled):  # one of them may need what another has set
        if not returned(prototype, forward, values):
            prepare(prototype, layout, request)
    _completed(prototype, forward, values, layout, request)


def begin_sums(prototype: object, forward: str, backward: str | None) -> None:
    """Gradients that backward adds to, and that a method of its own sets to zero first: dW of
    reset_gradients()."""
    for name, sets in _setting(type(prototype), forward, backward or forward).items():
        if not all(hasattr(prototype, one) for one in sets):
            with contextlib.suppress(Exception):  # backward says what is missing
                getattr(prototype, name)()


@functools.lru_cache(maxsize=64)
def _setting(cls, forward, backward):
    """{method that asks for nothing: what it sets that backward reads and forward does not set}"""
    read = set(re.findall(r"\bself\.(\w+)", source(getattr(cls, backward))))
    read -= set(re.findall(r"\bself\.(\w+) *=[^=]", source(getattr(cls, forward))))
    found = {name: read & set(re.findall(r"\bself\.(\w+) *=[^=]", source(method)))
             for name, method in inspect.getmembers(cls, inspect.isfunction)
             if name not in (forward, backward, "__init__")
             and (binding.arguments_of(method) == ["self"] or plain(name) in INITIALISE and all(
                 p.default is not p.empty for p in binding.signature(method)[1:]))}
    return {name: sets for name, sets in found.items() if sets}


def choose_plain_steps(prototype: object) -> None:
    """Of the optimizers that it knows by name, it takes the one whose steps are the gradient."""
    text = "".join(map(source, type(prototype).__mro__[:-1]))
    known = [word for word in re.findall(r"""["'](\w+)["']""", text) if plain(word) in PLAIN_STEPS]
    for name, value in vars(prototype).items():
        if plain(name) in OPTIMIZERS and isinstance(value, str) and known and plain(
                value) not in PLAIN_STEPS:
            setattr(prototype, name, known[0])


def returned(prototype: object, forward: str, values: dict) -> list:
    """[what forward returns, or else keeps] for these inputs, on a copy of the object; nothing
    where it does not run."""
    layer = objects.clone(prototype)
    try:
        result = getattr(layer, forward)(**values)
    except Exception:  # something is still missing, or of another shape
        return []
    if result is None:
        with contextlib.suppress(NotChecked):
            result = output_kept(layer, "", method=getattr(layer, forward))
    return [binding.with_output(result) if isinstance(result, dict) else result]


def _called(prototype, layout, request, connect=False):
    """Call what makes weights; connect: only what tells a layer of its neighbours, or its size."""
    for name in dir(type(prototype)):
        known = plain(name) in INITIALISE and name != "__init__"
        made = getattr(prototype, name) if known else None
        parameters = inputs.parameters_of(made) if callable(made) else []
        near = [p.replace(default=p.empty) for p in parameters if plain(p.name) in NEIGHBOURS]
        tells = bool(near) or plain(name).startswith("set")
        if callable(made) and tells == connect:
            others = [p for p in parameters if plain(p.name) not in NEIGHBOURS]
            arguments = inputs.draw([*near, *others], layout, request, numbers=True)
            with contextlib.suppress(Exception):  # forward says what is missing
                made(**{key: Recorder() if "opt" in key else value
                        for key, value in arguments.items()})


def _filled(prototype, layout, request):
    """What is still None and called like an input, a target or a weight gets a drawn value."""
    names = [name for name, value in vars(prototype).items()
             if value is None and role(name) in layout.shapes
             and not (plain(name) in OUTPUTS and role(name) == "scores")]
    for name in names:
        _fill(prototype, name, layout, request)
    _sized(prototype, layout)


def _sized(prototype, layout):
    """Sizes that whoever uses it sets, and that are None until then or not there: by their names,
    or their order."""
    names = [name for name in _counts(type(prototype)) if getattr(
        prototype, name, None) is None and (name in vars(prototype)
                                            or _is_set_outside(prototype, name, prototype))]
    unknown = [name for name in names if letter(name) is None]
    letters = dict(zip(unknown, "DJM" if len(unknown) > 2 else "DM"))
    for name in names:
        setattr(prototype, name, layout.sizes[letter(name) or letters.get(name, "J")])


@functools.lru_cache(maxsize=64)
def _counts(cls):
    """What its objects have that is used as a count, in order."""
    names = sorted({*re.findall(r"\bself\.(\w+)", source(cls))})
    return [name for name in names if kinds.kind_of(cls, f"self.{name}").what == "count"]


def _completed(prototype, forward, values, layout, request):
    """What its base class, which is not here, or whoever uses it was to set: a scale, a seed."""
    while True:
        try:
            getattr(objects.clone(prototype), forward)(**values)
            return
        except AttributeError as error:
            name, is_missing = error.name, isinstance(error, NotHandedIn)
            is_known = role(name) in layout.shapes or plain(name) in {**OPTIONS, **NEIGHBOURS}
            if name in vars(prototype) or not is_known or not (
                    is_missing or _is_set_outside(prototype, name, error.obj)):
                return
            _fill(prototype, name, layout, request, numbers=True)
            if is_missing:
                USED[name] = error.obj.missing
        except Exception:  # forward says what is missing
            return


def _is_set_outside(prototype, name, thing):
    """Does another class of the file do that: layer.seed = 1, setattr(layer, "seed", 1)?"""
    return isinstance(thing, type(prototype)) and re.search(
        rf"(?<!self)\.{name} *=[^=]|setattr\((?!self)\w+, *[\"']{name}[\"']",
        source(sys.modules.get(type(prototype).__module__)))


def _fill(prototype, name, layout, request, numbers=False):
    vars(prototype).update(inputs.draw_named([name], layout, request, numbers))
