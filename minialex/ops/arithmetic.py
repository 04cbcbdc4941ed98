"""Arithmetic on tensors: + − · / ** @, exp and log, sums, maxima, shapes.

Broadcasting copies an input along some axes; the transpose of copying is summing, so the gradient
is summed over them. methods.py attaches the operations to Tensor.
"""
from math import prod
from numbers import Integral
from typing import Any

from ..aliases import Array, Axes, Shape
from ..device import array_module, beside, is_masked
from ..tensor import Function, Tensor


def unbroadcast(grad: Array, shape: Shape) -> Array:
    """Sum `grad` over the axes along which an array of `shape` was repeated to give its shape."""
    if grad.shape == shape:
        return grad
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    repeated = tuple(i for i, (g, s) in enumerate(zip(grad.shape, shape)) if s == 1 and g != 1)
    return grad.sum(axis=repeated, keepdims=True) if repeated else grad


def _check_broadcast(a: Array, symbol: str, b: Array, skip: int = 0) -> None:
    """Raise ValueError unless the sizes before the last `skip` line up: equal, or one of them 1."""
    for m, n in zip(a.shape[::-1][skip:], b.shape[::-1][skip:]):
        if m != n and 1 not in (m, n):
            raise ValueError(f"cannot compute {a.shape} {symbol} {b.shape}: counted from the "
                             f"right, sizes {m} and {n} differ and neither is 1. "
                             "Reshape one so that the axes line up.")


class _Elementwise(Function):
    """Two operands, broadcast against each other as NumPy does. Each below says what it computes,
    and from the gradient g of the result those of its operands, before they are summed over the
    broadcast axes: g itself where it says nothing."""

    symbol = "?"

    def check_inputs(self, a: Array, b: Array) -> None:
        _check_broadcast(a, self.symbol, b)

    def grad_a(self, g: Array) -> Array:
        return g

    grad_b = grad_a

    def backward(self, g: Array) -> tuple[Array | None, ...]:
        operands = zip((self.grad_a, self.grad_b), self.input_shapes, self.needs_input_grad)
        return tuple(unbroadcast(gradient(g, *self.saved), shape) if needed else None
                     for gradient, shape, needed in operands)


class Add(_Elementwise):
    """a + b;  da = g, db = g"""

    symbol = "+"

    def forward(self, a: Array, b: Array) -> Array:
        return a + b


class Sub(_Elementwise):
    """a − b;  da = g, db = −g"""

    symbol = "-"

    def forward(self, a: Array, b: Array) -> Array:
        return a - b

    def grad_b(self, g: Array) -> Array:
        return -g


class Mul(_Elementwise):
    """a · b;  da = g·b, db = g·a"""

    symbol = "*"

    def forward(self, a: Array, b: Array) -> Array:
        self.save_for_backward(a, b)
        return a * b

    def grad_a(self, g: Array, a: Array, b: Array) -> Array:
        return g * b

    def grad_b(self, g: Array, a: Array, b: Array) -> Array:
        return g * a


class Div(_Elementwise):
    """a / b;  da = g/b, db = −g·a/b²"""

    symbol = "/"

    def forward(self, a: Array, b: Array) -> Array:
        self.save_for_backward(a, b)
        return a / b

    def grad_a(self, g: Array, a: Array, b: Array) -> Array:
        return g / b

    def grad_b(self, g: Array, a: Array, b: Array) -> Array:
        return -g * a / (b * b)


class Pow(_Elementwise):
    """a ** b;  da = g·b·a^(b−1), db = g·a^b·ln a (0 where a is 0, as the limit is for b > 0)"""

    symbol = "**"

    def forward(self, a: Array, b: Array) -> Array:
        y = a ** b
        self.save_for_backward(a, b, y)
        return y

    def grad_a(self, g: Array, a: Array, b: Array, y: Array) -> Array:
        # a⁰ is 1 everywhere, at a = 0 too, where 0 · 0^(−1) would be NaN.
        xp, exponent_0 = array_module(a), b == 0
        return xp.where(exponent_0, 0, g * b * a ** xp.where(exponent_0, 1, b - 1))

    def grad_b(self, g: Array, a: Array, b: Array, y: Array) -> Array:
        xp = array_module(a)
        return g * y * xp.log(xp.where(a == 0, 1, a))


