"""The evidence: what a wrong gradient is, at two places and for two cotangents each.

    J[m, n] = ∂output_m / ∂x_n       numeric, entry by entry          numeric[n] = Σ_m cotangent_m · J[m, n]

With J at hand, "only the last window was kept" or "dout was read in another order" is a prediction that can be computed
and compared number by number. A hypothesis holds when its prediction is the analytic gradient in all four looks: at the
given values, moved a little off kinks and ties, and at others (shuffled and scaled), for two random cotangents each.
"""
import copy

import numpy as np

from ...device import device_of, to_numpy
from ..rounding import DOUBLE, SINGLE

STEP, SINGLE_STEP = 1e-5, 1e-2  # times an entry's unit: truncation and rounding both leave about ten digits
WIDER = 1000  # times that, where outputs are large beside their change
SMOOTH = 1e-3  # left and right derivative may differ by so much of their size
NUDGE = 0.01  # times the size of a typical entry, off the kinks
EXACT = 1e-6  # of the largest value: a prediction that is off by more is no explanation
LARGEST = 4_000_000  # entries of J
MOST = 4000  # entries of the input
TRIALS = 200  # forward passes for the hypotheses


class Look:
    """One place and one cotangent. x, y, values, rest: the input in question, the output, all inputs by name, and the arrays
    that forward kept for backward, by name. analytic is None where backward returned None."""

    def __init__(self, place, cotangent, analytic):
        self.place, self.cotangent = place, cotangent
        self.x, self.y, self.values, self.rest = place.x, place.y, place.values, place.rest
        self.jacobian = place.jacobian
        self.analytic = analytic
        self.numeric = self.combined(cotangent)

    def combined(self, cotangent):
        """Σ_m cotangent_m · J[m, n], in the shape of x."""
        return (cotangent.reshape(-1) @ self.jacobian.reshape(cotangent.size, -1)).reshape(self.x.shape)


class Place:
    """One set of values, with the Jacobian there."""

    def __init__(self, subject, which, bases):
        self.subject, self.which, self.bases = subject, which, bases
        self.go()
        self.x = bases[which]
        self.y = to_numpy(subject.output()).astype(np.float64)
        self.values = dict(zip(subject.names, bases))
        self.rest = subject.kept()
        self.jacobian = self._jacobian()
        self.go()

    def go(self):
        put(self.subject, self.bases)

    def _jacobian(self):
        array = self.subject.tensors[self.which].data
        scale = root_mean_square(self.x) or 1.0
        jacobian = np.empty((self.y.size, self.x.size))
        for n, index in enumerate(np.ndindex(self.x.shape)):
            jacobian[:, n] = self._column(array, index, max(abs(float(self.x[index])), scale))
        return jacobian.reshape(self.y.shape + self.x.shape)

    def _column(self, array, index, unit):
        """Column n of J. Where the outputs bend (a kink is near) with smaller steps, where they are so large beside their change
        that the step drowns in rounding with a larger one."""
        first = (SINGLE_STEP if self.subject.rounding > SINGLE else STEP) * unit
        slope, jump = self._slope(array, index, first)
        if float(abs(self.y).max()) * DOUBLE / first > 1e-8 * abs(slope).max():
            wide, bend = self._slope(array, index, WIDER * first)
            return wide if bend.max() <= SMOOTH * abs(wide).max() else slope
        for smaller in (30, 900):
            if np.isfinite(slope).all() and jump.max() <= SMOOTH * abs(slope).max():
                break
            slope, jump = self._slope(array, index, first / smaller)
        return slope

    def _slope(self, array, index, step):
        """(central difference, |right − left|) of every output."""
        value = float(self.x[index])
        with np.errstate(all="ignore"):
            array[index] = value + step
            plus = to_numpy(self.subject.output()).reshape(-1)
            array[index] = value - step
            minus = to_numpy(self.subject.output()).reshape(-1)
        array[index] = value
        return (plus - minus) / (2 * step), abs(plus - 2 * self.y.reshape(-1) + minus) / step


