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
from .remote import Remote

NAMES = {method for method, _ in engines.OPERATORS.values()}
LOST = "it stops, or gives another value than the teacher's"


class Twin:
    """A value over there, and the teacher's; None where that is not written."""

    far_class = own_class = None

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
    """The comparison for the teacher's `found`. What his class computes, and the submission's does not, is wrong."""
    (far_class,) = remote.ask("names", [found.name])
    methods = {name: _operation(name, name == found.backward) for name in dir(found.forward)
               if callable(getattr(found.forward, name)) and (name in NAMES or not name.startswith("__"))}
    twin = type(found.name, (Twin,), {**methods, "own_class": found.forward, "far_class": far_class})
    told = engines.report(found._replace(forward=twin), Request(seed=seed))
    followed = {row.name for row in told.rows}
    told.rows += [verdicts.without_gradient(name)._replace(verdict=verdict.UNKNOWN, evidence=LOST)
                  for name in _expected(found.forward) if name not in followed]
    return told


def _expected(own_class):
    """The names of the rows that an engine has which computes what the teacher's does."""
    expressions = {title: compute for title, (method, compute) in engines.OPERATORS.items() if hasattr(own_class, method)}
    expressions |= {f"a.{name}()": lambda a, _, name=name: getattr(a, name)() for name in engines.METHODS
                    if hasattr(own_class, name)}
    for title, compute in expressions.items():
        try:
            compute(own_class(engines.A), own_class(engines.B))
        except NotImplementedError:
            pass
        except Exception:  # not for plain numbers
            continue
        yield from (f"{title}, by {leaf}" for leaf in "ab" if leaf in title)


def _operation(name, is_backward):
    def operation(self, *others):
        own = None if is_backward else _own(self.own, name, others)
        far = self.far._peer.call(self.far, name, *(getattr(other, "far", other) for other in others))
        if not is_backward:
            made = type(self)(0, far, own)
            engines._attribute(made, engines.DATA)
            return made
        return None

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
