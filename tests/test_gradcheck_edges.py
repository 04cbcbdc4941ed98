"""What a check does where forward or backward is odd: it still says what is wrong, or that nothing
can be said."""
import numpy as np
import pytest

import minialex as ma
from minialex.students.called.check import check_code
from minialex.students.called.numpy_code import Functions

random = np.random.default_rng(11)
X, W = random.standard_normal((5, 4)), random.standard_normal((4, 3))


class Saw(ma.Function):
    """A wave of straight lines, shorter than every step."""

    def forward(self, x):
        return abs(x / 1e-10 % 2 - 1) * 1e-10

    def backward(self, g):
        return 0 * g


def test_kinks_wherever_one_looks_are_no_mistake():
    report = ma.gradcheck(Saw(), np.linspace(1, 2, 7))
    assert report.rows[0].verdict == "not differentiable here" and "nearby" in str(report)


def test_what_needs_no_gradient_gets_none():
    report = ma.gradcheck(lambda x: ma.Tensor(x.data ** 2), X)
    assert report.rows[0].verdict == "zero" and repr(report) == str(report)


def test_a_term_that_does_not_depend_on_dout_is_too_many():
    report = ma.check_backward(lambda x, w: x @ w, lambda dout, x, w: (
        dout @ w.T, x.T @ dout + 0.3 * w), [X, W])
    assert [row.verdict for row in report.rows] == ["correct", "one term too many"]
    assert report.rows[1].detail == "w" and "0.3" in report.rows[1].evidence


@pytest.mark.parametrize("bound", [-1, 0.95])
def test_values_that_the_code_refuses_explain_nothing(bound):
    """The places at which mistakes are looked for may lie outside its domain."""
    def root(x):
        if x.min() <= bound:
            raise ValueError("only positive numbers")
        return np.sqrt(x) - 1

    x = random.uniform(1, 1.5, 6)
    report = ma.check_backward(root, lambda dout, x: dout / (2 * np.sqrt(x)) * (1 + x ** 3), [x])
    assert report.rows[0].verdict == "unknown" and report.rows[0].compared == 6


def test_beside_a_kink_the_domain_may_end():
    x = np.array([0.0, *[0.999] * 6])
    with np.errstate(invalid="ignore"):
        report = ma.check_backward(lambda x: np.log(1 - x) + np.maximum(x, 0),
                                   lambda dout, x: dout * ((x > 0) - 1 / (1 - x)), [x])
    assert report and report.rows[0].kinks == 1 and report.rows[0].compared == 6
    assert "1 entry sits on a kink" in str(report) and "beside" not in str(report)


def test_a_single_number_that_is_wrong():
    report = ma.check_backward(lambda x, b: x + 0 * b, lambda dout, x, b: (
        dout, np.sin(dout).sum() ** 2), [X, np.array(0.3)])
    assert [row.verdict for row in report.rows] == ["correct", "unknown"]
    assert report.rows[1].shape == () and not report.rows[1].map


@pytest.mark.parametrize("forward, backward, inputs", [
    (lambda x: (x ** 2,), lambda dout, x: 2 * x * dout, [X]),  # a tuple of one
    (lambda x, c: x * c, lambda dout, x, c: dout * c, [X, np.float64(2.5)]),
    (lambda x, both: x @ both[0] + both[1], lambda dout, x, both: (
        dout @ both[0].T, x.T @ dout, dout.sum(axis=0)), [X, (W, W[0])])])
def test_one_output_a_number_a_pair_of_arrays(forward, backward, inputs):
    assert ma.check_backward(forward, backward, inputs)


def test_a_matrix_that_has_no_inverse_explains_nothing():
    report = ma.check_backward(lambda x, w: (x @ w, (x, w, np.zeros((3, 3)))),
                               lambda dout, cache: (np.sin(dout @ cache[1].T), cache[0].T @ dout),
                               [X[:3, :3], W[:3]])
    assert [row.verdict for row in report.rows] == ["unknown", "correct"]


def test_a_weight_that_only_the_function_knows_may_be_all_there_is():
    weight = ma.Tensor(W, requires_grad=True)
    report = ma.gradcheck(lambda x: weight, X)
    assert report and report.rows[0].numeric == 0


def test_wrong_at_a_kink_that_is_neither_zero_nor_a_tie():
    report = ma.check_backward(lambda x: np.maximum(x, 0.5), lambda dout, x: (
        dout * ((x > 0.5) + 7 * (x == 0.5))), [np.array([0.1, 0.5, 0.9])])
    assert not report and "must lie between them" in report.rows[0].evidence
    assert report.rows[0].verdict == "unknown"  # not "wrong where the input is zero"


def test_what_a_function_raises_comes_back():
    with pytest.raises(TypeError, match="has no len"):
        ma.gradcheck(lambda x: len(3), X)


def test_rows_of_different_lengths_are_no_array():
    with pytest.raises(TypeError, match="x is a list with rows of different lengths"):
        ma.check_backward(np.square, lambda dout, x: dout, [[[1.0, 2.0], [3.0]]])
    with pytest.raises(TypeError, match=r"x is a list that is no array of numbers.*equal length"):
        ma.gradcheck(lambda x: x * x, [[[1.0, 2.0], [3.0]]])
    with pytest.raises(TypeError, match="returned a list that is no array of numbers"):
        ma.check_backward(lambda x: [list(x[0]), list(x[1, :2])], lambda dout, x: dout, [X])


def all_of_them(dout, x):
    return dout[:, None] * (x == x.max(axis=1, keepdims=True))


def shared(dout, x):
    """One gradient for all that are the largest."""
    is_largest = x == x.max(axis=1, keepdims=True)
    return dout[:, None] * is_largest / is_largest.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seconds", [0.0, 1e9])
@pytest.mark.parametrize(("forward", "backward", "told"), [
    (lambda x: x.max(axis=1), all_of_them, "wrong where the input is tied"),
    (lambda x: x.max(axis=1), shared, "correct"),
    (lambda x: np.maximum(x, 0), lambda dout, x: dout * np.where(x, x > 0, 3), "wrong where the "
     "input is zero"),
    (lambda x: np.maximum(x, 0), lambda dout, x: dout * (x > 0), "correct"),
])
def test_what_is_wrong_in_no_entry_beside_is_wrong_without_time_for_more(forward, backward, told,
                                                                         seconds):
    """No time is left to find out which mistake it is: the right entries make it no better."""
    x = np.random.default_rng(3).integers(-2, 2, (6, 5)).astype(float)
    report = check_code(Functions(forward, backward), {"x": x}, cost=1e-3, seconds=seconds)
    assert [row.verdict for row in report.rows] == [told], report
