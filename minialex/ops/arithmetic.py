"""Arithmetic on tensors: + − · / ** @, exp and log, sums, maxima, shapes. Attached to Tensor at the end of the file.

Broadcasting copies an input along some axes; the transpose of copying is summing, so the gradient is summed over them.
"""
from numbers import Integral

import numpy as np

from ..device import array_module, device_of, is_array, to_device
from ..tensor import Function, Tensor


def unbroadcast(grad, shape):
    """Sum `grad` over the axes along which an array of `shape` was repeated to give grad's shape."""
    if grad.shape == shape:
        return grad
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    repeated = tuple(axis for axis, (g, s) in enumerate(zip(grad.shape, shape)) if s == 1 and g != 1)
    return grad.sum(axis=repeated, keepdims=True) if repeated else grad


class _Elementwise(Function):
    """Two operands, broadcast against each other as NumPy does."""

    symbol = "?"

    def check(self, a, b):
        for m, n in zip(reversed(a.shape), reversed(b.shape)):
            if m != n and 1 not in (m, n):
                raise ValueError(f"cannot compute {a.shape} {self.symbol} {b.shape}: counted from the right, sizes {m} and "
                                 f"{n} differ and neither is 1. Reshape one so that the axes line up.")

    def gradients(self, grad_a, grad_b):
        """Sum both over their broadcast axes; a function without arguments is only called if somebody asked for it."""
        return tuple(unbroadcast(grad(), shape) if needed else None for grad, needed, (shape, _) in
                     zip((grad_a, grad_b), self.needs_input_grad, self.input_types))


class Add(_Elementwise):
    """a + b;  da = g, db = g"""

    symbol = "+"

    def forward(self, a, b):
        self.check(a, b)
        return a + b

    def backward(self, g):
        return self.gradients(lambda: g, lambda: g)


class Sub(_Elementwise):
    """a − b;  da = g, db = −g"""

    symbol = "-"

    def forward(self, a, b):
        self.check(a, b)
        return a - b

    def backward(self, g):
        return self.gradients(lambda: g, lambda: -g)


class Mul(_Elementwise):
    """a · b;  da = g·b, db = g·a"""

    symbol = "*"

    def forward(self, a, b):
        self.check(a, b)
        self.save_for_backward(a, b)
        return a * b

    def backward(self, g):
        a, b = self.saved
        return self.gradients(lambda: g * b, lambda: g * a)


class Div(_Elementwise):
    """a / b;  da = g/b, db = −g·a/b²"""

    symbol = "/"

    def forward(self, a, b):
        self.check(a, b)
        self.save_for_backward(a, b)
        return a / b

    def backward(self, g):
        a, b = self.saved
        return self.gradients(lambda: g / b, lambda: -g * a / (b * b))


class Pow(_Elementwise):
    """a ** b;  da = g·b·a^(b−1), db = g·a^b·ln a (0 where a is 0, as the limit is for b > 0)"""

    symbol = "**"

    def forward(self, a, b):
        self.check(a, b)
        y = a ** b
        self.save_for_backward(a, b, y)
        return y

    def backward(self, g):
        a, b, y = self.saved
        xp = array_module(a)

        def base():
            exponent_0 = b == 0  # a⁰ is 1 everywhere, at a = 0 too: 0 · 0^(−1) would be NaN
            return xp.where(exponent_0, 0, g * b * a ** xp.where(exponent_0, 1, b - 1))

        return self.gradients(base, lambda: g * y * xp.log(xp.where(a == 0, 1, a)))


class Neg(Function):
    """−x;  dx = −g"""

    fresh_gradients = True

    def forward(self, x):
        return -x

    def backward(self, g):
        return -g


class Exp(Function):
    """e^x;  dx = g·e^x"""

    fresh_gradients = True

    def forward(self, x):
        y = array_module(x).exp(x)
        self.save_for_backward(y)
        return y

    def backward(self, g):
        (y,) = self.saved
        return g * y


class Log(Function):
    """ln x;  dx = g/x"""

    fresh_gradients = True

    def forward(self, x):
        self.save_for_backward(x)
        return array_module(x).log(x)

    def backward(self, g):
        (x,) = self.saved
        return g / x


