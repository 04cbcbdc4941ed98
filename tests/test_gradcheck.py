"""The gradient checker itself: it must see every wrong gradient, blame no right one, and leave
everything as it was."""
import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from short import first, some

import minialex as ma
import minialex.functional as F
from minialex import nn
from minialex.gradcheck import engine, gradcheck
from minialex.gradcheck.verdicts import VERDICTS

random = np.random.default_rng(7)
few = settings(max_examples=10, deadline=None, derandomize=True,
               suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small arrays are not worth the cores' time to agree on who does what."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINIALEX_THREADS", "1")
        yield


def function(forward, backward):
    """A Function from two functions of arrays: backward(g, *inputs)."""
    class Student(ma.Function):
        def forward(self, *arrays):
            self.save_for_backward(*arrays)
            return forward(*arrays)

        def backward(self, g):
            return backward(g, *self.saved)
    return Student


def verdicts(report):
    return [row.verdict for row in report.rows]


# ------------------------------------------------------------------------------ wrong ones are seen


class Corrupt(ma.Function):
    """Passes its input through, and spoils the gradient that comes back."""

    def __init__(self, how):
        self.how = how

    def forward(self, x):
        return x * 1

    def backward(self, g):
        return CORRUPTIONS[self.how](g.copy())


def one_entry(g):
    g.reshape(-1)[np.abs(g).argmax()] *= 1.1
    return g


def one_row(g):
    g[np.abs(g).reshape(len(g), -1).max(axis=1).argmax()] *= -1
    return g


CORRUPTIONS = {"sign": lambda g: -g, "factor": lambda g: g * 1.0001,
               "zero": lambda g: g * 0, "one entry": one_entry, "one row": one_row,
               "mirrored": lambda g: g[..., ::-1].copy()}
NAMED = {"sign": {"sign flipped"}, "factor": {"off by a constant factor"}, "zero": {"zero"}}
WRONG = set(VERDICTS) - {"correct", "zero", "shape differs", "dtype too low to decide",
                         "not differentiable here", "undecided", "not compared", "not finite",
                         "not deterministic"}
OPERATIONS = {title: (fn, inputs if isinstance(inputs, tuple) else (inputs,))
              for title, fn, inputs in engine.operations()}


@pytest.mark.parametrize("how", first(1, ["one entry", "sign",
                                          *sorted(CORRUPTIONS.keys() - {"one entry", "sign"})]))
@pytest.mark.parametrize("title", OPERATIONS)
def test_no_spoilt_gradient_passes(title, how):
    fn, inputs = OPERATIONS[title]
    for spoilt in range(len(inputs)):
        if how == "mirrored" and (inputs[spoilt].shape[-1] == 1 or title == "mean"):
            continue  # the mirror image is the same
        report = gradcheck(lambda *tensors, s=spoilt: fn(*tensors[:s], Corrupt(how)(tensors[s]),
                                                         *tensors[s + 1:]), inputs, samples=20)
        found = verdicts(report)
        assert found[spoilt] in NAMED.get(how, WRONG), f"\n{report}"
        assert found[:spoilt] + found[spoilt + 1:] == ["correct"] * (len(inputs) - 1), f"\n{report}"


@settings(few, max_examples=len(some(2, range(6))))
@given(size=st.integers(100, 5_000), seed=st.integers(0, 1000))
def test_one_wrong_entry_of_many_is_found_and_named(size, seed):
    x = np.random.default_rng(seed).uniform(0.5, 2, size)
    where = seed * 7919 % size

    def backward(g, x):
        dx = 2 * g * x
        dx[where] += 0.5
        return dx

    (row,) = gradcheck(function(np.square, backward), x, samples=8, seed=seed).rows
    assert (row.verdict, row.index) == ("unknown", (where,))
    assert row.analytic - row.numeric == pytest.approx(0.5, rel=1e-4)


def test_the_cotangent_is_not_ones():
    def softmax(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    assert verdicts(gradcheck(function(softmax, lambda g, x: g * 0),
                              random.normal(size=(3, 4)))) == ["zero"]


def test_wrong_everywhere_but_at_the_kinks_is_wrong():
    x = random.integers(-1, 2, (5, 8)).astype(float)
    assert verdicts(gradcheck(function(lambda x: np.maximum(x, 0), lambda g, x: g * (x < 0)),
                              x)) == ["unknown"]


def test_zeros_do_not_hide_a_wrong_gradient():
    """All entries at the kink: the same entries nearby tell."""
    # 0.5 lies between 0 and 1, at 0
    relu = function(lambda x: np.maximum(x, 0), lambda g, x: 0.5 * g * (x >= 0))
    assert verdicts(gradcheck(relu, np.zeros((3, 4)))) == ["off by a constant factor"]


def test_a_gradient_outside_left_and_right_derivative_is_blamed():
    relu = function(lambda x: np.maximum(x, 0), lambda g, x: g * ((x > 0) + 5 * (x == 0)))
    report = gradcheck(relu, np.array([-1.0, 0, 2]))
    assert verdicts(report) == ["wrong where the input is zero"] and report.rows[0].index == (1,)


def test_tied_maxima_must_share_one_gradient():
    ties = random.integers(0, 2, (6, 5)).astype(float)
    forward = function(lambda x: x.max(axis=1),
                       lambda g, x: g[:, None] * (x == x.max(axis=1, keepdims=True)))
    shared = function(lambda x: x.max(axis=1),
                      lambda g, x: g[:, None] * (x == x.max(axis=1, keepdims=True))
                      / (x == x.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))
    assert verdicts(gradcheck(forward, ties)) == ["wrong where the input is tied"]
    assert gradcheck(shared, ties)


def test_nothing_that_came_back_is_a_zero_gradient():
    report = gradcheck(lambda x, w: x * ma.Tensor(w.data ** 2),
                       (random.normal(size=3), random.normal(size=3)))
    assert verdicts(report) == ["correct", "zero"] and ".data" in str(report)


def test_nan_in_the_gradient():
    report = gradcheck(function(np.sqrt, lambda g, x: g / 2 / np.sqrt(np.where(x > 1, x, np.nan))),
                       np.array([0.5, 2, 3]))
    assert verdicts(report) == ["not finite"] and "1 of 3" in str(report)
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.parametrize("shape", [(4,), (3, 1)])
def test_a_gradient_of_another_shape_names_its_input(shape):
    product = function(lambda x, w: x * w, lambda g, x, w: (g * w, g * x))
    report = gradcheck(product, (random.normal(size=(3, 4)), random.normal(size=shape)),
                       names=["x", "w"])
    assert verdicts(report) == ["not compared", "shape differs"] and "(3, 4)" in str(report)
    inside = gradcheck(lambda x, w: product()(x, w * 2),
                       (random.normal(size=(3, 4)), random.normal(size=shape)))
    assert verdicts(inside) == ["shape differs"] * 2


SPOILT = {"zero": lambda g, x: 0 * g * x, "tiny": lambda g, x: 2e-6 * g * x,
          "sign": lambda g, x: -2 * g * x}


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("constant", [0, 1e4, 1e6, 1e8, 1e9, 1e10, 1e12, 1e14, 1e16, 1e20, 1e200])
def test_a_large_constant_hides_no_wrong_gradient(constant, how):
    x = random.normal(size=(3, 4))
    for square, inputs in ((lambda x: x * x + constant, x),
                           (lambda x: (x * x).sum() + constant, x[0])):
        (found,) = verdicts(gradcheck(function(square, SPOILT[how]), inputs))
        assert found in NAMED.get(how, NAMED["factor"]) if constant < 1e6 else found != "correct"
    right = verdicts(gradcheck(function(lambda x: x * x + constant, lambda g, x: 2 * g * x), x))
    assert right == (["correct"] if constant < 1e8 else ["undecided"] if constant > 1e9
                     else right) and "wrong" not in right


@pytest.mark.parametrize("how", ["zero", "tiny"])
@pytest.mark.parametrize("scale, constant", [(1, 1e9), (1e-6, 1e3)])
def test_steps_too_small_to_move_the_output_prove_nothing(scale, constant, how):
    square = function(lambda x: scale * (x * x).sum() + constant,
                      lambda g, x: scale * SPOILT[how](g, x))
    for seed in (*range(12), 686):
        assert verdicts(gradcheck(square, np.random.default_rng(seed).normal(size=4),
                                  seed=seed)) != ["correct"]


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("eps", [1e-3, 1e-8, 1e-10, 1e-11, 1e-13, 1e-20, 1e-300])
def test_a_tiny_step_hides_no_wrong_gradient(eps, how):
    x = random.normal(size=(3, 4))
    # the second is all zeros: rounding of the output hides nothing
    for square in (np.square, lambda x: x * x - x * x):
        (found,) = verdicts(gradcheck(function(square, SPOILT[how]), x, eps=eps))
        assert found != "correct" or square is not np.square and how == "zero" and eps >= 1e-10
    (right,) = verdicts(gradcheck(function(np.square, lambda g, x: 2 * g * x), x, eps=eps))
    assert right == ("correct" if eps >= 1e-10 else "undecided")


# ------------------------------------------------------------------------ right ones are not blamed


@pytest.mark.parametrize("size", [1e-3, 1, 100])
@pytest.mark.parametrize("fn", [
    lambda x, w: x * x,  # w is not there at all
    lambda x, w: x * x + w * 0,
    lambda x, w: x * x + F.relu(w * w * -1 - 1),  # dead
    lambda x, w: x * x + (x + w[:, :1]) - (x + w[:, :1]).mean(axis=1, keepdims=True),  # what is left of w is rounding  # noqa: E501
])
def test_a_gradient_that_is_truly_zero_is_correct(fn, size):
    report = gradcheck(fn, (size * random.uniform(0.5, 1, (3, 4)), random.normal(size=(3, 4))))
    assert report, f"\n{report}"


def test_a_backward_may_return_a_list_and_python_numbers():
    listed = function(lambda x, w: x * w, lambda g, x, w: [g * w, float((g * x).sum())])
    assert gradcheck(listed, (random.normal(size=(1, 3, 4)), np.array(2.0)))
    alone = function(np.square, lambda g, x: [2 * g * x])
    assert gradcheck(alone, random.normal(size=(1, 3, 4)))
    wrong = function(np.square, lambda g, x: [2 * g[0] * x[0]])
    assert verdicts(gradcheck(wrong, random.normal(size=(1, 3, 4)))) == ["shape differs"]


def test_a_function_as_a_class_and_as_an_object():
    class Square(ma.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x * x

        def backward(self, grad_output):
            (x,) = self.saved
            return grad_output * 2 * x

    x = ma.Tensor([[1.0, -2.0], [3.0, 4.0]], requires_grad=True)
    for report in (gradcheck(Square(), [x]), gradcheck(Square, [x]), gradcheck(Square(), x)):
        assert report and [row.name for row in report.rows] == ["x"]


def test_the_engine_is_right_and_precise():
    for title, (fn, inputs) in OPERATIONS.items():
        report = gradcheck(fn, inputs)
        assert report and report.largest_error < 1e-6, f"{title}\n{report}"


@pytest.mark.parametrize("x", [np.zeros((3, 4)), random.integers(-1, 2, (5, 30)).astype(float)])
def test_relu_at_zero_is_reported_as_a_kink(x):
    report = gradcheck(F.relu, x)
    assert report and report.rows[0].kinks > 0 and "kink" in str(report)


def test_a_picture_of_one_colour_ties_every_window():
    report = gradcheck(lambda x: F.max_pool2d(x, 3, 2), np.ones((1, 2, 7, 7)))
    assert report and report.rows[0].kinks > 0


def test_live_dropout_of_the_engine_and_of_numpy():
    ma.manual_seed(3)
    np.random.seed(3)
    assert gradcheck(nn.Dropout(0.5), random.normal(size=(10, 20)))
    assert gradcheck(lambda x: x * np.random.rand(10, 20), random.normal(size=(10, 20)))
    after = ma.random.host_generator().random(), np.random.rand()
    ma.manual_seed(3)
    np.random.seed(3)
    assert after == (ma.random.host_generator().random(), np.random.rand())


@pytest.mark.parametrize("forward, backward, x", [
    (lambda x: 1 / x, lambda g, x: -g / x ** 2, np.array([1e-7, 1, -2, 100])),  # next to a pole
    (lambda x: np.sin(1e4 * x), lambda g, x: g * 1e4 * np.cos(1e4 * x), random.normal(size=5)),  # much faster than the step  # noqa: E501
    (np.log, lambda g, x: g / x, np.array([1e-5, 1e-3, 1.0, 1e5])),
    (np.abs, lambda g, x: g * np.sign(x), np.array([1e-6, 0, -1])),  # a kink within the first step, and one here  # noqa: E501
    (np.sort, lambda g, x: g[np.argsort(np.argsort(x))], np.array([3.0, 1, 2])),
    (lambda x: x + 1e6, lambda g, x: g, random.normal(size=4)),  # rounding
    (np.square, lambda g, x: 2 * g * x, np.array(3.0)),
    (lambda x: x.astype(float) ** 2, lambda g, x: (2 * g * x).astype(np.float32),
     random.normal(size=4)),
])
def test_difficult_but_right(forward, backward, x):
    report = gradcheck(function(forward, backward), x)
    assert report, f"\n{report}"


def test_every_parameter_of_a_module_by_name():
    model = nn.Sequential(fc=nn.Linear(6, 5), relu=nn.ReLU(), drop=nn.Dropout(0.3),
                          out=nn.Linear(5, 2, bias=False))
    report = gradcheck(model, random.normal(size=(3, 6)), names="pictures")
    assert report and [row.name for row in report.rows] == ["pictures", "fc.weight", "fc.bias",
                                                            "out.weight"]


# --------------------------------------------------------------------------- no verdict is possible


@pytest.mark.parametrize("forward, verdict", [
    (lambda x: (x * 2).astype(np.float32), "dtype too low to decide"),
    (lambda x: x * np.random.default_rng().random(4), "not deterministic"),
    (lambda x: np.multiply(x, 2, out=x) * 1, "forward changes its input in place"),
    (lambda x: x + 1e12, "undecided"),
    (lambda x: np.sqrt(x - x[0]), "undecided"),
])
def test_what_cannot_be_compared_is_said(forward, verdict):
    report = gradcheck(function(forward, lambda g, x: 2 * g), np.array([1.0, 2, 3, 4]))
    assert not report
    assert verdict in verdicts(report) or (verdict == "undecided"
                                           and set(verdicts(report)) <= WRONG)


@pytest.mark.parametrize("call, error, sentence", [
    (lambda: gradcheck(3, np.ones(2)), TypeError, "not a int"),
    (lambda: gradcheck(F.relu), ValueError, "nothing to differentiate"),
    (lambda: gradcheck(F.relu, np.arange(3)), TypeError, "labels inside the function"),
    (lambda: gradcheck(F.relu, np.ones((0, 2))), ValueError, "(0, 2)"),
    (lambda: gradcheck(F.relu, np.array([1, np.nan])), ValueError, "NaN"),
    (lambda: gradcheck(lambda x: x.data, np.ones(2)), TypeError, "returned a ndarray"),
    (lambda: gradcheck(lambda x: None, np.ones(2)), TypeError, "returned None"),
    (lambda: gradcheck(lambda x: (x - 2).log(), np.full(3, 2.0)), ValueError, "domain"),
    (lambda: gradcheck(lambda x: x[:0], np.ones(3)), ValueError, "no values"),
    (lambda: gradcheck(F.mse_loss, (np.ones(3), np.ones(3)), names=["a"]), ValueError,
     "2 different"),
    (lambda: gradcheck(F.relu, np.ones(3), eps=0), ValueError, "eps"),
    (lambda: gradcheck(F.relu, np.ones(3), samples=0), ValueError, "samples"),
    (lambda: gradcheck(F.relu, np.ones(3), samples=1.5), TypeError,
     "samples must be a whole number"),
    (lambda: gradcheck(F.relu, np.ones(3), eps="a"), TypeError, "eps must be a number"),
    (lambda: gradcheck(F.relu, np.ones(3), eps=np.inf), ValueError, "finite"),
    (lambda: gradcheck(F.relu, np.ones(3), rtol=np.inf), ValueError,
     "rtol must be more than 0 and less than 1"),
    (lambda: gradcheck(F.relu, np.ones(3), atol=np.nan), ValueError,
     "atol must be at least 0 and finite"),
    (lambda: gradcheck(F.relu, np.ones(3), directions=-1), ValueError,
     "directions must be at least 0"),
    (lambda: gradcheck(F.relu, np.ones(3), seed=-1), ValueError, "seed must be at least 0"),
    (lambda: gradcheck(F.relu, {"x": np.ones(3)}), TypeError, "a dict"),
    (lambda: gradcheck(F.relu, "abc"), TypeError, "a str"),
    (lambda: gradcheck(F.relu, None), TypeError, "is None"),
    (lambda: gradcheck(F.relu, np.ma.masked_less([-1.0, 2.0], 0)), TypeError, "x has a mask"),
    (lambda: gradcheck(F.relu, np.matrix([[1.0, 2.0]])), TypeError,
     "give np.asarray(x), and write @"),
    (lambda: gradcheck(F.relu, [[[1.0, 2.0], [3.0]]]), TypeError, "equal length"),
    (lambda: gradcheck(lambda t: t * 2, [[1.0, 2.0], [3.0, 4.0]]), TypeError,
     "(t) cannot be called with 2 inputs"),
    (lambda: gradcheck(ma.ops.activation.ReLU, [[1.0], [3.0]]), TypeError, "one for each argument"),
    (lambda: gradcheck(nn.Linear(2, 3), [[1.0], [3.0]]), TypeError, "one for each argument"),
    (lambda: gradcheck(lambda a, b: a * b, np.ones(3)), TypeError, "with 1 input."),
    (lambda: gradcheck(ma.ops.pooling.MaxPool2d, np.ones(3)), TypeError,
     "give an object with its options, MaxPool2d(...)"),
    (lambda: gradcheck(nn.ReLU, np.ones(3)), TypeError, "give an object"),
])
def test_mistakes_are_explained(call, error, sentence):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error, match="^gradcheck: ") as raised:
            call()
    assert sentence in str(raised.value)


def test_a_function_serves_once_and_is_copied():
    pool = ma.ops.pooling.MaxPool2d(2)
    x = random.normal(size=(1, 1, 4, 4))
    assert gradcheck(pool, x) and gradcheck(pool, x) and gradcheck(ma.ops.activation.ReLU, x)
    pool(ma.Tensor(x))
    with pytest.raises(ValueError, match="called before"):
        gradcheck(pool, x)


# --------------------------------------------------------------------------- nothing is left behind
