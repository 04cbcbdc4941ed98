"""A second argument whose name says nothing, one number for each feature or channel: by the name
alone it is drawn like x, or as one number, and right code is not blamed for that."""
import pytest
from student_files import verdicts

MUL = """
import numpy as np

def mul_forward(x, NAME):
    return x * NAME, (x, NAME)

def mul_backward(dout, cache):
    x, NAME = cache
    return dout * NAME, (dout * x).sum(axis=0)
"""
PRELU = """
import numpy as np

def prelu_forward(x, NAME):
    return np.where(x > 0, x, NAME * x), (x, NAME)

def prelu_backward(dout, cache):
    x, NAME = cache
    return dout * np.where(x > 0, 1, NAME), (dout * np.minimum(x, 0)).sum(axis=0)
"""
CHANNELS = """
import numpy as np

def shift_forward(x, NAME):
    return x + NAME[None, :, None, None] ** 2, NAME

def shift_backward(dout, NAME):
    return dout, 2 * NAME * dout.sum(axis=(0, 2, 3))
"""
SCALE = """
import numpy as np

class ChannelScale:
    def __init__(self, in_channels):
        self.params, self.grads = {"NAME": np.ones((1, in_channels, 1, 1))}, {}

    def forward(self, x):
        self.x = x
        return x * self.params["NAME"]

    def backward(self, dy):
        self.grads["NAME"] = (dy * self.x).sum(axis=(0, 2, 3), keepdims=True)
        return dy * self.params["NAME"]
"""


GATE = """
import numpy as np

def excite_forward(x, NAME):
    return x * NAME[:, :, None, None], (x, NAME)

def excite_backward(dout, cache):
    x, NAME = cache
    return dout * NAME[:, :, None, None], (dout * x).sum(axis=(2, 3))
"""


@pytest.mark.parametrize("code, names", [
    (GATE, "gate s scale"),
    (MUL, "a alpha s w t"), (PRELU, "a k alpha"), (CHANNELS, "a scale alpha"), (SCALE, "s w")])
def test_a_row_of_x(check, code, names):
    for name in names.split():
        _, (result,) = check(layer=code.replace("NAME", name))
        assert result["status"] == "correct", (name, result["checks"])


@pytest.mark.parametrize("code, right, slip, said", [
    (MUL, "(dout * x).sum", "(dout * x).mean", "mean where a sum is due"),
    (PRELU, "np.minimum", "-np.minimum", "sign flipped"),
    (GATE, "(dout * x).sum", "-(dout * x).sum", "sign flipped"),
    (CHANNELS, "dout, 2 * NAME", "dout, NAME", "off by a constant factor"),
    (SCALE, "(dy * self.x).sum", "-(dy * self.x).sum", "sign flipped")])
def test_a_slip_in_its_gradient_is_wrong(check, code, right, slip, said):
    assert right in code
    for name in "a", "t" if code is MUL else "w":
        _, (result,) = check(layer=code.replace(right, slip).replace("NAME", name))
        assert verdicts(result) == {"x": "correct", name: said}, result["checks"]
