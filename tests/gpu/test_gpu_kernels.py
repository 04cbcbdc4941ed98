"""Each kernel against its definition, written as plain loops, and against the CPU's kernel.

Without a GPU the very same CUDA text runs on the CPU (cuda_on_cpu.py). Sizes, strides, paddings and
types are drawn.
"""
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minialex.functional as F
from minialex import Tensor
from minialex.fast.im2col import col2im, im2col
from minialex.fast.normalization import lrn_backward, lrn_forward
from minialex.fast.pooling import max_pool_backward, max_pool_forward
from minialex.fast.sgd import sgd_update
from minialex.random import sequence

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
checked = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

dtypes = st.sampled_from([np.float32, np.float64])
seeds = st.integers(0, 2**32 - 1)
tolerance = {np.float32: 2e-6, np.float64: 1e-14}


@st.composite
def geometries(draw, largest_padding=lambda kernel: kernel):
    """(image shape, kernel_size, stride, padding), each direction on its own."""
    kernel, stride = (draw(st.tuples(*[st.integers(1, 5)] * 2)),
                      draw(st.tuples(*[st.integers(1, 4)] * 2)))
    padding = tuple(draw(st.integers(0, largest_padding(k))) for k in kernel)
    size = tuple(draw(st.integers(max(1, k - 2 * p), 9)) for k, p in zip(kernel, padding))
    return (draw(st.integers(1, 3)), draw(st.integers(1, 3)), *size), kernel, stride, padding


