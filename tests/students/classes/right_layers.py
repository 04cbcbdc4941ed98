"""Layers as classes of many courses write them, each in a dialect of its own. All gradients are
right."""
import numpy as np


class KeepsAttributes:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.zeros((n_in, n_out)), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class GivenArrays:
    def __init__(self, W, b):
        self.W, self.b, self.x, self.dW, self.db = W, b, None, None, None

    def forward(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)


class ReturnsNothing:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.01 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class Dictionaries:
    def __init__(self, in_features, out_features):
        self.params = {"weight": np.zeros((in_features, out_features)),
                       "bias": np.zeros((1, out_features))}
        self.grads = {"weight": None, "bias": None}

    def forward(self, x):
        self.x = x
        return x @ self.params["weight"] + self.params["bias"]

    def backward(self, dout):
        self.grads["weight"], self.grads["bias"] = self.x.T @ dout, dout.sum(axis=0, keepdims=True)
        return dout @ self.params["weight"].T


class Lists:
    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return x @ W + b

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ self.params[0].T


class Param:
    def __init__(self, value):
        self.value, self.grad = value, np.zeros_like(value)


class Objects:
    def __init__(self, n_input, n_output):
        self.W, self.B = Param(0.001 * np.random.randn(n_input,
                                                       n_output)), Param(np.zeros((1, n_output)))

    def forward(self, X):
        self.X = X
        return X @ self.W.value + self.B.value

    def backward(self, d_out):
        self.W.grad += self.X.T @ d_out
        self.B.grad += d_out.sum(axis=0, keepdims=True)
        return d_out @ self.W.value.T

    def params(self):
        return {"W": self.W, "B": self.B}


class DataAndGrad:
    class Tensor:
        def __init__(self, data):
            self.data, self.grad = data, None

    def __init__(self, in_dim, out_dim):
        self.weight = self.Tensor(np.ones((in_dim, out_dim)))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data

    def backward(self, grad):
        self.weight.grad = self.x.T @ grad
        return grad @ self.weight.data.T


class TorchLike:
    def __init__(self, in_features, out_features):
        self.weight, self.bias = np.empty((out_features, in_features)), np.empty(out_features)
        self.grad_weight, self.grad_bias = np.zeros((out_features,
                                                     in_features)), np.zeros(out_features)

    def __call__(self, x):
        self._input = x
        return x @ self.weight.T + self.bias

    def backward(self, grad_output):
        self.grad_weight += grad_output.T @ self._input
        self.grad_bias += grad_output.sum(0)
        return grad_output @ self.weight


class LossOverWeights:
    def __init__(self, in_feature, out_feature):
        self.W, self.b = np.zeros((out_feature, in_feature)), np.zeros((out_feature, 1))

    def forward(self, A):
        self.A = A
        return A @ self.W.T + self.b.T

    def backward(self, dLdZ):
        self.dLdW, self.dLdb = dLdZ.T @ self.A, dLdZ.T @ np.ones((len(dLdZ), 1))
        return dLdZ @ self.W


class Gradients:
    def __init__(self, input_size, output_size):
        self.weights, self.bias = np.zeros((input_size, output_size)), np.zeros((1, output_size))

    def forward_pass(self, input_data):
        self.layer_input = input_data
        return input_data.dot(self.weights) + self.bias

    def backward_pass(self, accum_grad):
        self.gradient_weights = self.layer_input.T.dot(accum_grad)
        self.gradient_bias = accum_grad.sum(axis=0, keepdims=True)
        return accum_grad.dot(self.weights.T)


class UpdatesItself:
    def __init__(self, input_size, output_size):
        self.weights, self.bias = (np.random.rand(input_size, output_size) - 0.5,
                                   np.random.rand(1, output_size) - 0.5)

    def forward_propagation(self, input_data):
        self.input = input_data
        return self.input @ self.weights + self.bias

    def backward_propagation(self, output_error, learning_rate):
        input_error = output_error @ self.weights.T
        self.weights -= learning_rate * self.input.T @ output_error
        self.bias -= learning_rate * output_error.sum(axis=0, keepdims=True)
        return input_error


class UpdatesAnew:
    def __init__(self, n_in, n_out, lr=0.01):
        self.lr, self.w = lr, np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dout):
        dx = dout @ self.w.T
        self.w = self.w - self.lr * (self.x.T @ dout)
        return dx


