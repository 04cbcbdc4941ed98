"""Matrix products shared among the cores by our own threads, and the fully connected layer made of
them.

BLAS could share a product too, but its threads go on spinning for 20 ms after each one, in the way
of the layer that comes next: conv5's backward pass, right after fc6's, took 1.7 times as long at
batch 32 (RESULTS.md, "What each step brought").
"""
import numpy as np

from .. import ops
from ..aliases import Array
from ..device import array_module, thread_count
from .buffers import empty
from .threads import WORTH_SHARING, batch_pieces, inside, parallel_map


class Linear(ops.Linear):
    fresh_gradients = True

    def forward(self, x: Array, weight: Array, bias: Array | None = None) -> Array:
        self.save_for_backward(x, weight)
        y = matmul(x, weight.T)
        if bias is not None:
            y += bias
        return y

    def backward(self, g: Array) -> tuple[Array | None, ...]:
        x, weight = self.saved
        need_x, need_weight, *need_bias = self.needs_input_grad
        return (matmul(g, weight) if need_x else None,
                matmul(g.T, x) if need_weight else None,
                *[g.sum(axis=0) if needed else None for needed in need_bias])


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """a @ b for two matrices, shared among the cores by rows or columns of the result."""
    if out is None:
        out = empty((a.shape[0], b.shape[1]), np.result_type(a.dtype, b.dtype), like=a)
    xp = array_module(a)
    if xp is not np or inside():
        return xp.matmul(a, b, out=out)
    rows, columns = out.shape
    # The weights in x Wᵀ: (W xᵀ)ᵀ takes two thirds of the time.
    turned = b.flags.f_contiguous and not b.flags.c_contiguous
    # 1024 rows of fc6's gradient are one run of memory
    by_rows = rows >= columns or rows >= 1024 and not turned

    def part(piece: slice) -> None:
        if by_rows:
            np.matmul(a[piece], b, out=out[piece])
        elif turned:
            out[:, piece] = np.matmul(b.T[piece], a.T).T
        else:
            np.matmul(a, b[:, piece], out=out[:, piece])

    # Each piece packs the other operand anew: fc6's weight gradient takes 22 ms in 4 pieces and 25
    # ms in 8 (batch 32). Their number does not depend on the cores up to four, so neither do the
    # bits of the result.
    large = a.size * columns >= 32 * WORTH_SHARING
    pieces = batch_pieces(rows if by_rows else columns, 4 * -(-thread_count() // 4) if large else 1)
    parallel_map(part, pieces, share=large)
    return out
