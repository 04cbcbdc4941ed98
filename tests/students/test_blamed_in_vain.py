"""Right code of forms in which it was once called wrong, or passed over; the same code with a
mistake is found."""
import pytest
from student_files import verdicts

HEAD = "import numpy as np\n"
FIT = HEAD + """
class Fit:
    def __init__(self, n):
        self.w, self.b = np.random.randn(n), 0.0
        self.m, self.v = np.zeros(n), np.zeros(n)
    def predict(self, X):
        return X @ self.w + self.b
    def fit(self, X, y, lr=0.1, epochs=100):
        for t in range(1, epochs + 1):
            d = self.predict(X) - y
            g = X.T @ d / len(y)
            STEP
            self.b -= lr * d.mean() FACTOR
"""
ADAM = """self.m = 0.9 * self.m + 0.1 * g
            self.v = 0.999 * self.v + 0.001 * g ** 2
            a, c = self.m / (1 - 0.9 ** t), self.v / (1 - 0.999 ** t)
            self.w -= lr * a / (np.sqrt(c) + 1e-8)"""


@pytest.mark.parametrize("step, w", [
    (ADAM, "correct"), ("self.w -= lr * (g + 0.01 * np.sign(self.w))", "undecided"),
    ("self.w -= lr * (g + 0.02 * self.w)", "undecided"), ("self.w -= lr * g", "correct")])
def test_an_optimizer_or_a_penalty_in_training_leaves_the_bias_to_be_compared(check, step, w):
    code = FIT.replace("STEP", step)
    _, (result,) = check(fit=code.replace("FACTOR", ""))
    assert {name: verdicts(result)[name] for name in "wb"} == {"w": w, "b": "correct"}
    _, (result,) = check(fit=code.replace("FACTOR", "+ 1"))
    assert verdicts(result).get("b") != "correct"


PRIMES = HEAD + """
class TwoLayers:
    def __init__(self):
        self.W1, self.W2 = np.random.randn(2, 3), np.random.randn(3, 1)
    def forward(self, X):
        self.h = np.tanh(X @ self.W1)
        return self.h @ self.W2
    def costFunction(self, X, y):
        return 0.5 * np.sum((y - self.forward(X)) ** 2)
    def costFunctionPrime(self, X, y):
        d = self.forward(X) - y
        dJdW2 = self.h.T @ d
        dh = d @ self.W2.T * (1 - self.h SQUARED)
        return X.T @ dh, dJdW2
"""


@pytest.mark.parametrize("squared, right", [("** 2", True), ("", False)])
def test_a_cost_and_its_prime_return_the_gradients_of_the_objects_weights(check, squared, right):
    _, (result,) = check(primes=PRIMES.replace("SQUARED", squared))
    found = {name: verdicts(result)[name] == "correct" for name in ("W1", "W2")}
    assert found == {"W1": right, "W2": True}


@pytest.mark.parametrize("of_x, status", [("", "undecided"), (" / m", "error")])
def test_a_lone_backward_that_averages_is_not_blamed(check, of_x, status):
    _, (result,) = check(lone=HEAD + f"""
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return W.T @ dZ{of_x}, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m
""")
    assert result["status"] == status and result["checks"][0]["name"] == "linear"


def test_an_empty_array_is_no_parameter(check):
    code = HEAD + """
class Soft:
    def __init__(self):
        self.output, self.dinputs = np.array([]), np.array([])
    def forward(self, inputs, y_true):
        e = np.exp(inputs)
        self.output = e / e.sum(axis=1, keepdims=True)
        return -np.mean(np.log(self.output[range(len(inputs)), y_true]))
    def backward(self, dvalues, y_true):
        self.dinputs = dvalues.copy()
        self.dinputs[range(len(dvalues)), y_true] -= 1
        self.dinputs = self.dinputs / len(dvalues)
"""
    assert check(soft=code)[0] == 0
    assert check(soft=code.replace("-= 1", "-= 2"))[0] == 1


SLOPES = HEAD + """
def bent_forward(x):
    return np.where(x > 0, x, 0.3 * x), x
def bent_backward(dout, cache, alpha=0.3):
    dx = np.array(dout, copy=True)
    dx[cache < 0] *= alpha
    return dx

def sometimes_bent(x):
    return np.where(x > 0, x, 0.2 * x)
def sometimes_bent_backward(dout, x, rate=0.2):
    return dout * np.where(x > 0, 1, rate)

class Turn:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout, alpha=0.01):
        dx = dout @ self.W.T
        self.W -= alpha * self.x.T @ dout
        return dx

class Handed(Turn):
    def backward(self, dout, rate=0.01):
        dx = dout @ self.W.T
        self.move(self.x.T @ dout, rate)
        return dx
    def move(self, dW, rate):
        self.W = self.W - rate * dW
"""


def test_an_alpha_or_rate_is_a_slope_or_a_step_by_what_is_done_with_it(check):
    _, (result,) = check(slopes=SLOPES)
    assert [(item["status"], item["inputs"].get("x")) for item in result["checks"]] == [
        ("correct", "4×5")] * 4
    _, (result,) = check(slopes=SLOPES.replace("alpha=0.3", "alpha=0.4"))
    assert [item["status"] for item in result["checks"]] == ["wrong", *["correct"] * 3]


