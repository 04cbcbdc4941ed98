"""How layers of courses are made: constructors that want a shape, a pair or functions, decorators,
arguments of other classes."""
from student_files import verdicts

CONSTRUCTORS = """
import numpy as np


class OnePicture:
    def __init__(self, input_shape, depth):
        C, H, W = input_shape
        self.kernels, self.biases = np.random.randn(depth, C), np.random.randn(depth, H, W)
    def forward(self, input):
        self.input = input
        return np.tensordot(self.kernels, input, 1) + self.biases
    def backward(self, output_gradient, learning_rate):
        dx = np.tensordot(self.kernels.T, output_gradient, 1)
        self.kernels -= learning_rate * np.tensordot(output_gradient, self.input, ((1, 2), (1, 2)))
        self.biases -= learning_rate * output_gradient
        return dx


class OneExample:
    def __init__(self, input_size, output_size):
        self.weights, self.bias = np.random.rand(input_size, output_size), np.random.rand(1, output_size)
    def forward(self, input_data):
        self.input = input_data
        return input_data @ self.weights + self.bias
    def backward(self, output_error, learning_rate):
        dx = output_error @ self.weights.T
        self.weights -= learning_rate * self.input.T @ output_error
        self.bias -= learning_rate * output_error
        return dx


class Activated:
    def __init__(self, activation, activation_prime):
        self.activation, self.activation_prime = activation, activation_prime
    def forward(self, input):
        self.input = input
        return self.activation(input)
    def backward(self, output_gradient):
        return output_gradient * self.activation_prime(self.input)


class MeanPool:
    def __init__(self, pool_size):
        self.h, self.w = pool_size
    def forward(self, x):
        N, C, H, W = x.shape
        return x.reshape(N, C, H // self.h, self.h, W // self.w, self.w).mean(axis=(3, 5))
    def backward(self, dout):
        return dout.repeat(self.h, 2).repeat(self.w, 3) / self.h / self.w
"""  # noqa: E501


def test_constructors_that_want_a_shape_a_pair_or_functions_and_layers_for_one_example(check):
    status, (result,) = check(constructors=CONSTRUCTORS)
    assert status == 0 and len(result["checks"]) == 4 and set(verdicts(result).values()) == {
        "correct"}
    status, (result,) = check(constructors=CONSTRUCTORS.replace(
        " / self.h / self.w", " / self.h").replace("dx = ", "dx = -"))
    assert [item["status"] for item in result["checks"]] == ["wrong", "wrong", "correct", "wrong"]


WAITING = """
import numpy as np


class Masked:
    def __init__(self, rate):
        self.keep, self.mask = 1 - rate, None
    def forward(self, x, training=False):
        if not training:
            return x
        self.mask = (np.random.rand(*x.shape) < self.keep) / self.keep
        return x * self.mask
    def backward(self, grad):
        return grad * self.mask


class Reshape:
    def __init__(self, target_shape):
        self.target_shape = tuple(target_shape)
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), *self.target_shape)
    def backward(self, grad):
        return grad.reshape(self.shape)


class Lookup:
    def __init__(self, vocab_size, embed_dim):
        self.W, self._dW = np.random.randn(vocab_size, embed_dim), None
    def forward(self, x):
        self.ids = x.astype(int)
        return self.W[self.ids]
    def backward(self, grad):
        self._dW = np.zeros_like(self.W)
        np.add.at(self._dW, self.ids, grad)
        return np.zeros(self.ids.shape)


class Cell:
    def __init__(self, input_size, units):
        self.Wx, self.Wh = np.ones((input_size, units)), np.ones((units, units))
    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(x @ self.Wx + h_prev @ self.Wh)
        return self.h
    def backward(self, dh):
        d = dh * (1 - self.h ** 2)
        self.dWx, self.dWh = self.x.T @ d, self.h_prev.T @ d
        return d @ self.Wx.T, d @ self.Wh.T


class Dense:
    def __init__(self, rows, columns):
        self.W = np.random.randn(rows, columns)
    def forward(self, A):
        self.A = A
        return A @ self.W
    def backward(self, dLdZ):
        self.dLdW = self.A.T @ dLdZ
        return dLdZ @ self.W.T


class FixedSizes:
    def __init__(self):
        self.layers = [Dense(2, 3), Dense(3, 2)]
    def forward(self, A0):
        return self.layers[1].forward(np.tanh(self.layers[0].forward(A0)))
    def backward(self, dLdA):
        h = np.tanh(self.layers[0].A @ self.layers[0].W)
        return self.layers[0].backward(self.layers[1].backward(dLdA) * (1 - h ** 2))
"""


def test_layers_that_wait_for_training_for_a_width_or_for_whole_numbers(check):
    status, (result,) = check(waiting=WAITING)
    assert status == 0 and len(result["checks"]) == 6, result
    assert set(verdicts(result).values()) <= {"correct", "not compared"}
    status, (result,) = check(waiting=WAITING.replace(
        "return grad * self.mask", "return grad").replace("(1 - h", "(1 + h") .replace(
        "np.add.at(self._dW, self.ids, grad)", "self._dW[self.ids] = grad"))
    assert [item["status"] for item in result["checks"]] == ["wrong", "correct", "wrong", "correct",
                                                             "correct", "wrong"]


DECORATED = """
import numpy as np


def positive(function):
    def wrapper(*args, **kwargs):
        assert all(value > 0 for value in args[1:])
        return function(*args, **kwargs)
    return wrapper


class Decorated:
    @positive
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, grad):
        self.dW = self.x.T @ grad
        return grad @ self.W.T
"""


def test_a_constructor_behind_a_decorator(check):
    status, (result,) = check(decorated=DECORATED)
    assert status == 0 and verdicts(result) == {"x": "correct", "W": "correct"}


TYPED = """
import numpy as np


class Activation:
    pass


class Smooth(Activation):
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out
    def backward(self, grad):
        return grad * (1 - self.out ** 2)


class Typed:
    def __init__(self, inputs: int, outputs: int, activation: Activation):
        self.W, self.activation = np.random.randn(inputs, outputs), activation
    def forward(self, x):
        self.x = x
        return self.activation.forward(x @ self.W)
    def backward(self, grad):
        grad = self.activation.backward(grad)
        self.dW = self.x.T @ grad
        return grad @ self.W.T


class Named:
    def __init__(self, input_shape, output_shape):
        self.W = np.zeros((input_shape, output_shape))
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, grad):
        self.dW = self.x.T @ grad
        return grad @ self.W.T
"""


def test_an_argument_of_a_students_class_is_an_object_of_it_and_a_shape_may_be_a_number(check):
    status, (result,) = check(typed=TYPED)
    assert status == 0 and len(result["checks"]) == 3 and set(verdicts(result).values()) == {
        "correct"}
