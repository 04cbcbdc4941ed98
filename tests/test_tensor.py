"""The tape: dtypes, gradients that add up, memory that is let go, graphs that are walked once."""
import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minialex as ma
import minialex.functional as F
from minialex import nn, optim
from minialex.kernels import cpu


def leaf(shape=(3, 4), dtype=np.float32, seed=0):
    return ma.Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True)


class MyReLU(ma.Function):
    def forward(self, x):
        self.save_for_backward(x > 0)
        return x * (x > 0)

    def backward(self, grad_output):
        (mask,) = self.saved
        return grad_output * mask


class Failing(ma.Function):
    def forward(self, x):
        return x

    def backward(self, grad_output):
        raise OSError("no such derivative")


# ------------------------------------------------------------------------------------------------ dtypes


@pytest.mark.parametrize("data, dtype", [
    (np.ones(2, np.float64), np.float64), (np.ones(2, np.float32), np.float32), (np.ones(2, np.float16), np.float16),
    (np.arange(2), np.float32), (np.ones(2, bool), np.float32), ([1, 2], np.float32), ([1.5, 2.5], np.float32),
    (3, np.float32), (2.5, np.float32), (np.float64(2.5), np.float32),
])
def test_a_floating_array_keeps_its_dtype_and_everything_else_becomes_float32(data, dtype):
    assert ma.Tensor(data).dtype == dtype


def test_a_floating_array_is_not_copied():
    data = np.ones(3)
    assert ma.Tensor(data).data is data


