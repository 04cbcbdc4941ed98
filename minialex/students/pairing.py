"""Which forward goes with a backward: by their names, or by what both take."""
import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

from ..gradcheck.report import Report
from . import dialects
from .called import binding
from .dialects import ANY_LOSS, BACKWARD, DERIVATIVE, FORWARD, LOSSES, TESTS, TRIMMED
from .forms import joined, outer
from .forms.layers import NotChecked
from .forms.renaming import same
from .forms.units import trains
from .found import Found
from .names import name_words, part, plain, role, stem, stems_of_gradient
from .reading.sources import cost_of, is_free, names_returned, source
from .status import problems

FORWARD_WORDS = FORWARD.keys() - {"loss", "cost", "activation"}
LOSS_WORDS = {*LOSSES, *ANY_LOSS}
_all = binding.parameter_names  # with a default or without


def pairs(own: dict, names: dict) -> dict:
    """{a forward's name: [(bare name, kind, backward's name, other forwards that may be meant)]}.
    own: the file's functions and classes; names: all that it knows."""
    found, alone = {}, {}
    for name, value in own.items():
        for bare, kind in stems(name) if inspect.isroutine(value) and not trains(value) else ():
            losses = _losses(value, bare, own) if kind == "derivative" else []
            forward = _forward_of(name, bare, kind, names)
            of_loss = losses and (bare in ("forward", "j") or not forward)
            if of_loss:
                (forward, *losses), kind = losses, "pair" if len(_all(value)) > 1 else kind
                said = _kind_of_loss(bare, value)
                bare = forward if said in ([], _kind_of_loss(forward, value)) else bare
            else:
                losses = []
                forward = forward or _predictor(value, own)
            if forward:
                is_network = not of_loss and _is_network(names[forward], value)
                kind = "network" if is_network else kind
                found.setdefault(forward, []).append((bare, kind, name, losses))
                break
            if kind == "pair":
                alone[name] = bare
    for name, bare in alone.items():
        near = [one for one in own if one not in found and inspect.isroutine(own[one])
                and _is_part(bare, one)]
        if len(near) == 1 and all(name != item[2] for items in found.values() for item in items):
            found[near[0]] = [(bare, "pair", name, [])]
    return found


def of_attributes(cls: type, methods: dict, is_made: bool) -> tuple[str, str] | None:
    """(cost, its gradient) where that returns the gradients of several of the object's arrays:
    dJdW1, dJdW2 of self.W1, self.W2. is_made: its object wants something, and any pair of methods
    that use it is one, step and step_backward(dh, cache), or the loss and gradients of (X, y)."""
    known = {stem(name) for base in cls.__mro__[:-1]
             for name in re.findall(r"\bself\.(\w+) *=[^=]", source(base))}
    for forward, items in pairs(methods, methods).items():
        for _, kind, backward, _ in items:
            both = [methods[forward], methods[backward]]
            if any({*stems_of_gradient(one)} & known for one in names_returned(both[1])) or (
                    is_made and kind == "pair" and all(
                        inspect.isfunction(one) and not is_free(one) for one in both)
                    and (binding.names_of_dout(*both) or LOSS_WORDS & {*name_words(forward)}
                         and _required(both[0]) == _required(both[1]))):
                return forward, backward
    return None


def of_weights(cls: type, methods: dict) -> tuple[str, str] | None:
    """(cost, gradient) of two methods that both go forward, with the object's own weights:
    compute_cost(X, Y, W=None) and compute_gradients(X, Y), or (X, Y, P) of an output P."""
    own = {name: _required(method) - {"self"} for name, method in methods.items()}
    for name, asked in own.items():
        data = {one for one in asked if not joined.maker_of(cls, one)}
        costs = [cost for cost in own if own[cost] == data and LOSS_WORDS & {*name_words(cost)}
                 and not {*TESTS, *DERIVATIVE, "likelihood"} & {*name_words(cost)}]
        if costs and kind_of(name) == "derivative" and {*map(role, data)} == {
                "x", "labels"} and re.search(r"@|dot|self\.\w*(w|theta)", source(methods[name])):
            return min(costs, key=lambda one: "loss" not in name_words(one)), name
    return None


