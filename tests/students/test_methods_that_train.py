"""Methods in which forward, backward and the update stand together: one step of each is compared
with a loss of its output, right and with a slip."""
import re
import textwrap

import pytest

START = """
    import numpy as np

    def softmax(z):
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
"""
ONE_LABEL = """
    class Net:
        def __init__(self, n_in, n_hidden, n_out, lr):
            self.lr = lr
            self.alpha = np.random.uniform(-.1, .1, (n_hidden, n_in))
            self.beta = np.random.uniform(-.1, .1, (n_out, n_hidden + 1))

        def sgd(self, x, y):
            a = self.alpha @ x
            z = np.concatenate(([1.0], np.tanh(a)))
            b = softmax(self.beta @ z)
            b[y] -= 1
            da = (self.beta.T @ b)[1:]« * (1 - z[1:] ** 2)|»
            self.alpha = self.alpha - self.lr * np.outer(da, x)
            self.beta = self.beta - self.lr * np.outer(b, z)
"""
FILLED = """
    class Net:
        def fit(self, X, Y, learning_rate=1e-3, reg=1e-6, epochs=100, M=10):
            N, D = X.shape
            K = len(set(Y))
            T = np.zeros((N, K))
            T[np.arange(N), Y.astype(int)] = 1
            self.W1 = np.random.randn(D, M) / np.sqrt(D)
            self.W2 = np.random.randn(M, K) / np.sqrt(M)
            for i in range(epochs):
                Z = np.tanh(X.dot(self.W1))
                d = softmax(Z.dot(self.W2)) - T
                dZ = d.dot(self.W2.T)« * (1 - Z ** 2)|»
                self.W2 -= learning_rate * (Z.T.dot(d) + reg * self.W2)
                self.W1 -= learning_rate * (X.T.dot(dZ) + reg * self.W1)
"""
WRITTEN_OUT = """
    def one_hot(y, num_classes=10):
        hot = np.zeros((len(y), num_classes))
        hot[range(y.shape[0]), y] = 1
        return hot

    class Net:
        def __init__(self, n_in, n_out):
            self.w = np.random.normal(0, 0.1, (n_in, n_out))
            self.b = np.zeros(n_out)

        def fit(self, X, y, lr=0.1, epochs=100, batch_size=32):
            for epoch in range(epochs):
                order = np.random.permutation(X.shape[0])
                X, y = X[order], y[order]
                for i in range(0, X.shape[0], batch_size):
                    x_batch, y_batch = X[i:i + batch_size], y[i:i + batch_size]
                    hot = one_hot(y_batch, num_classes=self.w.shape[1])
                    Z = np.tanh(np.dot(x_batch, self.w) + self.b)
                    d = (softmax(Z) - hot) * (1 - Z ** 2)
                    self.w = self.w - «lr|lr * 2» * np.dot(x_batch.T, d)
                    self.b = self.b - lr * np.sum(d, axis=0)
"""
RECURRENT = """
    class RNN:
        def __init__(self, vocab, hidden=6, lr=0.1):
            self.Wxh = np.random.randn(hidden, vocab)
            self.Whh = np.random.randn(hidden, hidden)
            self.Why = np.random.randn(vocab, hidden)
            self.lr, self.vocab = lr, vocab

        def train_step(self, inputs, targets, hprev):
            xs, hs, ps = {}, {-1: np.copy(hprev)}, {}
            for t in range(len(inputs)):
                xs[t] = np.zeros((self.vocab, 1))
                xs[t][inputs[t]] = 1
                hs[t] = np.tanh(self.Wxh @ xs[t] + self.Whh @ hs[t - 1])
                ps[t] = softmax((self.Why @ hs[t]).T).T
            dWxh, dWhh, dWhy = map(np.zeros_like, (self.Wxh, self.Whh, self.Why))
            dh_next = np.zeros_like(hs[0])
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t])
                dy[targets[t]] -= 1
                dWhy += dy @ hs[t].T
                dr = «(1 - hs[t] ** 2) * |»(self.Why.T @ dy + dh_next)
                dWxh += dr @ xs[t].T
                dWhh += dr @ hs[t - 1].T
                dh_next = self.Whh.T @ dr
            for p, d in zip([self.Wxh, self.Whh, self.Why], [dWxh, dWhh, dWhy]):
                p -= self.lr * d
"""
STEPPED_ELSEWHERE = """
    class SGD:
        def __init__(self, lr=0.1):
            self.lr = lr

        def step(self, params, grads):
            for k in params:
                params[k] -= self.lr * grads[k]

    class Net:
        def __init__(self, d, h, k):
            self.params = dict(W1=np.random.randn(d, h), W2=np.random.randn(h, k))
            self.optimizer = SGD()

        def train_batch(self, X, y):
            p = self.params
            Z = np.tanh(X @ p['W1'])
            d = softmax(Z @ p['W2'])
            d[np.arange(len(y)), y] -= 1
            grads = {'W2': Z.T @ d / len(y)}
            grads['W1'] = X.T @ (d @ p['W2'].T« * (1 - Z ** 2)|») / len(y)
            self.optimizer.step(p, grads)
"""
SET_BY_NAME = """
    class Net:
        def __init__(self, d, h, k, lr):
            self.lr = lr
            self.first = np.random.randn(h, d)
            self.second = np.random.randn(k, h)

        def update_all(self, grads):
            for name, grad in grads.items():
                setattr(self, name, getattr(self, name) - self.lr * grad)

        def sgd_step(self, x, y):
            Z = np.tanh(self.first @ x)
            d = softmax(self.second @ Z)
            d[y] -= 1
            grads = {'second': np.outer(d, Z)}
            grads['first'] = np.outer((d @ self.second)« * (1 - Z ** 2)|», x)
            self.update_all(grads)
"""
OF_EACH = """
    class Net:
        def __init__(self, sizes):
            self.weights = [np.random.randn(m, n) for n, m in zip(sizes[:-1], sizes[1:])]

        def train_on_batch(self, X, Y, eta=0.1):
            layers = [X]
            for w in self.weights:
                layers.append(np.tanh(w @ layers[-1]))
            d, found = layers[-1] - Y, []
            for w, Z, below in zip(self.weights[::-1], layers[:0:-1], layers[-2::-1]):
                d = d * (1 - Z ** 2)
                found.insert(0, d @ below.T)
                d = «|2 * »w.T @ d
            self.weights = [w - eta * g for w, g in zip(self.weights, found)]
"""
UNROLLED = """
    class Recurrent:
        def __init__(self, n_in, n_h, n_out, lr=0.1):
            self.Wz = np.random.randn(n_h, n_in + n_h)
            self.Wy = np.random.randn(n_out, n_h)
            self.n_h, self.lr = n_h, lr

        def forward(self, xs):
            h, ys, self.cache = np.zeros((self.n_h, 1)), [], []
            for x in xs:
                z = np.vstack((h, x.reshape(-1, 1)))
                h = np.tanh(self.Wz @ z)
                ys.append(self.Wy @ h)
                self.cache.append((z, h))
            return ys

        def train_step(self, xs, ts):
            ys = self.forward(xs)
            g = {k: np.zeros_like(getattr(self, k)) for k in ("Wz", "Wy")}
            dh = np.zeros((self.n_h, 1))
            for t in reversed(range(len(xs))):
                z, h = self.cache[t]
                dy = ys[t] - ts[t].reshape(-1, 1)
                g["Wy"] += dy @ h.T
                da = (self.Wy.T @ dy + dh)« * (1 - h ** 2)|»
                g["Wz"] += da @ z.T
                dh = (self.Wz.T @ da)[:self.n_h]
            for k in g:
                setattr(self, k, getattr(self, k) - self.lr * g[k])
"""
HANDED = """
    class Model:
        def __init__(self, input_dim, hidden_dim, output_dim):
            self.W1 = np.random.randn(input_dim, hidden_dim)
            self.W2 = np.random.randn(hidden_dim, output_dim)

    def train(model, X, y, num_passes=20000, epsilon=0.01):
        for i in range(num_passes):
            Z = np.tanh(X.dot(model.W1))
            d = softmax(Z.dot(model.W2))
            d[range(len(X)), y] -= 1
            dW2 = Z.T.dot(d)
            d = d.dot(model.W2.T)« * (1 - Z ** 2)|»
            dW1 = np.dot(X.T, d)
            model.W1 += -epsilon * dW1
            model.W2 += -epsilon * dW2
"""
FACTORS = """
    class Factors:
        def __init__(self, n_users, n_items, k=4, lr=0.01, reg=0.02):
            self.P, self.Q = np.random.rand(n_users, k), np.random.rand(n_items, k)
            self.bias, self.lr, self.reg = np.zeros(n_users), lr, reg

        def predict(self, u, i):
            return self.bias[u] + self.P[u] @ self.Q[i]

        def sgd_step(self, u, i, r):
            e = r - self.predict(u, i)
            self.bias[u] += self.lr * (e - self.reg * self.bias[u])
            old = self.P[u].copy()
            self.P[u] += self.lr * (e * self.Q[i] - self.reg * self.P[u])
            self.Q[i] += self.lr * («e|2 * e» * old - self.reg * self.Q[i])
"""
SORTED = """
    class Classifier:
        def __init__(self, hidden=(8,), lr=0.1, epochs=10, batch=8):
            self.hidden, self.lr, self.epochs, self.batch = hidden, lr, epochs, batch

        def _start(self, d, k):
            sizes = [d, *self.hidden, k]
            self.W_ = [np.random.randn(a, b) for a, b in zip(sizes[:-1], sizes[1:])]

        def _step(self, X, Y):
            layers = [X]
            for w in self.W_[:-1]:
                layers.append(np.tanh(layers[-1] @ w))
            d = softmax(layers[-1] @ self.W_[-1]) - Y
            for i in range(len(self.W_) - 1, -1, -1):
                Z, g = layers[i], layers[i].T @ d
                d = d @ self.W_[i].T« * (1 - Z ** 2)|»
                self.W_[i] -= self.lr * g / len(X)

        def fit(self, X, y):
            self.classes_, found = np.unique(y, return_inverse=True)
            Y = np.eye(len(self.classes_))[found]
            self._start(X.shape[1], len(self.classes_))
            for e in range(self.epochs):
                p = np.random.permutation(len(X))
                for s in range(0, len(X), self.batch):
                    self._step(X[p[s:s + self.batch]], Y[p[s:s + self.batch]])
"""
HANDED_ON = """
    class Net:
        def __init__(self, sizes):
            self.W = [np.random.randn(m, n) for n, m in zip(sizes, sizes[1:])]

        def train_step(self, x, y, lr):
            a = [x]
            for W in self.W:
                a.append(np.tanh(W @ a[-1]))
            delta = (a[-1] - y) * (1 - a[-1] ** 2)
            for l in range(len(self.W) - 1, -1, -1):
                «below = (self.W[l].T @ delta) * (1 - a[l] ** 2)|»
                self.W[l] -= lr * delta @ a[l].T
                «|below = (self.W[l].T @ delta) * (1 - a[l] ** 2)»
                delta = below
"""
NORMALISED = """
    class Net:
        def __init__(self, d, h, k):
            self.W1, self.W2 = np.random.randn(d, h), np.random.randn(h, k)
            self.gamma, self.beta = np.ones(h), np.zeros(h)

        def train_step(self, X, y, lr=0.1, eps=1e-5):
            u = X @ self.W1
            xh = (u - u.mean(0)) / np.sqrt(u.var(0) + eps)
            h = np.maximum(0, self.gamma * xh + self.beta)
            p = softmax(h @ self.W2)
            p[np.arange(len(X)), y] -= 1
            dh = p @ self.W2.T * (h > 0)
            dxh = dh * self.gamma
            du = dxh - dxh.mean(0)« - xh * (dxh * xh).mean(0)|»
            self.W2 -= lr * h.T @ p
            self.gamma -= lr * (dh * xh).sum(0)
            self.beta -= lr * dh.sum(0)
            self.W1 -= lr * X.T @ (du / np.sqrt(u.var(0) + eps))
"""
LINE = """
    class Line:
        def fit(self, X, y, lr=0.01, iters=100):
            self.m, self.c, n = 0.0, 0.0, len(X)
            for i in range(iters):
                guess = self.m * X + self.c
                D_m = (-2 / n) * sum(X * (y - guess))
                D_c = (-2 / n) * sum(«y - guess|guess - y»)
                self.m = self.m - lr * D_m
                self.c = self.c - lr * D_c
"""
TWO_RATES = """
    class Net:
        def __init__(self, d, h, k, lr1=0.1, lr2=0.01):
            self.W1, self.W2 = np.random.randn(d, h), np.random.randn(h, k)
            self.lr1, self.lr2 = lr1, lr2

        def train_step(self, X, Y):
            h = np.tanh(X @ self.W1)
            d = h @ self.W2 - Y
            g = X.T @ (d @ self.W2.T« * (1 - h ** 2)|»)
            self.W2 -= self.lr2 * h.T @ d
            self.W1 -= self.lr1 * g
"""
EACH_LABEL = """
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    class Logistic:
        def __init__(self, d, lr=0.1):
            self.w, self.b, self.lr = np.zeros(d), 0.0, lr

        def fit(self, X, y, epochs=10):
            for _ in range(epochs):
                for i in range(len(X)):
                    err = y[i] - sigmoid(X[i] @ self.w + self.b)
                    self.w += self.lr * err * X[i]«| * y[i]»
                    self.b += self.lr * err
"""
EACH_MARGIN = """
    class SVM:
        def __init__(self, lr=0.001, n_iters=100):
            self.lr, self.n_iters = lr, n_iters

        def fit(self, X, y):
            signs = np.where(y <= 0, -1, 1)
            self.w, self.b = np.zeros(X.shape[1]), 0
            for _ in range(self.n_iters):
                for i, x in enumerate(X):
                    if signs[i] * (np.dot(x, self.w) - self.b) < 1:
                        self.w += self.lr * x« * signs[i]|»
                        self.b -= self.lr * signs[i]
"""
FORMS = {"a label of one example": ONE_LABEL, "targets that are filled in": FILLED,
         "labels written out in the loop": WRITTEN_OUT, "a recurrent network": RECURRENT,
         "an optimizer that changes what it is given": STEPPED_ELSEWHERE,
         "weights set by their names": SET_BY_NAME, "a list made anew": OF_EACH,
         "weights set by their names in a recurrent network": UNROLLED,
         "an object that is handed": HANDED, "rows at two indices": FACTORS,
         "classes numbered anew": SORTED, "an error handed on after the update": HANDED_ON,
         "units that are all off at first": NORMALISED, "a line through points": LINE,
         "a rate of each layer": TWO_RATES, "a label of each example": EACH_LABEL,
         "a margin of each example": EACH_MARGIN}


