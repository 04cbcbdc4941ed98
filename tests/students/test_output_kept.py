"""What backward is given as its cache where forward returns its output alone; f' of what was kept;
losses of each example."""
import json

import pytest
from short import first
from student_files import ROOT, command, verdicts

from lessons.gradient_bugs import submissions

PAIRS = """
    import numpy as np

    def soft(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def soft_backward(dout, cache):
        return cache * (dout - {slip}(dout * cache).sum(axis=1, keepdims=True))

    class Squash:
        @staticmethod
        def forward(x):
            return np.tanh(x)

        @staticmethod
        def backward(dout, cache):
            return dout * (1 - {slip}cache ** 2)

    class Bent:
        def forward(self, z):
            return z / (1 + abs(z))

        def backward(self, upstream, cache):
            return upstream {slip} / (1 + {inside}) ** 2
    """


@pytest.mark.parametrize("inside", ["abs(cache)", "abs(cache) / (1 - abs(cache))"])
def test_the_cache_is_the_input_or_the_output(check, inside):
    status, (result,) = check(pairs=PAIRS.format(slip="", inside=inside))
    assert (status, result["status"]) == (0, "correct"), result
    wrong = PAIRS.format(slip="0 *", inside=inside).replace(" 0 * /", "* 2 /")
    status, (result,) = check(pairs=wrong)
    assert status == 1 and [one["status"] for one in result["checks"]] == ["wrong"] * 3, result


KEPT = """
    import numpy as np

    class Bend:
        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        def derivative(self):
            return 1 - self.y{square}

    class Whole:
        def forward(self, scores):
            e = np.exp(scores - np.max(scores))
            self.p = e / np.sum(e)
            return self.p

        def backward(self):
            return np.diag(self.p) - {factor}np.outer(self.p, self.p)
    """


def test_a_slope_or_a_jacobian_of_what_was_kept_has_no_place_for_dout(check):
    _, (result,) = check(kept=KEPT.format(square=" ** 2", factor=""))
    assert verdicts(result) == {"x": "correct", "scores": "correct"}, result  # of one vector
    _, (result,) = check(kept=KEPT.format(square="", factor="2 * "))
    assert [one["status"] for one in result["checks"]] == ["wrong", "wrong"], result


EACH = """
    import numpy as np

    class CrossEntropy:
        def __call__(self, y, {z}):
            logs = {z} - np.log(np.sum(np.exp({z}), axis={axis}, keepdims=True))
            return -np.sum(y * logs, axis={axis})

        def gradient(self, y, {z}):
            e = np.exp({z})
            return e / e.sum(axis={axis}, keepdims=True) - y{slip}
    """


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("z", first(1, ["Z", "p", "logits"]))
def test_a_loss_of_each_example_wants_one_hot_labels(check, axis, z):
    status, (result,) = check(loss=EACH.format(axis=axis, z=z, slip=""))
    assert (status, result["status"]) == (0, "correct") and verdicts(result)[z] == "correct", result
    status, (result,) = check(loss=EACH.format(axis=axis, z=z, slip=" / 2"))
    assert status == 1 and result["checks"][0]["status"] == "wrong", result


ENGINE = """
    import math

    class Number:
        def __init__(self, data, below=()):
            self.data, self.grad, self.below = data, 0.0, below
            self.pull = lambda: None

        def __add__(self, other):
            out = Number(self.data + other.data, (self, other))
            def pull():
                self.grad += out.grad
                other.grad += out.grad
            out.pull = pull
            return out

        def __mul__(self, other):
            out = Number(self.data * other.data, (self, other))
            def pull():
                self.grad += other.data * out.grad
                other.grad += self.data * out.grad
            out.pull = pull
            return out

        def exp(self):
            out = Number(math.exp(self.data), (self,))
            def pull():
                self.grad {add} out.data * out.grad
            {whose}.pull = pull
            return out

        def backward(self):
            self.grad, seen = 1.0, []
            {walk}
    """
ORDERED = """def visit(one):
                if one not in seen:
                    for other in one.below:
                        visit(other)
                    seen.append(one)
            visit(self)
            for one in reversed(seen):
                one.pull()"""
FIRST_COME = """waiting = [self]
            while waiting:
                one = waiting.pop(0)
                if one not in seen:
                    seen.append(one)
                    one.pull()
                    waiting += one.below"""


USED_TWICE = "(c := b*b).exp() + c, by b"


