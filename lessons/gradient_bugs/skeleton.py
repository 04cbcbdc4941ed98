"""Hand-out: three layers, forward given. Write the three backward functions, each with the formula
in a comment.

    python -m minialex.gradcheck skeleton.py        says for each gradient whether it is right, and
                                                    what is wrong if not

Shapes: x (N, C, H, W) pictures, w (F, C, KH, KW) kernels, b (F,) one number for each kernel, scores
(N, K), labels (N,). dout has the shape of forward's output; the gradient of an array has the shape
of the array.
"""
import numpy as np


def conv_forward(x, w, b, stride, padding):
    N, C, H, W = x.shape
    F, C, KH, KW = w.shape
    OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, F, OH, OW))
    for i in range(OH):
        for j in range(OW):
            window = padded[:, :, i * stride:i * stride + KH, j * stride:j * stride + KW]
            out[:, :, i, j] = np.einsum("nckl,fckl->nf", window, w) + b
    return out, (x, padded, w, stride, padding)


def conv_backward(dout, cache):
    x, padded, w, stride, padding = cache
    raise NotImplementedError("conv_backward is to return dx, dw, db")


def maxpool_forward(x, size, stride):
    N, C, H, W = x.shape
    OH, OW = (H - size) // stride + 1, (W - size) // stride + 1
    out = np.zeros((N, C, OH, OW))
    for i in range(OH):
        for j in range(OW):
            out[:, :, i, j] = x[:, :, i * stride:i * stride + size, j * stride:j * stride
                                + size].max(axis=(2, 3))
    return out, (x, out, size, stride)


def maxpool_backward(dout, cache):
    x, out, size, stride = cache
    raise NotImplementedError("maxpool_backward is to return dx")


def cross_entropy_forward(scores, labels):
    shifted = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(labels)), labels]).mean(), (p, labels)


def cross_entropy_backward(dout, cache):
    p, labels = cache
    raise NotImplementedError("cross_entropy_backward is to return dscores")


# ----------------------------------------------------------------------------- what is checked with


def conv_inputs(generator):
    """Not square, more than one picture, a stride, padding: what is easily forgotten."""
    x, w = generator.standard_normal((2, 3, 7, 9)), generator.standard_normal((4, 3, 3, 3))
    return {"x": x, "w": w, "b": generator.standard_normal(4), "stride": 2, "padding": 1}


def maxpool_inputs(generator):
    """Windows that overlap, as in the paper, and the zeros and ties that a ReLU leaves."""
    return {"x": np.maximum(0, generator.integers(-2, 4, (2, 3, 7, 9))).astype(float), "size": 3,
            "stride": 2}


def cross_entropy_inputs(generator):
    return {"scores": generator.standard_normal((6, 5)), "labels": generator.integers(0, 5, 6)}