@pytest.mark.parametrize("slip", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_one_step_of_a_method_is_compared(check, form, slip):
    """«right|slip»"""
    code = "".join(map(textwrap.dedent, (START, FORMS[form])))
    _, (result,) = check(net=re.sub(r"«(.*?)\|(.*?)»", r"\2" if slip else r"\1", code))
    assert result["status"] == ("wrong" if slip else "correct"), result


def test_what_was_kept_of_weights_made_anew_is_what_they_were(check):
    """old = self.second is no other name of what self.second is later."""
    _, (result,) = check(net=textwrap.dedent(START) + textwrap.dedent("""
        class Net:
            def __init__(self, d, h, k):
                self.first = np.random.randn(d, h)
                self.second = np.random.randn(h, k)

            def train(self, X, Y, lr=0.1):
                Z = np.tanh(X @ self.first)
                d = softmax(Z @ self.second) - Y
                old = self.second
                self.second = self.second - lr * Z.T @ d
                self.first = self.first - lr * X.T @ (d @ old.T * (1 - Z ** 2))
        """))
    assert result["status"] == "correct", result


LOST = """
    class Net:
        def __init__(self, d, h, k, lr=0.1):
            self.W1, self.W2, self.lr = np.random.randn(d, h), np.random.randn(h, k), lr

        def train(self, X, Y):
            W1, W2 = self.W1, self.W2
            h = np.tanh(X @ W1)
            d = h @ W2 - Y
            g = d @ W2.T * (1 - h ** 2)
            W2 = W2 - self.lr * h.T @ d
            W1 = W1 - self.lr * X.T @ g
"""
BACK = {"in turn": "self.W1 = W1; self.W2 = W2", "as a pair": "self.W1, self.W2 = W1, W2",
        "by a list": "new = [W1, W2]; self.W1, self.W2 = new"}


@pytest.mark.parametrize("back", [*BACK.values(), "self.W1 = W1"])
def test_weights_that_no_object_gets_back_are_not_right(check, back):
    """W2 = W2 - …, which leaves self.W2 as it was."""
    code = "".join(map(textwrap.dedent, (START, LOST))) + f"        {back}\n"
    _, (result,) = check(net=code)
    assert result["status"] == ("correct" if back in BACK.values() else "undecided"), result
