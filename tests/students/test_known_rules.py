"""Scripts and classes that every course has: a linear neuron example by example, a support vector
machine, regression over lists of rows, a network for moons. Each with slips behind the bars."""
import re

import pytest
from short import first

NEURON = """
    import numpy as np

    class Neuron:
        def __init__(self, eta=0.01, rounds=10, mix=True):
            self.eta, self.rounds, self.mix, self.begun = eta, rounds, mix, False

        def fit(self, X, y):
            self._begin(X.shape[1])
            self.costs_ = []
            for one in range(self.rounds):
                if self.mix:
                    X, y = self._mixed(X, y)
                costs = []
                for x, t in zip(X, y):
                    costs.append(self._learn(x, t))
                self.costs_.append(sum(costs) / len(y))
            return self

        def _mixed(self, X, y):
            order = np.random.permutation(len(y))
            return X[order], y[order]

        def _begin(self, n):
            self.w_, self.begun = np.zeros(1 + n), True

        def _learn(self, x, t):
            error = t - (x @ self.w_[1:] + self.w_[0])
            self.w_[1:] += {|-}self.eta * x.dot(error)
            self.w_[0] += {|-}self.eta * error
            return error ** 2 / 2
"""
MACHINE = """
    import numpy as np

    class Machine:
        def __init__(self, learning_rate=0.001, lambda_param=0.01, n_iters=1000):
            self.lr, self.lambda_param, self.n_iters = learning_rate, lambda_param, n_iters
            self.w = self.b = None

        def fit(self, X, y):
            signs = np.where(y <= 0, -1, 1)
            self.w, self.b = np.zeros(X.shape[1]), 0
            for _ in range(self.n_iters):
                for place, x in enumerate(X):
                    if signs[place] * (np.dot(x, self.w) - self.b) >= 1:
                        self.w -= self.lr * 2 * self.lambda_param * self.w
                    else:
                        self.w -= self.lr * (
                            2 * self.lambda_param * self.w - np.dot(x, signs[place]))
                        self.b -= {|-}self.lr * signs[place]

        def predict(self, X):
            return np.sign(np.dot(X, self.w) - self.b)
"""
ROWS = """
    from math import exp

    def guess(row, c):
        total = c[0]
        for k in range(len(row) - 1):
            total += c[k + 1] * row[k]
        return 1.0 / (1.0 + exp(-total))

    def learned(train, l_rate, n_epoch):
        c = [0.0 for k in range(len(train[0]))]
        for epoch in range(n_epoch):
            for row in train:
                p = guess(row, c)
                error = row[-1] - p
                c[0] = c[0] + l_rate * error * p * (1.0 - p)
                for k in range(len(row) - 1):
                    c[k + 1] = c[k + 1] {+|-} l_rate * error * p * (1.0 - p) * row[k]
        return c
"""
MOONS = """
    import numpy as np
    from sklearn import datasets

    X, y = datasets.make_moons(200, noise=0.2)
    num_examples, dim_in, dim_out = len(X), 2, 2
    epsilon, reg_lambda = 0.01, 0.01

    def learn(between, passes=20000, tell=False):
        W1, b1 = np.random.randn(dim_in, between) / np.sqrt(dim_in), np.zeros((1, between))
        W2, b2 = np.random.randn(between, dim_out) / np.sqrt(between), np.zeros((1, dim_out))
        for i in range(passes):
            a = np.tanh(X.dot(W1) + b1)
            e = np.exp(a.dot(W2) + b2)
            d = e / np.sum(e, axis=1, keepdims=True)
            d[range(num_examples), y] -= 1
            dW2, db2 = a.T.dot(d), np.sum(d, axis=0, keepdims=True)
            below = d.dot(W2.T) * (1 - {np.power(a, 2)|a})
            dW1, db1 = np.dot(X.T, below), np.sum(below, axis=0)
            dW2 += reg_lambda * W2
            dW1 += reg_lambda * W1
            W1 += -epsilon * dW1
            b1 += -epsilon * db1
            W2 += -epsilon * dW2
            b2 += -epsilon * db2
            model = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
        return model
"""
# where it computes one of the usual losses, what is the gradient of none is wrong
TOLD = """
    import numpy as np

    x, y = np.random.randn(6, 5), np.random.randn(6, 3)
    w1, w2 = np.random.randn(5, 4), np.random.randn(4, 3)
    for t in range(20):
        h = x.dot(w1)
        over = np.maximum(h, 0)
        guess = {over|h}.dot(w2)
        loss = np.square(guess - y).sum()
        print(t, loss)
        d = 2.0 * (guess - y)
        grad_w2 = over.T.dot(d)
        grad_h = d.dot(w2.T)
        grad_h[h < 0] = 0
        grad_w1 = x.T.dot(grad_h)
        w1 -= 1e-6 * grad_w1
        w2 -= 1e-6 * grad_w2
"""


@pytest.mark.parametrize("code", first(2, [TOLD, NEURON, ROWS, MACHINE, MOONS]))
def test_a_known_rule_is_found_right_and_wrong(check, code):
    said = []
    for which in (1, 2):
        _, (result,) = check(net=re.sub(r"\{([^{}|:]*)\|([^{}|]*)\}", rf"\{which}", code))
        (one,) = result["checks"]
        said.append(one["status"])
    # of one array of weights no other is right
    assert said == ["correct", "error" if code == ROWS else "wrong"], result
