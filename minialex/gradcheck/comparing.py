"""One check, in the order of events: entries, directions, and a second look beside the kinks."""
import math
from typing import NamedTuple

import numpy as np

from ..device import array_module
from . import rounding, sampling
from .probing import (
    Comparison,
    Direction,
    Entry,
    Point,
    examine,
    looks_smooth,
    quick,
    relative_error,
)

# times the size of a typical entry: far beyond every step, near enough to stay in the domain
NUDGE = 0.01
SAFE = 5  # times the rounding of one number: what a sum of some of them may be off by
SINGLE_EPS, SINGLE_RTOL = 1e-2, 2e-3  # where something inside rounds to float32
PROVEN = 8  # wrong entries after which further ones need no proof


class Finding:
    """What was compared of one tensor. entries: {index: Comparison}; directions: {name:
    Comparison}."""

    def __init__(self, which, name, shape, size, gradient, changes=False):
        self.changes = changes  # from one call of backward to the next
        self.which, self.name, self.shape, self.size, self.gradient = (which, name, shape, size,
                                                                       gradient)
        self.entries, self.directions = {}, {}
        self.typical = 0.0  # numeric derivative of a typical entry
        self.blur = 0.0  # what rounding may do to it
        # the same, relative to the derivative that outputs of about 1 would have
        self.relative_blur = 0.0
        self.beside = 0  # entries at a kink that were compared at a point nearby instead

    def fits(self) -> bool:
        """Has the gradient the shape of its tensor? One number does not care how many axes of
        length 1 it has."""
        return self.gradient is None or self.gradient.shape == self.shape

    def chance_of_seeing(self, off: float) -> float | None:
        """The probability that a single wrong entry would have been seen if it is off by `off`
        times a typical entry of this gradient (their root mean square). None where all entries were
        compared, or all are zero."""
        if len(self.entries) >= self.size or self.gradient is None or not bool(self.gradient.any()):
            return None
        typical = float((self.gradient ** 2).mean()) ** 0.5
        limits = {name: c.resolution for name, c in self.directions.items()}
        everywhere = limits.pop(sampling.TOGETHER, math.inf)
        return sampling.chance_of_seeing(off * typical, self.size, len(self.entries) // 2,
                                         everywhere, limits.values())

    def at_kinks(self) -> list:
        """The indices and the names of directions that could not be judged. Along a direction the
        kinks of many entries mix, so that the limits of each are no limits for their sum."""
        return [*(index for index, c in self.entries.items() if c.outcome == "kink"),
                *(name for name, c in self.directions.items() if "kink" in c.outcome)]


class Options(NamedTuple):
    """How a check is made: see check.gradcheck. samples: None for as many as are usual."""

    eps: float = 1e-4
    rtol: float = 1e-6
    atol: float = 1e-11
    samples: int | None = None
    directions: int = 3
    seed: int = 0


