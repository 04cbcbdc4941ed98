"""Arithmetic: values as NumPy computes them, gradients of broadcast operands, corner cases of max,
pow and indexing."""
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minialex as ma
from minialex.ops.arithmetic import unbroadcast

few = settings(max_examples=40, deadline=None)
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
broadcast_shapes = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4)


def positive(shape, seed):
    """Away from 0, where / and ** have no derivative."""
    return np.random.default_rng(seed).uniform(0.5, 2.0, shape)


@given(broadcast_shapes, st.sampled_from(BINARY))
@few
def test_values_and_gradient_shapes_under_broadcasting(shapes, operation):
    (a_shape, b_shape), result_shape = shapes.input_shapes, shapes.result_shape
    a, b = (ma.Tensor(positive(shape, seed), requires_grad=True)
            for seed, shape in enumerate((a_shape, b_shape)))
    y = operation(a, b)
    assert np.array_equal(y.data, operation(a.data, b.data)) and y.shape == result_shape
    y.sum().backward()
    assert a.grad.shape == a_shape and b.grad.shape == b_shape


@given(broadcast_shapes)
@few
def test_unbroadcast_is_the_transpose_of_broadcasting(shapes):
    """⟨broadcast(a), g⟩ = ⟨a, unbroadcast(g)⟩ for every a and g."""
    a = positive(shapes.input_shapes[0], 0)
    g = positive(shapes.result_shape, 1)
    back = unbroadcast(g, a.shape)
    assert back.shape == a.shape
    assert np.isclose((np.broadcast_to(a, g.shape) * g).sum(), (a * back).sum())


def gradients(f, *arrays):
    tensors = [ma.Tensor(np.asarray(array, float), requires_grad=True) for array in arrays]
    f(*tensors).sum().backward()
    return [tensor.grad.tolist() for tensor in tensors]


@pytest.mark.parametrize("f, inputs, expected", [
    (lambda a, b: a + b, ([3], [4]), [[1], [1]]),
    (lambda a, b: a - b, ([3], [4]), [[1], [-1]]),
    (lambda a, b: a * b, ([3], [4]), [[4], [3]]),
    (lambda a, b: a / b, ([3], [4]), [[1 / 4], [-3 / 16]]),
    (lambda a, b: a ** b, ([2], [3]), [[12], [8 * np.log(2)]]),
    (lambda a: 1 - a, ([3],), [[-1]]),
    (lambda a: 8 / a, ([4],), [[-0.5]]),
    (lambda a: 2 ** a, ([3],), [[8 * np.log(2)]]),
    (lambda a: -a, ([3],), [[-1]]),
    (lambda a: a.exp(), ([0],), [[1]]),
    (lambda a: a.log(), ([4],), [[0.25]]),
    (lambda a: a.mean(), ([1, 2, 3, 4],), [[0.25] * 4]),
], ids=lambda part: "" if callable(part) else str(part))
def test_derivatives_that_one_can_do_in_ones_head(f, inputs, expected):
    assert np.allclose(gradients(f, *inputs), expected, rtol=1e-15)


def test_powers_at_zero_are_finite():
    x = ma.Tensor(np.array([0.0, 0.0, 3.0]), requires_grad=True)
    n = ma.Tensor(np.array([2.0, 0.0, 0.0]), requires_grad=True)
    y = x ** n
    y.sum().backward()
    assert y.data.tolist() == [0, 1, 1]
    assert x.grad.tolist() == [0, 0, 0] and np.allclose(n.grad, [0, 0, np.log(3)])


# --------------------------------------------------------------------------------------- reductions


@st.composite
def arrays_with_axes(draw):
    shape = draw(hnp.array_shapes(max_dims=4, max_side=4))
    axes = draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1),
                          hnp.valid_tuple_axes(len(shape), min_size=1)))
    return np.random.default_rng(len(shape)).standard_normal(shape), axes, draw(st.booleans())


@given(arrays_with_axes(), st.sampled_from(["sum", "mean", "max"]))
@few
def test_reductions_agree_with_numpy(case, name):
    array, axes, keepdims = case
    x = ma.Tensor(array, requires_grad=True)
    y = getattr(x, name)(axis=axes, keepdims=keepdims)
    assert np.allclose(y.data, getattr(array, name)(axis=axes, keepdims=keepdims), rtol=1e-14)
    y.backward(np.ones(y.shape))
    each = {"sum": array.size, "mean": y.size, "max": y.size}[name]  # the sum of all gradients
    assert x.grad.shape == array.shape and np.isclose(x.grad.sum(), each)


def test_axes_may_be_given_as_a_list():
    x = ma.Tensor(np.ones((2, 3, 4)))
    assert x.sum(axis=[0, -1]).shape == (3,)