def output_size(shape, kernel, stride, padding):
    return tuple((s + 2 * p - k) // t + 1 for s, k, t, p in zip(shape[2:], kernel, stride, padding))


def taps(shape, kernel, stride, padding):
    """(oh, ow, kh, kw, h, w) of every window entry that meets a pixel."""
    OH, OW = output_size(shape, kernel, stride, padding)
    for oh, ow, kh, kw in itertools.product(range(OH), range(OW), range(kernel[0]),
                                            range(kernel[1])):
        h, w = oh * stride[0] - padding[0] + kh, ow * stride[1] - padding[1] + kw
        if 0 <= h < shape[2] and 0 <= w < shape[3]:
            yield oh, ow, kh, kw, h, w


def normal(seed, shape, dtype):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def dropout(x, p, key, first=0):
    """What ops/dropout.py computes, for a mask whose numbers begin at `first` of the sequence of
    `key`."""
    return x * ((sequence(key, first, x.size).reshape(x.shape) >= np.float32(p))
                * x.dtype.type(1 / (1 - p)))


# ------------------------------------------------------------------------------------------ columns


@checked
@given(geometry=geometries(), dtype=dtypes, seed=seeds)
def test_im2col(on_gpu, geometry, dtype, seed):
    shape, kernel, stride, padding = geometry
    x = normal(seed, shape, dtype)
    N, C = shape[:2]
    OH, OW = output_size(*geometry)
    expected = np.zeros((C, *kernel, N, OH, OW), dtype)
    for oh, ow, kh, kw, h, w in taps(*geometry):
        expected[:, kh, kw, :, oh, ow] = x[:, :, h, w].T
    columns = on_gpu("im2col", x, kernel, stride, padding)
    assert columns.dtype == dtype
    np.testing.assert_array_equal(columns, expected.reshape(-1, N, OH * OW))
    np.testing.assert_array_equal(columns, im2col(x, kernel, stride, padding))


@checked
@given(geometry=geometries(), dtype=dtypes, seed=seeds)
def test_im2col_into_columns_that_lie_image_by_image(cupy, gpu, geometry, dtype, seed):
    shape, kernel, stride, padding = geometry
    x = cupy.asarray(normal(seed, shape, dtype))
    K, N, P = gpu.im2col(x, kernel, stride, padding).shape
    out = cupy.empty((N, K, P), dtype=dtype)
    assert gpu.im2col(x, kernel, stride, padding, out=out.swapaxes(0, 1)).shape == (K, N, P)
    np.testing.assert_array_equal(out.get().swapaxes(0, 1),
                                  gpu.im2col(x, kernel, stride, padding).get())


@checked
@given(geometry=geometries(), dtype=dtypes, seed=seeds)
def test_col2im(on_gpu, geometry, dtype, seed):
    shape, kernel, stride, padding = geometry
    N, C = shape[:2]
    OH, OW = output_size(*geometry)
    columns = normal(seed, (C * kernel[0] * kernel[1], N, OH * OW), dtype)
    entries = columns.reshape(C, *kernel, N, OH, OW)
    expected = np.zeros(shape, dtype)
    for oh, ow, kh, kw, h, w in taps(*geometry):
        expected[:, :, h, w] += entries[:, kh, kw, :, oh, ow].T
    image = on_gpu("col2im", columns, shape, kernel, stride, padding)
    assert image.dtype == dtype
    np.testing.assert_allclose(image, expected, rtol=0, atol=60 * tolerance[dtype])
    np.testing.assert_array_equal(image, col2im(columns, shape, kernel, stride, padding),
                                  "not the CPU's order")


def test_col2im_is_the_transpose_of_im2col(on_gpu):
    shape, kernel, stride, padding = (2, 3, 11, 9), (3, 5), (2, 1), (1, 2)
    x = normal(1, shape, np.float64)
    columns = on_gpu("im2col", x, kernel, stride, padding)
    g = normal(2, columns.shape, np.float64)
    back = on_gpu("col2im", g, shape, kernel, stride, padding)
    assert np.vdot(columns, g) == pytest.approx(np.vdot(x, back), rel=1e-13)


# -------------------------------------------------------------------------------------- max-pooling


def pool_by_hand(x, kernel, stride, padding):
    """(y, argmax): the first window entry, row by row, that is the maximum; a NaN is more than any
    number."""
    OH, OW = output_size(x.shape, kernel, stride, padding)
    y, argmax = np.full((*x.shape[:2], OH, OW), -np.inf, x.dtype), np.zeros((*x.shape[:2], OH, OW),
                                                                            np.uint8)
    seen = np.zeros(y.shape, bool)
    for oh, ow, kh, kw, h, w in taps(x.shape, kernel, stride, padding):
        value, best = x[:, :, h, w], y[:, :, oh, ow]
        better = ~seen[:, :, oh, ow] | (value > best) | (np.isnan(value) & ~np.isnan(best))
        y[:, :, oh, ow][better] = value[better]
        argmax[:, :, oh, ow][better] = kh * kernel[1] + kw
        seen[:, :, oh, ow] = True
    return y, argmax


pooling = geometries(largest_padding=lambda kernel: kernel // 2)
levels = st.sampled_from([np.arange(-3, 3), np.array([0, 1, np.nan]),
                          np.array([-np.inf, -1, np.inf])])


@checked
@given(geometry=pooling, dtype=dtypes, seed=seeds, values=levels)
def test_max_pool_forward(on_gpu, geometry, dtype, seed, values):
    shape, *window = geometry
    # few values: ties everywhere
    x = np.random.default_rng(seed).choice(values, shape).astype(dtype)
    y, argmax = on_gpu("max_pool_forward", x, *window)
    expected_y, expected_argmax = pool_by_hand(x, *window)
    assert (y.dtype, argmax.dtype) == (dtype, np.uint8)
    np.testing.assert_array_equal(y, expected_y)
    np.testing.assert_array_equal(argmax, expected_argmax)
    on_cpu = max_pool_forward(x, *window)
    np.testing.assert_array_equal(y, on_cpu[0])
    if np.isfinite(x).all():
        np.testing.assert_array_equal(argmax, on_cpu[1])


@checked
@given(geometry=pooling, dtype=dtypes, seed=seeds)
def test_max_pool_backward(on_gpu, geometry, dtype, seed):
    shape, kernel, stride, padding = geometry
    x = np.random.default_rng(seed).integers(-3, 3, shape).astype(dtype)
    y, argmax = pool_by_hand(x, kernel, stride, padding)
    grad = normal(seed, y.shape, dtype)
    expected = np.zeros(shape, dtype)
    for oh, ow, kh, kw, h, w in taps(*geometry):
        expected[:, :, h, w] += grad[:, :, oh, ow] * (argmax[:, :, oh, ow] == kh * kernel[1] + kw)
    dx = on_gpu("max_pool_backward", grad, argmax, shape, kernel, stride, padding)
    assert dx.dtype == dtype
    np.testing.assert_allclose(dx, expected, rtol=0, atol=30 * tolerance[dtype])
    np.testing.assert_allclose(dx, max_pool_backward(grad, argmax, shape, kernel, stride, padding),
                               rtol=0, atol=30 * tolerance[dtype])


def test_the_largest_window_that_a_byte_can_number(on_gpu):
    x = np.zeros((1, 1, 16, 16), np.float32)
    x[0, 0, 15, 15] = 1
    y, argmax = on_gpu("max_pool_forward", x, (16, 16), (16, 16), (0, 0))
    assert (y.item(), argmax.item()) == (1, 255)
    np.testing.assert_array_equal(on_gpu("max_pool_backward", y, argmax, x.shape, (16, 16),
                                         (16, 16), (0, 0)), x)


# ------------------------------------------------------------------------------ local response norm

# size, α, β, k
norms = st.tuples(st.integers(1, 7), st.floats(1e-4, 0.5), st.floats(0.1, 1.5), st.floats(0.5, 3))


@st.composite
def towers(draw):
    """(shape of x, number of towers)"""
    groups = draw(st.integers(1, 3))
    N, C, H, W = draw(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 4),
                                st.integers(1, 4)))
    return (N, groups * C, H, W), groups


