"""ma.check_backward: every form in which a class writes forward and backward, and every mistake in
calling it."""
import functools
import json
from collections import namedtuple

import numpy as np
import pytest
from short import first

import minialex as ma
from minialex.gradcheck.verdicts import VERDICTS

random = np.random.default_rng(11)
X, W, B = random.normal(size=(4, 5)), random.normal(size=(5, 3)), random.normal(size=3)
LABELS = np.array([0, 2, 1, 2])


def verdicts(report):
    return [row.verdict for row in report.rows]


def linear(x, w, b):
    return x @ w + b, (x, w)


def linear_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def softmax_loss(scores, labels):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    gradient = p.copy()
    gradient[np.arange(len(labels)), labels] -= 1
    return -np.log(p[np.arange(len(labels)), labels]).mean(), gradient / len(labels)


def loss(scores, labels):
    return softmax_loss(scores, labels)[0]


# ------------------------------------------------------------------------ forms that are understood


def gradients(dy, x, w, b):
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


FORMS = {
    "cache": (linear, linear_backward, [X, W, B]),
    "a dictionary of inputs": (linear, linear_backward, {"x": X, "w": W, "b": B}),
    "in another order, by name": (linear, linear_backward, {"x": X, "b": B, "w": W}),
    "lists": (linear, linear_backward, [X.tolist(), W.tolist(), B.tolist()]),
    "float32 inputs": (linear, linear_backward, [X.astype(np.float32), W.astype(np.float32), B]),
    "no cache": (lambda x, w, b: x @ w + b, gradients, [X, W, B]),
    "star": (lambda x, w, b: x @ w + b, lambda dy, *inputs: gradients(dy, *inputs), [X, W, B]),
    "inputs first": (lambda x, w, b: x @ w + b, lambda x, w, b, dy: gradients(dy, x, w, b),
                     [X, W, B]),
    "only what is needed": (lambda x, b: x * 1 + b, lambda g: (g, g.sum(0)),
                            [X, random.normal(size=5)]),
    "cache as several": (lambda x, w: (x @ w, x, w), lambda dout, x, w: (dout @ w.T, x.T @ dout),
                         [X, W]),
    "output asked for": (np.tanh, lambda dy, out: dy * (1 - out ** 2), X),
    "output among inputs": (lambda x, s: np.tanh(x * s),
                            lambda dy, x, s, y: (dy * (1 - y ** 2) * s, dy * (1 - y ** 2) * x),
                            [X, random.normal(size=(4, 5))]),
    "an option": (lambda x, slope=0.1: np.where(x > 0, x, slope * x),
                  lambda dy, x, slope=0.1: dy * np.where(x > 0, 1, slope),
                  {"x": X, "slope": 0.3}),
    "options in a dictionary": (lambda x, p: (x * p["scale"], p), lambda dout, p: dout * p["scale"],
                                [X, {"scale": 3}]),
    "a mask": (lambda x, mask: x * mask, lambda dy, x, mask: dy * mask, [X, X > 0]),
    "loss with cache": (lambda s, y: (loss(s, y), softmax_loss(s, y)[1]),
                        lambda dout, cache: dout * cache, [W.T, [0, 3, 1]]),
    "loss, deaf to dout": (lambda s, y: (loss(s, y), softmax_loss(s, y)[1]),
                           lambda dout, cache: cache, [X, LABELS]),
    "loss without dout": (loss, lambda scores, labels: softmax_loss(scores, labels)[1],
                          [X, LABELS]),
    "loss, cache only": (softmax_loss, lambda cache: cache, [X, LABELS]),
    "loss, probabilities": (lambda scores, labels: (loss(scores, labels),
                                                    softmax_loss(scores, labels)[1] * len(labels)),
                            lambda rest, labels: rest / len(labels), [X, LABELS]),
    "loss and gradient at once": (softmax_loss, None, [X, LABELS]),
    "loss of one element": (lambda x: (x * x).sum(keepdims=True), lambda dy, x: 2 * dy * x, X),
    "gradients by name": (linear, lambda d,
                          c: dict(zip(("dX", "grad_w", "b"), linear_backward(d, c))), [X, W, B]),
    "gradients in a list": (linear, lambda d, c: list(linear_backward(d, c)), [X, W, B]),
    "a named tuple": (linear, lambda d, c: namedtuple("G", "dx dw db")(*linear_backward(d, c)),
                      [X, W, B]),
    "dx as nested lists": (np.square, lambda dy, x: (2 * dy * x).tolist(), X),
    "dx alone in a list": (np.square, lambda dy, x: [2 * dy * x], X),
    "one row as a list": (np.square, lambda dy, x: (2 * dy * x).tolist(), X[:1]),
    "output as a list": (lambda x: (x ** 2).tolist(), lambda dy, x: 2 * np.asarray(dy) * x, X),
    "None for labels": (lambda s, y: (loss(s, y), softmax_loss(s, y)[1]),
                        lambda d, c: (d * c, None), [X, LABELS]),
    "a number for a vector of one": (lambda x, s: x * s, lambda dy, x,
                                     s: (dy * s, float((dy * x).sum())), [X, np.ones(1)]),
    "a bound method": (type("Layer", (), {"forward": lambda self, x: x * 2})().forward,
                       lambda dout: dout * 2, X),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_class_is_understood(form):
    forward, backward, inputs = FORMS[form]
    report = ma.check_backward(forward, backward, inputs)
    assert report, f"\n{report}"
    assert all(row.compared == row.size for row in report.rows)


@pytest.mark.parametrize("form", FORMS)
def test_and_a_wrong_one_is_seen_in_every_form(form):
    forward, backward, inputs = FORMS[form]

    def doubled(value):
        if isinstance(value, dict):
            return {key: doubled(one) for key, one in value.items()}
        if isinstance(value,
                      (tuple, list)) and not np.isscalar(value[0]) and not isinstance(value[0],
                                                                                      float):
            return [doubled(one) for one in value]
        return None if value is None else (np.asarray(value) * 2 if not isinstance(value, list)
                                           else [2 * v for v in value])

    if backward is None:
        report = ma.check_backward(lambda *a: (forward(*a)[0], 2 * forward(*a)[1]), None, inputs)
    else:
        report = ma.check_backward(
            forward, functools.wraps(backward)(lambda *a, **k: doubled(backward(*a, **k))), inputs)
    assert not report and set(verdicts(report)) <= {"off by a constant factor"}, f"\n{report}"
    assert all(row.factor == pytest.approx(2, rel=1e-5) for row in report.rows)


def test_names():
    assert [row.name for row in ma.check_backward(linear, linear_backward,
                                                  [X, W, B]).rows] == ["x", "w", "b"]
    assert [row.name for row in ma.check_backward(linear, linear_backward, [
        X, W, B], names="x weights bias".split()).rows] == ["x", "weights", "bias"]


def test_nothing_of_the_caller_s_is_changed():
    np.random.seed(5)
    expected = np.random.rand()
    np.random.seed(5)
    held = [X, W, B]
    copies = [array.copy() for array in held]

    def untidy(dout, cache):
        x, w = cache
        result = linear_backward(dout, cache)
        x *= 0
        w[...] = np.random.rand(*w.shape)
        return result

    assert ma.check_backward(linear, untidy, held)
    assert all(np.array_equal(a, b) for a, b in zip(held, copies)) and np.random.rand() == expected


# -------------------------------------------------------------------------------- awkward and right


def drawn(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("seed", range(6))
def test_inputs_from_the_same_seed_as_the_check_do_not_equal_its_dout(seed):
    """With dout equal to x, dout.T @ x is as good as x.T @ dout, and a ReLU's mask may be taken
    from dout."""
    assert not ma.check_backward(lambda x: np.maximum(x, 0), lambda dy, x: dy * (dy > 0),
                                 drawn(seed, 4, 6), seed=seed)
    assert verdicts(ma.check_backward(lambda x, w: x @ w, lambda dy, x, w: (dy @ w.T, dy.T @ x),
                                      [drawn(seed, 3, 4), drawn(seed + 1, 4, 4)],
                                      seed=seed))[1] == "transposed or permuted"


def matmul32(x, w):
    return x.astype(np.float32) @ w.astype(np.float32), (x.astype(np.float32), w.astype(np.float32))


@pytest.mark.parametrize("seed", first(1, range(4)))
@pytest.mark.parametrize("forward, backward",
                         [(matmul32, lambda d, c: (d @ c[1].T, c[0].T @ d)), (
    matmul32, lambda d, c: (d.astype(np.float32) @ c[1].T, c[0].T @ d.astype(np.float32))),
                          (lambda x, w: (x @ w, (x, w)), lambda d,
                           c: ((d @ c[1].T).astype(np.float32), (c[0].T @ d).astype(np.float32))),
                          (lambda x, w: (x @ w, (x, w)), lambda d,
                           c: (d @ c[1].astype(np.float32).T, c[0].astype(np.float32).T @ d)),
                          (lambda x, w: (np.float32(x) @ np.float32(w) * 1.0, (x, w)),
                           lambda d, c: (d @ c[1].T, c[0].T @ d))])
def test_float32_inside_is_not_blamed_and_still_checked(forward, backward, seed):
    inputs = [drawn(seed, 20, 30), drawn(seed + 100, 30, 10)]
    assert ma.check_backward(forward, backward, inputs)

    def mean(d, c):
        dx, dw = backward(d, c)
        return dx, dw / 20
    report = ma.check_backward(forward, mean, inputs)
    assert verdicts(report) == ["correct", "mean where a sum is due"], f"\n{report}"
    assert report.rows[1].factor == pytest.approx(1 / 20, rel=1e-3)


@pytest.mark.parametrize("returned", [np.float16, np.float32, np.float64])
def test_half_precision_is_too_low(returned):
    report = ma.check_backward(lambda x: np.tanh(x.astype(np.float16)).astype(returned),
                               lambda dy, x: dy, X)
    assert verdicts(report) == ["dtype too low to decide"]


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1, 1e3, 1e6])
def test_the_size_of_the_inputs_does_not_matter(scale):
    assert ma.check_backward(linear, linear_backward, [scale * X, W, B])
    assert verdicts(ma.check_backward(
        linear, lambda d, c: [a.copy() if i else -a for i, a in enumerate(linear_backward(d, c))],
        [scale * X, W, B])) == ["sign flipped", "correct", "correct"]


