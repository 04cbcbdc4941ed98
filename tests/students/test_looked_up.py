"""Training of what is looked up by whole numbers, one example at a time, and of policies."""
import re
import textwrap

import pytest

START = """
    import numpy as np

    def sig(x):
        return 1 / (1 + np.exp(-x))
"""
NEGATIVES = """
    class Vectors:
        def __init__(self, vocab_size, dim=50, lr=0.025):
            self.V = np.random.randn(vocab_size, dim) * 0.1
            self.U = np.random.randn(vocab_size, dim) * 0.1
            self.lr = lr

        def train_step(self, center, context, negatives):
            v, u = self.V[center], self.U[context]
            p = sig(u @ v)
            loss = -np.log(p)
            grad_v, others = (p - 1) * «u|v», []
            for word in negatives:
                q = sig(self.U[word] @ v)
                loss -= np.log(1 - q)
                grad_v = grad_v + q * self.U[word]
                others.append((word, q * v))
            grad_u = (p - 1) * v
            self.V[center] -= self.lr * grad_v
            self.U[context] -= self.lr * grad_u
            for word, g in others:
                self.U[word] -= self.lr * g
            return loss
"""
CONTEXTS = """
    class Cbow:
        def __init__(self, vocab_size, n_dim, lr=0.05):
            self.A = np.random.randn(vocab_size, n_dim)
            self.B = np.random.randn(n_dim, vocab_size)
            self.lr = lr

        def one(self, context_ids, word_id):
            h = self.A[context_ids].mean(axis=0)
            e = np.exp(h @ self.B)
            p = e / e.sum()
            loss = -np.log(p[word_id])
            d = p.copy()
            d[word_id] -= 1
            dB, dh = np.outer(h, d), self.B @ «d|p»
            self.B -= self.lr * dB
            self.A[context_ids] -= self.lr * dh / len(context_ids)
            return loss

        def fit(self, examples, epochs=10):
            for _ in range(epochs):
                print(sum(self.one(words, word) for words, word in examples))
"""
RATINGS = """
    class Factors:
        def __init__(self, k=20, lr=0.005, reg=0.02, n_epochs=20):
            self.k, self.lr, self.reg, self.n_epochs = k, lr, reg, n_epochs

        def fit(self, ratings, n_users, n_items):
            self.P = np.random.normal(0, 0.1, (n_users, self.k))
            self.Q = np.random.normal(0, 0.1, (n_items, self.k))
            self.bu = np.zeros(n_users)
            self.mean = np.mean([r for _, _, r in ratings])
            for epoch in range(self.n_epochs):
                for u, i, r in ratings:
                    u, i = int(u), int(i)
                    e = r - self.guess(u, i)
                    p = self.P[u].copy()
                    self.bu[u] += self.lr * (e - self.reg * self.bu[u])
                    self.P[u] += self.lr * (e * self.Q[i] - self.reg * p)
                    self.Q[i] += self.lr * (e * «p|self.Q[i]» - self.reg * self.Q[i])

        def guess(self, u, i):
            return self.mean + self.bu[u] + self.P[u] @ self.Q[i]
"""
COUNTS = """
    class Counts:
        def __init__(self, vocab_size, d, x_max=100, alpha=0.75, lr=0.05):
            self.W, self.C = np.random.rand(vocab_size, d), np.random.rand(vocab_size, d)
            self.b, self.c = np.zeros(vocab_size), np.zeros(vocab_size)
            self.x_max, self.alpha, self.lr = x_max, alpha, lr

        def train_pair(self, i, j, x):
            f = (x / self.x_max) ** self.alpha if x < self.x_max else 1.0
            diff = self.W[i] @ self.C[j] + self.b[i] + self.c[j] - np.log(x)
            loss = 0.5 * f * diff ** 2
            dw, dc = «f * |»diff * self.C[j], f * diff * self.W[i]
            self.W[i] -= self.lr * dw
            self.C[j] -= self.lr * dc
            self.b[i] -= self.lr * f * diff
            self.c[j] -= self.lr * f * diff
            return loss
"""
IN_A_ROW = """
    class Skip:
        def __init__(self, n_words, n_dim):
            self.A, self.B = np.random.randn(n_words, n_dim), np.random.randn(n_words, n_dim)

        def forward(self, word, targets):
            self.kept = word, targets
            self.h, self.u = self.A[word], self.B[targets]
            self.p = sig(self.u @ self.h)
            return self.p

        def loss(self, p, labels):
            return -np.sum(labels * np.log(p) + (1 - labels) * np.log(1 - p))

        def backward(self, labels):
            d = self.p - labels
            return self.u.T @ «d|self.p», np.outer(d, self.h)

        def step(self, dh, du, lr):
            word, targets = self.kept
            self.A[word] -= lr * dh
            self.B[targets] -= lr * du
"""
HELD = """
    class Softmax:
        def __init__(self, vocab_size, n_dim):
            self.A, self.B = np.random.randn(vocab_size, n_dim), np.random.randn(n_dim, vocab_size)

        def forward(self, index):
            self.h = self.A[index]
            e = np.exp(self.h @ self.B)
            return e / e.sum()

        def backward(self, index, target, y, lr=0.01):
            d = y.copy()
            d[target] -= 1
            dB, dh = np.outer(self.h, d), self.B @ d
            self.B -= lr * dB
            self.A[index] «-|+»= lr * dh

        def train(self, pairs, epochs=100, lr=0.01):
            for _ in range(epochs):
                loss = 0
                for index, target in pairs:
                    y = self.forward(index)
                    loss += -np.log(y[target])
                    self.backward(index, target, y, lr)
"""
REINFORCED = """
    class Policy:
        def __init__(self, n_states, n_hidden, n_actions, lr=0.01):
            self.W1 = np.random.randn(n_hidden, n_states)
            self.W2 = np.random.randn(n_actions, n_hidden)
            self.lr = lr

        def forward(self, state):
            h = np.tanh(self.W1 @ state)
            e = np.exp(self.W2 @ h)
            return e / e.sum(), h

        def update(self, states, actions, rewards):
            gains = np.cumsum(rewards[::-1])[::-1]
            g1, g2 = np.zeros_like(self.W1), np.zeros_like(self.W2)
            for state, action, gain in zip(states, actions, gains):
                p, h = self.forward(state)
                d = p.copy()
                d[action] -= 1
                d *= gain
                dh = self.W2.T @ «d|p» * (1 - h ** 2)
                dW2, dW1 = np.outer(d, h), np.outer(dh, state)
                g1 += dW1
                g2 += dW2
            self.W1 -= self.lr * g1
            self.W2 -= self.lr * g2
"""
RETURNED = """
    class Agent:
        def __init__(self, obs_dim, n_hidden, n_actions):
            self.params = {"W": np.random.randn(obs_dim, n_hidden),
                           "V": np.random.randn(n_hidden, n_actions)}

        def forward(self, states):
            h = np.tanh(states @ self.params["W"])
            e = np.exp(h @ self.params["V"])
            return e / e.sum(axis=1, keepdims=True), h

        def backward(self, states, actions, advantages):
            p, h = self.forward(states)
            d = p.copy()
            d[np.arange(len(actions)), actions] -= 1
            d *= advantages[:, None]
            dh = d @ self.params["V"].T «* (1 - h ** 2)|»
            return {"V": h.T @ d, "W": states.T @ dh}
"""
EPISODES = """
    D, H, A = 40, 30, 3
    model = {"W1": np.random.randn(H, D), "W2": np.random.randn(A, H)}

    def policy_forward(x):
        h = np.maximum(0, model["W1"] @ x)
        e = np.exp(model["W2"] @ h)
        return e / e.sum(), h

    def policy_backward(eph, epdlogp):
        dW2 = epdlogp.T @ eph
        dh = epdlogp @ model["W2"]
        «dh[eph <= 0] = 0|»
        dW1 = dh.T @ epx
        return {"W1": dW1, "W2": dW2}
"""
ONE_HOTS = """
    class Words:
        def __init__(self, n=10, lr=0.01, epochs=50):
            self.n, self.lr, self.epochs = n, lr, epochs

        def prepare(self, corpus):
            self.v_count = len({word for row in corpus for word in row})

        def train(self, examples):
            self.A = np.random.uniform(-1, 1, (self.v_count, self.n))
            self.B = np.random.uniform(-1, 1, (self.n, self.v_count))
            for i in range(self.epochs):
                self.loss = 0
                for word, context in examples:
                    y, h, u = self.forward(word)
                    e = np.sum([np.subtract(y, other) for other in context], axis=0)
                    self.backprop(e, h, word)
                    self.loss -= np.sum([u[other.index(1)] for other in context])

        def forward(self, x):
            h = np.dot(self.A.T, x)
            u = np.dot(self.B.T, h)
            return np.exp(u) / np.exp(u).sum(), h, u

        def backprop(self, e, h, x):
            dB = np.outer(h, e)
            dA = np.outer(x, np.dot(self.B, e«|**2»))
            self.A = self.A - self.lr * dA
            self.B = self.B - self.lr * dB
"""
TABLE = """
    class Table:
        def __init__(self, R, K, alpha, beta, iterations):
            self.R, self.K, self.alpha = R, K, alpha
            self.beta, self.iterations = beta, iterations
            self.n_users, self.n_items = R.shape

        def train(self):
            self.P = np.random.normal(size=(self.n_users, self.K))
            self.Q = np.random.normal(size=(self.n_items, self.K))
            self.b = np.mean(self.R[np.where(self.R != 0)])
            self.samples = [(i, j, self.R[i, j]) for i in range(self.n_users)
                            for j in range(self.n_items) if self.R[i, j] > 0]
            for i in range(self.iterations):
                np.random.shuffle(self.samples)
                self.sgd()

        def sgd(self):
            for i, j, r in self.samples:
                e = r - self.rating(i, j)
                p = self.P[i, :].copy()
                self.P[i, :] += self.alpha * (e * self.Q[j, :] - self.beta * self.P[i, :])
                self.Q[j, :] += self.alpha * (e * «p|self.Q[j, :]» - self.beta * self.Q[j, :])

        def rating(self, i, j):
            return self.b + self.P[i, :] @ self.Q[j, :].T
"""
FUNCTION = """
    def one(center, context, negatives, W, C, rate=0.01):
        v, u = W[center].copy(), C[context].copy()
        p = sig(v @ u)
        loss, grad = -np.log(p), (p - 1) * «u|v»
        C[context] = C[context] - rate * (p - 1) * v
        for n in negatives:
            q = sig(v @ C[n])
            loss += -np.log(1 - q)
            grad += q * C[n]
            C[n] = C[n] - rate * q * v
        W[center] = W[center] - rate * grad
        return loss
"""
RETURNED_LOSS = """
    class Pairs:
        def __init__(self, vocabulary_size, hidden_size, lr=0.1):
            self.W = np.random.uniform(-1, 1, (vocabulary_size, hidden_size))
            self.V = np.random.uniform(-1, 1, (hidden_size, vocabulary_size))
            self.lr = lr

        def train_word(self, word_id, context_id, neg_ids):
            ids = np.array([context_id] + list(neg_ids))
            labels = np.zeros(len(ids))
            labels[0] = 1
            h = self.W[word_id].copy()
            p = sig(h @ self.V[:, ids])
            dh = self.V[:, ids] @ (p - labels)
            self.V[:, ids] -= self.lr * np.outer(h, p«- labels|»)
            self.W[word_id] -= self.lr * dh
            return -np.sum(labels * np.log(p) + (1 - labels) * np.log(1 - p))
"""
TWO_HEADS = """
    class Both:
        def __init__(self, state_dim, hidden, n_actions):
            self.W1 = np.random.randn(state_dim, hidden)
            self.Wp = np.random.randn(hidden, n_actions)
            self.Wv = np.random.randn(hidden, 1)

        def forward(self, s):
            h = np.tanh(s @ self.W1)
            e = np.exp(h @ self.Wp)
            probs, value = e / e.sum(axis=1, keepdims=True), h @ self.Wv
            self.cache = s, h, probs, value
            return probs, value

        def backward(self, actions, advantages, returns):
            s, h, probs, value = self.cache
            n = s.shape[0]
            d = probs.copy()
            d[np.arange(n), actions] -= 1
            d *= advantages[:, None] / n
            dv = (value - returns[:, None]) / n
            dh = d @ self.Wp.T + dv @ self.Wv.T
            return {"Wp": h.T @ d, "Wv": h.T @ dv, "W1": s.T @ (dh * (1 - h«** 2|»))}
"""
FORMS = {"negatives": NEGATIVES, "a mean of a context": CONTEXTS, "ratings in a list": RATINGS,
         "weighted squares of logarithms": COUNTS, "methods in a row": IN_A_ROW,
         "an update inside backward": HELD, "a policy": REINFORCED,
         "gradients of a policy that are returned": RETURNED, "episodes": EPISODES,
         "words and their contexts": ONE_HOTS, "a table in a constructor": TABLE,
         "a function that is given both": FUNCTION, "a loss that is returned": RETURNED_LOSS,
         "a policy and a value": TWO_HEADS}