@pytest.mark.parametrize("slip, found", [
    ("", "correct"), pytest.param("2 * ", "wrong", marks=pytest.mark.long)])
def test_classes_that_a_constructor_counts_are_columns_of_its_targets(check, slip, found):
    """Targets of another length were repeated over all ten outputs."""
    _, (result,) = check(net=f"""
        class Net:
            def __init__(self, n_in=5):
                self.W, self.b = np.random.randn(10, n_in), np.zeros((10, 1))

            def forward(self, X):
                Z = self.W @ X + self.b
                self.A = np.exp(Z) / np.exp(Z).sum(axis=0)
                return self.A

            def backward(self, X, Y):
                d = (self.A - Y) / X.shape[1]
                self.dW = {slip}d @ X.T
                self.db = d.sum(axis=1, keepdims=True)
        """)
    (one,) = result["checks"]
    assert one["status"] == found, result


@pytest.mark.parametrize("slip, found", [("1", "correct"), ("0.5", "wrong")])
def test_what_a_loss_keeps_says_nothing_of_its_inputs_widths(check, slip, found):
    """Of one-hot rows, which it does not take, it was given scores as wide as what it had kept."""
    _, (result,) = check(loss=HEAD + f"""
class CrossEntropyLoss:
    def __init__(self):
        self.probs = self.targets = None

    def forward(self, logits, targets):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.probs, self.targets = e / e.sum(axis=1, keepdims=True), targets
        return -np.log(self.probs[np.arange(len(logits)), targets]).mean()

    def backward(self):
        grad = self.probs.copy()
        grad[np.arange(len(grad)), self.targets] -= {slip}
        return grad / len(grad)
""")
    assert result["status"] == found, result


IN_PLACE = """
        def sigmoid(x):
            np.negative(x, out=x)
            np.exp(x, out=x)
            x += 1
            return 1 / x

        def sigmoid_prime(x):
            s = 1 / (1 + np.exp(-x))
            return s * (1 {sign} s)

        class Tanh:
            def value(self, x):
                x[:] = np.tanh(x)
                return x

            def diff(self, x):
                return 1 {sign} np.tanh(x) ** 2
        """


def test_a_derivative_is_asked_for_what_its_function_was_given(check):
    """Not for what that has made of it in place."""
    _, (result,) = check(place=IN_PLACE.format(sign="-"))
    assert verdicts(result) == {"x": "forward changes its input in place"}, result
    assert [one["status"] for one in result["checks"]] == ["remarks"] * 2
    _, (result,) = check(place=IN_PLACE.format(sign="+"))
    assert [one["status"] for one in result["checks"]] == ["wrong"] * 2, result


DESCRIBED = """
        class L2:
            def forward(self, y_out, y_truth):
                ''':param y_out: {shape} array, what comes out.'''
                return np.mean((y_out - y_truth) ** 2)

            def backward(self, y_out, y_truth):
                return {factor} * (y_out - y_truth) / len(y_out)

        def bce(p, y):
            '''p, y: {shape}'''
            return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

        def bce_backward(p, y):
            return ((1 - y) / (1 - p) - {factor} * y / p / 2) / y.shape[0]
        """


@pytest.mark.parametrize("shape, factor, found", [
    ("[N, ]", 2, "correct"), ("(n_samples,)", 2, "correct"), ("(N, D)", 2, "wrong"),
    pytest.param("(N,)", 1, "wrong", marks=pytest.mark.long)])
def test_a_loss_of_one_number_for_each_example_by_its_description(check, shape, factor, found):
    _, (result,) = check(losses=DESCRIBED.format(shape=shape, factor=factor))
    assert [one["status"] for one in result["checks"]] == [found] * 2, result


INNER = HEAD + """
class MatMul:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return dout @ self.params[0].T

class AffineMM:
    def __init__(self, W, b):
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]
        self.MM = MatMul(W)

    def forward(self, x):
        return self.MM.forward(x) + self.params[1]

    def backward(self, dout):
        dx = self.MM.backward(dout)
        self.grads[0][...], self.grads[1][...] = self.MM.grads[0], {slip}dout.sum(axis=0)
        return dx
"""
POOL = HEAD + """
def max_pool_forward(X):
    H, W, F = X.shape
    return X[:H // 2 * 2, :W // 2 * 2].reshape(H // 2, 2, W // 2, 2, F).max(axis=(1, 3))

def max_pool_backward(grad_A, A):
    dA = np.zeros_like(A)
    for i, j, k in np.ndindex(grad_A.shape):
        window = A[2 * i:2 * i + 2, 2 * j:2 * j + 2, k]
        a, b = np.unravel_index(window.argmax(), window.shape)
        dA[2 * i + a, 2 * j + b, k] += {slip}grad_A[i, j, k]
    return dA
"""


@pytest.mark.parametrize("slip, found", [("", "correct"), ("2 * ", "wrong")])
@pytest.mark.parametrize("code", [INNER, POOL], ids=["affine, by its matmul", "pool of an A"])
def test_a_name_may_say_two_things(check, code, slip, found):
    """A bias is no second factor of a product; A may be what comes out of the layer before."""
    _, (result,) = check(layers=code.format(slip=slip))
    assert result["status"] == found, result
