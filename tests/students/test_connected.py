"""Layers that are told of their neighbours, that find what they need in attributes, or that another
object holds."""
import pytest
from short import first
from student_files import verdicts

ATTRIBUTES = """
import numpy as np


class Layer:
    def __init__(self, n_in, n_out):
        self.input = self.output = self.dloss_din = self.dloss_dout = None
    def forward_pass(self):
        pass
    def backward_pass(self):
        pass


class Linear(Layer):
    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out)
        self.weights, self.dloss_dweights = np.zeros((n_in, n_out)), None
    def forward_pass(self):
        self.output = self.input @ self.weights
    def backward_pass(self):
        self.dloss_din = self.dloss_dout @ self.weights.T
    def calc_param_grads(self):
        self.dloss_dweights = self.input.T @ self.dloss_dout


class Loss(Layer):
    def __init__(self):
        super().__init__(0, 0)
        self.mean_loss = self.y = None
    def forward_pass(self):
        self.mean_loss = 0.5 * np.mean((self.input - self.y) ** 2)
    def backward_pass(self):
        self.dloss_din = (self.input - self.y) / self.y.size
"""
BEFORE = """
import numpy as np


class Linear:
    def __init__(self, layer_dim, prev_layer, activation):
        self.prev_layer, self.activation = prev_layer, activation
        self.W = np.zeros((layer_dim, prev_layer.layer_dim))
        self.A = self.dA = self.dW = None
    def forward(self):
        self.A = np.tanh(self.W @ self.prev_layer.A)
    def backward(self):
        dZ = self.dA * (1 - self.A ** 2)
        self.dW = dZ @ self.prev_layer.A.T
        self.prev_layer.dA = self.W.T @ dZ


class Connected:
    def __init__(self, neurons_count, **options):
        self.neurons_count, self.net, self.prev_layer, self.W = neurons_count, None, None, None
    def connect(self, net, prev_layer, next_layer):
        self.net, self.prev_layer = net, prev_layer
        self.W = np.zeros((self.neurons_count, prev_layer.output_shape[0]))
    def propagate(self, x):
        self.x = x
        return x @ self.W.T
    def backpropagate(self, delta):
        dx = delta @ self.W
        self.W -= self.net.learning_rate * delta.reshape(-1, 1) @ self.x.reshape(1, -1)
        return dx


class Sized:
    def __init__(self, n_in, n_out):
        self.sizes, self.W = (n_in, n_out), None
    def connect_to(self, prev_layer=None):
        self.W = np.zeros((prev_layer.out_shape[-1], self.sizes[1]))


class Handed(Sized):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, **delta):
        self.dW = self.x.T @ delta["delta"]
        return dict(delta=delta["delta"] @ self.W.T)
"""
HELD = """
import numpy as np


class Scale:
    def __init__(self, n_in):
        self.gamma = np.ones(n_in)
    def forward(self, x):
        self.x = x
        return x * self.gamma
    def backward(self, dout):
        self.dgamma = (dout * self.x).sum(axis=0)
        return dout * self.gamma


class Given:
    def __init__(self, layer_stack):
        self.layer_stack = layer_stack
    def forward(self, x):
        for layer in self.layer_stack:
            x = layer.forward(x)
        return x
    def backward(self, dout):
        for layer in reversed(self.layer_stack):
            dout = layer.backward(dout)
        return dout


class Added:
    def __init__(self):
        self.layers = []
    def add(self, layer):
        self.layers.append(layer)
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


class Power:
    def __init__(self, layers: int):
        self.layers = layers
    def forward(self, x):
        self.x = x
        return x ** self.layers
    def backward(self, dout):
        return dout * self.layers * self.x ** (self.layers - 1)


class Pool:
    pass


class Largest(Pool):
    def __call__(self, x):
        return x.max(axis=1)
    def derivative(self, x):
        return x == x.max(axis=1, keepdims=True)


class Mean(Pool):
    def __call__(self, x):
        return x.mean(axis=1)
    def derivative(self, x):
        return np.full(x.shape, 1 / x.shape[1])


class Pooling:
    def __init__(self, pool_func: Pool):
        self.pool_func = pool_func
    def forward(self, x):
        self.x = x
        return x.mean(axis=1)
    def backward(self, dout):
        return dout[:, None] * self.pool_func.derivative(self.x)
"""
BARE = """
import numpy as np


class Sine:
    def forward(self):
        return np.sin(self)
    def backward(self):
        return np.cos(self)


class Gated:
    def forward(self, x):
        self.a, self.b = np.split(x, 2, -1)
        return self.a * np.exp(self.b)
    def backward(self, *_):
        return np.concatenate((np.exp(self.b), self.a * np.exp(self.b)), -1)


class Joined:
    def forward(self, data: tuple):
        assert isinstance(data, tuple)
        self.data = data
        return data[0] * data[1]
    def backward(self, dout):
        return dout * self.data[1], dout * self.data[0]
"""


