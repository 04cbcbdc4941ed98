"""A whole network in functions, as the largest courses have it:

    parameters = initialize_parameters(n_x, n_h, n_y)  A2, cache = forward_propagation(X,
    parameters)
    cost = compute_cost(A2, Y)                         grads = backward_propagation(parameters,
    cache, X, Y)

The parameters are a dictionary, or arguments like others; the loss is a third function, or one that
nobody wrote down; backward gives its gradients by name, {"dW1": …}, or in order. Taken together
they are an object like others.
"""
import ast

import numpy as np

from ..gradcheck import binding
from ..gradcheck.dialects import CACHE, OPTIONS, PARAMETERS, plain, role
from . import inputs
from .forms import LOSSES
from .functions import Composed, Reading
from .layers import NotChecked, sensible
from .sources import source_tree

N = 4  # examples


def of_functions(found, layout, request, module):
    """[Reading]: with the student's own cost and first parameters, drawn anew."""
    functions = {name.lower(): value for name, value in vars(module).items()
                 if hasattr(value, "__code__")}
    costs = {binding.title(value): value for name, value in functions.items()
             if ("cost" in name or "loss" in name) and value is not found.backward} or {
        words: _of_output(loss) for words, loss in LOSSES.items()}
    first = [value for name, value in functions.items() if "init" in name and
             any(word in name for word in ("param", "weight", "initialize"))]
    places = binding.signature(found.forward)
    given = [p.name for p in places]
    target = next(p.name for p in binding.signature(found.backward) if role(p.name) == "labels")
    together = next((name for name in given if plain(name) in PARAMETERS), None)
    data = next((name for name in given if role(name) == "x"), next(
        (name for name in given if name != together), None))
    if together and not first:
        raise NotChecked(f"{found.title} needs the first parameters: there is no "
                         "function initialize_parameters (or the like) in the file")
    readings = []
    for M in (3, 1) if layout.turn else (3,):  # with one output, a softmax is always right
        sized = layout._replace(sizes={**layout.sizes, "N": N, "M": M})
        names = [name for name in given if name != data]
        drawn = inputs.draw(places, sized, request)
        tried = [made for function in first
                 for made in _made(function, sized, request, together, names)]
        tried += [] if together else [{name: drawn[name] for name in names}]
        for made in tried:
            for X in _examples(made, sized, drawn[data]):
                values = {data: X, **({together: made} if together else made)}
                for Y in _targets(found.forward, values, names=given):
                    readings += [Reading(_with_cost(found, words, cost), {**values, target: Y})
                                 for words, cost in costs.items()]
            if readings:
                return readings
    raise NotChecked(f"{found.title}: {binding.title(found.forward)} does not run with "
                     "parameters of its own, or drawn ones")


def _of_output(loss):
    def cost(y_pred, y_true):  # of whole numbers it wants the examples in rows
        columns = np.ndim(y_true) == 1 and len(y_pred) != len(y_true)
        return loss(y_pred.T if columns else y_pred, y_true)
    return cost


def _examples(made, layout, drawn):
    """What X may be: N examples in columns, in rows, as wide as the first weights; or as drawn."""
    generator = np.random.default_rng(7)
    weights = next((value for value in made.values() if np.ndim(value) == 2), np.empty((0, 0)))
    columns, rows = ((weights.shape[1], N), (N, weights.shape[0]))
    for shape in (rows, columns) if layout.turn == 2 else (columns, rows):
        yield generator.standard_normal(shape)
    yield drawn


def _targets(forward, values, names):
    """What Y may be with this output: 0 or 1, or one of M classes; or the classes as whole numbers.
    None where forward does not run."""
    generator = np.random.default_rng(7)
    try:
        output = _split(forward, forward(**{name: values[name] for name in names}))[0]
    except Exception:
        return
    if np.ndim(output) != 2 or N not in output.shape:
        return
    columns = output.shape[1] == N
    M = output.shape[0 if columns else 1]
    classes = generator.integers(0, M, N)
    Y = np.eye(M, dtype=int)[:, classes] if M > 1 else generator.integers(0, 2, (1, N))
    yield Y if columns else Y.T
    if M > 1:
        yield classes


def _made(function, layout, request, together, names):
    """Yields {name: value} of the parameters, drawn: with few inputs where there are hundreds, then
    as they are. Nothing where this function starts from something else."""
    generator = np.random.default_rng(7)
    try:
        made = function(**inputs.draw(inputs.parameters_of(function), layout, request,
                                      numbers=True))
        made = made if isinstance(made, dict) else dict(zip(names, made))
        for largest in (inputs.LARGE, np.inf):
            yield {name: sensible(tuple(size if size <= largest else layout.sizes["D"]
                                        for size in np.shape(value)), generator)
                   if np.ndim(value) else value for name, value in made.items()}
    except Exception:
        return


def _with_cost(found, words, cost):
    """Code that computes the cost, and its gradients by name. What is handed on: the inputs,
    forward's output and its cache."""
    def forward(**given):
        first = [given[p.name] for p in binding.signature(found.forward) if p.name in given]
        output, rest, kept = _split(found.forward, found.forward(*first))
        return np.asarray(cost(*_arguments(cost, {**kept, **given}, output, rest)),
                          dtype=float).reshape(()), ({**kept, **given}, output, rest)

    def backward(cache):
        return found.backward(*_arguments(found.backward, *cache))
    return Composed(forward, backward, f"{words} of {found.forward.__name__}",
                    found.forward.__code__.co_filename)


def _split(forward, result):
    """(output, the rest, {name: value} of what is returned by name). Of Z1, A1, Z2, A2 the last one
    is the output."""
    returned = [node.value for node in ast.walk(source_tree(forward))
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)]
    names = [ast.unparse(one) for one in returned[-1].elts] if returned else []
    if isinstance(result, tuple) and all(isinstance(one, np.ndarray) for one in result):
        kept = dict(zip(names, result)) if len(names) == len(result) else {}
        return result[-1], list(result[:-1]), kept
    (output,), rest = binding.split(binding.title(forward), result)
    return output, rest, {}


def _arguments(function, given, output, rest):
    """Of the cost, or of backward: each is an input, the target, the parameters, the cache or the
    output."""
    for p in binding.signature(function):
        same = [name for name in given if name == p.name or _kind(name) == _kind(p.name) != ""]
        if same:
            yield given[p.name if p.name in given else same[0]]
        elif p.default is p.empty and plain(p.name) in CACHE and rest:
            yield rest[0] if len(rest) == 1 else tuple(rest)
        elif p.default is p.empty:
            is_output = p.name in ("A", "a") or role(p.name) in ("probs", "scores")
            yield output if is_output else OPTIONS.get(plain(p.name), output)


def _kind(name):
    """What has other names in other functions: the target, the parameters."""
    return ("labels" if role(name) == "labels" else "parameters"
            if plain(name) in PARAMETERS else "")
