"""What looks like gradients and is none of the forms that are checked: it is named, and what to do.

Steps of a loop at the top level, functions that train, gradients one by one, code in text cells.
"""
import inspect
import types

from .called.binding import syntax_tree
from .dialects import BACKWARD, NO_LAYER, TESTS
from .forms import structures, units
from .found import Found
from .names import name_words
from .reading import changes, files

GRADIENT_WORDS = {*BACKWARD, "gradient", "gradients", "grad", "grads", "delta", "nabla"}
NOTHING = ("it defines no forward and backward, as functions in pairs or methods of a class, "
           "no loss that returns its gradient, no Function and no Module")
ALONE = "put the forward and the backward pass into two functions, or a class"


def with_the_rest(module: types.ModuleType, found: list[Found]) -> list[Found]:
    """What was found in a file, and one step of each piece of code that trains, or why it is not
    checked. Functions that are called in a step are checked with it."""
    used = [one for item in found if item.kind != "skipped"
            for one in (item.forward, item.backward, *item.others)]
    known, (whole, taken) = _called(used, vars(module)), structures.of(module) or ([], [])
    found = [item for item in found if getattr(item.backward, "__name__", "") not in taken]
    own = {name: value for name, value in changes.functions_of(module).items()
           if value not in known and name not in taken}
    steps = [*_structure(whole, taken), *_steps(module, own, {getattr(one, "__name__", "")
                                                              for one in known})]
    within = {name for _, unit, _ in steps for part in (unit.whole or unit).body
              for name in changes.loads(part) if name in own}
    found = [item for item in found
             if item.kind != "skipped" or item.forward not in map(own.get, within)]
    own = {name: value for name, value in own.items() if name not in within}
    return found + [Found(name, unit, kind="step" if unit else "skipped", title=why)
                    for name, unit, why in [*steps, *_others(module, own, used)]]


def training(module: types.ModuleType, found: list[Found]) -> list[Found]:
    """What computes products and takes something off something, and was not found: it is run as it
    is. A class, or all of a file in which nothing is found."""
    known = [one for item in found if item.kind != "skipped" for one in (
        item.forward, getattr(item.forward, "owner", None), *item.others)]
    classes = {name: value for name, value in vars(module).items() if inspect.isclass(value)
               and value.__module__ == module.__name__}
    missed = [Found(name, cls, None, "trained", f"{name}: no forward and backward of it were found")
              for name, cls in classes.items() if cls not in known and _descends(
                  [one for one in vars(cls).values() if inspect.isfunction(one)])
              and not any(name in getattr(item, "title", "") for item in found)
              and not any(cls in other.__mro__[1:] for other in classes.values())]
    if missed or any(item.kind != "skipped" for item in found):
        return missed
    functions = changes.functions_of(module)
    reasons = "".join(f"; {item.title}" for item in found)
    return [Found("the file", None, None, "trained", f"{NOTHING}{reasons}")] if _descends(
        functions.values()) else []


def _descends(functions):
    trees = [syntax_tree(one) for one in functions]
    return any(map(changes.multiplies, trees)) and any(
        changes.updates(list(tree.body)) for tree in trees)


def _structure(found, names):
    """A step of functions that change a network of dictionaries."""
    for unit in found[:1]:
        yield ("the network", unit._replace(others=tuple(found[1:])),
               f"{', '.join(names)} make and change a network of lists")


def _steps(module, functions, checked):
    """Steps at the top level, and in functions that train."""
    path, outside = getattr(module, "__file__", ""), changes.outside(module)
    found = [(unit, lines) for unit in units.of(outside) if (
        lines := changes.gradients_of((unit.whole or unit).body, checked))]
    if found or (untaken := units.untaken(outside, vars(module))):
        for unit, lines in found or [untaken]:
            yield ("the top level", unit, f"{', '.join(lines)} ({_places(path, lines.values())}) "
                   f"{'is a gradient' if len(lines) == 1 else 'are gradients'} outside of any "
                   f"function: {ALONE}, and they are checked")
    for name, value in functions.items():
        for unit in units.of_function(value):
            if lines := changes.gradients_of((unit.whole or unit).body, checked):
                place = _places(path, [value.__code__.co_firstlineno])
                yield (name, unit._replace(outside=outside),
                       f"{name} ({place}) computes {', '.join(lines)} and takes them "
                       f"off itself: {ALONE}")


def _others(module, functions, used):
    path = getattr(module, "__file__", "")
    one_by_one = [name for name, value in functions.items() if GRADIENT_WORDS & {*name_words(name)}
                  and not {*NO_LAYER, *TESTS} & {*name_words(name)}
                  and changes.multiplies(syntax_tree(value))
                  and not changes.gradients_of(syntax_tree(value).body)]
    if one_by_one:
        lines = [functions[name].__code__.co_firstlineno for name in one_by_one]
        names = ", ".join(one_by_one)
        yield (names, None, f"{names} ({_places(path, lines)}): no forward of the file goes with "
               "what looks like gradients: hand in one function backward that returns them "
               "all, beside its forward")
    cells = files.TEXTS.get(path, [])
    if cells and not used:
        yield ("text cells", None, f"{'cells' if len(cells) > 1 else 'cell'} "
               f"{', '.join(map(str, cells))} hold functions as text (markdown), which "
               "nobody can run: make them code cells")


def _called(used, names):
    """The functions that are checked, and those that they call by name."""
    known, new = [], list(used)
    while new:
        one = inspect.unwrap(new.pop()) if callable(new[-1]) else new.pop()
        if one in known:
            continue
        known.append(one)
        methods = [getattr(one, name, None) for name in dir(one)] if inspect.isclass(one) else [one]
        for method in methods:
            code = getattr(method, "__code__", None)
            new += [names[name] for name in getattr(code, "co_names", ())
                    if inspect.isfunction(names.get(name))]
    return known


def _places(path, lines):
    """line 12, lines 3 to 9; of a notebook the cell."""
    places = files.CELLS.get(path)
    if places:
        cells = sorted({places[min(line, len(places)) - 1][0] for line in lines})
        return f"code cell{'s' * (len(cells) > 1)} {', '.join(map(str, cells))}"
    first, last = min(lines), max(lines)
    return f"line {first}" if first == last else f"lines {first} to {last}"
