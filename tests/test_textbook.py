"""`with ma.textbook():` runs exactly the lines of ops/, in this thread only; the numbers are those
of the fast way."""
import os
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex import models, nn, optim
from minialex.fast import dispatch

ROOT = Path(__file__).resolve().parents[1]
ROWS = dispatch.on_the_cpu() + dispatch.on_a_gpu()


def files_entered(call):
    """The package's files in which a function is called while `call()` runs."""
    package, seen = os.path.dirname(ma.__file__), set()

    def profile(frame, event, argument):
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(package):
            seen.add(os.path.relpath(name, package).replace(os.sep, "/"))

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return seen


def step(model, images, labels):
    """Loss, all gradients."""
    ma.manual_seed(5)
    model.zero_grad()
    loss = F.cross_entropy(model(ma.Tensor(images)), labels)
    loss.backward()
    return [loss.data, *(p.grad for p in model.parameters())]


class Small(nn.Sequential):
    """Every kind of layer, for pictures of 3 x 23 x 23."""

    def __init__(self):
        super().__init__(pad=nn.ZeroPad2d(right=1, bottom=2),
                         conv1=nn.Conv2d(3, 8, 5, stride=2, padding=1), relu1=nn.ReLU(),
                         norm1=nn.LocalResponseNorm(groups=2), pool1=nn.MaxPool2d(3, 2),
                         conv2=nn.Conv2d(8, 6, 3, padding=1, groups=2), tanh=nn.Tanh(),
                         norm2=nn.MapResponseNorm(), pool2=nn.AvgPool2d(2), sigmoid=nn.Sigmoid(),
                         flatten=nn.Flatten(), drop=nn.Dropout(0.3), fc=nn.Linear(24, 5))


def small(dtype):
    ma.manual_seed(0)
    model = Small()
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(dtype)
    images = np.random.default_rng(1).standard_normal((4, 3, 23, 23)).astype(dtype)
    return model, images, np.array([0, 4, 2, 1])


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 1e-4)])
def test_a_network_of_every_layer_gives_the_same_numbers(dtype, tolerance):
    model, images, labels = small(dtype)
    fast = step(model, images, labels)
    with ma.textbook():
        book = step(model, images, labels)
    for value, expected in zip(fast, book):
        assert value.dtype == expected.dtype == dtype
        np.testing.assert_allclose(value, expected, rtol=tolerance,
                                   atol=tolerance * np.abs(expected).max())


def test_by_the_book_every_operation_is_one_of_ops_and_nothing_fast_is_entered():
    model, images, labels = small("float32")
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def training_step():
        step(model, images, labels)
        optimizer.step()

    with ma.textbook():
        entered = files_entered(training_step)
    assert not any(name.startswith("fast/") for name in entered)
    assert {f"ops/{name}.py" for name in ("convolution", "pooling", "normalization", "linear",
                                          "sgd", "padding")} <= entered
    assert any(name.startswith("fast/") for name in files_entered(training_step))


@pytest.mark.parametrize("backward", [False, True])
def test_a_convolution_by_the_book_enters_five_files(backward):
    x, w, b = (ma.Tensor(np.ones(shape), requires_grad=True)
               for shape in ((4, 8, 9, 9), (6, 4, 5, 5), 6))

    def call():
        y = F.conv2d(x, w, b, padding=2, groups=2)
        if backward:
            y.backward(np.ones(y.shape))

    with ma.textbook():
        assert files_entered(call) == {"functional.py", "tensor.py", "device.py",
                                       "ops/convolution.py", "ops/im2col.py"}


def test_another_thread_is_left_alone():
    def served():
        return ma.fast.explain(F.tanh, np.ones((2, 3), np.float32))

    seen = {}
    with ma.textbook():
        thread = threading.Thread(target=lambda: seen.update(there=served()))
        thread.start()
        thread.join()
        seen["here"] = served()
        with pytest.raises(ZeroDivisionError), ma.textbook():
            raise ZeroDivisionError
        seen["still"] = served()
    seen["after"] = served()
    assert "ops/" in seen["here"] and seen["still"] == seen["here"]
    assert "fast/" in seen["there"] and seen["after"] == seen["there"]


