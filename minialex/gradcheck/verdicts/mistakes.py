"""The known mistakes, and the search for the one that was made.

A mistake is a function of a Case that yields guesses: what it would do to the gradient, and the
sentence that tells it (case.Guess); or a Verdict, where it has looked itself. To teach the checker
another mistake, write such a function and put it into the table.
"""
from collections.abc import Callable, Iterator

import numpy as np

from ..comparing import Comparing, Finding
from . import activations, axes, other_values, places, sums, terms
from .case import TRIALS, Case, Guess, affordable
from .names import IGNORES, RANDOM, UNKNOWN, Verdict

OWN_STREAM = 2012


def draws_random_numbers(case: Case) -> Iterator[Verdict]:
    """Other random numbers between forward and backward give another gradient."""
    case.go(case.looks[0])
    if case.subject.draws_in_backward(case.looks[0].cotangent, case.which):
        yield Verdict(RANDOM, "the gradient changes with the state of the random generator between "
                      "forward and backward: backward draws random numbers of its own. "
                      "Keep those of forward in the cache")


def ignores_dout(case: Case) -> Iterator[Verdict]:
    """The same gradient whatever dout is: the chain rule's factor is missing."""
    if any(np.array_equal(one.cotangent, other.cotangent)
           or not np.array_equal(one.analytic, other.analytic)
           for one, other in zip(case.looks[::2], case.looks[1::2])):
        return
    text = "analytic is the same for every dout"
    if case.holds(lambda look: look.combined(np.ones_like(look.cotangent))):
        text += (f", and equals the numeric gradient for dout = 1 at all {case.size} entries: "
                 "the chain rule's factor is missing")
    yield Verdict(IGNORES, text)


# The order is from what says least about the code to what says most; each must be exact.
MISTAKES: tuple[Callable[[Case], Iterator[Guess | Verdict]], ...] = (
    sums.nothing, draws_random_numbers, sums.passed_on, ignores_dout, sums.constant_factor,
    sums.mean_of_overlapping, sums.truncated_in_time, sums.one_sample_only,
    sums.one_dout_not_used, sums.last_window_only,
    axes.order_of_the_gradient, axes.turned, axes.of_another_input, axes.order_of_dout,
    axes.shifted,
    places.negative, other_values.output_for_input, axes.kernel_not_turned, other_values.left_out,
    axes.factor_not_transposed, activations.of_the_output, activations.of_what_was_kept,
    activations.through_a_product,
    sums.diagonal_only, terms.one_term, places.padded_outputs, places.border,
)
OF_ANOTHER_SHAPE = (draws_random_numbers, axes.margin, axes.another_shape)
OF_PICTURES = (sums.mean_of_overlapping, sums.last_window_only, axes.shifted, axes.margin,
               places.padded_outputs, places.border)


def diagnosis(finding: Finding, comparing: Comparing) -> Verdict | None:
    """A Verdict for a gradient that is proven wrong, or None where nothing more can be said than
    that."""
    subject, which = comparing.subject, finding.which
    special = places.special_values(finding, subject.originals[which])
    if not affordable(subject, which, comparing.cotangent.size):
        # where no entry is, there is no factor to be read off: what all of them do together is
        wrong = any(comparison.outcome == "wrong" for comparison in finding.entries.values())
        return sums.of_samples(finding, subject, comparing.rtol) if wrong else special
    subject.affords -= 4 * subject.tensors[which].size + TRIALS
    random = np.random.default_rng((comparing.options.seed, which, OWN_STREAM))
    try:
        return _diagnosed(finding, comparing, Case(subject, which, comparing.rtol, random), special)
    finally:
        subject.put(subject.originals)


def _diagnosed(finding, comparing, case, special):
    if any(look.analytic.shape != case.shape for look in case.looks):
        return _first_that_holds(case, OF_ANOTHER_SHAPE)
    if not any(case.wrong(look).any() for look in case.looks):
        return _first_that_holds(case, (draws_random_numbers,)) or special
    return (_first_that_holds(case, MISTAKES) or case.is_single
            and sums.of_samples(finding, case.subject, comparing.rtol) or _unknown(case))


def _first_that_holds(case, mistakes):
    """The first mistake that explains the gradient; what speaks of rows and columns is tried on
    pictures N, H, W, C, too."""
    channels_last = case.channels_last()
    for mistake in mistakes:
        if channels_last and mistake in OF_PICTURES and (
                verdict := channels_last.first_that_holds(mistake(channels_last))):
            return verdict._replace(evidence=f"{verdict.evidence}; the axes are N, H, W, C: "
                                    "i runs along H, axis 1, j along W, axis 2",
                                    detail=f"{verdict.detail} along H, W of N, H, W, C".strip())
        if verdict := case.first_that_holds(mistake(case)):
            return verdict
    return None


def _unknown(case):
    wrong = np.any([case.wrong(look) for look in case.looks if look.place is case.looks[0].place],
                   axis=0)
    evidence = [places.where(wrong, case)]
    look, other = case.looks[:2]
    case.go(look)
    total = case.analytic(look.cotangent + other.cotangent)
    if not np.array_equal(look.cotangent,
                          other.cotangent) and not case.agree(look.analytic + other.analytic,
                                                              total):
        evidence.append("backward is not linear in dout: "
                        "the gradients for two dout do not add up to that for their sum")
    return Verdict(UNKNOWN, "; ".join(evidence), map=tuple(places.map_of(wrong)))