def _is_part(bare, name):
    """pool of max_pool_forward: a whole word more or less, in a name that says that it is a
    forward. The max of softmax is no word."""
    words = name_words(name)
    return any(tuple(longer[-len(shorter):]) == tuple(shorter) and len("".join(shorter)) > 2
               for rest in _without(words, FORWARD_WORDS) if rest
               for shorter, longer in [sorted((rest, name_words(bare)), key=len)])


def _losses(gradient, bare, own):
    """The names of the losses that a gradient(X, y, w) may be that of: they take the same. Of
    ridge_gradient ridge_loss alone, or the only one, if that may be any loss."""
    asked = _required(gradient)
    known = {role(name.rstrip("0123456789_")) for name in asked}
    if not {"labels", "c"} & known and known != {"scores"} and not (known and known <= {"w", "b"}):
        return []  # of mse(y_pred) the target is a global variable, of loss(W, b) all data
    losses = [name for name, value in own.items() if inspect.isroutine(value)
              and value is not gradient and LOSS_WORDS & set(name_words(name))
              and not {*TESTS, *DERIVATIVE} & set(name_words(name))
              and (_required(value) <= _all(gradient) and asked <= _all(value)
                   or same(value, gradient)
                   or len(_required(value)) == len(asked) > 1 and bare != "forward"
                   and _kind_of_loss(name, gradient) == _kind_of_loss(bare, gradient) != [])]
    said = _kind_of_loss(bare, gradient)
    if not said:
        return losses
    known = {name: _kind_of_loss(name, gradient) for name in losses}
    near = ([name for name in losses if "".join(known[name]) == "".join(said)]
            or [name for name in losses if set(said) <= set(known[name])]
            or [name for name in losses if not known[name] and len(losses) == 1])
    return near if len(near) == 1 else []


def _kind_of_loss(name, gradient):
    """["ridge"] of compute_ridge_loss_2; [] of compute_loss, and of the gradient of w."""
    return [word for word in name_words(name) if word not in {*ANY_LOSS, *FORWARD, *TRIMMED}
            and not word.isdecimal()
            and plain(word) not in map(plain, _all(gradient))]


def tell(found: Any, report: Report, is_wrong: bool) -> None:
    """Names the backward in the heading where it is called after another forward. Raises NotChecked
    where it is wrong with a forward that was chosen by a part of its name."""
    if found.kind != "pair":
        return
    forward, backward = map(binding.title, (found.forward, found.backward))
    bare = [one for one, kind in stems(backward)]
    if any(_forward_of(backward, one, "pair", {forward: found.forward}) for one in bare):
        return
    if is_wrong and found.name.rpartition(".")[2] in bare:
        raise NotChecked(f"no forward is called like {backward}. With {forward} it is not right "
                         f"({problems(report.rows)}), but that is a guess: call both alike, or "
                         f"write :{forward},{backward} after the file's name")
    report.title += f" (by {backward})"


def _required(function):
    return {p.name for p in binding.signature(function) if p.default is p.empty}


def _is_network(forward, backward):
    """Does forward take parameters, together or one by one, and backward a target that forward does
    not know, or of which it returns the cost, and no dout? So does an activation whose backward is
    given its output and the target: softmax_backward(probs, y)."""
    given, asked = map(binding.arguments_of, (forward, backward))
    has_parameters = any(plain(name) in dialects.PARAMETERS for name in given) or any(
        role(name) in ("w", "b") or stem(name) in ("w1", "b1") for name in given)
    others = [role(name) for name in asked if role(name) != "labels"]
    has_parameters |= len(given) == 1 and others in (["scores"], ["probs"])
    has_parameters |= bool(outer.drawn(outer.with_outer(forward, backward)))
    has_cost = cost_of(forward) and any(plain(name) in dialects.PARAMETERS for name in given)
    return has_parameters and not binding.names_of_dout(forward, backward) and any(
        role(name) == "labels" and (has_cost or name not in given) for name in asked)


def kind_of_pair(forward: Callable, backward: Callable) -> str:
    """"network" of two whose loss is a third function, "pair" of others."""
    return "network" if _is_network(forward, backward) else "pair"


def _predictor(backward, own):
    """The network's forward, by whatever name, of a ComputeGradients(X, Y, P, W): it takes inputs
    and weights that backward gets, too."""
    for name, value in own.items():
        given = _all(value) if inspect.isroutine(value) else set()
        if value is not backward and len(given & _all(backward)) > 1 and _is_network(value,
                                                                                     backward):
            return name
    return None


