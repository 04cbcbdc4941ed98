"""Layers of two inputs, of which one is called like a target: dout is not left out by meaning a
sum."""
import pytest
from student_files import verdicts

LAYER = """
class {title}:
    def forward(self, {one}, {two}):
        self.one, self.two = {one}, {two}
        return {one} {sign} {two}

    def backward(self, dout):
        return {of_one}, {of_two}
"""
SIGNS = {"*": ("dout * self.two", "dout * self.one"), "+": ("dout", "dout"), "-": ("dout", "-dout"),
         "/": ("dout / self.two", "-dout * self.one / self.two ** 2")}


@pytest.mark.parametrize("title, one, two", [("MulLayer", "x", "y"), ("Node", "a", "y"),
                                             ("Gate", "x", "target"), ("Op", "y", "x")])
@pytest.mark.parametrize("sign", SIGNS)
def test_a_gradient_without_dout_is_wrong(check, title, one, two, sign):
    of_one, of_two = SIGNS[sign]
    code = LAYER.format(title=title, one=one, two=two, sign=sign, of_one=of_one, of_two=of_two)
    _, (result,) = check(layer="import numpy as np\n" + code)
    assert verdicts(result) == {one: "correct", two: "correct"}
    left_out = code.replace("        return dout, ", "        dout = np.ones_like(dout)\n"
                            "        return dout, ").replace("dout * ", "").replace("dout /", "1 /")
    _, (result,) = check(layer="import numpy as np\n" + left_out)
    assert "correct" not in verdicts(result).values(), (left_out, verdicts(result))