SCALARS = [2, 2.5, True, np.float64(2.5), np.float32(2.5), np.int64(2), np.array(2.5), np.array(2)]
OPERATIONS = [
    lambda x, c: x + c, lambda x, c: c + x, lambda x, c: x - c, lambda x, c: c - x, lambda x, c: x * c, lambda x, c: c * x,
    lambda x, c: x / c, lambda x, c: c / x, lambda x, c: x ** c, lambda x, c: c ** x,
]


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
        return (-x).reshape(-1, 4) + x.max(axis=1, keepdims=True) - x.mean() + F.log_softmax(x) * F.softmax(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_training_step_of_every_op_stays_in_its_dtype(dtype):
    network = EveryLayer()
    for parameter in network.parameters():
        parameter.data = parameter.data.astype(dtype)
    optimizer = optim.SGD(network.parameters(), lr=np.float64(0.01), momentum=0.9, weight_decay=5e-4)
    x = ma.Tensor(np.random.default_rng(0).standard_normal((3, 4, 5, 5)).astype(dtype), requires_grad=True)
    for _ in range(2):
        output = network(x)
        loss = F.cross_entropy(output, np.array([0, 1, 3])) + F.mse_loss(output, np.zeros((3, 4), dtype))
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
        assert isinstance(y.data, np.ndarray) and isinstance(x.grad, np.ndarray) and x.grad == expected
    assert isinstance(x.max().data, np.ndarray) and isinstance(F.mse_loss(x, ma.Tensor(0.0)).data, np.ndarray)


def test_arrays_on_the_left_leave_the_operator_to_the_tensor():
    x = leaf((2, 2))
    for y in (np.ones((2, 2), np.float32) * x, np.ones((2, 2), np.float32) @ x, np.float64(2) - x, [[1, 2], [3, 4]] / x):
        assert isinstance(y, ma.Tensor) and y.shape == (2, 2) and y.dtype == np.float32


# ------------------------------------------------------------------------------------------------ adding up


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


PAIRS = {
    "x + y": lambda x, y: x + y, "x - y": lambda x, y: x - y, "reshape": lambda x, y: x.reshape(-1).reshape(3, 4) + y,
    "transpose": lambda x, y: x.T.T + y.transpose(1, 0).transpose(1, 0), "pad": lambda x, y: x + y + x,
    "index": lambda x, y: x[:] + y[...], "neg": lambda x, y: (-x) * -1 + y,
}


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


# ------------------------------------------------------------------------------------------------ the graph is walked once


def test_a_second_backward_is_an_error_and_changes_nothing():
    x = leaf()
    loss = (x * x).sum()
    loss.backward()
    before = x.grad.copy()
    with pytest.raises(RuntimeError, match="already walked by backward"):
        loss.backward()
    assert np.array_equal(x.grad, before)


def test_a_shared_part_cannot_be_walked_twice_either():
    x = leaf()
    shared = x.exp()
    shared.sum().backward()
    before = x.grad.copy()
    with pytest.raises(RuntimeError, match="at Exp.*add the losses before one backward"):
        (shared * 2 + x).sum().backward()
    assert np.array_equal(x.grad, before)


def test_a_failing_backward_leaves_every_gradient_untouched():
    x, y = leaf(seed=1), leaf(seed=2)
    (x * 2).sum().backward()
    held, before = x.grad, x.grad.copy()
    with pytest.raises(OSError):
        (y * 3 + Failing()(x * y) + x).sum().backward()
    assert x.grad is held and np.array_equal(held, before) and y.grad is None


@pytest.mark.parametrize("bad, error, sentence", [
    (lambda g: (g, g), ValueError, "returned 2 gradients for 1 inputs"),
    (lambda g: g[:2], ValueError, r"returned shape \(2, 4\) for input 0 of shape \(3, 4\)"),
    (lambda g: None, TypeError, "returned None: is `return` missing"),
    (lambda g: [g, g], ValueError, "returned 2 gradients for 1 inputs"),
    (lambda g: 1.0, ValueError, r"returned shape \(\) for input 0 of shape \(3, 4\)"),
    (lambda g: ma.Tensor(g), TypeError, "NumPy needs an array, not a Tensor: use .data"),
])
def test_a_wrong_gradient_of_a_students_function_is_refused(bad, error, sentence):
    class Wrong(ma.Function):
        def forward(self, x):
            return x + 1

        def backward(self, grad_output):
            return bad(grad_output)

    x = leaf()
    with pytest.raises(error, match=sentence):
        Wrong()(x).sum().backward()
    assert x.grad is None


def test_a_chain_of_twenty_thousand_operations_works_and_can_be_deleted():
    x = ma.Tensor(np.ones(1), requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1] and y.item() == 20_001
    del y  # freeing a long chain must not recurse either
    gc.collect()


# ------------------------------------------------------------------------------------------------ switched off


def test_no_grad_records_nothing_and_ends_with_its_block():
    x = leaf()
    with ma.no_grad():
        assert not ma.is_grad_enabled()
        y = x * 2
        with ma.no_grad():
            pass
        assert not ma.is_grad_enabled()
    assert ma.is_grad_enabled() and not y.requires_grad and y.creator is None
    with pytest.raises(ZeroDivisionError):
        with ma.no_grad():
            raise ZeroDivisionError
    assert ma.is_grad_enabled() and (x * 2).requires_grad


def test_detach_cuts_the_history_but_not_the_memory():
    x = leaf()
    y = x * 2
    cut = y.detach()
    assert cut.data is y.data and not cut.requires_grad
    (y + cut).sum().backward()
    assert np.all(x.grad == 2)


def test_constants_get_no_gradient():
    x, constant = leaf(), ma.Tensor(np.ones((3, 4)))
    (x * constant).sum().backward()
    assert constant.grad is None and np.all(x.grad == 1)


def test_a_function_is_told_which_gradients_are_wanted():
    asked = []

    class Watch(ma.Function):
        def forward(self, a, b):
            return a * b

        def backward(self, grad_output):
            asked.append(self.needs_input_grad)
            return None, grad_output

    Watch()(ma.Tensor([1.0]), leaf((1,))).backward()
    assert asked == [(False, True)]


def test_the_gradient_of_the_image_is_not_computed(monkeypatch):
    """conv1's columns would cost as much as its weight gradient, for an image that nobody will change."""
    def unwanted(*args, **kwargs):
        raise AssertionError("col2im was called for an image that needs no gradient")

    weight = leaf((8, 3, 3, 3))
    pictures = np.random.default_rng(0).standard_normal((2, 3, 9, 9)).astype(np.float32)
    monkeypatch.setattr(cpu, "col2im", unwanted)
    F.conv2d(ma.Tensor(pictures), weight).sum().backward()
    assert weight.grad.shape == weight.shape
    with pytest.raises(AssertionError):
        F.conv2d(ma.Tensor(pictures, requires_grad=True), weight).sum().backward()


# ------------------------------------------------------------------------------------------------ a student's own op


def test_a_students_function_as_in_the_textbook():
    x = ma.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    y = MyReLU()(x)
    assert y.data.tolist() == [0, 0, 2]
    y.backward(np.array([5.0, 6.0, 7.0]))
    assert x.grad.tolist() == [0, 0, 7]


def test_a_function_object_serves_once():
    function, x = MyReLU(), leaf()
    function(x)
    with pytest.raises(RuntimeError, match=r"make a new one, MyReLU\(\)\(x\)"):
        function(x)


# ------------------------------------------------------------------------------------------------ memory


class Trace(ma.Function):
    """Saves a fresh array, and notes during backward which arrays of later steps are still alive."""

    saved_arrays = []
    alive = []

    def forward(self, x):
        kept = x.copy()
        Trace.saved_arrays.append(weakref.ref(kept))
        self.save_for_backward(kept)
        return x + 1

    def backward(self, grad_output):
        Trace.alive.append(sum(ref() is not None for ref in Trace.saved_arrays))
        return grad_output


def test_saved_arrays_are_freed_while_backward_passes_them():
    Trace.saved_arrays, Trace.alive = [], []
    y = leaf()
    for _ in range(5):
        y = Trace()(y)
    y.sum().backward()
    assert Trace.alive == [5, 4, 3, 2, 1]
    assert [ref() for ref in Trace.saved_arrays] == [None] * 5


def test_nothing_is_saved_without_a_gradient():
    Trace.saved_arrays = []
    with ma.no_grad():
        kept = Trace()(leaf())
    assert kept is not None and Trace.saved_arrays[0]() is None


def test_an_output_that_no_backward_needs_is_freed_during_the_forward_pass():
    """conv → ReLU: the ReLU saves its own output, nobody needs the convolution's. That is 74 MB in conv1 at batch 64."""
    convolved = nn.Conv2d(3, 8, 3)(ma.Tensor(np.ones((2, 3, 8, 8), np.float32)))
    array = weakref.ref(convolved.data)
    activated = F.relu(convolved)
    assert array() is not None
    del convolved
    assert array() is None and activated.requires_grad
    activated.sum().backward()


def test_gradients_on_the_way_are_freed_too():
    """Backward holds the gradient of one step, not of all."""
    seen, alive = [], []

    class Watch(ma.Function):
        def forward(self, x):
            return x + 1

        def backward(self, grad_output):
            gradient = grad_output * 1.5
            alive.append(sum(ref() is not None for ref in seen))
            seen.append(weakref.ref(gradient))
            return gradient

    y = leaf()
    for _ in range(6):
        y = Watch()(y)
    y.sum().backward()
    assert max(alive) <= 1


def test_a_finished_step_leaves_no_cycle_behind():
    """What reference counting cannot free waits for the garbage collector: gigabytes, in a training loop."""
    gc.collect()
    gc.disable()
    try:
        network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3))
        loss = F.cross_entropy(network(ma.Tensor(np.ones((2, 1, 8, 8), np.float32))), [0, 1])
        creator = weakref.ref(loss.creator)
        loss.backward()
        del loss
        assert creator() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------------ what a tensor says


def test_a_tensor_describes_itself():
    x = ma.Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert (x.shape, x.ndim, x.size, x.dtype, x.device, len(x)) == ((2, 3), 2, 6, np.float64, "cpu", 2)
    assert "requires_grad=True" in repr(x) and "made by Exp" in repr(x.exp())
    assert x.numpy() is x.data and ma.Tensor([2.5]).item() == 2.5 and type(ma.Tensor([2.5]).item()) is float
    assert x.to("cpu") is x