@pytest.mark.parametrize("setting, where", [("1", "ops/activation.py"), ("0", "fast/activation.py"),
                                            ("", "fast/activation.py")])
def test_the_environment_opens_the_book_for_a_program(setting, where):
    program = ("import numpy, minialex as ma, minialex.functional as F; "
               "print(ma.fast.explain(F.relu, numpy.ones((2, 3))))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT,
                          env=os.environ | {"MINIALEX_TEXTBOOK": setting})
    assert done.returncode == 0 and where in done.stdout, done.stderr


def test_backward_follows_the_way_that_forward_went():
    x = ma.Tensor(np.linspace(-1, 1, 12).reshape(3, 4), requires_grad=True)
    with ma.textbook():
        y = F.tanh(x)
    assert type(y.creator) is ma.ops.Tanh
    assert "fast/activation.py" not in files_entered(lambda: y.backward(np.ones((3, 4))))


def test_lenet_learns_by_the_book_what_it_learns_fast():
    """Thirty steps: slower, and rounding aside the same losses."""
    labels = np.arange(8) % 4
    noise = np.random.default_rng(0).standard_normal((30, 8, 1, 32, 32))
    images = (noise + labels[:, None, None, None]).astype(np.float32)
    losses = []
    for way in (nullcontext, ma.textbook):
        ma.manual_seed(0)
        model = models.lenet5(4)
        optimizer = optim.SGD(model.parameters(), lr=0.05)
        with way():
            for batch in images:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(ma.Tensor(batch)), labels)
                loss.backward()
                optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-3) and losses[0] < 1


def test_a_window_with_more_pixels_than_a_byte_counts_is_pooled_by_the_book():
    x = np.random.default_rng(0).standard_normal((1, 2, 34, 34))
    y = F.max_pool2d(x, 17)
    assert type(F.max_pool2d(ma.Tensor(x, requires_grad=True), 17).creator) is ma.ops.MaxPool2d
    np.testing.assert_array_equal(y.data, x.reshape(1, 2, 2, 17, 2, 17).max(axis=(3, 5)))


# ----------------------------------------------------------------------------- which implementation


@pytest.mark.parametrize("shape, weight, options, says", [
    ((32, 256, 13, 13), (384, 256, 3, 3), {"padding": 1}, "Winograd F(3×3, 3×3), 32 images"),
    ((8, 96, 27, 27), (256, 48, 5, 5), {"padding": 2, "groups": 2}, "Winograd F(3×3, 5×5), 8 "
     "images"), ((8, 3, 63, 63), (96, 3, 11, 11), {"stride": 4}, "space-to-depth 4×4, Winograd F("),
    ((2, 1, 32, 32), (6, 1, 5, 5), {}, "batched matmul"),
    ((2, 16, 5, 5), (120, 16, 5, 5), {}, "batched matmul, a product for each row"),
    ((2, 64, 9, 9), (64, 64, 5, 5), {}, "im2col")])
def test_explain_says_what_serves_a_convolution(shape, weight, options, says):
    text = ma.fast.explain(F.conv2d, np.zeros(shape, np.float32), np.zeros(weight, np.float32),
                           **options)
    assert text.startswith(f"Conv2d: {says}") and text.endswith(".py)") and "\n" not in text


def test_explain_reads_a_network_layer_by_layer():
    model, images, _ = small("float32")
    lines = ma.fast.explain(model, images).splitlines()
    assert lines[1].startswith("conv1: Conv2dReLU: ") and "ReLU as epilogue (fast/" in lines[1]
    assert lines[0] == "pad: ZeroPad2d: (ops/padding.py)" and len(lines) == 12


def test_the_table_can_be_printed_and_names_files_that_exist():
    lines = ma.fast.table().splitlines()
    assert len(lines) == 1 + len(ROWS)
    assert all((ROOT / "minialex" / line.split(".py")[0].split()[-1]).with_suffix(".py").exists()
               for line in lines[1:])


def test_implementations_are_functions_with_the_book_s_options():
    for row in ROWS:
        if isinstance(row.operation, type):
            assert issubclass(row.implementation, row.operation)
            assert row.implementation.__init__ is row.operation.__init__
            assert row.implementation.check_inputs is row.operation.check_inputs
