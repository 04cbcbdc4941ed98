"""NumPy's functions on a Tensor say what to do instead, and a masked array is no Tensor: its mask
would be lost."""
import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex import nn, optim

CALLS = [np.sum, np.mean, np.max, np.min, np.prod, np.std, np.argmax, np.sort, np.cumsum,
         np.transpose, np.reshape, np.clip, np.linalg.norm, np.fft.fft, np.asarray, np.array,
         np.dot, np.concatenate, np.stack, np.vstack, np.where, np.allclose, np.array_equal,
         np.einsum, np.tensordot, np.pad, np.repeat, np.ones_like, np.testing.assert_allclose]
MORE = {np.reshape: [(2, 1)], np.clip: [0, 1], np.dot: [np.ones(2)], np.allclose: [np.ones(2)],
        np.array_equal: [np.ones(2)], np.tensordot: [np.ones(2), 1], np.pad: [1], np.repeat: [2],
        np.testing.assert_allclose: [np.ones(2)]}


@pytest.mark.parametrize("function", CALLS, ids=lambda function: function.__name__)
def test_a_function_of_numpy_is_refused_with_a_sentence(function):
    t = ma.Tensor([1.0, 2.0], requires_grad=True)
    first = {np.concatenate: [[t, t]], np.stack: [[t.data, t]], np.vstack: [[t]],
             np.where: [t.data > 1, t, t], np.einsum: ["i,i", t, np.ones(2)]}.get(function, [t])
    with pytest.raises(TypeError, match=r"NumPy needs an array, not a Tensor: "
                       r"use \.data .* or \.numpy\(\)"):
        function(*first, *MORE.get(function, []))


@pytest.mark.parametrize("function",
                         [np.exp, np.add.reduce, np.isnan, lambda t: np.add(np.ones(2), 1, out=t)])
def test_so_is_a_ufunc(function):
    with pytest.raises(TypeError, match="NumPy needs an array, not a Tensor"):
        function(ma.Tensor([1.0, 2.0]))


@pytest.mark.parametrize("call, instead", [
    (np.exp, "x.exp() instead of np.exp"), (lambda t: np.maximum(0, t), "F.relu(x)"),
    (np.sqrt, "x ** 0.5"), (lambda t: np.maximum(t, 0.0), "F.relu(x)"),
    (lambda t: np.dot(2, t), "x * y instead of np.dot"),
    (lambda t: np.dot(t, np.float64(2)), "x * y"), (lambda t: np.dot(np.eye(2), t), "x @ y"),
    (lambda t: np.dot(t, t), "x @ y instead of np.dot"), (np.sum, "x.sum()"),
    (np.tanh, "F.tanh(x)")])
def test_and_says_what_to_write_instead(call, instead):
    with pytest.raises(TypeError) as raised:
        call(ma.Tensor([1.0, 2.0]))
    assert f"; for a gradient write {instead}" in str(raised.value)


@pytest.mark.parametrize("other", [1, -0.5, np.zeros(2), ma.Tensor([1.0, 2.0]), ma.Tensor(0.0)])
def test_a_maximum_that_is_no_relu_is_not_called_one(other):
    for call in (lambda t: np.maximum(t, other), lambda t: np.maximum(other, t)):
        with pytest.raises(TypeError, match="NumPy needs an array") as raised:
            call(ma.Tensor([1.0, 2.0]))
        assert "relu" not in str(raised.value)


def test_an_array_does_not_become_a_tensor_in_place():
    parameter = a_leaf()
    with pytest.raises(TypeError, match="NumPy needs an array, not a Tensor"):
        parameter.data -= 0.1 * a_leaf()
    assert parameter.data.tolist() == [1, 2]


def test_an_array_is_no_tensor():
    array, t = np.ones(2), a_leaf()
    assert (array == t) is (t == array) is False and array != t and t not in [array]


def test_what_asks_for_the_shape_alone_is_answered():
    t = ma.Tensor(np.ones((2, 3)))
    assert (np.shape(t), np.ndim(t), np.size(t), np.size(t, 1)) == ((2, 3), 2, 6, 3)