class MatMul(Function):
    """A @ B;  dA = g @ Bᵀ, dB = Aᵀ @ g. Leading axes broadcast; a 1-d operand is a row (left) or a column (right)."""

    def forward(self, a, b):
        if 0 in (a.ndim, b.ndim):
            raise ValueError(f"cannot compute {a.shape} @ {b.shape}: a matrix product needs at least one axis on each side.")
        inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
        if a.shape[-1] != inner:
            raise ValueError(f"cannot compute {a.shape} @ {b.shape}: the left side has {a.shape[-1]} columns, the right side "
                             f"{inner} rows, and they must be equal.")
        for m, n in zip(reversed(a.shape[:-2]), reversed(b.shape[:-2])):
            if m != n and 1 not in (m, n):
                raise ValueError(f"cannot compute {a.shape} @ {b.shape}: of the leading axes, which number the matrices, {m} "
                                 f"and {n} differ and neither is 1.")
        self.save_for_backward(a, b)
        return a @ b

    def backward(self, g):
        a, b = self.saved
        A = a[None, :] if a.ndim == 1 else a
        B = b[:, None] if b.ndim == 1 else b
        G = array_module(g).asarray(g).reshape(_matmul_shape(A, B))
        need_a, need_b = self.needs_input_grad
        return (unbroadcast(G @ B.swapaxes(-1, -2), A.shape).reshape(a.shape) if need_a else None,
                unbroadcast(A.swapaxes(-1, -2) @ G, B.shape).reshape(b.shape) if need_b else None)


def _matmul_shape(A, B):
    """Shape of A @ B for at least two axes each."""
    long, short = sorted((A.shape[:-2], B.shape[:-2]), key=len, reverse=True)
    short = (1,) * (len(long) - len(short)) + short
    return tuple(n if m == 1 else m for m, n in zip(long, short)) + (A.shape[-2], B.shape[-1])


# ------------------------------------------------------------------------------------------------ reductions


