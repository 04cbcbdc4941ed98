"""Anomaly mode names the first operation, and its layer, that produced NaN or infinity."""
import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex import nn, tensor


def network():
    return nn.Sequential(conv1=nn.Conv2d(1, 2, 3), relu1=nn.ReLU(),
                         head=nn.Sequential(flatten=nn.Flatten(), fc=nn.Linear(18, 3)))


IMAGES = np.ones((2, 1, 5, 5), np.float32)


class BadGradient(ma.Function):
    def forward(self, x):
        return x * 2

    def backward(self, grad_output):
        return grad_output * np.inf


def test_a_healthy_step_passes():
    model = network()
    with ma.detect_anomaly():
        F.cross_entropy(model(IMAGES), [0, 1]).backward()
    assert model.conv1.weight.grad is not None


def test_the_layer_and_the_op_are_named():
    model = network()
    model.conv1.bias.data[1] = np.nan
    with pytest.raises(FloatingPointError, match=r"^layer conv1, op Conv2dReLU, forward: "
                       r"18 NaN of 36 values; " r"the cause came in with input 2 of shape \(2,\)"):
        with ma.detect_anomaly():
            model(IMAGES)


def test_nested_layers_are_named_by_their_path():
    model = network()
    model.head.fc.bias.data[0] = np.inf
    with pytest.raises(FloatingPointError, match=r"^layer head\.fc, op Linear, forward: "
                       r"2 infinite of 6 values"):
        with ma.detect_anomaly():
            model(IMAGES)


def test_a_slice_of_a_network_keeps_the_names():
    model = network()
    model[:2]
    model.conv1.bias.data[:] = np.nan
    with pytest.raises(FloatingPointError, match="^layer conv1, "):
        with ma.detect_anomaly():
            model(IMAGES)


def test_finite_inputs_are_acquitted_and_both_kinds_counted():
    sentence = r"^op Log, forward: 1 NaN and 2 infinite of 5 values; all that came in was finite"
    with pytest.raises(FloatingPointError, match=sentence):
        with ma.detect_anomaly(), np.errstate(all="ignore"):
            ma.Tensor([-1.0, 0.0, 0.0, 1.0, 2.0]).log()


def test_backward_is_watched_too_and_leaves_gradients_alone():
    x = ma.Tensor(np.ones((2, 2)), requires_grad=True)
    sentence = r"^op BadGradient, backward: 4 infinite of 4 values; all that came in was finite"
    with pytest.raises(FloatingPointError, match=sentence):
        with ma.detect_anomaly():
            (BadGradient()(x) + x).sum().backward()
    assert x.grad is None


def test_the_first_culprit_is_named_not_its_followers():
    x = ma.Tensor(np.zeros(3), requires_grad=True)
    with pytest.raises(FloatingPointError, match="^op Div, forward"):
        with ma.detect_anomaly(), np.errstate(all="ignore"):
            ((1 / x) * 2).exp().sum()


def test_none_gradients_are_no_anomaly():
    weight = ma.Tensor(np.ones((2, 18), np.float32), requires_grad=True)
    with ma.detect_anomaly():
        # the input's gradient is None
        F.linear(np.ones((1, 18), np.float32), weight).sum().backward()
    assert np.all(weight.grad == 1)


def test_outside_the_block_nobody_watches():
    with pytest.raises(ZeroDivisionError):
        with ma.detect_anomaly():
            raise ZeroDivisionError
    assert not tensor.observers
    with np.errstate(all="ignore"):
        assert np.isneginf(ma.Tensor([0.0]).log().data)


def test_a_failing_layer_does_not_leave_its_name_behind():
    model = network()
    with pytest.raises(ValueError):
        model(np.ones((2, 3, 5, 5), np.float32))
    assert not tensor.layer_stack()
