"""Layers as the small frameworks of courses have them: each is right as it stands, and wrong with a
slip."""
import pytest
from student_files import verdicts, write

NP = "import numpy as np\n"
LOSS_OF_EACH = NP + """
class SigmoidCrossEntropy:
    def forward(self, x, y_batch):
        self.p = 1 / (1 + np.exp(-x))
        loss = -(y_batch * np.log(self.p + 1e-8) + (1 - y_batch) * np.log(1 - self.p + 1e-8))
        return self.p, loss

    def backward(self, y, grad_output):
        return grad_output * (self.p - y)
"""
LAST_IS_OUT = NP + """
class Net:
    def __init__(self, num_features, num_hidden, num_classes):
        self.W1, self.W2 = np.zeros((num_hidden, num_features)), np.zeros((num_classes, num_hidden))

    def forward(self, x):
        a_h = 1 / (1 + np.exp(-x @ self.W1.T))
        a_out = 1 / (1 + np.exp(-a_h @ self.W2.T))
        return a_h, a_out

    def backward(self, x, a_h, a_out, y):
        d_out = 2 * (a_out - np.eye(a_out.shape[1])[y]) / len(y) * a_out * (1 - a_out)
        d_h = d_out @ self.W2 * a_h * (1 - a_h)
        return d_out.T @ a_h, d_h.T @ x
"""
CHINESE = NP + """
class 全连接层:
    def __init__(self, 输入维度, 输出维度):
        self.权重, self.偏置 = np.zeros((输入维度, 输出维度)), np.zeros(输出维度)

    def 前向传播(self, 输入):
        self.x = 输入
        return 输入 @ self.权重 + self.偏置

    def 反向传播(self, 输出梯度):
        self.权重梯度 = self.x.T @ 输出梯度
        self.偏置梯度 = 输出梯度.sum(axis=0)
        return 输出梯度 @ self.权重.T
"""
SET_OUTSIDE = NP + """
class Scale:
    def forward(self, x):
        self.x = x
        return x * self.alpha

    def backward(self, dout):
        return dout * self.alpha

class Net:
    def __init__(self, layers):
        for layer in layers:
            layer.alpha = 0.3
"""
TOLD_ITS_SIZE = NP + """
class Dense:
    def __init__(self, n_units):
        self.n_units = n_units

    def set_input_shape(self, input_size):
        self.W = np.random.randn(input_size, self.n_units)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
"""


@pytest.mark.parametrize("code, right, slip", [
    (LOSS_OF_EACH, "(self.p - y)", "(y - self.p)"), (LOSS_OF_EACH, "self.p - y", "self.p * y"),
    (LAST_IS_OUT, "@ self.W2 *", "@ self.W2 * a_h *"),
    (LAST_IS_OUT, "d_out.T @ a_h", "-d_out.T @ a_h"),
    (CHINESE, "self.x.T @", "-self.x.T @"), (CHINESE, "@ self.权重.T", "@ self.权重.T * 2"),
    (SET_OUTSIDE, "dout * self.alpha", "dout"), (TOLD_ITS_SIZE, "self.x.T @", "2 * self.x.T @")])
def test_it_is_right_and_a_slip_is_wrong(check, code, right, slip):
    assert right in code
    _, (result,) = check(layer=code)
    assert result["status"] == "correct", result["checks"]
    _, (result,) = check(layer=code.replace(right, slip))
    assert result["status"] == "wrong", result["checks"]


RECURRENT = NP + """
class Cell:
    def __init__(self, n_in, n_hidden):
        self.W_ih, self.W_hh = np.zeros((n_hidden, n_in)), np.zeros((n_hidden, n_hidden))
        self.bias_h = np.zeros(n_hidden)

    def forward(self, x, h):
        self.x, self.h = x, h
        self.out = np.tanh(x @ self.W_ih.T + h @ self.W_hh.T + self.bias_h)
        return self.out

    def backward(self, delta):
        dz = delta * (1 - self.out ** 2)
        self.dW_ih = dz.T @ self.x / len(dz)
        self.dW_hh = dz.T @ self.h / len(dz)
        self.dbias_h = dz.sum(axis=0) MEAN
        return dz @ self.W_ih, dz @ self.W_hh
"""


@pytest.mark.parametrize("mean, status", [("/ len(dz)", "undecided"), ("", "wrong")])
def test_a_mean_over_the_examples_may_be_meant_for_weights_of_any_name(check, mean, status):
    """Of all of them: of some alone it is a mistake."""
    _, (result,) = check(cell=RECURRENT.replace("MEAN", mean))
    assert result["status"] == status, result["checks"]


def test_a_file_beside_it_may_need_a_module_that_is_not_here(check, tmp_path):
    write(tmp_path, "tools", """
    import minibatchlib.loading as loading

    def slope(y):
        return 1 - y ** 2
""")
    code = NP + """
from tools import slope

class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dout):
        return dout * slope(self.y)
"""
    _, (result,) = check(layer=code)
    assert verdicts(result) == {"x": "correct"}, result
    _, (result,) = check(layer=code.replace("slope(self.y)", "slope(self.y) ** 2"))
    assert result["status"] == "wrong"
