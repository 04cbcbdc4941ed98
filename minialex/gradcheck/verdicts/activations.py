"""The derivative of an activation with a slip in it: 1 − h for 1 − h², s for s·(1 − s).

Where the activation is the output, h = y, the wrong gradient is what the right one gives for dout ·
wrong(y) / right(y). Where it was kept by forward and has the input's shape, analytic · right(h) =
numeric · wrong(h). And where it stands before a product, W's gradient Xᵀ·d gives d back as long as
there are no more examples than columns of X; a gate is a part of its columns.
"""
from collections.abc import Iterator

import numpy as np

from .case import Case, Guess
from .names import SLIP


def tanh(h: np.ndarray) -> np.ndarray:
    """tanh' of the activation h, 1 − h²."""
    return 1 - h * h


def sigmoid(s: np.ndarray) -> np.ndarray:
    """A sigmoid's derivative of the activation s, s·(1 − s)."""
    return s * (1 - s)


SLIPS = (  # (words, right, wrong) as functions of the activation
    ("1 − h for 1 − h²", tanh, lambda h: 1 - h),
    ("1 + h² for 1 − h²", tanh, lambda h: 1 + h * h),
    ("h² for 1 − h²", tanh, lambda h: h * h),
    ("s·(1 − s), a sigmoid's, for 1 − h²", tanh, sigmoid),
    ("s: its (1 − s) is missing", sigmoid, lambda s: s),
    ("1 − s: its s is missing", sigmoid, lambda s: 1 - s),
    ("s·(1 + s) for s·(1 − s)", sigmoid, lambda s: s * (1 + s)),
    ("s·(s − 1) for s·(1 − s)", sigmoid, lambda s: s * (s - 1)),
    ("1 − s², a tanh's, for s·(1 − s)", sigmoid, tanh),
    ("the derivative of σ(s) for that of s, which is σ already", sigmoid,
     lambda s: sigmoid(1 / (1 + np.exp(-s)))),
    ("the derivative of tanh(h) for that of h, which is tanh already", tanh,
     lambda h: tanh(np.tanh(h))),
    ("1: its 1 − h² is missing", tanh, np.ones_like),
    ("1: its s·(1 − s) is missing", sigmoid, np.ones_like),
)


def of_the_output(case: Case) -> Iterator[Guess]:
    """The slip is in the last step, where the output itself is the activation."""
    for words, right, wrong in SLIPS if case.y.ndim else ():
        yield Guess(SLIP,
                    lambda look: look.combined(look.cotangent * wrong(look.y) / right(look.y)),
                    f"analytic = the gradient with {words}, of the output", words)


def of_what_was_kept(case: Case) -> Iterator[Guess]:
    """The slip is in an activation of the input's shape that forward kept."""
    for name, value in _kept(case.looks[0].rest, case).items():
        for words, right, wrong in SLIPS if value.shape == case.shape else ():
            yield Guess(SLIP, lambda look: _crossed(case, look.numeric, look.analytic,
                                                    look.rest.get(name), right, wrong),
                        f"analytic = numeric with {words}, of {name}", f"{words}, of {name}")


def through_a_product(case: Case) -> Iterator[Guess]:
    """The slip is in an activation, or a gate, behind the product X·W."""
    arrays = {name: value for name, value in _arrays(case.looks[0]).items()
              if value.ndim == 2} if len(case.shape) == 2 else {}
    for factor, X in arrays.items():
        if X.shape[1] != case.shape[0] or len(X) > X.shape[1]:
            continue
        for name, h in _kept(arrays, case).items():
            for gate in range(case.shape[1] // h.shape[1]) if len(h) == len(X) and case.shape[
                    1] % h.shape[1] == 0 else ():
                columns = slice(gate * h.shape[1], (gate + 1) * h.shape[1])
                for words, right, wrong in SLIPS:
                    yield Guess(SLIP, lambda look: _behind(case, look, factor, name, columns, right,
                                                           wrong), "analytic = numeric with "
                                f"{words}, of {name}", f"{words}, of {name}")


def _kept(arrays, case):
    """Without the inputs and weights, what is not between −1 and 1, and what stays as it is where
    the input is moved: no activations, or of something else."""
    look = case.looks[0]
    case.subject.put([base + (i == case.which) for i, base in enumerate(look.place.bases)])
    now = case.subject.kept()
    return {name: value for name, value in arrays.items() if name not in look.values and abs(
        value).max(initial=0) < 1 and not np.array_equal(value, now.get(name))}


def _arrays(look):
    return {**look.arrays(), "the output": look.y}


def _behind(case, look, factor, name, columns, right, wrong):
    """The two sides behind the product, Xᵀ·d = gradient solved for d; the other gates must be
    right."""
    X, h = _arrays(look).get(factor), _arrays(look).get(name)
    if X is None or h is None:
        return None
    numeric, analytic = behind = [np.linalg.lstsq(X.T, gradient, rcond=None)[0]
                                  for gradient in (look.numeric, look.analytic)]
    others = [np.delete(d, columns, axis=1) for d in behind]
    exact = all(case.agree(X.T @ d, gradient)
                for d, gradient in zip(behind, (look.numeric, look.analytic)))
    if not exact or others[0].size and not case.agree(*others):
        return None
    return _crossed(case, numeric[:, columns], analytic[:, columns], h, right, wrong)


def _crossed(case, numeric, analytic, h, right, wrong):
    """numeric · wrong(h) and analytic · right(h): equal if wrong stands where right is due."""
    if h is None or h.shape != numeric.shape or not numeric.any() or case.agree(numeric, analytic):
        return None
    predicted, found = numeric * wrong(h), analytic * right(h)
    # zeros that were kept explain everything
    return (predicted, found) if predicted.any() and found.any() else None
