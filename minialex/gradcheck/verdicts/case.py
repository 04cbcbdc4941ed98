"""The evidence: what a wrong gradient is, at two places and for two cotangents each.

    J[m, n] = ∂output_m / ∂x_n    numeric, entry by entry     numeric[n] = Σ_m cotangent_m · J[m, n]

With J at hand, "only the last window was kept" or "dout was read in another order" is a prediction
that can be computed and compared number by number. A guess holds when its prediction is the
analytic gradient in all four looks: at the given values, moved a little off kinks and ties, and at
others (shuffled and scaled), for two random cotangents each.
"""
import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...device import device_of, to_numpy
from ..probing import Entry, Place, root_mean_square, sides
from ..rounding import DOUBLE, SINGLE
from ..tensor_function import Checked
from .names import Verdict

# times an entry's unit: truncation and rounding both leave about ten digits
STEP, SINGLE_STEP = 1e-5, 1e-2
WIDER = 1000  # times that, where outputs are large beside their change
SMOOTH = 1e-3  # left and right derivative may differ by so much of their size
NUDGE = 0.01  # times the size of a typical entry, off the kinks
EXACT = 1e-6  # of the largest value: a prediction that is off by more is no explanation
LARGEST = 4_000_000  # entries of J
MOST = 4000  # entries of the input
TRIALS = 200  # forward passes for the mistakes
EVERYWHERE = "in four trials (two sets of values, two random dout each)"
ON_PURPOSE = "some courses average over the examples here: --mean-over-examples accepts it"


class Look:
    """One place and one cotangent. x, y, values, rest: the input in question, the output, all
    inputs by name, and the arrays that forward kept for backward, by name. analytic: what backward
    returned, zeros for None."""

    def __init__(self, place: "Linearised", cotangent: np.ndarray, analytic: np.ndarray):
        self.place, self.cotangent, self.analytic = place, cotangent, analytic
        self.x, self.y, self.values, self.rest, self.jacobian = (place.x, place.y, place.values,
                                                                 place.rest, place.jacobian)
        self.numeric = self.combined(cotangent)

    def combined(self, cotangent: np.ndarray, jacobian: np.ndarray | None = None) -> np.ndarray:
        """Σ_m cotangent_m · J[m, n], in the shape of x."""
        jacobian = self.jacobian if jacobian is None else jacobian
        return (cotangent.reshape(-1) @ jacobian.reshape(cotangent.size, -1)).reshape(self.x.shape)

    def arrays(self) -> dict[str, np.ndarray]:
        """The inputs and what forward kept, by name."""
        return {**self.values, **self.rest}


class Linearised(Place):
    """One set of values, with the Jacobian there."""

    def __init__(self, subject, which: int, bases: list[np.ndarray]):
        super().__init__(subject, bases)
        self.x = bases[which]
        self.y = to_numpy(subject.output()).astype(np.float64)
        self.values = dict(zip(subject.names, bases))
        self.rest = subject.kept()
        columns = [self._column(Entry(self, which, index)) for index in np.ndindex(self.x.shape)]
        self.jacobian = np.stack(columns, axis=1).reshape(self.y.shape + self.x.shape)

    def _column(self, probe):
        """Column n of J. Where the outputs bend (a kink is near) with smaller steps, where they are
        so large beside their change that the step drowns in rounding with a larger one."""
        first = (SINGLE_STEP if self.subject.rounding > SINGLE else STEP) * probe.unit
        slope, jump = self._slope(probe, first)
        if float(abs(self.y).max()) * DOUBLE / first > 1e-8 * abs(slope).max():
            wide, bend = self._slope(probe, WIDER * first)
            return wide if bend.max() <= SMOOTH * abs(wide).max() else slope
        for smaller in (30, 900):
            if np.isfinite(slope).all() and jump.max() <= SMOOTH * abs(slope).max():
                break
            slope, jump = self._slope(probe, first / smaller)
        return slope

    def _slope(self, probe, step):
        """(central difference, |right − left|) of every output."""
        plus, minus = (to_numpy(side).reshape(-1) for side in sides(self, probe, step))
        return (plus - minus) / (2 * step), abs(plus - 2 * self.y.reshape(-1) + minus) / step


class Guess(NamedTuple):
    """One way in which a gradient may have gone wrong, and how to tell it.

    test: of a Look, the two arrays that are equal if it did; one array is compared with the
    analytic gradient; None where it cannot be so. said: the evidence in words; after: more of them.
    """

    verdict: str
    test: Callable[[Look], np.ndarray | tuple[np.ndarray, np.ndarray] | None]
    said: str
    detail: str = ""
    factor: float | None = None
    after: str = ""


