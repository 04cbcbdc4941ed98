"""Fast convolutions: each plan's maps and their transposes, plans beside the book, ReLU as an
epilogue."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from short import first

import minialex as ma
import minialex.functional as F
from minialex import Tensor, nn, ops
from minialex.fast.batched import Batched
from minialex.fast.dispatch import implementation
from minialex.fast.im2col import Im2col
from minialex.fast.layout import arranged
from minialex.fast.space_to_depth import SpaceToDepth
from minialex.fast.winograd import POINTS, Winograd, matrices, tile_size


def plan_of(kind, shape, weight, padding, groups, m):
    size = tuple(shape[axis] + 2 * padding[axis - 2] - weight.shape[axis] + 1 for axis in (2, 3))
    options = {"m": m} if kind is Winograd else {}
    return kind(np.empty(shape), weight, (1, 1), padding, groups, size, **options), size


def dot(a, b):
    return float((np.asarray(a) * b).sum())


@pytest.mark.parametrize("kind", [Im2col, Winograd])
@given(st.sampled_from(list(POINTS)), st.integers(1, 3), st.integers(1, 2),
       st.tuples(*[st.integers(1, 9)] * 2), st.tuples(*[st.integers(2, 5)] * 2), st.booleans(),
       st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_each_map_has_its_transpose(kind, tile, images, groups, size, padding, channels_last, seed):
    """<f(a), b> = <a, f_back(b)> for all pairs, which is what makes backward the transpose of
    forward, in any memory order."""
    random, (m, kernel) = np.random.default_rng(seed).standard_normal, tile
    shape, weight = (images, 3 * groups, *size), random((2 * groups, 3, kernel, kernel))
    plan, outputs = plan_of(kind, shape, weight, padding, groups, m)

    def images_of(shape):
        array = random(shape)
        return np.ascontiguousarray(array.transpose(2, 3, 0, 1)).transpose(
            2, 3, 0, 1) if channels_last else array

    W = plan.weights(weight).copy()
    other = random(W.shape)
    assert dot(W, other) == pytest.approx(dot(weight, plan.weights_back(other)), abs=1e-9)

    x = images_of(shape)
    columns = plan.columns(x).copy()
    other, dx = random(columns.shape), np.full_like(x, np.nan)
    plan.columns_back(other.copy(), out=dx)
    assert dot(columns, other) == pytest.approx(dot(x, dx), abs=1e-9)

    product, y = random((*W.shape[:3], columns.shape[3])), images_of((images, len(weight),
                                                                      *outputs))
    plan.output(product, 0.0, out=y, finish=lambda part: None)
    other = images_of(y.shape)
    assert dot(y, other) == pytest.approx(dot(product, plan.output_back(other)), abs=1e-9)

    out = plan.multiply(W, columns, out=plan.empty_product(images))
    np.testing.assert_allclose(out, W @ columns, atol=1e-9)


@given(st.sampled_from([(11, 4), (9, 4), (5, 2), (8, 3)]), st.integers(1, 2), st.integers(1, 2),
       st.tuples(*[st.integers(0, 9)] * 2), st.tuples(*[st.integers(0, 3)] * 2),
       st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_folded_convolution_is_the_one_with_a_stride(kernel, images, groups, more, padding, seed):
    """The maps of stride S > 1: products of folded weights and columns are im2col's, and each map
    has its transpose."""
    random, (K, S) = np.random.default_rng(seed).standard_normal, kernel
    shape, weight = (images, 3 * groups, K + more[0], K + more[1]), random((2 * groups, 3, K, K))
    outputs = tuple((K + extra + 2 * P - K) // S + 1 for extra, P in zip(more, padding))
    x = random(shape)
    geometry = x, weight, (S, S), padding, groups, outputs
    y, expected = (kind(*geometry).forward(x, weight, None, None)
                   for kind in (SpaceToDepth, Im2col))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-11)

    plan = SpaceToDepth(*geometry)
    W, columns = plan.weights(weight).copy(), plan.columns(x).copy()
    other = random(W.shape)
    assert dot(W, other) == pytest.approx(dot(weight, plan.weights_back(other)), abs=1e-9)
    other, dx = random(columns.shape), np.full(shape, np.nan)
    plan.columns_back(other.copy(), out=dx)
    assert dot(columns, other) == pytest.approx(dot(x, dx), abs=1e-9)


@pytest.mark.parametrize("m, r", POINTS)
def test_tiles_filter_as_the_definition_does(m, r):
    """y = Aᵀ [(G g) ⊙ (Bᵀ d)] is yᵢ = Σⱼ gⱼ·d_{i+j}: exactly so for whole numbers, whose tiles are
    exact."""
    AT, G, BT = matrices(m, r)
    n = m + r - 1
    assert (AT.shape, G.shape, BT.shape) == ((m, n), (n, r), (n, n))
    g, d = np.arange(1.0, r + 1), np.arange(n) ** 2 % 7.0
    np.testing.assert_allclose(AT @ ((G @ g) * (BT @ d)), [g @ d[i:i + r] for i in range(m)],
                               rtol=0, atol=1e-12)


@pytest.mark.parametrize("tile, largest", [((2, 3), 4.6e-7), ((3, 3), 7.3e-7), ((4, 3), 1.3e-6),
                                           ((3, 5), 1.7e-6), ((4, 5), 3.4e-6)])
def test_tiles_lose_few_digits(tile, largest):
    """In float32, the root mean square of an output's error: im2col's is 2.5·10⁻⁷ of the outputs'
    own at these sizes."""
    random, (m, r) = np.random.default_rng(0).standard_normal, tile
    x, weight = np.maximum(random((4, 192, 12, 12)), 0), random((64, 192, r, r))
    outputs = {}
    for dtype in (np.float32, np.float64):
        some, kernels = x.astype(np.float32).astype(dtype), weight.astype(np.float32).astype(dtype)
        plan, _ = plan_of(Winograd, x.shape, kernels, (r // 2, r // 2), 1, m)
        outputs[dtype] = plan.forward(some, kernels, None, None)
    exact = outputs[np.float64]
    error = np.sqrt(np.mean((outputs[np.float32] - exact) ** 2) / np.mean(exact ** 2))
    assert 1e-8 < error < largest


@pytest.mark.parametrize("r, images, size, m",
                         [(3, 4, 55, 2), (3, 7, 13, 3), (3, 8, 55, 4), (3, 8, 13, 3),
                          (3, 128, 12, 4), (5, 4, 27, 3), (5, 32, 27, 4)])
def test_forward_tiles_are_small_where_that_is_cheap(r, images, size, m):
    assert tile_size(r, images, (size, size), forward=True) == m
    assert tile_size(r, images, (size, size), forward=False) == 4


def run(function, shape, weight_shape, dtype, **options):
    """Output and the three gradients."""
    random = np.random.default_rng(0).standard_normal
    x, w, b = (Tensor(random(s).astype(dtype), requires_grad=True)
               for s in (shape, weight_shape, weight_shape[:1]))
    y = function(x, w, b, **options)
    # as pooling and response norm give it: sums have an order
    y.backward(arranged(random(y.shape).astype(dtype), like=y.data))
    return y.data, x.grad, w.grad, b.grad


def by_the_book(function, *arguments, **options):
    with ma.textbook():
        return run(function, *arguments, **options)


@pytest.mark.parametrize("shape, weight_shape, options",
                         first(3, [
                             ((8, 96, 13, 13), (96, 48, 3, 3), {"padding": 1, "groups": 2}),
                             ((4, 211, 14, 14), (64, 211, 5, 5), {"padding": 2}),
                             ((8, 3, 115, 115), (96, 3, 11, 11), {"stride": 4}),
                             ((9, 256, 13, 13), (384, 256, 3, 3), {"padding": 1}),
                             ((8, 96, 27, 27), (256, 48, 5, 5), {"padding": 2, "groups": 2}),
                             ((8, 192, 14, 14), (64, 192, 5, 5), {"padding": 2})]))
def test_tiles_agree_with_the_book(shape, weight_shape, options):
    """Rounding aside, Winograd's products are im2col's: within 3·10⁻⁶ of the largest value (5x5
    kernels' gradients: 9·10⁻⁶) and 3·10⁻¹⁴ in float64."""
    for dtype, tolerance in (("float32", 3e-6), ("float64", 3e-14)):
        by_tiles = run(F.conv2d, shape, weight_shape, dtype, **options)
        plain = by_the_book(F.conv2d, shape, weight_shape, dtype, **options)
        assert not np.array_equal(by_tiles[0], plain[0]), "the same path twice proves nothing"
        for number, (value, expected) in enumerate(zip(by_tiles, plain)):
            enlarged = 3 if weight_shape[2] == 5 and number else 1
            assert np.abs(value - expected).max() <= enlarged * tolerance * np.abs(expected).max()


def plan_for(images, weight_shape, stride=1, padding=0, size=13, dtype=np.float32, groups=1):
    x = np.zeros((images, weight_shape[1] * groups, size, size), dtype)
    return type(implementation(ops.Conv2d(stride, padding, groups), x,
                               np.zeros(weight_shape, dtype))).plan


@pytest.mark.parametrize("weight_shape, stride, kind", [
    ((64, 32, 3, 3), 1, Winograd), ((64, 64, 5, 5), 1, Winograd),
    ((96, 3, 11, 11), 4, SpaceToDepth), ((64, 8, 5, 5), 2, SpaceToDepth), ((64, 32, 3, 3), 2, None),
    ((64, 31, 3, 3), 1, None), ((31, 64, 3, 3), 1, None), ((64, 64, 7, 7), 1, None),
    ((64, 64, 3, 1), 1, None), ((64, 64, 5, 5), 5, None), ((64, 64, 5, 5), (2, 1), None)])
def test_tiles_are_for_3x3_and_5x5_after_folding_and_many_channels(weight_shape, stride, kind):
    tiles = (Winograd, SpaceToDepth)
    assert plan_for(4, weight_shape, stride,
                    1) is kind if kind else not issubclass(plan_for(4, weight_shape, stride, 1),
                                                           tiles)
    assert not issubclass(plan_for(3, weight_shape, stride, 1), tiles)
    assert not issubclass(plan_for(8, weight_shape, stride, 1, dtype=np.float16), tiles)


@pytest.mark.parametrize("weight_shape, options, kind", [
    ((3, 1, 5, 5), {"size": 12}, Batched), ((3, 1, 5, 5), {"size": 5}, Batched),
    ((3, 1, 5, 5), {"size": 5, "padding": 2}, Batched),
    ((120, 16, 5, 5), {"size": 5}, Batched), ((64, 64, 3, 3), {"size": 32}, Im2col)])
def test_small_layers_take_the_way_that_is_meant_for_them(weight_shape, options, kind):
    assert plan_for(2, weight_shape, **options) is kind


@pytest.mark.parametrize("shape, weight_shape",
                         [((3, 4, 9, 9), (6, 4, 5, 5)), ((11, 32, 13, 13), (64, 32, 3, 3))])
def test_relu_joined_to_a_convolution_gives_the_same_bytes(shape, weight_shape):
    joined = run(F.conv2d_relu, shape, weight_shape, "float32", padding=2)
    apart = run(lambda *args, **options: F.relu(F.conv2d(*args, **options)), shape, weight_shape,
                "float32", padding=2)
    assert (joined[0] == 0).any() and (joined[0] > 0).any()
    for value, expected in zip(joined, apart):
        np.testing.assert_array_equal(value, expected)


def test_sequential_joins_what_stands_side_by_side_and_nothing_else():
    class Louder(nn.ReLU):
        """A student's own ReLU: its forward must be called."""

        def forward(self, x):
            return F.relu(x) * 2

    def operations(model):
        seen = []
        ma.tensor.observers.append(lambda direction, function, call: seen.append(
            f"{function.layer} {function.name}") or call)
        try:
            model(np.ones((1, 2, 5, 5), np.float32))
        finally:
            ma.tensor.observers.pop()
        return seen

    conv = nn.Conv2d(2, 2, 3)
    assert operations(nn.Sequential(a=conv, b=nn.ReLU(), c=nn.ReLU())) == ["a Conv2dReLU", "c ReLU"]
    assert operations(nn.Sequential(a=conv, b=Louder())) == ["a Conv2d", "b ReLU", "b Mul"]
    assert operations(nn.Sequential(a=conv, b=nn.Tanh(), c=nn.ReLU())) == ["a Conv2d", "b Tanh",
                                                                           "c ReLU"]
    assert operations(nn.Sequential(a=conv)) == ["a Conv2d"]


def test_a_gradient_that_others_hold_is_not_written_into():
    """LRN's backward pass may write into grad_output when the tape made it, and must not when the
    caller or a second user did."""
    random = np.random.default_rng(0).standard_normal
    values, seed = random((2, 6, 3, 3)), random((2, 6, 3, 3))
    x = Tensor(values, requires_grad=True)
    given = seed.copy()
    F.local_response_norm(x, alpha=0.1).backward(given)
    np.testing.assert_array_equal(given, seed)

    alone, x.grad = x.grad, None
    middle = x * 1.0
    # Add hands one array to both
    (F.local_response_norm(middle, alpha=0.1) + middle).backward(seed)
    np.testing.assert_allclose(x.grad, alone + seed, rtol=1e-12)


@given(st.integers(1, 9), st.integers(1, 2), st.tuples(*[st.integers(1, 3)] * 2),
       st.tuples(*[st.integers(1, 5)] * 2), st.tuples(*[st.integers(1, 3)] * 2),
       st.tuples(*[st.integers(0, 2)] * 2), st.tuples(*[st.integers(0, 9)] * 2),
       st.sampled_from(["float64", "float32"]), st.booleans())
@settings(max_examples=80, deadline=None)
def test_every_shape_agrees_with_the_book(images, groups, channels, kernel, stride, padding, more,
                                          dtype, relu):
    shape = images, channels[0] * groups, *(max(1, k + m - 2 * p)
                                            for k, m, p in zip(kernel, more, padding))
    weight_shape, function = (channels[1] * groups, channels[0],
                              *kernel), F.conv2d_relu if relu else F.conv2d
    options = {"stride": stride, "padding": padding, "groups": groups}
    for value, expected in zip(run(function, shape, weight_shape, dtype, **options),
                               by_the_book(function, shape, weight_shape, dtype, **options)):
        tolerance = 1e-12 if dtype == "float64" else 1e-5
        np.testing.assert_allclose(value, expected, rtol=tolerance,
                                   atol=tolerance * max(1, np.abs(expected).max()))


@given(st.integers(4, 6), st.sampled_from([(3, 1), (5, 1), (11, 4), (9, 4), (5, 2)]),
       st.integers(1, 2), st.integers(0, 2), st.tuples(*[st.integers(0, 8)] * 2))
@settings(max_examples=15, deadline=None)
def test_every_shape_by_tiles_agrees_with_the_book(images, kernel, groups, padding, more):
    K, S = kernel
    channels = -(-32 // S**2)
    shape, weight_shape = (images, channels * groups, K + more[0],
                           K + 3 + more[1]), (32 * groups, channels, K, K)
    options = {"stride": S, "padding": padding, "groups": groups}
    assert issubclass(type(implementation(ops.Conv2d(**options), np.zeros(shape),
                                          np.zeros(weight_shape))).plan, Winograd)
    for value, expected in zip(run(F.conv2d, shape, weight_shape, "float64", **options),
                               by_the_book(F.conv2d, shape, weight_shape, "float64", **options)):
        assert np.abs(value - expected).max() <= 1e-10 * np.abs(expected).max()


def test_one_window_agrees_with_windows_beside_it():
    """A kernel as large as the image is a fully connected layer, each pixel in one window; with
    zeros around the image it has other windows too."""
    shape, weight_shape = (3, 4, 5, 6), (6, 2, 5, 6)
    y, dx, dw, db = run(F.conv2d, shape, weight_shape, "float64", groups=2)
    random = np.random.default_rng(0).standard_normal
    x, w, b = (Tensor(random(s), requires_grad=True) for s in (shape, weight_shape, (6,)))
    padded = F.conv2d(x, w, b, padding=1, groups=2)[:, :, 1:2, 1:2]
    padded.backward(random(padded.shape))
    for value, expected in zip((y, dx, dw, db), (padded.data, x.grad, w.grad, b.grad)):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
