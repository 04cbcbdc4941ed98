"""A whole network in functions, as the largest course has it:

    parameters = initialize_parameters(n_x, n_h, n_y)     A2, cache = forward_propagation(X, parameters)
    cost = compute_cost(A2, Y)                            grads = backward_propagation(parameters, cache, X, Y)

The loss is a third function; backward gives its gradients by name, {"dW1": …}. Taken together they are an object like others.
"""
import numpy as np

from ..gradcheck import binding
from ..gradcheck.dialects import CACHE, OPTIONS, ROLE, plain
from . import inputs
from .layers import Layer, NotChecked

PARAMETERS = {"parameters", "params", "param", "weights", "theta", "thetas", "model"}


def is_one(forward, backward):
    """Does forward take a dictionary of parameters, and backward a target that forward does not know, and no dout?"""
    given, asked = ([p.name for p in binding.signature(function)] for function in (forward, backward))
    targets = [name for name in asked if ROLE.get(plain(name)) == "labels" and name not in given]
    return bool(targets) and any(plain(name) in PARAMETERS for name in given)


class Network:
    """forward, the cost and backward as the methods of an object that holds the parameters."""

    def __init__(self, forward, backward, cost, parameters):
        self.functions, self.parameters = (forward, backward, cost), parameters

    def forward(self, **given):
        """The cost of the inputs and the target, by their names."""
        forward, _, cost = self.functions
        first = [self.parameters if plain(p.name) in PARAMETERS else given[p.name] for p in binding.signature(forward)
                 if plain(p.name) in PARAMETERS or p.name in given]
        (output,), rest = binding.split(binding.title(forward), forward(*first))
        self.seen = given, output, rest
        return np.asarray(cost(*self._arguments(cost)), dtype=float).reshape(())

    def backward(self):
        """What backward returns."""
        return self.functions[1](*self._arguments(self.functions[1]))

    def _arguments(self, function):
        """Of the cost, or of backward: each is an input, the target, the parameters, the cache or the output."""
        given, output, rest = self.seen
        for p in binding.signature(function):
            same = [name for name in given if name == p.name or ROLE.get(plain(p.name)) == "labels" == ROLE.get(plain(name))]
            if plain(p.name) in PARAMETERS or same:
                yield given[same[0]] if same else self.parameters
            elif p.default is p.empty and plain(p.name) in CACHE and rest:
                yield rest[0] if len(rest) == 1 else tuple(rest)
            elif p.default is p.empty:
                yield OPTIONS.get(plain(p.name), output) if p.name not in ("A", "a") else output


def of_functions(found, layout, request, module):
    """[(code, values, words)]: with the student's own cost and first parameters, drawn anew."""
    functions = {name.lower(): value for name, value in vars(module).items() if hasattr(value, "__code__")}
    costs = [value for name, value in functions.items() if "cost" in name or "loss" in name]
    first = [value for name, value in functions.items() if "init" in name and
             any(word in name for word in ("param", "weight", "initialize"))]
    if not costs or not first:
        raise NotChecked(f"{found.title} needs a cost and the first parameters: there is no function "
                         f"{'compute_cost' if not costs else 'initialize_parameters'} (or the like) in the file")
    columns = layout._replace(sizes={**layout.sizes, "N": 4, "M": 1 if layout.turn != 1 else 3})
    made = next(filter(None, (_made(function, columns, request) for function in first)), None)
    if made is None:
        raise NotChecked(f"{found.title}: the first parameters could not be made with {first[0].__name__}")
    generator, (N, D, M) = np.random.default_rng(7), (columns.sizes[letter] for letter in "NDM")
    X, Y = generator.standard_normal((D, N)), (generator.random((M, N)) < 0.5).astype(int)
    if M > 1:
        Y = np.eye(M, dtype=int)[:, generator.integers(0, M, N)]
    target = next(p.name for p in binding.signature(found.backward) if ROLE.get(plain(p.name)) == "labels")
    rows = layout.turn == 2
    values = {next(p.name for p in binding.signature(found.forward)): X.T if rows else X, target: Y.T if rows else Y}
    return [_reading(found, cost, made, values) for cost in costs]


def _made(function, layout, request):
    try:
        made = function(**inputs.draw(inputs.parameters_of(function), layout, request, numbers=True))
        return {name: np.array(value, dtype=float) if np.ndim(value) else value for name, value in made.items()}
    except Exception:  # this one starts from something else
        return None


def _reading(found, cost, made, values):
    code = Layer(f"{binding.title(cost)} of {found.forward.__name__}", Network(found.forward, found.backward, cost, made),
                 "forward", "backward", [])
    code.file = lambda: cost.__code__.co_filename
    code.learn(values)
    return code, {**values, **code.values()}, ""
