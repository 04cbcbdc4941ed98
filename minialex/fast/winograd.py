"""Convolutions with stride 1 by tiles, in a quarter of im2col's multiplications or fewer
(Winograd's minimal filtering; Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
CVPR 2016, section 4).

Multiply two polynomials, g with r coefficients and h with m. Their product has n = m + r − 1
coefficients, so its values at n points determine it, and a value takes one multiplication,
g(a)·h(a). Evaluating is a matrix for each factor, G and A; finding the coefficients is another, B
(Toom and Cook):

    g·h = B [(G g) ⊙ (A h)],            (g·h)_k = Σ_j g_j·h_{k−j}        ⊙: number by number

With g fixed this is a linear map of h. A convolution layer computes its transpose, from n pixels d
to m outputs y, and a product of matrices is transposed factor by factor, last one first:

    y = Aᵀ [(G g) ⊙ (Bᵀ d)],            y_i = Σ_j g_j·d_{i+j}

In two dimensions the same is done along the rows and along the columns: m x m outputs, from a tile
d of n x n pixels, are

    Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A

4x4 outputs take n² = 36 multiplications instead of 4²·3² = 144 with 3x3 kernels, and 64 instead of
400 with 5x5 kernels. Summed over the channels, each of the n² places in a tile is a matrix product:
weights U = G g Gᵀ, columns V = Bᵀ d B. Every backward pass is a transpose once more. So these are
the maps of im2col.py with n² products instead of one; neighbouring tiles lie m pixels apart and
share r − 1 rows or columns of pixels.

Images lie in memory as (H, W, N, C): all channels of all images of one pixel side by side. Then the
rows of a tile are the rows of a matrix, and A, B and G are applied by matrix products too, without
a copy.
"""
import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..aliases import Array, Pair, Shape
from .buffers import empty, scratch
from .convolution import Convolution, Plan
from .layout import swapped
from .threads import batch_pieces, for_each

# (m, r): the points beside ∞. Rounding errors of the products reach the outputs enlarged, because
# Aᵀ takes differences of large numbers: in the root of the mean square 1.5, 2.2 and 4.0 times (3x3)
# or 8 and 16 times (5x5) with these points, which are the best of all symmetrical ones in eighths.
POINTS = {(2, 3): (0, 1, -1), (3, 3): (3 / 8, -3 / 8, 5 / 4, -5 / 4),
          (4, 3): (0, 5 / 8, -5 / 8, 3 / 2, -3 / 2),
          (3, 5): (1 / 4, -1 / 4, 7 / 8, -7 / 8, 7 / 4, -7 / 4),
          (4, 5): (0, 1 / 2, -1 / 2, 1, -1, 2, -2)}

# Rounding grows with the length of a sum as well. At 192 channels 5x5 kernels deviate by 13·10⁻⁶ of
# the largest value with sums of 128 products, and by 8·10⁻⁶ with sums of 64.
LONGEST_SUM = {3: 192, 5: 64}