class Case:
    """One input whose gradient is wrong. looks: four of them, the first one's fields also by
    themselves."""

    def __init__(self, subject, which: int, rtol: float, generator: np.random.Generator):
        self.subject, self.which, self.generator = subject, which, generator
        self.name, self.options = subject.names[which], subject.options
        self.is_single = subject.rounding > SINGLE
        self.tolerance = max(EXACT, rtol)
        self.looks = [look for bases in self._bases()
                      for look in self._looks_at(Linearised(subject, which, bases))]
        self.shape, self.size = self.looks[0].x.shape, self.looks[0].x.size
        subject.put(subject.originals)

    def go(self, look: Look) -> None:
        """Write the values of a look into the subject."""
        self.subject.put(look.place.bases)

    @property
    def y(self) -> np.ndarray:
        """The output at the first look."""
        return self.looks[0].y

    def _bases(self):
        originals = [to_numpy(array).astype(np.float64) for array in self.subject.originals]
        yield [self._nudged(base) for base in originals]
        for change in (self._shuffled, self._scaled, self._nudged):
            bases = [change(base) for base in originals]
            self.subject.put(bases)
            try:
                with np.errstate(all="ignore"):
                    if np.isfinite(to_numpy(self.subject.output())).all():
                        yield bases
                        return
            except Exception:
                # a domain that the student's code guards: the next change stays nearer
                continue

    def _nudged(self, base):
        return base + NUDGE * (root_mean_square(base) or 1.0) * self.generator.uniform(-1, 1,
                                                                                       base.shape)

    def _scaled(self, base):
        return self._nudged(base) * self.generator.uniform(0.7, 1.4, base.shape)

    def _shuffled(self, base):
        return self._scaled(self.generator.permutation(base.reshape(-1)).reshape(base.shape))

    def _looks_at(self, place):
        for _ in range(2):
            cotangent = to_numpy(self.subject.cotangent(place.y, self.generator))
            yield Look(place, cotangent, self.analytic(cotangent))

    def analytic(self, cotangent: np.ndarray, which: int | None = None) -> np.ndarray:
        """What backward returns for an input (this one) at the present values, as it is; zeros for
        None."""
        which = self.which if which is None else which
        gradient = self.subject.gradients(cotangent)[which]
        return to_numpy(np.zeros(self.subject.tensors[which].shape) if gradient is None
                        else gradient)

    # what mistakes ask

    def examples(self) -> tuple[int, str]:
        """(how many, in words): the rows of the first input, or its columns where those of the
        output are as many."""
        _, data = self.subject.data()
        if data is None or data.ndim < 2:
            return 0, ""
        columns = (data.ndim == self.y.ndim == 2 and self.y.shape[1] == data.shape[1]
                   and (self.y.shape[0] != data.shape[0] or self.shape[1:] == (1,)))
        self.subject.examples = data.shape[1] if columns else data.shape[0]
        return self.subject.examples, "m, the number of examples (columns)" if columns else "N"

    def channels_last(self) -> "Case | None":
        """The same case with pictures N, H, W, C seen as N, C, H, W; None where that is not how it
        is. Rows and columns are the axes along which an output depends on some entries only; along
        a channel it depends on all, or on its own."""
        look = self.looks[0]
        arrays = look.x, look.y, *(look.analytic for look in self.looks)
        if any(array.ndim != 4 for array in arrays) or [
                _is_local(look, axis) for axis in (1, 2, 3)] != [True, True, False]:
            return None
        seen = copy.copy(self)
        seen.looks = [_channels_first(look) for look in self.looks]
        seen.shape = seen.looks[0].x.shape
        return seen

    def first_that_holds(self, guesses: Iterator[Guess | Verdict]) -> Verdict | None:
        """The verdict of the first guess that is true in every look. Each guess is tried before the
        next one is made."""
        for guess in guesses:
            if isinstance(guess, Verdict):
                return guess
            if self.holds(guess.test):
                return Verdict(guess.verdict, f"{guess.said}, {EVERYWHERE}{guess.after}",
                               guess.detail, guess.factor)
        return None

    def holds(self, test: Callable[[Look], np.ndarray | tuple | None]) -> bool:
        """Is test(look), an array or two, true in every look?"""
        with np.errstate(all="ignore"):
            return all(self.agree(*(tested if isinstance(tested, tuple) else (
                tested, look.analytic))) for look in self.looks for tested in [test(look)])

    def agree(self, predicted: np.ndarray | None, analytic: np.ndarray) -> bool:
        """Are they equal, but for a millionth of the largest value?"""
        return predicted is not None and predicted.shape == analytic.shape and bool(
            abs(predicted - analytic).max() <= self.allowed(predicted, analytic))

    def wrong(self, look: Look) -> np.ndarray:
        """A mask of the entries where numeric and analytic differ."""
        return abs(look.analytic - look.numeric) > self.allowed(look.numeric, look.analytic)

    def allowed(self, *arrays: np.ndarray) -> float:
        """By how much these may differ."""
        return self.tolerance * max(*(abs(array).max() for array in arrays), 1e-300)


def _is_local(look, axis):
    touched = (look.jacobian != 0).any(axis=tuple(a for a in range(8) if a not in (axis, 4 + axis)))
    own = touched.shape[0] == touched.shape[1] and not (touched & ~np.eye(len(touched),
                                                                          dtype=bool)).any()
    return not touched.all() and not own


def _channels_first(look):
    moved = copy.copy(look)
    for name in ("x", "y", "cotangent", "analytic", "numeric"):
        setattr(moved, name, np.moveaxis(getattr(look, name), 3, 1))
    moved.jacobian = np.moveaxis(look.jacobian, (3, 7), (1, 5))
    return moved


def affordable(subject: Checked, which: int, output_size: int) -> bool:
    """Is this input so small, and on the CPU, that its whole Jacobian can be had?"""
    size = subject.tensors[which].size
    return (size <= MOST and size * output_size <= LARGEST and 4 * size + TRIALS <= subject.affords
            and device_of(subject.tensors[which].data) == "cpu")

