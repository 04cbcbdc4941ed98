"""Every fast implementation against the book, over shapes that Hypothesis draws: output and all
gradients."""
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minialex as ma
import minialex.functional as F
from minialex import ops
from minialex.fast import dispatch
from minialex.fast.layout import CHANNELS_LAST, IMAGES_LAST, WRITTEN

checked = settings(max_examples=40, deadline=None)
small = st.integers(1, 4)
pairs = st.tuples(small, small)
sizes = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(8, 14), st.integers(8, 14))
orders = st.sampled_from([WRITTEN, CHANNELS_LAST, IMAGES_LAST])
kinds = st.sampled_from([("float64", 1e-12), ("float32", 1e-5)])


def both_ways(function, arrays):
    """[output, gradients …] in the fast way and by the book."""
    results = []
    for way in (False, True):
        ma.manual_seed(3)
        tensors = [ma.Tensor(array, requires_grad=True) for array in arrays]
        if way:
            with ma.textbook():
                y = function(*tensors)
        else:
            y = function(*tensors)
        seed = np.random.default_rng(7).standard_normal(y.shape).astype(y.dtype)
        y.backward(seed)
        results.append([y, *(tensor.grad for tensor in tensors)])
    (fast, *gradients), (book, *expected) = results
    return fast.creator, book.creator, [fast.data, *gradients], [book.data, *expected]


def agree(function, arrays, tolerance, kind):
    fast, book, values, expected = both_ways(function, arrays)
    assert type(book) is kind and type(fast) is not kind and isinstance(fast, kind)
    for value, right in zip(values, expected):
        assert value.shape == right.shape and value.dtype == right.dtype
        np.testing.assert_allclose(value, right, rtol=tolerance,
                                   atol=tolerance * max(1, np.abs(right).max()))


def images(shape, dtype, order=WRITTEN, seed=0, ties=False):
    x = np.random.default_rng(seed).standard_normal(shape)
    x = (np.round(2 * x) if ties else x).astype(dtype)
    return x if order == WRITTEN else np.ascontiguousarray(x.transpose(order)).transpose(
        np.argsort(order))


@checked
@given(sizes, pairs, pairs, st.booleans(), orders, kinds)
def test_max_pooling(shape, kernel, stride, padded, order, kind):
    padding = tuple(k // 2 for k in kernel) if padded else 0
    x = images(shape, kind[0], order, ties=True)
    agree(lambda x: F.max_pool2d(x, kernel, stride, padding), [x], kind[1], ops.MaxPool2d)


@checked
@given(sizes, pairs, pairs, orders, kinds)
def test_average_pooling(shape, kernel, stride, order, kind):
    agree(lambda x: F.avg_pool2d(x, kernel, stride), [images(shape, kind[0], order)], kind[1],
          ops.AvgPool2d)


@checked
@given(sizes, st.integers(1, 3), st.integers(1, 7), st.floats(0.01, 1),
       st.sampled_from([0.5, 0.75, 1.0]), orders, kinds)
def test_local_response_norm(shape, groups, size, alpha, beta, order, kind):
    x = images((shape[0], shape[1] * groups, *shape[2:]), kind[0], order)
    agree(lambda x: F.local_response_norm(x, size, alpha, beta, 2.0, groups), [x], kind[1],
          ops.LocalResponseNorm)


@checked
@given(st.sampled_from([(F.relu, ops.ReLU), (F.tanh, ops.Tanh)]), sizes, orders, kinds)
def test_activations(function, shape, order, kind):
    agree(function[0], [images(shape, kind[0], order)], kind[1], function[1])


@checked
@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 60), st.booleans(), kinds)
def test_linear(N, inputs, outputs, bias, kind):
    arrays = [images(shape, kind[0], WRITTEN, seed)
              for seed, shape in enumerate([(N, inputs), (outputs, inputs), (outputs,)])]
    agree(F.linear, arrays if bias else arrays[:2], kind[1], ops.Linear)


@checked
@given(st.integers(1, 3000), st.floats(0, 1), st.floats(0, 0.99), st.floats(0, 0.1), kinds)
def test_the_update(size, lr, momentum, weight_decay, kind):
    ways = []
    for update in (ops.sgd_update,
                   dispatch.implementation(ops.sgd_update, np.zeros(size, kind[0]))):
        w, g, v = (images(size, kind[0], WRITTEN, seed) for seed in range(3))
        update(w, g, v, lr, momentum, weight_decay)
        ways.append((w, v))
    assert dispatch.implementation(ops.sgd_update, np.zeros(size, kind[0])) is not ops.sgd_update
    np.testing.assert_allclose(ways[0], ways[1], rtol=kind[1], atol=kind[1])


@pytest.mark.parametrize("row", dispatch.on_the_cpu() + dispatch.on_a_gpu(),
                         ids=lambda row: f"{row.device} {row.words}"[:40])
def test_each_row_is_tested_somewhere(row):
    """The CPU's rows here and in test_convolution.py, a GPU's in tests/gpu: a new operation needs a
    test of its own."""
    both = {ops.Conv2d, ops.Linear, ops.ReLU, ops.Tanh, ops.MaxPool2d, ops.AvgPool2d,
            ops.LocalResponseNorm, ops.sgd_update}
    assert row.operation in (both if row.device == "cpu"
                             else both | {ops.Dropout, ops.CrossEntropy})
