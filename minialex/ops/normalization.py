"""Response normalisation: bright neighbours dim each other.

    y_i = x_i / s_i^β       s_i = k + α · Σ_j x_j²                j: the neighbours of i
    dx_i = g_i / s_i^β − 2αβ · x_i · Σ_j (g_j·x_j / s_j^(β+1))    j: those whose neighbour is i

The neighbours of i run from i − ⌊n/2⌋ to i + ⌊(n−1)/2⌋; i itself is one of them.

LocalResponseNorm: neighbours are channels (the paper, section 3.3; k = 2, n = 5, α = 10⁻⁴,
β = 0.75). α is not divided by n (Caffe and PyTorch divide it: their 5·10⁻⁴ is the paper's 10⁻⁴).
With `groups` the window stops at the edge of a tower, as it did on the paper's two GPUs.
MapResponseNorm: neighbours are the n x n pixels around a pixel, in the same channel, as in the
released 2012 source (k = 1, n = 5, α = 0.001/25).
"""
from numbers import Integral

from ..aliases import Array
from ..device import array_module
from ..tensor import Function


class LocalResponseNorm(Function):
    axes: tuple[int, ...] = (2,)  # of (N, groups, C/groups, H, W), along which neighbours stand

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0,
                 groups: int = 1) -> None:
        self.size, self.groups = size, groups
        self.alpha, self.beta, self.k = float(alpha), float(beta), float(k)

    def forward(self, x: Array) -> Array:
        s = self.k + self.alpha * self.window_sum(x * x, before=self.size // 2)
        self.save_for_backward(x, s)
        return x / s ** self.beta

    def backward(self, g: Array) -> Array:
        x, s = self.saved
        direct = g / s ** self.beta
        # The window mirrored: those whose neighbour is i.
        neighbours = self.window_sum(direct * x / s, before=(self.size - 1) // 2)
        return direct - 2 * self.alpha * self.beta * x * neighbours

    def window_sum(self, values: Array, before: int) -> Array:
        """Σ over `size` neighbours, the first of them `before` places ahead; 0 beyond the edge."""
        N, C, H, W = values.shape
        total = values.reshape(N, self.groups, C // self.groups, H, W)
        for axis in self.axes:
            widths = [(before, self.size - 1 - before) if a == axis else (0, 0) for a in range(5)]
            padded = array_module(values).pad(total, widths).swapaxes(0, axis)
            total = sum(padded[i:i + total.shape[axis]] for i in range(self.size)).swapaxes(0, axis)
        return total.reshape(values.shape)

    def check_inputs(self, x: Array) -> None:
        if x.ndim != 4:
            raise ValueError(f"{self.called}: input must be (N, C, H, W), got shape {x.shape}.")
        if not isinstance(self.size, Integral) or self.size < 1:
            raise ValueError(f"{self.called}: size is a whole number, at least 1, got {self.size}.")
        if not self.k > 0:  # where all neighbours are 0, x is divided by k^β
            raise ValueError(f"{self.called}: k must be above 0, got {self.k}.")
        if not isinstance(self.groups, Integral) or self.groups < 1 or x.shape[1] % self.groups:
            raise ValueError(f"{self.called}: groups={self.groups} must divide the {x.shape[1]} "
                             "channels into towers of equal size.")

    called = "local_response_norm"


class MapResponseNorm(LocalResponseNorm):
    axes, called = (3, 4), "map_response_norm"

    def __init__(self, size: int = 5, alpha: float = 0.001 / 25, beta: float = 0.75,
                 k: float = 1.0) -> None:
        super().__init__(size, alpha, beta, k)
