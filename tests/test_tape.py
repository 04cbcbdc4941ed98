"""The tape: graphs that are walked once, recording switched off, a student's own Function, memory
that is let go."""
import gc
import weakref

import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex import nn
from minialex.fast.im2col import Im2col


def leaf(shape=(3, 4), dtype=np.float32, seed=0):
    return ma.Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype),
                     requires_grad=True)


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


# ------------------------------------------------------------------------- the graph is walked once


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


# ------------------------------------------------------------------------------------- switched off


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
    """conv1's columns would cost as much as its weight gradient, for an image that nobody will
    change."""
    def unwanted(*args, **kwargs):
        raise AssertionError("col2im was called for an image that needs no gradient")

    weight = leaf((8, 3, 3, 3))
    pictures = np.random.default_rng(0).standard_normal((2, 3, 80, 80)).astype(np.float32)
    monkeypatch.setattr(Im2col, "col2im", staticmethod(unwanted))
    F.conv2d(ma.Tensor(pictures), weight).sum().backward()
    assert weight.grad.shape == weight.shape
    with pytest.raises(AssertionError):
        F.conv2d(ma.Tensor(pictures, requires_grad=True), weight).sum().backward()


# ------------------------------------------------------------------------------- a student's own op


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


# ------------------------------------------------------------------------------------------- memory


class Trace(ma.Function):
    """Saves a fresh array, and notes during backward which arrays of later steps are still
    alive."""

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
    """conv → ReLU: the ReLU saves its own output, nobody needs the convolution's. That is 74 MB in
    conv1 at batch 64."""
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
    """What reference counting cannot free waits for the garbage collector: gigabytes, in a training
    loop."""
    gc.collect()
    gc.disable()
    try:
        network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                                nn.Linear(18, 3))
        loss = F.cross_entropy(network(ma.Tensor(np.ones((2, 1, 8, 8), np.float32))), [0, 1])
        creator = weakref.ref(loss.creator)
        loss.backward()
        del loss
        assert creator() is None
    finally:
        gc.enable()


def test_response_norm_leaves_a_gradient_alone_that_another_object_shows(tmp_path):
    kept = np.memmap(tmp_path / "gradient", np.float32, "w+", shape=(1, 8, 3, 3))
    kept[...] = 2

    class FromFile(ma.Function):
        def forward(self, x):
            return x.copy()

        def backward(self, grad_output):
            return kept

    x = ma.Tensor(np.ones((1, 8, 3, 3), np.float32), requires_grad=True)
    FromFile()(F.local_response_norm(x)).sum().backward()
    assert (kept == 2).all()
