"""The convolution's inside: maps and their transposes, the plain path beside the fast one, ReLU joined to it."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minialex as ma
import minialex.functional as F
from minialex import Tensor, nn
from minialex.fast import cpu
from minialex.fast.batched import ImageProducts
from minialex.fast.layout import arranged
from minialex.fast.space_to_depth import Folded
from minialex.fast.winograd import POINTS, Winograd, matrices, tile_size
from minialex.ops.convolution import Conv2d, Im2col, OneWindow


def maps_of(kind, shape, weight, padding, groups, m):
    size = tuple(shape[axis] + 2 * padding[axis - 2] - weight.shape[axis] + 1 for axis in (2, 3))
    if kind is Winograd:
        return Winograd(weight, padding, groups, size, m), size
    return Im2col(np.empty(shape), weight, (1, 1), padding, groups, size), size


def dot(a, b):
    return float((np.asarray(a) * b).sum())


@pytest.mark.parametrize("kind", [Im2col, Winograd])
@given(st.sampled_from(list(POINTS)), st.integers(1, 3), st.integers(1, 2), st.tuples(*[st.integers(1, 9)] * 2),
       st.tuples(*[st.integers(2, 5)] * 2), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_each_map_has_its_transpose(kind, tile, images, groups, size, padding, channels_last, seed):
    """<f(a), b> = <a, f_back(b)> for all pairs, which is what makes backward the transpose of forward, in any memory order."""
    random, (m, kernel) = np.random.default_rng(seed).standard_normal, tile
    shape, weight = (images, 3 * groups, *size), random((2 * groups, 3, kernel, kernel))
    maps, outputs = maps_of(kind, shape, weight, padding, groups, m)

    def images_of(shape):
        array = random(shape)
        return np.ascontiguousarray(array.transpose(2, 3, 0, 1)).transpose(2, 3, 0, 1) if channels_last else array

    W = maps.weights(weight).copy()
    other = random(W.shape)
    assert dot(W, other) == pytest.approx(dot(weight, maps.weights_back(other)), abs=1e-9)

    x = images_of(shape)
    columns = maps.columns(x).copy()
    other, dx = random(columns.shape), np.full_like(x, np.nan)
    maps.columns_back(other.copy(), out=dx)
    assert dot(columns, other) == pytest.approx(dot(x, dx), abs=1e-9)

    product, y = random((*W.shape[:3], columns.shape[3])), images_of((images, len(weight), *outputs))
    maps.output(product, 0.0, out=y, finish=lambda part: None)
    other = images_of(y.shape)
    assert dot(y, other) == pytest.approx(dot(product, maps.output_back(other)), abs=1e-9)

    out = maps.multiply(W, columns, out=maps.empty_product(images))
    np.testing.assert_allclose(out, W @ columns, atol=1e-9)


@given(st.sampled_from([(11, 4), (9, 4), (5, 2), (8, 3)]), st.integers(1, 2), st.integers(1, 2),
       st.tuples(*[st.integers(0, 9)] * 2), st.tuples(*[st.integers(0, 3)] * 2), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_folded_convolution_is_the_one_with_a_stride(kernel, images, groups, more, padding, seed):
    """The maps of stride S > 1: products of folded weights and columns are im2col's, and each map has its transpose."""
    random, (K, S) = np.random.default_rng(seed).standard_normal, kernel
    shape, weight = (images, 3 * groups, K + more[0], K + more[1]), random((2 * groups, 3, K, K))
    outputs = tuple((K + extra + 2 * P - K) // S + 1 for extra, P in zip(more, padding))
    geometry = weight, (S, S), padding, groups, outputs
    x, y, expected = random(shape), np.empty((images, len(weight), *outputs)), np.empty((images, len(weight), *outputs))
    for maps, out in ((Folded(*geometry), y), (Im2col(x, *geometry), expected)):
        product = maps.multiply(maps.weights(weight), maps.columns(x), out=maps.empty_product(images))
        maps.output(product, 0.0, out=out, finish=lambda part: None)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-11)

    maps = Folded(*geometry)
    W, columns = maps.weights(weight).copy(), maps.columns(x).copy()
    other = random(W.shape)
    assert dot(W, other) == pytest.approx(dot(weight, maps.weights_back(other)), abs=1e-9)
    other, dx = random(columns.shape), np.full(shape, np.nan)
    maps.columns_back(other.copy(), out=dx)
    assert dot(columns, other) == pytest.approx(dot(x, dx), abs=1e-9)


@pytest.mark.parametrize("m, r", POINTS)
def test_tiles_filter_as_the_definition_does(m, r):
    """y = Aᵀ [(G g) ⊙ (Bᵀ d)] is yᵢ = Σⱼ gⱼ·d_{i+j}: exactly so for whole numbers, whose tiles are exact."""
    AT, G, BT = matrices(m, r)
    n = m + r - 1
    assert (AT.shape, G.shape, BT.shape) == ((m, n), (n, r), (n, n))
    g, d = np.arange(1.0, r + 1), np.arange(n) ** 2 % 7.0
    np.testing.assert_allclose(AT @ ((G @ g) * (BT @ d)), [g @ d[i:i + r] for i in range(m)], rtol=0, atol=1e-12)


