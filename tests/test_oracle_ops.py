"""Every operation against PyTorch: values and all gradients, over drawn shapes, strides, paddings,
groups and dtypes.

`python -m pytest tests/test_oracle_ops.py -s` prints the largest deviation that was seen, per
operation and dtype.
"""
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minialex as ma
import minialex.functional as F
from minialex.fast.layout import swapped

torch = pytest.importorskip("torch", reason="the oracle: pip install torch to compare every "
                            "operation with PyTorch")
TF = torch.nn.functional

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
deviations = defaultdict(float)

drawn = settings(max_examples=40, deadline=None,
                 suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 10_000)


@pytest.fixture(scope="module", autouse=True)
def table(request):
    yield
    names = sorted({name for name, _ in deviations})
    lines = [f"{'largest deviation from PyTorch':32}{'float32':>10}{'float64':>10}"]
    lines += [f"{name:32}" + "".join(f"{deviations[name, dtype]:10.1e}" for dtype in TOLERANCE)
              for name in names]
    print("\n\n" + "\n".join(lines))


# ---------------------------------------------------------------------------------------- comparing


def strided(array, how):
    """The same numbers with another memory layout: what a slice or a transpose of a larger array
    looks like."""
    if how == "contiguous" or array.ndim == 0:
        return array
    if how == "fortran":
        return np.asfortranarray(array)
    if how == "channels last":
        return swapped(swapped(array).copy()) if array.ndim == 4 else array
    if how == "reversed":
        return array[..., ::-1].copy()[..., ::-1]
    wide = np.zeros(array.shape[:-1] + (2 * array.shape[-1] + 1,), array.dtype)
    wide[..., 1::2] = array
    return wide[..., 1::2]


layouts = st.sampled_from(["contiguous", "fortran", "reversed", "gaps", "channels last"])


def numbers(shape, seed, dtype, ties=False):
    values = np.random.default_rng(seed).standard_normal(shape)
    return (np.round(values * 1.5) if ties else values).astype(dtype)


