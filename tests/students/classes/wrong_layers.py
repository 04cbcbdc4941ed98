"""Layers with one mistake each, in as many dialects. The line above each class says what the
checker must find."""
import numpy as np


# expected: b: mean where a sum is due
class MeanOfBias:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.zeros((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.mean(axis=0)
        return dout @ self.W.T


# expected: weights: transposed or permuted
class TransposedWeights:
    def __init__(self, n_inputs, n_neurons):
        self.weights = np.random.randn(n_inputs, n_neurons)

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights

    def backward(self, dvalues):
        self.dweights = dvalues.T @ self.inputs
        self.dinputs = dvalues @ self.weights.T


# expected: bias: not summed over the batch or broadcast axes
class BiasNotSummed:
    def __init__(self, in_features, out_features):
        self.params = {"weight": np.zeros((in_features, out_features)),
                       "bias": np.zeros(out_features)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["weight"] + self.params["bias"]

    def backward(self, dout):
        self.grads["weight"], self.grads["bias"] = self.x.T @ dout, dout
        return dout @ self.params["weight"].T


# expected: W: sign flipped
class SignOfALists:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = -self.x.T @ dout
        return dout @ self.params[0].T


# expected: weights: off by a constant factor
class UpdatesTwice:
    def __init__(self, input_size, output_size):
        self.weights = np.random.rand(input_size, output_size)

    def forward_propagation(self, input_data):
        self.input = input_data
        return self.input @ self.weights

    def backward_propagation(self, output_error, learning_rate):
        input_error = output_error @ self.weights.T
        self.weights -= 2 * learning_rate * self.input.T @ output_error
        return input_error


# expected: x: slip in the derivative
class TanhWithoutSquare:
    def forward(self, x):
        self.h = np.tanh(x)
        return self.h

    def backward(self, dout):
        return dout * (1 - self.h)


# expected: x: slip in the derivative
class SigmoidHalf:
    def fprop(self, x):
        self.s = 1 / (1 + np.exp(-x))
        return self.s

    def bprop(self, grad):
        return grad * self.s


# expected: x: wrong where the input is negative
class LeakyIsNoReLU:
    def forward(self, x):
        return np.where(x > 0, x, 0.1 * x), x

    def backward(self, dout, cache):
        return dout * (cache > 0)


# expected: z: one term missing
class SoftmaxDiagonal:
    def forward(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, dp):
        return dp * self.p * (1 - self.p)


# expected: y: off by a constant factor
class LossNotDivided:
    def forward(self, y, t):
        e = np.exp(y - y.max(axis=1, keepdims=True))
        self.p, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.log(self.p[np.arange(len(t)), t]).mean()

    def backward(self):
        d = self.p.copy()
        d[np.arange(len(d)), self.t] -= 1
        return d


# expected: prediction: ignores dout
class ForgetsDout:
    def forward(self, prediction):
        self.prediction = prediction
        return prediction ** 2

    def backward(self, dout):
        return 2 * self.prediction


# expected: a: transposed or permuted
class Swapped:
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx, grad_output):
        a, b = ctx.saved_tensors
        return grad_output * a, grad_output * b


# expected: x: only the last of overlapping windows kept
class PoolAssigns:
    def __init__(self, pool_size=3, stride=2):
        self.k, self.s = pool_size, stride

    def forward(self, x):
        self.x, k, s = x, self.k, self.s
        out = np.zeros((*x.shape[:2], (x.shape[2] - k) // s + 1, (x.shape[3] - k) // s + 1))
        for i, j in np.ndindex(out.shape[2:]):
            out[:, :, i, j] = x[:, :, i * s:i * s + k, j * s:j * s + k].mean(axis=(2, 3))
        return out

    def backward(self, dout):
        dx, k, s = np.zeros_like(self.x), self.k, self.s
        for i, j in np.ndindex(dout.shape[2:]):
            dx[:, :, i * s:i * s + k, j * s:j * s + k] = dout[:, :, i, j][:, :, None, None] / k ** 2
        return dx


# expected: x: shifted by (dy, dx)
class ShiftsChannelsLast:
    def __init__(self, in_channels, out_channels, kernel_size=3):
        self.W, self.k = np.zeros((kernel_size, kernel_size, in_channels,
                                   out_channels)), kernel_size

    def forward(self, x):
        self.xp, k = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), self.k
        N, H, W, _ = x.shape
        out = np.zeros((N, H, W, self.W.shape[3]))
        for i, j in np.ndindex(H, W):
            out[:, i, j] = np.tensordot(self.xp[:, i:i + k, j:j + k], self.W, 3)
        return out

    def backward(self, dout):
        dxp, self.dW, k = np.zeros_like(self.xp), np.zeros_like(self.W), self.k
        for i, j in np.ndindex(dout.shape[1:3]):
            self.dW += np.tensordot(self.xp[:, i:i + k, j:j + k], dout[:, i, j], ([0], [0]))
            dxp[:, i:i + k, j:j + k] += np.tensordot(dout[:, i, j], self.W, ([1], [3]))
        return dxp[:, :-2, :-2]


# expected: Wh: slip in the derivative
class RecurrentSlip:
    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(x @ self.Wx + h_prev @ self.Wh + self.b)
        return self.h

    def backward(self, dh):
        d = dh * (1 - self.h)
        self.dWx, self.dWh, self.db = self.x.T @ d, self.h_prev.T @ d, d.sum(axis=0)
        return d @ self.Wx.T, d @ self.Wh.T


# expected: b1: mean where a sum is due
class NetWithAMean:
    def __init__(self, n_in, n_hidden, n_out):
        self.params = {"W1": np.zeros((n_in, n_hidden)), "b1": np.zeros(n_hidden),
                       "W2": np.zeros((n_hidden, n_out))}

    def loss(self, X, y):
        h = np.maximum(0, X @ self.params["W1"] + self.params["b1"])
        d = h @ self.params["W2"] - y
        dh = d @ self.params["W2"].T * (h > 0)
        return (d ** 2).sum() / 2, {"W1": X.T @ dh, "b1": dh.mean(axis=0), "W2": h.T @ d}


# expected: gamma: transposed or permuted
class GammaIsBeta:
    def __init__(self, n_features):
        self.gamma, self.beta = np.ones(n_features), np.zeros(n_features)

    def forward(self, x):
        self.std = x.std(axis=0)
        self.xhat = (x - x.mean(axis=0)) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = dout.sum(axis=0), (dout * self.xhat).sum(axis=0)
        d = dout * self.gamma
        return (d - d.mean(axis=0) - self.xhat * (d * self.xhat).mean(axis=0)) / self.std


# expected: x: zero
class Stops:
    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, dout):
        return np.zeros_like(self.x)


# expected: x: shape differs
class FlattensOnly:
    def forward(self, x):
        self.shape = x.shape
        return np.exp(x.reshape(len(x),
                                -1)) if x.ndim > 2 else np.exp(x[:, :, None]).reshape(len(x), -1)

    def backward(self, dout):
        return dout[:, 1:]


# expected: (a + b) * (a + b), by a: off by a constant factor
class Scalar:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children, self._backward = data, 0.0, children, lambda: None

    def __add__(self, other):
        out = Scalar(self.data + other.data, (self, other))

        def _backward():
            self.grad = out.grad
            other.grad = out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Scalar(self.data * other.data, (self, other))

        def _backward():
            self.grad = other.data * out.grad
            other.grad = self.data * out.grad
        out._backward = _backward
        return out

    def backward(self):
        order = []

        def visit(value):
            if value not in order:
                for child in value.children:
                    visit(child)
                order.append(value)
        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            value._backward()
