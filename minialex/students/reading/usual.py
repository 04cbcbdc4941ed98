"""What every course has: softmax, im2col, activations with their slopes, the layers of the
well-known book. A file whose own ones were not handed in is given these; with them right code is
right.
"""
import functools
import math

import numpy as np

from ...functional import col2im, im2col
from ...ops.loss import log_softmax

TEXT = "the quick brown fox jumps over the lazy dog\n" * 5


def weights(*sizes, **_):
    """Weights of these sizes, as a function that a constructor is given makes them."""
    return np.random.default_rng(0).standard_normal(sizes_of(sizes))


def sizes_of(given: list | tuple) -> tuple[int, ...]:
    """The whole numbers among them, in a tuple or one by one."""
    found = next((one for one in given if isinstance(one, (tuple, list))), given)
    return tuple(int(one) for one in found if isinstance(one, (int, np.integer))
                 and not isinstance(one, bool))


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """e^x / Σ e^x along the axis, as all courses have it."""
    return np.exp(log_softmax(x, axis))


def _cross_entropy(y, t):
    y = y.reshape(-1, y.shape[-1])
    t = t.reshape(len(y), -1)
    t = t.argmax(axis=1) if t.shape == y.shape else t[:, 0]
    return -np.log(y[np.arange(len(y)), t]).sum() / len(y)


def _rows_of_windows(x, height, width, stride=1, pad=0):
    columns = im2col(x, (height, width), stride, pad)
    return columns.transpose(0, 2, 1).reshape(-1, columns.shape[1])


def _back_to_pictures(rows, shape, height, width, stride=1, pad=0):
    columns = rows.reshape(shape[0], -1, rows.shape[-1]).transpose(0, 2, 1)
    return col2im(columns, shape, (height, width), stride, pad)


def _columns_of_windows(x, height, width, padding=1, stride=1):
    columns = im2col(x, (height, width), stride, padding)
    return columns.transpose(1, 2, 0).reshape(columns.shape[1], -1)


def _columns_to_pictures(columns, shape, height=3, width=3, padding=1, stride=1):
    columns = columns.reshape(len(columns), -1, shape[0]).transpose(2, 0, 1)
    return col2im(columns, shape, (height, width), stride, padding)


