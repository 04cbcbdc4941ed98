"""A backward alone that is wrong with every forward that may be meant is said to be so; one whose
cache holds more than it uses, or whose x is not its first argument, is right as before."""
import pytest
from short import first
from student_files import verdicts

POOL = """
import numpy as np

def pool_backward(dA, A_prev, kernel_shape, stride=(1, 1), mode='max'):
    dx = np.zeros_like(A_prev, dtype=float)
    (kh, kw), (sh, sw) = kernel_shape, stride
    for i in range(dA.shape[1]):
        for j in range(dA.shape[2]):
            place = np.s_[:, i * sh:i * sh + kh, j * sw:j * sw + kw]
            part, d = A_prev[place], dA[:, i:i + 1, j:j + 1]
            mask = part == part.max(axis=(1, 2), keepdims=True)
            dx[place] += {slip}(mask * d if mode == 'max' else np.ones(part.shape) * d / (kh * kw))
    return dx
"""


@pytest.mark.parametrize("slip, status, said", first(2, [
    ("", "remarks", "wrong where the input is tied"), ("0 * ", "wrong", "zero"),
    ("2 * ", "error", None)]))
def test_a_pooling_with_options_before_its_input(check, slip, status, said):
    _, (result,) = check(pool=POOL.format(slip=slip))
    (one,) = result["checks"]
    assert one["status"] == status, one
    assert verdicts(result).get("A_prev", None) == said, one


NEVER = {
    "relu_backward(dA, cache):\n Z = cache\n dZ = np.zeros_like(dA)\n return dZ": "zero",
    "sigmoid_backward(dA, cache):\n Z = cache\n s = 1 / (1 + np.exp(-Z))\n"
    " return np.sum(dA * s * (1 - s))": "shape differs",
    "compute_gradient(X, y, w, b):\n return np.zeros(w.shape), 0.0": "zero",
    "conv_backward(dZ, A_prev, W, b, padding='same', stride=(1, 1)):\n"
    " return np.zeros(A_prev.shape), np.zeros(W.shape), np.zeros(b.shape)": "zero",
}


@pytest.mark.parametrize("code", first(2, NEVER))
def test_what_is_right_with_no_forward_is_wrong(check, code):
    _, (result,) = check(alone=f"import numpy as np\n\ndef {code}\n")
    assert result["status"] == "wrong" and NEVER[code] in verdicts(result).values(), result


def test_a_name_that_is_nowhere_is_told_as_it_is(check):
    _, (result,) = check(alone="def relu_backward(dA, Z):\n if dA.ndim:\n  dZ = dz * (Z > 0)\n"
                         " return dZ\n")
    (one,) = result["checks"]
    assert one["status"] == "error" and one["error"]["kind"] == "NameError", one


MORE = {
    "relu_backward(dA, cache):\n Z, _, gamma = cache\n return {s}dA * (Z > 0)",
    "sigmoid_backward(dA, cache):\n Z, A = cache\n return {s}dA * A * (1 - A)",
    "linear_backward(dZ, cache):\n A_prev, W, b, Z = cache\n return W.T @ dZ, "
    "{s}dZ @ A_prev.T, dZ.sum(axis=1, keepdims=True)",
}


@pytest.mark.parametrize("code", first(1, sorted(MORE)))
def test_a_cache_may_hold_more_than_is_used(check, code):
    for sign, status in (("", "correct"), ("-", "error")):
        _, (result,) = check(alone=f"import numpy as np\n\ndef {code.format(s=sign)}\n")
        assert [one["status"] for one in result["checks"]] == [status], result