class Neg(Function):
    """−x;  dx = −g"""

    def forward(self, x: Array) -> Array:
        return -x

    def backward(self, g: Array) -> Array:
        return -g


class Exp(Function):
    """e^x;  dx = g·e^x"""

    def forward(self, x: Array) -> Array:
        y = array_module(x).exp(x)
        self.save_for_backward(y)
        return y

    def backward(self, g: Array) -> Array:
        (y,) = self.saved
        return g * y


class Log(Function):
    """ln x;  dx = g/x"""

    def forward(self, x: Array) -> Array:
        self.save_for_backward(x)
        return array_module(x).log(x)

    def backward(self, g: Array) -> Array:
        (x,) = self.saved
        return g / x


class MatMul(Function):
    """A @ B;  dA = g @ Bᵀ, dB = Aᵀ @ g. Leading axes broadcast; a 1-d operand is a row (left) or a
    column (right)."""

    def check_inputs(self, a: Array, b: Array) -> None:
        if 0 in (a.ndim, b.ndim):
            raise ValueError(f"cannot compute {a.shape} @ {b.shape}: each side needs an axis.")
        rows = b.shape[-2] if b.ndim > 1 else b.shape[0]
        if a.shape[-1] != rows:
            raise ValueError(f"cannot compute {a.shape} @ {b.shape}: the left side has "
                             f"{a.shape[-1]} columns, the right side {rows} rows: make them equal.")
        _check_broadcast(a, "@", b, skip=2)

    def forward(self, a: Array, b: Array) -> Array:
        self.save_for_backward(a, b)
        return a @ b

    def backward(self, g: Array) -> tuple[Array, Array]:
        a, b = self.saved
        A = a[None, :] if a.ndim == 1 else a
        B = b[:, None] if b.ndim == 1 else b
        leading = g.shape[:g.ndim - (a.ndim > 1) - (b.ndim > 1)]
        G = g.reshape(*leading, A.shape[-2], B.shape[-1])
        return (unbroadcast(G @ B.swapaxes(-1, -2), A.shape).reshape(a.shape),
                unbroadcast(A.swapaxes(-1, -2) @ G, B.shape).reshape(b.shape))


# ---------------------------------------------------------------------------- reductions