@checked
@given(tower=towers(), norm=norms, dtype=dtypes, seed=seeds)
def test_lrn(on_gpu, tower, norm, dtype, seed):
    (shape, groups), (size, alpha, beta, k) = tower, norm
    x, grad = normal(seed, shape, dtype), normal(seed + 1, shape, dtype)
    C = shape[1] // groups
    # window[j, i] = 1 where channel i is in the window of channel j
    window = np.zeros((shape[1], shape[1]))
    for j, i in itertools.product(range(shape[1]), repeat=2):
        window[j, i] = j // C == i // C and j - size // 2 <= i <= j + (size - 1) // 2
    x64, grad64 = x.astype(np.float64), grad.astype(np.float64)
    s = k + alpha * np.einsum("ji,nihw->njhw", window, x64**2)
    back = np.einsum("ji,njhw->nihw", window, grad64 * x64 * s ** (-beta - 1))

    y, scale = on_gpu("lrn_forward", x, size, alpha, beta, k, groups)
    dx = on_gpu("lrn_backward", grad, x, scale, size, alpha, beta, groups)
    assert y.dtype == scale.dtype == dx.dtype == dtype
    close = {"rtol": 10 * tolerance[dtype], "atol": 10 * tolerance[dtype]}
    np.testing.assert_allclose(scale, s, **close)
    np.testing.assert_allclose(y, x64 * s**-beta, **close)
    np.testing.assert_allclose(dx, grad64 * s**-beta - 2 * alpha * beta * x64 * back, **close)
    np.testing.assert_allclose(y, lrn_forward(x, size, alpha, beta, k, groups)[0], **close)
    np.testing.assert_allclose(dx, lrn_backward(grad, x, scale, size, alpha, beta, groups), **close)


# ------------------------------------------------------------------------------------------ dropout


@checked
@given(count=st.integers(0, 300), dtype=dtypes, seed=seeds, key=st.integers(0, 2**64 - 1),
       p=st.floats(0, 0.99), first=st.integers(0, 70))
def test_dropout_drops_what_numpys_philox_says(on_gpu, count, dtype, seed, key, p, first):
    x = normal(seed, count, dtype)
    drawn = np.random.Generator(np.random.Philox(key=key)).random(first + count,
                                                                  dtype=np.float32)[first:]
    expected = np.where(drawn >= np.float32(p), x * dtype(1 / (1 - p)), 0)
    y = on_gpu("dropout", x, p, key, first)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(y, dropout(x, p, key, first))


