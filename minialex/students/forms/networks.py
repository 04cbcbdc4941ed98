"""A whole network in functions, as the largest courses have it:

    parameters = initialize_parameters(n_x, n_h, n_y)  A2, cache = forward_propagation(X,
    parameters)
    cost = compute_cost(A2, Y)                         grads = backward_propagation(parameters,
    cache, X, Y)

The parameters are a dictionary, or arguments like others; the loss is a third function, or one that
nobody wrote down; backward gives its gradients by name, {"dW1": …}, or in order. Taken together
they are an object like others.
"""
import copy
import itertools
import re
import types

import numpy as np

from ..called import binding
from ..called.gradients import Named
from ..called.numpy_code import leaves
from ..dialects import EXAMPLES, OPTIONS, PARAMETERS
from ..dialects import LOSSES as CALLED
from ..drawn import inputs
from ..names import CACHE, is_rate, last_output, option, plain, role, stem
from ..reading import absent, files
from ..reading.sources import cost_of, given_back, names_returned, source
from . import objects, outer
from .functions import Composed, Reading, whose
from .layers import NotChecked
from .losses import LOSSES

N, OUTPUTS = 4, 3  # examples; numbers that a network gives for each
# what a backward says that adds up or averages over them
OF_BATCH = r"\b(sum|mean|arange)\(|\.(shape|size)\b|/ *\(?(m|n|N)\b"


def of_functions(found, layout, request, module):
    """[Reading]: with the student's own cost and first parameters, drawn anew."""
    functions = {name.lower(): value for name, value in files.known(module).items()
                 if hasattr(value, "__code__")}
    costs = _costs(found, functions)
    first = [value for name, value in functions.items() if name == "init" or "init" in name and
             any(word in name for word in ("param", "weight", "initialize", "layer", "net"))]
    found = found._replace(forward=outer.with_outer(found.forward, found.backward))
    places = binding.signature(found.forward)
    given = [p.name for p in places]
    target = next(p.name for p in binding.signature(found.backward) if role(p.name) == "labels")
    together = next((name for name in given if plain(name) in PARAMETERS), None)
    data = next((name for name in given if role(name) == "x"), next(
        (name for name in given if name != together), None))
    lists = _lists(found, given) or together and not first and _dictionaries(
        found, together, vars(module).get(together))
    if together and not (first or lists):
        raise NotChecked(f"{found.title} needs the first parameters: there is no "
                         "function initialize_parameters (or the like) in the file")
    # [{"input_dim": 2, "activation": "relu"}, …] at the top level, by the same name
    rows = {name: value for name, value in vars(module).items() if isinstance(value, list)
            and value and isinstance(value[0], dict)}
    rows = {name: rows[one] for name in [*given, *(p.name for function in first
                                                   for p in binding.signature(function))]
            for one in (name, name.upper()) if one in rows}
    asked = {name: value for name, value in rows.items() if name in given}
    readings = []
    # with one output, a softmax is always right; some costs take no more
    for M in ((OUTPUTS,), (OUTPUTS, 1), (1,))[layout.turn]:
        sized = layout._replace(sizes={**layout.sizes, "N": N, "M": M})
        names = [name for name in given if name != data]
        drawn = {**inputs.draw(places, sized, request), **outer.drawn(found.forward),
                 **{name: N for name in names if plain(name) in EXAMPLES}}
        tried = lists or [{together: made, **asked} if together else made for function in first
                          for made in _made(function, sized, request, together, names, rows)]
        tried = [{**made, **{name: drawn[name] for name in names if plain(name) in EXAMPLES}}
                 for made in tried]
        tried += [] if together else [{name: drawn[name] for name in names if name in drawn}]
        for made in tried:
            for X in _examples(found, made, sized, drawn[data], rows):
                values = {data: X, **made}
                for Y in _targets(found.forward, values, given, target):
                    readings += [Reading(_with_cost(found, words, cost), {**values, target: Y})
                                 for words, cost in costs.items()]
            if readings:  # a cost takes one kind of targets
                return [reading for reading in readings if binding.runs(
                    reading.code.run, reading.values)] or readings
    raise NotChecked(f"{found.title}: {binding.title(found.forward)} does not run with "
                     "parameters of its own, or drawn ones")


