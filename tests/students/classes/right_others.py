"""Activations, losses, pictures, recurrent steps and networks as classes. All gradients are
right."""
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class ReLUMask:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dx = dout.copy()
        dx[self.mask] = 0
        return dx


class LeakyWithOption:
    def __init__(self, alpha=0.2):
        self.alpha = alpha

    def forward(self, x, training=True):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, grad):
        return grad * np.where(self.x > 0, 1, self.alpha)


class DropoutHeld:
    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio, self.mask = dropout_ratio, None

    def forward(self, x, train_flg=True):
        if train_flg:
            self.mask = np.random.rand(*x.shape) > self.dropout_ratio
            return x * self.mask
        return x * (1 - self.dropout_ratio)

    def backward(self, dout):
        return dout * self.mask


class DropoutOfAGenerator:
    def __init__(self, p=0.3):
        self.p, self.rng = p, np.random.default_rng(0)

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) > self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class SoftmaxLayer:
    def forward(self, z):
        self.p = softmax(z)
        return self.p

    def backward(self, dp):
        return self.p * (dp - (dp * self.p).sum(axis=1, keepdims=True))


class BatchNorm:
    def __init__(self, n_features, eps=1e-5):
        self.gamma, self.beta, self.eps = np.ones(n_features), np.zeros(n_features), eps
        self.running_mean, self.running_var = np.zeros(n_features), np.ones(n_features)

    def forward(self, x, train=True):
        mean, var = x.mean(axis=0), x.var(axis=0)
        self.running_mean = 0.9 * self.running_mean + 0.1 * mean
        self.std = np.sqrt(var + self.eps)
        self.xhat = (x - mean) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.xhat).sum(axis=0), dout.sum(axis=0)
        d = dout * self.gamma
        return (d - d.mean(axis=0) - self.xhat * (d * self.xhat).mean(axis=0)) / self.std


class LossWithMemory:
    def forward(self, y, t):
        self.y, self.t = softmax(y), t
        return -np.log(self.y[np.arange(len(t)), t] + 1e-7).mean()

    def backward(self, dout=1):
        d = self.y.copy()
        d[np.arange(len(d)), self.t] -= 1
        return dout * d / len(d)


class LossOfBoth:
    def forward(self, y_pred, y_true):
        return ((y_pred - y_true) ** 2).mean()

    def backward(self, y_pred, y_true):
        return 2 * (y_pred - y_true) / y_pred.size


class LossOfSamples:
    def forward(self, y_pred, y_true):
        return ((y_true - y_pred) ** 2).mean(axis=-1)

    def backward(self, dvalues, y_true):
        self.dinputs = -2 * (y_true - dvalues) / dvalues.shape[1] / len(dvalues)


class LossByCall:
    def __call__(self, prediction, target):
        self.difference = prediction - target
        return 0.5 * (self.difference ** 2).sum()

    def backward(self):
        return self.difference


class ConvolutionOfLoops:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):
        self.W = np.zeros((out_channels, in_channels, kernel_size, kernel_size))
        self.b = np.zeros(out_channels)
        self.stride, self.padding = stride, padding

    def forward(self, x):
        p, s, k = self.padding, self.stride, self.W.shape[2]
        self.xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        OH, OW = (self.xp.shape[2] - k) // s + 1, (self.xp.shape[3] - k) // s + 1
        out = np.zeros((len(x), len(self.W), OH, OW))
        for i, j in np.ndindex(OH, OW):
            window = self.xp[:, :, i * s:i * s + k, j * s:j * s + k]
            out[:, :, i, j] = np.tensordot(window, self.W, ([1, 2, 3], [1, 2, 3])) + self.b
        return out

    def backward(self, dout):
        p, s, k = self.padding, self.stride, self.W.shape[2]
        dxp, self.dW, self.db = np.zeros_like(self.xp), np.zeros_like(self.W), dout.sum(axis=(0, 2,
                                                                                              3))
        for i, j in np.ndindex(dout.shape[2:]):
            place = np.s_[:, :, i * s:i * s + k, j * s:j * s + k]
            self.dW += np.tensordot(dout[:, :, i, j], self.xp[place], ([0], [0]))
            dxp[place] += np.tensordot(dout[:, :, i, j], self.W, ([1], [0]))
        return dxp[:, :, p:dxp.shape[2] - p, p:dxp.shape[3] - p]


