"""Which forward a backward belongs to, and which of its values it asks for, by other names than
usual."""
import json
import textwrap

import pytest
from short import first
from student_files import command, verdicts, write

REGRESSION = """
    import numpy as np

    def compute_mae(X, y, {weights}):
        return np.mean(np.abs({model} - y)) / 2

    def compute_mse(X, y, {weights}):
        return np.sum(({model} - y) ** 2) / 2 / len(y)

    def compute_gradient(X, y, {weights}):
        error = {model} - y
        return {gradient}
"""
THETA = {"weights": "theta", "model": "X.dot(theta)", "gradient": "X.T.dot(error) / len(y)"}
NUMBER = {"weights": "w, b", "model": "(X.dot(w) + b)",
          "gradient": "np.mean(error), X.T.dot(error) / len(y)"}


@pytest.mark.parametrize("names", [THETA, NUMBER])
@pytest.mark.parametrize("slip, found", [("X.T.dot", "correct"), ("-X.T.dot", "sign flipped")])
def test_of_several_losses_the_one_that_fits_is_meant(check, names, slip, found):
    code = REGRESSION.format(**{**names, "gradient": names["gradient"].replace("X.T.dot", slip)})
    _, (result,) = check(regression=code)
    (one,) = result["checks"]
    weights = names["weights"][0] if names is NUMBER else "theta"
    assert one["checked"] == "compute_gradient" and verdicts(result)[weights] == found
    assert found != "correct" or result["status"] == "correct"


def test_the_gradient_that_is_called_otherwise_is_named_above_its_rows(tmp_path):
    path = write(tmp_path, "regression", REGRESSION.format(**THETA))
    assert "compute_mse (by compute_gradient): 1 of 1 correct" in command(path).stdout


@pytest.mark.parametrize("losses", [("mae", "mse"), ("mse", "mae"), ("weighted_mae", "mse"),
                                    ("compute", "mae"), ("compute",)])
@pytest.mark.parametrize("gradient, found", [("np.sign(y_pred - y_true)", "correct"),
                                             ("2 * (y_pred - y_true)", "wrong")])
def test_a_gradient_of_a_named_loss_is_not_that_of_another(check, losses, gradient, found):
    """A loss that is called after nothing is a guess, and so is one with a word more; a guess that
    is wrong blames nobody."""
    other = {"mse": "(y_pred - y_true) ** 2"}
    code = "import numpy as np\n" + "".join(
        f"def {name}_loss(y_pred, y_true):\n"
        f"    return ({other.get(name, 'np.abs(y_pred - y_true)')}).mean()\n" for name in losses)
    _, (result,) = check(losses=code + "def mae_gradient(y_pred, y_true):\n"
                         f"    return {gradient} / y_pred.size\n")
    (one,) = result["checks"]
    if "mae" not in losses and found == "wrong":
        assert one["status"] == "error" and "that is a guess" in one["error"]["message"]
    else:
        assert one["status"] == found and one["checked"] == "mae_gradient"


def test_a_gradient_of_one_loss_is_not_compared_with_the_only_other(check):
    _, (result,) = check(losses="""
        def mse_loss(y_pred, y_true):
            return ((y_pred - y_true) ** 2).mean()

        def mae_gradient(y_pred, y_true):
            return 2 * (y_pred - y_true) / y_pred.size
    """)
    assert result["error"]["kind"] == "nothing to check"


@pytest.mark.parametrize("slip", ["", "-"])
@pytest.mark.parametrize("forward, backward", first(2, [("max_pool", "pool"), ("pool", "max_pool"),
                                               ("softmax", "max"), ("prelu", "relu")]))
def test_a_forward_is_guessed_by_whole_words_and_blamed_by_none(check, forward, backward, slip):
    _, (result,) = check(pair=f"""
        def {forward}_forward(x):
            return 3 * x, None

        def {backward}_backward(dout, cache):
            return {slip}3 * dout
    """)
    if "_" not in forward + backward:
        (error, *_) = filter(None, [result["error"], *(one["error"] for one in result["checks"])])
        assert "the file has no forward" in error["message"]
    elif slip:
        message = result["checks"][0]["error"]["message"]
        assert "that is a guess" in message and "(x: sign flipped)" in message
        assert f":{forward}_forward,{backward}_backward" in message
    else:
        assert verdicts(result) == {"x": "correct"}


def test_what_a_guess_leaves_open_can_be_asked_for(tmp_path):
    path = write(tmp_path, "pools", """
        def max_pool_forward(x):
            return 3 * x, None

        def pool_backward(dout, cache):
            return -3 * dout
    """)
    done = command(f"{path}:max_pool_forward,pool_backward", "--json")
    assert verdicts(json.loads(done.stdout)) == {"x": "sign flipped"}


