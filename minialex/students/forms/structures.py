"""A network that is no object but a list of layers of neurons, each a dictionary with its weights,
which functions are handed and change:

    network = initialize_network(2, 3, 1)            [[{"weights": [0.1, 0.2, 0.3]}, …], …]
    outputs = forward_propagate(network, row)
    backward_propagate_error(network, expected)      sets neuron["delta"]
    update_weights(network, row, l_rate)             neuron["weights"][j] -= l_rate * …

One call of each is a step like others. A row may have its label at its end, which is no input.
"""
import ast
import types

from ..called import binding
from ..dialects import FORWARD, INITIALISE
from ..names import is_rate, name_words, plain, role
from ..reading import changes
from .units import Unit

INPUTS, HIDDEN, OUTPUTS = 4, 5, 3
ROW, TARGET = "drawn_row", "drawn_target"


class Structure(Unit):
    """The step: what it changes is the network."""

    def roots(self) -> set[str]:
        """Its name, which the first line sets."""
        return {*changes.names_set(self.outside[0])}


def of(module: types.ModuleType) -> tuple[list[Unit], list[str]] | None:
    """([a step for each kind of row], names of the functions) of a file with such functions."""
    own = changes.functions_of(module)
    asked = {name: binding.arguments_of(value) for name, value in own.items()}
    first = next((name for name in own if len(asked[name]) > 1 and _fills(own[name])), None)
    same = [name for name in own if first and asked[name][:1] == asked[first][:1]]
    forward = next((name for name in same if len(asked[name]) == 2 and (
        plain(name) in FORWARD or "forward" in name_words(name))), None)
    update = next((name for name in same if any(
        is_rate(one) for one in asked[name]) and _changes_entries(own[name])), None)
    make = next((name for name in own if {*name_words(name)} & {*INITIALISE, "init", "initialize"}
                 and len(asked[name]) == 3), None)
    if not (first and forward and update and make) or len({first, forward, update}) < 3:
        return None
    net = next(name for name in ("network", "net", "drawn_net") if name not in vars(module))
    units = []
    for length in (INPUTS + 1, INPUTS):
        outside = ast.parse(f"{net} = {make}({INPUTS}, {HIDDEN}, {OUTPUTS})\n"
                            f"{ROW} = np.random.randn({length})\n"
                            f"{TARGET} = np.eye({OUTPUTS})[1]").body
        body = ast.parse(f"outputs = {forward}({net}, {ROW})\n"
                         f"np.subtract({TARGET}, outputs)\n"
                         f"{_call(first, net, asked)}\n{_call(update, net, asked)}").body
        units.append(Structure([], body, outside=outside))
    return units, [first, forward, update, make]


def _call(name, net, asked):
    words = [net if number == 0 else "1.0" if is_rate(one) else TARGET
             if role(one) == "labels" else ROW for number, one in enumerate(asked[name])]
    return f"{name}({', '.join(words)})"


def _fills(function):
    """Does it set entries such as neuron["delta"], and return nothing?"""
    returns = any(node.value for node in binding.nodes(function, ast.Return))
    return not returns and any(
        isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant)
        and isinstance(target.slice.value, str) for node in binding.nodes(function)
        for target, _ in changes.pairs_of(node)) and any(
            role(p.name) == "labels" for p in binding.signature(function))


def _changes_entries(function):
    return any(isinstance(target, ast.Subscript)
               for _, target, _ in changes.updates([binding.syntax_tree(function)]))
