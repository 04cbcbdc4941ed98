"""Do drawn inputs suit the code that took them, and does what they show say anything?"""
import copy
import linecache
import re
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from ..gradcheck.verdicts import names as verdict
from .called import binding
from .called.gradients import in_a_row
from .called.numpy_code import Run, leaves
from .drawn import arrays, inputs
from .forms.functions import Reading
from .names import stem, stems_of_gradient
from .reading.sources import source

FIXED = 60  # forward passes of a check besides two for each entry
PRECISE = 1e-6  # seconds: some systems count a thread's time in ticks of 16 ms
CLOCK = (time.thread_time if hasattr(time, "thread_time")
         and time.get_clock_info("thread_time").resolution <= PRECISE else time.perf_counter)


def fits(returned: Any, run: Run) -> bool:
    """May these be gradients of a loss's inputs, by their shapes? A number is one of any b of one
    number, never that of a label."""
    if isinstance(returned, dict):
        return fits_any(returned, run)
    given = {name: value for name, (_, value) in leaves(run.inputs).items()}
    inputs_of = {np.shape(value) if np.size(value) > 1 else () for value in given.values()
                 if np.size(value) > 1 or binding.is_checked(value)}
    returned = in_a_row(returned, {name: np.shape(one) for name, one in given.items()})
    found = returned if isinstance(returned, (tuple, list)) else [returned]
    return np.ndim(run.outputs[0]) > 0 or all(
        (np.shape(one) if np.size(one) > 1 else ()) in inputs_of for one in found)


def fits_any(returned: Any, run: Run) -> bool:
    """Has one of the gradients by name the shape of its input? If none has, these inputs happen to
    run, as vectors do in the place of matrices."""
    shapes = {name.rpartition(".")[2]: np.shape(value)
              for name, (_, value) in leaves(run.inputs).items()}
    named = [(shapes[name], np.shape(value)) for key, value in returned.items() for name in shapes
             if key == name or stem(name) in stems_of_gradient(key)] if isinstance(
                 returned, dict) else []
    return not named or any(shape == other for shape, other in named)


def fits_object(returned: Any, values: dict, forward: Any) -> bool:
    """The same of an object's inputs: not where x was repeated to fit a bias of another size, nor
    where one number has a gradient of many, in a product of vectors."""
    biased = inputs.roles(values) & {"b", "w", "wg"} == {"b"}
    multiplies = re.search(r"\b(dot|matmul|inner)\(|@", source(forward))
    for name in values.keys() & returned.keys() if isinstance(returned, dict) else ():
        shape, own = np.shape(returned[name]), np.shape(values[name])
        if (biased and [n for n in shape if n > 1] != [n for n in own if n > 1]
                or multiplies and not own and binding.is_checked(values[name])
                and np.prod(shape) > 1):
            return False
    return True


def is_wider(returned: Any, values: dict, output: Any) -> bool:
    """Has the gradient of the first input as many axes as the output, and more than that input?
    Then x was repeated to fit a weight, as a matrix is for a scale of shape (1, C, 1, 1)."""
    name, x = next(iter(values.items()), ("", None))
    first = returned[0] if isinstance(returned, (tuple, list)) and returned else returned
    gradient = returned.get(name) if isinstance(returned, dict) else first
    return isinstance(x, np.ndarray) and isinstance(gradient, np.ndarray) and (
        gradient.ndim == np.ndim(output) > x.ndim)


ONE_COLUMN = ("right for one example, not summed over several columns, and nothing in the file "
              "says that there may be more than one")
# what says that there are several
SEVERAL = r"\baxis\b|keepdims|batch|\.shape\[1\]|/ *\(?(m|n|N)\b"


def of_one_column(said: set[str], module: object) -> bool:
    """Is all right but a sum over examples in columns, of which the file says nothing?"""
    text = "".join(linecache.getlines(getattr(module, "__file__", "") or ""))
    return (verdict.NOT_SUMMED in said <= {verdict.NOT_SUMMED, verdict.CORRECT}
            and not re.search(SEVERAL, text))


