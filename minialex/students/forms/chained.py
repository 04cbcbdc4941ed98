"""Methods of one object that are one step of training together, where they look something up, or
are told how good an action was, as no layer is:

    forward(center, targets); loss(probs); backward(probs, targets); update(center, targets)
    probs = forward(states); grads = backward(states, actions, advantages)

What backward returns or keeps, and nothing takes off the weights, is taken off here.
"""
import ast
import inspect
import sys

from ..called import binding
from ..dialects import ANY_LOSS, TESTS, TRAINS
from ..names import DOUT, OUTPUTS, is_rate, name_words, plain, role, stem, stems_of_gradient
from ..reading import changes, lookups
from . import units

UPDATES = {"update", "step", "apply", *TRAINS}


def of_class(cls: type, methods: dict, forward: str,
             backward: str | None) -> tuple[bool, list[tuple[str, units.Unit]]]:
    """(whether it looks something up, or is told how good an action was, as no layer does;
    [(name, Unit)] of what trains by itself, and of its methods in a row)."""
    found, given = [], set()
    numbers, chosen = (lookups.numbers(changes.body_of(methods[name]), methods, roots).keys()
                       if name in methods else () for name, roots in (
                           (forward, frozenset(units.set_in(cls))), (backward, frozenset())))
    for name in (forward, backward):
        given |= binding.parameter_names(methods.get(name)) if name in methods else set()
    trains = units.of_class(cls, methods, any_name=False)
    if trains and trains[0] not in (forward, backward):
        found.append(trains)
    is_told = bool(given & {*numbers} or "each" in map(role, given))
    if backward not in methods or binding.names_of_dout(methods[forward], methods[backward]):
        return is_told and backward is None, found
    if is_told or given & {*chosen}:
        in_a_row = _in_a_row(cls, methods, forward, backward)
        is_open = any(DOUT.search(p.name) and p.name not in given and not is_rate(p.name)
                      for p in in_a_row.parameters)  # whose gradient is it?
        found += [] if is_open else [(backward, in_a_row)]
    return is_told, found


def _in_a_row(cls, methods, forward, backward):
    """The Unit of forward, its loss, backward, and what takes the gradients off."""
    inner = {**units.changing(sys.modules[cls.__module__]), **units.by_name(cls)}
    words = {name: {*name_words(name)} for name in methods if name not in (forward, backward)}
    losses = [name for name in words if words[name] & {*ANY_LOSS} and not words[name] & {*TESTS}
              and len(binding.signature(methods[name])) > 1]
    takes = [name for name in words if words[name] & UPDATES and inner.get(name)
             and not {forward, backward} & {*changes.called(binding.syntax_tree(methods[name]))}]
    calls = _Calls(methods)
    calls.add(forward)
    for name in losses[:1]:
        calls.add(name, "loss")
    if inner.get(backward) or takes and losses:
        for name in (backward, *([] if inner.get(backward) else takes[:1])):
            calls.add(name)
        body = calls.body
    elif takes:  # what is compared is seen in its own lines alone
        calls.add(backward)
        *before, call = calls.body
        calls.add(takes[0])
        body = [*before, *_with_result(methods[backward], call, calls.parameters),
                calls.body[-1]]
    else:
        body = [*calls.body, *_written_out(cls, methods[backward], calls)]
    roots = changes.changed(body, inner)
    inner.update((name, roots) for name in calls.called)  # none of them can be left out
    return units.owned(units.Unit([], body, tuple(calls.parameters.values()), (), inner), cls)