@pytest.mark.parametrize("slip", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_what_is_looked_up_is_compared(check, form, slip):
    """«right|slip»"""
    code = "".join(map(textwrap.dedent, (START, FORMS[form])))
    code = re.sub(r"«(.*?)\|(.*?)»", r"\2" if slip else r"\1", code)
    _, (result,) = check(net=code)
    assert result["status"] == ("wrong" if slip else "correct"), result


def test_a_row_that_is_changed_before_it_is_read_is_told(check):
    """v is no copy, and what is right for small steps is nobody's blame."""
    code = "".join(map(textwrap.dedent, (START, NEGATIVES)))
    code = re.sub(r"«(.*?)\|(.*?)»", r"\1", code).replace("grad_u)", "(p - 1) * v)")
    _, (result,) = check(net=code.replace("self.lr * grad_u", "self.lr * (p - 1) * v"))
    assert result["status"] == "undecided", result
    assert "copy" in result["checks"][0]["rows"][1]["detail"]


def test_entries_of_a_table_are_gone_over_one_by_one(check):
    """Each has rows of its own; that Q is moved with a P that has been is told, and no more."""
    _, (result,) = check(net="""
        import numpy as np

        def factorize(R, P, Q, K, steps=5000, alpha=0.0002, beta=0.02):
            Q = Q.T
            for step in range(steps):
                for i in range(len(R)):
                    for j in range(len(R[i])):
                        if R[i][j] > 0:
                            eij = R[i][j] - np.dot(P[i, :], Q[:, j])
                            for k in range(K):
                                P[i][k] = P[i][k] + alpha * (2 * eij * Q[k][j] - beta * P[i][k])
                                Q[k][j] = Q[k][j] + alpha * (2 * eij * P[i][k] - beta * Q[k][j])
            return P, Q.T
        """)
    rows = {row["name"]: row["verdict"] for row in result["checks"][0]["rows"]}
    assert rows == {"P": "correct", "Q": "undecided"}, result