@pytest.mark.parametrize("whose, walk, add, wrong", [
    ("out", ORDERED, "+=", []), ("self", ORDERED, "+=", ["(b*b).exp(), by b", USED_TWICE]),
    ("out", ORDERED, "=", [USED_TWICE]),
    ("out", FIRST_COME, "+=", ["(c := a * b) + c * c, by a", "(c := a * b) + c * c, by b"])])
def test_an_engine_computes_what_was_computed(check, whose, walk, add, wrong):
    _, (result,) = check(engine=ENGINE.format(whose=whose, walk=walk, add=add))
    found = verdicts(result)
    assert [name for name, verdict in found.items() if verdict != "correct"] == wrong
    assert {"a.exp(), by a", "(b*b).exp(), by b"} < found.keys()


def test_ties_are_looked_at_whatever_may_be_meant(tmp_path):
    """Of a backward with two meanings the right one was not tried where inputs are tied."""
    text = submissions.submission(*next(student[1:] for student in submissions.CLASS
                                        if student[0] == "carla"))
    path = tmp_path / "carla.py"
    path.write_text(text, encoding="utf-8")
    skeleton = ROOT / "lessons" / "gradient_bugs" / "skeleton.py"
    done = command(f"{path}:maxpool", "--like", skeleton, "--json")
    assert verdicts(json.loads(done.stdout)) == {"x": "wrong where the input is tied"}


SUMS = """
    import numpy as np

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def sigmoid_backward(dA, Z):
        return dA * sigmoid(Z) * (1 - {slip}(Z))

    def silu(x, beta=1.0):
        return x * sigmoid(beta * x)

    def silu_backward(grad, z, beta=1.0):
        s = {slip}(beta * z)
        return grad * (s + beta * z * s * (1 - s))
    """


def test_a_backward_of_z_is_given_what_goes_in_whatever_forward_calls_it(check):
    status, (result,) = check(sums=SUMS.format(slip="sigmoid"))
    assert (status, len(result["checks"])) == (0, 2), result
    status, (result,) = check(sums=SUMS.format(slip="np.tanh"))
    assert status == 1 and [one["status"] for one in result["checks"]] == ["wrong"] * 2, result
    # of A, which is the output, it would be a mistake
    status, (result,) = check(sums=SUMS.format(slip="sigmoid").replace("Z", "A"))
    assert result["checks"][0]["status"] == "wrong", result


WHOLE = """
    import numpy as np

    def relu(z):
        return np.maximum(0, z), z

    def relu_backward(dA, cache):
        linear_cache, activation_cache = cache
        return dA * ({slip}activation_cache > 0)

    def tanh(z):
        return np.tanh(z), z

    def tanh_backward(dA, cache):
        (A_prev, W, b), Z = cache
        return dA * (1 - {slip}np.tanh(Z) ** 2)

    def squash(z):
        return 1 / (1 + np.exp(-z)), z

    def squash_backward(dA, cache):
        s = squash(cache[1])[0]
        return dA * s * (1 - {slip}s)

    def bend(z):
        return z / (1 + abs(z))

    def bend_backward(dA, cache):
        return dA / (1 + {slip}abs(cache["Z"])) ** 2

    def layer(A, W, activation):
        Z = W @ A
        A_next, kept = relu(Z) if activation == "relu" else tanh(Z)
        return A_next, ((A, W), kept)
    """


def test_the_cache_of_a_whole_layer_is_filled_where_it_is_read(check):
    """Two rows of z would be a pair, too: they are none."""
    status, (result,) = check(whole=WHOLE.format(slip=""))
    assert (status, [one["status"] for one in result["checks"]]) == (0, ["correct"] * 4), result
    status, (result,) = check(whole=WHOLE.format(slip="2 -").replace("(2 -abs", "(2 *abs"))
    assert (status, [one["status"] for one in result["checks"]]) == (1, ["wrong"] * 4), result


def test_the_cache_of_another_forward_blames_nobody(check):
    _, (result,) = check(other="""
        import numpy as np

        def swish(z):
            return z / (1 + np.exp(-z)), z

        def swish_backward(dA, cache):
            s, Z = cache
            return dA * (s + Z * s * (1 - s))
        """)
    (one,) = result["checks"]
    assert one["error"]["kind"] == "not checked" and "s, Z out of cache" in one["error"]["message"]


def test_a_cache_that_is_one_array_may_be_taken_apart(check):
    status, (result,) = check(stacked="""
        import numpy as np

        def product(x, y):
            return x * y, np.array([x, y])

        def product_backward(dout, cache):
            x, y = cache
            return dout * y, dout * x
        """)
    assert (status, result["status"]) == (0, "correct"), result