@pytest.mark.parametrize("size", [(1 << 15) - 1, 1 << 15, (1 << 15) + 1, 100_003])
def test_a_mask_does_not_depend_on_how_the_work_is_cut(on_gpu, size):
    x = np.ones(size, np.float32)
    whole = np.random.Generator(np.random.Philox(key=7)).random(size,
                                                                dtype=np.float32) >= np.float32(0.3)
    for y in (dropout(x, 0.3, 7), on_gpu("dropout", x, 0.3, 7)):
        np.testing.assert_array_equal(y > 0, whole)


# ----------------------------------------------------------------------------------------- the loss


@checked
@given(N=st.integers(1, 5), K=st.one_of(st.integers(1, 9), st.integers(250, 1030)), dtype=dtypes,
       seed=seeds, size=st.sampled_from([1, 50, 1000]))
def test_cross_entropy(on_gpu, N, K, dtype, seed, size):
    x, labels = normal(seed, (N, K),
                       dtype) * dtype(size), np.random.default_rng(seed).integers(0, K, N)
    wide = x.astype(np.longdouble)
    log_p = wide - wide.max(1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
    losses, gradient = on_gpu("cross_entropy", x, labels)
    assert losses.dtype == gradient.dtype == dtype
    logits, close = Tensor(x, requires_grad=True), {"atol": size * 5 * tolerance[dtype]}
    loss = F.cross_entropy(logits, labels)  # the book's, on the CPU
    loss.backward()
    np.testing.assert_allclose(losses, -log_p[range(N), labels], rtol=5 * tolerance[dtype], **close)
    np.testing.assert_allclose(loss.data, -log_p[range(N), labels].mean(),
                               rtol=5 * tolerance[dtype], **close)
    for ours in (gradient, logits.grad):
        np.testing.assert_allclose(ours, (np.exp(log_p) - np.eye(K)[labels]) / N, rtol=0, **close)


@pytest.mark.parametrize("label", [-1, 7, 2**40])
def test_a_label_that_is_no_class_makes_its_row_nan(on_gpu, label):
    x = normal(0, (3, 7), np.float32)
    losses, gradient = on_gpu("cross_entropy", x, np.array([0, label, 6]))
    assert np.isnan(losses).tolist() == [False, True, False]
    assert np.isnan(gradient).all(axis=1).tolist() == np.isnan(gradient).any(axis=1).tolist() == [
        False, True, False]


# --------------------------------------------------------------------------------------- the update


@checked
@given(count=st.integers(0, 700), dtype=dtypes, seed=seeds, lr=st.floats(0, 1),
       momentum=st.floats(0, 1), weight_decay=st.floats(0, 0.1))
def test_sgd_update(cupy, gpu, count, dtype, seed, lr, momentum, weight_decay):
    w, g, v = normal(seed, (3, count), dtype)
    expected_w, expected_v = w.copy(), v.copy()
    sgd_update(expected_w, g, expected_v, lr, momentum, weight_decay)
    weight, velocity = cupy.asarray(w), cupy.asarray(v)
    gpu.sgd_update(weight, cupy.asarray(g), velocity, lr, momentum, weight_decay)
    assert weight.dtype == velocity.dtype == dtype
    np.testing.assert_allclose(velocity.get(), expected_v, rtol=0, atol=8 * tolerance[dtype])
    np.testing.assert_allclose(weight.get(), expected_w, rtol=0, atol=8 * tolerance[dtype])


# -------------------------------------------------------------------------------------- all of them


def one_of_each(dtype):
    """(name, arguments) for every kernel, each with several blocks of threads."""
    x, window = normal(0, (3, 6, 13, 12), dtype), ((3, 2), (2, 1), (1, 1))
    columns = im2col(x, *window)
    y, argmax = max_pool_forward(x, *window)
    scale = 1 + x * x
    turned = x[::-1].copy()
    return [("im2col", (x, *window)),
            ("col2im", (columns, x.shape, *window)),
            ("max_pool_forward", (x, *window)),
            ("max_pool_backward", (y, argmax, x.shape, *window)),
            ("lrn_forward", (x, 5, 0.1, 0.75, 2, 2)),
            ("lrn_backward", (turned, x, scale, 5, 0.1, 0.75, 2)),
            ("dropout", (x, 0.3, 12345678901234567890)),
            ("cross_entropy", (x.reshape(9, -1), np.arange(9))),
            ("sgd_update", (x, turned, scale, 0.1, 0.9, 1e-3))]


def results(cupy, gpu, name, arguments):
    """What a kernel returns and what it changes in place, as NumPy arrays."""
    arrays = [cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    returned = getattr(gpu, name)(*arrays)
    returned = returned if isinstance(returned, tuple) else (returned,)
    return [a.get() for a in (*returned, *arrays) if isinstance(a, cupy.ndarray)]


def test_every_kernel_is_among_them(gpu):
    assert [name for name, _ in one_of_each(np.float32)] == list(gpu.KERNELS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threads, most_blocks", [(256, 1 << 20), (7, 3), (1, 1), (1024, 2)])
@pytest.mark.parametrize("short", [1 << 30, 0], ids=["int", "long long"])
def test_launch_sizes_and_index_types_change_no_bit(cupy, gpu, monkeypatch, dtype, threads,
                                                    most_blocks, short):
    for name, arguments in one_of_each(dtype):
        monkeypatch.undo()
        expected = results(cupy, gpu, name, arguments)
        monkeypatch.setattr(gpu, "_THREADS", threads)
        monkeypatch.setattr(gpu, "_MOST_BLOCKS", most_blocks)
        monkeypatch.setattr(gpu, "_SHORT", short)
        for value, other in zip(expected, results(cupy, gpu, name, arguments)):
            np.testing.assert_array_equal(value, other, name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_order_of_threads_changes_no_bit(fake_cupy, monkeypatch, dtype):
    from minialex.fast import gpu
    for name, arguments in one_of_each(dtype):
        monkeypatch.setattr(fake_cupy.state, "backwards", False)
        expected = results(fake_cupy, gpu, name, arguments)
        monkeypatch.setattr(fake_cupy.state, "backwards", True)
        for value, other in zip(expected, results(fake_cupy, gpu, name, arguments)):
            np.testing.assert_array_equal(value, other, name)


def test_strided_inputs_are_read_in_their_own_order(cupy, gpu):
    x = normal(0, (4, 6, 9, 8), np.float32)
    view = cupy.asarray(x).transpose(0, 1, 3, 2)[::2]
    same = cupy.asarray(np.ascontiguousarray(x.transpose(0, 1, 3, 2)[::2]))
    window = (3, 3), (2, 2), (1, 1)
    y, argmax = gpu.max_pool_forward(same, *window)
    big = cupy.asarray(np.repeat(y.get(), 2, axis=3))[..., ::2]
    for name, strided, dense in [("im2col", (view, *window), (same, *window)),
                                 ("max_pool_forward", (view, *window), (same, *window)),
                                 ("max_pool_backward", (big, argmax, same.shape, *window),
                                  (y, argmax, same.shape, *window)),
                                 ("lrn_forward", (view, 5, 0.1, 0.75, 2.0, 2),
                                  (same, 5, 0.1, 0.75, 2.0, 2)),
                                 ("lrn_backward", (view, view, view * view, 5, 0.1, 0.75, 1),
                                  (same, same, same * same, 5, 0.1, 0.75, 1))]:
        results_of = [r if isinstance(r, tuple) else (r,)
                      for r in (getattr(gpu, name)(*a) for a in (strided, dense))]
        for one, other in zip(*results_of):
            np.testing.assert_array_equal(one.get(), other.get(), name)


def test_empty_batches_launch_nothing(cupy, gpu):
    x = cupy.zeros((0, 2, 5, 5), dtype=np.float32)
    assert gpu.im2col(x, (3, 3), (1, 1), (0, 0)).shape == (18, 0, 9)
    assert gpu.max_pool_forward(x, (3, 3), (2, 2), (0, 0))[0].shape == (0, 2, 2, 2)
    assert gpu.lrn_forward(x, 5, 1e-4, 0.75, 2.0, 1)[0].shape == x.shape