@pytest.mark.parametrize(("code", "right", "wrong", "names"), first(3, [
    (ATTRIBUTES, "self.input.T @", "-self.input.T @", {"input", "weights"}),
    (ATTRIBUTES, "/ self.y.size", "* self.y.size", {"input", "weights"}),
    (BEFORE, "dZ @ self.prev_layer.A.T", "-dZ @ self.prev_layer.A.T", {"prev_layer.A", "W", "x"}),
    (BEFORE, "self.W.T @ dZ", "2 * self.W.T @ dZ", {"prev_layer.A", "W", "x"}),
    (BEFORE, "self.net.learning_rate *", "-self.net.learning_rate *", {"prev_layer.A", "W", "x"}),
    (BEFORE, 'delta["delta"] @ self.W.T', '-delta["delta"] @ self.W.T', {"prev_layer.A", "W", "x"}),
    (HELD, "return dout * self.gamma", "return -dout * self.gamma",
     {"x", "gamma", "layer_stack[0].gamma", "layers[0].gamma"}),
    (HELD, "dout[:, None] *", "2 * dout[:, None] *",
     {"x", "gamma", "layer_stack[0].gamma", "layers[0].gamma"}),
    (BARE, "return np.cos", "return -np.cos", {"self", "x", "data[0]", "data[1]"}),
    (BARE, "self.a * np.exp(self.b)), -1", "self.b * np.exp(self.b)), -1",
     {"self", "x", "data[0]", "data[1]"}),
    (BARE, "dout * self.data[1],", "dout * self.data[1] / 2,", {"self", "x", "data[0]", "data[1]"}),
]))
def test_what_a_layer_is_told_of_its_neighbours(check, code, right, wrong, names):
    status, (result,) = check(layers=code)
    assert status == 0 and verdicts(result).keys() == names and result["status"] in ("correct",
                                                                                     "remarks")
    assert code.count(right) == 1
    status, (result,) = check(layers=code.replace(right, wrong))
    assert status == 1 and result["status"] == "wrong"


MEANT = """
import numpy as np


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    def backward(self, dout):
        return dout


class OneExample:
    def forward(self, x):
        self.y = np.exp(x) / np.exp(x).sum()
        return self.y
    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=-1, keepdims=True))


class Surprise:
    def forward(self, y, t):
        return -np.dot(t, np.log(np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)).T).sum()
    def backward(self, y, t):
        return np.sum(t) * np.exp(y) / np.exp(y).sum(axis=1, keepdims=True) - t


class Loss:
    def forward(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)
    def backward(self, y_pred, y_true):
        return 2 * (y_pred - y_true) / len(y_pred)
"""


def test_what_cannot_be_decided_is_said(check):
    """dout handed on by a softmax, a softmax of everything, and a loss that counts on another
    mean."""
    status, (result,) = check(meant=MEANT)
    softmax, example, surprise, loss = (item["rows"][0] for item in result["checks"])
    assert status == 1 and [item["status"] for item in result["checks"]] == ["undecided",
                                                                             "undecided",
                                                                             "undecided", "wrong"]
    assert "right for one example" in surprise["detail"]
    assert "right after a p − t" in softmax["detail"] and "right for one example" in example[
        "detail"]
    assert (loss["detail"].startswith("5") and "right if the loss is the sum of these 5, "
            "not their mean" in loss["evidence"])
    status, (result,) = check(
        meant=MEANT.replace("return dout\n", "return 2 * dout\n").replace("* self.y).sum", ").sum"))
    assert [item["status"] for item in result["checks"]] == ["wrong", "wrong", "undecided", "wrong"]


SHARED = """
class Square:
    def forward(self, x):
        self.x = x
        return x ** 2
    def backward(self, dout):
        return 2 * dout * self.x


Quadratic = Square
"""


def test_two_names_of_a_class_are_one(check):
    status, (result,) = check(shared=SHARED)
    assert status == 0 and [item["name"] for item in result["checks"]] == ["Square"]


CLIPPED = """
import numpy as np


class Scale:
    def __init__(self, n_in):
        self.gamma = np.ones(n_in)
    def forward(self, x):
        self.x = x
        return self.gamma * x
    def backward(self, dout):
        dx = self.gamma * dout
        self.dgamma = (dout * self.x).sum(axis=0)
        self.dgamma *= min(1, 3.0 / np.sqrt((self.dgamma ** 2).sum()))
        return dx


class Wave:
    def __init__(self, n_in, trainable=False):
        self.trainable, self.weights, self.d_weights = trainable, np.sin(np.arange(n_in)), None
    def forward(self, x):
        return x + self.weights
    def backward(self, dout):
        self.d_weights = np.zeros_like(self.weights)
        return dout
"""


def test_clipped_gradients_and_weights_that_are_not_trained(check):
    _, (result,) = check(clipped=CLIPPED)
    scale, wave = result["checks"]
    assert wave["status"] == "correct" and [row["name"] for row in wave["rows"]] == ["x"]
    assert scale["rows"][0]["verdict"] == "correct" and scale["rows"][1][
        "detail"] == "right if it is meant to be clipped"
    _, (result,) = check(clipped=CLIPPED.replace("trainable=False",
                                                 "trainable=True").replace("*= min", "*= -min"))
    assert [item["status"] for item in result["checks"]] == ["wrong", "wrong"]
