"""A scalar engine that nobody trusts: its values stay in the submission's process, and each has a twin of the teacher's here.

    a + b     is asked for over there, and computed with the teacher's class, as far as that is written; .data must be the same
    a.grad    is what the submission's backward() gives
"""
import numpy as np

from ..gradcheck import verdicts
from ..gradcheck.report import Report
from ..gradcheck.verdicts import names as verdict
from . import engines
from .finding import Found
from .inputs import Request
from .remote import Gone, Remote


class Twin:
    """A value over there, and the teacher's. failed: the operations that do not give what the teacher's give."""

    far_class = own_class = None
    failed: dict

    def __init__(self, number, far=None, own=None):
        self.far = self.far_class(number) if far is None else far
        self.own = self.own_class(number) if far is None else own

    def __getattr__(self, name):
        found = self.far._peer.ask("attributes", self.far, [name]) if name in (*engines.DATA, *engines.GRAD) else {}
        if name not in found:
            raise AttributeError(name)
        expected, got = getattr(self.own, name, None), found[name]
        if name in engines.GRAD or expected is None:
            return got
        if not np.allclose(expected, got, rtol=1e-6, atol=1e-9):
            raise ValueError(f"{got} is not the teacher's {expected}")
        return got if getattr(got, "dtype", None) == np.float32 else expected


def report(found: Found, remote: Remote, seed: int) -> Report:
    """The comparison for the teacher's `found`, with a row for each operation that the submission lacks or has changed."""
    (far_class,) = remote.ask("names", [found.name])
    methods = {name: _operation(name, backward=name == found.backward) for name in dir(found.forward)
               if callable(getattr(found.forward, name)) and (name in OPERATORS or not name.startswith("__"))}
    twin = type(found.name, (Twin,), {**methods, "own_class": found.forward, "far_class": far_class, "failed": {}})
    told = engines.report(found._replace(forward=twin), Request(seed=seed))
    told.rows += [verdicts.without_gradient(name)._replace(
        verdict=verdict.UNKNOWN, evidence=f"{found.name}.{name} is missing, stops, or gives another value than the teacher's")
        for name in twin.failed]
    return told


OPERATORS = {method for method, _ in engines.OPERATORS.values()}


def _operation(name, backward):
    def operation(self, *others):
        own = None if backward else _own(self.own, name, others)
        try:
            far = self.far._peer.call(self.far, name, *(getattr(other, "far", other) for other in others))
            if backward:
                return None
            made = type(self)(0, far, own)
            engines._attribute(made, engines.DATA)
            return made
        except Gone:
            raise
        except Exception:
            self.failed[name] = True
            raise

    return operation


def _own(value, name, others):
    """What the teacher's operation gives; None where that is not written."""
    others = [getattr(other, "own", other) for other in others]
    if any(one is None for one in (value, *others)):
        return None
    try:
        return getattr(value, name)(*others)
    except NotImplementedError:
        return None
