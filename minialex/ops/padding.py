"""Zeros around an image, each side its own: the released 2012 source pads right and bottom only."""
from numbers import Integral

from ..aliases import Array
from ..device import array_module
from ..tensor import Function


class ZeroPad2d(Function):
    """y is x with zeros around it;  dx = g without them"""

    def __init__(self, left: int, right: int, top: int, bottom: int) -> None:
        self.widths = [(0, 0), (0, 0), (top, bottom), (left, right)]
        if not all(isinstance(n, Integral) and n >= 0 for n in (left, right, top, bottom)):
            raise ValueError("zero_pad2d: the widths are whole numbers of pixels, 0 or more, got "
                             f"{left=}, {right=}, {top=}, {bottom=}.")

    def check_inputs(self, x: Array) -> None:
        if x.ndim != 4:
            raise ValueError(f"zero_pad2d: input must be (N, C, H, W), got shape {x.shape}.")

    def forward(self, x: Array) -> Array:
        return array_module(x).pad(x, self.widths)

    def backward(self, grad_output: Array) -> Array:
        _, _, H, W = self.input_shapes[0]
        (top, _), (left, _) = self.widths[2:]
        return grad_output[:, :, top:top + H, left:left + W]
