"""Values of an attention need not be as wide as its queries: what divides by the wrong one's width
is found."""
import pytest
from student_files import verdicts

ATTENTION = """
import numpy as np

def attention_forward(Q, K, V):
    s = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    A = e / e.sum(-1, keepdims=True)
    return A @ V, (Q, K, V, A)

def attention_backward(dout, cache):
    Q, K, V, A = cache
    dA = dout @ V.swapaxes(-1, -2)
    dS = A * (dA - (dA * A).sum(-1, keepdims=True)) / np.sqrt(Q.shape[-1])
    return dS @ K, dS.swapaxes(-1, -2) @ Q, A.swapaxes(-1, -2) @ dout
"""


def test_attention_is_right_of_any_widths(check):
    status, (result,) = check(att=ATTENTION)
    assert status == 0 and set(verdicts(result).values()) == {"correct"}, result


@pytest.mark.parametrize("right, slip", [
    ("/ np.sqrt(Q.shape[-1])\n    return", "/ np.sqrt(V.shape[-1])\n    return"),
    ("A.swapaxes(-1, -2) @ dout", "A.swapaxes(-1, -2) @ dout * Q.shape[-1] / V.shape[-1]")])
def test_a_width_of_another_input_is_found(check, right, slip):
    assert right in ATTENTION
    status, (result,) = check(att=ATTENTION.replace(right, slip))
    assert status == 1 and "off by a constant factor" in verdicts(result).values(), result
