"""Forward and backward by other names, and backward in two methods."""
import pytest
from short import first
from student_files import verdicts

NET = """
import numpy as np

class Mreza:
    def __init__(self, ni, nh, no):
        self.ni, self.nh, self.no = ni, nh, no
        self.ai, self.ah, self.ao = np.ones(ni), np.ones(nh), np.ones(no)
        self.wi, self.wo = np.random.rand(ni, nh), np.random.rand(nh, no)
        self.ci, self.co = np.zeros((ni, nh)), np.zeros((nh, no))

    def {name}(self, inputs):
        self.ai[:] = inputs
        for j in range(self.nh):
            self.ah[j] = np.tanh(sum(self.ai[i] * self.wi[i][j] for i in range(self.ni)))
        for k in range(self.no):
            self.ao[k] = np.tanh(sum(self.ah[j] * self.wo[j][k] for j in range(self.nh)))
        return np.copy(self.ao)

    def back_propagate(self, targets, {rates}):
        out = (targets - self.ao) * (1 - self.ao ** 2)
        hidden = (self.wo @ out) * (1 - self.ah ** 2)
        for j in range(self.nh):
            for k in range(self.no):
                change = out[k] * self.ah[j]
                self.wo[j][k] = self.wo[j][k] + {step} * change{more}
                self.co[j][k] = change
        for i in range(self.ni):
            for j in range(self.nh):
                change = hidden[j] * {of}
                self.wi[i][j] += {step} * change

    def predict(self, rows):
        return [np.argmax(self.{name}(row)) for row in rows]

    def train(self, rows, targets, times=100):
        for _ in range(times):
            for row, target in zip(rows, targets):
                self.{name}(row)
                self.back_propagate(target, 0.5, 0.1)
"""
FORMS = {"update": ("N, M", "N", " + M * self.co[j][k]"), "iterate": ("stopa", "stopa", ""),
         "prolaz": ("brzina, zamah", "brzina", " + zamah * self.co[j][k]")}


@pytest.mark.parametrize("of, expected, name", first(2, [
    ("self.ai[i]", "correct", "update"), ("1.0", "unknown", "prolaz"),
    *((of, expected, name) for name in FORMS
      for of, expected in (("self.ai[i]", "correct"), ("1.0", "unknown")))]))
def test_a_forward_by_any_name_is_what_is_called_before(check, of, expected, name):
    """Whatever the rate is called, and the factor of a momentum beside it."""
    rates, step, more = FORMS[name]
    code = NET.format(name=name, rates=rates, step=step, more=more, of=of)
    rows = verdicts(check(mreza=code)[1][0])
    assert (rows["wi"], rows["wo"]) == (expected, "correct"), rows


SLOPES = """
import numpy as np

class Krivulja:
    {mark}
    def {name}({own}x):
        return np.tanh(x)

    {mark}
    def {slope}({own}x):
        return 1 - np.tanh(x){power}

    def ime(self):
        return "krivulja"
"""


@pytest.mark.parametrize("power, status, name, slope, mark", first(2, [
    (" ** 2", "correct", "output", "derivative", "@staticmethod"),
    ("", "wrong", "vrednost", "derivative", ""),
    *((power, status, name, slope, mark) for power, status in ((" ** 2", "correct"), ("", "wrong"))
      for name, slope in (("output", "derivative"), ("vrednost", "deriv"), ("izhod", "gradient"))
      for mark in ("", "@staticmethod"))]))
def test_the_only_other_method_is_the_function(check, power, status, name, slope, mark):
    code = SLOPES.format(power=power, name=name, slope=slope, mark=mark,
                         own="" if mark else "self, ")
    _, (result,) = check(krivulja=code)
    assert result["status"] == status and "x" in verdicts(result), result


TWO = """
import numpy as np

class FC:
    def __init__(self, num_inputs, num_outputs, name):
        self.weights = np.random.randn(num_outputs, num_inputs)
        self.bias = np.zeros(num_outputs)
        self.name = name

    def forward(self, inputs):
        self.inputs = inputs
        return inputs.dot(self.weights.T) + self.bias

    def backward_inputs(self, grads):
        return grads.dot(self.weights)

    def backward_params(self, grads):
        grad_weights, grad_bias = grads.T.dot(self.inputs), grads.{total}(axis=0)
        return {pairs}
"""