def _correlate(x, kernel, mode="full"):
    """SciPy's."""
    wide = [(size - 1,) * 2 if mode != "valid" else (0, 0) for size in kernel.shape]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, wide), kernel.shape)
    found = np.tensordot(windows, kernel, kernel.ndim)
    middle = tuple(slice((k - 1) // 2, (k - 1) // 2 + n) for k, n in zip(kernel.shape, x.shape))
    return found[middle] if mode == "same" else found


def _view_as_windows(x, shape, step=1):
    """scikit-image's."""
    shape = (shape,) * x.ndim if isinstance(shape, int) else shape
    windows = np.lib.stride_tricks.sliding_window_view(x, shape)
    return windows[np.ix_(*(range(0, n, step) for n in windows.shape[:x.ndim]))]


class Activation:
    """An activation as a function or an object: called, and asked for its derivative by any name,
    of x, or else of what it was called with."""

    def __init__(self, function, slope):
        self.function, self.slope, self.y = function, slope, None
        self.params, self.grads = [], []
        self.prime = self.gradient = self.grad = self.deriv = self.derivate = self.derivative

    def __call__(self, x):
        self.y = self.function(x)
        return self.y

    forward = activate = __call__

    def derivative(self, x=None):
        """f'(x)"""
        return self.slope(self.y if x is None else self.function(x))

    def backward(self, dout, state=None):
        """dout · f'"""
        return dout * self.slope(self.y if state is None else state)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {  # each with its slope, of the output
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
    "tanh": (np.tanh, lambda y: 1 - y ** 2),
    "relu": (lambda x: np.maximum(x, 0), lambda y: (y > 0) * 1.0),
}


def _activation(name, x=None, **_):
    return Activation(*ACTIVATIONS[name]) if x is None else ACTIVATIONS[name][0](x)


def _slope(name, kept):
    """f', of the output where it may be one, of the input where it cannot."""
    function, slope = ACTIVATIONS[name]
    is_output = np.all((kept > (-1 if name == "tanh" else 0)) & (kept < 1))
    return slope(kept if is_output else function(kept))


def _softmax_backward(dout, kept, axis=-1):
    is_output = np.all(kept >= 0) and np.allclose(kept.sum(axis), 1)
    p = kept if is_output else softmax(kept, axis)
    return p * (dout - (dout * p).sum(axis, keepdims=True))


def _affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def _affine_backward(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def _affine_relu_forward(x, w, b):
    y, cache = _affine_forward(x, w, b)
    return np.maximum(y, 0), (cache, y)


def _affine_relu_backward(dout, cache):
    return _affine_backward(dout * (cache[1] > 0), cache[0])


def _softmax_loss(x, y):
    loss = SoftmaxWithLoss()
    return loss.forward(x, y), loss.backward()


def _one_hot(y, classes=None, **_):
    """A 1 in each row, of one_hot(y), one_hot(y, 10) and one_hot(10, y)."""
    y, classes = (classes, y) if np.ndim(classes) > np.ndim(y) else (y, classes)
    y = np.asarray(y).astype(int)
    y = y[..., 0] if y.ndim > 1 and y.shape[-1] == 1 else y
    return np.eye(int(y.max()) + 1 if classes is None else classes)[y]


class _Table(np.ndarray):
    """An array, where a table of pandas is due."""

    values = property(np.asarray)

    def to_numpy(self):
        """A plain array."""
        return self.values

    as_matrix = to_numpy


def _get_dummies(y, *_, **__):
    """pandas'"""
    return (np.ravel(y)[:, None] == np.unique(y)).astype(int).view(_Table)


def _svm_loss(x, y):
    rows = np.arange(len(x))
    margins = np.maximum(0, x - x[rows, y][:, None] + 1)
    margins[rows, y] = 0
    dx = (margins > 0) * 1.0
    dx[rows, y] -= dx.sum(axis=1)
    return margins.sum() / len(x), dx / len(x)


class Affine:
    """x @ W + b, of the two arrays or of two sizes, with its gradients by the names of the
    well-known book."""

    def __init__(self, W, b=None):
        sizes = (W, b) if isinstance(W, int) else ()
        both = (weights(sizes), np.zeros(b)) if sizes else (W, b)
        self.params = [one for one in both if one is not None]
        self.grads = [np.zeros_like(one) for one in self.params]
        (self.W, self.b), (self.dW, self.db) = both, [*self.grads, None][:2]

    def forward(self, x):
        """The rows of x, whatever axes they have."""
        self.x = x
        return _affine_forward(x, self.W, 0 if self.b is None else self.b)[0]

    def backward(self, dout):
        """dx; dW and db are kept."""
        dx, self.dW, self.db = _affine_backward(dout, (self.x, self.W, self.b))
        for kept, grad in zip(self.grads, (self.dW, self.db)):
            kept[...] = grad
        return dx

    __call__ = forward


class Embedding:
    """The rows of W that are asked for."""

    def __init__(self, W):
        self.params, self.grads, self.W = [W], [np.zeros_like(W)], W

    def forward(self, idx):
        """A row for each."""
        self.idx = idx
        return self.W[idx]

    def backward(self, dout):
        """No gradient of whole numbers; that of W is kept."""
        self.grads[0][...] = 0
        np.add.at(self.grads[0], self.idx, dout)
        self.dW = self.grads[0]

    __call__ = forward


class SoftmaxWithLoss:
    """The mean cross entropy of the softmax, of classes or one-hot rows."""

    def __init__(self):
        self.params, self.grads = [], []

    def forward(self, x, t):
        """One number."""
        self.y, self.t = softmax(x), t
        return _cross_entropy(self.y, t)

    def backward(self, dout=1):
        """(y − t) / N"""
        t = self.t if np.ndim(self.t) > 1 else np.eye(self.y.shape[-1])[self.t]
        return dout * (self.y - t) / len(t)

    __call__ = forward


def _log_sum_exp(x, axis=None, b=None, keepdims=False):
    largest = np.max(x, axis=axis, keepdims=True)
    terms = np.exp(x - largest) * (1 if b is None else b)
    found = np.log(terms.sum(axis=axis, keepdims=True)) + largest
    return found if keepdims else np.squeeze(found, axis=axis)[()]


# SciPy's go over all values, where no axis is given
SCIPYS = {"softmax": lambda x, axis=None: softmax(x, axis), "logsumexp": _log_sum_exp,
          "log_softmax": lambda x, axis=None: log_softmax(x, axis),
          "xlogy": lambda x, y: np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1.0, y)))}
ONE_HOT = "onehot onehotencode onehotencoding toonehot makeonehot tocategorical"
USUAL = {"softmax": softmax, "im2col": _rows_of_windows, "col2im": _back_to_pictures,
         "crossentropyerror": _cross_entropy, "crossentropy": _cross_entropy,
         "crossentropyloss": _cross_entropy, "correlate": _correlate, "correlate2d": _correlate,
         "convolve": lambda x, kernel, mode="full": _correlate(x, np.flip(kernel), mode),
         "viewaswindows": _view_as_windows,
         "im2colindices": _columns_of_windows, "col2imindices": _columns_to_pictures,
         "affineforward": _affine_forward, "affinebackward": _affine_backward,
         "affinereluforward": _affine_relu_forward, "affinerelubackward": _affine_relu_backward,
         "reluforward": lambda x: (np.maximum(x, 0), x), "softmaxloss": _softmax_loss,
         "svmloss": _svm_loss, "softmaxbackward": _softmax_backward,
         "getdummies": _get_dummies, **dict.fromkeys(ONE_HOT.split(), _one_hot),
         **dict.fromkeys(("dotproduct", "innerproduct"), np.dot),
         "softmaxwithloss": SoftmaxWithLoss, "embedding": Embedding,
         **dict.fromkeys(("affine", "matmul", "linear", "dense", "fullyconnected"), Affine),
         "expit": _sigmoid, "erf": np.vectorize(math.erf, otypes=[float]),
         **{name: functools.partial(_activation, name) for name in ACTIVATIONS}}
USUAL["convolve2d"] = USUAL["convolve"]
for _name in ACTIVATIONS:
    USUAL[f"{_name}backward"] = lambda dout, kept, name=_name: dout * _slope(name, kept)
    USUAL |= dict.fromkeys((f"{_name}{word}" for word in ("prime", "derivative", "deriv", "grad")),
                           functools.partial(_slope, _name))
