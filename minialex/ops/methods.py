"""Operators and methods of Tensor: each makes one Function of arithmetic.py and calls it."""
from typing import Any

from ..aliases import Axes
from ..tensor import Function, Input, Tensor
from .arithmetic import Add, Div, Exp, GetItem, Log, MatMul, Max, Mean, Mul, Neg, Pow, Reshape, Sub, Sum, Transpose


class Methods:
    """What a Tensor can do. `_operator`, below, adds the operators."""

    def sum(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The sum along `axis`, a number or several in brackets; of everything without it.
        keepdims: leave axes of length 1."""
        return Sum(axis, keepdims)(self)

    def mean(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The mean along `axis`, a number or several in brackets; of everything without it.
        keepdims: leave axes of length 1."""
        return Mean(axis, keepdims)(self)

    def max(self, axis: Axes = None, keepdims: bool = False) -> Tensor:
        """The maximum along `axis`, a number or several in brackets; of everything without it. The
        gradient goes to the first place that holds it. keepdims: leave axes of length 1."""
        return Max(axis, keepdims)(self)

    def reshape(self, *shape: Any) -> Tensor:
        """The same numbers in another shape: x.reshape(2, -1) or x.reshape((2, -1)); -1 stands for what is left."""
        return Reshape(_one_or_many(shape))(self)

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order, x.transpose(1, 0) or x.transpose((1, 0)); reversed without it."""
        return Transpose(_one_or_many(axes))(self)

    def exp(self) -> Tensor:
        """e^x, number by number."""
        return Exp()(self)

    def log(self) -> Tensor:
        """The natural logarithm, number by number."""
        return Log()(self)

    def __getitem__(self, index: Any) -> Tensor:
        return GetItem(index)(self)

    def __neg__(self) -> Tensor:
        return Neg()(self)

    @property
    def T(self) -> Tensor:
        """The axes reversed."""
        return Transpose()(self)


def _one_or_many(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], (tuple, list)) else arguments


def _operator(name: str, operation: type[Function]) -> None:
    """Give Tensor a + b, b + a where b is a number or an array, and a += b."""
    def operator(self: Tensor, other: Input) -> Tensor:
        return operation()(self, other)

    def reflected(self: Tensor, other: Input) -> Tensor:
        return operation()(other, self)

    def in_place(self: Tensor, other: Input) -> Tensor:
        if self.requires_grad and self.creator is None:  # the name would stand for a new Tensor, and the leaf never change
            raise TypeError("+=, -=, *= and /= do not change a leaf that requires a gradient, the name would stand for another "
                            "Tensor: change its array, as in w.data -= lr * w.grad.")
        return operation()(self, other)

    for prefix, method in (("", operator), ("r", reflected), ("i", in_place)):
        method.__doc__, method.__name__ = operation.__doc__, f"__{prefix}{name}__"
        setattr(Tensor, method.__name__, method)


for _name, _operation in dict(add=Add, sub=Sub, mul=Mul, truediv=Div, pow=Pow, matmul=MatMul).items():
    _operator(_name, _operation)
for _name, _method in vars(Methods).items():
    if callable(_method) or isinstance(_method, property):
        setattr(Tensor, _name, _method)