def _costs(found, functions):
    """{words: a cost}: forward's own, or those of the file, or usual ones."""
    if name := cost_of(found.forward):
        return {"": name}
    return {binding.title(value): value for name, value in functions.items()
            if ("cost" in name or "loss" in name or plain(name) in CALLED)
            and value is not found.backward} or LOSSES


def count(found, module):
    """What a file calls the number of its own examples, at the top level, becomes that of the drawn
    ones, in a network's methods and wherever a function divides by it: "m = 4"."""
    if found.kind not in ("network", "class", "pair", "loss", "derivative"):
        return ""
    code = found.forward
    functions = [getattr(code, name, None) for name in dir(code)] if isinstance(code, type) else [
        code, found.backward]
    used = {name for one in functions
            for name in getattr(getattr(one, "__code__", None), "co_names", ())}
    divided = set() if isinstance(code, type) else set(
        re.findall(r"/ *(?:float\()?([A-Za-z]\w*)\b(?!\()", "".join(map(source, functions))))
    known, unset = vars(module), getattr(module, "unset", ())
    names = [name for name in sorted(used) if (
        plain(name) in EXAMPLES if found.kind in ("network", "class")
        else name in divided and (plain(name) in EXAMPLES or plain(name) == "n"))
             and (found.kind == "network" if name in unset else type(known.get(name)) is int)]
    known.update(dict.fromkeys(names, N))
    return ", ".join(f"{name} = {N}" for name in names)


def _lists(found, names):
    """[{"weights": [W1, W2], "biases": [b1, b2]}, …] where forward takes lists: for examples in
    columns, in rows, and with biases of one axis. Nothing where it takes something else."""
    words = {stem(name): name for name in names if stem(name) in ("w", "b")}
    used = rf"(len|zip|enumerate)\([^()]*\b{words.get('w')}\b|\b{words.get('w')}\[(?![\"'f])"
    if "w" not in words or not re.search(used, source(found.forward)):
        return []
    generator = np.random.default_rng(7)
    columns, rows, flat = ((6, 5), (3, 6)), ((5, 6), (6, 3)), ((6,), (3,))
    return [{name: [objects.sensible(shape, generator) for shape in shapes[key]]
             for key, name in words.items()}
            for shapes in ({"w": columns, "b": ((6, 1), (3, 1))}, {"w": rows, "b": flat},
                           {"w": rows, "b": ((1, 6), (1, 3))}, {"w": columns, "b": flat})]


def _dictionaries(found, name, own):
    """[{"params": {"W1": …, "b1": …}}, …]: of the shapes of the file's own dictionary of that name,
    or of two layers, for columns and for rows, where these keys are read."""
    generator = np.random.default_rng(7)
    if isinstance(own, dict) and own and all(isinstance(one, np.ndarray) for one in own.values()):
        return [{name: {key: objects.sensible(one.shape, generator) for key, one in own.items()}}]
    read = set(re.findall(rf"\b{name}\[[\"'](\w+)[\"']\]", source(found.forward)))
    shapes = {"W1": (6, 5), "b1": (6, 1), "W2": (3, 6), "b2": (3, 1)}
    if not read or not {key.upper() for key in read} <= {key.upper() for key in shapes}:
        return []
    return [{name: {key: objects.sensible(shapes[key[:1].upper() + key[1:] if key[0] in "Ww" else
                                         key.lower()][::turn], generator) for key in sorted(read)}}
            for turn in (1, -1)]


