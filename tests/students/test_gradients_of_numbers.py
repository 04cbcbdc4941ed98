"""A gradient for what was drawn as one number is not dropped in silence."""
from student_files import verdicts

SCALE = """
import numpy as np

class Scale:
    def forward(self, x, n):
        self.x, self.n = x, n
        return x * n
    def backward(self, d):
        return d * self.n, -13 * d * self.x
"""


def test_a_gradient_for_a_number_is_left_open_until_it_is_an_array(check):
    status, (result,) = check(scale=SCALE)
    assert status == 1 and verdicts(result) == {"x": "correct", "n": "undecided"}, result
    status, (result,) = check("--shape", "n=4,5", scale=SCALE)
    assert status == 1 and result["status"] == "wrong", result
    status, (result,) = check("--shape", "n=4,5", scale=SCALE.replace("-13 * ", ""))
    assert status == 0 and verdicts(result) == {"x": "correct", "n": "correct"}, result
    status, (result,) = check("--option", "n=5", scale=SCALE)
    assert status == 0 and verdicts(result) == {"x": "correct"}, result
