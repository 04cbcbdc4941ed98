"""What some courses mean by a gradient: f' of what was kept, the scores' gradient of a loss of probabilities."""
import pytest
from student_files import verdicts, write

from minialex.gradcheck.__main__ import main

SLOPES = """
import numpy as np


class Gate:
    def forward(self, x):
        self.below = 1 + x ** 2
        return x / self.below
    def backward(self, *_):
        return (2 - self.below) / self.below ** 2


class RandomLeak:
    def forward(self, x):
        self.leak = np.random.uniform(0.1, 0.3, x.shape)
        return np.where(x >= 0, x, self.leak * x)
    def backward(self, x):
        return np.where(x >= 0, 1, self.leak)


class Identity:
    def forward(self, x):
        return x
    def backward(self, *_):
        return 1


class Largest:
    def forward(self, part):
        return part.max(axis=1)
    def backward(self, part):
        return part == part.max(axis=1, keepdims=True)
"""


def test_a_derivative_of_what_forward_kept(check):
    status, (result,) = check(slopes=SLOPES)
    assert status == 0 and [item["status"] for item in result["checks"]] == ["correct", "correct", "correct", "remarks"]
    status, (result,) = check(slopes=SLOPES.replace("2 - self.below", "1 - self.below"))
    assert status == 1 and [item["status"] for item in result["checks"]] == ["wrong", "correct", "correct", "remarks"]


SINGLE = """
import numpy as np


class Soft:
    def forward(self, x):
        self.x = x
        return x / (1 + np.exp(-x, dtype=np.float32))
    def backward(self, dout):
        e = np.exp(-self.x, dtype=np.float32)
        return dout * (1 + e + self.x * e) / (1 + e) ** 2


class Ramp:
    def forward(self, x):
        self.x = x
        return np.maximum(0, x, dtype=np.float32)
    def backward(self, dout):
        return dout * (self.x > 0)
"""


def test_float32_in_one_factor_is_seen_and_a_kink_in_float32_is_no_mistake(check):
    status, (result,) = check(single=SINGLE)
    assert status == 0 and verdicts(result) == {"x": "correct"}
    assert all("float32" in row["evidence"] for item in result["checks"] for row in item["rows"])
    status, (result,) = check(single=SINGLE.replace("1 + e +", "2 + e +").replace("self.x > 0", "self.x > 0.5"))
    assert status == 1 and [item["status"] for item in result["checks"]] == ["wrong", "wrong"]


HIDDEN = """
import numpy as np


class Hidden:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.ones((n_in, n_out)), np.zeros((1, n_out))
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad):
        self.__dW, self.__db = self.x.T @ grad, grad.sum(axis=0, keepdims=True)
        return grad @ self.W.T


class Kept:
    def forward(self, inputs):
        self.output = np.tanh(inputs)
    def backward(self, derivatives):
        self.derivatives = derivatives * (1 - self.output ** 2)
"""


def test_gradients_in_private_attributes_and_under_a_new_name(check):
    status, (result,) = check(hidden=HIDDEN)
    assert status == 0 and verdicts(result) == dict.fromkeys(("x", "W", "b", "inputs"), "correct")
    status, (result,) = check(hidden=HIDDEN.replace("self.x.T @ grad", "-self.x.T @ grad").replace("(1 - self", "(1 + self"))
    assert status == 1 and verdicts(result)["W"] == "sign flipped" and verdicts(result)["inputs"] == "slip in the derivative"


LOSSES = """
import numpy as np


class Surprise:
    @staticmethod
    def forward(actual, prediction):
        return -np.sum(actual * np.log(np.clip(prediction, 1e-9, 1))) / len(prediction)
    @staticmethod
    def backward(actual, prediction):
        return {}


class TwoClasses:
    def forward(self, actual, prediction):
        return -np.mean(actual * np.log(prediction) + (1 - actual) * np.log(1 - prediction))
    def backward(self, actual, prediction):
        return {}
"""


@pytest.mark.parametrize("surprise, two, right", [
    ("-actual / prediction / len(prediction)", "(prediction - actual) / (prediction * (1 - prediction)) / actual.size", True),
    ("(prediction - actual) / len(prediction)", "(prediction - actual) / actual.size", True),
    ("(prediction + actual) / len(prediction)", "prediction * actual", False)])
