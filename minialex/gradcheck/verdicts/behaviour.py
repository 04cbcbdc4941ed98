"""How backward behaves, whatever its values: random, deaf to dout, writing into what it was given."""
import numpy as np

from .names import IGNORES, RANDOM, Verdict


def draws_random_numbers(case):
    """Other random numbers between forward and backward give another gradient."""
    look = case.looks[0]
    look.place.go()
    if case.subject.draws_in_backward(look.cotangent, case.which):
        return Verdict(RANDOM, "the gradient changes with the state of the random generator between forward and backward: "
                       "backward draws random numbers of its own. Keep those of forward in the cache")
    return None


def ignores_dout(case):
    """The same gradient whatever dout is: the chain rule's factor is missing. None if it is not so."""
    for one, other in zip(case.looks[::2], case.looks[1::2]):
        if np.array_equal(one.cotangent, other.cotangent) or not np.array_equal(one.analytic, other.analytic):
            return None
    text = "analytic is the same for every dout"
    if case.holds(lambda look: look.combined(np.ones_like(look.cotangent))):
        text += (f", and equals the numeric gradient for dout = 1 at all {case.looks[0].x.size} entries: the chain rule's factor "
                 "is missing")
    return Verdict(IGNORES, text)


def is_not_linear(case):
    """Words for a backward that does something to dout that a derivative cannot do; else ""."""
    look, other = case.looks[:2]
    look.place.go()
    total = case.analytic(look.cotangent + other.cotangent)
    if np.array_equal(look.cotangent, other.cotangent) or case.agree(look.analytic + other.analytic, total):
        return ""
    return "backward is not linear in dout: the gradients for two dout do not add up to that for their sum"
