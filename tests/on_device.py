"""Runs the engine's operations on another device, underneath tests that know nothing of it.

A test hands over NumPy arrays and gets NumPy arrays. Inside, the forward and backward pass of every
operation, and the optimiser's update, get copies on the device: the same memory layout, strides and
gaps included. So every gradient, oracle and training test is a test of that device too. (What must
not cross by itself is tests/gpu's subject.)
"""
from contextlib import contextmanager

import numpy as np

from minialex import functional, ops, tensor
from minialex.device import array_module, is_array, to_device, to_numpy


def copy_with_layout(array, device):
    """A copy of a NumPy array on the device, with the same strides."""
    owner = array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if array.flags.c_contiguous or not array.size or not (owner.flags.c_contiguous
                                                          or owner.flags.f_contiguous):
        return to_device(array, device)
    memory = to_device(owner.ravel(order="K").view(array.dtype), device)
    first = (array.ctypes.data - owner.ctypes.data) // array.itemsize
    as_strided = array_module(memory).lib.stride_tricks.as_strided
    return as_strided(memory[first:], array.shape, array.strides)


@contextmanager
def operations_on(device):
    """Inside the block, operations on NumPy arrays are computed on the device."""
    def back(result):
        if isinstance(result, (tuple, list)):
            return tuple(map(back, result))
        return to_numpy(result) if is_array(result) else result

    def observe(direction, function, call):
        def there(*arrays):
            if not all(type(array) is np.ndarray for array in arrays):
                return call(*arrays)
            return back(call(*(copy_with_layout(array, device) for array in arrays)))
        return there if type(function).__module__.startswith(("minialex.ops.",
                                                              "minialex.fast.")) else call

    def sgd_update(weight, grad, velocity, *options):
        w, g, v = (to_device(array, device) for array in (weight, grad, velocity))
        implementation(ops.sgd_update, w)(w, g, v, *options)
        weight[...], velocity[...] = to_numpy(w), to_numpy(v)

    def implementation_there(op, *inputs):
        """What would serve these inputs there."""
        arrays = [value.data if isinstance(value, tensor.Tensor) else value for value in inputs]
        if not all(type(array) is np.ndarray for array in arrays):
            return implementation(op, *inputs)
        found = implementation(op, *(to_device(array, device) for array in arrays))
        return sgd_update if op is ops.sgd_update else found

    implementation, functional.implementation = functional.implementation, implementation_there
    # the innermost: other observers, such as anomaly detection, see NumPy arrays
    tensor.observers.insert(0, observe)
    try:
        yield
    finally:
        functional.implementation = implementation
        tensor.observers.remove(observe)
