"""A layer that is checked is the one that was given: as large as it is, afterwards as it was."""
import numpy as np
import pytest

import minialex as ma
from minialex import nn
from minialex.gradcheck import gradcheck

random = np.random.default_rng(7)


@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_as_it_was(fails):
    layer = nn.Linear(4, 3)
    layer.weight.grad = np.ones((3, 4), np.float32)
    x = ma.Tensor(random.normal(size=(2, 4)).astype(np.float32), requires_grad=True)
    held = [layer.weight.data, layer.weight.grad, layer.bias.data, x.data]
    copies = [array.copy() for array in held]

    class Model(nn.Module):
        def __init__(self):
            self.layer, self.runs = layer, 0

        def forward(self, x):
            self.runs += 1
            if fails and self.runs > 20:
                raise ZeroDivisionError("in the student's code")
            return self.layer(x)

    if fails:
        with pytest.raises(ZeroDivisionError):
            gradcheck(Model(), x)
    else:
        assert gradcheck(Model(), x)
        assert gradcheck(lambda x: layer(x), x), "weights that only the function knows"
    now = [layer.weight.data, layer.weight.grad, layer.bias.data, x.data]
    assert all(a is b and a.dtype == np.float32 and (a == c).all()
               for a, b, c in zip(held, now, copies))
    assert layer.bias.grad is None and x.grad is None and not ma.tensor.observers


def test_a_full_size_layer_is_checked_as_it_is():
    conv1 = nn.Conv2d(3, 96, 11, stride=4)
    report = gradcheck(conv1, random.normal(size=(1, 3, 227, 227)), samples=4, directions=1)
    assert report and [row.size for row in report.rows] == [154587, 34848, 96]