@pytest.mark.parametrize("tile, largest", [((2, 3), 4.6e-7), ((3, 3), 7.3e-7), ((4, 3), 1.3e-6), ((3, 5), 1.7e-6),
                                           ((4, 5), 3.4e-6)])
def test_tiles_lose_few_digits(tile, largest):
    """In float32, the root mean square of an output's error: im2col's is 2.5·10⁻⁷ of the outputs' own at these sizes."""
    random, (m, r) = np.random.default_rng(0).standard_normal, tile
    x, weight = np.maximum(random((4, 192, 12, 12)), 0), random((64, 192, r, r))
    outputs = {}
    for dtype in (np.float32, np.float64):
        some, kernels = x.astype(np.float32).astype(dtype), weight.astype(np.float32).astype(dtype)
        maps, size = maps_of(Winograd, x.shape, kernels, (r // 2, r // 2), 1, m)
        product = maps.multiply(maps.weights(kernels), maps.columns(some), out=maps.empty_product(len(x)))
        outputs[dtype] = np.empty((len(x), 64, *size), dtype)
        maps.output(product, dtype(0), out=outputs[dtype], finish=lambda part: None)
    exact = outputs[np.float64]
    error = np.sqrt(np.mean((outputs[np.float32] - exact) ** 2) / np.mean(exact ** 2))
    assert 1e-8 < error < largest


@pytest.mark.parametrize("r, images, size, m", [
    (3, 4, 55, 2), (3, 7, 13, 2), (3, 8, 55, 4), (3, 8, 13, 3), (3, 128, 12, 4), (5, 4, 27, 3), (5, 128, 27, 3)])
def test_forward_tiles_are_small_where_that_is_cheap(r, images, size, m):
    assert tile_size(r, images, (size, size), forward=True) == m
    assert tile_size(r, images, (size, size), forward=False) == 4


def run(function, shape, weight_shape, dtype, **options):
    """Output and the three gradients."""
    random = np.random.default_rng(0).standard_normal
    x, w, b = (Tensor(random(s).astype(dtype), requires_grad=True) for s in (shape, weight_shape, weight_shape[:1]))
    y = function(x, w, b, **options)
    y.backward(arranged(random(y.shape).astype(dtype), like=y.data))  # as pooling and response norm give it: sums have an order
    return y.data, x.grad, w.grad, b.grad


@pytest.mark.parametrize("shape, weight_shape, options", [
    ((9, 256, 13, 13), (384, 256, 3, 3), {"padding": 1}), ((8, 96, 13, 13), (96, 48, 3, 3), {"padding": 1, "groups": 2}),
    ((8, 96, 27, 27), (256, 48, 5, 5), {"padding": 2, "groups": 2}), ((8, 192, 14, 14), (64, 192, 5, 5), {"padding": 2}),
    ((4, 211, 14, 14), (64, 211, 5, 5), {"padding": 2}),
    ((8, 3, 115, 115), (96, 3, 11, 11), {"stride": 4})])
def test_tiles_agree_with_the_plain_path(monkeypatch, shape, weight_shape, options):
    """Rounding aside, Winograd's products are im2col's: within 3·10⁻⁶ of the largest value (5x5 kernels' gradients: 9·10⁻⁶) and
    3·10⁻¹⁴ in float64."""
    for dtype, tolerance in (("float32", 3e-6), ("float64", 3e-14)):
        monkeypatch.delenv("MINIALEX_CONVOLUTION", raising=False)
        by_tiles = run(F.conv2d, shape, weight_shape, dtype, **options)
        monkeypatch.setenv("MINIALEX_CONVOLUTION", "im2col")
        plain = run(F.conv2d, shape, weight_shape, dtype, **options)
        assert not np.array_equal(by_tiles[0], plain[0]), "the same path twice proves nothing"
        for number, (value, expected) in enumerate(zip(by_tiles, plain)):
            enlarged = 3 if weight_shape[2] == 5 and number else 1
            assert np.abs(value - expected).max() <= enlarged * tolerance * np.abs(expected).max()


@pytest.mark.parametrize("weight_shape, stride, kind", [
    ((64, 32, 3, 3), (1, 1), Winograd), ((64, 64, 5, 5), (1, 1), Winograd), ((96, 3, 11, 11), (4, 4), Folded),
    ((64, 8, 5, 5), (2, 2), Folded), ((64, 32, 3, 3), (2, 2), None), ((64, 31, 3, 3), (1, 1), None),
    ((31, 64, 3, 3), (1, 1), None), ((64, 64, 7, 7), (1, 1), None), ((64, 64, 3, 1), (1, 1), None),
    ((64, 64, 5, 5), (5, 5), None), ((64, 64, 5, 5), (2, 1), None)])
def test_tiles_are_for_3x3_and_5x5_after_folding_and_many_channels(monkeypatch, weight_shape, stride, kind):
    monkeypatch.delenv("MINIALEX_CONVOLUTION", raising=False)
    geometry = np.zeros(weight_shape, np.float32), stride, (1, 1), 1, (13, 13)
    maps = cpu.convolution_maps(4, *geometry)
    assert maps is None if kind is None else type(maps) is kind
    assert cpu.convolution_maps(3, *geometry) is None
    assert not isinstance(cpu.convolution_maps(8, geometry[0].astype(np.float16), *geometry[1:]), Winograd)
    monkeypatch.setenv("MINIALEX_CONVOLUTION", "im2col")
    assert cpu.convolution_maps(8, *geometry) is None


@pytest.mark.parametrize("shape, weight_shape", [((3, 4, 9, 9), (6, 4, 5, 5)), ((11, 32, 13, 13), (64, 32, 3, 3))])
def test_relu_joined_to_a_convolution_gives_the_same_bytes(shape, weight_shape):
    joined = run(F.conv2d_relu, shape, weight_shape, "float32", padding=2)
    apart = run(lambda *args, **options: F.relu(F.conv2d(*args, **options)), shape, weight_shape, "float32", padding=2)
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
        ma.tensor.observers.append(lambda direction, function, call: seen.append(f"{function.layer} {function.name}") or call)
        try:
            model(np.ones((1, 2, 5, 5), np.float32))
        finally:
            ma.tensor.observers.pop()
        return seen

    conv = nn.Conv2d(2, 2, 3)
    assert operations(nn.Sequential(a=conv, b=nn.ReLU(), c=nn.ReLU())) == ["a Conv2dReLU", "c ReLU"]
    assert operations(nn.Sequential(a=conv, b=Louder())) == ["a Conv2d", "b ReLU", "b Mul"]
    assert operations(nn.Sequential(a=conv, b=nn.Tanh(), c=nn.ReLU())) == ["a Conv2d", "b Tanh", "c ReLU"]
    assert operations(nn.Sequential(a=conv)) == ["a Conv2d"]


def test_a_gradient_that_others_hold_is_not_written_into():
    """LRN's backward pass may write into grad_output when the tape made it, and must not when the caller or a second user did."""
    random = np.random.default_rng(0).standard_normal
    values, seed = random((2, 6, 3, 3)), random((2, 6, 3, 3))
    x = Tensor(values, requires_grad=True)
    given = seed.copy()
    F.local_response_norm(x, alpha=0.1).backward(given)
    np.testing.assert_array_equal(given, seed)

    alone, x.grad = x.grad, None
    middle = x * 1.0
    (F.local_response_norm(middle, alpha=0.1) + middle).backward(seed)  # Add hands one array to both
    np.testing.assert_allclose(x.grad, alone + seed, rtol=1e-12)


@pytest.mark.parametrize("shape, weight_shape, options", [
    ((5, 4, 9, 12), (6, 2, 2, 3), {"stride": (1, 2), "padding": (1, 2), "groups": 2}), ((64, 1, 32, 32), (6, 1, 5, 5), {})])
def test_products_by_image_agree_with_the_plain_path(monkeypatch, shape, weight_shape, options):
    """The same columns in products of another size: rounding aside, the same numbers."""
    by_image = run(F.conv2d, shape, weight_shape, "float64", **options)
    monkeypatch.setattr(cpu, "convolution_maps", lambda *args: None)
    for value, expected in zip(by_image, run(F.conv2d, shape, weight_shape, "float64", **options)):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-11)


def test_one_window_agrees_with_windows_beside_it():
    """A kernel as large as the image is a fully connected layer; with zeros around the image it has other windows too."""
    shape, weight_shape = (3, 4, 5, 6), (6, 2, 5, 6)
    y, dx, dw, db = run(F.conv2d, shape, weight_shape, "float64", groups=2)
    random = np.random.default_rng(0).standard_normal
    x, w, b = (Tensor(random(s), requires_grad=True) for s in (shape, weight_shape, (6,)))
    padded = F.conv2d(x, w, b, padding=1, groups=2)[:, :, 1:2, 1:2]
    padded.backward(random(padded.shape))
    for value, expected in zip((y, dx, dw, db), (padded.data, x.grad, w.grad, b.grad)):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [ImageProducts, OneWindow])
def test_small_layers_take_the_way_that_is_meant_for_them(kind):
    shape, weight = ((2, 1, 12, 12), np.ones((3, 1, 5, 5))) if kind is ImageProducts else ((2, 1, 5, 5), np.ones((3, 1, 5, 5)))
    size = shape[2] - 4, shape[3] - 4
    assert type(Conv2d().maps(np.empty(shape), weight, size)) is kind
