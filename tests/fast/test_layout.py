"""Images may lie in memory channels last or images last: every operation gives the same numbers,
and keeps the order."""
import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex.fast import normalization, pooling, threads
from minialex.fast.layout import (
    CHANNELS_LAST,
    IMAGES_LAST,
    WRITTEN,
    arranged,
    channels_last,
    empty_like,
    lies_like,
    order,
)
from minialex.fast.normalization import lrn_backward, lrn_forward
from minialex.fast.pooling import max_pool_backward, max_pool_forward
from minialex.fast.threads import for_blocks


def numbers(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def turned(x, axes=CHANNELS_LAST):
    """The same images in another memory order."""
    return np.ascontiguousarray(x.transpose(axes)).transpose(np.argsort(axes))


def forward_and_backward(operation, x, gradient):
    ma.manual_seed(0)
    tensor = ma.Tensor(x, requires_grad=True)
    y = operation(tensor)
    y.backward(gradient)
    return y.data, tensor.grad


KEEPS_ORDER = {
    "max_pool2d": (lambda x: F.max_pool2d(x, 3, 2), 0),
    "max_pool2d, padding": (lambda x: F.max_pool2d(x, 3, 2, 1), 0),
    "max_pool2d, no overlap": (lambda x: F.max_pool2d(x, 2), 0),
    "max_pool2d, gaps": (lambda x: F.max_pool2d(x, (1, 2), (3, 4), (0, 1)), 0),
    "max_pool2d, all overlap": (lambda x: F.max_pool2d(x, (4, 3), 1, (2, 1)), 0),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 3, 2), 0),
    "relu": (F.relu, 0),
    "tanh": (F.tanh, 0),
    "response norm": (lambda x: F.local_response_norm(x, 5, 0.1), 1e-6),
    "response norm, towers": (lambda x: F.local_response_norm(x, 5, 0.1, groups=2), 1e-6),
    "response norm, even window": (lambda x: F.local_response_norm(x, 4, 0.1, groups=3), 1e-6),
    "response norm, window of one": (lambda x: F.local_response_norm(x, 1, 0.1), 1e-6),
    "response norm, window larger than the tower": (
    lambda x: F.local_response_norm(x, 9, 0.1, groups=2), 1e-6),
}
OTHERS = {
    "sigmoid": (F.sigmoid, 0),
    "map response norm": (F.map_response_norm, 1e-6),
    "max_pool2d, by the book": (lambda x: F.max_pool2d(x, (20, 16), (20, 16), (9, 8)), 0),
    "dropout": (lambda x: F.dropout(x, 0.4), 0),
    "flatten": (lambda x: x.reshape(len(x), -1) * 2, 0),
    "zero_pad2d": (lambda x: F.zero_pad2d(x, 1, 2, 0, 3), 0),
    "conv2d": (lambda x: F.conv2d(x, numbers(4, 6, 3, 3, seed=3), padding=1), 1e-5),
}


@pytest.fixture(params=[1 << 18, 100], ids=["one part", "many parts"])
def parts(request, monkeypatch):
    """With parts of 100 numbers these small images take many, as large ones do."""
    for module in (threads, normalization, pooling):
        monkeypatch.setattr(module, "_BLOCK", request.param)


@pytest.mark.parametrize("shape", [(3, 6, 9, 8), (17, 6, 13, 11), (2, 6, 4, 3), (1, 6, 5, 5)])
@pytest.mark.parametrize("name", [*KEEPS_ORDER, *OTHERS])
@pytest.mark.parametrize("axes", [CHANNELS_LAST, IMAGES_LAST])
def test_all_orders_give_the_same(name, shape, axes, parts):
    operation, tolerance = {**KEEPS_ORDER, **OTHERS}[name]
    x = np.round(numbers(*shape) * 2)  # full of ties
    gradient = numbers(*operation(ma.Tensor(x)).shape, seed=1)
    y, dx = forward_and_backward(operation, x, gradient)
    for its_gradient in (gradient, turned(gradient, axes) if gradient.ndim == 4 else gradient):
        other_y, other_dx = forward_and_backward(operation, turned(x, axes), its_gradient)
        for one, other in ((y, other_y), (dx, other_dx)):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(other, one, rtol=tolerance, atol=tolerance)
            if name in KEEPS_ORDER and its_gradient is not gradient and y[0, 0].size > 1:
                assert lies_like(other, turned(x, axes)) and lies_like(one, x)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("axes", [CHANNELS_LAST, IMAGES_LAST])
