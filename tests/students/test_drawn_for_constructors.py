"""What constructors are given: functions that make weights, optimizers, activations that know their
derivative, models; and what stands there as None until it is given."""
import pytest
from student_files import verdicts

MADE = {
    "init_std": "self.W = np.random.randn(n_in, n_out) * init_std",
    "init_range": "self.W = np.random.uniform(-init_range, init_range, (n_in, n_out))",
    "weight_init": """if weight_init == "he":
                    self.W = np.random.randn(n_in, n_out) / np.sqrt(n_in)""",
    "init_w": "self.W = init_w(n_in, n_out)",
    "file_path": "self.W, self.end = np.zeros((n_in, n_out)), file_path.endswith('.npy')"}
BODIES = {
    **{name: f"""
        class Dense:
            def __init__(self, n_in, n_out, {name}):
                {made}

            def forward(self, x):
                self.x = x
                return x @ self.W

            def backward(self, grad):
                self.dW = {{factor}}self.x.T @ grad
                return grad @ self.W.T
        """ for name, made in MADE.items()},
    "functions that make weights": """
        class Dense:
            def __init__(self, n_in, n_out, weight_init_fn, bias_init_fn):
                self.W = weight_init_fn(n_in, n_out)
                self.b = bias_init_fn(n_out)

            def forward(self, x):
                self.x = x
                return x @ self.W + self.b

            def backward(self, delta):
                self.dW = {factor}self.x.T @ delta
                self.db = delta.sum(axis=0)
                return delta @ self.W.T
        """,
    "made by build, with what was None": """
        class Dense:
            def __init__(self, units, weight_initializer=None, name=None):
                self.units, self.weight_initializer = units, weight_initializer

            def build(self, input_shape):
                self.W = self.weight_initializer(input_shape[-1], self.units)
                return (*input_shape[:-1], self.units)

            def forward(self, inputs, training):
                self.inputs = inputs
                self.output = inputs @ self.W

            def backward(self, dvalues):
                self.dW = {factor}self.inputs.T @ dvalues
                self.dinputs = dvalues @ self.W.T
        """,
    "made by init_class": """
        class Dense:
            def __init__(self, units, lr=0.1, input_units=None):
                self.units, self.lr, self.input_units = units, lr, input_units

            def init_class(self, input_units=None):
                self.input_units = input_units or self.input_units
                self.W = np.zeros((self.input_units, self.units))

            def forward(self, input):
                return input @ self.W

            def backward(self, input, grad_output):
                grad_input = grad_output @ self.W.T
                self.W -= self.lr * ({factor}input.T @ grad_output)
                return grad_input
        """,
    "keywords, one of them a word that must be that one": """
        class Dense:
            def __init__(self, units, **options):
                self.units, self.kind = units, options.get("activation", None)
                self.W = np.zeros((options["input_dim"], units)) * options.get("scale", 0.1)

            def forward(self, x):
                self.x, z = x, x @ self.W
                if self.kind == "softmax":
                    y = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
                self.y = y
                return y

            def backward(self, grad):
                if self.kind == "softmax":
                    grad = self.y * (grad - (grad * self.y).sum(axis=1, keepdims=True))
                self.dW = {factor}self.x.T @ grad
                return grad @ self.W.T
        """,
    "how many columns are left out": """
        class Dense:
            def __init__(self, n_in, n_out, thinning, factor):
                self.W = np.zeros((n_in, n_out * factor))
                self.thinning, self.factor = thinning, factor

            def forward(self, x):
                self.x = x
                return (x @ self.W)[:, ::self.factor][:, :self.thinning]

            def backward(self, grad):
                wide = np.zeros((len(grad), self.W.shape[1]))
                wide[:, ::self.factor][:, :self.thinning] = grad
                self.dW = {factor}self.x.T @ wide
                return wide @ self.W.T
        """,
    "an optimizer, and a shape that was None": """
        class Dense:
            def __init__(self, n_units, optimizer, input_shape=None):
                self.optimizer = optimizer
                self.W = np.zeros((input_shape[0], n_units))

            def forward_pass(self, X):
                self.X = X
                return X @ self.W

            def backward_pass(self, accum_grad):
                before = self.W
                self.W = self.optimizer.update(self.W, {factor}self.X.T @ accum_grad)
                return accum_grad @ before.T
        """,
    "an activation that knows its derivative": """
        class Dense:
            def __init__(self, input_size, output_size, activation_func):
                self.f = activation_func
                self.W = np.zeros((input_size, output_size))

            def forward(self, x):
                self.x, self.z = x, x @ self.W
                return self.f(self.z)

            def backward(self, grad):
                grad = grad * self.f.derivative(self.z)
                self.dW = {factor}self.x.T @ grad
                return grad @ self.W.T
        """,
    "a penalty for backward alone": """
        class Dense:
            def __init__(self, n_in, n_out):
                self.W = np.zeros((n_in, n_out))

            def forward(self, x):
                self.x = x
                return x @ self.W

            def backward(self, output_gradient, learning_rate, lambda_):
                dx = output_gradient @ self.W.T
                dW = {factor}self.x.T @ output_gradient
                self.W = self.W - learning_rate * (dW + 2 * lambda_ * self.W)
                return dx
        """,
}