def test_a_gradient_that_changes_from_call_to_call():
    calls = []

    def grows(dout, cache):
        calls.append(1)
        dx, dw, db = linear_backward(dout, cache)
        return dx, dw * len(calls), db
    assert verdicts(ma.check_backward(linear, grows, [X, W, B])) == ["correct", "not deterministic",
                                                                     "correct"]
    draws = ma.check_backward(lambda x: x * 2, lambda dy, x: dy * np.random.rand(*dy.shape), X)
    assert verdicts(draws) == ["not deterministic"] and "backward draws" in str(draws)


# --------------------------------------------------------------------------- what backward returned


@pytest.mark.parametrize("returned, verdict", [
    (lambda dx, dw, db: (dx, dw), "shape differs"),
    (lambda dx, dw, db: (dx, dw, db, db, db), "shape differs"),
    (lambda dx, dw, db: {"dx": dx, "dw": dw}, "shape differs"),
    (lambda dx, dw, db: dx, "shape differs"),
])
def test_too_few_or_too_many_gradients(returned, verdict):
    report = ma.check_backward(linear, lambda d, c: returned(*linear_backward(d, c)), [X, W, B])
    assert verdicts(report) == [verdict] * 3 and (
        "3 inputs (x, w, b)" in str(report).replace("\n    ", " ") or "b is missing" in str(report))


