"""Training that no pair and no cut-out step reads is run as it is: right, and with a slip."""
import re
import textwrap

import pytest
from student_files import write

from minialex.gradcheck.__main__ import main

GIVEN = """
    import numpy as np

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    class Model:
        '''Its weights are no attributes: they are handed from method to method.'''

        def start(self, n_x, n_h, n_y):
            return {"W1": np.random.randn(n_h, n_x), "c1": np.zeros((n_h, 1)),
                    "W2": np.random.randn(n_y, n_h), "c2": np.zeros((n_y, 1))}

        def forward_propagation(self, X, weights_of):
            assert X.shape[1] > 1
            A1 = np.tanh(weights_of["W1"] @ X + weights_of["c1"])
            A2 = sigmoid(weights_of["W2"] @ A1 + weights_of["c2"])
            assert A2.shape == (1, X.shape[1])
            return A2, {"A1": A1, "A2": A2}

        def backward_propagation(self, weights_of, cache, X, Y):
            m = X.shape[1]
            d2 = cache["A2"] - Y
            d1 = (weights_of["W2"].T @ d2)« * (1 - cache["A1"] ** 2)|»
            return {"W1": d1 @ X.T / m, "c1": d1.sum(1, keepdims=True) / m,
                    "W2": d2 @ cache["A1"].T / m, "c2": d2.sum(1, keepdims=True) / m}

        def train(self, X, Y, n_h, num_iterations=100):
            weights_of = self.start(X.shape[0], n_h, Y.shape[0])
            for i in range(num_iterations):
                A2, cache = self.forward_propagation(X, weights_of)
                grads = self.backward_propagation(weights_of, cache, X, Y)
                weights_of = {key: weights_of[key] - 1.2 * grads[key] for key in grads}
            return weights_of
"""
SET_BY_FIT = """
    import numpy as np

    class Regressor:
        '''Weights, rate and errors are there from fit on.'''

        def __init__(self, hidden=[4]):
            self.hidden = hidden

        def fit(self, X, Y, epochs=500, rate=0.01):
            self.rate = rate
            sizes = [X.shape[1], *self.hidden, 1]
            self.ws = {i: np.random.randn(a, b) for i, (a, b) in enumerate(zip(sizes, sizes[1:]))}
            for epoch in range(epochs):
                self.run(X)
                self.deltas(Y.reshape(-1, 1))
                self.descend()

        def run(self, X):
            self.acts = {0: X}
            for i in range(len(self.ws)):
                z = self.acts[i] @ self.ws[i]
                self.acts[i + 1] = np.tanh(z) if i < len(self.ws) - 1 else z

        def deltas(self, Y):
            last = len(self.ws)
            self.errs = {last: (self.acts[last] - Y) / len(Y)}
            for i in range(last - 1, 0, -1):
                self.errs[i] = (self.errs[i + 1] @ self.ws[i].T)« * (1 - self.acts[i] ** 2)|»

        def descend(self):
            for i in range(len(self.ws)):
                self.ws[i] -= self.rate * self.acts[i].T @ self.errs[i + 1]
"""
PAIRS = """
    import random
    import numpy as np

    def sig(z):
        return 1 / (1 + np.exp(-z))

    class Net:
        def __init__(self, layer_sizes):
            self.bs = [np.random.randn(n, 1) for n in layer_sizes[1:]]
            self.ws = [np.random.randn(n, m) for m, n in zip(layer_sizes, layer_sizes[1:])]

        def SGD(self, pictures, epochs, chunk, eta):
            for epoch in range(epochs):
                random.shuffle(pictures)
                for part in [pictures[k:k + chunk] for k in range(0, len(pictures), chunk)]:
                    self.one_part(part, eta)

        def one_part(self, part, eta):
            gb, gw = [np.zeros(b.shape) for b in self.bs], [np.zeros(w.shape) for w in self.ws]
            for x, y in part:
                acts = [x]
                for b, w in zip(self.bs, self.ws):
                    acts.append(sig(w @ acts[-1] + b))
                out = acts[-1]
                d = (out - y) * out * (1 - out)
                for l in range(1, len(acts)):
                    gb[-l] += d
                    gw[-l] += d @ acts[-l - 1].T
                    d = (self.ws[-l].T @ d)« * acts[-l - 1] * (1 - acts[-l - 1])|»
            self.ws = [w - eta / len(part) * g for w, g in zip(self.ws, gw)]
            self.bs = [b - eta / len(part) * g for b, g in zip(self.bs, gb)]
"""
BY_ITSELF = """
    import numpy as np
    from numpy import random

    V = random.randn(2, 3)
    u = random.randn(3, 1)
    table = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]])

    def main():
        train(4, 50, table)

    def see(x):
        inside = sig(x.dot(V))
        return [x, inside, sig(inside.dot(u))]

    def changes(seen, y):
        d = (seen[2] - y) * 0.5
        return [np.outer(seen[0], u[:, 0] * d« * seen[1] * (1 - seen[1])|»), d * seen[1][:, None]]

    def train(each, batches, table):
        global V, u
        for batch in range(batches):
            total = [0, 0]
            for one in range(each):
                row = table[random.randint(len(table))]
                total = [a + b for a, b in zip(changes(see(row[:2]), row[-1]), total)]
            V = V - total[0]
            u = u - total[1]

    def sig(x):
        return 1 / (1 + np.exp(-x))

    if __name__ == "__main__":
        main()
"""


@pytest.mark.parametrize("code", [GIVEN, SET_BY_FIT, PAIRS, BY_ITSELF],
                         ids=["given", "set by fit", "pairs", "by itself"])
def test_training_is_run_as_it_is(check, code):
    right, slip = (re.sub("«(.*?)[|](.*?)»", rf"\{which}", textwrap.dedent(code))
                   for which in (1, 2))
    (result, other) = check(right=right, slip=slip)[1]
    assert [one["status"] for one in result["checks"]] == ["correct"], result
    assert "wrong" in [one["status"] for one in other["checks"]], other
    (wrong,) = [one for one in other["checks"] if one["status"] == "wrong"]
    assert {row["verdict"] for row in wrong["rows"]} > {"correct"}  # of the last layer


def test_a_penalty_that_no_loss_has_is_told(tmp_path, capsys):
    code = re.sub("«(.*?)[|](.*?)»", r"\1", textwrap.dedent(GIVEN)).replace(
        "1.2 * grads[key]", "1.2 * (grads[key] + 0.01 * weights_of[key])")
    assert main([str(write(tmp_path, "net", code))]) == 0
    assert "and of a penalty on the weights): 4 of 4 correct" in capsys.readouterr().out


def test_what_training_is_given_and_what_it_computes_anew_are_no_weights(check):
    """Examples that change from call to call, and activations that a backward is given."""
    code = re.sub("«(.*?)[|](.*?)»", r"\1", textwrap.dedent(BY_ITSELF))
    _, (result,) = check(net=code)
    assert {row["name"] for row in result["checks"][0]["rows"]} == {"V", "u"}, result
