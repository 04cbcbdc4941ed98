"""ma.gradcheck: the order of events. Prepare, look once, compare entries and directions, look again beside the kinks."""
import math
from numbers import Integral, Real

import numpy as np

from ..backend import array_module
from . import sampling, verdicts
from .probing import Comparison, Direction, Entry, Point, examine, looks_smooth, quick, relative_error, wrong_entry
from .report import Report
from .subject import ShapeDiffers, prepared

NUDGE = 0.01  # times the size of a typical entry: far beyond every step, near enough to stay in the domain
SMALLEST_EPS = 1e-10  # below it x + h is rounded so much that x has not moved by h
ROUNDING = 1e-15  # ten times that of float64
PROVEN = 8  # wrong entries after which further ones need no proof


def gradcheck(fn, inputs=(), names=None, *, eps=1e-4, rtol=1e-6, atol=1e-11, samples=None, directions=3, seed=0):
    """Compare the gradients of `fn` with numeric ones, in float64. Returns a Report: truthy when all is well.

    fn: a function of Tensors that returns a Tensor; a Function (class, or instance with options); or a Module, whose
        parameters are all checked by name.
    inputs: one array or Tensor, or a list or tuple of them, one for each argument of `fn`; all are checked. Integer labels
        go inside the function.
    names: what the report calls the inputs; without them, the function's own argument names.
    eps: the first step, relative to the size of the entry that it moves; smaller ones follow where they are needed. Steps
        below 1e-10 drown in rounding: then everything is undecided.
    rtol, atol: how far numeric and analytic may lie apart, relative to the larger of both, and absolutely.
    samples: a tensor with more entries than this is compared at so many, and along `directions` random directions
        (64; down to 16 for the largest layers, so that each takes seconds).
    seed: of the cotangent, the samples and the directions.

    The caller's arrays, parameters, gradients and random generators are as before afterwards, after an exception too.
    Raises TypeError or ValueError, in one sentence, for what cannot be checked.
    """
    _check_numbers(eps=(eps, math.inf), rtol=(rtol, 1), atol=(atol, math.inf))
    _check_counts(samples=(1 if samples is None else samples, 1), directions=(directions, 0), seed=(seed, 0))
    with prepared(fn, inputs, names) as subject:
        samples = samples or sampling.how_many(sum(tensor.size for tensor in subject.tensors))
        output, reason = _first_look(subject, eps)
        if reason:
            return Report(subject.title, verdicts.same_for_all(subject, *reason))
        generator = np.random.default_rng(seed)
        cotangent = array_module(output).asarray(generator.standard_normal(output.shape))
        check = _Check(subject, cotangent, generator, eps, rtol, atol, samples, directions)
        try:
            return Report(subject.title, [verdicts.row(finding, rtol) for finding in check.findings()])
        except ShapeDiffers as problem:
            return Report(subject.title, verdicts.shape_differs(subject, problem))


def _check_numbers(**options):
    """Raises TypeError or ValueError unless each, given as (value, limit), lies between 0 and its limit. atol may be 0."""
    for name, (value, limit) in options.items():
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"gradcheck: {name} must be a number, got {value!r}.")
        if not (0 < value < limit or value == 0 and name == "atol"):
            least = "at least" if name == "atol" else "more than"
            most = "finite" if limit == math.inf else f"less than {limit}"
            raise ValueError(f"gradcheck: {name} must be {least} 0 and {most}, got {value}.")


def _check_counts(**options):
    """Raises TypeError or ValueError unless each, given as (value, least), is a whole number and not less."""
    for name, (value, least) in options.items():
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise TypeError(f"gradcheck: {name} must be a whole number, got {value!r}.")
        if value < least:
            raise ValueError(f"gradcheck: {name} must be at least {least}, got {value}.")


def _first_look(subject, eps):
    """(output, None), or (output, (verdict, evidence)) where no comparison would mean anything."""
    output = subject.output()
    xp = array_module(output)
    if output.size == 0:
        raise ValueError(f"gradcheck: {subject.title} returned shape {output.shape}, which holds no values: give larger inputs.")
    for name, tensor, original in zip(subject.names, subject.tensors, subject.originals):
        if not bool((tensor.data == original).all()):
            return output, ("changes its input", f"the forward pass wrote into {name}: work on a copy")
    bad = output.size - int(xp.isfinite(output).sum())
    if bad:
        raise ValueError(f"gradcheck: {subject.title} gives {bad} NaN or infinite values of {output.size}: choose inputs inside "
                         "its domain.")
    if output.dtype != np.float64:
        return output, ("dtype too low", f"all inputs are float64, the output is {output.dtype}, whose rounding hides small "
                        "steps: something inside converts")
    if not bool((output == subject.output()).all()):
        return output, ("not deterministic", "two runs on the same inputs gave different outputs: draw random numbers from "
                        "np.random.rand or minialex, whose generators are held still here, or pass them in")
    if eps < SMALLEST_EPS:
        return output, ("undecided", f"a step of eps={eps:g} times an entry is lost when the entry is rounded: choose a larger "
                        "eps, 1e-4 is a good one")
    return output, None


