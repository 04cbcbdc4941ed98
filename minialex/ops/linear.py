"""The fully connected layer.

    y = x Wᵀ + b          x (N, in), W (out, in), b (out,), y (N, out)
    dx = g W              dW = gᵀ x              db = Σ over the batch of g

A row of W holds the weights of one output.
"""
from ..aliases import Array
from ..device import same_dtype
from ..tensor import Function


class Linear(Function):
    def forward(self, x: Array, weight: Array, bias: Array | None = None) -> Array:
        self.save_for_backward(x, weight)
        b = 0 if bias is None else bias
        return x @ weight.T + b

    def backward(self, g: Array) -> tuple[Array, ...]:
        x, weight = self.saved
        # Without a bias there is no third input.
        return (g @ weight, g.T @ x, g.sum(axis=0))[:len(self.input_types)]

    def check_inputs(self, x: Array, weight: Array, bias: Array | None = None) -> None:
        if weight.ndim != 2:
            raise ValueError(f"linear: weight must be (out, in), got shape {weight.shape}.")
        if x.ndim != 2 or x.shape[1] != weight.shape[1]:
            raise ValueError(f"linear: input {x.shape} does not fit weight {weight.shape}: it must "
                             f"be (N, {weight.shape[1]}). Flatten images with nn.Flatten().")
        same_dtype("linear", x, weight, bias)
        if bias is not None and bias.shape != weight.shape[:1]:
            raise ValueError(f"linear: bias of shape {bias.shape} does not fit weight "
                             f"{weight.shape}: it must be {weight.shape[:1]}, one per output.")
