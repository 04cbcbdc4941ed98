"""The exercises' checks: what every file in exercises/checks needs, and `check(...)`, the last line
of every exercise.

A check calls what the student wrote and compares; `Wrong` says what is wrong in one sentence, if
possible the mistake that was made: hints are pairs (the value that this mistake gives, the
sentence).
"""
import copy
import importlib.util
import inspect
import sys
import traceback
from pathlib import Path

import classroom  # makes `import minialex` work from any folder
import numpy as np
import progress
import telling

CHECKS = Path(__file__).resolve().parent / "exercises" / "checks"


class Wrong(Exception):
    """What is wrong, in a sentence that helps."""


# -------------------------------------------------------------------------------- what a check does


def call(function, *arguments, returns=True):
    """What the student's function returns. Raises Wrong where it is not written yet, or stops with
    an error.

    returns: False for one that only does something."""
    try:
        result = function(*arguments)
    except Wrong:
        raise
    except Exception as error:
        raise Wrong(f"{name_of(function)} stops{_line(error, function)} with "
                    f"{type(error).__name__}: {error}") from error
    if returns and (result is None or result is ...):
        raise Wrong(f"{name_of(function)} returns nothing yet: write it where the dots are, "
                    "and end with `return`.")
    return result


def same(what, got, right, hints=(), within=1e-9, verdict=None):
    """Raises Wrong unless `got`, a number or an array, is `right`. hints: (the value of a typical
    mistake, its sentence).

    verdict: for a backward pass, () -> the gradient checker's Report, which is added to what is
    said."""
    try:
        _compare(what, _array(what, got), np.asarray(right), hints, within)
    except Wrong as problem:
        report = _report_or_none(verdict)
        raise Wrong(
            f"{problem}\n{report}") if report is not None and not report else problem from None


def _compare(what, got, right, hints, within):
    if _equal(got, right, within):
        return
    for value, sentence in hints:
        if _equal(got, value, within):
            raise Wrong(f"{what}: {sentence}")
    if got.shape != right.shape:
        raise Wrong(f"{what}: the shape is {got.shape}, it should be {right.shape}.")
    if not np.isfinite(got).all():
        raise Wrong(f"{what}: NaN or infinity comes out.")
    index = np.unravel_index(np.argmax(np.abs(got - right)), got.shape)
    where = f" at [{', '.join(map(str, index))}]" if index else ""
    raise Wrong(f"{what}: you have {got[index]:.7g}{where}, it should be {right[index]:.7g}.")


def _report_or_none(verdict):
    try:
        return verdict and verdict()
    except Exception:  # what cannot be checked, or stops, has been said better already
        return None


def slopes(function, inputs, g):
    """What `backward` of this Function (class, or instance with options) gives for g = dL/dy: a
    list, one array an input.

    Called as the tape calls it, but whatever comes back is taken as it is. Raises Wrong where
    nothing comes back."""
    import minialex as ma

    operation = function() if isinstance(function, type) else copy.copy(function)
    call(operation, *(ma.Tensor(np.asarray(value), requires_grad=True) for value in inputs))
    found = call(operation.backward, np.asarray(g))
    return list(found) if isinstance(found, (tuple, list)) else [found]


def gradients(what, function, inputs, hints=()):
    """Raises Wrong with the gradient checker's verdict unless `backward` of this Function (class or
    instance) is right.

    hints: (a word in the verdict, a sentence to add)."""
    import minialex as ma

    _judge(what, function, lambda: ma.gradcheck(function, inputs), hints)


def backward_of(what, forward, backward, inputs, hints=()):
    """The same for a pair of plain functions, called as ma.check_backward calls them: backward(g,
    x), for instance."""
    import minialex as ma

    _judge(what, backward, lambda: ma.check_backward(forward, backward, inputs), hints)


def _judge(what, function, report_of, hints):
    try:
        report = report_of()
    except Exception as error:
        raise Wrong(f"{what} stops{_line(error, function)} with {type(error).__name__}: "
                    f"{error}") from error
    if not report:
        verdict = str(report)
        added = [sentence for word, sentence in hints if word in verdict]
        raise Wrong(f"{what}: the gradient checker objects.\n{verdict}"
                    + "".join(f"\n{sentence}" for sentence in added))


def name_of(function):
    """What the student calls it: output_size, or Dropout.backward of a class."""
    owner = f"{type(function.__self__).__name__}." if inspect.ismethod(function) else ""
    return owner + getattr(function, "__name__", type(function).__name__)


def _array(what, got):
    kind = f"a {type(got).__name__}" if got is not None else "None"
    got = getattr(got, "data", got) if type(got).__name__ == "Tensor" else got
    try:
        array = np.asarray(got)
    except ValueError:
        raise Wrong(f"{what}: rows of different lengths are no array.") from None
    if array.dtype.kind not in "fiub":
        raise Wrong(f"{what}: a number or an array of numbers is wanted, this is {kind}.")
    return array.astype(float)


def _equal(got, value, within):
    value = np.asarray(value, dtype=float)
    return got.shape == value.shape and np.allclose(got, value, rtol=within, atol=within,
                                                    equal_nan=True)


def _line(error, function):
    """' in line 12', of the student's file. told: by the process in which a grader runs it."""
    code = getattr(function, "__code__", None) or getattr(getattr(function, "forward", None),
                                                          "__code__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if code
             and frame.filename == code.co_filename]
    if hasattr(error, "told"):
        lines = [line["line"] for line in error.told["lines"]]
    return f" in line {lines[-1]}" if lines else ""


# ------------------------------------------------------------------------------------ the last line


def check(*answers):
    """Runs the checks that belong to the file that calls this. Exit status 0: solved; 1: not yet,
    and why."""
    path = Path(sys.modules["__main__"].__file__).resolve()
    if not (CHECKS / f"{path.stem}.py").exists():
        known = ", ".join(sorted(check.stem for check in CHECKS.glob("[0-9][0-9]_*.py")))
        print(f"there is no check for a file called {path.name}: keep the exercise's name, "
              f"one of {known}.", file=sys.stderr)
        sys.exit(2)
    right = passes(load(path.stem), answers)
    if path.parent.name == "exercises":
        progress.note("exercises", path.stem, "solved" if right else "tried")
    if not right:
        sys.exit(1)


def passes(task, answers):
    """Whether the check in this module is content with the answers. Prints its verdict."""
    try:
        said = task.check(*answers)
    except Wrong as problem:
        head, *report = str(problem).splitlines()
        print(telling.paragraph(f"not yet: {head}", margin="  "), *report, sep="\n")
        return False
    print(telling.paragraph(f"right. {said or ''}".strip(), margin="  "))
    return True


def load(name, folder=CHECKS):
    """The module FOLDER/NAME.py, exercises/checks/NAME.py without a folder."""
    spec = importlib.util.spec_from_file_location(f"check_{name}", folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


__all__ = ["Wrong", "backward_of", "call", "check", "classroom", "gradients", "name_of", "same",
           "slopes"]
