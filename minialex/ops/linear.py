"""The fully connected layer.

    y = x Wᵀ + b          x (N, in), W (out, in), b (out,), y (N, out)
    dx = g W              dW = gᵀ x              db = Σ over the batch of g
"""
from ..fast.threads import matmul
from ..tensor import Function


class Linear(Function):
    fresh_gradients = True

    def forward(self, x, weight, bias=None):
        _check(x, weight, bias)
        self.save_for_backward(x, weight)
        y = matmul(x, weight.T)
        if bias is not None:
            y += bias
        return y

    def backward(self, g):
        x, weight = self.saved
        need_x, need_weight, *need_bias = self.needs_input_grad
        return (matmul(g, weight) if need_x else None,
                matmul(g.T, x) if need_weight else None,
                *[g.sum(axis=0) if needed else None for needed in need_bias])


def _check(x, weight, bias):
    if weight.ndim != 2:
        raise ValueError(f"linear: weight must be (out_features, in_features), got shape {weight.shape}.")
    if x.ndim != 2 or x.shape[1] != weight.shape[1]:
        raise ValueError(f"linear: input of shape {x.shape} does not fit weight {weight.shape}: it must be "
                         f"(N, {weight.shape[1]}), one row per example. Flatten images with .reshape(N, -1) or nn.Flatten().")
    same_dtype("linear", x, weight, bias)
    if bias is not None and bias.shape != (weight.shape[0],):
        raise ValueError(f"linear: bias of shape {bias.shape} does not fit weight {weight.shape}: it must be "
                         f"({weight.shape[0]},), one number per output.")


def same_dtype(name, x, weight, bias):
    """Raises TypeError unless input, weight and bias have one dtype: float64 images would turn a whole network to float64."""
    for what, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.dtype != x.dtype:
            raise TypeError(f"{name}: the input is {x.dtype}, the {what} is {array.dtype}: they must be equal. To train in "
                            "float32, convert the input with .astype(np.float32).")