class Finding:
    """What was compared of one tensor. entries: {index: Comparison}; directions: {name: Comparison}."""

    def __init__(self, name, shape, size, gradient):
        self.name, self.shape, self.size, self.gradient = name, shape, size, gradient
        self.entries, self.directions = {}, {}
        self.typical = 0.0  # numeric derivative of a typical entry
        self.blur = 0.0  # what rounding may do to it
        self.relative_blur = 0.0  # the same, relative to the derivative that outputs of about 1 would have
        self.beside = 0  # entries at a kink that were compared at a point nearby instead

    def at_kinks(self):
        """The indices and the names of directions that could not be judged. Along a direction the kinks of many entries
        mix, so that the limits of each are no limits for their sum."""
        return ([index for index, comparison in self.entries.items() if comparison.outcome == "kink"] +
                [name for name, comparison in self.directions.items() if "kink" in comparison.outcome])


class _Check:
    """One run with its options."""

    def __init__(self, subject, cotangent, generator, eps, rtol, atol, samples, directions):
        self.subject, self.cotangent, self.generator = subject, cotangent, generator
        self.eps, self.rtol, self.atol, self.samples, self.directions = eps, rtol, atol, samples, directions

    def findings(self):
        point = Point(self.subject, self.subject.originals, self.cotangent)
        findings = []
        for which, (name, tensor) in enumerate(zip(self.subject.names, self.subject.tensors)):
            finding = Finding(name, tensor.shape, tensor.size, point.gradients[which])
            self.compare_entries(point, which, finding)
            self.compare_directions(point, which, finding)
            findings.append(finding)
        if any(finding.at_kinks() for finding in findings):
            self.look_beside(point, findings)
        return findings

    def floor(self, point, probe, typical=0.0):
        """Derivatives are compared relative to at least this: a hundredth of a typical one, and what rounding does to
        them (over rtol)."""
        return max(0.01 * typical, self.blur(point, probe) / self.rtol)

    def blur(self, point, probe):
        """A derivative's rounding error with the first step, about 10⁻¹⁶·|L|/h, times ten; at least atol, since the
        output may be the small difference of large numbers."""
        return max(ROUNDING / self.eps * point.size_of_loss / probe.unit, self.atol)

    def compare_entries(self, point, which, finding):
        indices = sampling.entries(finding.gradient, finding.shape, self.samples, self.generator)
        probes = [Entry(point, which, index) for index in indices]
        first = [quick(point, probe, self.eps) for probe in probes]
        sizes = [abs(numeric) for numeric, _ in first if numeric and math.isfinite(numeric)]
        finding.typical = float(np.median(sizes)) if sizes else 0.0
        finding.blur = float(np.median([self.blur(point, probe) for probe in probes]))
        finding.relative_blur = ROUNDING / self.eps * point.size_of_output
        wrong = 0
        for index, probe, (numeric, jump) in zip(indices, probes, first):
            analytic, _ = probe.analytic(finding.gradient)
            floor = self.floor(point, probe, finding.typical)
            error = relative_error(numeric, analytic, floor)
            if error <= self.rtol and looks_smooth(jump, numeric, analytic, floor):
                finding.entries[index] = Comparison("equal", numeric, analytic, error)
            elif error > self.rtol and wrong >= PROVEN:
                finding.entries[index] = Comparison("wrong", numeric, analytic, error)
            else:
                finding.entries[index] = self.examine(point, probe, finding, finding.gradient)
                wrong += finding.entries[index].outcome == "wrong"

    def examine(self, point, probe, finding, gradient):
        typical = finding.typical if isinstance(probe, Entry) else 0.0
        return examine(point, probe, gradient, self.floor(point, probe, typical), self.rtol, self.eps)

    def compare_directions(self, point, which, finding):
        """Needed where not all entries are compared; a wrong direction leads to a wrong entry."""
        found = finding.size <= self.samples or any(c.outcome == "wrong" for c in finding.entries.values())
        for name, direction in sampling.directions(finding.shape, self.samples, self.directions, self.generator):
            probe = Direction(point, which, direction)
            finding.directions[name] = self.examine(point, probe, finding, finding.gradient)
            if finding.directions[name].outcome == "wrong" and not found:
                index = wrong_entry(point, which, direction, self.floor(point, probe), self.rtol, self.eps)
                finding.entries[index] = self.examine(point, Entry(point, which, index), finding, finding.gradient)
                found = True

    def look_beside(self, point, findings):
        """At a kink every gradient between left and right is as good as any other, so there nothing is proven. The
        same entries are compared again where all tensors have been nudged a little, off the kinks and ties."""
        bases = [base + NUDGE * scale * array_module(base).asarray(sampling.random_direction(base.shape, self.generator))
                 for base, scale in zip(point.bases, point.scales)]
        beside = Point(self.subject, bases, self.cotangent)
        if not beside.is_finite():
            return
        for which, finding in enumerate(findings):
            gradient = beside.gradients[which]
            for key in finding.at_kinks():
                if key in finding.entries:
                    finding.entries[key] = self.examine(beside, Entry(beside, which, key), finding, gradient)
                    finding.beside += finding.entries[key].outcome != "kink"
                else:
                    probe = Direction(beside, which, sampling.random_direction(finding.shape, self.generator))
                    finding.directions[key] = self.examine(beside, probe, finding, gradient)
