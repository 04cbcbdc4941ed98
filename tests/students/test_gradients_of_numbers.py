"""A gradient for what was drawn as one number is not dropped in silence."""
import pytest
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


LINE = """
    import numpy as np

    def {error}({given}, x, y):
        return np.mean(({one} * x + {other} - y) ** 2)

    def {first}({given}, x, y):
        return 2 * np.mean(({one} * x + {other} - y) * x)

    def {second}({given}, x, y):
        return {factor} * np.mean({one} * x + {other} - y)
"""


@pytest.mark.parametrize("one, other, names", [
    ("m", "c", ("error", "gradient_m", "gradient_c")), ("a", "b", ("cost", "Grad_a", "Grad_b")),
    ("w", "b", ("loss", "dloss_dw", "dloss_db"))])
@pytest.mark.parametrize("factor", ["2", "-2"])
def test_of_slope_and_intercept_each_has_a_gradient_of_its_name(check, one, other, names, factor):
    _, (result,) = check(line=LINE.format(
        one=one, other=other, given=f"{one}, {other}", factor=factor,
        **dict(zip(("error", "first", "second"), names))))
    slope, intercept = ({row["name"]: row["verdict"] for row in one["rows"]
                         if row["verdict"] != "not compared"} for one in result["checks"])
    assert slope == {one: "correct"}, result
    assert (intercept == {other: "correct"}) == (factor == "2"), result
    assert (result["status"] == "correct") == (factor == "2")
