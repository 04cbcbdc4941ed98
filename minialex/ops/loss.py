"""What training minimises.

    log-softmax      y_k = x_k − m − ln Σ_j e^(x_j − m),  m = max x       dx = g − softmax(x)·Σ g
    softmax          y_k = e^(x_k − m) / Σ_j e^(x_j − m)                  dx = y·(g − Σ g·y)
    cross-entropy    L = −(1/N) Σ_n log-softmax(x_n)[label_n]             dx = g·(softmax(x) − one-hot)/N
      with a weight w_k for each class, w_label/Σ w_label stands in place of each picture's 1/N
    MSE              L = mean (output − target)²                          doutput = g·2·(output − target)/size = −dtarget

Subtracting the maximum changes nothing in exact arithmetic and keeps e^x from overflowing.
"""
from numbers import Integral

import numpy as np

from ..device import array_module, device_of, is_array, to_device, to_numpy
from ..fast import kernels
from ..tensor import Function, Tensor


def _log_softmax(x, axis):
    if not isinstance(axis, Integral) or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"softmax: axis {axis} does not exist in shape {x.shape}: choose between {-x.ndim} and {x.ndim - 1}.")
    if x.shape[axis] == 0:
        raise ValueError(f"softmax: shape {x.shape} has nothing along axis {axis} to share the probability.")
    xp = array_module(x)
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=axis, keepdims=True))


class LogSoftmax(Function):
    fresh_gradients = True

    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, x):
        y = _log_softmax(x, self.axis)
        self.save_for_backward(y)
        return y

    def backward(self, g):
        (y,) = self.saved
        return g - array_module(y).exp(y) * g.sum(axis=self.axis, keepdims=True)


class Softmax(Function):
    fresh_gradients = True

    def __init__(self, axis=-1):
        self.axis = axis

    def forward(self, x):
        y = array_module(x).exp(_log_softmax(x, self.axis))
        self.save_for_backward(y)
        return y

    def backward(self, g):
        (y,) = self.saved
        return y * (g - (g * y).sum(axis=self.axis, keepdims=True))


class CrossEntropy(Function):
    """The mean over the batch of −ln p(label). An untrained network over K classes starts at ln K."""

    fresh_gradients = True

    def __init__(self, labels, weight=None):
        self.labels, self.weight = labels, weight

    def forward(self, logits):
        labels = _check_labels(self.labels, logits)
        losses, gradient = kernels(logits).cross_entropy(logits, labels)
        if self.weight is None:
            self.save_for_backward(gradient)
            return losses.mean()
        weights = _check_weight(self.weight, logits)[labels]
        if device_of(weights) == "cpu" and not weights.any():
            raise ValueError("cross_entropy: the weight of every label in the batch is 0: there is nothing to average.")
        weights /= weights.mean()
        self.save_for_backward(gradient * weights[:, None])
        return (losses * weights).mean()

    def backward(self, g):
        (gradient,) = self.saved
        return gradient * g


def _check_labels(labels, logits):
    """The labels as integers on the device of the logits. Values are checked where that costs no wait: on the CPU."""
    labels = labels.data if isinstance(labels, Tensor) else labels
    labels = labels if is_array(labels) else np.asarray(labels)
    if device_of(logits) == "cpu":
        labels = to_numpy(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(f"cross_entropy: logits must be (N, classes) and labels (N,), got {logits.shape} and {labels.shape}.")
    if len(logits) == 0:
        raise ValueError(f"cross_entropy: the batch is empty (logits {logits.shape}): there is nothing to average.")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: labels must be integers, got {labels.dtype}: a plain array or list with one class "
                        "number per row (a Tensor turns integers into floats), not probabilities or one-hot rows.")
    classes = logits.shape[1]
    if device_of(labels) == "cpu" and not (0 <= labels.min() and labels.max() < classes):
        raise ValueError(f"cross_entropy: labels run from {labels.min()} to {labels.max()}, but the logits have {classes} "
                         f"classes, 0 to {classes - 1}.")
    return to_device(labels, device_of(logits))


def _check_weight(weight, logits):
    """The classes' weights (K,) with the dtype and on the device of the logits."""
    if isinstance(weight, Tensor) and weight.requires_grad:
        raise ValueError("cross_entropy: weight has requires_grad=True, but no gradient is computed for it: give weight.data.")
    weight = weight.data if isinstance(weight, Tensor) else weight if is_array(weight) else np.asarray(weight)
    if weight.shape != logits.shape[1:] or weight.dtype.kind not in "iuf":
        raise ValueError(f"cross_entropy: weight must hold one number for each of the {logits.shape[1]} classes, shape "
                         f"{logits.shape[1:]}, got {weight.dtype} of shape {weight.shape}.")
    if device_of(weight) == "cpu" and not (weight >= 0).all():
        raise ValueError(f"cross_entropy: weights must be at least 0, got {weight.min()}.")
    return to_device(weight.astype(logits.dtype), device_of(logits))


class MSELoss(Function):
    fresh_gradients = True

    def forward(self, output, target):
        if output.shape != target.shape:
            raise ValueError(f"mse_loss: output {output.shape} and target {target.shape} must have the same shape.")
        if output.size == 0:
            raise ValueError(f"mse_loss: shape {output.shape} holds nothing to average.")
        difference = output - target
        self.save_for_backward(difference)
        return (difference * difference).mean()

    def backward(self, g):
        (difference,) = self.saved
        step = difference * (2 * g / difference.size)
        need_output, need_target = self.needs_input_grad
        return (step if need_output else None), (-step if need_target else None)
