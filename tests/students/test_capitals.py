"""Who is given what, where a letter is written large, or is the next layer's."""
import pytest

LARGE = """
    class OneLayer:
        def __init__(self, n_in, n_hid, n_out):
            self.W1, self.W2 = np.random.randn(n_in, n_hid), np.random.randn(n_hid, n_out)

        def forward(self, u):
            z = u @ self.W1
            h = np.tanh(z)
            v = h @ self.W2
            return v, h, z

        def backprop(self, W1, W2, dL_dPred, U, H, Z):
            dZ = (dL_dPred @ W2.T) * (1 - SLOPE ** 2)
            return U.T @ dZ, H.T @ dL_dPred
    """


@pytest.mark.parametrize("slope, verdict", [("np.tanh(Z)", "correct"), ("Z", "wrong")])
def test_what_forward_calls_so_in_small_letters_is_handed_on(check, slope, verdict):
    _, (result,) = check(net=LARGE.replace("SLOPE", slope))
    assert result["status"] == verdict, result


def test_a_large_letter_may_be_the_output(check):
    _, (result,) = check(layer="""
    class Curve:
        def forward(self, a):
            return np.tanh(a)

        def backward(self, dA, A):
            return dA * (1 - A ** 2)
    """)
    assert result["status"] == "correct", result


def test_the_weights_of_the_next_layer_are_not_there_to_prove_anything(check):
    _, (result,) = check(layer="""
    class Layer:
        def __init__(self, n_in, n_out):
            self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)

        def forward(self, x):
            self.x, self.z = x, x @ self.W + self.b
            return np.tanh(self.z)

        def backward(self, delta, W):
            return (1 - np.tanh(self.z) ** 2) * (delta @ W.T)

        def compute_gradients(self, delta):
            return self.x.T @ delta, delta.sum(0)
    """)
    assert result["status"] == "undecided", result
