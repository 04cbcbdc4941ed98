"""ma.gradcheck: what may be asked, and whether a comparison would mean anything."""
import math
from collections.abc import Callable
from functools import partial
from numbers import Integral, Real

import numpy as np

from ..device import array_module
from ..errors import GradientShape
from . import curves, rounding, sampling, verdicts
from .asked import GradientsDiffer
from .comparing import Comparing, Options
from .report import Report
from .tensor_function import Checked, prepared
from .verdicts import names as verdict

SMALLEST_EPS = 1e-10  # below it x + h is rounded so much that x has not moved by h

SMALL = 50_000  # entries of all inputs together

# Mixed into the seed: inputs that the caller drew from default_rng(0) would else be the very
# numbers of the cotangent, and with dout equal to x, dout.T @ x is as good as x.T @ dout.
OWN_STREAM = 1998


def gradcheck(fn: Callable, inputs: object = (), names: str | list[str] | None = None, *,
              eps: float = 1e-4, rtol: float = 1e-6, atol: float = 1e-11,
              samples: int | None = None, directions: int = 3, seed: int = 0) -> Report:
    """Compare the gradients of `fn` with numeric ones, in float64. Returns a Report: truthy when
    all is well.

    fn: a function of Tensors that returns a Tensor; a Function (class, or instance with options);
        or a Module, whose parameters are all checked by name.
    inputs: one array or Tensor, or a list or tuple of them, one for each argument of `fn`; all are
        checked. Integer labels go inside the function.
    names: what the report calls the inputs; without them, the function's own argument names.
    eps: the first step, relative to the size of the entry that it moves; smaller ones follow where
        they are needed. Steps below 1e-10 drown in rounding: then everything is undecided.
    rtol, atol: how far numeric and analytic may lie apart, relative to the larger, and absolutely.
    samples: a tensor with more entries than this is compared at so many, and along `directions`
        random directions (64; down to 16 for the largest layers, so that each takes seconds).
    seed: of the cotangent, the samples and the directions.

    The caller's arrays, parameters, gradients and random generators are as before afterwards, after
    an exception too. Raises TypeError or ValueError, in one sentence, for what cannot be checked.
    """
    options = options_of("gradcheck", eps=eps, rtol=rtol, atol=atol, samples=samples,
                         directions=directions, seed=seed)
    prepare = partial(prepared, fn, inputs, names)
    with prepare() as subject:
        return report_of(subject, prepare, options, sampling.how_many(_size(subject)))


def report_of(subject: Checked, prepare: Callable, options: Options,
              samples: int = sampling.CLASSROOM, kind: Callable = Report) -> Report:
    """What `kind` makes of a prepared subject. prepare: makes it anew, for the picture."""
    told = partial(kind, subject.title)
    options = options._replace(samples=options.samples or samples)
    generator = np.random.default_rng((options.seed, OWN_STREAM + 1))
    output = subject.output()
    if reason := _first_look(subject, output, options.eps, generator):
        return told(verdicts.same_for_all(subject, *reason))
    try:
        cotangent = subject.cotangent(output, np.random.default_rng((options.seed, OWN_STREAM)))
        subject.settle(cotangent)
        comparing = Comparing(subject, cotangent, generator, options)
        rows = [verdicts.row(finding, comparing) for finding in comparing.findings()]
        return told(rows, partial(_curves, prepare, options.seed, rows))
    except GradientShape as problem:
        return told(verdicts.shape_differs(subject, problem))
    except GradientsDiffer as problem:
        return told(verdicts.same_for_all(subject, verdict.SHAPE, str(problem)))


def _size(subject):
    return sum(tensor.size for tensor in subject.tensors)


def _curves(prepare, seed, rows):
    """What `report.plot()` draws, measured with the same dout as the check."""
    with prepare() as subject:
        cotangent = subject.cotangent(subject.output(), np.random.default_rng((seed, OWN_STREAM)))
        subject.settle(cotangent)
        return curves.measure(subject, cotangent, rows)


_OPTIONS = {  # the type, what it must be, and whether a value is that
    "eps": (Real, "more than 0 and finite", lambda value: 0 < value < math.inf),
    "rtol": (Real, "more than 0 and less than 1", lambda value: 0 < value < 1),
    "atol": (Real, "at least 0 and finite", lambda value: 0 <= value < math.inf),
    "samples": (Integral, "at least 1", lambda value: value >= 1),
    "directions": (Integral, "at least 0", lambda value: value >= 0),
    "seed": (Integral, "at least 0", lambda value: value >= 0),
}


def options_of(caller: str, **options) -> Options:
    """All of them. Raises TypeError or ValueError for one that makes no sense. None stands for a
    default."""
    for name, value in options.items():
        kind, must_be, fits = _OPTIONS[name]
        if value is not None and not isinstance(value, kind) or isinstance(value, bool):
            raise TypeError(f"{caller}: {name} must be a {'whole ' * (kind is Integral)}number, "
                            f"got {value!r}.")
        if value is not None and not fits(value):
            raise ValueError(f"{caller}: {name} must be {must_be}, got {value}.")
    return Options(**options)


def _first_look(subject, output, eps, generator):
    """(verdict, evidence) where no comparison would mean anything. Sees how forward rounds."""
    if output.size == 0:
        raise ValueError(f"{subject.caller}: {subject.title} returned shape {output.shape}, "
                         "which holds no values: give larger inputs.")
    changed = subject.changed()
    if changed and not subject.outside_engine:
        return (verdict.IN_PLACE,
                f"the forward pass wrote into {', '.join(changed)}: work on a copy")
    if bad := output.size - int(array_module(output).isfinite(output).sum()):
        raise ValueError(f"{subject.caller}: {subject.title} gives {bad} NaN or infinite values of "
                         f"{output.size}: choose inputs inside its domain.")
    # may forward be run some more times, to see how it rounds?
    is_small = subject.outside_engine and _size(subject) <= SMALL
    if output.dtype != np.float64 and not (output.dtype == np.float32 and is_small):
        return (verdict.DTYPE, f"all inputs are float64, the output is {output.dtype}, "
                "whose rounding hides small steps: something inside converts")
    if not bool((output == subject.output()).all()):
        return (verdict.RANDOM, "two runs on the same inputs gave different outputs: draw random "
                "numbers from np.random.rand or minialex, whose generators are held still here, "
                "or pass them in")
    if eps < SMALLEST_EPS:
        return (verdict.UNDECIDED, f"a step of eps={eps:g} times an entry is lost when the entry "
                "is rounded: choose a larger eps, 1e-4 is a good one")
    subject.rounding = rounding.of_forward(subject, generator) if is_small else rounding.DOUBLE
    if subject.rounding > rounding.HALF:
        return (verdict.DTYPE, f"the output moves in steps of about {subject.rounding:.0e} of its "
                "size: something inside rounds to half precision")
    return None
