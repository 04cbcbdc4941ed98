"""Which hypothesis holds. The order is from what says least about the code to what says most; each must be exact."""
import numpy as np

from . import behaviour, layout, places, scale, shapes, slips, substitution, summing, terms
from .case import Case, affordable
from .names import UNKNOWN, Verdict

OWN_STREAM = 2012

HYPOTHESES = (
    scale.zero, behaviour.draws_random_numbers, behaviour.ignores_dout, scale.sign_flipped, scale.constant_factor,
    scale.mean_of_overlapping, summing.one_sample_only, summing.last_window_only,
    layout.axes_of_the_gradient, layout.flipped, layout.gradient_of_another, layout.axes_of_dout, layout.shifted,
    places.negative, substitution.output_for_input, substitution.kernel_not_turned, substitution.left_out,
    layout.factor_not_transposed, slips.of_the_output, slips.of_what_was_kept, slips.through_a_product,
    terms.diagonal_only, terms.one_term, places.padded_outputs, places.border,
)


OF_PICTURES = (scale.mean_of_overlapping, summing.last_window_only, layout.shifted, shapes.margin, places.padded_outputs,
               places.border)


def diagnosis(finding, comparing):
    """A Verdict for a gradient that is proven wrong, or None where nothing more can be said than that."""
    subject, which = comparing.subject, finding.which
    if not affordable(subject, which, comparing.cotangent.size):
        return _from_samples(finding, comparing)
    case = Case(subject, which, comparing.rtol, np.random.default_rng((comparing.seed, which, OWN_STREAM)))
    try:
        return _decided(finding, comparing, case)
    finally:
        subject.go_back()


def _decided(finding, comparing, case):
    channels_last = case.channels_last()
    if not finding.fits():
        return behaviour.draws_random_numbers(case) or _of_pictures(channels_last, (shapes.margin,)) or shapes.shape(case)
    if not any(case.wrong(look).any() for look in case.looks):
        return behaviour.draws_random_numbers(case) or places.special_values(finding, comparing.subject.originals[finding.which])
    for hypothesis in HYPOTHESES:
        verdict = _of_pictures(channels_last, (hypothesis,)) or hypothesis(case)
        if verdict:
            return verdict
    wrong = np.any([case.wrong(look) for look in case.looks if look.place is case.places[0]], axis=0)
    evidence = [places.where(wrong, case), behaviour.is_not_linear(case)]
    return Verdict(UNKNOWN, "; ".join(filter(None, evidence)), map=tuple(places.map_of(wrong)))


def _of_pictures(case, hypotheses):
    """The verdict of one of these hypotheses that speak of rows and columns, for pictures N, H, W, C."""
    for hypothesis in hypotheses if case is not None else ():
        verdict = hypothesis(case) if hypothesis in OF_PICTURES else None
        if verdict:
            return verdict._replace(evidence=f"{verdict.evidence}; the axes are N, H, W, C: i runs along H, axis 1, j along W, "
                                    "axis 2", detail=f"{verdict.detail} along H, W of N, H, W, C".strip())
    return None


def _from_samples(finding, comparing):
    """Of a tensor too large to be looked at entry by entry: zero, sign and factor, from what was compared."""
    pairs = np.array([(c.numeric, c.analytic) for c in finding.entries.values() if c.outcome in ("equal", "wrong")])
    return scale.of_samples(pairs, comparing.rtol) if len(pairs) > 1 else None
