"""Winograd's tiles on a GPU: the plan of winograd.py with its linear maps in CUDA, one thread for
each tile and channel, and each of its products in one batched call of cuBLAS.

    weights U (n², T, C_out/T, C/T·S²)    columns V (n², T, C/T·S², P)
    product U·V (n², T, C_out/T, P)

P = N·TH·TW tiles of N images; a stride S > 1 is folded into channels (space_to_depth.py) while
pixels are read. Not with TF32, whose 10 bits a tile's differences of large numbers would use up.
Not measured yet: python benchmarks/gpu.py.
"""
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..aliases import Array, Pair, Shape
from ..device import array_module, is_array
from .buffers import empty
from .convolution import Convolution
from .gpu import contiguous, images_at_a_time, in_place, launch, sum_over_images, text
from .winograd import Winograd, matrices


@cache
def body(m: int, r: int) -> str:
    """The CUDA text for tiles of m x m outputs and kernels of r x r: sizes and matrices above the
    kernels."""
    AT, G, BT = matrices(m, r)
    lines = [f"#define OUT {m}", f"#define KERNEL {r}", f"#define TILE {m + r - 1}"]
    for name, matrix in {"BT": BT, "B": BT.T, "G": G, "GT": G.T, "AT": AT, "A": AT.T}.items():
        rows = ", ".join("{" + ", ".join(f"(real){float(number)!r}" for number in row) + "}"
                         for row in matrix)
        lines.append("__device__ constexpr real "
                     f"{name}[{matrix.shape[0]}][{matrix.shape[1]}] = {{{rows}}};")
    return "\n".join([text("windows.cu"), *lines, text("winograd.cu")])


class GpuWinograd(Winograd):
    """Winograd's plan for CuPy's arrays, with any stride."""

    def __init__(self, x: Array, weight: Array, stride: Pair, padding: Pair, groups: int,
                 output_size: Pair, forward: bool = True, m: int | None = None) -> None:
        self.S, self.K = stride[0], weight.shape[2]
        folded = np.broadcast_to(weight.dtype.type(0), (len(weight), weight.shape[1] * self.S**2,
                                                        *[-(-self.K // self.S)] * 2))
        super().__init__(x, folded, (1, 1), padding, groups, output_size, forward, m)
        self.like = weight

    def describe(self) -> str:
        return (f"{super().describe()}, one batched product" + ", "
                f"stride {self.S} as channels" * (self.S > 1))

    def weights(self, weight: Array) -> Array:
        U = empty((self.n**2, self.groups, self.C_out // self.groups, self.C // self.groups),
                  self.dtype, like=weight)
        self._launch("weights", U[0].size, contiguous(weight), U, U.shape[3], self.K, self.S)
        return U

    def weights_back(self, dU: Array) -> Array:
        channels = self.C // self.groups
        dweight = empty((self.C_out, channels // self.S**2, self.K, self.K), self.dtype, like=dU)
        self._launch("weights_back", dU[0].size, contiguous(dU), dweight, channels, self.K, self.S)
        return dweight

    def columns(self, x: Array) -> Array:
        V = self.empty_columns(len(x))
        self._launch("columns", V[0].size, contiguous(x), V, *x.shape[1:], *self._tiles(len(x)),
                     self.S, *self.padding)
        return V

    def columns_back(self, dV: Array, out: Array) -> None:
        in_place(dV, out)
        self._launch("tiles_back", dV[0].size, dV)
        self._launch("pixels", out.size, dV, out, *out.shape[1:], *self._tiles(len(out)), self.S,
                     *self.padding)

    def output(self, product: Array, bias: Array, out: Array,
               finish: Callable[[Array], None]) -> None:
        in_place(out)
        b = (contiguous(bias.reshape(-1)) if is_array(bias)
             else array_module(out).zeros(self.C_out, dtype=self.dtype))
        self._launch("output", product[0].size, product, b, out, *out.shape[1:],
                     *self._tiles(len(out)))
        finish(out)

    def output_back(self, dy: Array) -> Array:
        dM = self.empty_product(len(dy))
        self._launch("output_back", dM[0].size, contiguous(dy), dM, *dy.shape[1:],
                     *self._tiles(len(dy)))
        return dM

    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        """a · b in each place of a tile and each tower; CuPy copies an operand that is
        transposed."""
        return array_module(a).matmul(a, b, out=out)

    def empty_product(self, images: int) -> Array:
        return self._matrices(self.C_out, images)

    def empty_columns(self, images: int) -> Array:
        return self._matrices(self.C, images)

    def empty_images(self, shape: Shape) -> Array:
        return empty(shape, self.dtype, like=self.like)

    def images_at_a_time(self) -> int:
        return images_at_a_time(self.n**2 * self.TH * self.TW * max(self.C, self.C_out)
                                * self.dtype.itemsize)

    def sum_over_images(self, function: Callable[..., Any], count: int, operations: float) -> Any:
        return sum_over_images(function, count, self.images_at_a_time())

    def _matrices(self, channels, images):
        shape = self.n**2, self.groups, channels // self.groups, images * self.TH * self.TW
        return empty(shape, self.dtype, like=self.like)

    def _tiles(self, images):
        return self.TH, self.TW, images * self.TH * self.TW

    def _launch(self, name, total, array, *arguments):
        with array.device:
            launch(f"winograd_{name}", total, array, *arguments, body=body(self.m, self.r))


class GpuWinogradConvolution(Convolution):
    plan = GpuWinograd
