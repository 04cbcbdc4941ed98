"""The tape player in a browser: LeNet-5's step and a student's operation, played again with the
engine's numbers."""
import numpy as np
import pytest
from driver import Browser, find

import minialex as ma
import minialex.functional as F
from minialex import models
from minialex.explore import samples

pytestmark = [pytest.mark.skipif(find() is None, reason="needs a Chromium")]


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


def _plain(number):
    """As JavaScript writes it."""
    text = repr(samples.number(number)).removesuffix(".0")
    mantissa, e, power = text.partition("e-0")
    return f"{mantissa}e-{power}" if e and int(
        power) > 6 else f"{samples.number(number):.12f}".rstrip("0") if e else text


def test_lenets_step_is_played_again(browser, tmp_path):
    ma.manual_seed(0)
    model = models.lenet5(10)
    x = ma.Tensor(np.random.default_rng(0).standard_normal((2, 1, 32, 32), dtype=np.float32))
    with ma.record(model, x=x) as tape:
        loss = F.cross_entropy(model(x), np.array([3, 4]))
        loss.backward()
    tape.save(tmp_path / "tape.html")
    view = browser.open((tmp_path / "tape.html").as_uri())
    titles = []
    view.eval("document.querySelector('#next').focus()")
    for number in range(len(tape.events)):
        titles.append(view.text("#now-title"))
        assert view.text("#at-shown") == f"{number + 1} of {len(tape.events)}"
        if titles[-1] == "Forward: CrossEntropy":
            assert _plain(loss.item()) in view.text("#now-arrays .card:nth-child(2) pre") or \
                _plain(loss.item()) in view.text("#now-arrays")
        view.press("Enter")
    layers = [f"Conv2d in conv{n}" for n in (1, 2, 3)]
    assert titles[0] == f"Forward: {layers[0]}" and titles[-2:] == [f"Backward: {layers[0]}",
                                                                    "The end"]
    forward = [title.removeprefix("Forward: ") for title in titles if title.startswith("Forward")]
    backward = [title.removeprefix("Backward: ") for title in titles
                if title.startswith("Backward")]
    assert forward == backward[::-1] and set(layers) < set(forward)
    words = view.text("#now-arrays")
    for name, parameter in model.named_parameters():
        shape = "×".join(map(str, parameter.shape))
        assert f"{name}.grad\n\n{shape} float32, {4 * parameter.size:,} bytes, from {_plain(parameter.grad.min())}" in words, name  # noqa: E501
    assert "held for backward\n0 arrays of 0 operations, 0 bytes" in view.text("#now-facts")
    view.press("Home")  # nothing: a button has the focus
    view.eval("document.querySelector('#at').focus()")
    view.press("Home")
    assert view.text("#now-title") == f"Forward: {layers[0]}"
    assert view.eval("performance.getEntriesByType('resource').length") == 0
    assert browser.strangers == [] and browser.log == []
    view.close()


def test_a_students_wrong_step_is_marked(browser, tmp_path):
    class MyReLU(ma.Function):
        def forward(self, x):
            self.save_for_backward(x > 0)
            return x * (x > 0)

        def backward(self, grad_output):
            return grad_output

    x = ma.Tensor([[1.5, -2.0]], requires_grad=True)
    with ma.record(x=x) as tape:
        (MyReLU()(x) * 3.0).sum().backward()
    tape.save(tmp_path / "tape.html", ma.gradcheck(MyReLU, [np.array([[1.0, -2.0, 3.0]])]))
    view = browser.open((tmp_path / "tape.html").as_uri(), width=390, dark=True)
    view.eval("document.querySelector('#wrong').focus()")
    view.press("Enter")
    assert view.text("#now-title") == "Backward: MyReLU"
    assert "dL/d(x) is wrong here. wrong where the input is negative" in view.text("#now-wrong")
    assert "dL/d(x) ✗ wrong" in view.text("#now-arrays") and "3  3" in view.text("#now-arrays")
    assert "held for backward\n1 array of 1 operation, 2 bytes" in view.text("#now-facts")
    assert "✗ wrong" in view.eval("document.querySelector('#graph').textContent")
    view.close()
