"""Networks whose forward returns the activations of all layers, and their sums, in two lists."""
import pytest

NETWORK = """
    import numpy as np

    class Net:
        def __init__(self, sizes):
            self.W = [np.random.randn(n, m) for n, m in zip(sizes[:-1], sizes[1:])]

        def forward(self, X):
            {a}, {z} = [X], []
            for i, w in enumerate(self.W):
                {z}.append({a}[-1] @ w)
                {a}.append(np.tanh({z}[-1]) if i < len(self.W) - 1 else 1 / (1 + np.exp(-{z}[-1])))
            return {order}

        def backward(self, X, y, {order}, rate):
            last = {a}[-1]
            d = [(last - y) * last * (1 - last)]
            for i in range(len(self.W) - 2, -1, -1):
                d.insert(0, d[0] @ self.W[i + 1].T{slope})
            for i in range(len(self.W)):
                self.W[i] -= rate * {a}[i].T @ d[i]
"""
SLOPE = " * (1 - np.tanh({z}[i]) ** 2)"


@pytest.mark.parametrize("a, z, turned", [("activaciones", "salidas", False), ("A", "Z", True),
                                          ("capas", "sumas", False), ("h", "outputs", True)])
@pytest.mark.parametrize("right", [True, False])
def test_the_longer_list_holds_the_output(check, a, z, turned, right):
    order = f"{z}, {a}" if turned else f"{a}, {z}"
    _, (result,) = check(net=NETWORK.format(a=a, z=z, order=order,
                                            slope=SLOPE.format(z=z) if right else ""))
    assert result["status"] == ("correct" if right else "wrong"), result