@pytest.mark.parametrize("gradient", ["error.sum(axis=0)", "error.mean()"])
def test_a_gradient_of_no_input_s_shape_is_told_of_the_usual_inputs(check, gradient):
    """Neither of a label that is one number nor of a single number."""
    _, (result,) = check(loss=f"""
        def mse(y_pred, y_true):
            return ((y_pred - y_true) ** 2).mean()

        def mse_backward(y_pred, y_true):
            error = 2 * (y_pred - y_true)
            return {gradient}
    """)
    (one,) = result["checks"]
    assert one["inputs"] == {"y_pred": "4×5", "y_true": "4×5"} and one["status"] == "wrong"
    assert set(verdicts(result).values()) == {"shape differs"}


PARTS = {
    "a penalty that only backward knows": """
        def affine_forward(x, w):
            return x @ w, (x, w)

        def affine_backward_with_l2(dout, cache, lambd):
            x, w = cache
            return dout @ w.T * {factor}, x.T @ dout + lambd * w
    """,
    "a part of what is kept": """
        def noise_forward(x, below, keep_prob):
            D = np.random.rand(*x.shape) < keep_prob
            cache = (below, D)
            return x * D / keep_prob, cache

        def noise_backward(dx, D, keep_prob):
            return dx * D / keep_prob * {factor}
    """,
    "an activation": """
        def tanh_activation(x):
            return 2 / (1 + np.exp(-2 * x)) - 1

        def tanh_derivative(y):
            return (1 - y ** 2) * {factor}
    """,
}


@pytest.mark.parametrize("code", PARTS.values(), ids=PARTS.keys())
@pytest.mark.parametrize("factor, found", [("1", "correct"), ("-1", "sign flipped")])
def test_a_forward_of_another_name_is_found(check, code, factor, found):
    text = "        import numpy as np\n" + code.format(factor=factor)
    _, (result,) = check(pair=textwrap.dedent(text))
    assert verdicts(result)["x"] == found and result["status"] == ("wrong" if found != "correct"
                                                                   else "correct")


def test_a_backward_without_a_forward_says_what_to_do(check):
    """And of two that it may belong to none is chosen."""
    code = "def pool_backward(dout, cache):\n    return dout\n" + "".join(
        f"def {name}pool_forward(x):\n    return x, x\n" for name in ("max", "average"))
    status, (result,) = check(alone=code)
    (one,) = result["checks"]
    assert status == 1 and "pool_backward: the file has no forward" in one["error"]["message"]
    assert "--like" in one["error"]["message"]


TWICE = """
    import numpy as np

    def bent(x):
        return x * x

    def bent_backward(dout, x):
        return 2 * x * dout

    def {function}(dout, x):
        return {slip} * x * dout

    class Unit:
        def forward(self, x):
            self.norm = np.linalg.norm(x, axis=1, keepdims=True)
            self.y = x / self.norm
            return self.y

        def backward(self, dout):
            return (dout - self.y * (self.y * dout).sum(axis=1, keepdims=True)) / self.norm

        def {method}(self, dout):
            part = (self.y * dout).sum(axis=1, keepdims=True)
            return (dout - {slip} / 2 * self.y * part) / self.norm
    """


@pytest.mark.parametrize("function, method", [
    ("bent_backward2", "backward_fast"), ("bent_bwd_2", "backward_v2"),
    ("bent_backward_new", "backward_optimized")])
def test_a_second_backward_is_checked_of_functions_and_of_classes(check, function, method):
    for slip, status in (("2", "correct"), ("3", "wrong")):
        _, (result,) = check(twice=TWICE.format(function=function, method=method, slip=slip))
        found = [one["status"] for one in result["checks"]]
        assert found == ["correct", status] * 2, result


FLAGS = """
    import numpy as np

    def bent(x, {flag}={off}):
        if {flag}:
            return {slip} / (1 + abs(x)) ** 2
        return x / (1 + abs(x))

    def nonlin(x, {flag}={off}):
        return {slip} * x * (1 - x) if {flag} else 1 / (1 + np.exp(-x))

    def squares(prediction, target, {flag}={off}):
        difference = prediction - target
        return {slip} * 2 * difference if {flag} else np.sum(difference ** 2)
    """


@pytest.mark.parametrize("flag, off", [("deriv", False), ("derivative", None), ("prime", 0)])
@pytest.mark.parametrize("slip, status", [("1", "correct"), ("2", "wrong")])
def test_a_flag_that_asks_for_the_derivative(check, flag, off, slip, status):
    _, (result,) = check(flags=FLAGS.format(flag=flag, off=off, slip=slip))
    assert [one["status"] for one in result["checks"]] == [status] * 3, result
