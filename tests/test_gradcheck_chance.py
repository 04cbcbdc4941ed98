"""How likely a wrong gradient is seen, against how often it is: single entries, rows, channels and
signs, at random sizes."""
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minialex as ma
from minialex.gradcheck import report as telling
from minialex.gradcheck import sampling, verdicts

few = settings(max_examples=12, deadline=None, derandomize=True,
               suppress_health_check=list(HealthCheck))
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


class Spoilt(ma.Function):
    """x², whose gradient is 2·dout·x and what `spoil` adds to it."""

    def __init__(self, spoil):
        self.spoil = spoil

    def forward(self, x):
        self.save_for_backward(x)
        return x * x

    def backward(self, grad_output):
        (x,) = self.saved
        return self.spoil(2 * grad_output * x)


def _flat(report):
    return " ".join(str(report).split())


def check(x, spoil, **options):
    (row,) = ma.gradcheck(Spoilt(spoil), [x], **options).rows
    return row


# -------------------------------------------------------------------------------------- the formula


@given(size=st.integers(2, 10 ** 8), drawn=st.integers(0, 64),
       error=st.floats(1e-6, 1e6), limits=st.lists(st.floats(1e-9, 1e9), max_size=5),
       everywhere=st.one_of(st.just(math.inf), st.floats(1e-9, 1e9)))
def test_the_formula_is_that_of_the_docstring(size, drawn, error, limits, everywhere):
    drawn = min(drawn, size)
    p = sampling.chance_of_seeing(error, size, drawn, everywhere, limits)
    assert drawn / size - 1e-12 <= p <= 1
    assert p == 1 or error <= everywhere
    more = sampling.chance_of_seeing(error, size, drawn, everywhere, [*limits, error / 2])
    assert 1 - more == pytest.approx(
        (1 - p) / 2, abs=1e-12), "a direction that sees half of the errors halves the rest"


@pytest.mark.parametrize("size, off", [(3000, 0.004), (20_000, 0.02)])
def test_wrong_entries_are_seen_as_often_as_is_said(size, off, monkeypatch):
    """A loose tolerance, so that errors of `off` times a typical entry are sometimes too small to
    show in a sum of so many."""
    generator, trials, seen, said = np.random.default_rng(1), 50, 0, 0.0
    options = {"samples": 8, "directions": 2, "rtol": 3e-5}
    findings = []
    original = verdicts.row
    monkeypatch.setattr(verdicts, "row", lambda finding, comparing: findings.append(finding)
                        or original(finding, comparing))
    for trial in range(trials):
        x, where = generator.standard_normal(size), int(generator.integers(size))
        assert check(x, lambda g: g, seed=trial, **options).verdict == "correct"
        said += findings.pop().chance_of_seeing(off)

        def spoil(g, where=where):
            g[where] += off * np.sqrt((g ** 2).mean())
            return g
        seen += check(x, spoil, seed=trial, **options).verdict != "correct"
        findings.clear()
    spread = math.sqrt(max(said / trials * (1 - said / trials), 1e-4) * trials)
    assert seen >= said - 4 * spread, f"seen {seen} of {trials}, said {said:.1f}"
    assert 0.05 * trials < said < trials, "the test must be able to tell"


def test_a_report_on_a_sample_says_so_and_one_on_all_does_not():
    x = np.random.default_rng(0).standard_normal(5000)
    report = ma.gradcheck(Spoilt(lambda g: g), [x], samples=20)
    assert report.rows[0].seen[0] > 0.999 and "single wrong entry of the 5,000" in _flat(report)
    small = ma.gradcheck(Spoilt(lambda g: g), [x[:10]])
    assert small.rows[0].seen is None and "chance" not in str(small)


@pytest.mark.parametrize("p, text", [(0.5, "50.0 %"), (0.98765, "98.7 %"), (0.99987, "99.987 %"),
                                     (0.9996, "99.960 %"), (1 - 1e-10, "above 99.9999999 %"),
                                     (1.0, "100 %"), (0.0001, "below 0.1 %")])
def test_probabilities_in_words(p, text):
    assert telling.percent(p) == text


# -------------------------------------------------------------------------------------- corruptions


def one_entry(g, draw):
    g.reshape(-1)[draw % g.size] += 0.5 * np.sqrt((g ** 2).mean()) + 1e-3
    return g


def one_row(g, draw):
    g[draw % len(g)] *= 0.5
    return g


def one_channel(g, draw):
    axis = min(1, g.ndim - 1)
    np.moveaxis(g, axis, 0)[draw % g.shape[axis]] *= 1.5
    return g


def signs(g, draw):
    flip = np.random.default_rng(draw).random(g.shape) < 0.3
    flip.reshape(-1)[draw % g.size] = True
    return np.where(flip, -g, g)


@pytest.mark.parametrize("corrupt", [one_entry, one_row, one_channel, signs])
@few
@given(shape=shapes, seed=st.integers(0, 10 ** 6), draw=st.integers(0, 10 ** 6))
def test_every_corruption_of_a_right_gradient_is_caught(corrupt, shape, seed, draw):
    x = np.random.default_rng(seed).uniform(0.3, 2,
                                            shape) * np.random.default_rng(seed + 1).choice([-1, 1],
                                                                                            shape)
    spoilt = check(x, lambda g: corrupt(g, draw), samples=16, seed=seed % 97)
    assert spoilt.verdict not in ("correct", "undecided", "not differentiable here"), spoilt
    assert check(x, lambda g: g, samples=16, seed=seed % 97).verdict == "correct"


@pytest.mark.parametrize("corrupt", [one_entry, one_row, one_channel, signs])
@few
@given(shape=shapes, seed=st.integers(0, 10 ** 6), draw=st.integers(0, 10 ** 6))
def test_and_in_a_student_s_pair(corrupt, shape, seed, draw):
    x = np.random.default_rng(seed).uniform(0.3, 2, shape)
    report = ma.check_backward(lambda x: x ** 3, lambda dy, x: corrupt(3 * dy * x ** 2, draw), x)
    assert not report and report.rows[0].verdict not in ("undecided",
                                                         "not differentiable here"), f"\n{report}"
    assert ma.check_backward(lambda x: x ** 3, lambda dy, x: 3 * dy * x ** 2, x)