def tile_size(r: int, images: int, output_size: Pair, forward: bool) -> int:
    """m for kernels of r x r. Backward it is 4: gradients that are off by 10⁻⁶ harm nobody.
    Forward, rounding decides on which side of 0 an output lies, and which of nearly equal ones wins
    a pooling window. So tiles are smaller there, where that costs next to nothing: for outputs that
    3 divides with less waste than 4 (13 is 5·3 − 2 and 4·4 − 3), and for few images, where what
    takes the time is the transform of the weights.
    """
    def multiplications(m: int) -> int:
        return math.prod(-(-size // m) * (m + r - 1) for size in output_size)

    if not forward:
        return 4
    if multiplications(3) < 1.1 * multiplications(4) or r == 5 and images < 32:
        return 3
    return 2 if r == 3 and images < 8 else 4


@lru_cache
def matrices(m: int, r: int) -> tuple[Array, Array, Array]:
    """Aᵀ (m, n), G (n, r), Bᵀ (n, n) for tiles of m x m outputs and kernels of r x r, float64.

    Rows of G and A hold the powers of a point: they evaluate. Row i of Bᵀ, column i of B, holds the
    coefficients of Π_{j≠i} (x − aⱼ), which is 0 at all points but aᵢ (Lagrange); G has the division
    by its value there. At ∞ a polynomial's value is its leading coefficient, which belongs to Π_j
    (x − aⱼ), 0 at every other point.
    """
    a = np.array(POINTS[m, r], dtype=np.float64)
    others = [np.delete(a, i) for i in range(len(a))]
    scale = np.array([np.prod(a[i] - others[i]) for i in range(len(a))])
    at_infinity = np.eye(m + r - 1)[-1:]
    BT = np.vstack([np.append(np.poly(roots)[::-1], 0) for roots in others] + [np.poly(a)[::-1]])
    G = np.vstack([np.vander(a, r, increasing=True) / scale[:, None], at_infinity[:, -r:]])
    A = np.vstack([np.vander(a, m, increasing=True), at_infinity[:, -m:]])
    return A.T, G, BT


class Winograd(Plan):
    """The plan: the linear maps of a convolution and their transposes; `Im2col` in im2col.py is the
    plain form of the same names.

    TH·TW tiles in each of N images make P = TH·TW·N columns, for each of T = groups towers. The
    cores share the rows of tiles, then the n² products.

    From images to tiles the vertical direction comes first, for all pixels of a row of tiles at
    once (`rows`), then the horizontal one, tile by tile; from tiles to images it is the other way
    round.
    """

    by_image = both_ways = False

    def __init__(self, x: Array, weight: Array, stride: Pair, padding: Pair, groups: int,
                 output_size: Pair, forward: bool = True, m: int | None = None) -> None:
        self.C_out, self.C, self.r = len(weight), weight.shape[1] * groups, weight.shape[2]
        self.padding, self.groups, self.dtype, self.output_size = (padding, groups, weight.dtype,
                                                                   output_size)
        m = m or tile_size(self.r, len(x), output_size, forward)
        self.AT, self.G, self.BT = (matrix.astype(weight.dtype) for matrix in matrices(m, self.r))
        self.longest_sum = LONGEST_SUM[self.r]
        self.m, self.n = self.AT.shape
        self.TH, self.TW = (-(-size // self.m) for size in output_size)

    def describe(self) -> str:
        """The plan in a few words."""
        return f"Winograd F({self.m}×{self.m}, {self.r}×{self.r})"

    def weights(self, weight: Array) -> Array:
        """(C_out, C/T, r, r) -> (n², T, C_out/T, C/T):  U = G g Gᵀ"""
        r, n = self.r, self.n
        U = scratch("weights", (n, n, self.C_out, weight.shape[1]), self.dtype, like=weight)

        def transform(some: slice) -> None:
            g = np.ascontiguousarray(weight[some].transpose(2, 3, 0, 1))
            rows = np.matmul(self.G, g.reshape(r, -1))
            np.matmul(self.G, rows.reshape(n, r, -1), out=_flat(U[:, :, some]))

        for_each(transform, batch_pieces(self.C_out), numbers=U.size)
        return U.reshape(n * n, self.groups, -1, weight.shape[1])

    def weights_back(self, dU: Array) -> Array:
        """The transpose, (n², T, C_out/T, C/T) -> (C_out, C/T, r, r):  dg = Gᵀ dU G"""
        r, n = self.r, self.n
        dU = dU.reshape(n, n, self.C_out, -1)
        dweight = empty((self.C_out, dU.shape[3], r, r), self.dtype)

        def transform(some: slice) -> None:
            rows = np.matmul(self.G.T, _flat(dU[:, :, some])).reshape(n, -1)
            dg = np.matmul(self.G.T, rows).reshape(r, r, -1, dU.shape[3])
            dweight[some] = dg.transpose(2, 3, 0, 1)

        for_each(transform, batch_pieces(self.C_out), numbers=dU.size)
        return dweight

    def columns(self, x: Array) -> Array:
        """(N, C, H, W) -> (n², T, C/T, P):  V = Bᵀ d B for every tile d"""
        pixels, (PH, PW), m, n = self._pixels(x), self.padding, self.m, self.n
        H, W, numbers = pixels.shape
        V = scratch("columns", (n, n, self.TH, self.TW, numbers), self.dtype, like=x)

        def row_of_tiles(t: int) -> None:
            top = m * t - PH
            first = min(max(top, 0), H)
            # Outside the image there are zeros, for which the product needs no rows.
            last = max(first, min(top + n, H))
            rows = scratch("rows", (n, m * self.TW + self.r - 1, numbers), self.dtype, like=x)
            rows[:, :PW], rows[:, PW + W:] = 0, 0
            np.matmul(self.BT[:, first - top:last - top], pixels[first:last].swapaxes(0, 1),
                      out=rows[:, PW:PW + W].swapaxes(0, 1))
            tiles = sliding_window_view(rows, n, axis=1)[:, ::m]
            np.matmul(self.BT, tiles.swapaxes(2, 3), out=V[:, :, t].swapaxes(1, 2))

        for_each(row_of_tiles, range(self.TH), numbers=V.size)
        return self._by_tower(V, self.C)

    def columns_back(self, dV: Array, out: Array) -> None:
        """The transpose, (n², T, C/T, P) -> out (N, C, H, W): dd = B dV Bᵀ, added up where tiles
        share a pixel"""
        dV, (PH, PW), m, n = self._by_tile(dV), self.padding, self.m, self.n
        N, C, H, W = out.shape
        parts = scratch("parts", (self.TH, n, W, N * C), self.dtype, like=out)

        def row_of_tiles(t: int) -> None:
            tiles = scratch("tiles", (n, self.TW, n, N * C), self.dtype, like=out)
            np.matmul(self.BT.T, dV[:, :, t].swapaxes(1, 2), out=tiles)
            rows = scratch("rows", (n, m * self.TW + self.r - 1, N * C), self.dtype, like=out)
            rows[:, m * self.TW:] = 0
            for j in range(n):
                meets = rows[:, j:j + m * self.TW:m]
                if j < m:
                    meets[...] = tiles[:, :, j]
                else:  # these pixels belong to the next tile as well, which has put its part there
                    meets += tiles[:, :, j]
            np.matmul(self.BT.T, _flat(rows[:, PW:PW + W]), out=_flat(parts[t]))

        def row_of_pixels(h: int) -> None:
            first, *others = [parts[t, h + PH - m * t]
                              for t in range(self.TH) if 0 <= h + PH - m * t < n]
            for part in others:
                first += part
            out[:, :, h] = first.reshape(W, N, C).transpose(1, 2, 0)

        for_each(row_of_tiles, range(self.TH), numbers=dV.size)
        for_each(row_of_pixels, range(H), numbers=parts.size)

    def output(self, product: Array, bias: Array, out: Array,
               finish: Callable[[Array], None]) -> None:
        """(n², T, C_out/T, P), bias (C_out, 1, 1) -> out (N, C_out, OH, OW): Y = Aᵀ M A + bias for
        every tile's product M"""
        M, m, n = self._by_tile(product), self.m, self.n
        N, _, OH, OW = out.shape

        def row_of_tiles(t: int) -> None:
            rows = scratch("rows", (self.TW, n, m, M.shape[-1]), self.dtype, like=out)
            np.matmul(self.AT, M[:, :, t].transpose(2, 0, 1, 3), out=rows)
            tiles = scratch("tiles", (m, self.TW, m, M.shape[-1]), self.dtype, like=out)
            np.matmul(self.AT, _flat(rows), out=_flat(tiles).swapaxes(0, 1))
            y = out[:, :, m * t:m * t + m]
            np.add(tiles.reshape(m, -1, N, self.C_out)[:y.shape[2], :OW].transpose(2, 3, 0, 1),
                   bias, out=y)
            finish(y)

        for_each(row_of_tiles, range(self.TH), numbers=M.size)

    def output_back(self, dy: Array) -> Array:
        """The transpose, dy (N, C_out, OH, OW) -> (n², T, C_out/T, P),  dM = A dy Aᵀ"""
        pixels, m, n = self._pixels(dy), self.m, self.n
        OH, OW, numbers = pixels.shape
        dM = scratch("product", (n, n, self.TH, self.TW, numbers), self.dtype, like=dy)

        def row_of_tiles(t: int) -> None:
            some = pixels[m * t:m * t + m]
            rows = scratch("rows", (n, self.TW * m, numbers), self.dtype, like=dy)
            rows[:, OW:] = 0
            np.matmul(self.AT.T[:, :len(some)], some.swapaxes(0, 1),
                      out=rows[:, :OW].swapaxes(0, 1))
            np.matmul(self.AT.T, rows.reshape(n, self.TW, m, numbers),
                      out=dM[:, :, t].swapaxes(1, 2))

        for_each(row_of_tiles, range(self.TH), numbers=dM.size)
        return self._by_tower(dM, self.C_out)

    def multiply(self, a: Array, b: Array, out: Array) -> Array:
        """a · b in each place of a tile and each tower, as a sum of products with sums of at most
        `longest_sum` terms"""
        terms = b.shape[2]
        length = -(-terms // -(-terms // self.longest_sum))
        whole = terms // length * length  # sums of equal length, and one for the rest

        def product(place: tuple[int, ...]) -> None:
            left, right, result = a[place], b[place], out[place]
            # Its columns are contiguous: the transposed product has them as rows.
            if result.strides[0] < result.strides[1]:
                left, right, result = right.T, left.T, result.T
            if length == terms:
                np.matmul(left, right, out=result)
                return
            products = scratch("products", (-(-terms // length), *result.shape), self.dtype,
                               like=out)
            np.matmul(left[:, :whole].reshape(len(left), -1, length).swapaxes(0, 1),
                      right[:whole].reshape(-1, length, right.shape[1]),
                      out=products[:whole // length])
            if whole < terms:
                np.matmul(left[:, whole:], right[whole:], out=products[-1])
            _add_up(products, out=result)

        for_each(product, list(np.ndindex(a.shape[:2])), numbers=a.size * b.shape[3] // 32)
        return out

    def empty_product(self, images: int) -> Array:
        """Uninitialised memory for W · columns of so many images."""
        return self._empty("product", images, self.C_out)

    def empty_columns(self, images: int) -> Array:
        """Uninitialised memory for the columns of so many images: that of `columns`."""
        return self._empty("columns", images, self.C)

    def empty_images(self, shape: Shape) -> Array:
        """Uninitialised memory for images (N, C, H, W)."""
        N, C, H, W = shape
        return swapped(empty((H, W, N, C), self.dtype))

    def images_at_a_time(self) -> int:
        """A power of two, so that the matrices for all places in a tile take at most 52 MB: more
        images make longer products, but the third-level cache holds their operands no more."""
        image = self.n ** 2 * self.TH * self.TW * max(self.C, self.C_out) * self.dtype.itemsize
        return 1 << max(1, (52 << 20) // image).bit_length() - 1

    def _pixels(self, images: Array) -> Array:
        """(N, C, H, W) -> (H, W, N·C), a view if the images lie in memory like that, else a
        copy."""
        pixels = swapped(images)
        if pixels[0, 0].flags.c_contiguous:
            return _flat(pixels)
        copy = scratch("pixels", pixels.shape, self.dtype, like=images)

        def row(h: int) -> None:
            copy[h] = pixels[h]

        for_each(row, range(len(copy)), numbers=copy.size)
        return _flat(copy)

    def _empty(self, name: str, images: int, channels: int) -> Array:
        shape = self.n, self.n, self.TH, self.TW, images * channels
        return self._by_tower(scratch(name, shape, self.dtype, like=self.BT), channels)

    def _by_tower(self, tiles: Array, channels: int) -> Array:
        """Memory (n, n, TH, TW, N·channels) seen as matrices (n², T, channels/T, P), one for each
        place in a tile and tower."""
        return tiles.reshape(self.n ** 2, -1, self.groups, channels // self.groups).transpose(0, 2,
                                                                                              3, 1)

    def _by_tile(self, matrices: Array) -> Array:
        """(n², T, K, P) -> (n, n, TH, TW, N·T·K), the same memory"""
        return matrices.transpose(0, 3, 1, 2).reshape(self.n, self.n, self.TH, self.TW, -1)


class WinogradConvolution(Convolution):
    plan = Winograd


def _add_up(arrays: Array, out: Array) -> None:
    """The sum over the first axis (two or more), in pairs and pairs of pairs: fewer roundings than
    one after the other."""
    while len(arrays) > 2:
        half = -(-len(arrays) // 2)
        arrays[:len(arrays) - half] += arrays[half:]
        arrays = arrays[:half]
    np.add(*arrays, out=out)


def _flat(array: Array) -> Array:
    """The last two axes as one."""
    return array.reshape(*array.shape[:-2], -1)
