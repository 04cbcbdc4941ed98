"""Response normalisation: bright neighbours dim each other.

Across channels (the paper, section 3.3; k = 2, n = 5, α = 10⁻⁴, β = 0.75):

    b_i = a_i / s_i^β,   s_i = k + α · Σ_{j = max(0, i − ⌊n/2⌋)}^{min(C − 1, i + ⌊(n−1)/2⌋)} a_j²
    da_i = g_i·s_i^−β − 2αβ · a_i · Σ_j (g_j·a_j·s_j^(−β−1))          j: all channels whose window holds channel i

α is not divided by n (Caffe's and PyTorch's is: their 5·10⁻⁴ is the paper's 10⁻⁴). With `groups` the window stops at the
edge of a tower, as it did on the paper's two GPUs.

Within a map the same two formulas hold with the sum over the pixels h − ⌊n/2⌋ … h + ⌊(n−1)/2⌋, and likewise w, of one
channel: the form that the released 2012 source has beside the other (k = 1, n = 5, α = 0.001/25).
"""
from numbers import Integral

from ..device import array_module
from ..fast import kernels
from ..fast.layout import arranged, empty_like, lies_like
from ..fast.threads import for_images
from ..tensor import Function


def _check(name, x, size, k, groups=1):
    if x.ndim != 4:
        raise ValueError(f"{name}: input must be (N, C, H, W), got shape {x.shape}.")
    if not isinstance(size, Integral) or size < 1:
        raise ValueError(f"{name}: size is the number of neighbours in a window, a whole number of at least 1, got {size}.")
    if not k > 0:
        raise ValueError(f"{name}: k must be above 0, got {k}: where all neighbours are 0, x is divided by k^beta.")
    if not isinstance(groups, Integral) or groups < 1 or x.shape[1] % groups:
        raise ValueError(f"{name}: {x.shape[1]} channels cannot be split into {groups} towers of equal size.")


class LocalResponseNorm(Function):
    fresh_gradients = True

    def __init__(self, size=5, alpha=1e-4, beta=0.75, k=2.0, groups=1):
        self.size, self.alpha, self.beta, self.k, self.groups = size, float(alpha), float(beta), float(k), groups

    def forward(self, x):
        _check("local_response_norm", x, self.size, self.k, self.groups)
        x = arranged(x)
        y, scale = kernels(x).lrn_forward(x, self.size, self.alpha, self.beta, self.k, self.groups)
        self.save_for_backward(x, scale)
        return y

    def backward(self, grad_output):
        x, scale = self.saved
        grad = arranged(grad_output, like=x)
        copied = not lies_like(grad_output, x)  # not `is`: of a memmap NumPy makes another object with the same memory
        overwrite = self.owns_grad_output or copied
        return kernels(x).lrn_backward(grad, x, scale, self.size, self.alpha, self.beta, self.groups, overwrite)


class MapResponseNorm(Function):
    """b = a / s^β, s = k + α · Σ a² over the n x n pixels around each pixel of the same channel."""

    fresh_gradients = True

    def __init__(self, size=5, alpha=0.001 / 25, beta=0.75, k=1.0):
        self.size, self.alpha, self.beta, self.k = size, float(alpha), float(beta), float(k)

    def window_sum(self, values, before):
        """Σ over the window that starts `before` pixels above and left of each pixel; 0 outside the image."""
        for axis in (2, 3):
            length = values.shape[axis]
            shape = tuple(n + (self.size - 1) * (a == axis) for a, n in enumerate(values.shape))
            padded = array_module(values).zeros_like(values, shape=shape)  # in the same memory order
            along = padded.swapaxes(0, axis)  # a view whose first axis is the one that is summed
            along[before:before + length] = values.swapaxes(0, axis)
            values = sum(along[i:i + length] for i in range(self.size)).swapaxes(0, axis)
        return values

    def forward(self, x):
        _check("map_response_norm", x, self.size, self.k)
        scale, y = empty_like(x), empty_like(x)

        def normalise(images):
            scale[images] = self.k + self.alpha * self.window_sum(x[images] ** 2, self.size // 2)
            y[images] = x[images] / scale[images] ** self.beta

        for_images(normalise, x)
        self.save_for_backward(x, scale)
        return y

    def backward(self, grad_output):
        x, scale = self.saved
        dx = empty_like(x)

        def differentiate(images):
            direct = grad_output[images] / scale[images] ** self.beta
            ratio = direct * x[images] / scale[images]
            neighbours = self.window_sum(ratio, (self.size - 1) // 2)
            dx[images] = direct - 2 * self.alpha * self.beta * x[images] * neighbours

        for_images(differentiate, x)
        return dx
