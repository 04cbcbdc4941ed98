"""Verdicts on a wrong gradient beyond those of the gallery (lessons/gradient_bugs): the right name,
and a true sentence."""
import numpy as np
import pytest
from short import first

import minialex as ma
import minialex.functional as F

SEEDS = range(3)


def normal(seed, *shapes):
    generator = np.random.default_rng(seed + 50)
    return [generator.standard_normal(shape) for shape in shapes]


def row_of(report, name):
    return next(row for row in report.rows if row.name == name)


# ------------------------------------------------------------------------------------ a convolution


def conv(x, w, b, stride=1, pad=1):
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:],
                                                       axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncijkl,fckl->nfij", windows, w) + b[:, None, None], (x, w, padded, windows,
                                                                           stride, pad)


def conv_backward(dout, cache):
    """(gradient of the padded x, dw, db, pad)"""
    x, w, padded, windows, stride, pad = cache
    dpadded = np.zeros_like(padded)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            place = np.s_[:, :, i * stride:i * stride + w.shape[2], j * stride:j * stride
                          + w.shape[3]]
            dpadded[place] += np.einsum("nf,fckl->nckl", dout[:, :, i, j], w)
    return dpadded, np.einsum("nfij,ncijkl->fckl", dout, windows), dout.sum(axis=(0, 2, 3)), pad


def cut(dpadded, pad):
    return dpadded[:, :, pad:-pad, pad:-pad]


def only_inside(dx):
    inner = np.zeros_like(dx)
    inner[:, :, 1:-1, 1:-1] = dx[:, :, 1:-1, 1:-1]
    return inner


# what becomes of (padded dx, dw, db, pad) -> (input, verdict, a part of what is said)
CONVOLUTIONS = {
    "padding left on": (lambda dp, dw, db, p: (dp, dw, db), "x", "wrong where padded",
                        "padding not cut off"),
    "cut at the corner": (lambda dp, dw, db, p: (dp[:, :, :-2 * p, :-2 * p], dw, db), "x",
                          "shifted by (dy, dx)", "(1, 1)"),
    "rolled": (lambda dp, dw, db, p: (np.roll(cut(dp, p), 1, axis=3), dw, db), "x",
               "shifted by (dy, dx)", "(0, 1)"),
    "border lost": (lambda dp, dw, db, p: (only_inside(cut(dp, p)), dw, db), "x",
                    "wrong where padded", "within 1"),
    "mirrored": (lambda dp, dw, db, p: (cut(dp, p), dw[..., ::-1, ::-1], db), "w",
                 "spatially flipped kernel", "axes (2, 3)"),
    "mirrored once": (lambda dp, dw, db, p: (cut(dp, p), dw[..., ::-1], db), "w",
                      "spatially flipped kernel", "(3,)"),
    "kernel transposed": (lambda dp, dw, db, p: (cut(dp, p), dw.swapaxes(2, 3), db), "w",
                          "transposed or permuted",
                          "(0, 1, 3, 2)"),
    "mean": (lambda dp, dw, db, p: (cut(dp, p), dw, db / 75), "b", "mean where a sum is due",
             "N·OH·OW"),
    "per picture": (lambda dp, dw, db, p: (cut(dp, p), dw / 3, db), "w", "off by a constant factor",
                    "1/N, N the batch size"),
    "one channel lost": (lambda dp, dw, db,
                         p: (cut(dp, p) * np.array([1, 0])[:, None, None], dw, db), "x", "unknown",
                         "index 1 of axis 1"),
    "sign": (lambda dp, dw, db, p: (cut(dp, p), dw, -db), "b", "sign flipped", "−1.000000"),
}


@pytest.mark.parametrize("seed", first(1, SEEDS))
@pytest.mark.parametrize("bug", CONVOLUTIONS)
def test_a_convolution(bug, seed):
    change, name, verdict, said = CONVOLUTIONS[bug]
    x, w, b = normal(seed, (3, 2, 5, 5), (4, 2, 3, 3), (4,))
    report = ma.check_backward(conv, lambda d, c: change(*conv_backward(d, c)),
                               {"x": x, "w": w, "b": b, "stride": 1, "pad": 1})
    row = row_of(report, name)
    assert row.verdict == verdict or bug == "per picture" and row.verdict == "mean where a sum is due", f"\n{report}"  # noqa: E501
    assert said in row.detail + row.evidence or bug == "per picture"
    assert [other.verdict for other in report.rows
            if other.name != name] == ["correct", "correct"], f"\n{report}"