def _axes(axis, x):
    """`axis` as a tuple of non-negative numbers; None means all."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    for a in axes:
        if not isinstance(a, Integral):
            raise TypeError(f"axis must be a whole number, or several in brackets, got {a!r} for shape {x.shape}.")
        if not -x.ndim <= a < x.ndim:
            raise ValueError(f"axis {a} does not exist in shape {x.shape}: choose between {-x.ndim} and {x.ndim - 1}.")
    axes = tuple(int(a) % x.ndim for a in axes)
    if len(set(axes)) < len(axes):
        raise ValueError(f"axis {axis} names an axis of shape {x.shape} twice: name each one once.")
    return axes


class _Reduction(Function):
    def __init__(self, axis=None, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    def kept(self, value):
        """`value` with the reduced axes put back at length 1, so that it broadcasts against the input."""
        shape = self.input_types[0][0]
        return value.reshape(tuple(1 if axis in self.axes else n for axis, n in enumerate(shape)))


class Sum(_Reduction):
    """Σ x;  dx = g, repeated along the summed axes"""

    def forward(self, x):
        self.axes = _axes(self.axis, x)
        return x.sum(axis=self.axes, keepdims=self.keepdims)

    def backward(self, g):
        return array_module(g).broadcast_to(self.kept(g), self.input_types[0][0])


class Mean(Sum):
    """Σ x / n;  dx = g/n"""

    def forward(self, x):
        self.axes = _axes(self.axis, x)
        self.count = 1
        for axis in self.axes:
            self.count *= x.shape[axis]
        if self.count == 0:
            raise ValueError(f"the mean over axes {self.axes} of shape {x.shape} is a mean of nothing.")
        return x.mean(axis=self.axes, keepdims=self.keepdims)

    def backward(self, g):
        return super().backward(g / self.count)


class Max(_Reduction):
    """max x;  dx = g at the first place in reading order that holds the maximum, 0 elsewhere"""

    fresh_gradients = True

    def forward(self, x):
        if x.size == 0:
            raise ValueError(f"the maximum of shape {x.shape} is a maximum of nothing.")
        self.axes = _axes(self.axis, x)
        rest = tuple(axis for axis in range(x.ndim) if axis not in self.axes)
        self.order = rest + self.axes  # the reduced axes last and flattened: one argmax finds the first maximum
        moved = x.transpose(self.order)
        rows = moved.reshape(tuple(x.shape[axis] for axis in rest) + (-1,))
        self.save_for_backward(rows.argmax(axis=-1)[..., None])
        self.moved_shape, self.rows_shape = moved.shape, rows.shape
        return x.max(axis=self.axes, keepdims=self.keepdims)

    def backward(self, g):
        (where,) = self.saved
        xp = array_module(where)
        dx = xp.zeros(self.rows_shape, dtype=g.dtype)
        position = xp.arange(self.rows_shape[-1]) == where
        dx[position] = xp.asarray(g).reshape(-1)
        back = [0] * len(self.order)
        for new, old in enumerate(self.order):
            back[old] = new
        return dx.reshape(self.moved_shape).transpose(tuple(back))


# ------------------------------------------------------------------------------------------------ shapes


class Reshape(Function):
    """The same numbers in another shape;  dx = g in the old one"""

    def __init__(self, shape):
        self.shape = shape

    def forward(self, x):
        try:
            return x.reshape(self.shape)
        except (ValueError, TypeError) as error:
            raise type(error)(f"cannot reshape {x.shape} ({x.size} values) to {self.shape}: the products must be equal, "
                              "and one -1 may stand for what is left.") from None

    def backward(self, g):
        return g.reshape(self.input_types[0][0])


class Transpose(Function):
    """The axes in another order;  dx = g with the order undone"""

    def __init__(self, axes=None):
        self.axes = axes

    def forward(self, x):
        axes = self.axes or tuple(reversed(range(x.ndim)))
        self.order = _axes(tuple(axes), x)
        if len(axes) != x.ndim:
            raise ValueError(f"transpose{tuple(axes)} does not name each of the {x.ndim} axes of shape {x.shape} once.")
        return x.transpose(self.order)

    def backward(self, g):
        return g.transpose(tuple(self.order.index(axis) for axis in range(g.ndim)))


class GetItem(Function):
    """x[index];  dx is zero but at the index, where g is added: an element picked twice gets both"""

    fresh_gradients = True

    def __init__(self, index):
        if any(isinstance(part, Tensor) for part in (index if isinstance(index, tuple) else (index,))):
            raise TypeError("a Tensor cannot be an index, it holds floating-point numbers: index with a plain integer array.")
        self.index = index

    def forward(self, x):
        if array_module(x) is not np:  # CuPy adds up (add.at) at its own arrays' indices only
            parts = self.index if isinstance(self.index, tuple) else (self.index,)
            parts = tuple(to_device(part, device_of(x)) if is_array(part) else part for part in parts)
            self.index = parts if isinstance(self.index, tuple) else parts[0]
        try:
            return x[self.index]
        except IndexError as error:
            raise IndexError(f"index into shape {x.shape}: {error}.") from None

    def backward(self, g):
        xp = array_module(g)
        dx = xp.zeros(self.input_types[0][0], dtype=g.dtype)
        xp.add.at(dx, self.index, g)
        return dx


# ------------------------------------------------------------------------------------------------ attached to Tensor


def _axis_arguments(arguments):
    """x.reshape(2, 3) and x.reshape((2, 3)) mean the same."""
    return tuple(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], (tuple, list)) else arguments


def _not_on_leaves(operation):
    """`w -= step` would bind the name w to a new Tensor, and the leaf that is trained would never change."""
    def checked(a, b):
        if a.requires_grad and a.creator is None:
            raise TypeError("+=, -=, *= and /= do not change a leaf that requires a gradient, the name would stand for another "
                            "Tensor: change its array, as in w.data -= lr * w.grad.")
        return operation(a, b)
    return checked


Tensor.__add__ = lambda a, b: Add()(a, b)
Tensor.__radd__ = lambda a, b: Add()(b, a)
Tensor.__sub__ = lambda a, b: Sub()(a, b)
Tensor.__rsub__ = lambda a, b: Sub()(b, a)
Tensor.__mul__ = lambda a, b: Mul()(a, b)
Tensor.__rmul__ = lambda a, b: Mul()(b, a)
Tensor.__truediv__ = lambda a, b: Div()(a, b)
Tensor.__rtruediv__ = lambda a, b: Div()(b, a)
Tensor.__pow__ = lambda a, b: Pow()(a, b)
Tensor.__rpow__ = lambda a, b: Pow()(b, a)
Tensor.__matmul__ = lambda a, b: MatMul()(a, b)
Tensor.__rmatmul__ = lambda a, b: MatMul()(b, a)
Tensor.__iadd__ = _not_on_leaves(Tensor.__add__)
Tensor.__isub__ = _not_on_leaves(Tensor.__sub__)
Tensor.__imul__ = _not_on_leaves(Tensor.__mul__)
Tensor.__itruediv__ = _not_on_leaves(Tensor.__truediv__)
Tensor.__neg__ = lambda a: Neg()(a)
Tensor.__getitem__ = lambda a, index: GetItem(index)(a)
Tensor.sum = lambda a, axis=None, keepdims=False: Sum(axis, keepdims)(a)
Tensor.mean = lambda a, axis=None, keepdims=False: Mean(axis, keepdims)(a)
Tensor.max = lambda a, axis=None, keepdims=False: Max(axis, keepdims)(a)
Tensor.reshape = lambda a, *shape: Reshape(_axis_arguments(shape))(a)
Tensor.transpose = lambda a, *axes: Transpose(_axis_arguments(axes))(a)
Tensor.T = property(lambda a: Transpose()(a))
Tensor.exp = lambda a: Exp()(a)
Tensor.log = lambda a: Log()(a)