def test_max_pooling_of_every_type_and_value(dtype, axes):
    x = np.random.default_rng(0).choice(np.array([0, 1, np.nan, np.inf, -np.inf], dtype),
                                        (5, 3, 9, 9))
    window = (3, 3), (2, 2), (1, 1)
    (y, argmax), (other_y, other_argmax) = (max_pool_forward(x, *window),
                                            max_pool_forward(turned(x, axes), *window))
    np.testing.assert_array_equal(other_y, y)
    np.testing.assert_array_equal(other_argmax, argmax)
    gradient = numbers(*y.shape, dtype=dtype)
    if dtype is not np.longdouble:
        # they reach the winners and nobody else
        gradient[0, 0, 1, 1], gradient[1, 1, 2, 2] = np.inf, np.nan
    dx = max_pool_backward(gradient, argmax, x.shape, *window)
    other = max_pool_backward(turned(gradient, axes), other_argmax, x.shape, *window)
    assert np.isfinite(dx).sum() >= dx.size - 2
    np.testing.assert_array_equal(other, dx)


def test_response_norm_may_write_into_a_gradient_that_nobody_else_needs():
    x, grad = turned(numbers(3, 6, 5, 4)), turned(numbers(3, 6, 5, 4, seed=1))
    y, scale = lrn_forward(x, 5, 0.1, 0.75, 2.0, 2)
    dx = lrn_backward(grad.copy(order="K"), x, scale, 5, 0.1, 0.75, 2)
    in_place = lrn_backward(grad, x, scale, 5, 0.1, 0.75, 2, overwrite=True)
    assert in_place is grad
    np.testing.assert_array_equal(in_place, dx)


def test_a_gradient_given_from_outside_is_left_alone():
    x, gradient = turned(numbers(3, 6, 5, 4)), turned(numbers(3, 6, 5, 4, seed=1))
    before = gradient.copy()
    for g in (gradient, gradient[:, :, ::-1]):
        forward_and_backward(lambda x: F.local_response_norm(x), x, g)
    np.testing.assert_array_equal(gradient, before)


def test_gradients_of_both_orders_are_added_up():
    x = numbers(3, 6, 5, 5)
    w = turned(numbers(3, 6, 5, 5, seed=2))
    _, dx = forward_and_backward(lambda t: (F.relu(t) * ma.Tensor(w) + F.tanh(t)).sum(), x, None)
    _, other = forward_and_backward(lambda t: (F.relu(t) * ma.Tensor(w) + F.tanh(t)).sum(),
                                    turned(x), None)
    np.testing.assert_array_equal(other, dx)


def test_blocks_of_arrays_that_lie_in_the_same_order():
    parts, x = [], turned(numbers(8, 32, 30, 30))
    other = np.zeros_like(x)

    def add(a, b):
        parts.append(a.size)
        b += a

    for_blocks(add, x, other)
    assert len(parts) > 1 and np.array_equal(x, other)
    for_blocks(add, x, np.zeros(x.shape, x.dtype))
    assert parts[-1] == x.size  # no order in common: everything at once


def test_what_lies_how():
    x = numbers(3, 4, 5, 6)
    last = turned(x)
    assert channels_last(last) and not channels_last(x) and not channels_last(
        x[:2]) and not channels_last(last[:2])
    assert not channels_last(x[0]) and not channels_last(turned(numbers(3, 4, 1, 1)))
    assert lies_like(last, last) and not lies_like(x, last) and not lies_like(last, x)
    assert arranged(x) is x and np.shares_memory(arranged(last),
                                                 last) and lies_like(arranged(x, like=last), last)
    assert np.array_equal(arranged(x, like=last), x) and arranged(last[:, ::2]).flags.c_contiguous
    assert channels_last(empty_like(last, (2, 3, 4, 5),
                                    np.uint8)) and empty_like(x, (2, 3)).shape == (2, 3)
    for axes in (WRITTEN, CHANNELS_LAST, IMAGES_LAST):
        it = turned(numbers(9, 4, 5, 6), axes)  # nine: copied eight at a time
        assert order(it) == axes and order(empty_like(it, (2, 3, 4, 5), name="test")) == axes
        for other in (WRITTEN, CHANNELS_LAST, IMAGES_LAST):
            copy = arranged(it, like=turned(it, other))
            assert order(copy) == other and np.array_equal(copy, it)


@pytest.mark.parametrize("function", [F.relu, F.tanh, F.sigmoid])
def test_a_single_number_keeps_its_shape(function):
    x = ma.Tensor(np.array(2.0), requires_grad=True)
    y = function(x)
    y.backward()
    assert y.shape == x.grad.shape == ()
    assert arranged(x.data) is x.data