# ------------------------------------------------------------------------------------------- others


def attention(q, k, v):
    p = np.exp(q @ k.T)
    p /= p.sum(axis=1, keepdims=True)
    return p @ v, (q, k, v, p)


def residual(x, w):
    return x + np.tanh(x @ w), (x, w)


def residual_backward(dout, cache, skip=0):
    x, w = cache
    d = dout * (1 - np.tanh(x @ w) ** 2)
    return d @ w.T + skip * dout, x.T @ d


def swapped(dout, cache):
    x, gamma, beta = cache
    return dout * gamma, dout.sum(axis=0), (dout * x).sum(axis=0)


OTHERS = {
    "skip connection": (residual, residual_backward, [(4, 5), (5, 5)], "x", "one term missing",
                        "1 · dout"),
    "skip counted twice": (residual, lambda d, c: residual_backward(d, c, 2), [(4, 5), (5, 5)], "x",
                           "one term", "-1 · dout"),
    "bias inside a square": (lambda x, b: ((x + b) ** 2, (x, b)),
                             lambda d, c: (2 * d * c[0], (2 * d * (c[0] + c[1])).sum(0)),
                             [(4, 5), (5,)], "x", "one term missing", "b = 0"),
    "mean not differentiated": (lambda x: x - x.mean(axis=0), lambda dy, x: dy, [(4, 5)], "x",
                                "one term missing", "-0.25"),
    "gradients swapped": (lambda x, gamma, beta: (x * gamma + beta, (x, gamma, beta)), swapped,
                          [(4, 5), (5,), (5,)], "gamma",
                          "transposed or permuted", "that of beta"),
    "sigmoid twice": (lambda x: 1 / (1 + np.exp(-x)),
                      lambda dy, x: dy * np.exp(-1 / (1 + np.exp(-x))) /
                      (1 + np.exp(-1 / (1 + np.exp(-x)))) ** 2, [(4, 5)], "x",
                      "uses the output instead of the input",
                      ":= the output"),
    "|x| without its sign": (np.abs, lambda dy, x: dy * 1, [(4, 5)], "x",
                             "wrong where the input is negative", "negative"),
    "all but the maximum": (lambda x: x.max(axis=1), lambda dy, x: dy[:, None] * np.ones_like(x),
                            [(6, 5)], "x", "unknown",
                            "the numeric gradient is 0"),
    "attention with constant weights": (attention, lambda d, c: (0 * c[0], 0 * c[1], c[3].T @ d),
                                        [(4, 3), (5, 3), (5, 3)], "q",
                                        "zero", "all 12"),
    "last row only": (lambda x, w: (x @ w, (x, w)),
                      lambda d, c: (d @ c[1].T, np.outer(c[0][-1], d[-1])), [(4, 5), (5, 3)], "w",
                      "not summed over the batch or broadcast axes", "only the last"),
    "log of an option": (lambda x: 3 * x, lambda dy, x: dy, [(4, 5)], "x",
                         "off by a constant factor", "0.333333"),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bug", OTHERS)
def test_others(bug, seed):
    forward, backward, shapes, name, verdict, said = OTHERS[bug]
    row = row_of(ma.check_backward(forward, backward, normal(seed, *shapes)), name)
    assert row.verdict.startswith(verdict) and said in row.detail + row.evidence, row


def test_the_factor_is_a_field_and_has_a_meaning():
    x, t = normal(0, (4, 3), (4, 3))
    for factor, said in ((4, "4 = N, the batch size"), (1 / 4, "0.25 = 1/N"), (0.5, "0.5 = 1/2"),
                         (12, "12, the size"), (7.77, "7.77")):
        (row, _) = ma.check_backward(lambda x, t: ((x - t) ** 2).sum(),
                                     lambda x, t, f=factor: (2 * f * (x - t), -2 * (x - t)),
                                     [x, t]).rows
        assert row.verdict == "off by a constant factor" and row.factor == pytest.approx(
            factor) and row.detail.startswith(said)


def test_a_factor_of_an_option():
    (x,) = normal(1, (4, 3))
    for option, factor, said in ((3, 3, "k"), (3, 9, "k²"), (0.2, 0.8, "1 − k"),
                                 (3, 1 / 9, "1/k²")):
        (row,) = ma.check_backward(lambda x, k: x * 2, lambda dy, x, k, f=factor: dy * 2 * f,
                                   {"x": x, "k": option}).rows
        assert said in row.detail.split(" = ")[1], row


@pytest.mark.parametrize("seed", SEEDS)
def test_the_border_is_not_blamed_for_one_entry_that_happens_to_lie_there(seed):
    def one_wrong(dy, x):
        dx = 2 * dy * x
        dx[0, 0, 0, 2] += 1
        return dx
    (row,) = ma.check_backward(np.square, one_wrong, normal(seed, (1, 2, 4, 4))[0]).rows
    assert row.verdict == "unknown" and row.evidence.startswith("1 of 32") and "#" in "".join(
        row.map[1:])


def test_zero_and_ties_of_tensor_functions():
    class AbsoluteFive(ma.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return abs(x)

        def backward(self, grad_output):
            return grad_output * np.where(self.saved[0] == 0, 5, np.sign(self.saved[0]))
    x = np.array([[1.0, 0, -2], [0, 3, -1]])
    (row,) = ma.gradcheck(AbsoluteFive(), x).rows
    assert row.verdict == "wrong where the input is zero" and "2 of 6" in row.evidence


def test_the_engine_gets_verdicts_too():
    class HalfConv(ma.Function):
        def forward(self, x, w):
            self.save_for_backward(x, w)
            return F.conv2d(ma.Tensor(x), ma.Tensor(w)).data

        def backward(self, grad_output):
            x, w = (ma.Tensor(array, requires_grad=True) for array in self.saved)
            F.conv2d(x, w).backward(grad_output)
            return x.grad, w.grad[..., ::-1, ::-1]
    report = ma.gradcheck(HalfConv(), normal(0, (2, 2, 5, 5), (3, 2, 3, 3)))
    assert [row.verdict for row in report.rows] == ["correct", "spatially flipped kernel"]


def test_a_large_wrong_gradient_is_judged_by_its_sample():
    x = normal(0, (5000,))[0]
    for factor, verdict in ((0, "zero"), (-1, "sign flipped"), (3, "off by a constant factor")):
        report = ma.check_backward(np.sin, lambda dy, x, f=factor: f * dy * np.cos(x), x,
                                   samples=50)
        assert report.rows[0].verdict == verdict and report.rows[0].compared < 5000


# -------------------------------------------------------------------------------- no name by chance


def test_zeros_that_were_kept_are_no_activation():
    """Row 0 of an embedding gets no gradient. Kept zeros would make any slip fit: 0 = 0."""
    def pick(w):
        return w[[0, 1, 2, 1]], np.zeros_like(w)

    def pick_backward(dout, zeros):
        dw = zeros.copy()
        np.add.at(dw, [1, 2, 1], dout[1:])
        return dw
    row = row_of(ma.check_backward(pick, pick_backward,
                                   {"w": np.random.default_rng(0).standard_normal((5, 3))}), "w")
    assert row.verdict != "correct" and row.verdict != "slip in the derivative"


def test_the_axes_of_a_picture_with_its_channels_last_have_their_names():
    def scale(x, b):
        return x * 2 + b

    def scale_backward(dout, x, b):
        return 2 * dout, dout.mean(axis=(0, 1, 2))
    inputs = dict(zip("xb", normal(0, (2, 5, 7, 3), (3,))))
    row = row_of(ma.check_backward(scale, scale_backward, inputs), "b")
    assert row.verdict == "mean where a sum is due" and row.detail == "divided by 70 = N·OH·OW"