def _axes(axis: Axes, x: Array) -> tuple[int, ...]:
    """`axis` as a tuple of non-negative numbers; None means all."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    for a in axes:
        if not isinstance(a, Integral):
            raise TypeError(f"axis must be a whole number, or several in brackets, got {a!r}.")
        if not -x.ndim <= a < x.ndim:
            raise ValueError(f"shape {x.shape} has no axis {a}: use {-x.ndim} to {x.ndim - 1}.")
    axes = tuple(int(a) % x.ndim for a in axes)
    if len(set(axes)) < len(axes):
        raise ValueError(f"axis {axis} names an axis of shape {x.shape} twice: name each one once.")
    return axes


class _Reduction(Function):
    def __init__(self, axis: Axes = None, keepdims: bool = False) -> None:
        self.axis, self.keepdims = axis, keepdims

    def check_inputs(self, x: Array) -> None:
        self.axes = _axes(self.axis, x)

    def kept(self, value: Array) -> Array:
        """`value` with the reduced axes put back at length 1, to broadcast against the input."""
        shape = self.input_shapes[0]
        return value.reshape(tuple(1 if axis in self.axes else n for axis, n in enumerate(shape)))


class Sum(_Reduction):
    """Σ x;  dx = g, repeated along the summed axes"""

    def forward(self, x: Array) -> Array:
        return x.sum(axis=self.axes, keepdims=self.keepdims)

    def backward(self, g: Array) -> Array:
        return array_module(g).broadcast_to(self.kept(g), self.input_shapes[0])


class Mean(Sum):
    """Σ x / n;  dx = g/n"""

    def check_inputs(self, x: Array) -> None:
        super().check_inputs(x)
        self.count = prod(x.shape[axis] for axis in self.axes)
        if self.count == 0:
            raise ValueError(f"mean over axes {self.axes} of shape {x.shape} is a mean of nothing.")

    def forward(self, x: Array) -> Array:
        return x.mean(axis=self.axes, keepdims=self.keepdims)

    def backward(self, g: Array) -> Array:
        return super().backward(g / self.count)


class Max(_Reduction):
    """max x;  dx = g at the first place in reading order that holds the maximum, 0 elsewhere"""

    def check_inputs(self, x: Array) -> None:
        if x.size == 0:
            raise ValueError(f"max of shape {x.shape} is a maximum of nothing.")
        super().check_inputs(x)

    def forward(self, x: Array) -> Array:
        self.order = tuple(axis for axis in range(x.ndim) if axis not in self.axes) + self.axes
        # The reduced axes last, and flattened: one argmax then finds the first maximum.
        moved = x.transpose(self.order)
        rows = moved.reshape(moved.shape[:x.ndim - len(self.axes)] + (-1,))
        self.save_for_backward(rows.argmax(axis=-1)[..., None], rows.shape, moved.shape)
        return x.max(axis=self.axes, keepdims=self.keepdims)

    def backward(self, g: Array) -> Array:
        where, rows_shape, moved_shape = self.saved
        xp = array_module(where)
        dx = xp.zeros(rows_shape, dtype=g.dtype)
        dx[xp.arange(rows_shape[-1]) == where] = xp.asarray(g).reshape(-1)
        return dx.reshape(moved_shape).transpose(_undone(self.order))


# ---------------------------------------------------------------------------- shapes


class Reshape(Function):
    """The same numbers in another shape;  dx = g in the old one"""

    def __init__(self, shape: tuple[Any, ...]) -> None:
        self.shape = shape

    def forward(self, x: Array) -> Array:
        try:
            return x.reshape(self.shape)
        except (ValueError, TypeError) as error:
            raise type(error)(f"cannot reshape {x.shape} ({x.size} values) to {self.shape}: the "
                              "products must be equal; one -1 stands for the rest.") from None

    def backward(self, g: Array) -> Array:
        return g.reshape(self.input_shapes[0])


class Transpose(Function):
    """The axes in another order;  dx = g with the order undone"""

    def __init__(self, axes: tuple[Any, ...] | None = None) -> None:
        self.axes = axes

    def check_inputs(self, x: Array) -> None:
        axes = tuple(self.axes or reversed(range(x.ndim)))
        self.order = _axes(axes, x)
        if len(axes) != x.ndim:
            raise ValueError(f"transpose{axes} does not name each axis of shape {x.shape} once.")

    def forward(self, x: Array) -> Array:
        return x.transpose(self.order)

    def backward(self, g: Array) -> Array:
        return g.transpose(_undone(self.order))


def _undone(order: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that undoes `order`."""
    return tuple(order.index(axis) for axis in range(len(order)))


class GetItem(Function):
    """x[index];  dx is zero but at the index, where g is added: what is picked twice gets both"""

    def __init__(self, index: Any) -> None:
        parts = index if isinstance(index, tuple) else (index,)
        if is_masked(index) or any(isinstance(part, Tensor) for part in parts):
            raise TypeError("a Tensor or masked array is no index: use a plain array of integers.")
        self.index = index

    def forward(self, x: Array) -> Array:
        self.index = beside(x, self.index)
        try:
            return x[self.index]
        except IndexError as error:
            raise IndexError(f"index into shape {x.shape}: {error}.") from None

    def backward(self, g: Array) -> Array:
        xp = array_module(g)
        dx = xp.zeros(self.input_shapes[0], dtype=g.dtype)
        xp.add.at(dx, self.index, g)
        return dx