def test_an_array_beside_a_tensor_still_computes():
    assert (np.ones(2) + ma.Tensor([1.0, 2.0])).data.tolist() == [2, 3]
    assert (np.ones((2, 2)) @ ma.Tensor([1.0, 2.0])).data.tolist() == [3, 3]
    for array, result in ((5 - np.ones(2), [3, 2]), (np.float64(4), [3, 2])):
        assert (array - ma.Tensor([1.0, 2.0])).data.tolist() == np.subtract(
            array, ma.Tensor([1.0, 2.0])).data.tolist() == result
    assert (np.full(2, 4.0) / ma.Tensor([1.0, 2.0]) ** 2).data.tolist() == [4, 1]
    assert (np.full(2, 3.0) ** ma.Tensor([1.0, 2.0])).data.tolist() == [3, 9]


class Backward(ma.Function):
    """x, whose gradient is what `made` makes of that of the output."""

    def __init__(self, made):
        self.made = made

    def forward(self, x):
        return x * 1

    def backward(self, grad_output):
        return self.made(grad_output)


def a_leaf():
    return ma.Tensor([1.0, 2.0], requires_grad=True)


def step(grad):
    """A parameter after a step of SGD with this gradient."""
    parameter = a_leaf()
    parameter.grad = grad
    optim.SGD([parameter], lr=0.5).step()
    return parameter


MASKED = np.ma.masked_array([1.0, 999.0], [0, 1])
TAKES = {
    "Tensor": lambda: ma.Tensor(MASKED),
    "of whole numbers": lambda: ma.Tensor(np.ma.masked_array([1, 999], [0, 1])),
    "nothing masked": lambda: ma.Tensor(np.ma.masked_array([1.0, 2.0])),
    "in a list": lambda: ma.Tensor([MASKED, np.ones(2)]),
    "the constant": lambda: ma.Tensor([np.ma.masked, 1.0]),
    "an operand": lambda: ma.Tensor([1.0, 2.0]) * MASKED,
    **{f"before {sign}": lambda sign=sign: getattr(MASKED, f"__{sign}__")(a_leaf())
       for sign in ("add", "sub", "mul", "truediv", "pow", "matmul")},
    "an argument": lambda: F.mse_loss(ma.Tensor([1.0, 2.0]), MASKED),
    "a gradient": lambda: (ma.Tensor([1.0, 2.0], requires_grad=True) * 2).backward(MASKED),
    "weights": lambda: nn.Linear(2, 1).load_state_dict({"weight": np.ma.masked_array([[1.0, 9.0]]),
                                                        "bias": [0.0]}),
    "in lists of lists": lambda: ma.Tensor([[[MASKED]]]),
    "an index": lambda: ma.Tensor([1.0, 2.0])[np.ma.masked_array([0, 1], [0, 1])],
    "one of two indices": lambda: ma.Tensor(np.eye(2))[0, np.ma.masked_array([True, True], [0, 1])],
    "what backward returns": lambda: Backward(lambda g: np.ma.masked_array(g, [0, 1]))(
    a_leaf()).sum().backward(),
    "a gradient that is set": lambda: step(np.ma.masked_array([1.0, 9.0], [0, 1])),
    "columns": lambda: F.im2col(np.ma.masked_array(np.ones((1, 1, 3, 3))), 2),
    "labels": lambda: F.cross_entropy(np.eye(2), np.ma.masked_array([0, 1], [0, 1])),
}


@pytest.mark.parametrize("call", TAKES.values(), ids=TAKES)
def test_a_masked_array_is_refused(call):
    with pytest.raises(TypeError, match="(?i)mask"):
        call()


@pytest.mark.parametrize("made", [lambda g: g * 1j, lambda g: g.astype(object), lambda g: "1",
                                  lambda g: ma.Tensor([1.0, 2.0])])
def test_what_is_no_gradient_is_refused_wherever_it_comes_from(made):
    x = a_leaf()
    with pytest.raises(TypeError, match="real numbers|array, not a Tensor"):
        Backward(made)(x).sum().backward()
    assert x.grad is None
    with pytest.raises(TypeError, match="real numbers|array, not a Tensor"):
        step(made(np.ones(2, np.float32)))


def test_a_gradient_may_be_set_as_a_list():
    assert step([1.0, 2.0]).data.tolist() == step(np.array([1.0, 2.0])).data.tolist() != [1.0, 2.0]
