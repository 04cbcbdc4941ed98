"""Convolutions with a stride S > 1 as convolutions with stride 1: each block of S x S pixels
becomes one pixel with S² times the channels, and so do the entries of a kernel.

    x'[n, (c, i, j), h, w] = x[n, c, S·h + i − PH, S·w + j − PW]      i, j < S; 0 outside the image
    W'[o, (c, i, j), a, b] = W[o, c, S·a + i, S·b + j]                  0 outside the kernel

AlexNet's first layer, 11x11 with stride 4 over 3 colours, is then 3x3 over 48 channels, and tiles
take 36 multiplications for each output and colour where im2col takes 11·11 = 121. Nothing is added
up here, so a transpose is the same copy the other way.
"""
import numpy as np

from ..aliases import Array, Pair
from .buffers import scratch
from .convolution import Convolution
from .layout import swapped
from .threads import for_each
from .winograd import Winograd


class SpaceToDepth(Winograd):
    """Winograd's maps of x' and W', for x and W."""

    def __init__(self, x: Array, weight: Array, stride: Pair, padding: Pair, groups: int,
                 output_size: Pair, forward: bool = True, m: int | None = None) -> None:
        self.S, self.K, self.image_padding = stride[0], weight.shape[2], padding
        super().__init__(x, self._folded(weight), (1, 1), (0, 0), groups, output_size, forward, m)
        self.folded_size = tuple(size + self.r - 1 for size in output_size)

    def describe(self) -> str:
        return f"space-to-depth {self.S}×{self.S}, {super().describe()}"

    def weights(self, weight: Array) -> Array:
        """(C_out, C/T, K, K) -> (n², T, C_out/T, C/T·S²)"""
        return super().weights(self._folded(weight))

    def weights_back(self, dU: Array) -> Array:
        """The transpose, (n², T, C_out/T, C/T·S²) -> (C_out, C/T, K, K)"""
        S, r, K = self.S, self.r, self.K
        blocks = super().weights_back(dU).reshape(self.C_out, -1, S, S, r, r).transpose(0, 1, 4, 2,
                                                                                        5, 3)
        return np.ascontiguousarray(blocks.reshape(self.C_out, -1, r * S, r * S)[:, :, :K, :K])

    def columns(self, x: Array) -> Array:
        """(N, C, H, W) -> (n², T, C/T·S², P)"""
        folded = scratch("pixels", (*self.folded_size, len(x), self.C), self.dtype, like=x)

        def fold(image: int) -> None:
            pixels, blocks, entries = self._one_image(x[image], folded[:, :, image])
            pixels[...] = 0
            pixels[self._window(x)] = x[image][self._met(x)]
            entries[...] = blocks

        for_each(fold, range(len(x)), numbers=folded.size)
        return super().columns(swapped(folded))

    def columns_back(self, dcolumns: Array, out: Array) -> None:
        """The transpose, (n², T, C/T·S², P) -> out (N, C, H, W)"""
        folded = self.empty_images((len(out), self.C, *self.folded_size))
        super().columns_back(dcolumns, folded)

        def unfold(image: int) -> None:
            pixels, blocks, entries = self._one_image(out[image], folded[image].transpose(1, 2, 0))
            blocks[...] = entries
            # For the last rows and columns, which no window meets where the stride leaves some
            # over.
            out[image] = 0
            out[image][self._met(out)] = pixels[self._window(out)]

        for_each(unfold, range(len(out)), numbers=folded.size)

    def _folded(self, weight: Array) -> Array:
        """W (C_out, C/T, K, K) -> W' (C_out, C/T·S², r, r)"""
        S, r = self.S, -(-self.K // self.S)
        missing = (0, r * S - self.K)
        blocks = np.pad(weight, ((0, 0), (0, 0), missing, missing)).reshape(*weight.shape[:2], r, S,
                                                                            r, S)
        return blocks.transpose(0, 1, 3, 5, 2, 4).reshape(len(weight), -1, r, r)

    def _one_image(self, image: Array, folded: Array) -> tuple[Array, Array, Array]:
        """Memory for one image with its padding, its blocks (H', W', C, S, 1), and those of folded
        (H', W', C·S²). A row of a block counts as one number: NumPy's loops over 4 floats would
        cost more than the floats."""
        (H, W), S, C = self.folded_size, self.S, len(image)
        pixels = scratch("image", (C, S * H, S * W), self.dtype, like=image)
        row = f"V{S * pixels.itemsize}"
        blocks = pixels.reshape(C, H, S, W, S).transpose(1, 3, 0, 2, 4).view(row)
        return pixels, blocks, folded.reshape(H, W, C, S, S).view(row)

    def _met(self, images: Array) -> tuple[slice, ...]:
        """Where in an image (C, H, W) the pixels stand that some window meets."""
        return (slice(None), *(slice(0, min(size, self.S * blocks - P)) for size, blocks, P
                               in zip(images.shape[2:], self.folded_size, self.image_padding)))

    def _window(self, images: Array) -> tuple[slice, ...]:
        """Where the same pixels stand in the image with its padding."""
        return (slice(None), *(slice(P, P + met.stop)
                               for P, met in zip(self.image_padding, self._met(images)[1:])))


class SpaceToDepthConvolution(Convolution):
    plan = SpaceToDepth
