"""Layers of small frameworks that courses and books have made famous: what their classes leave to
others, share and keep."""
import numpy as np
import pytest
from student_files import verdicts, write

from minialex.gradcheck import rounding

HEAD = "import numpy as np\n\n\n"
TORCH = HEAD + """
class Module:
    def forward(self, input):
        return self.updateOutput(input)

    def backward(self, input, gradOutput):
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput)
        return self.gradInput

    def accGradParameters(self, input, gradOutput):
        pass
"""
LINEAR = TORCH + """
class Linear(Module):
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_out, n_in), np.zeros(n_out)
        self.gradW, self.gradb = np.zeros_like(self.W), np.zeros_like(self.b)

    def updateOutput(self, input):
        self.output = input.dot(self.W.T) + self.b
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput.dot(self.W)
        return self.gradInput

    def accGradParameters(self, input, gradOutput):
        self.gradW += gradOutput.T.dot(input)
        self.gradb += gradOutput.sum(axis=0)
"""
SCALING = TORCH + """
class ChannelwiseScaling(Module):
    def __init__(self, n_out):
        self.gamma, self.beta = np.random.randn(n_out), np.zeros(n_out)
        self.gradGamma, self.gradBeta = np.zeros_like(self.gamma), np.zeros_like(self.beta)

    def updateOutput(self, input):
        self.output = input * self.gamma + self.beta
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput * self.gamma
        return self.gradInput

    def accGradParameters(self, input, gradOutput):
        self.gradBeta = np.sum(gradOutput, axis=0)
        self.gradGamma = np.sum(gradOutput * input, axis=0)
"""
RESHAPE = HEAD + """
class Reshape:
    def __init__(self, input_shape, output_shape):
        self.input_shape, self.output_shape = input_shape, output_shape

    def forward(self, input):
        return np.reshape(input, self.output_shape)

    def backward(self, output_gradient, learning_rate):
        return np.reshape(output_gradient, self.input_shape)
"""
LOGITS = HEAD + """
def crossentropy_with_logits(logits, reference_answers):
    rows = np.arange(len(logits))
    return -logits[rows, reference_answers] + np.log(np.exp(logits).sum(axis=-1))


def grad_crossentropy_with_logits(logits, reference_answers):
    ones = np.zeros_like(logits)
    ones[np.arange(len(logits)), reference_answers] = 1
    softmax = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return (softmax - ones) / logits.shape[0]
"""
GATES = HEAD + """
class GRU:
    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h_prev):
        H = len(self.Wh)
        z, n = slice(0, H), slice(2 * H, 3 * H)
        self.z = 1 / (1 + np.exp(-(x @ self.Wx[:, z] + h_prev @ self.Wh[:, z] + self.b[z])))
        self.n = np.tanh(x @ self.Wx[:, n] + h_prev @ self.Wh[:, n] + self.b[n])
        self.x, self.h = x, h_prev
        return (1 - self.z) * h_prev + self.z * self.n

    def backward(self, dh):
        dz = dh * (self.n - self.h) * self.z * (1 - self.z)
        dn = dh * self.z * (1 - self.n ** 2)
        ds = np.hstack((dz, np.zeros_like(dz), dn))
        self.dWx, self.dWh, self.db = self.x.T @ ds, self.h.T @ ds, ds.sum(axis=0)
        return ds @ self.Wx.T, ds @ self.Wh.T + dh * (1 - self.z)
"""
GELU = HEAD + """
from scipy.special import erf

class GELU:
    def forward(self, Z):
        self.Z = Z
        return Z * (1 + erf(Z / np.sqrt(2))) / 2

    def backward(self, dLdA):
        slope = self.Z / np.sqrt(2 * np.pi) * np.exp(-self.Z ** 2 / 2)
        return dLdA * ((1 + erf(self.Z / np.sqrt(2))) / 2 + slope)
"""


@pytest.mark.parametrize("code, right, wrong", [
    (LINEAR, "gradOutput.T.dot(input)", "-gradOutput.T.dot(input)"),  # counted once, not twice
    (LINEAR, "gradb += gradOutput.sum", "gradb += gradOutput.mean"),
    (SCALING, "gradOutput * self.gamma", "gradOutput * self.beta"),
    (SCALING, "np.sum(gradOutput * input, axis=0)", "np.sum(gradOutput, axis=0)"),
    (RESHAPE, "np.reshape(output_gradient, ", "np.reshape(output_gradient[::-1], "),
    (LOGITS, "(softmax - ones)", "(ones - softmax)"),
    (LOGITS, "logits.shape[0]", "logits.shape[0] ** 2"),
    (GATES, "(self.n - self.h)", "(self.n + self.h)"),
    (GATES, "+ dh * (1 - self.z)", "+ dh * self.z"),
    (GELU, "+ slope", "- slope")])