def test_a_tied_maximum_sends_its_gradient_to_the_first_place_only():
    x = ma.Tensor(np.array([[1.0, 5, 5], [5, 2, 5]]), requires_grad=True)
    x.max().backward()
    assert x.grad.tolist() == [[0, 1, 0], [0, 0, 0]]
    x.grad = None
    x.max(axis=1).backward(np.array([10.0, 20.0]))
    assert x.grad.tolist() == [[0, 10, 0], [20, 0, 0]]
    x.grad = None
    x.max(axis=0, keepdims=True).backward(np.array([[1.0, 2.0, 3.0]]))
    assert x.grad.tolist() == [[0, 2, 3], [1, 0, 0]]


def test_maximum_over_axes_that_are_not_the_last_ones():
    array = np.random.default_rng(0).permutation(24.0 * np.arange(1, 25)).reshape(2, 3, 4)
    x = ma.Tensor(array, requires_grad=True)
    seed = np.array([1.0, 2.0, 3.0])
    x.max(axis=(2, 0)).backward(seed)
    expected = np.zeros_like(array)
    for j in range(3):
        i, k = np.unravel_index(array[:, j].argmax(), (2, 4))
        expected[i, j, k] = seed[j]
    assert np.array_equal(x.grad, expected)


# ------------------------------------------------------------------------------------------- shapes


@given(hnp.array_shapes(min_dims=1, max_dims=4, max_side=4), st.data())
@few
def test_transpose_and_its_gradient_undo_each_other(shape, data):
    axes = data.draw(st.permutations(range(len(shape))))
    signed = [a - data.draw(st.sampled_from([0, len(shape)])) for a in axes]
    x = ma.Tensor(positive(shape, 0), requires_grad=True)
    y = x.transpose(*signed)
    assert np.array_equal(y.data, x.data.transpose(axes))
    y.backward(y.data)
    assert np.array_equal(x.grad, x.data)


def test_transpose_without_axes_reverses_them():
    x = ma.Tensor(np.zeros((2, 3, 4)))
    assert x.transpose().shape == x.T.shape == (4, 3, 2) and x.transpose((1, 0, 2)).shape == (3, 2,
                                                                                              4)


@pytest.mark.parametrize("shape", [(6, 4), (2, -1), (-1,), (2, 3, 2, 2)])
def test_reshape_and_its_gradient_undo_each_other(shape):
    x = ma.Tensor(positive((2, 3, 4), 0), requires_grad=True)
    for y in (x.reshape(*shape), x.reshape(shape), x.reshape(list(shape))):
        assert np.array_equal(y.data, x.data.reshape(shape))
    y.backward(y.data)
    assert np.array_equal(x.grad, x.data)


INDICES = [0, -1, slice(None), slice(None, None, -2), ..., (slice(None), 1), (..., 2), (None, 1),
           ([0, 2], [1, 1]), [2, 0, 2], np.array([True, False, True]),
           (slice(None), np.array([0, 0, 3])), (1, slice(0, 3))]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing_is_numpys_and_its_gradient_is_its_transpose(index):
    x = ma.Tensor(positive((3, 4), 0), requires_grad=True)
    y = x[index]
    assert np.array_equal(y.data, x.data[index])
    seed = positive(y.shape, 1)
    y.backward(seed)
    direction = positive((3, 4), 2)
    assert np.isclose((seed * direction[index]).sum(), (x.grad * direction).sum())


MATRICES = [((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (2, 4, 5)),
            ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (6, 4, 5)), ((4,), (2, 4, 5)), ((2, 3, 4), (4,)),
            ((1, 3, 4), (5, 4, 2))]


@pytest.mark.parametrize("a_shape, b_shape", MATRICES, ids=str)
def test_matrix_products_and_their_gradients(a_shape, b_shape):
    """d/dt ⟨seed, (a + t·da) @ b⟩ = ⟨seed, da @ b⟩ must be ⟨a.grad, da⟩, and the same for b: the
    product is linear in each."""
    a, b = (ma.Tensor(positive(shape, seed), requires_grad=True)
            for seed, shape in enumerate((a_shape, b_shape)))
    y = a @ b
    assert np.allclose(y.data, a.data @ b.data, rtol=1e-14)
    seed, da, db = positive(y.shape, 2), positive(a_shape, 3), positive(b_shape, 4)
    y.backward(seed)
    assert a.grad.shape == a_shape and b.grad.shape == b_shape
    assert np.isclose((seed * (da @ b.data)).sum(), (a.grad * da).sum())
    assert np.isclose((seed * (a.data @ db)).sum(), (b.grad * db).sum())
