"""tests/on_device.py: under `--device cuda` an operation on NumPy arrays is really computed on the
device."""
import numpy as np
import on_device
import pytest

import minialex.functional as F
from minialex import nn, optim, tensor
from minialex.tensor import Tensor


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def test_operations_and_updates_run_there_and_nothing_else_notices(fake_cupy):
    launches = fake_cupy.state.launches
    launches.clear()
    x, layer = Tensor(normal(2, 3, 9, 9).astype(np.float32), requires_grad=True), nn.Conv2d(3, 4, 3)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    with on_device.operations_on("cuda:0"):
        y = F.max_pool2d(layer(x), 2)
        y.sum().backward()
        before = layer.weight.data.copy()
        optimizer.step()
    assert launches == ["im2col", "max_pool_forward", "max_pool_backward", "im2col", "col2im",
                        "sgd_update", "sgd_update"]
    arrays = [y.data, x.grad, layer.weight.data, layer.weight.grad, *optimizer.velocity.values()]
    assert all(type(array) is np.ndarray
               for array in arrays) and (layer.weight.data != before).any()
    assert not tensor.observers
    F.relu(layer(x))
    assert launches[7:] == [], "outside the block everything is as it was"


LAYOUTS = {"plain": lambda a: a, "transposed": lambda a: a.T,
           "gaps": lambda a: a[::2, 1:], "backwards": lambda a: a[:, ::-1],
           "all at once": lambda a: a[::-3, ::-1].T, "Fortran": lambda a: np.asfortranarray(a),
           "one number": lambda a: a[1, 2:3, 0], "empty": lambda a: a[:0],
           "broadcast": lambda a: np.broadcast_to(a[:1], (3, *a.shape[1:]))}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_copies_keep_the_layout(fake_cupy, layout):
    array = LAYOUTS[layout](normal(6, 5, 4))
    there = on_device.copy_with_layout(array, "cuda:0")
    assert isinstance(there, fake_cupy.ndarray)
    np.testing.assert_array_equal(there.get(), array)
    if array.size > 1:
        assert there.strides == array.strides


def test_a_students_own_function_stays_on_the_cpu(fake_cupy):
    class Double(tensor.Function):
        def forward(self, x):
            assert type(x) is np.ndarray
            return np.multiply(x, 2)

        def backward(self, g):
            return np.multiply(g, 2)

    x = Tensor(normal(3), requires_grad=True)
    with on_device.operations_on("cuda:0"):
        Double()(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 2, 2])
