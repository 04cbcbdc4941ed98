"""Our network's weights for libraries whose pictures are (N, H, W, C)."""
import numpy as np
from sides import Unavailable, layers_of

from minialex import shapes

KNOWN = ("Conv2d", "Linear", "ReLU", "Tanh", "MaxPool2d", "AvgPool2d", "Dropout", "Flatten",
         "LocalResponseNorm")


def converted(model, who):
    """(layers, their arrays, input shape): kernels (KH, KW, C/groups, C_out), matrices (in, out).

    The first matrix after Flatten gets its rows in the order (h, w, c) of these libraries.
    """
    layers, arrays = [], []
    outputs = {row.name: row.output_shape for row in shapes.summary(model).rows}
    shape, flattened = model.input_shape, None
    for layer, name in layers_of(model, KNOWN, who):
        if getattr(layer, "padding", 0) not in (0, (0, 0)) and type(layer).__name__ == "MaxPool2d":
            raise Unavailable(f"{who} side has no padding in its pools: choose another --variant.")
        weights = [p.data for p in layer.parameters()]
        if type(layer).__name__ == "Conv2d":
            weights[0] = weights[0].transpose(2, 3, 1, 0)
        elif type(layer).__name__ == "Linear":
            matrix = weights[0]
            if flattened:
                C, H, W = flattened
                matrix = matrix.reshape(-1, C, H, W).transpose(0, 2, 3, 1).reshape(len(matrix), -1)
            weights[0] = matrix.T
        flattened = shape if type(layer).__name__ == "Flatten" else None
        shape = outputs[name]
        layers.append(layer)
        arrays.append([np.ascontiguousarray(array) for array in weights])
    return layers, arrays, model.input_shape


def window_sums(channels, size):
    """A matrix of ones where two channels are at most size // 2 apart."""
    distance = np.abs(np.subtract.outer(np.arange(channels), np.arange(channels)))
    return (distance <= size // 2).astype(np.float32)
