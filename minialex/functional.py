"""The operations as functions: `F.conv2d(x, weight, bias, stride=4)`.

Each makes one Function and calls it. Inputs are Tensors, or arrays, which become Tensors. Shapes:
N images, C channels, H x W pixels.
"""
from math import prod
from typing import Any

from . import ops
from .aliases import Array, Size
from .fast import implementation
from .ops.im2col import col2im, im2col  # noqa: F401 (plain arrays)
from .tensor import Function, Input, Tensor, is_textbook


def conv2d(x: Input, weight: Input, bias: Input | None = None, stride: Size = 1, padding: Size = 0,
           groups: int = 1) -> Tensor:
    """Convolution: x (N, C, H, W) -> (N, C_out, OH, OW).

    weight (C_out, C/groups, KH, KW), bias (C_out,). stride, padding: one number or (vertical,
    horizontal). Raises ValueError when the shapes do not fit.
    """
    return _run(ops.Conv2d(stride, padding, groups), x, weight, *_given(bias))


def conv2d_relu(x: Input, weight: Input, bias: Input | None = None, stride: Size = 1,
                padding: Size = 0, groups: int = 1) -> Tensor:
    """relu(conv2d(...)), the same numbers; in one operation, which keeps one array less, where
    fast/ has one."""
    convolution = _choose(ops.Conv2d(stride, padding, groups), x, weight)
    if not hasattr(convolution, "relu"):
        return relu(convolution(x, weight, *_given(bias)))
    convolution.relu = True
    return convolution(x, weight, *_given(bias))


def linear(x: Input, weight: Input, bias: Input | None = None) -> Tensor:
    """y = x Wᵀ + b: x (N, in), weight (out, in), bias (out,) -> (N, out). Raises ValueError when
    the shapes do not fit."""
    return _run(ops.Linear(), x, weight, *_given(bias))


def max_pool2d(x: Input, kernel_size: Size, stride: Size | None = None,
               padding: Size = 0) -> Tensor:
    """The largest value of each window: (N, C, H, W) -> (N, C, OH, OW).

    stride: kernel_size without it. Padding counts as −∞; among equal values the first in reading
    order gets the gradient. Raises ValueError when no window fits.
    """
    return _run(ops.MaxPool2d(kernel_size, stride, padding), x)


def avg_pool2d(x: Input, kernel_size: Size, stride: Size | None = None) -> Tensor:
    """The mean of each window: (N, C, H, W) -> (N, C, OH, OW). stride: kernel_size without it."""
    return _run(ops.AvgPool2d(kernel_size, stride), x)


def local_response_norm(x: Input, size: int = 5, alpha: float = 1e-4, beta: float = 0.75,
                        k: float = 2.0, groups: int = 1) -> Tensor:
    """x / (k + alpha·Σ x²)^beta over `size` neighbouring channels, as in the paper's section 3.3.

    x (N, C, H, W); alpha is not divided by size. groups=2: the window stops at the edge of each
    half of the channels. Raises ValueError when the channels cannot be divided by groups.
    """
    return _run(ops.LocalResponseNorm(size, alpha, beta, k, groups), x)


def map_response_norm(x: Input, size: int = 5, alpha: float = 0.001 / 25, beta: float = 0.75,
                      k: float = 1.0) -> Tensor:
    """x / (k + alpha·Σ x²)^beta over size x size pixels of the same channel: the released 2012
    source's `rnorm`."""
    return _run(ops.MapResponseNorm(size, alpha, beta, k), x)


def dropout(x: Input, p: float = 0.5, training: bool = True) -> Tensor:
    """Zero each value with probability p, multiply the rest by 1/(1 − p); x when not training."""
    dropped = ops.Dropout(p)
    return _run(dropped, x) if training and p > 0 else _tensor(x)


def relu(x: Input) -> Tensor:
    """max(x, 0)"""
    return _run(ops.ReLU(), x)


def tanh(x: Input) -> Tensor:
    """The hyperbolic tangent."""
    return _run(ops.Tanh(), x)


def sigmoid(x: Input) -> Tensor:
    """1 / (1 + e^−x)"""
    return _run(ops.Sigmoid(), x)


def softmax(x: Input, axis: int = -1) -> Tensor:
    """e^x / Σ e^x along `axis`: positive, and 1 in sum."""
    return _run(ops.Softmax(axis), x)


def log_softmax(x: Input, axis: int = -1) -> Tensor:
    """ln softmax(x), without ever taking the logarithm of 0."""
    return _run(ops.LogSoftmax(axis), x)


def cross_entropy(logits: Input, labels: Input, weight: Input | None = None) -> Tensor:
    """The mean over the batch of −ln softmax(logits)[label], one number.

    logits (N, classes), labels integers (N,). weight (classes,): how much a picture of each class
    counts, Σ w[label]·loss / Σ w[label], as in PyTorch; it gets no gradient. Raises ValueError for
    labels outside the classes, another batch size, or weights that are negative or not one for each
    class; TypeError for labels that are no integers.
    """
    return _run(ops.CrossEntropy(labels, weight), logits)


def mse_loss(output: Input, target: Input) -> Tensor:
    """mean (output − target)², over all entries. Raises ValueError for different shapes."""
    return _run(ops.MSELoss(), output, target)


def zero_pad2d(x: Input, left: int, right: int, top: int, bottom: int) -> Tensor:
    """Zeros around each image: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right)."""
    return _run(ops.ZeroPad2d(left, right, top, bottom), x)


def flatten(x: Input) -> Tensor:
    """(N, ...) -> (N, everything else)"""
    x = _tensor(x)
    if x.ndim == 0:
        raise ValueError("flatten: input must have a batch axis, (N, ...), got a single number.")
    return x.reshape(x.shape[0], prod(x.shape[1:]))


def sgd_update(weight: Array, grad: Array, velocity: Array, lr: float, momentum: float,
               weight_decay: float) -> None:
    """The paper's update of plain arrays, in place: v ← momentum·v − lr·(g + weight_decay·w),
    w ← w + v."""
    _choose(ops.sgd_update, weight)(weight, grad, velocity, lr, momentum, weight_decay)


def _run(operation: Function, *inputs: Input) -> Tensor:
    return _choose(operation, *inputs)(*inputs)


def _choose(operation: Any, *inputs: Input) -> Any:
    """The book's operation itself, or the one of fast/ that takes its place."""
    return operation if is_textbook() else implementation(operation, *inputs)


def _given(bias: Input | None) -> tuple[Input, ...]:
    return () if bias is None else (bias,)


def _tensor(x: Input) -> Tensor:
    return x if isinstance(x, Tensor) else Tensor(x)