class PoolingChannelsLast:
    def __init__(self, pool_size=2, stride=2):
        self.k, self.s = pool_size, stride

    def forward(self, x):
        self.x, k, s = x, self.k, self.s
        N, H, W, C = x.shape
        out = np.zeros((N, (H - k) // s + 1, (W - k) // s + 1, C))
        for i, j in np.ndindex(out.shape[1:3]):
            out[:, i, j] = x[:, i * s:i * s + k, j * s:j * s + k].mean(axis=(1, 2))
        return out

    def backward(self, dout):
        dx, k, s = np.zeros_like(self.x), self.k, self.s
        for i, j in np.ndindex(dout.shape[1:3]):
            dx[:, i * s:i * s + k, j * s:j * s + k] += dout[:, i, j][:, None, None] / k ** 2
        return dx


class FlattenLayer:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(self.shape)


class RecurrentStep:
    def __init__(self, Wx, Wh, b):
        self.params, self.grads = [Wx, Wh, b], [np.zeros_like(Wx), np.zeros_like(Wh),
                                                np.zeros_like(b)]
        self.cache = None

    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        h_next = np.tanh(h_prev @ Wh + x @ Wx + b)
        self.cache = x, h_prev, h_next
        return h_next

    def backward(self, dh_next):
        Wx, Wh, _ = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next ** 2)
        self.grads[0][...], self.grads[1][...], self.grads[2][
            ...] = x.T @ dt, h_prev.T @ dt, dt.sum(axis=0)
        return dt @ Wx.T, dt @ Wh.T


class TwoLayerNet:
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, reg=0.1):
        self.params = {"W1": np.zeros((input_dim, hidden_dim)), "b1": np.zeros(hidden_dim),
                       "W2": np.zeros((hidden_dim, num_classes)), "b2": np.zeros(num_classes)}
        self.reg = reg

    def loss(self, X, y=None):
        W1, b1, W2, b2 = self.params.values()
        h = np.maximum(0, X.reshape(len(X), -1) @ W1 + b1)
        p = softmax(h @ W2 + b2)
        if y is None:
            return p
        loss = -np.log(p[np.arange(len(y)), y]).mean() + 0.5 * self.reg * ((W1 ** 2).sum()
                                                                           + (W2 ** 2).sum())
        p[np.arange(len(y)), y] -= 1
        p /= len(y)
        dh = (p @ W2.T) * (h > 0)
        grads = {"W2": h.T @ p + self.reg * W2, "b2": p.sum(axis=0),
                 "W1": X.reshape(len(X), -1).T @ dh + self.reg * W1, "b1": dh.sum(axis=0)}
        return loss, grads


class LossAndGradientApart:
    def __init__(self, input_size, hidden_size, output_size, weight_init_std=0.01):
        self.params = {"W1": weight_init_std * np.random.randn(input_size, hidden_size),
                       "W2": weight_init_std * np.random.randn(hidden_size, output_size)}

    def predict(self, x):
        return np.tanh(x @ self.params["W1"]) @ self.params["W2"]

    def loss(self, x, t):
        return ((self.predict(x) - t) ** 2).sum() / 2

    def gradient(self, x, t):
        h = np.tanh(x @ self.params["W1"])
        d = h @ self.params["W2"] - t
        return {"W1": x.T @ (d @ self.params["W2"].T * (1 - h ** 2)), "W2": h.T @ d}


class ImpliedLoss:
    def __init__(self, sizes):
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = 1 / (1 + np.exp(-(w @ a + b)))
        return a

    def backprop(self, x, y):
        activations = [x]
        for b, w in zip(self.biases, self.weights):
            activations.append(1 / (1 + np.exp(-(w @ activations[-1] + b))))
        nabla_b, nabla_w = [None] * len(self.biases), [None] * len(self.weights)
        delta = (activations[-1] - y) * activations[-1] * (1 - activations[-1])
        for layer in range(1, len(self.biases) + 1):
            nabla_b[-layer], nabla_w[-layer] = delta, delta @ activations[-layer - 1].T
            a = activations[-layer - 1]
            delta = (self.weights[-layer].T @ delta) * a * (1 - a)
        return nabla_b, nabla_w


class Value:
    def __init__(self, data, children=()):
        self.data, self.grad, self._backward, self._prev = data, 0.0, lambda: None, set(children)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        out = Value(np.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - out.data ** 2) * out.grad
        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(value):
            if value not in seen:
                seen.add(value)
                for child in value._prev:
                    visit(child)
                order.append(value)
        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            value._backward()


class GivenItsArrays:
    """Parameters in a list without names, gradients by the constructor's, in one dictionary with
    that of x."""

    def __init__(self, W, bias, batch_size):
        self.params = [W, bias]
        self.grads = {"W_grad": np.zeros_like(W), "x_grad": np.zeros((batch_size, W.shape[0])),
                      "bias_grad": np.zeros_like(bias)}

    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]

    def backward(self, dout):
        self.grads["W_grad"][...] = self.x.T @ dout
        self.grads["x_grad"][...] = dout @ self.params[0].T
        self.grads["bias_grad"][...] = dout.sum(axis=0)
        return self.grads