def _examples(found, made, layout, drawn, rows):
    """What X may be: N examples in columns, in rows, as wide as the first weights; one of them,
    where backward says nothing of several; or as drawn."""
    generator = np.random.default_rng(7)
    weights = next((value for _, value in leaves(made).values() if np.ndim(value) == 2),
                   np.empty((0, 0)))
    several = rows or re.search(OF_BATCH, source(found.backward))
    count = N if several else 1
    columns, rows = ((weights.shape[1], count), (count, weights.shape[0]))
    one = [] if several else [columns[:1], rows[1:]]
    shapes = (rows, columns, *one) if layout.turn == 2 else (columns, rows, *one)
    for shape in shapes if weights.size else ():  # of a softmax that has none
        yield generator.standard_normal(shape)
    yield drawn
    if not weights.size and np.ndim(drawn) == 2:
        yield drawn.T.copy()


def _targets(forward, values, names, target):
    """What Y may be with this output: 0 or 1, or one of M classes; or the classes as whole numbers.
    None where forward does not run. target: what Y is called; a forward that is given it is not
    run."""
    if target in names:  # as many classes as the last of its parameters is long
        last = [value for _, value in leaves(values).values() if np.ndim(value)][-1]
        for columns in (True, False):
            yield from _classes(max(np.shape(last)), N, columns)
        return
    generator = np.random.default_rng(7)
    try:
        result = forward(**{name: values[name] for name in names if name in values})
        output = _split(forward, names_returned(forward), result)[0]
    except Exception as error:
        if absent.is_clear(error):
            raise
        return
    count = N if N in np.shape(output) else 1
    if np.ndim(output) == 1:
        yield np.eye(len(output), dtype=int)[generator.integers(0, len(output))]
    if np.ndim(output) != 2 or count not in output.shape:
        return
    columns = output.shape[1] == count
    M = output.shape[0 if columns else 1]
    yield from _classes(M, count, columns)


def _classes(M, count, columns):
    """One of M, of each example, or 0 or 1; then the classes as whole numbers."""
    generator = np.random.default_rng(7)
    classes = generator.integers(0, M, count)
    classes[0] = M - 1  # who counts them as Y.max() + 1 sees them all
    Y = np.eye(M, dtype=int)[:, classes] if M > 1 else generator.integers(0, 2, (1, count))
    yield Y if columns else Y.T
    if M > 1:
        yield classes


def _made(function, layout, request, together, names, rows):
    """Yields {name: value} of the parameters, drawn: with few inputs where there are hundreds, then
    as they are. Nothing where this function starts from something else."""
    generator = np.random.default_rng(7)
    try:
        drawn = inputs.draw(inputs.parameters_of(function), layout, request, numbers=True)
        drawn.update((name, value) for name, value in rows.items() if name in drawn)
        longer = {name: [*value[:-1], *value[-2:]] if isinstance(value, list) else value
                  for name, value in drawn.items()}  # of three layers
        several = [drawn] if rows or longer == drawn else [drawn, longer]
        for given, largest in itertools.product(several,
                                                (inputs.LARGE, np.inf)):
            made = function(**given)
            made = made if isinstance(made, dict) else dict(zip(names, made))
            yield {name: objects.sensible(tuple(size if size <= largest else layout.sizes["D"]
                                        for size in np.shape(value)), generator)
                   if np.ndim(value) else value for name, value in made.items()}
    except Exception:
        return