def drawn(reading: Reading) -> tuple:
    """All that was drawn for it, as it is told."""
    return arrays.told(reading.values), getattr(reading.code, "built", None)


def moves_some(reading: Reading) -> bool:
    """Is there anything but labels and whole numbers?"""
    return any(np.asarray(value).dtype.kind == "f" for _, value in leaves(reading.values).values())


def largest(reading: Reading) -> int:
    """How many numbers the largest of its inputs holds."""
    return max(np.size(value) for _, value in leaves(reading.values).values())


def dout(output: np.ndarray) -> np.ndarray:
    """Numbers that are not all the same: a step as large as a dout of ones would look like one of
    Adam's."""
    return np.random.default_rng(5).uniform(0.5, 1.5, output.shape)


def both_ways(reading: Reading, dout: Callable = dout) -> tuple[Run, Any]:
    """(a Run of forward, what backward returns for that). dout: makes one of the output."""
    run = reading.code.run(copy.deepcopy(reading.values))
    return run, reading.code.backward(run, binding.cut(
        run.outputs, dout(binding.join("", run.outputs))))


def gives_some(reading: Reading) -> bool:
    """Is no gradient all 0, as that of a relu of one negative number is, right or wrong?"""
    return all(map(np.any, both_ways(reading, np.ones_like)[1].values()))


def gives_any(reading: Reading) -> bool:
    """Is any gradient not all 0?"""
    arrays = [one for _, one in binding.arrays_in(both_ways(reading, np.ones_like)[1])]
    return not arrays or any(map(np.any, arrays))


def takes_both(reading: Reading, tried: dict) -> bool:
    """Are one-hot rows and the classes of that name the same to this loss? Then it must be right
    for both."""
    code, values, _ = reading
    name = next((name for name in values if inputs.roles([name]) == {"labels"}), None)
    if name is None or np.ndim(values[name]) != 2 or np.ndim(tried.get(name)) != 1:
        return False
    outputs = [code.run({**copy.deepcopy(values), name: labels}).outputs[0]
               for labels in (values[name], values[name].argmax(axis=1))]
    return bool(np.allclose(*outputs, rtol=1e-12))


def tells(values: dict, output: Any) -> bool:
    """Does what is right for this one example say anything? Of one row everything may be its mean,
    and where the layer gives its input back, backward may, too; a loss of one example is one
    number."""
    if "labels" in inputs.roles(values) and np.size(output) > 1:
        return False
    if np.ndim(output) and not np.ptp(output):
        return False
    return not any(np.array_equal(np.ravel(value), np.ravel(output)) for value in values.values()
                   if isinstance(value, np.ndarray))


def width(reading: Reading, but: Collection) -> tuple[int, int]:
    """How many axes longer than 1 its arrays of numbers have, but for some; how many with its
    labels. Of single numbers everything fits."""
    axes = {True: 0, False: 0}
    for name, (_, value) in leaves(reading.values).items():
        if name not in but:
            axes[binding.is_checked(value)] += sum(length > 1 for length in np.shape(value))
    return axes[True], sum(axes.values())


def sizes(reading: Reading) -> list[int]:
    """Of the inputs that are moved."""
    return [np.size(value) for _, value in leaves(reading.values).values()
            if binding.is_checked(value)]


def cost(reading: Reading) -> tuple[float, float]:
    """Seconds of computing for one forward, and for comparing every entry. A thread's: a process
    whose time is limited counts its own in ticks, in which a fast forward takes none."""
    found = []
    for _ in range(2):
        began = CLOCK()
        reading.code.run(copy.deepcopy(reading.values))
        found.append(CLOCK() - began)
    return min(found), min(found) * (2 * sum(sizes(reading)) + FIXED)


def samples(reading: Reading, cost: tuple[float, float], seconds: float) -> int | None:
    """How many entries of each input may be compared in so many seconds; None: all."""
    one, whole = cost
    return None if whole <= seconds else int(
        (seconds / one - FIXED) / 2 / max(1, len(sizes(reading))))
