"""What the comparisons of one tensor add up to: a verdict, and the evidence for it.

Where numeric and analytic agree, that is all. Where they do not, this file says whether the numeric
side can be trusted; what exactly is wrong is then for the mistakes of the other files.
"""
from ...device import array_module
from ...errors import GradientShape
from ..comparing import Comparing, Finding
from ..report import Row
from ..tensor_function import Checked
from . import names
from .mistakes import diagnosis
from .names import Verdict
from .sums import CutOff

EXCUSED = 1e-4  # of the largest entry: what an epsilon inside may do
# a relative blur that may hide a whole gradient: outputs of 10⁵ and more with the usual step
HIDDEN = 1e-6
HIDDEN_STILL = 1e-4  # the same where not even the last bit of the output moves
WORST = 5  # entries that report.verbose() lists


def row(finding: Finding, comparing: Comparing) -> Row:
    """A Row for one Finding."""
    outcomes = [comparison.outcome for comparison in finding.entries.values()]
    counted = {index: c for index, c in finding.entries.items()
               if c.outcome in ("equal", "wrong", "wrong at a kink")}
    worst = max(counted, key=lambda index: (counted[index].outcome != "equal",
                                            counted[index].error), default=None)
    numeric, analytic, error = counted[worst][1:4] if counted else (None,) * 3
    seen = finding.chance_of_seeing(1), finding.chance_of_seeing(0.01)
    verdict = _verdict(finding, outcomes, comparing)
    if verdict.name in (names.UNKNOWN, names.AT_ZERO, names.SHAPE):
        verdict = _excused(finding, comparing, diagnosis(finding, comparing) or verdict)
    elif verdict.name == names.CORRECT:
        verdict = _in_place(finding, comparing.subject) or verdict
    return Row(finding.name, finding.shape, finding.size, len(counted),
               outcomes.count("kink") + finding.beside, error, worst, numeric, analytic, *verdict,
               None if None in seen else seen, _numbers(finding, comparing))


def _numbers(finding, comparing):
    """Texts for report.verbose() and for programs: what was allowed, the worst entries, the
    directions."""
    told = [f"step {comparing.eps:g} × the entry's size, allowed relative difference "
            f"{comparing.rtol:g}; a typical derivative is {finding.typical:.3g}, "
            f"rounding may change it by {finding.blur:.1g}"]
    wrong = sorted(((index, c) for index, c in finding.entries.items() if c.outcome != "equal"),
                   key=lambda one: -one[1].error)
    told += [f"{list(index)}: numeric {c.numeric:.12g}, analytic {c.analytic:.12g}, "
             f"error {c.error:.1e}, {c.outcome}" for index, c in wrong[:WORST]]
    told += [f"… and {len(wrong) - WORST} more"] if len(wrong) > WORST else []
    return (*told, *(f"{name}: numeric {c.numeric:.12g}, analytic {c.analytic:.12g}, {c.outcome}"
                     for name, c in finding.directions.items()))


def _verdict(finding, outcomes, comparing):
    gradient = finding.gradient
    if finding.changes:
        return Verdict(names.RANDOM, "two calls of forward and backward with the same inputs and "
                       "the same dout gave different gradients: "
                       "something is remembered from one call to the next, or drawn at random")
    if not finding.fits():
        return Verdict(names.SHAPE, f"backward returned shape {gradient.shape} for {finding.name} "
                       f"of shape {finding.shape}")
    if bad := gradient is not None and int((~array_module(gradient).isfinite(gradient)).sum()):
        return Verdict(names.NOT_FINITE,
                       f"{bad} of {finding.size} values of the gradient are NaN or infinite")
    directions = [comparison.outcome for comparison in finding.directions.values()]
    if "wrong" in outcomes or "wrong" in directions:
        return _wrong(finding, outcomes.count("wrong"), directions, comparing)
    if "wrong at a kink" in outcomes:
        x = comparing.subject.originals[finding.which]
        at_zero = all(x[index] == 0 for index, c in finding.entries.items()
                      if c.outcome == "wrong at a kink")
        return Verdict(names.AT_ZERO if at_zero else names.UNKNOWN,
                       "where the left and the right derivative differ, the gradient must lie "
                       "between them; where the function is smooth, it is right")
    agree, kinks, undecided = (outcomes.count(outcome)
                               for outcome in ("equal", "kink", "undecided"))
    too_coarse = names.DTYPE if comparing.is_single else names.UNDECIDED
    if _is_hidden(finding, comparing.is_single):
        return Verdict(too_coarse, "rounding of the output blurs a derivative of "
                       f"{finding.typical:.1g} by about {finding.blur:.1g}: choose smaller inputs, "
                       "leave out a large constant, or take a larger eps")
    if 2 * agree < len(outcomes) and kinks >= undecided:
        return Verdict(names.KINK, f"{kinks} of {len(outcomes)} entries have different derivatives "
                       "to the left and to the right, here and nearby: choose other inputs")
    if 2 * agree < len(outcomes):
        return Verdict(too_coarse, f"at {undecided} of {len(outcomes)} entries the numeric "
                       "derivative changes with the step size: "
                       "choose inputs where the function is tamer")
    return Verdict(names.CORRECT, "; ".join(_remarks(finding, comparing, kinks)))