class OutAndCache:
    def __init__(self, n_x, n_y):
        self.W = np.random.randn(n_x, n_y)

    def forward(self, x):
        return x @ self.W, (x,)

    def backward(self, dout, cache):
        (x,) = cache
        return dout @ self.W.T, x.T @ dout


class ReturnsAList:
    def __init__(self, fan_in, fan_out):
        self.W, self.b = np.random.randn(fan_in, fan_out), np.zeros(fan_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        return dy @ self.W.T, [self.x.T @ dy, dy.sum(axis=0)]


class ReturnsADictionary:
    def __init__(self, d_in, d_out):
        self.W, self.b = np.random.randn(d_in, d_out), np.zeros(d_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        return {"dx": dy @ self.W.T, "dW": self.x.T @ dy, "db": dy.sum(axis=0)}


class FirstLayer:
    def __init__(self, nin, nout):
        self.W, self.b = np.random.randn(nin, nout), np.zeros(nout)

    def fprop(self, x):
        self.x = x
        return x @ self.W + self.b

    def bprop(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)


class LazyWeights:
    def __init__(self, units):
        self.units, self.W, self.b = units, None, None

    def forward(self, x):
        if self.W is None:
            self.W, self.b = np.random.randn(x.shape[1], self.units), np.zeros(self.units)
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad_output):
        self.dW, self.db = self.x.T @ grad_output, grad_output.sum(axis=0)
        return grad_output @ self.W.T


class LazyWithLists:
    def __init__(self, n_out):
        self.n_out, self.X, self.parameters, self.gradients, self.ready = (n_out, [], {"W": None},
                                                                           {}, False)

    def forward(self, X):
        if not self.ready:
            self.parameters["W"], self.ready = np.random.randn(X.shape[1], self.n_out), True
            self.gradients["W"] = np.zeros_like(self.parameters["W"])
        self.X.append(X)
        return X @ self.parameters["W"]

    def backward(self, dLdy, retain_grads=True):
        dX = [dy @ self.parameters["W"].T for dy, x in zip([dLdy], self.X)]
        self.gradients["W"] += sum(x.T @ dy for dy, x in zip([dLdy], self.X))
        return dX[0]


class ColumnsAreExamples:
    def __init__(self, m, n):
        self.W0, self.W = np.zeros((n, 1)), np.zeros((m, n))

    def forward(self, A):
        self.A = A
        return self.W.T @ A + self.W0

    def backward(self, dLdZ):
        self.dLdW, self.dLdW0 = self.A @ dLdZ.T, dLdZ.sum(axis=1, keepdims=True)
        return self.W @ dLdZ


class InputAndDout:
    def forward(self, x):
        return np.tanh(x)

    def backward(self, x, dout):
        return dout * (1 - np.tanh(x) ** 2)


class Backprop:
    def feedforward(self, z):
        self.z = z
        return z ** 3

    def backprop(self, delta):
        return 3 * self.z ** 2 * delta


class TwoSteps:
    def __init__(self, n_in, n_out):
        self.W = np.zeros((n_in, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward_delta(self, dout):
        return dout @ self.W.T

    def backward_update_gradient(self, dout):
        self.dW = self.x.T @ dout


class Compute:
    def compute(self, x):
        return np.log(1 + np.exp(x))

    def gradient(self, x):
        return 1 / (1 + np.exp(-x))


class DerivativeOfTheOutput:
    @staticmethod
    def f(x):
        return 1 / (1 + np.exp(-x))

    @staticmethod
    def df(y):
        return y * (1 - y)


class Static:
    @staticmethod
    def forward(x, gamma, beta):
        return gamma * x + beta, (x, gamma)

    @staticmethod
    def backward(dout, cache):
        x, gamma = cache
        return dout * gamma, (dout * x).sum(axis=0), dout.sum(axis=0)


class WithContext:
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a / b

    @staticmethod
    def backward(ctx, grad_output):
        a, b = ctx.saved_tensors
        return grad_output / b, -grad_output * a / b ** 2


class TwoInputs:
    def __init__(self):
        self.x = self.y = None

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        return dout * self.y, dout * self.x