@pytest.mark.parametrize("total, expected, pairs", first(2, [
    ("sum", "correct", "[[self.weights, grad_weights], [self.bias, grad_bias], self.name]"),
    ("mean", "mean where a sum is due",
     "[[self.weights, grad_weights], [self.bias, grad_bias], self.name]"),
    ("sum", "correct", "[(self.weights, grad_weights), (self.bias, grad_bias)]"),
    ("sum", "correct", "grad_weights, grad_bias")]))
def test_backward_in_two_methods(check, total, expected, pairs):
    """What is returned beside each gradient is the weight itself."""
    rows = verdicts(check(fc=TWO.format(total=total, pairs=pairs))[1][0])
    assert rows.keys() == {"inputs", "weights", "bias"} and rows["weights"] == "correct", rows
    assert rows["bias"] == expected, rows


STAR = """
import numpy as np

class Camada:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x, self.a = x, np.tanh(x @ self.W)
        return self.a

    def backward(self, dout, *, grad_of_sum: bool):
        dz = dout if grad_of_sum else dout * (1 - self.a{power})
        self.dW = self.x.T @ dz
        return dz @ self.W.T
"""


@pytest.mark.parametrize("power, status", [(" ** 2", "correct"), ("", "wrong")])
def test_what_stands_behind_a_star_is_given_by_name(check, power, status):
    """A flag is not set."""
    _, (result,) = check(camada=STAR.format(power=power))
    assert result["status"] == status and verdicts(result).keys() == {"x", "W"}, result


STACK = STAR.format(power=" ** 2").replace("*, grad_of_sum: bool", "grad_of_sum=False") + """

class Rede:
    def __init__(self, elos: list):
        self.elos = elos

    def forward(self, x):
        for elo in self.elos:
            x = elo.forward(x)
        return x

    def backward(self, dout):
        for elo in {order}(self.elos):
            dout = elo.backward({passed})
        return dout
"""


@pytest.mark.parametrize("order, passed, status", [
    ("reversed", "dout", "correct"), ("reversed", "dout * 2", "wrong")])
def test_several_objects_with_both_methods_are_layers(check, order, passed, status):
    _, (result,) = check(rede=STACK.format(order=order, passed=passed))
    found = {one["checked"]: one["status"] for one in result["checks"]}
    assert found == {"Camada": "correct", "Rede": status}, result


BESIDE = """
import numpy as np

class Layer:
    def get_params_grad(self, X, output_grad):
        return []
    def get_output(self, X):
        pass
    def get_input_grad(self, Y, output_grad=None, T=None):
        pass

class Linear(Layer):
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
    def get_output(self, X):
        return X @ self.W + self.b
    def get_params_grad(self, X, output_grad):
        both = X.T @ output_grad, output_grad.sum(axis=0) * FACTOR
        return LISTED
    def get_input_grad(self, Y, output_grad):
        return output_grad @ self.W.T

class Logistic(Layer):
    def get_output(self, X):
        return 1 / (1 + np.exp(-X))
    def get_input_grad(self, Y, output_grad):
        return Y * (FACTOR - Y) * output_grad

class SoftmaxOutput(Layer):
    def get_output(self, X):
        return np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
    def get_input_grad(self, Y, T):
        return (Y - T * FACTOR) / Y.shape[0]
    def get_cost(self, Y, T):
        return -np.sum(T * np.log(Y)) / Y.shape[0]
"""
LISTED = ["[g for one in both for g in np.nditer(one)]", "list(both)",
          "np.concatenate([one.ravel() for one in both])"]


@pytest.mark.parametrize("listed", first(1, LISTED))
def test_a_layer_is_handed_its_output_and_the_gradients_come_in_a_row(check, listed):
    """Also one by one, as an iterator over the weights gives them."""
    for factor, found in (("1", "correct"), ("2", "wrong")):
        _, (result,) = check(beside=BESIDE.replace("FACTOR", factor).replace("LISTED", listed))
        assert [one["status"] for one in result["checks"]] == [found] * 3, result
