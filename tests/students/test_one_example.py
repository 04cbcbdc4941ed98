"""Code that is right for one example alone is left open; what is wrong for a row of the batch is
wrong."""
import pytest
from student_files import verdicts

CLIPPED = """
import numpy as np

class HardTanh:
    def forward(self, x):
        self.x = x
        return np.clip(x, -1, 1)
    def backward(self, d):
        return d
"""
NEARLY = """
import numpy as np

class Saturating:
    def forward(self, x):
        self.x = x
        return np.where(abs(x) < 1.2, 2 * x, 2.4 * np.sign(x))
    def backward(self, d):
        return 2 * d
"""
MASK = {"return d\n": "return d * (abs(self.x) < 1)\n",
        "return 2 * d\n": "return 2 * d * (abs(self.x) < 1.2)\n"}


@pytest.mark.parametrize("code", [CLIPPED, NEARLY])
def test_a_backward_without_its_mask_is_wrong_though_an_example_may_lie_inside(check, code):
    status, (result,) = check("--seed", "0", layer=code)
    assert status == 1 and result["status"] == "wrong", result


@pytest.mark.parametrize("code", [CLIPPED, NEARLY])
def test_with_its_mask_it_is_right(check, code):
    for wrong, right in MASK.items():
        code = code.replace(wrong, right)
    status, (result,) = check(layer=code)
    assert status == 0 and set(verdicts(result).values()) == {"correct"}, result
