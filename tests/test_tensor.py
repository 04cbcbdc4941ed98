"""What a Tensor is: its dtypes, gradients that add up, what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minialex as ma
import minialex.functional as F
from minialex import nn, optim


def leaf(shape=(3, 4), dtype=np.float32, seed=0):
    return ma.Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype),
                     requires_grad=True)


# ------------------------------------------------------------------------------------------- dtypes


@pytest.mark.parametrize(
    "data, dtype", [(np.ones(2, np.float64), np.float64), (np.ones(2, np.float32), np.float32),
                    (np.ones(2, np.float16), np.float16), (np.arange(2), np.float32),
                    (np.ones(2, bool), np.float32), ([1, 2], np.float32), ([1.5, 2.5], np.float32),
                    (3, np.float32), (2.5, np.float32), (np.float64(2.5), np.float32)])
def test_a_floating_array_keeps_its_dtype_and_everything_else_becomes_float32(data, dtype):
    assert ma.Tensor(data).dtype == dtype


def test_a_floating_array_is_not_copied():
    data = np.ones(3)
    assert ma.Tensor(data).data is data


SCALARS = [2, 2.5, True, np.float64(2.5), np.float32(2.5), np.int64(2), np.array(2.5), np.array(2)]
OPERATIONS = [lambda x, c: x + c, lambda x, c: c + x, lambda x, c: x - c, lambda x, c: c - x,
              lambda x, c: x * c, lambda x, c: c * x, lambda x, c: x / c, lambda x, c: c / x,
              lambda x, c: x ** c, lambda x, c: c ** x]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scalar", SCALARS, ids=lambda s: f"{type(s).__name__}-{s}")
def test_scalars_never_change_the_dtype(scalar, dtype):
    for operation in OPERATIONS:
        x = ma.Tensor(np.array([1.5, 2.5], dtype), requires_grad=True)
        y = operation(x, scalar)
        assert y.dtype == dtype
        y.sum().backward()
        assert x.grad.dtype == dtype


def test_a_scalar_beside_float64_keeps_all_its_digits():
    assert (ma.Tensor(np.zeros(1)) + 0.1).data[0] == 0.1
    assert (ma.Tensor(np.zeros(2)) + [0.1, 0.2]).data.tolist() == [0.1, 0.2]


class EveryLayer(nn.Module):
    """Each op of the engine once, so that one training step shows which of them promotes."""

    def __init__(self):
        self.conv = nn.Conv2d(4, 8, 3, padding=1, groups=2)
        self.norm, self.mapnorm = nn.LocalResponseNorm(groups=2), nn.MapResponseNorm()
        self.fc, self.drop = nn.Linear(8, 4), nn.Dropout(0.25)
        self.scale = nn.Parameter(np.full((), 0.5, np.float32))

    def forward(self, x):
        x = F.zero_pad2d(F.relu(self.conv(x)), 1, 0, 0, 1)
        x = F.max_pool2d(self.mapnorm(self.norm(x)), 3, 2)
        x = F.avg_pool2d(F.tanh(x), 2) * np.float64(1.5) - 0.25
        x = F.flatten(self.drop(F.sigmoid(x) / 2.0)) * self.scale
        x = self.fc(x) + self.fc(x)[:, [0, 0, 1, 2]] ** 2
        x = (1 - x.transpose().T).exp().log() @ np.eye(4, dtype=np.float32)
        return (-x).reshape(-1, 4) + x.max(axis=1, keepdims=True) - x.mean() + F.log_softmax(
            x) * F.softmax(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_training_step_of_every_op_stays_in_its_dtype(dtype):
    network = EveryLayer()
    for parameter in network.parameters():
        parameter.data = parameter.data.astype(dtype)
    optimizer = optim.SGD(network.parameters(), lr=np.float64(0.01), momentum=0.9,
                          weight_decay=5e-4)
    x = ma.Tensor(np.random.default_rng(0).standard_normal((3, 4, 5, 5)).astype(dtype),
                  requires_grad=True)
    for _ in range(2):
        output = network(x)
        loss = F.cross_entropy(output, np.array([0, 1, 3])) + F.mse_loss(output,
                                                                         np.zeros((3, 4), dtype))
        loss.backward()
        optimizer.step()
        assert output.dtype == loss.dtype == x.grad.dtype == dtype
    for name, p in network.named_parameters():
        assert p.data.dtype == p.grad.dtype == optimizer.velocity[p].dtype == dtype, name
        assert np.abs(optimizer.velocity[p]).max() > 0, name


def test_gradients_come_back_in_the_dtype_of_their_leaf():
    x, w = leaf((2, 3), np.float64), leaf((3, 4), np.float32)
    (x @ w).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (np.float64, np.float32)


def test_data_and_grad_are_arrays_for_single_numbers_too():
    x = ma.Tensor(3.0, requires_grad=True)
    for expected in (5, 10):
        y = x * x - x
        y.backward()
        assert isinstance(y.data, np.ndarray) and isinstance(x.grad,
                                                             np.ndarray) and x.grad == expected
    assert isinstance(x.max().data, np.ndarray) and isinstance(F.mse_loss(x, ma.Tensor(0.0)).data,
                                                               np.ndarray)


def test_arrays_on_the_left_leave_the_operator_to_the_tensor():
    x = leaf((2, 2))
    for y in (np.ones((2, 2), np.float32) * x, np.ones((2, 2), np.float32) @ x, np.float64(2) - x,
              [[1, 2], [3, 4]] / x):
        assert isinstance(y, ma.Tensor) and y.shape == (2, 2) and y.dtype == np.float32


# ---------------------------------------------------------------------------------------- adding up


def test_a_tensor_used_twice_gets_both_gradients():
    x = leaf()
    (x * 3 + x * x).sum().backward()
    assert np.allclose(x.grad, 3 + 2 * x.data)


def test_a_diamond_counts_every_path():
    x = ma.Tensor([2.0], requires_grad=True)
    a = x * 3
    b, c = a * a, a + 1
    (b * c + a).sum().backward()  # d/da (a³ + a² + a) = 3a² + 2a + 1 at a = 6
    assert x.grad.tolist() == [3 * (3 * 36 + 2 * 6 + 1)]


def test_a_ladder_of_diamonds_is_walked_once_per_node():
    x = ma.Tensor(np.ones(1), requires_grad=True)
    y = x
    for _ in range(60):  # 2⁶⁰ paths, 60 operations
        y = y + y
    y.backward()
    assert x.grad.tolist() == [2.0 ** 60]


def test_two_backward_calls_accumulate():
    x = leaf()
    (x * 2).sum().backward()
    first = x.grad
    (x * 5).sum().backward()
    assert np.all(x.grad == 7) and np.all(first == 2)


def test_only_leaves_collect_gradients():
    x = leaf()
    y = x * 2
    y.sum().backward()
    assert y.grad is None and np.all(x.grad == 2)


def test_a_leaf_itself_can_be_walked():
    x = ma.Tensor(np.ones(3), requires_grad=True)
    x.backward(np.array([1.0, 2.0, 3.0]))
    assert x.grad.tolist() == [1, 2, 3]


def test_the_gradient_argument_is_the_seed():
    x = leaf()
    seed = np.arange(12.0).reshape(3, 4)
    (x * 2).backward(seed)
    assert np.array_equal(x.grad, 2 * seed)
    x.grad = None
    (x * 2).backward(ma.Tensor(seed))
    assert np.array_equal(x.grad, 2 * seed)


PAIRS = {"x + y": lambda x, y: x + y, "x - y": lambda x, y: x - y,
         "reshape": lambda x, y: x.reshape(-1).reshape(3, 4) + y, "transpose": lambda x, y: x.T.T
         + y.transpose(1, 0).transpose(1, 0), "pad": lambda x, y: x + y + x,
         "index": lambda x, y: x[:] + y[...], "neg": lambda x, y: (-x) * -1 + y}


@pytest.mark.parametrize("f", PAIRS.values(), ids=PAIRS)
def test_gradients_share_memory_with_nothing(f):
    x, y, seed = leaf(seed=1), leaf(seed=2), np.ones((3, 4), np.float32)
    f(x, y).backward(seed)
    arrays = [x.grad, y.grad, seed, x.data, y.data]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    before = y.grad.copy()
    x.grad += 100
    assert np.all(seed == 1) and np.array_equal(y.grad, before)


def test_sums_are_never_added_into_someone_elses_array():
    x, seed = leaf(), np.ones((3, 4), np.float32)
    (x + x).backward(seed)
    assert np.all(x.grad == 2) and np.all(seed == 1)
    x.grad = None
    (x + x + x).backward(seed)
    assert np.all(x.grad == 3) and np.all(seed == 1)


def test_a_broadcast_gradient_is_writable():
    x = leaf()
    x.sum().backward()
    x.grad += 1
    assert np.all(x.grad == 2)


def test_repeated_indices_add_up():
    x = ma.Tensor(np.zeros(4), requires_grad=True)
    x[[1, 1, 3, 1]].backward(np.array([1.0, 10.0, 100.0, 1000.0]))
    assert x.grad.tolist() == [0, 1011, 0, 100]


@given(st.lists(st.tuples(st.integers(-3, 2), st.integers(0, 3)), min_size=1, max_size=10))
@settings(max_examples=30, deadline=None)
def test_pairs_of_indices_count_how_often_they_were_picked(picks):
    x = ma.Tensor(np.zeros((3, 4)), requires_grad=True)
    rows, columns = map(list, zip(*picks))
    x[rows, columns].sum().backward()
    expected = np.zeros((3, 4))
    for row, column in picks:
        expected[row, column] += 1
    assert np.array_equal(x.grad, expected)


# ------------------------------------------------------------------------------- what a tensor says


def test_a_tensor_describes_itself():
    x = ma.Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert (x.shape, x.ndim, x.size, x.dtype, x.device, len(x)) == ((2, 3), 2, 6, np.float64, "cpu",
                                                                    2)
    assert "requires_grad=True" in repr(x) and "made by Exp" in repr(x.exp())
    assert x.numpy() is x.data and ma.Tensor([2.5]).item() == 2.5 and type(
        ma.Tensor([2.5]).item()) is float
    assert x.to("cpu") is x