@pytest.mark.parametrize("factor, found", [("", "correct"), ("2 * ", "off by a constant factor")])
@pytest.mark.parametrize("what", BODIES)
def test_a_layer_gets_what_its_constructor_asks_for(check, what, factor, found):
    _, (result,) = check(dense=BODIES[what].format(factor=factor))
    rows = verdicts(result)
    assert rows.pop("W") == found and set(rows.values()) == {"correct"}, result


@pytest.mark.parametrize("sign, found", [("-", "correct"), ("+", "one term missing")])
def test_a_loss_hands_its_gradient_to_a_model(check, sign, found):
    """And counts ten classes, where nobody says how many."""
    _, (result,) = check(loss=f"""
        class Loss:
            def __init__(self, model=None, max_classes=10):
                self.model, self.max_classes = model, max_classes

            def forward(self, predicts, labels):
                powers = np.exp(predicts - predicts.max(axis=1, keepdims=True))
                self.p, self.labels = powers / powers.sum(axis=1, keepdims=True), labels
                return -np.log(self.p[np.arange(len(labels)), labels]).mean()

            def backward(self):
                self.grads = (self.p {sign} np.eye(self.max_classes)[self.labels]) / len(self.p)
                self.model.backward(self.grads)
        """)
    assert result["checks"][0]["rows"][0]["verdict"] == found, result


@pytest.mark.parametrize("factor, found", [("", "correct"), ("3 * ", "wrong")])
def test_a_layer_of_scores_is_followed_by_the_softmax_that_it_keeps(check, factor, found):
    _, (result,) = check(last=f"""
        class Last:
            def __init__(self, n_in, n_out):
                self.W = np.zeros((n_in, n_out))

            def forward(self, X, Y):
                scores = X @ self.W
                powers = np.exp(scores - scores.max(axis=1, keepdims=True))
                self.X, self.Y, self.p = X, Y, powers / powers.sum(axis=1, keepdims=True)
                return scores, self.p

            def backward(self, accum_grad):
                self.dW = {factor}self.X.T @ (self.p - self.Y)
                return (self.p - self.Y) @ self.W.T
        """)
    assert result["status"] == found, result


@pytest.mark.parametrize("factor, found", [("", "correct"), ("3 * ", "wrong")])
def test_more_shapes_of_pictures_and_sequences(check, factor, found):
    """A window over N, H, W, C with all of it in the constructor; scores of every step; a new shape
    in forward."""
    _, (result,) = check(shapes=f"""
        class MeanPool:
            def __init__(self, shape, ksize=2):
                self.batch, self.height, self.width, self.channels = shape
                self.ksize = ksize

            def forward(self, x):
                k = self.ksize
                return x.reshape(self.batch, self.height // k, k, self.width // k, k,
                                 self.channels).mean(axis=(2, 4))

            def backward(self, eta):
                return {factor}eta.repeat(self.ksize, 1).repeat(self.ksize, 2) / self.ksize ** 2

        class StepsCrossEntropy:
            def forward(self, logits, targets):
                N, T, V = logits.shape
                powers = np.exp(logits - logits.max(axis=2, keepdims=True))
                self.p, self.t = powers / powers.sum(axis=2, keepdims=True), targets
                return -np.log(self.p.reshape(N * T, V)[np.arange(N * T), targets.reshape(-1)]
                               ).mean()

            def backward(self):
                return {factor}(self.p - np.eye(self.p.shape[2])[self.t]) / self.t.size

        class Reshape:
            def forward(self, x, shape):
                self.shape = x.shape
                return x.reshape(shape)

            def backward(self, dout):
                return {factor}dout.reshape(self.shape)
        """)
    assert [one["status"] for one in result["checks"]] == [found] * 3, result


@pytest.mark.parametrize("mean, found", [("sum", "correct"), ("mean", "mean where a sum is due")])
def test_a_bias_is_as_wide_as_the_rows_that_it_is_added_to(check, mean, found):
    _, (result,) = check(add=f"""
        class Add:
            def forward(self, input, bias):
                bias = bias.reshape((1, bias.size))
                return input + np.broadcast_to(bias, input.shape)

            def backward(self, output_grad):
                return output_grad * 1, output_grad.{mean}(axis=0)
        """)
    assert verdicts(result) == {"input": "correct", "bias": found}, result