class Comparing:
    """One check with its options."""

    def __init__(self, subject, cotangent, generator, options):
        self.subject, self.cotangent, self.generator = subject, cotangent, generator
        self.options, self.eps, self.rtol = options, options.eps, options.rtol
        self.unit = rounding.DOUBLE
        self.is_single = subject.rounding > rounding.SINGLE
        if self.is_single:
            self.unit = 4 * subject.rounding
            self.eps, self.rtol = max(self.eps, SINGLE_EPS), max(self.rtol, SINGLE_RTOL)
        # small entries of the engine must be right, too; a student's may be rounded to float32 on
        # the way
        self.share = 1.0 if subject.outside_engine else 0.01

    def findings(self) -> list[Finding]:
        point = Point(self.subject, self.subject.originals, self.cotangent)
        self.backward_rounding = rounding.of_backward(self.subject, self.cotangent, point.gradients,
                                                      self.generator)
        again = self.subject.changes_between_calls(self.cotangent, point.gradients)
        findings = [Finding(which, name, tensor.shape, tensor.size, *found)
                    for which, (name, tensor, *found) in enumerate(zip(
                        self.subject.names, self.subject.tensors, point.gradients, again))]
        for finding in findings:
            if finding.fits():
                self.compare_entries(point, finding)
                self.compare_directions(point, finding)
        if any(finding.at_kinks() for finding in findings):
            self.look_beside(point, findings)
        self.subject.put(self.subject.originals)
        return findings

    def floor(self, point: Point, probe: Entry | Direction, typical: float = 0.0) -> float:
        """Derivatives are compared relative to at least this: a share of a typical one, and what
        rounding does to them (over rtol)."""
        return max(self.share * typical, self.blur(point, probe) / self.rtol)

    def blur(self, point: Point, probe: Entry | Direction) -> float:
        """A derivative's rounding error with the first step, about 10⁻¹⁶·|L|/h, and that of
        backward, times five; at least atol (less for outputs below a thousandth), since the output
        may be the small difference of large numbers."""
        forward = SAFE * self.unit / self.eps * point.size_of_loss / probe.unit
        # outputs that are rounded to exactly 0 say nothing about their size
        size = point.size_of_output or 1
        return max(forward, SAFE * self.backward_rounding[probe.which],
                   self.options.atol * min(1, 1000 * size))

    def compare_entries(self, point: Point, finding: Finding) -> None:
        indices = sampling.entries(finding.gradient, finding.shape, self.options.samples,
                                   self.generator)
        probes = [Entry(point, finding.which, index) for index in indices]
        self.subject.foresee([(probe, self.eps * probe.unit) for probe in probes])
        first = [quick(point, probe, self.eps) for probe in probes]
        sizes = [abs(numeric) for numeric, _ in first if numeric and math.isfinite(numeric)]
        finding.typical = float(np.median(sizes)) if sizes else 0.0
        finding.blur = float(np.median([self.blur(point, probe) for probe in probes]))
        finding.relative_blur = SAFE * self.unit / self.eps * point.size_of_output
        wrong, proven = 0, PROVEN if self.subject.affords else 1
        for index, probe, (numeric, jump) in zip(indices, probes, first):
            analytic, _ = probe.analytic(finding.gradient)
            floor = self.floor(point, probe, finding.typical)
            error = relative_error(numeric, analytic, floor)
            if error <= self.rtol and looks_smooth(jump, numeric, analytic, floor):
                finding.entries[index] = Comparison("equal", numeric, analytic, error)
            elif error > self.rtol and wrong >= proven:
                finding.entries[index] = Comparison("wrong", numeric, analytic, error)
            else:
                finding.entries[index] = self.examine(point, probe, finding.typical)
                wrong += finding.entries[index].outcome == "wrong"

    def examine(self, point: Point, probe: Entry | Direction, typical: float = 0.0) -> Comparison:
        return examine(point, probe, self.floor(point, probe, typical), self.rtol, self.eps,
                       self.unit)

    def compare_directions(self, point: Point, finding: Finding) -> None:
        """Needed where not all entries are compared; a wrong direction leads to a wrong entry."""
        samples = self.options.samples
        found = finding.size <= samples or any(c.outcome == "wrong"
                                               for c in finding.entries.values())
        for name, direction in sampling.directions(finding.shape, samples, self.options.directions,
                                                   self.generator):
            probe = Direction(point, finding.which, direction)
            finding.directions[name] = self.examine(point, probe)
            if finding.directions[name].outcome == "wrong" and not found:
                entry = Entry(point, finding.which, self.wrong_entry(point, finding, direction))
                finding.entries[entry.index] = self.examine(point, entry, finding.typical)
                found = True

    def wrong_entry(self, point: Point, finding: Finding, direction: np.ndarray) -> tuple[int, ...]:
        """The index of a wrong entry of a tensor whose derivative along `direction` is wrong, by
        halving the range in which it must be: log2(size) derivatives."""
        flat = np.asarray(direction).reshape(-1)
        start, stop = 0, flat.size
        while stop - start > 1:
            middle = (start + stop) // 2
            half = np.zeros_like(flat)
            half[start:middle] = flat[start:middle]
            probe = Direction(point, finding.which, half.reshape(direction.shape))
            is_here = self.examine(point, probe).outcome.startswith("wrong")
            start, stop = (start, middle) if is_here else (middle, stop)
        return sampling.index_of(start, finding.shape)

    def look_beside(self, point: Point, findings: list[Finding]) -> None:
        """At a kink every gradient between left and right is as good as any other, so there nothing
        is proven. The same entries are compared again where all tensors have been nudged a little,
        off the kinks and ties."""
        bases = [base + NUDGE * scale * array_module(base).asarray(self.random(base.shape))
                 for base, scale in zip(point.bases, point.scales)]
        beside = Point(self.subject, bases, self.cotangent)
        if not beside.is_finite():
            return
        for finding in findings:
            for key in finding.at_kinks():
                if key in finding.entries:
                    entry = Entry(beside, finding.which, key)
                    finding.entries[key] = self.examine(beside, entry, finding.typical)
                    finding.beside += finding.entries[key].outcome != "kink"
                else:
                    del finding.directions[key]
                    probe = Direction(beside, finding.which, self.random(finding.shape))
                    key = f"{key}, at random beside the kinks"
                    finding.directions[key] = self.examine(beside, probe)

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return sampling.random_direction(shape, self.generator)
