"""A gallery of wrong backward passes that students really write, and of right ones that look odd.

    wrong/    one mistake in each file: what it is, where it comes from, how to mend it
    right/    loops, views, ties, dictionaries: unusual, and correct

Each file is what a student hands in, `forward` and `backward` (or `f` and `f_backward`), and two
things for the checker:

    EXPECTED          the verdict that each input must get, {"x": "sign flipped"}; inputs that are
                      not named are correct
    inputs(generator, size)     arguments for forward, {name: value}; size 0, 1, 2 ... for other
                                shapes

python -m lessons.gradient_bugs prints the gallery with the verdicts that the gradient checker
gives. python -m minialex.gradcheck lessons/gradient_bugs/wrong/relu_mask_from_dout.py shows one
report.
"""
from pathlib import Path
from typing import NamedTuple

import numpy as np

import minialex as ma
from lessons.cells import summary
from minialex.students import finding

HERE = Path(__file__).resolve().parent


class Exhibit(NamedTuple):
    """One file of the gallery."""

    path: Path
    title: str
    forward: object
    backward: object
    inputs: object
    expected: dict

    @property
    def is_wrong(self):
        return bool(self.expected)

    def check(self, seed=0, size=0):
        """The Report of the gradient checker."""
        values = self.inputs(np.random.default_rng(seed), size)
        return ma.check_backward(self.forward, self.backward, values, seed=seed)

    def told(self, report):
        """{input: (expected verdict, verdict)}"""
        return {row.name: (self.expected.get(row.name, "correct"), row.verdict)
                for row in report.rows}

    def surprises(self, report):
        """[(input, expected verdict, verdict)] where the checker says something else than it must.
        A declared verdict is the beginning of what is said: "one term" stands for a missing one and
        for one of the wrong sign."""
        return [(name, *pair) for name, pair in self.told(report).items()
                if not pair[1].startswith(pair[0])]


def gallery():
    """[Exhibit, ...]: the wrong ones, then the right ones, each in alphabetical order."""
    return [_exhibit(path) for kind in ("wrong", "right")
            for path in sorted((HERE / kind).glob("*.py"))]


def _exhibit(path):
    module = finding.load(path)
    (pair,) = finding.everything(module)
    return Exhibit(path, summary(module), pair.forward, pair.backward, module.inputs,
                   module.EXPECTED)