def test_a_loss_of_probabilities_gives_their_gradient_or_that_of_the_scores_before(check, surprise, two, right):
    status, (result,) = check(losses=LOSSES.format(surprise, two))
    assert [item["status"] == "correct" for item in result["checks"]] == [right, right]


def test_the_reading_is_said(tmp_path, capsys):
    code = LOSSES.format("(prediction - actual) / len(prediction)", "(prediction - actual) / actual.size")
    assert main([str(write(tmp_path, "losses", code))]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "forward (as the gradient of the scores before the softmax): 1 of 1" in said
    assert "TwoClasses (as the gradient of the scores before the sigmoid): 1 of 1" in said


FED = """
import numpy as np


class PerSampleLoss:
    def forward(self, y_pred, y_true):
        p = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return -np.log(p[range(len(p)), y_true] if y_true.ndim == 1 else (p * y_true).sum(axis=1))
    def backward(self, dvalues, y_true):
        if y_true.ndim == 1:
            y_true = np.eye(len(dvalues[0]))[y_true]
        self.dinputs = -y_true / dvalues / len(dvalues)
"""


def test_a_loss_of_each_sample_whose_backward_is_fed_the_prediction(check):
    status, (result,) = check(fed=FED)
    assert status == 0 and verdicts(result)["y_pred"] == "correct"
    status, (result,) = check(fed=FED.replace("-y_true / dvalues /", "y_true / dvalues /"))
    assert status == 1 and verdicts(result)["y_pred"] == "sign flipped"


def test_a_loss_that_forgets_to_divide_is_told_by_its_factor(check):
    status, (result,) = check(losses=LOSSES.format("prediction - actual", "prediction - actual"))
    assert status == 1 and verdicts(result)["prediction"] == "off by a constant factor"


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
"""


def test_constructors_that_want_a_shape_a_pair_or_functions_and_layers_for_one_example(check):
    status, (result,) = check(constructors=CONSTRUCTORS)
    assert status == 0 and len(result["checks"]) == 4 and set(verdicts(result).values()) == {"correct"}
    status, (result,) = check(constructors=CONSTRUCTORS.replace(" / self.h / self.w", " / self.h").replace("dx = ", "dx = -"))
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
    status, (result,) = check(waiting=WAITING.replace("return grad * self.mask", "return grad").replace("(1 - h", "(1 + h")
                              .replace("np.add.at(self._dW, self.ids, grad)", "self._dW[self.ids] = grad"))
    assert [item["status"] for item in result["checks"]] == ["wrong", "correct", "wrong", "correct", "correct", "wrong"]


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


NAMES = """
import numpy as np


def squared_loss(y, t):
    return ((y - t) ** 2).sum()


def squared_loss_gradient(y, t):
    return 2 * (y - t)


def Squared_loss(Y, T):
    return ((Y - T) ** 2).sum() / 4


def Squared_loss_gradient(Y, T):
    return (Y - T) / 2


class Shift:
    def __init__(self, n_in):
        self.beta = np.zeros(n_in)
    def feedforward(self, X):
        return np.tanh(X + self.beta)
    def backpropagate(self, Y, DY):
        self.DX = DY * (1 - Y ** 2)
        self.Dbeta = self.DX.sum(axis=0)


class Penalty:
    def __call__(self, weights):
        return 0.5 * np.sum(weights ** 2)
    def gradient(self, weights):
        return 1 * weights
"""


def test_of_y_and_t_y_is_the_prediction_and_beside_dout_the_output(check):
    status, (result,) = check(names=NAMES)
    assert status == 0 and [item["status"] for item in result["checks"]] == ["correct"] * 4
    status, (result,) = check(names=NAMES.replace("2 * (y", "3 * (y").replace("(1 - Y", "(1 + Y").replace("1 * w", "2 * w"))
    assert verdicts(result) == {"y": "off by a constant factor", "t": "not compared", "Y": "correct", "T": "not compared",
                                "X": "slip in the derivative",
                                "beta": "slip in the derivative", "weights": "off by a constant factor"}


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
    assert status == 0 and len(result["checks"]) == 3 and set(verdicts(result).values()) == {"correct"}