def _remarks(finding, comparing, kinks):
    if comparing.is_single:
        tolerance = max(comparing.rtol, finding.blur / max(finding.typical, 1e-300))
        yield ("something inside rounds to float32: "
               f"compared to {tolerance:.1g} of a typical entry only")
    if found := kinks + finding.beside:
        what, were = ("1 entry sits", "was") if found == 1 else (f"{found} entries sit", "were")
        yield f"{what} on a kink or tie" + (": between left and right derivative there, "
                                            f"and {were} compared beside it" * bool(finding.beside))


def _in_place(finding, subject):
    """The values are right, but something of the caller's was changed. None if it was not."""
    if finding.which == 0 and subject.writes_into_dout:
        return Verdict(names.DOUT_IN_PLACE, "the values are right, but backward wrote into dout, "
                       "which belongs to its caller: where two branches share it, "
                       "the other one is now wrong. Work on a copy")
    for name, changed, who in ((names.X_IN_PLACE, subject.writes_into, "backward"),
                               (names.IN_PLACE, subject.changed(), "the forward pass")):
        if finding.name in changed:
            return Verdict(name, f"the values are right, but {who} wrote into {finding.name}, "
                           "which belongs to its caller: work on a copy")
    return None


def _excused(finding, comparing, verdict):
    """What looks wrong and is no mistake: an epsilon inside, a mean that the course asks for."""
    subject, pairs = comparing.subject, [(c.numeric, c.analytic) for c in finding.entries.values()]
    if verdict.name == names.MEAN and subject.accepts_mean and abs((verdict.factor or 0)
                                                                   * subject.examples - 1) < 1e-5:
        said = f"averaged over the {subject.examples} examples, which --mean-over-examples accepts"
        return Verdict(names.CORRECT, said) if pairs else Verdict(
            names.SHAPE, said, "only reshape, values right (keepdims=True)")
    if not subject.outside_engine or not pairs:
        return verdict
    if isinstance(verdict.detail, CutOff):
        subject.cut_off = verdict.detail
    if verdict.name == names.UNKNOWN and subject.cut_off:
        return Verdict(names.UNDECIDED, "another input's gradient is cut off in time, "
                       "so this one is, too: to compare it, "
                       "check with a sequence that is no longer than that", subject.cut_off)
    largest = max(abs(numeric) for numeric, _ in pairs)
    gap = max(abs(numeric - analytic) for numeric, analytic in pairs) / max(largest, 1e-300)
    is_one = verdict.name == names.FACTOR and f"{verdict.factor or 0:.6g}" == "1"
    epsilon = subject.epsilon()
    if is_one or verdict.name in (names.UNKNOWN, names.FACTOR) and gap <= EXCUSED and epsilon:
        what = (f"the {epsilon:g} in the code, as in log(p + {epsilon:g})" if epsilon
                else "an epsilon inside")
        return Verdict(names.CORRECT, f"correct but for {gap:.0e} of the largest entry: {what}")
    return verdict


def _wrong(finding, wrong, directions, comparing):
    if not wrong:
        name, c = next((name, c) for name, c in finding.directions.items() if c.outcome == "wrong")
        return Verdict(names.UNKNOWN, "no compared entry is wrong by itself, but along the "
                       f"direction \"{name}\" the numeric derivative is {c.numeric:.9g}, "
                       f"the analytic one {c.analytic:.9g}; "
                       "do tied values each get the whole gradient?")
    evidence = (f"{wrong} of {len(finding.entries)} compared entries differ by "
                f"more than {comparing.rtol:g}")
    if "wrong" in directions:
        evidence += (f", and {directions.count('wrong')} of {len(directions)} directions of "
                     "the whole tensor")
    if finding.gradient is None:
        return Verdict(names.ZERO, f"{evidence}; nothing came back to this tensor: "
                       "is the result computed from its .data, outside the tape, "
                       "or does backward return None for it?")
    if not bool(finding.gradient.any()):
        return Verdict(names.ZERO, f"{evidence}; all {finding.size} analytic values are 0")
    return Verdict(names.UNKNOWN, evidence)


def _is_hidden(finding, is_single):
    """Does rounding hide the derivatives? Where the backward pass gives zeros and the output is of
    an ordinary size, what is left of them is nothing but rounding: a gradient that is truly zero is
    correct."""
    largest = max((abs(c.numeric) for c in finding.entries.values() if c.outcome == "equal"),
                  default=0.0)
    if (0.1 if is_single else 0.01) * max(finding.typical, 0.1 * largest) >= finding.blur:
        return False
    analytic = 0.0 if finding.gradient is None else float(abs(finding.gradient).max())
    return (finding.relative_blur > (HIDDEN if finding.typical > 0 else HIDDEN_STILL)
            or finding.typical > finding.blur or analytic > finding.blur)


# ------------------------------------------------------------------------------- nothing to compare


def same_for_all(subject: Checked, verdict: str, evidence: str) -> list[Row]:
    """Rows for a function of which nothing can be compared."""
    return [Row(name, tensor.shape, tensor.size, verdict=verdict,
                evidence="as above" if i else evidence)
            for i, (name, tensor) in enumerate(zip(subject.names, subject.tensors))]


def shape_differs(subject: Checked, problem: GradientShape) -> list[Row]:
    """Rows after a backward pass that returned a gradient of another shape than its input's."""
    if not any(tensor is problem.source for tensor in subject.tensors):
        return same_for_all(subject, names.SHAPE, f"inside, {problem}")
    fault = {"verdict": names.SHAPE, "evidence": str(problem)}
    return [Row(name, tensor.shape, tensor.size, **(fault if tensor is problem.source else {}))
            for name, tensor in zip(subject.names, subject.tensors)]