class Case:
    """One input whose gradient is wrong. looks: four of them. Raises Undecidable when they cannot be made."""

    def __init__(self, subject, which, rtol, generator):
        self.subject, self.which, self.generator = subject, which, generator
        self.name = subject.names[which]
        self.is_single = subject.rounding > SINGLE
        self.tolerance = max(EXACT, rtol)
        self.places = [Place(subject, which, bases) for bases in self._bases()]
        self.looks = [look for place in self.places for look in self._looks_at(place)]
        self.shape = self.looks[0].x.shape
        self.options = subject.options
        put(subject, subject.originals)

    def _bases(self):
        originals = [to_numpy(array).astype(np.float64) for array in self.subject.originals]
        yield [self._nudged(base) for base in originals]
        for change in (self._shuffled, self._scaled, self._nudged):
            bases = [change(base) for base in originals]
            put(self.subject, bases)
            try:
                with np.errstate(all="ignore"):
                    if np.isfinite(to_numpy(self.subject.output())).all():
                        yield bases
                        return
            except Exception:  # a domain that the student's code guards: the next change stays nearer
                continue

    def _nudged(self, base):
        return base + NUDGE * (root_mean_square(base) or 1.0) * self.generator.uniform(-1, 1, base.shape)

    def _scaled(self, base):
        return self._nudged(base) * self.generator.uniform(0.7, 1.4, base.shape)

    def _shuffled(self, base):
        return self._scaled(self.generator.permutation(base.reshape(-1)).reshape(base.shape))

    def _looks_at(self, place):
        place.go()
        for _ in range(2):
            cotangent = to_numpy(self.subject.cotangent(place.y, self.generator))
            yield Look(place, cotangent, self.analytic(cotangent))

    def analytic(self, cotangent):
        """What backward returns at the present values, as it is; zeros for None."""
        gradient = self.subject.gradients(cotangent)[self.which]
        return np.zeros(self.subject.tensors[self.which].shape) if gradient is None else to_numpy(gradient)

    def subject_takes_dout(self):
        return not np.array_equal(self.looks[0].cotangent, self.looks[1].cotangent)

    # what hypotheses ask

    def examples(self):
        """(how many, in words): the rows of the first input, or its columns where those of the output are as many."""
        _, data = self.subject.data()
        if data is None or data.ndim < 2:
            return 0, ""
        y = self.looks[0].y
        columns = data.ndim == y.ndim == 2 and y.shape[1] == data.shape[1] and y.shape[0] != data.shape[0]
        self.subject.examples = data.shape[1] if columns else data.shape[0]
        return self.subject.examples, "m, the number of examples (columns)" if columns else "N"

    def channels_last(self):
        """The same case with pictures N, H, W, C seen as N, C, H, W; None where that is not how it is. Rows and columns are
        the axes along which an output depends on some entries only; along a channel it depends on all, or on its own."""
        look = self.looks[0]
        if look.x.ndim != 4 or look.y.ndim != 4 or any(look.analytic.ndim != 4 for look in self.looks):
            return None
        if not (_is_local(look, 1) and _is_local(look, 2) and not _is_local(look, 3)):
            return None
        seen = copy.copy(self)
        seen.looks = [_channels_first(look) for look in self.looks]
        seen.shape = seen.looks[0].x.shape
        return seen

    def holds(self, prediction):
        """Is prediction(look), an array, the analytic gradient in every look?"""
        return all(self.agree(prediction(look), look.analytic) for look in self.looks)

    def agree(self, predicted, analytic):
        if predicted is None or predicted.shape != analytic.shape:
            return False
        return bool(abs(predicted - analytic).max() <= self.tolerance * max(abs(predicted).max(), abs(analytic).max(), 1e-300))

    def wrong(self, look):
        """A mask of the entries where numeric and analytic differ."""
        return abs(look.analytic - look.numeric) > self.tolerance * max(abs(look.numeric).max(), abs(look.analytic).max(), 1e-300)


def _is_local(look, axis):
    rest = tuple(a for a in range(8) if a not in (axis, 4 + axis))
    touched = (look.jacobian != 0).any(axis=rest)
    own = touched.shape[0] == touched.shape[1] and not (touched & ~np.eye(len(touched), dtype=bool)).any()
    return not touched.all() and not own


def _channels_first(look):
    moved = copy.copy(look)
    for name in ("x", "y", "cotangent", "analytic", "numeric"):
        setattr(moved, name, np.moveaxis(getattr(look, name), 3, 1))
    moved.jacobian = np.moveaxis(look.jacobian, (3, 7), (1, 5))
    return moved


def affordable(subject, which, output_size):
    """Is this input so small, and on the CPU, that its whole Jacobian can be had?"""
    size = subject.tensors[which].size
    return size <= MOST and size * output_size <= LARGEST and 4 * size + TRIALS <= subject.affords and \
        device_of(subject.tensors[which].data) == "cpu"


def put(subject, bases):
    """Write these values into the subject's tensors, in place."""
    for tensor, base in zip(subject.tensors, bases):
        tensor.data[...] = base


def root_mean_square(array):
    """√(mean of squares): the size of an array's values."""
    return float(np.sqrt((array ** 2).mean()))


EVERYWHERE = "in four trials (two sets of values, two random dout each)"
