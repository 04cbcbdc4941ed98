"""Convolutions by tiles on a GPU against the book's, over drawn shapes; without a GPU the same CUDA
text runs on the CPU."""
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standin import no_waiting

import minialex as ma
import minialex.functional as F
from minialex import Tensor
from minialex.device import to_device, to_numpy
from minialex.fast.dispatch import explain

checked = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def convolutions(draw):
    """(shape of x, shape of weight, stride, padding, groups) that tiles serve."""
    groups, stride = draw(st.sampled_from([(1, 1), (2, 1), (1, 2), (1, 4)]))
    K = draw(st.sampled_from({1: [3, 5], 2: [5, 6, 9], 4: [9, 11, 12]}[stride]))
    channels = groups * -(-32 // stride**2) + groups * draw(st.integers(0, 2))
    padding = draw(st.tuples(st.integers(0, K // 2), st.integers(0, K // 2)))
    size = [draw(st.integers(max(1, K - 2 * P), 2 * K + 3 * stride)) for P in padding]
    C_out = groups * draw(st.integers(32, 34))
    return (draw(st.integers(4, 8)), channels, *size), (C_out, channels // groups, K,
                                                        K), stride, padding, groups


def both_ways(device, case, dtype, seed, bias=True):
    """[y, dx, dweight, dbias], NumPy arrays."""
    x_shape, w_shape, stride, padding, groups = case
    rng = np.random.default_rng(seed)
    x, w, b = (Tensor(to_device(rng.standard_normal(shape).astype(dtype), device),
                      requires_grad=True) for shape in (x_shape, w_shape, w_shape[:1]))
    y = F.conv2d(x, w, b if bias else None, stride, padding, groups)
    y.backward(to_device(rng.standard_normal(y.shape).astype(dtype), device))
    return [y.numpy(), *[to_numpy(tensor.grad) for tensor in (x, w, b)[:2 + bias]]]


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-10), (np.float32, 1e-4)])
@checked
@given(case=convolutions(), seed=st.integers(0, 2**32 - 1))
def test_tiles_give_what_the_book_gives(cuda, dtype, tolerance, case, seed):
    with ma.textbook():
        expected = both_ways("cpu", case, np.float64, seed)
    for found, right in zip(both_ways(cuda, case, dtype, seed), expected, strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, right, rtol=0, atol=tolerance * np.abs(right).max())


CASES = {"conv1": ((4, 3, 35, 35), (32, 3, 11, 11), 4, 0, 1),
         "conv2": ((4, 64, 9, 8), (64, 32, 5, 5), 1, 2, 2),
         "conv3": ((8, 32, 13, 13), (32, 32, 3, 3), 1, 1, 1)}


@pytest.mark.parametrize("name", CASES)
def test_what_serves_them(cuda, monkeypatch, name):
    x, w = (Tensor(to_device(np.ones(shape, np.float32), cuda)) for shape in CASES[name][:2])
    options = dict(zip(("stride", "padding", "groups"), CASES[name][2:]))
    assert "fast/gpu_winograd.py" in explain(F.conv2d, x, w, **options)
    monkeypatch.setenv("CUPY_TF32", "1")
    assert "fast/gpu.py" in explain(F.conv2d, x, w, **options)


@pytest.mark.parametrize("name", CASES)
def test_no_bias_and_relu_as_epilogue(cuda, name):
    found_and_right = (both_ways(device, CASES[name], np.float64, seed=1, bias=False)
                       for device in (cuda, "cpu"))
    for found, right in zip(*found_and_right, strict=True):
        np.testing.assert_allclose(found, right, rtol=0, atol=1e-11 * np.abs(right).max())
    x, w = (np.random.default_rng(2).standard_normal(shape) for shape in CASES[name][:2])
    outputs = [F.conv2d_relu(Tensor(to_device(x, device)), Tensor(to_device(w, device)), None,
                             *CASES[name][2:]).numpy() for device in ("cpu", cuda)]
    assert (outputs[1] >= 0).all()
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=0,
                               atol=1e-11 * np.abs(outputs[0]).max())


@pytest.mark.parametrize("name", CASES)
def test_threads_and_index_types_change_no_bit(fake_cupy, monkeypatch, name):
    from minialex.fast import gpu
    expected = both_ways("cuda:0", CASES[name], np.float32, 3)
    monkeypatch.setattr(fake_cupy.state, "backwards", True)
    monkeypatch.setattr(gpu, "_THREADS", 7)
    monkeypatch.setattr(gpu, "_SHORT", 0)
    for found, right in zip(both_ways("cuda:0", CASES[name], np.float32, 3), expected):
        np.testing.assert_array_equal(found, right)


def test_slices_of_a_batch_give_the_same(fake_cupy, monkeypatch):
    """Images one by one, where memory is short."""
    from minialex.fast import gpu_winograd
    expected = both_ways("cuda:0", CASES["conv3"], np.float64, 4)
    monkeypatch.setattr(gpu_winograd, "images_at_a_time", lambda count: 3)
    for found, right in zip(both_ways("cuda:0", CASES["conv3"], np.float64, 4), expected):
        np.testing.assert_allclose(found, right, rtol=0, atol=1e-12 * np.abs(right).max())


def test_the_host_never_waits(fake_cupy):
    x, w = (Tensor(to_device(np.ones(shape, np.float32), "cuda:0"), requires_grad=True)
            for shape in CASES["conv3"][:2])
    with no_waiting(fake_cupy):
        F.conv2d(x, w, padding=1).sum().backward()
    assert x.grad.shape == x.shape
