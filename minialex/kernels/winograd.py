"""3x3 convolutions with stride 1 in 4 multiplications where im2col needs 9, by tiles (Winograd's minimal filtering; Lavin and
Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4.1).

Two outputs of three taps, y₀ = d₀g₀ + d₁g₁ + d₂g₂ and y₁ = d₁g₀ + d₂g₁ + d₃g₂, take 6 multiplications, or 4:

    y = Aᵀ [(G g) ⊙ (Bᵀ d)]             and for 2x2 outputs, from a tile d of 4x4 pixels,        Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A

Summed over the channels, each of the 16 places in a tile is a matrix product: weights U = G g Gᵀ, columns V = Bᵀ d B. A, B
and G only add, subtract and halve, and every backward pass is their transpose. So these are the maps of ops/convolution.py
with other columns. Rounding differs from im2col's by some 10⁻⁷.
"""
import numpy as np

from ..parallel import scratch

AT = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
BT = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
# G = diag(1, ½, ½, 1) · S, so that G g Gᵀ = HALVES ⊙ (S g Sᵀ), where S holds only 0, 1 and −1 as the others do.
S = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 1]])
HALVES = np.outer([1, 0.5, 0.5, 1], [1, 0.5, 0.5, 1])[:, :, None, None]


class Winograd:
    """The linear maps of a convolution and their transposes; `Im2col` in ops/convolution.py is the plain form of the same names.

    P = TW·TH·n columns for n images of TH x TW tiles: the images stand innermost, then the rows of tiles, so that NumPy's loops
    are TH·n or TW·TH·n numbers long.
    """

    def __init__(self, weight_shape, padding, groups, output_size):
        self.C_out, self.C = weight_shape[0], weight_shape[1] * groups
        self.padding, self.groups = padding, groups
        self.TH, self.TW = (-(-size // 2) for size in output_size)

    def weights(self, weight):
        """(C_out, C/G, 3, 3) -> (16, G, C_out/G, C/G):  U = G g Gᵀ"""
        U = _both_ways(S, weight.transpose(2, 3, 0, 1))
        U *= HALVES.astype(U.dtype)
        return U.reshape(16, self.groups, self.C_out // self.groups, -1).copy()

    def weights_back(self, dU):
        """The transpose, (16, G, C_out/G, C/G) -> (C_out, C/G, 3, 3):  dg = Gᵀ dU G"""
        dg = _both_ways(S.T, dU.reshape(4, 4, self.C_out, -1) * HALVES.astype(dU.dtype))
        return np.ascontiguousarray(dg.transpose(2, 3, 0, 1))

    def columns(self, x):
        """n images (n, C, H, W) -> (16, G, C/G, P):  V = Bᵀ d B for every tile d"""
        TH, TW, n = self.TH, self.TW, len(x)
        pixels = self._pixels(x)
        for inside, outside in self._quarters_of_pixels(pixels, x):
            inside[...] = outside
        rows = scratch("rows", (4, *pixels.shape[:3], TH, n), x.dtype, like=x)
        for signs, out in zip(BT, rows):
            _combine(signs, [pixels[:, :, :, i % 2, i // 2:i // 2 + TH] for i in range(4)], out)
        V = scratch("columns", (4, 4, self.C, TW, TH, n), x.dtype, like=x)
        for signs, out in zip(BT, V.swapaxes(0, 1)):
            _combine(signs, [rows[:, :, j % 2, j // 2:j // 2 + TW] for j in range(4)], out)
        return V.reshape(16, self.groups, self.C // self.groups, -1)

    def columns_back(self, dV, out):
        """The transpose, (16, G, C/G, P) -> out (n, C, H, W):  dd = B dV Bᵀ, added up where tiles share a pixel"""
        TH, TW, n = self.TH, self.TW, len(out)
        dV = dV.reshape(4, 4, self.C, TW, TH, n)
        pixels = self._pixels(out)
        rows = scratch("rows", (4, *pixels.shape[:3], TH, n), out.dtype, like=out)
        rows[...] = 0
        part = scratch("part", dV[0].shape, out.dtype, like=out)
        for j, signs in enumerate(BT.T):
            rows[:, :, j % 2, j // 2:j // 2 + TW] += _combine(signs, dV.swapaxes(0, 1), part)
        part = scratch("part", rows[0].shape, out.dtype, like=out)
        for i, signs in enumerate(BT.T):
            pixels[:, :, :, i % 2, i // 2:i // 2 + TH] += _combine(signs, rows, part)
        for inside, outside in self._quarters_of_pixels(pixels, out):
            outside[...] = inside

    def output(self, product, bias, out):
        """(16, G, C_out/G, P), bias (C_out, 1, 1) -> out (n, C_out, OH, OW):  Y = Aᵀ M A + bias for every tile's product M"""
        M = product.reshape(4, 4, self.C_out, self.TW, self.TH, len(out))
        for inside, outside in self._quarters_of_outputs(_both_ways(AT, M), out):
            np.add(inside, bias, out=outside)

    def output_back(self, dy):
        """The transpose, dy (n, C_out, OH, OW) -> (16, G, C_out/G, P),  dM = A dy Aᵀ"""
        padded = scratch("part", (2, 2, self.C_out, self.TW, self.TH, len(dy)), dy.dtype, like=dy)
        padded[...] = 0
        for inside, outside in self._quarters_of_outputs(padded, dy):
            inside[...] = outside
        return _both_ways(AT.T, padded).reshape(16, self.groups, self.C_out // self.groups, -1)

    def images_at_a_time(self):
        """So many that P is about 400: longer products are not faster."""
        return -(-384 // (self.TH * self.TW))

    def _pixels(self, x):
        """Zeros for the padded images: [c, a, w, b, h, n] stands for pixel (2h + b, 2w + a) of image n."""
        pixels = scratch("pixels", (self.C, 2, self.TW + 1, 2, self.TH + 1, len(x)), x.dtype, like=x)
        pixels[...] = 0
        return pixels

    def _quarters_of_pixels(self, pixels, x):
        """Pairs of views, (n, C, every other row, every other column), of the same pixels in `pixels` and in x."""
        PH, PW = self.padding
        for b in range(2):
            for a in range(2):
                h, w = (b - PH) % 2, (a - PW) % 2
                quarter = x[:, :, h::2, w::2]
                h, w = (h + PH) // 2, (w + PW) // 2
                inside = pixels[:, a, w:w + quarter.shape[3], b, h:h + quarter.shape[2]]
                yield inside.transpose(3, 0, 2, 1), quarter

    def _quarters_of_outputs(self, tiles, images):
        """Pairs of views, (n, C_out, every other row, every other column), of the four outputs of each tile and of images."""
        for b in range(2):
            for a in range(2):
                quarter = images[:, :, b::2, a::2]
                yield tiles[b, a].transpose(3, 0, 2, 1)[:, :, :quarter.shape[2], :quarter.shape[3]], quarter


def _combine(signs, parts, out):
    """out = Σ sign · part, the signs being 0, 1 and −1."""
    terms = sorted(((sign, part) for sign, part in zip(signs, parts) if sign), key=lambda term: -term[0])  # begin with a +
    (sign, total), *others = terms
    if not others or sign < 0:
        total = np.multiply(total, total.dtype.type(sign), out=out)
    for sign, part in others:
        total = (np.add if sign > 0 else np.subtract)(total, part, out=out)
    return out


def _both_ways(matrix, values):
    """matrix · values · matrixᵀ over the first two axes."""
    size = len(matrix)
    rows = scratch("rows", (size, *values.shape[1:]), values.dtype, like=values)
    for signs, out in zip(matrix, rows):
        _combine(signs, values, out)
    result = scratch("both", (size, size, *values.shape[2:]), values.dtype, like=values)
    for signs, out in zip(matrix, result.swapaxes(0, 1)):
        _combine(signs, rows.swapaxes(0, 1), out)
    return result
