"""Is this gradient right? Numeric against analytic, and what is wrong where they differ.

    report = ma.gradcheck(fn, inputs)    a function of Tensors, a Function, or a Module with all its
                                         parameters
    assert report, report                truthy when all is well; str() is a table that explains,
                                         plot() a picture
    python -m minialex.gradcheck         the same for every operation and layer of the engine, or
                                         for students' files

The analytic gradient is one backward pass. The numeric one is (L(x + h) − L(x − h)) / 2h, one entry
or one direction at a time, with L = Σ cotangent · output. The cotangent is random: seeded with
ones, a softmax whose gradient is all zeros would pass, since its outputs always sum to 1.

    check.py                             what may be asked
    asked.py                             which inputs
    tensor_function.py                   what is checked (../students/called: plain functions)
    sampling.py                          which entries, which directions
    probing.py                           one numeric derivative, and what it is worth
    comparing.py                         one check, in the order of events
    rounding.py                          how finely the code under test computes
    verdicts/                            what is wrong: mistakes.py is the table of what is known
    report.py, curves.py, plot.py        how it is told and drawn
    engine.py                            what is checked without a file
"""
import importlib
import sys
import types

__all__ = ["Report", "Row", "check_backward", "gradcheck"]
_HOMES = {"gradcheck": ".check", "Report": ".report", "Row": ".report",
          "check_backward": "..students.called.check"}  # by this name from the first release on


class _CallableModule(types.ModuleType):
    """`minialex.gradcheck` is a function, `ma.gradcheck(fn, inputs)`, and a package with a command,
    `python -m minialex.gradcheck`. One name can hold one object: the package itself, made callable.
    So it does not matter who imports what first, and since the command lives in `__main__.py`,
    nothing is imported twice.

    What it holds is imported at first use: a program that checks no gradients starts 40 ms earlier.
    """

    def __call__(self, *arguments, **options):
        """Compare gradients with numeric ones: help(minialex.gradcheck.gradcheck) lists the
        options."""
        return self.gradcheck(*arguments, **options)

    def __getattr__(self, name):
        if name not in _HOMES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOMES[name], self.__name__), name)
        setattr(self, name, value)
        return value


sys.modules[__name__].__class__ = _CallableModule
