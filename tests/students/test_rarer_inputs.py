"""Labels in a column, indices by other names, engines with a backward by another name."""
import pytest

SOFTMAX = """
    import numpy as np

    def softmax_loss(scores, target):
        n = len(scores)
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.mean(np.log([p[i, target[i][0]] for i in range(n)]))
        for i in range(n):
            p[i, target[i][0]] -= {}
        return loss, p / n
"""
EMBEDDING = """
    import numpy as np

    class Embed:
        def __init__(self, vocab_size, embed_dim):
            self.embeddings = np.random.randn(vocab_size, embed_dim)
        def forward(self, {name}):
            return self.embeddings[{name}]
        def backward(self, dout, indices):
            self.dE = np.zeros_like(self.embeddings)
            for i, index in enumerate(indices):
                self.dE[index] {sign} dout[i]
"""
ENGINE = """
    class Valor:
        def __init__(self, data, de=()):
            self.data, self.de, self.grad = data, de, 0
        def __add__(self, other):
            out = Valor(self.data + other.data, (self, other))
            def volver():
                self.grad += out.grad
                other.grad += out.grad
            out.volver = volver
            return out
        def __mul__(self, other):
            out = Valor(self.data * other.data, (self, other))
            def volver():
                self.grad += out.grad * other.data
                other.grad += out.grad * {}
            out.volver = volver
            return out
        def volver(self):
            pass
        def volver_todo(self):
            order, seen = [], set()
            def build(v):
                if v not in seen:
                    seen.add(v)
                    for one in v.de:
                        build(one)
                    order.append(v)
            build(self)
            self.grad = 1
            for v in reversed(order):
                v.volver()
"""


@pytest.mark.parametrize("code, status", [
    (SOFTMAX.format("1"), "correct"), (SOFTMAX.format("0.5"), "wrong"),
    (EMBEDDING.format(name="input_indices", sign="+="), "correct"),
    (EMBEDDING.format(name="token_ids", sign="-="), "wrong"),
    (ENGINE.format("self.data"), "correct"), (ENGINE.format("other.data"), "wrong")])
def test_it_is_found_and_compared(check, code, status):
    _, (result,) = check(rare=code)
    assert result["status"] == status, result


NETWORK = """
    import numpy as np

    def forward(X, W1, W2):
        Z1 = W1 @ X
        A1 = np.maximum(0, Z1)
        e = np.exp(W2 @ A1)
        A2 = e / e.sum(axis=0, keepdims=True)
        return A1, A2, Z1

    def backward(A1, A2, Z1, X, Y, W2):
        dZ2 = A2 - Y
        dW2 = dZ2 @ A1.T / {n}
        dZ1 = W2.T @ dZ2 * (Z1 > 0)
        dW1 = dZ1 @ X.T / {m}
        return dW1, dW2
"""


@pytest.mark.parametrize("n, m, status", [("X.shape[1]", "X.shape[1]", "correct"),
                                          (48000, 48000, "undecided"), (48000, 4800, "wrong")])
def test_a_number_of_examples_may_be_written_down(check, n, m, status):
    _, (result,) = check(net=NETWORK.format(n=n, m=m))
    assert result["status"] == status, result