def kind_of(backward: str) -> str:
    """"derivative" for a name such as f_prime, "pair" for others."""
    return next(stems(backward), ("", "pair"))[1]


def _without(words, table):
    """Yields the other words for each run of them that is one of the table's."""
    for start in range(len(words)):
        for stop in range(len(words), start, -1):
            if "".join(words[start:stop]) in table:
                yield words[:start] + words[stop:]


def stems(name):
    """Yields (relu, "pair") for relu_backward, (sigmoid, "derivative") for sigmoid_prime; (forward,
    …) for the bare word."""
    words = [part for word in name_words(name) for part in (  # backward2 is a second one
        re.findall(r"\D+|\d+", word) if word.rstrip("0123456789") in BACKWARD
        else re.split(r"(?<=[a-z])2(?=d)", word))]  # relu2deriv
    slope = {"prime", "deriv", "derivative"} & {*words}  # of approx_tanh_prime, not approx_grad
    for table, kind, others in ((BACKWARD, "pair", TESTS), (
            DERIVATIVE, "derivative", TESTS if slope else {**TESTS, **dialects.NO_LAYER})):
        if set(words) & others.keys():
            return
        yield from (("_".join(rest) or "forward", kind) for rest in _without(words, table))
    if name.startswith("d") and len(name) > 3:
        yield name[1:].lstrip("_"), "derivative"


def _forward_of(backward, stem, kind, names):
    """The name of the forward that goes with this backward, or None: conv_forward, forward_conv,
    conv; for cube_backward_alt that of cube."""
    stems = list(_trimmed(stem))
    functions = [name for name, value in names.items() if callable(value)
                 and not inspect.isclass(value) and name != backward]
    for one in stems:
        exact = [name for name in functions if name == one or kind == "pair"
                 and name == backward.replace("backward", "forward")]
        others = [name for name in functions if _bare(name) == plain(one)] or [
            name for name in functions if plain(name) == f"{plain(one)}activation"]
        # Loss beside loss
        same = [name for name in others if name.lower() == one != name
                and backward.startswith(name)]
        if exact or others:
            return same[0] if same else max(exact, key=lambda name: "forward"
                                            in name) if exact else others[0]
    return None


def _trimmed(name):
    """Yields batchnorm_2_alt, batchnorm_2, batchnorm."""
    words, trimmed = name.split("_"), 0
    while trimmed is not None:
        words = words[:len(words) - trimmed]
        yield "_".join(words)
        trimmed = next((n for n in (1, 2) if n < len(words)
                        and "".join(words[-n:]) in TRIMMED), None)


def seconds(found: Found) -> list[Found]:
    """[Found] of other methods that a class has for the same, as backward_fast beside backward, and
    does not call itself."""
    cls, (forward, backward) = found.forward, found.backward if found.kind == "class" else ("", "")
    asked = backward and _all(getattr(cls, backward))
    return [found._replace(name=f"{found.name}.{one}", title=f"{found.title}.{one}",
                           backward=(forward, one))
            for one in dir(cls) if asked and one != backward and backward in _trimmed(one)
            and not part(one, "penalty") and _all(getattr(cls, one)) == asked
            and f".{one}(" not in source(cls)]


def with_flag(name: str, function: Callable) -> list[Found]:
    """[Found] of sigmoid(x, deriv=False), which is f and f' in one."""
    flags = [p.name for p in binding.signature(function) if len(p.name) > 1
             and p.name in DERIVATIVE and p.default is not p.empty and p.default in (False, None)]
    asked = _required(function)
    if len(flags) != 1 or len(asked) != 1 and "labels" not in map(role, asked):
        return []
    return [Found(name, *(_set(function, flags[0], value) for value in (False, True)),
                  "pair" if len(asked) > 1 else "derivative", name)]


def _set(function, flag, value):
    """The function with this argument given."""
    @functools.wraps(function)
    def called(*arguments, **keywords):
        return function(*arguments, **keywords, **{flag: value})
    return binding.with_parameters(called, [p for p in binding.signature(function)
                                            if p.name != flag])


def _bare(name):
    """relu of relu_forward, fwd_relu and relu."""
    rest = next(_without(name_words(name), FORWARD_WORDS), None)
    return plain(name) if rest is None else "".join(rest) or "forward"