class _Calls:
    """Calls of methods in a row: what one returns goes to those that ask for it, by its name."""

    def __init__(self, methods):
        self.methods, self.body, self.made, self.parameters = methods, [], {}, {}
        self.called: list = []
        self.nameless: list = []

    def add(self, name, result=""):
        """One call more. What has no name goes, in order, to what the next one asks for."""
        self.called += [] if result else [name]
        known = {*self.made, *self.parameters, *lookups.numbers(changes.body_of(
            self.methods[name]), self.methods)}
        asked = [p.name for p in binding.signature(self.methods[name])[1:] if not (
            p.name in known or is_rate(p.name) or role(p.name) in ("labels", "each"))]
        if len(asked) == len(self.nameless):
            self.made.update(zip(asked, self.nameless))
        arguments = [f"{p.name}={self.given(p)}" for p in binding.signature(self.methods[name])[1:]
                     if p.default is p.empty or p.name in self.made]
        call = f"self.{name}({', '.join(arguments)})"
        last = [node.value for node in binding.nodes(self.methods[name], ast.Return) if node.value]
        names = [getattr(one, "id", getattr(one, "attr", "")) for part in last[-1:]
                 for one in getattr(part, "elts", [part])]
        names = [result] if result else [one or f"output{place or ''}"
                                         for place, one in enumerate(names)]
        result = result or ", ".join(names)
        self.body += ast.parse(f"{result} = {call}" if result else call).body
        self.made.update(zip(names, names))
        self.nameless = [one for one in names if one.startswith("output")]

    def given(self, p):
        """What goes to a parameter: what was returned under its name, the output; or the data."""
        is_output = plain(p.name) in OUTPUTS or role(p.name) in ("scores", "probs")
        if p.name in self.made:
            return self.made[p.name]
        if is_output and "output" in self.made and p.name not in self.parameters:
            return "output"
        self.parameters.setdefault(p.name, p.replace(kind=p.POSITIONAL_OR_KEYWORD))
        return p.name


def _with_own_names(backward, taken):
    """Its statements; what it sets has another name than what is handed to others."""
    asked, body = binding.parameter_names(backward), changes.body_of(backward)
    for one in binding.every(body, ast.Name):
        if one.id in taken and one.id not in asked:
            one.id = f"own_{one.id}"
    return body


def _with_result(backward, call, taken):
    """The statements of a method in the place of its call."""
    *body, last = _with_own_names(backward, taken)
    handed = [ast.Assign([ast.Name(one.arg, ast.Store())], one.value)
              for one in call.value.keywords if ast.unparse(one.value) != one.arg]
    if isinstance(last, ast.Return) and isinstance(call, ast.Assign):
        last = ast.copy_location(ast.Assign(call.targets, last.value), last)
    return [ast.fix_missing_locations(ast.copy_location(one, last)) for one in handed] + [
        *body, last]


def _written_out(cls, backward, calls):
    """The statements of a backward that returns its gradients, or keeps them, and what takes them
    off."""
    for p in binding.signature(backward)[1:]:
        if calls.given(p) != p.name:
            calls.body += ast.parse(f"{p.name} = {calls.given(p)}").body
    body = _with_own_names(backward, calls.parameters)
    weights = {stem(root.rpartition(".")[2]): root for root in units.set_in(cls)}
    found = {}
    for node in binding.every(body):
        for target in changes.targets(node):
            for one in getattr(target, "elts", [target]):
                found.update(_taken(one, cls, weights))
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values):
                found.update(_of_key(key, ast.unparse(value), cls, weights))
    steps = [f"{weight} = {weight} - learning_rate * {gradient}"
             for weight, gradient in found.items()]
    calls.parameters.setdefault("learning_rate", inspect.Parameter(
        "learning_rate", inspect.Parameter.POSITIONAL_OR_KEYWORD))
    kept = [node for node in body if not isinstance(node, ast.Return)]
    return [*kept, *ast.parse("\n".join(steps)).body]


def _taken(target, cls, weights):
    """{weight: its gradient} of a name or attribute that is set: dW1, self.dW1, grads["W1"]."""
    if isinstance(target, ast.Subscript):
        yield from _of_key(target.slice, ast.unparse(target), cls, weights)
    elif isinstance(target, (ast.Name, ast.Attribute)):
        name = changes.root_of(target)
        yield from ((weights[one], name) for one in stems_of_gradient(name.rpartition(".")[2])
                    if one in weights)


def _of_key(key, value, cls, weights):
    """The same of a dictionary's entry, by its key: of self.W1, or of self.params["W1"]."""
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return
    for one in (stem(key.value), *stems_of_gradient(key.value)):
        if one in weights:
            yield weights[one], value
            return
    held = [node for node in binding.nodes(cls.__init__, ast.Assign) for part in binding.every(
        [node.value], ast.Dict) for name in part.keys if getattr(name, "value", "") == key.value]
    for node in held[:1]:
        yield f"{ast.unparse(node.targets[0])}[{key.value!r}]", value
