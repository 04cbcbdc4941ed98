"""What some courses mean by a gradient: f' of what was kept, the scores' gradient of a loss of
probabilities."""
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
    assert status == 0 and [item["status"] for item in result["checks"]] == ["correct", "correct",
                                                                             "correct", "remarks"]
    status, (result,) = check(slopes=SLOPES.replace("2 - self.below", "1 - self.below"))
    assert status == 1 and [item["status"] for item in result["checks"]] == ["wrong", "correct",
                                                                             "correct", "remarks"]


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
    status, (result,) = check(single=SINGLE.replace("1 + e +", "2 + e +").replace("self.x > 0",
                                                                                  "self.x > 0.5"))
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
    status, (result,) = check(hidden=HIDDEN.replace("self.x.T @ grad", "-self.x.T @ grad").replace(
        "(1 - self", "(1 + self"))
    assert status == 1 and verdicts(result)["W"] == "sign flipped" and verdicts(result)[
        "inputs"] == "slip in the derivative"


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
    ("-actual / prediction / len(prediction)",
     "(prediction - actual) / (prediction * (1 - prediction)) / actual.size", True),
    ("(prediction - actual) / len(prediction)", "(prediction - actual) / actual.size", True),
    ("(prediction + actual) / len(prediction)", "prediction * actual", False)])
def test_a_loss_of_probabilities_gives_their_gradient_or_that_of_the_scores_before(check, surprise,
                                                                                   two, right):
    status, (result,) = check(losses=LOSSES.format(surprise, two))
    assert [item["status"] == "correct" for item in result["checks"]] == [right, right]


def test_the_reading_is_said(tmp_path, capsys):
    code = LOSSES.format("(prediction - actual) / len(prediction)",
                         "(prediction - actual) / actual.size")
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
    status, (result,) = check(names=NAMES.replace("2 * (y", "3 * (y").replace(
        "(1 - Y", "(1 + Y").replace("1 * w", "2 * w"))
    assert verdicts(result) == {"y": "off by a constant factor", "t": "not compared",
                                "Y": "correct", "T": "not compared", "X": "slip in the derivative",
                                "beta": "slip in the derivative",
                                "weights": "off by a constant factor"}


EMBEDDING = """
import numpy as np


class Embedding:
    def __init__(self, vocab_size, embed_dim):
        self.weights = np.random.randn(vocab_size, embed_dim)
        self.weights[0] = 0
    def forward(self, ids):
        self.ids = np.asarray(ids)
        return self.weights[self.ids]
    def backward(self, dout):
        self.d_weights = np.zeros_like(self.weights)
        ids, errors = self.ids.reshape(-1), dout.reshape(-1, dout.shape[-1])
        np.add.at(self.d_weights, ids[ids != 0], errors[ids != 0])
"""


def test_the_row_of_the_padding_gets_no_gradient(check):
    assert verdicts(check(embedding=EMBEDDING)[1][0]) == {"weights": "correct"}
    wrong = EMBEDDING.replace("np.add.at(self.d_weights, ids[ids != 0], errors[ids != 0])",
                              "self.d_weights[ids] = errors")
    assert verdicts(check(embedding=wrong)[1][0]) == {"weights": "only the last of "
                                                      "overlapping windows kept"}


LABELS = """
import numpy as np


class SoftmaxCrossEntropy:
    def forward(self, logits):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        return self.probs
    def backward(self, labels):
        d = self.probs.copy()
        d[np.arange(len(labels)), labels] -= 1
        return d / len(labels)
"""


def test_a_softmax_whose_backward_gets_the_numbers_of_the_classes(check):
    status, (result,) = check(labels=LABELS)
    assert status == 0 and verdicts(result) == {"logits": "correct"}
    status, (result,) = check(labels=LABELS.replace("-= 1", "-= 2"))
    assert status == 1 and verdicts(result) == {"logits": "unknown"}


CALLS = """
import numpy as np


class Softmax:
    def __init__(self):
        self.calls = []
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.calls.append(e / e.sum(axis=-1, keepdims=True))
        return self.calls[-1]
    def backward(self, dout):
        grads = [y * (dout - (dout * y).sum(axis=-1, keepdims=True)) for y in self.calls]
        return grads[0] if len(grads) == 1 else grads


class DotProductAttention:
    def __init__(self):
        self.softmax, self.inputs, self.weights = Softmax(), [], []
    def forward(self, Q, K, V):
        self.inputs.append((Q, K, V))
        self.weights.append(self.softmax.forward(Q @ K.swapaxes(-2, -1)))
        return self.weights[-1] @ V
    def backward(self, dout):
        (Q, K, V), w = self.inputs[-1], self.weights[-1]
        d = self.softmax.backward(dout @ V.swapaxes(-2, -1))
        return d @ K, d.swapaxes(-2, -1) @ Q, w.swapaxes(-2, -1) @ dout
"""


