"""What training minimises.

    log-softmax      y_k = x_k − m − ln Σ_j e^(x_j − m)          dx = g − softmax(x)·Σ g
    softmax          y_k = e^(x_k − m) / Σ_j e^(x_j − m)         dx = y·(g − Σ g·y)
    cross-entropy    L = −(1/N) Σ_n log-softmax(x_n)[label_n]    dx = g·(softmax(x) − one-hot)/N
      with a weight w_k for each class, w_label/Σ w_label stands in place of each picture's 1/N
    MSE              L = mean (output − target)²                 doutput = −dtarget
                                                                 = g·2·(output − target)/size

Subtracting the maximum, m, changes nothing in exact arithmetic and keeps e^x from overflowing.
"""
from numbers import Integral
from typing import Any

import numpy as np

from ..aliases import Array
from ..device import array_module, as_numbers, device_of, is_array, to_numpy
from ..tensor import Function, Input, Tensor


def log_softmax(x: Array, axis: int) -> Array:
    """ln of e^x / Σ e^x along the axis; a plain array."""
    xp = array_module(x)
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=axis, keepdims=True))


class LogSoftmax(Function):
    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def check_inputs(self, x: Array) -> None:
        if not isinstance(self.axis, Integral) or not -x.ndim <= self.axis < x.ndim:
            raise ValueError(f"softmax: shape {x.shape} has no axis {self.axis}: use "
                             f"{-x.ndim} to {x.ndim - 1}.")
        if x.shape[self.axis] == 0:
            raise ValueError(f"softmax: shape {x.shape} has nothing along axis {self.axis}.")

    def forward(self, x: Array) -> Array:
        y = log_softmax(x, self.axis)
        self.save_for_backward(y)
        return y

    def backward(self, g: Array) -> Array:
        (y,) = self.saved
        return g - array_module(y).exp(y) * g.sum(axis=self.axis, keepdims=True)


class Softmax(LogSoftmax):
    def forward(self, x: Array) -> Array:
        y = array_module(x).exp(log_softmax(x, self.axis))
        self.save_for_backward(y)
        return y

    def backward(self, g: Array) -> Array:
        (y,) = self.saved
        return y * (g - (g * y).sum(axis=self.axis, keepdims=True))


class CrossEntropy(Function):
    """The mean over the batch of −ln p(label): with K classes and no training yet about ln K."""

    def __init__(self, labels: Input, weight: Input | None = None) -> None:
        self.labels, self.weight = labels, weight

    def check_inputs(self, logits: Array) -> None:
        self.labels = _check_labels(self.labels, logits)
        self.weight = _check_weight(self.weight, logits)
        on_cpu = device_of(self.labels) == device_of(self.weight) == "cpu"
        if self.weight is not None and on_cpu and not self.weight[self.labels].any():
            raise ValueError("cross_entropy: the weight of every label in the batch is 0.")

    def labels_and_shares(self, logits: Array) -> tuple[Array, Any]:
        """The labels (N,), and for each picture N·w_label/Σ w_label, a column; 1 where all classes
        count alike."""
        xp = array_module(logits)
        labels = xp.asarray(self.labels)
        if self.weight is None:
            return labels, 1
        weights = xp.asarray(self.weight, dtype=logits.dtype)[labels]
        return labels, (weights / weights.mean())[:, None]

    def forward(self, logits: Array) -> Array:
        labels, share = self.labels_and_shares(logits)
        rows, log_p = array_module(logits).arange(len(logits)), log_softmax(logits, axis=1)
        self.save_for_backward(log_p, rows, labels, share)
        return (-log_p[rows, labels, None] * share).mean()

    def backward(self, g: Array) -> Array:
        log_p, rows, labels, share = self.saved
        dx = array_module(log_p).exp(log_p)
        dx[rows, labels] -= 1
        return dx * (1 / len(dx)) * share * g


def _check_labels(labels: Any, logits: Array) -> Array:
    """The labels as an array of integers. Their values are checked on the CPU, which is no wait."""
    labels = labels.data if isinstance(labels, Tensor) else labels
    if hasattr(labels, "filled"):
        raise TypeError("cross_entropy: labels are a masked array: give only the rows that count.")
    labels = labels if is_array(labels) else np.asarray(labels)
    if device_of(logits) == "cpu":
        labels = to_numpy(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError("cross_entropy: logits must be (N, classes) and labels (N,), got "
                         f"{logits.shape} and {labels.shape}.")
    if len(logits) == 0:
        raise ValueError(f"cross_entropy: the batch is empty (logits {logits.shape}).")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: labels must be integers, got {labels.dtype}: a list or "
                        "array of class numbers (a Tensor makes them floats), not probabilities.")
    classes = logits.shape[1]
    if device_of(labels) == "cpu" and not (0 <= labels.min() and labels.max() < classes):
        raise ValueError(f"cross_entropy: labels run from {labels.min()} to {labels.max()}, but "
                         f"the logits have {classes} classes, 0 to {classes - 1}.")
    return labels


def _check_weight(weight: Any, logits: Array) -> Array | None:
    """The classes' weights as an array (K,), or None."""
    if isinstance(weight, Tensor) and weight.requires_grad:
        raise ValueError("cross_entropy: no gradient is computed for weight: give weight.data.")
    if weight is None:
        return None
    weight = weight.data if isinstance(weight, Tensor) else as_numbers(weight)
    if weight.shape != logits.shape[1:] or weight.dtype.kind not in "iuf":
        raise ValueError(f"cross_entropy: weight must have shape {logits.shape[1:]}, one number "
                         f"for each class, got {weight.dtype} of shape {weight.shape}.")
    if device_of(weight) == "cpu" and not (weight >= 0).all():
        raise ValueError(f"cross_entropy: weights must be at least 0, got {weight.min()}.")
    return to_numpy(weight) if device_of(logits) == "cpu" else weight


class MSELoss(Function):
    def check_inputs(self, output: Array, target: Array) -> None:
        if output.shape != target.shape:
            raise ValueError(f"mse_loss: output {output.shape} must match target {target.shape}.")
        if output.size == 0:
            raise ValueError(f"mse_loss: shape {output.shape} holds nothing to average.")

    def forward(self, output: Array, target: Array) -> Array:
        difference = output - target
        self.save_for_backward(difference)
        return (difference * difference).mean()

    def backward(self, g: Array) -> tuple[Array, Array]:
        (difference,) = self.saved
        step = difference * (2 * g / difference.size)
        return step, -step
