"""A whole network in functions, as the largest course has it:

    parameters = initialize_parameters(n_x, n_h, n_y)     A2, cache = forward_propagation(X,
                                                          parameters)
    cost = compute_cost(A2, Y)                            grads = backward_propagation(parameters,
                                                          cache, X, Y)

The loss is a third function; backward gives its gradients by name, {"dW1": …}. Taken together they
are an object like others.
"""
import numpy as np

from ..gradcheck import binding
from ..gradcheck.dialects import CACHE, OPTIONS, ROLE, plain
from . import inputs
from .finding import PARAMETERS
from .functions import Composed, Reading
from .layers import NotChecked, sensible


def of_functions(found, layout, request, module):
    """[Reading]: with the student's own cost and first parameters, drawn anew."""
    functions = {name.lower(): value for name, value in vars(module).items()
                 if hasattr(value, "__code__")}
    costs = [value for name, value in functions.items() if "cost" in name or "loss" in name]
    first = [value for name, value in functions.items() if "init" in name and
             any(word in name for word in ("param", "weight", "initialize"))]
    if not costs or not first:
        raise NotChecked(f"{found.title} needs a cost and the first parameters: there is no "
                         f"function {'compute_cost' if not costs else 'initialize_parameters'} (or "
                         "the like) in the file")
    asked, given = binding.signature(found.backward), [p.name
                                                       for p in binding.signature(found.forward)]
    target = next(p.name for p in asked if ROLE.get(plain(p.name)) == "labels")
    parameters = next(name for name in given if plain(name) in PARAMETERS)
    data = next(name for name in given if name != parameters)
    readings = []
    # one output, or several: who has a softmax means the latter
    for M in (3, 1) if layout.turn == 1 else (1, 3):
        sized = layout._replace(sizes={**layout.sizes, "N": 4, "M": M})
        made = next(filter(None, (_made(function, sized, request) for function in first)), None)
        if made is None:
            raise NotChecked(f"{found.title}: the first parameters could not be "
                             f"made with {first[0].__name__}")
        X, Y = _drawn(*(sized.sizes[letter] for letter in "NDM"))
        # examples are columns, or rows
        values = {data: X.T, target: Y.T} if layout.turn == 2 else {data: X, target: Y}
        readings += [Reading(_with_cost(found, cost), {**values, parameters: made})
                     for cost in costs]
    return readings


def _drawn(N, D, M):
    """(X, Y) with examples in columns; Y is 0 or 1, or one of M classes."""
    generator = np.random.default_rng(7)
    X, Y = generator.standard_normal((D, N)), (generator.random((M, N)) < 0.5).astype(int)
    return X, np.eye(M, dtype=int)[:, generator.integers(0, M, N)] if M > 1 else Y


def _made(function, layout, request):
    """{name: value} of the parameters, drawn; None where this function starts from something
    else."""
    generator = np.random.default_rng(7)
    try:
        made = function(**inputs.draw(inputs.parameters_of(function), layout, request,
                                      numbers=True))
        return {name: sensible(np.shape(value), generator) if np.ndim(value) else value
                for name, value in made.items()}
    except Exception:
        return None


def _with_cost(found, cost):
    """Code that computes the cost, and its gradients by name. What is handed on: the inputs,
    forward's output and its cache."""
    def forward(**given):
        first = [given[p.name] for p in binding.signature(found.forward) if p.name in given]
        (output,), rest = binding.split(binding.title(found.forward), found.forward(*first))
        return np.asarray(cost(*_arguments(cost, given, output, rest)),
                          dtype=float).reshape(()), (given, output, rest)

    def backward(cache):
        return found.backward(*_arguments(found.backward, *cache))
    return Composed(forward, backward, f"{binding.title(cost)} of {found.forward.__name__}",
                    cost.__code__.co_filename)


def _arguments(function, given, output, rest):
    """Of the cost, or of backward: each is an input, the target, the parameters, the cache or the
    output."""
    for p in binding.signature(function):
        same = [name for name in given if name == p.name or _kind(name) == _kind(p.name) != ""]
        if same:
            yield given[same[0]]
        elif p.default is p.empty and plain(p.name) in CACHE and rest:
            yield rest[0] if len(rest) == 1 else tuple(rest)
        elif p.default is p.empty:
            yield OPTIONS.get(plain(p.name), output) if p.name not in ("A", "a") else output


def _kind(name):
    """What has other names in other functions: the target, the parameters."""
    return ("labels" if ROLE.get(plain(name)) == "labels" else "parameters"
            if plain(name) in PARAMETERS else "")
