"""Operators and methods of Tensor: each makes one Function of arithmetic.py and calls it."""
from typing import Any

from ..aliases import Axes
from ..tensor import Function, Input, Tensor
from . import arithmetic


class Methods:
    """What a Tensor can do. `_operator`, below, adds the operators."""

    def sum(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The sum along `axis`, a number or several in brackets; of everything without it.
        keepdims: leave axes of length 1."""
        return arithmetic.Sum(axis, keepdims)(self)

    def mean(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The mean along `axis`, a number or several in brackets; of everything without it.
        keepdims: leave axes of length 1."""
        return arithmetic.Mean(axis, keepdims)(self)

    def max(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The maximum along `axis`, a number or several in brackets; of everything without it. The
        gradient goes to the first place that holds it. keepdims: leave axes of length 1."""
        return arithmetic.Max(axis, keepdims)(self)

    def reshape(self, *shape: Any) -> Tensor:
        """The same numbers in another shape: x.reshape(2, -1) or x.reshape((2, -1)); -1 stands for
        what is left."""
        return arithmetic.Reshape(_one_or_many(shape))(self)

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order, x.transpose(1, 0) or x.transpose((1, 0)); reversed without."""
        return arithmetic.Transpose(_one_or_many(axes))(self)

    def exp(self) -> Tensor:
        """e^x, number by number."""
        return arithmetic.Exp()(self)

    def log(self) -> Tensor:
        """The natural logarithm, number by number."""
        return arithmetic.Log()(self)

    def __getitem__(self, index: Any) -> Tensor:
        return arithmetic.GetItem(index)(self)

    def __neg__(self) -> Tensor:
        return arithmetic.Neg()(self)

    @property
    def T(self) -> Tensor:
        """The axes reversed."""
        return arithmetic.Transpose()(self)


def _one_or_many(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    in_brackets = len(arguments) == 1 and isinstance(arguments[0], (tuple, list))
    return tuple(arguments[0]) if in_brackets else arguments


def _operator(name: str, operation: type[Function]) -> None:
    """Give Tensor a + b, b + a where b is a number or an array, and a += b."""
    def operator(self: Tensor, other: Input) -> Tensor:
        return operation()(self, other)

    def reflected(self: Tensor, other: Input) -> Tensor:
        return operation()(other, self)

    def in_place(self: Tensor, other: Input) -> Tensor:
        if self.requires_grad and self.creator is None:
            # The name would stand for a new Tensor, and the leaf would never change.
            raise TypeError("+=, -=, *= and /= do not change a leaf that requires a gradient: "
                            "change its array, as in w.data -= lr * w.grad.")
        return operation()(self, other)

    for prefix, method in (("", operator), ("r", reflected), ("i", in_place)):
        method.__doc__, method.__name__ = operation.__doc__, f"__{prefix}{name}__"
        setattr(Tensor, method.__name__, method)


_OPERATORS = dict(add=arithmetic.Add, sub=arithmetic.Sub, mul=arithmetic.Mul,
                  truediv=arithmetic.Div, pow=arithmetic.Pow, matmul=arithmetic.MatMul)
for _name, _operation in _OPERATORS.items():
    _operator(_name, _operation)
for _name, _method in vars(Methods).items():
    if callable(_method) or isinstance(_method, property):
        setattr(Tensor, _name, _method)