def distance(ours, theirs, terms=0.0):
    """Largest difference, relative to the largest value, or to the size of the terms whose
    difference the values are."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    return float(np.abs(ours - theirs).max() / max(1e-30, terms,
                                                   np.abs(theirs).max())) if ours.size else 0.0


def compare(name, ours, theirs, arrays, layout="contiguous", cancels=0.0, summands=0.0):
    """Run both on the same arrays, forward and backward from the same random gradient, and note how
    far they part.

    cancels: the gradient is a difference, of which little may be left, of terms this many times as
    large as the one from above. summands: the same for the value, as the size of what is added up.
    """
    dtype = str(arrays[0].dtype)
    mine = [ma.Tensor(strided(array, layout), requires_grad=True) for array in arrays]
    other = [torch.tensor(array, requires_grad=True) for array in arrays]
    y, expected = ours(*mine), theirs(*other)
    gradient = numbers(y.shape, 77, dtype)
    y.backward(strided(gradient, layout))
    expected.backward(torch.tensor(gradient))
    pairs = [("value", y.data, expected)] + [(f"gradient {i}", a.grad, b.grad)
                                             for i, (a, b) in enumerate(zip(mine, other))]
    for what, a, b in pairs:
        of_gradient = np.abs(gradient).max() * cancels
        deviation = distance(a, b, summands if what == "value" else of_gradient)
        deviations[name, dtype] = max(deviations[name, dtype], deviation)
        assert deviation <= TOLERANCE[dtype], f"{name}, {what}: {deviation:.1e}"


# -------------------------------------------------------------------------- convolution and pooling

pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@st.composite
def convolutions(draw):
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    kernel, stride = draw(pairs), draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    H, W = (draw(st.integers(max(1, k - 2 * p), k + 9)) for k, p in zip(kernel, padding))
    C, C_out = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    N = draw(st.sampled_from([1, 2, 3, 11]))
    return (N, C, H, W), (C_out, C // groups, *kernel), stride, padding, groups


@given(convolutions(), st.booleans(), dtypes, layouts, seeds)
@settings(drawn, max_examples=120)
def test_conv2d(case, with_bias, dtype, layout, seed):
    x, w, stride, padding, groups = case
    arrays = [numbers(x, seed, dtype),
              numbers(w, seed + 1, dtype)] + [numbers(w[:1], seed + 2, dtype)] * with_bias
    compare("conv2d", lambda x, w, b=None: F.conv2d(x, w, b, stride, padding, groups),
            lambda x, w, b=None: TF.conv2d(x, w, b, stride, padding, groups=groups), arrays, layout)


@given(st.tuples(*[st.integers(1, 14)] * 2), st.integers(1, 3), st.tuples(*[st.integers(1, 3)] * 2),
       st.tuples(*[st.integers(32, 40)] * 2), st.sampled_from([8, 9, 17]), dtypes, layouts, seeds)
@settings(drawn, max_examples=40)
def test_conv2d_by_tiles(size, groups, padding, channels, images, dtype, layout, seed):
    """3x3 kernels between many channels, which fast/winograd.py computes (5x5 and strides:
    test_convolution.py)."""
    C, C_out = channels[0], channels[1] * groups
    arrays = [numbers((images, C * groups, *size), seed, dtype),
              numbers((C_out, C, 3, 3), seed + 1, dtype), numbers((C_out,), seed + 2, dtype)]
    compare("conv2d, 3x3, many channels", lambda x, w, b: F.conv2d(x, w, b, 1, padding, groups),
            lambda x, w, b: TF.conv2d(x, w, b, 1, padding, groups=groups), arrays, layout)


@given(st.sampled_from([(3, 2), (2, 2), ((3, 2), (1, 2)), ((1, 4), (2, 3)),
                        (3, 1), ((4, 1), (1, 1)), (2, None)]),
       st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(4, 12)] * 2), st.integers(0, 1),
       st.booleans(), dtypes, layouts, seeds)
@settings(drawn, max_examples=100)
def test_max_pool2d(window, shape, pad, ties, dtype, layout, seed):
    kernel, stride = window
    padding = tuple(min(pad, k // 2)
                    for k in ((kernel, kernel) if isinstance(kernel, int) else kernel))
    compare("max_pool2d (ties)" if ties else "max_pool2d",
            lambda x: F.max_pool2d(x, kernel, stride, padding),
            lambda x: TF.max_pool2d(x, kernel, stride, padding),
            [numbers(shape, seed, dtype, ties)], layout)


@given(pairs, st.one_of(st.none(), pairs),
       st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(4, 12)] * 2), dtypes, layouts, seeds)
@drawn
def test_avg_pool2d(kernel, stride, shape, dtype, layout, seed):
    compare("avg_pool2d", lambda x: F.avg_pool2d(x, kernel, stride),
            lambda x: TF.avg_pool2d(x, kernel, stride), [numbers(shape, seed, dtype)], layout)


# ------------------------------------------------------------------------------------ normalisation


@given(st.integers(1, 7), st.sampled_from([1, 2, 3]), st.integers(1, 6),
       st.sampled_from([0.5, 0.75, 1.0]), st.sampled_from([1.0, 2.0]), st.sampled_from([1e-4, 0.2]),
       dtypes, layouts, seeds)
@settings(drawn, max_examples=80)
def test_local_response_norm(size, groups, channels, beta, k, alpha, dtype, layout, seed):
    """PyTorch divides alpha by the size; its channels are one tower, so each tower is given to it
    alone."""
    def theirs(x):
        return torch.cat([TF.local_response_norm(tower, size, alpha * size, beta, k)
                          for tower in x.chunk(groups, dim=1)], dim=1)

    compare("local_response_norm", lambda x: F.local_response_norm(x, size, alpha, beta, k, groups),
            theirs, [numbers((2, groups * channels, 3, 4), seed, dtype) * 3], layout)


@given(st.integers(1, 6), st.tuples(*[st.integers(1, 7)] * 2), st.sampled_from([0.001 / 25, 0.2]),
       dtypes, layouts, seeds)
@drawn
def test_map_response_norm(size, image, alpha, dtype, layout, seed):
    def theirs(x):
        before, after = size // 2, size - 1 - size // 2
        squares = TF.pad(x * x, (before, after, before, after))
        return x / (1 + alpha * size * size * TF.avg_pool2d(squares, size, stride=1)) ** 0.75

    compare("map_response_norm", lambda x: F.map_response_norm(x, size, alpha), theirs,
            [numbers((2, 3, *image), seed, dtype)], layout)


# --------------------------------------------------------------------------------- the other layers


@given(st.tuples(*[st.integers(1, 40)] * 3), st.booleans(), dtypes, layouts, seeds)
@drawn
def test_linear(sizes, with_bias, dtype, layout, seed):
    N, features, out = sizes
    arrays = [numbers((N, features), seed, dtype), numbers((out, features), seed + 1, dtype)]
    arrays += [numbers((out,), seed + 2, dtype)] * with_bias
    # x·w and b: of few outputs, each may be their small difference
    largest = [np.abs(array).max() for array in arrays]
    compare("linear", F.linear, TF.linear, arrays, layout,
            summands=max([largest[0] * largest[1]] + largest[2:]))


def away_from_0(array):
    return np.sign(array) * (np.abs(array) + 0.1) + (array == 0)


ELEMENTWISE = {
    "relu": (F.relu, TF.relu), "tanh": (F.tanh, torch.tanh), "sigmoid": (F.sigmoid, torch.sigmoid),
    "exp": (lambda x: x.exp(), torch.exp),
    "log": (lambda x: (x * x).log(), lambda x: (x * x).log()),
    "neg": (lambda x: -x, torch.neg),
    "scalars": (lambda x: (2 - x * 3 + 1) / 4 - 5 / x, lambda x: (2 - x * 3 + 1) / 4 - 5 / x),
    "powers": (lambda x: x ** 3 + x ** 2 + x ** -1 + 2 ** x,
               lambda x: x ** 3 + x ** 2 + x ** -1 + 2 ** x),
    "transpose": (lambda x: x.transpose(), lambda x: x.permute(*reversed(range(x.ndim)))),
    "reshape": (lambda x: x.reshape(-1), lambda x: x.reshape(-1)),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(hnp.array_shapes(max_dims=4, max_side=7), dtypes, layouts, seeds)
@settings(drawn, max_examples=25)
def test_number_by_number(name, shape, dtype, layout, seed):
    compare(name, *ELEMENTWISE[name], [away_from_0(numbers(shape, seed, dtype))], layout)


@given(hnp.array_shapes(min_dims=1, max_dims=3, max_side=7), st.data(), dtypes, layouts, seeds)
@drawn
def test_softmax_and_log_softmax(shape, data, dtype, layout, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbers(shape, seed, dtype) * 5
    compare("softmax", lambda x: F.softmax(x, axis), lambda x: TF.softmax(x, axis), [x], layout,
            cancels=F.softmax(x, axis).data.max(initial=0))
    compare("log_softmax", lambda x: F.log_softmax(x, axis), lambda x: TF.log_softmax(x, axis), [x],
            layout)


# the right class has all: the loss is the ln of a sum that is hardly more than 1, and rounded there
@example(1, 11, 30, "float64", "contiguous", 1148)
@given(st.integers(1, 12), st.integers(2, 20), st.sampled_from([1, 30]), dtypes, layouts, seeds)
@drawn
def test_cross_entropy(N, classes, scale, dtype, layout, seed):
    labels = np.random.default_rng(seed).integers(0, classes, N)
    compare("cross_entropy", lambda x: F.cross_entropy(x, labels),
            lambda x: TF.cross_entropy(x, torch.tensor(labels)),
            [numbers((N, classes), seed, dtype) * scale], layout, cancels=1 / N,  # p − 1
            summands=1.0)
    weight = np.random.default_rng(seed + 1).uniform(0.1, 9, classes).astype(dtype)
    compare("cross_entropy with weights", lambda x: F.cross_entropy(x, labels, weight=weight),
            lambda x: TF.cross_entropy(x, torch.tensor(labels), weight=torch.tensor(weight)),
            [numbers((N, classes), seed, dtype) * scale], layout,
            cancels=weight[labels].max() / weight[labels].sum(), summands=1.0)


@given(hnp.array_shapes(max_dims=4, max_side=6), dtypes, layouts, seeds)
@drawn
def test_mse_loss(shape, dtype, layout, seed):
    compare("mse_loss", F.mse_loss, TF.mse_loss,
            [numbers(shape, seed, dtype), numbers(shape, seed + 1, dtype)], layout)


def test_dropout_with_the_same_mask():
    for dtype in TOLERANCE:
        x = numbers((40, 30), 0, dtype)
        ma.manual_seed(1)
        mask = torch.tensor(F.dropout(np.ones_like(x), 0.3).data)
        ma.manual_seed(1)
        compare("dropout", lambda x: F.dropout(x, 0.3), lambda x, mask=mask: x * mask, [x])


@given(st.tuples(*[st.integers(0, 3)] * 4), dtypes, layouts, seeds)
@drawn
def test_zero_pad2d(widths, dtype, layout, seed):
    compare("zero_pad2d", lambda x: F.zero_pad2d(x, *widths), lambda x: TF.pad(x, widths),
            [numbers((2, 3, 4, 5), seed, dtype)], layout)


@given(convolutions(), dtypes, seeds)
@drawn
def test_im2col_and_col2im_are_unfold_and_fold(case, dtype, seed):
    shape, (_, _, *kernel), stride, padding, _ = case
    x = numbers(shape, seed, dtype)
    kernel = tuple(kernel)
    columns = TF.unfold(torch.tensor(x), kernel, padding=padding, stride=stride)
    assert np.array_equal(F.im2col(x, kernel, stride, padding), columns.numpy())
    folded = TF.fold(columns, shape[2:], kernel, padding=padding, stride=stride)
    deviation = distance(F.col2im(columns.numpy(), shape, kernel, stride, padding), folded)
    deviations["im2col, col2im", dtype] = max(deviations["im2col, col2im", dtype], deviation)
    assert deviation <= TOLERANCE[dtype]


# --------------------------------------------------------------------------------------- arithmetic

BINARY = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
          "/": lambda a, b: a / b}


@pytest.mark.parametrize("name", BINARY)
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=5), dtypes, layouts,
       seeds)
@settings(drawn, max_examples=30)
def test_broadcasting_operators(name, shapes, dtype, layout, seed):
    arrays = [away_from_0(numbers(shape, seed + i, dtype)).astype(dtype)
              for i, shape in enumerate(shapes.input_shapes)]
    compare(name, BINARY[name], BINARY[name], [np.asarray(array) for array in arrays], layout)


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=5), dtypes, layouts,
       seeds)
@settings(drawn, max_examples=30)
def test_powers_of_tensors(shapes, dtype, layout, seed):
    arrays = [np.asarray(np.abs(numbers(shape, seed + i, dtype)) + 0.3, dtype)
              for i, shape in enumerate(shapes.input_shapes)]
    compare("** (both tensors)", lambda a, b: a ** b, lambda a, b: a ** b, arrays, layout)


@given(hnp.mutually_broadcastable_shapes(signature="(m,n),(n,p)->(m,p)", max_dims=2, max_side=5),
       st.sampled_from(["both", "left", "right"]), dtypes, layouts, seeds)
@settings(drawn, max_examples=60)
def test_matmul(shapes, which, dtype, layout, seed):
    a, b = shapes.input_shapes
    a = a[-1:] if which == "right" else a  # a vector times matrices, matrices times a vector
    b = b[-2:-1] if which == "left" else b
    compare("@", lambda a, b: a @ b, lambda a, b: a @ b,
            [numbers(a, seed, dtype), numbers(b, seed + 1, dtype)], layout)


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
@given(hnp.array_shapes(min_dims=1, max_dims=4, max_side=5), st.data(), st.booleans(), dtypes,
       layouts, seeds)
@settings(drawn, max_examples=40)
def test_reductions(name, shape, data, keepdims, dtype, layout, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbers(shape, seed, dtype, ties=name == "max")

    def theirs(x):
        result = getattr(x, name)(dim=axis, keepdim=keepdims)
        return result.values if name == "max" else result

    compare(name, lambda x: getattr(x, name)(axis=axis, keepdims=keepdims), theirs, [x], layout,
            summands=np.abs(x).max())


INDICES = [0, -1, slice(None, 2), (slice(None), 1), (..., 2), ([0, 2, 0], [1, 1, 1]), [2, 0, 2, 2],
           (None, 1, slice(1, 3))]


@given(st.sampled_from(INDICES), dtypes, layouts, seeds)
@drawn
def test_indexing(index, dtype, layout, seed):
    compare("indexing", lambda x: x[index], lambda x: x[index], [numbers((3, 4, 5), seed, dtype)],
            layout)
