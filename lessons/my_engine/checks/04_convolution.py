"""Brick 4: im2col and col2im as in exercise 4, then the class for a batch, with stride and
padding."""
import checking
import numpy as np
from bricks import operation, right

import minialex.functional as F


def check(im2col, col2im, Convolution):
    checking.load("04_convolution").check(im2col, col2im)
    generator = np.random.default_rng(4)
    for stride, padding, K in [(1, 0, 3), (2, 1, 3), (1, 2, 5)]:
        x, W, b = (generator.normal(size=(2, 3, 6, 7)), generator.normal(size=(4, 3, K, K)),
                   generator.normal(size=4))
        _batch(Convolution, x, W, b, stride, padding)
    return "Forward and backward agree with the engine's, for three strides, paddings and kernels."


def _batch(Convolution, x, W, b, stride, padding):
    expected = y, g, (dx, dW, db) = right(lambda *arrays: F.conv2d(*arrays, stride, padding), x, W,
                                          b)
    by_picture = [right(lambda *arrays: F.conv2d(*arrays, stride, padding), x[n:n + 1], W, b,
                        g=g[n:n + 1])[2] for n in (0, 1)]
    border = [(0, 0), (0, 0), (padding, padding), (padding, padding)]
    bordered = right(lambda *arrays: F.conv2d(*arrays, stride), np.pad(x, border), W, b, g=g)[2][0]
    operation(lambda: Convolution(stride, padding), [x, W, b], expected, forward=[
        (y - b[:, None, None], "the bias is missing: b[o] is added at each place of map o."),
        (F.conv2d(x, W[:, :, ::-1, ::-1].copy(), b, stride, padding).data,
         "the kernels are flipped: this convolution does not "
         "flip them."),
        (y.transpose(0, 2, 3, 1), "the maps come before the places: (N, O, OH, OW)."),
        (y.reshape(*y.shape[:2], -1), "the numbers are right, the shape is not: reshape to (N, "
         "O, OH, OW)."),
        *([(F.conv2d(x, W, b, stride).data, "x was not padded.")] if min(x.shape[2:]) >= W.shape[2]
          else []),
    ], backward=[
        ("x", [(bordered, "this still has the border: cut it off, dx[:, :, p : p + H, p : p + W]."),
               ] if padding else []),
        ("W",
         [(by_picture[0][1], "only the first picture counts: add up g·columnsᵀ of all pictures."),
               (by_picture[1][1], "only the last picture counts: += instead of =, "
                "for each picture."),
               (dW / 2, "that is the mean over the pictures. "
                "The loss has taken its mean already: add up."),
               (dW.reshape(4, -1), "the numbers are right, the shape is not: "
                "reshape to the shape of W.")]),
        ("b", [(g.sum(axis=(2, 3)), "add up over the pictures, too: b is one for all of them."),
               (g.mean(axis=(0, 2, 3)), "that is a mean. Every place has used b[o]: add up."),
               (g.sum(axis=0), "add up over all places of a map."),
               (by_picture[1][2], "only the last picture counts: add up over all of them.")]),
    ])
