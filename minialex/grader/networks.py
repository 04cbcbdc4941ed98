"""A whole network in functions, as the largest course has it:

    parameters = initialize_parameters(n_x, n_h, n_y)     A2, cache = forward_propagation(X, parameters)
    cost = compute_cost(A2, Y)                            grads = backward_propagation(parameters, cache, X, Y)

The loss is a third function; backward gives its gradients by name, {"dW1": …}.
"""
import numpy as np

from ..gradcheck import binding
from ..gradcheck.dialects import CACHE, OPTIONS, ROLE, plain
from ..gradcheck.numpy_code import Functions, Run
from . import inputs
from .forms import NotChecked

PARAMETERS = {"parameters", "params", "param", "weights", "theta", "thetas", "model"}


def is_one(forward, backward):
    """Does forward take a dictionary of parameters, and backward a target that forward does not know, and no dout?"""
    given, asked = ([p.name for p in binding.signature(function)] for function in (forward, backward))
    targets = [name for name in asked if ROLE.get(plain(name)) == "labels" and name not in given]
    return bool(targets) and any(plain(name) in PARAMETERS for name in given)


class Network(Functions):
    """forward, the cost and backward as one code: of X and all parameters by name."""

    def __init__(self, forward, backward, cost):
        super().__init__(forward, backward, by_name=True)
        self.cost, self.title = cost, f"{binding.title(cost)} of {self.title}"

    def run(self, values):
        """A Run whose output is the cost."""
        given = [p.name for p in binding.signature(self.forward)]
        outputs, rest = binding.split(self.title, self.forward(**{name: values[name] for name in given if name in values}))
        cost = self.cost(*_by_name(self.cost, values, outputs[0], rest))
        return Run([np.asarray(cost, dtype=float).reshape(())], rest, values, outputs[0])

    def backward(self, run, douts):
        """What backward returns."""
        return self.function(*_by_name(self.function, run.inputs, run.state, run.rest))

    def takes_dout(self, run):
        """The cost is one number, and its gradient starts with 1."""
        return False


def _by_name(function, values, output, rest):
    """The arguments of the cost, or of backward: each is an input, the target, the parameters, the cache or the output."""
    found = []
    for p in binding.signature(function):
        if p.default is not p.empty and p.name not in values:
            continue
        same = [name for name in values if name == p.name or plain(p.name) in PARAMETERS and plain(name) in PARAMETERS or
                ROLE.get(plain(p.name)) == "labels" == ROLE.get(plain(name))]
        if same:
            found.append(values[same[0]])
        elif plain(p.name) in CACHE and rest:
            found.append(rest[0] if len(rest) == 1 else tuple(rest))
        else:
            found.append(OPTIONS.get(plain(p.name), output) if p.name not in ("A", "a") else output)
    return found


def of_functions(found, layout, request, module):
    """[(code, values, words)]: with the student's own cost and first parameters, drawn anew."""
    functions = {name: value for name, value in vars(module).items() if callable(value) and hasattr(value, "__code__")}
    costs = [value for name, value in functions.items() if "cost" in name.lower() or "loss" in name.lower()]
    first = [value for name, value in functions.items() if "init" in name.lower() and
             any(word in name.lower() for word in ("param", "weight", "initialize"))]
    if not costs or not first:
        raise NotChecked(f"{found.title} needs a cost and the first parameters: there is no function "
                         f"{'compute_cost' if not costs else 'initialize_parameters'} (or the like) in the file")
    columns = layout._replace(sizes={**layout.sizes, "N": 4, "M": 1 if layout.turn != 1 else 3})
    made = None
    for function in first:
        try:
            made = function(**inputs.draw(inputs.parameters_of(function), columns, request, numbers=True))
        except Exception:  # this one starts from something else
            continue
        if isinstance(made, dict):
            break
    if not isinstance(made, dict):
        raise NotChecked(f"{found.title}: the first parameters could not be made with {first[0].__name__}")
    generator = np.random.default_rng(7)
    parameters = {name: 0.5 * generator.standard_normal(np.shape(value)) for name, value in made.items() if np.ndim(value)}
    N, D, M = (columns.sizes[letter] for letter in "NDM")
    rows = 0 if layout.turn != 2 else 1
    X, Y = generator.standard_normal((D, N)), (generator.random((M, N)) < 0.5).astype(int)
    if M > 1:
        Y = np.eye(M, dtype=int)[:, generator.integers(0, M, N)]
    values = {p.name: (X.T if rows else X) if i == 0 else parameters for i, p in enumerate(binding.signature(found.forward))
              if i == 0 or plain(p.name) in PARAMETERS}
    target = next(p.name for p in binding.signature(found.backward) if ROLE.get(plain(p.name)) == "labels")
    values[target] = Y.T if rows else Y
    return [(Network(found.forward, found.backward, cost), values, "") for cost in costs]