def test_one_of_another_shape_spoils_only_its_own_row():
    report = ma.check_backward(linear, lambda d, c: (*linear_backward(d, c)[:2], np.ones(7)),
                               [X, W, B])
    assert verdicts(report) == ["correct", "correct", "shape differs"] and "(7,)" in str(report)


def test_none_for_an_input_that_matters_is_zero():
    report = ma.check_backward(linear, lambda d, c: (None, *linear_backward(d, c)[1:]), [X, W, B])
    assert verdicts(report) == ["zero", "correct", "correct"]


@pytest.mark.parametrize("call, error, sentence", [
    (lambda: ma.check_backward(3, linear_backward, [X]), TypeError, "forward must be a function"),
    (lambda: ma.check_backward(linear, 3, [X, W, B]), TypeError, "backward must be a function"),
    (lambda: ma.check_backward(loss, None, [LABELS, LABELS]), ValueError,
     "nothing to differentiate"),
    (lambda: ma.check_backward(np.tanh, lambda dy, x: dy, np.ones((0, 3))), ValueError, "(0, 3)"),
    (lambda: ma.check_backward(np.tanh, lambda dy, x: dy, np.array([1, np.inf])), ValueError,
     "infinity"),
    (lambda: ma.check_backward(lambda x: None, lambda dy, x: dy, X), TypeError, "`return` missing"),
    (lambda: ma.check_backward(np.tanh, lambda dy, x: None, X), TypeError, "`return` missing"),
    (lambda: ma.check_backward(lambda x: "abc", lambda dy, x: dy, X), TypeError,
     "a str that is no array"),
    (lambda: ma.check_backward(np.tanh, lambda dy, x: "abc", X), TypeError, "gradient for"),
    (lambda: ma.check_backward(np.log, lambda dy, x: dy / x, X), ValueError, "domain"),
    (lambda: ma.check_backward(lambda x: x[:0], lambda dy, x: dy, X), ValueError, "no values"),
    (lambda: ma.check_backward(lambda x: x * 2, lambda x: x, X), TypeError, "takes no dout"),
    (lambda: ma.check_backward(lambda x: (x * 2, x), None, X), TypeError, "or be None where"),
    (lambda: ma.check_backward(np.tanh, lambda dy, x: dy, [[1.0, 2.0], [3.0]], names=["x"]),
     ValueError, "names must be 2"),
    (lambda: ma.check_backward(np.tanh, lambda dy, x: dy, X, eps=0), ValueError, "eps"),
    (lambda: ma.check_backward(np.tanh, lambda dy, x: dy, np.ma.masked_less(X, 0), ["x"]),
     TypeError, "x.filled(0)"),
    (lambda: ma.check_backward(linear, linear_backward, [np.matrix(X), W, B]), TypeError,
     "x is a np.matrix"),
    (lambda: ma.check_backward(np.tanh, lambda dy, x: dy, X, seed=-1), ValueError, "seed"),
])
def test_mistakes_are_explained(call, error, sentence):
    with np.errstate(all="ignore"), pytest.raises(error, match="^check_backward: ") as raised:
        call()
    assert sentence in str(raised.value)


def test_what_the_student_s_code_raises_is_passed_on():
    with pytest.raises(ZeroDivisionError):
        ma.check_backward(np.tanh, lambda dy, x: 1 / 0, X)


def test_the_report_as_text_and_as_json():
    def wrong(dout, cache):
        dx, dw, db = linear_backward(dout, cache)
        return dx * (np.arange(20).reshape(4, 5) % 3 > 0), dw, db
    report = ma.check_backward(linear, wrong, [X, W, B])
    assert verdicts(report) == ["unknown", "correct",
                                "correct"] and "1 wrong entries" not in str(report)
    map_lines = [line.strip() for line in str(report).splitlines()
                 if set(line.strip()) == {"·", "#"}]
    assert map_lines == ["#··#·", "·#··#", "··#··", "#··#·"]
    for text in (str(report), report.verbose()):
        assert max(map(len, text.splitlines())) <= 80
    assert len(report.verbose()) > len(str(report))
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["correct"] is False and [row["verdict"] for row in told["rows"]] == verdicts(report)
    assert {"name", "shape", "compared", "size", "error", "index", "numeric", "analytic", "verdict",
            "evidence", "detail", "factor"} <= set(told["rows"][0])
    assert set(verdicts(report)) <= set(VERDICTS)