def test_what_a_layer_within_keeps_of_its_calls_is_no_weight(check):
    _, (result,) = check(calls=CALLS)
    assert verdicts(result) == dict.fromkeys(("x", "Q", "K", "V"), "correct")
    _, (result,) = check(calls=CALLS.replace("return d @ K, d", "return -(d @ K), d"))
    assert verdicts(result) == {**dict.fromkeys(("x", "K", "V"), "correct"), "Q": "sign flipped"}


RECURRENT = """
import numpy as np


class RNN:
    def __init__(self, input_size, hidden_size, bptt_truncate=2):
        self.Wx, self.Wh = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, hidden_size)
        self.bptt_truncate = bptt_truncate
    def forward(self, x):
        self.x, self.h = x, np.zeros((len(x), x.shape[1] + 1, len(self.Wh)))
        for t in range(x.shape[1]):
            self.h[:, t + 1] = np.tanh(x[:, t] @ self.Wx + self.h[:, t] @ self.Wh)
        return self.h[:, 1:].copy()
    def backward(self, dout):
        dx, self.dWx, self.dWh = np.zeros_like(self.x), np.zeros_like(self.Wx), np.zeros_like(self.Wh)
        for t in range(dout.shape[1]):
            d = dout[:, t]
            for s in range(t, max(-1, t - self.bptt_truncate), -1):
                d = d * (1 - self.h[:, s + 1] ** 2)
                self.dWx += self.x[:, s].T @ d
                self.dWh += self.h[:, s].T @ d
                dx[:, s] += d @ self.Wx.T
                d = d @ self.Wh.T
        return dx
"""  # noqa: E501


def test_backpropagation_that_is_cut_off_in_time_is_undecided(check):
    _, (result,) = check(cut=RECURRENT)
    rows = result["checks"][0]["rows"]
    assert {row["verdict"] for row in rows} == {"undecided"} and len(rows) == 3
    assert {row["detail"] for row in rows} == {"right if it is meant to be truncated, "
                                               "2 steps back in time"}
    assert check(whole=RECURRENT.replace("bptt_truncate=2", "bptt_truncate=9"))[0] == 0
    _, (result,) = check(one=RECURRENT.replace("bptt_truncate=2", "bptt_truncate=1"))
    assert verdicts(result) == {"x": "one term missing", "Wx": "unknown", "Wh": "unknown"}


VAE = """
import numpy as np

def vae_loss(recon, x, mu, logvar):
    return 0.5 * np.sum((recon - x) ** 2) - 0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar))

def vae_loss_backward(recon, x, mu, logvar):
    return recon - x, mu, 0.5 * (np.exp(logvar) - 1)
"""


def test_whose_gradients_a_loss_returns_is_told_by_their_values(check):
    status, (result,) = check(vae=VAE)
    assert status == 0 and verdicts(result)["x"] == "not compared"
    _, (result,) = check(vae=VAE.replace("return recon - x,", "return x - recon,"))
    assert verdicts(result) == {"recon": "sign flipped", "mu": "correct", "logvar": "correct",
                                "x": "not compared"}
    _, (result,) = check(vae=VAE.replace("recon - x, mu,", "recon - x, -mu,"))
    assert verdicts(result) == {"recon": "correct", "mu": "sign flipped", "logvar": "correct",
                                "x": "not compared"}


HUBER = """
    import numpy as np

    DELTA = {delta}

    def huber_loss(y_pred, y_true):
        error = y_pred - y_true
        size = np.abs(error)
        return np.where(size < DELTA, error ** 2 / 2, DELTA * (size - DELTA / 2)).mean()

    def huber_loss_grad(y_pred, y_true):
        error = y_pred - y_true
        return np.where(np.abs(error) < DELTA, error, {sign}DELTA * np.sign(error)) / error.size
"""


@pytest.mark.parametrize("delta", [1, 2.5, 20])
@pytest.mark.parametrize("sign, status", [("", "correct"), ("-", "wrong")])
def test_the_linear_part_of_a_loss_is_reached_whatever_its_threshold_is(check, delta, sign, status):
    """And that it is right for probabilities, which lie below, is no excuse."""
    _, (result,) = check(huber=HUBER.format(delta=delta, sign=sign))
    assert result["status"] == status
