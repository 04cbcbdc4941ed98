"""ma.check_backward: a student's forward and backward, held to the numeric gradients."""
import math
from collections.abc import Callable, Collection
from functools import partial

from ...gradcheck.check import options_of, report_of
from ...gradcheck.comparing import Options
from ...gradcheck.report import Report
from .numpy_code import Functions, prepared_code, prepared_pair
from .report import StudentsReport


def check_backward(forward: Callable, backward: Callable | None, inputs: object,
                   names: str | list[str] | None = None, *, eps: float = 1e-4, rtol: float = 1e-6,
                   atol: float = 1e-11, samples: int | None = None, directions: int = 3,
                   seed: int = 0, mean_over_examples: bool = False) -> Report:
    """Compare a student's backward, a plain NumPy function, with the numeric gradients of the
    forward that goes with it. Returns a Report: truthy when all is well.

        out, cache = forward(x, w, b, …)      dx, dw, db = backward(dout, cache)
        y = forward(x, …)                     dx = backward(dy, x), or
                                              dx, dw, db = backward(dy, x, w, b)
        loss = forward(scores, labels)        dscores = backward(scores, labels), or backward(cache)
        loss, dscores = forward(scores, labels)                         with backward=None

    inputs: a list in the order of forward's arguments, or a dictionary {name: value}. Arrays of
        floating-point numbers are checked (lists of such numbers become arrays); labels, options
        such as strides and anything else are passed on as they are.
    names: what the report calls the inputs; without them, forward's own argument names.
    samples: an input with more entries than this is compared at so many (all, up to 2000).
    eps, rtol, atol, directions, seed: as in `gradcheck`.
    mean_over_examples: a gradient averaged over the examples, dW = dZ @ A.T / m, is correct, as
        some courses have it.

    backward may return an array, a tuple, a list, or a dictionary by name ("w", "dw", "grad_w").
    Every run gets copies of the inputs and the same random numbers; nothing of the caller's is
    changed. What the student's code raises is passed on. Raises TypeError or ValueError, in one
    sentence, for what cannot be checked.
    """
    options = options_of("check_backward", eps=eps, rtol=rtol, atol=atol, samples=samples,
                         directions=directions, seed=seed)
    prepare = partial(prepared_pair, forward, backward, inputs, names)
    with prepare() as pair:
        pair.accepts_mean = mean_over_examples
        return report_of(pair, prepare, options, kind=partial(StudentsReport, pair))


def check_code(code: Functions, values: dict, *, constant: Collection[str] = (), samples: int
               | None = None, seed: int = 0, mean_over_examples: bool = False, cost: float = 0.0,
               seconds: float = math.inf, eps: float = 1e-4, rtol: float = 1e-6) -> Report:
    """The same for any form that classes hand in: an object with the methods of
    numpy_code.Functions.

    constant: names of inputs that are not moved. mean_over_examples: a gradient averaged over the
    examples is accepted. cost: computing time of one forward, of the `seconds` that there are to
    find out what is wrong.
    """
    prepare = partial(prepared_code, code, values, constant)
    with prepare() as pair:
        pair.accepts_mean, pair.affords = mean_over_examples, 0.6 * seconds / max(cost, 1e-9)
        return report_of(pair, prepare, Options(eps, rtol, samples=samples, seed=seed),
                         kind=partial(StudentsReport, pair))
