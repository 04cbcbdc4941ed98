"""Exercise 21: rounding up, the zeros that this needs, response normalisation within a map."""
import numpy as np
from checking import call, same


def check(size_rounded_up, zeros_needed, within_map):
    import minialex.functional as F

    for size, kernel, stride in [(227, 11, 4), (224, 11, 4), (55, 3, 2), (54, 3, 2)]:
        span = size - kernel
        right = -(-span // stride) + 1
        hints = [(span // stride + 1, "that is rounded down, as the layers of most libraries do."),
                 (-(-span // stride), "the window where the sliding starts is missing: + 1."),
                 (span // stride + 2, "one more than rounded down is too many where the division "
                  "has no remainder."), (span / stride + 1, "a whole number of windows: round up.")]
        same(f"size_rounded_up{size, kernel, stride}", call(size_rounded_up, size, kernel, stride),
             right, hints)
        zeros = (right - 1) * stride + kernel - size
        hints = [(right * stride + kernel - size, "the last window begins at (count − 1)·stride."),
                 (-zeros, "the other way round."),
                 ((right - 1) * stride - size, "the last window is as wide as the kernel: add it."),
                 (span % stride, "that is how far the last full window ends before the edge; "
                  "the next one sticks out by stride − that."),
                 (kernel - 1, "padding on one side only, and no more than is read.")]
        same(f"zeros_needed{size, kernel, stride}", call(zeros_needed, size, kernel, stride), zeros,
             hints)
    x = np.random.default_rng(0).normal(0, 3, (6, 7))
    options = {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 1.0}
    right = F.map_response_norm(x[None, None], **options).data[0, 0]
    own = x / (1 + 0.5 * x**2) ** 0.75
    sums = (x / right) ** (1 / 0.75)
    hints = [(own, "that counts the pixel itself only, not its neighbours."),
             (x / sums, "the sum is raised to the power beta."),
             (1 / sums**0.75, "x itself stands above the line."),
             (x / (1 + (sums - 1) / 9) ** 0.75, "alpha is not divided by the number of "
              "pixels once more."), (_wrong(x, 0.5, squares=False), "the sum is over squares."),
             (_wrong(x, 0.5, clip=False),
              "a slice that begins below 0 counts from the other end, and is empty: max(0, …)."),
             (_wrong(x, 0.5, after=0), "a slice ends before its last index: row + size // 2 + 1.")]
    same("within_map", call(within_map, x, 3, 0.5, 0.75, 1.0), right, hints)
    return ("224 gives 55 with three zeros on the right: "
            "that is how the authors' program ran without 227.")


def _wrong(x, alpha, squares=True, clip=True, after=1):
    """Typical mistakes of the loops: values instead of squares, negative starts, one pixel
    short."""
    y = np.empty_like(x)
    for row, column in np.ndindex(x.shape):
        top, left = (max(0, row - 1), max(0, column - 1)) if clip else (row - 1, column - 1)
        window = x[top : row + 1 + after, left : column + 1 + after]
        total = (window**2).sum() if squares else window.sum()
        y[row, column] = x[row, column] / (1 + alpha
                                           * total) ** 0.75 if total > -1 / alpha else np.nan
    return y
