"""Convolution through the Fourier transform: its rounding is not that of a sum, its gradient is the
same."""
import numpy as np


def forward(x, w):
    size = x.shape[2:]
    product = np.fft.rfft2(x)[:, None] * np.conj(np.fft.rfft2(w, s=size))[None]
    full = np.fft.irfft2(product.sum(axis=2), s=size)
    OH, OW = size[0] - w.shape[2] + 1, size[1] - w.shape[3] + 1
    return full[:, :, :OH, :OW], (x, w)


def backward(dout, cache):
    x, w = cache
    size, (KH, KW) = x.shape[2:], w.shape[2:]
    spectrum = np.fft.rfft2(dout, s=size)
    dx = np.fft.irfft2(np.einsum("nfij,fcij->ncij", spectrum, np.fft.rfft2(w, s=size)), s=size)
    dw = np.fft.irfft2(np.einsum("nfij,ncij->fcij", np.conj(spectrum), np.fft.rfft2(x)), s=size)
    return dx, dw[:, :, :KH, :KW]


EXPECTED = {}


def inputs(generator, size):
    return {"x": generator.standard_normal((2, 2, 6, 5 + size)),
            "w": generator.standard_normal((2, 2, 3, 2))}