def _with_cost(found, words, cost):
    """Code that computes the cost, and its gradients by name. What is handed on: the inputs,
    forward's output and its cache."""
    places, returned = binding.signature(found.forward), names_returned(found.forward)

    def forward(**given):
        result = found.forward(**{p.name: given[p.name] for p in places if p.name in given})
        if isinstance(cost, str):  # forward returns it
            kept = dict(zip(returned, result))
            return np.asarray(kept[cost]).reshape(()), ({**kept, **given}, None, [
                one for name, one in kept.items() if name != cost and plain(name) in CACHE])
        output, rest, kept = _split(found.forward, returned, result)
        return np.asarray(cost(*_arguments(cost, {**kept, **given}, output, rest)),
                          dtype=float).reshape(()), ({**kept, **given}, output, rest)

    again = [name for name in given_back(found.backward) if name in [p.name for p in places]]
    rates = {p.name: 1.0 for p in binding.signature(found.backward) if again
             and p.default is not p.empty and is_rate(p.name)}

    def backward(cache):
        # one step of training changes what it is given
        cache, before = copy.deepcopy(cache) if again else cache, cache[0]
        returned = found.backward(*_arguments(found.backward, *cache), **rates)
        if not again:
            return _named(found.backward, returned, before)
        taken = _taken(again, before, cache[0] if returned is None else dict(zip(
            names_returned(found.backward), returned)) if isinstance(
            returned, tuple) else dict.fromkeys(again, returned))
        code.wanted = [types.SimpleNamespace(name=name) for name in taken]
        return taken
    name = binding.title(found.forward)
    code = Composed(forward, backward, f"{words} of {name}" if words else name,
                    found.forward.__code__.co_filename)
    code.updating, code.wanted = bool(again), []  # its rate may be a number that it has itself
    return code


def _taken(names, before, after):
    """{weight: what one step took off it}, of a backward that gives back, or leaves, new ones."""
    found = {}
    for name in names:
        old, new = before[name], after[name]
        found.update({key: value - new[key] for key, value in old.items()}
                     if isinstance(old, dict) else {name: old - new})
    return found if any(isinstance(before[name], dict) for name in names) else Named(found)


def _named(backward, returned, given):
    """Gradients by the parameters' names: of lists, one for each layer; of dW1, db1 whatever shapes
    they have."""
    names = names_returned(backward)
    if not isinstance(returned, tuple) or len(names) != len(returned):
        return returned
    if any(isinstance(one, list) for one in returned):
        return Named(objects.gradients(dict(zip(names, returned)), objects.parameters(given)))
    said = whose(backward, list(given), stem)
    is_told = None not in said and len({*said}) == len(said)
    return Named(zip(said, returned)) if is_told else returned


def _split(forward, names, result):
    """(output, the rest, {name: value} of what is returned by name). Of Z1, A1, Z2, A2 the last one
    is the output, of y_hat, h the one that is called so, of a list of activations the last."""
    if isinstance(result, list) or isinstance(result, tuple) and all(
            isinstance(one, list) for one in result):
        every = list(result) if isinstance(result, tuple) else [result]
        return objects.last_of(result, names), every, dict(zip(names, every))
    if isinstance(result, tuple) and all(isinstance(one, np.ndarray) for one in result):
        kept = dict(zip(names, result)) if len(names) == len(result) else {}
        named = [place for place, name in enumerate(kept) if role(name) in ("scores", "probs")]
        place = named[-1] if named else len(result) - 1
        if kept and not named and all(map(str.isidentifier, kept)):  # A1, A2, Z1
            place = [*kept].index(last_output([*kept][::-1]))
        output, *rest = binding.to_front(result, place)
        return output, rest, kept
    (output,), rest = binding.split(binding.title(forward), result)
    return output, rest, {}


def _arguments(function, given, output, rest):
    """Of the cost, or of backward: each is an input, the target, the parameters, the cache or the
    output."""
    listed = [one for one in rest if isinstance(one, list)]
    for p in binding.signature(function):
        same = [name for name in given if name == p.name or _kind(name) == _kind(p.name) != ""]
        is_output = p.name in ("A", "a") or role(p.name) in ("probs", "scores")
        if same:
            yield given[p.name if p.name in given else same[0]]
        elif p.default is p.empty and is_rate(p.name):
            yield 1.0
        elif p.default is p.empty and plain(p.name) in CACHE and rest:
            yield rest[0] if len(rest) == 1 else tuple(rest)
        elif p.default is p.empty:
            yield output if is_output else listed.pop(0) if listed else OPTIONS.get(option(p.name),
                                                                                    output)


def _kind(name):
    """What has other names in other functions: the target, the parameters."""
    return ("labels" if role(name) == "labels" else "parameters"
            if plain(name) in PARAMETERS else "")