def test_layers_of_famous_courses(check, code, right, wrong):
    assert right in code
    _, results = check(right=code, wrong=code.replace(right, wrong))
    statuses = {result["file"].rpartition("/")[2]: result["status"] for result in results}
    assert statuses == {"right.py": "correct", "wrong.py": "wrong"}, results


SHARED = HEAD + """
class Multiply:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return dout @ self.params[0].T


class Pair:
    def __init__(self, n_in, n_out):
        W = np.random.randn(n_in, n_out)
        self.layers = [Multiply(W), Multiply(W)]
        self.params, self.grads = [], []
        for layer in self.layers:
            self.params += layer.params
            self.grads += layer.grads

    def forward(self, x):
        return self.layers[0].forward(x) + np.tanh(self.layers[1].forward(x))

    def backward(self, dout):
        dx = self.layers[0].backward(dout)
        slope = 1 - np.tanh(self.layers[1].x @ self.params[1]) ** 2
        return dx + self.layers[1].backward(dout * slope)
"""


def test_weights_of_two_layers_get_the_sum_of_both_gradients(check):
    _, results = check(right=SHARED, wrong=SHARED.replace("(dout * slope", "(-dout * slope"))
    assert [result["status"] for result in results] == ["correct", "wrong"], results


SAMPLER = HEAD + """
class NegativeSampling:
    def __init__(self, W, corpus, sample_size=4):
        self.params, self.grads, self.sample_size = [W], [np.zeros_like(W)], sample_size
        self.vocab_size = len({word for word in corpus})

    def forward(self, h, target):
        W, = self.params
        self.idx = np.random.choice(self.vocab_size, (len(target), self.sample_size))
        self.idx[:, 0] = target
        self.h = h
        self.y = 1 / (1 + np.exp(-np.einsum("nd,nsd->ns", h, W[self.idx])))
        self.t = np.zeros_like(self.y)
        self.t[:, 0] = 1
        return -np.log(np.where(self.t, self.y, 1 - self.y)).sum()

    def backward(self, dout=1):
        W, = self.params
        ds = dout * (self.y - self.t)
        self.grads[0][...] = 0
        np.add.at(self.grads[0], self.idx, ds[:, :, None] * self.h[:, None])
        return np.einsum("ns,nsd->nd", ds, W[self.idx])
"""


def test_a_corpus_is_a_list_of_words(check):
    _, results = check(right=SAMPLER, wrong=SAMPLER.replace("np.add.at(self.grads[0], self.idx, ",
                                                            "self.grads[0][self.idx] = ("))
    assert [result["status"] for result in results] == ["correct", "wrong"], results


EPSILON = HEAD + """
def loss_of(y, t):
    return -np.sum(np.log(y[np.arange(len(t)), t] + 1e-7)) / len(t)
"""
WITH_LOSS = HEAD + """
from functions import loss_of

class Loss:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x, t):
        self.x, self.t, s = x, t, 3 * x @ self.W
        self.y = np.exp(s - s.max(axis=1, keepdims=True))
        self.y /= self.y.sum(axis=1, keepdims=True)
        return loss_of(self.y, self.t)

    def backward(self, dout=1):
        ds = self.y.copy()
        ds[np.arange(len(self.t)), self.t] -= 1
        self.dW = 3 * self.x.T @ ds / len(self.t)
        return 3 * ds @ self.W.T / len(self.t)
"""


@pytest.mark.parametrize("factor, found", [("3", "correct"), ("3.001", "wrong")])
def test_what_keeps_a_logarithm_from_0_may_stand_in_another_file(check, tmp_path, factor, found):
    write(tmp_path, "functions", EPSILON)
    _, (result,) = check(net=WITH_LOSS.replace("dW = 3", f"dW = {factor}"))
    assert result["status"] == found, verdicts(result)


def test_a_spacing_that_float32_does_not_show_is_no_proof_of_float64(monkeypatch):
    found = iter([2.2e-8, 0.0, 1.8e-8])
    monkeypatch.setattr(rounding, "_at", lambda *_: next(found))

    class Nothing:
        tensors, originals, put = (), (), print

    assert rounding.of_forward(Nothing(), np.random.default_rng(0)) > 1e-8
