"""What is found in a student's file, and where its inputs come from."""
import pytest
from student_files import LINEAR, RELU, verdicts, write

from minialex.gradcheck.__main__ import main
from minialex.students import finding
from minialex.students.drawn import inputs

# ------------------------------------------------------------------------------------ what is found


def test_pairs_functions_and_modules_are_found_in_the_order_of_the_file(tmp_path):
    path = write(tmp_path, "layers", LINEAR + RELU + """
    import minialex as ma
    from minialex import nn
    from minialex.nn import Linear

    class Square(ma.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x * x
        def backward(self, g):
            return 2 * g * self.saved[0]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(5, 2)
        def forward(self, x):
            return self.fc(x)

    def softmax_loss(x, y):
        return 0.0, x * 0

    def conv_forward_naive(x):
        return x, None

    def conv_backward_naive(dout, cache):
        return dout

    def helper(x):
        return x
    """)
    found = finding.everything(finding.load(path))
    assert [(item.name, item.kind) for item in found] == [("linear", "pair"), ("relu", "pair"), (
        "Square", "layer"), ("Net", "layer"), ("softmax_loss", "loss"), ("conv_naive", "pair")]


def test_all_kinds_are_checked(check):
    status, (result,) = check(all_kinds=RELU + """
    import minialex as ma
    from minialex import nn

    class Square(ma.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x * x
        def backward(self, g):
            return g * self.saved[0]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(5, 2)
        def forward(self, x):
            return self.fc(x)

    def forward(x, y):
        return ((x - y) ** 2).mean(), (x, y)

    def backward(dout, cache):
        x, y = cache
        d = 2 * dout * (x - y) / x.size
        return d, -d

    def hinge_loss(x, y):
        margins = np.maximum(0, x - x[np.arange(len(y)), y][:, None] + 1)
        margins[np.arange(len(y)), y] = 0
        dx = (margins > 0).astype(float)
        dx[np.arange(len(y)), y] -= dx.sum(axis=1)
        return margins.sum() / len(y), dx / len(y)
    """)
    assert status == 1 and result["status"] == "wrong" and result["error"] is None
    states = {item["name"]: item["status"] for item in result["checks"]}
    assert states == {"relu": "correct", "Square": "wrong", "Net": "correct", "forward": "correct",
                      "hinge_loss": "correct"}
    square = next(item for item in result["checks"] if item["name"] == "Square")
    assert square["rows"][0]["verdict"] == "off by a constant factor" and square["rows"][0][
        "factor"] == pytest.approx(0.5)


def test_names_after_the_colon(tmp_path, capsys):
    path = write(tmp_path, "mine", """
    def f(a):
        return a * 3
    def g(dy, a):
        return dy * 3
    def g_wrong(dy, a):
        return -dy * 3
    """)
    assert main([f"{path}:f,g"]) == 0
    assert main([f"{path}:f,g_wrong", "--shape", "a=2,2"]) == 1
    said = capsys.readouterr().out
    assert "sign flipped" in said and "2×2" in said
    relu = write(tmp_path, "other", RELU)
    assert main([f"{relu}:relu"]) == main([f"{relu}:relu_backward"]) == main(
        [f"{relu}:relu,relu_backward"]) == 0
    assert main([f"{path}:f,h"]) == 1
    assert "it defines no h" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------- inputs


def test_shapes_labels_and_options_of_the_command_line_arrive(check):
    code = """
    import numpy as np
    def f_forward(q, classes, stride, mode="x"):
        assert q.shape == (4, 7) and classes.shape == (3, 2) and classes.max() <= 5 and classes.dtype.kind == "i", q.shape
        assert stride == (1, 2) and mode == "fast"
        return q[classes % 4], (q.shape, classes)
    def f_backward(dout, cache):
        d = np.zeros(cache[0])
        np.add.at(d, cache[1] % 4, dout)
        return d
    """  # noqa: E501
    options = ["--shape", "q=4,7", "--labels", "classes=3,2:6", "--option", "stride=(1,2)",
               "--option", "mode=fast"]
    status, (result,) = check(*options, f=code)
    assert status == 0, result
    assert result["checks"][0]["inputs"]["q"] == "4×7" and result["checks"][0]["inputs"][
        "mode"] == "fast"


def drawn(found, request):
    """With the likeliest layout."""
    parameters = inputs.parameters_of(found.forward)
    return inputs.draw(parameters, next(inputs.layouts(found.name, request, forward=found.forward)),
                       request)


@pytest.mark.parametrize("signature, shapes", [
    ("conv_forward(x, w, b, conv_param)", {"x": (2, 3, 7, 9), "w": (4, 3, 3, 3), "b": (4,)}),
    ("conv2d_forward(x, w, stride=1)", {"x": (2, 3, 7, 9), "w": (4, 3, 3, 3)}),
    ("affine_forward(x, w, b)", {"x": (4, 5), "w": (5, 3), "b": (3,)}),
    ("batchnorm_forward(x, gamma, beta, bn_param)", {"x": (4, 5), "gamma": (5,), "beta": (5,)}),
    ("softmax_loss(x, y)", {"x": (4, 5), "y": (4,)}),
    ("relu(x)", {"x": (4, 5)}),
    ("max_pool_forward(x, pool_param)", {"x": (2, 3, 6, 8)}),
])
def test_drawn_shapes_go_by_the_names_of_the_arguments(signature, shapes):
    names = {}
    exec(f"def {signature}: pass", names)
    name = signature.partition("(")[0]
    found = finding.Found(name.removesuffix("_forward"), names[name])
    values = drawn(found, inputs.Request())
    assert {key: value.shape for key, value in values.items() if hasattr(value, "shape")} == shapes
    assert not shapes.keys() ^ {key for key in values if not key.endswith("param")}


def test_a_given_shape_settles_the_others():
    def conv_forward(x, w, b): ...
    found, request = finding.Found("conv", conv_forward), inputs.Request(shapes={"x": (1, 2, 5, 5)})
    values = drawn(found, request)
    assert values["x"].shape == (1, 2, 5, 5) and values["w"].shape == (4, 2, 3, 3)


def test_other_layouts_are_tried_until_forward_runs(check):
    status, (result,) = check(torch_style="""
    def linear_forward(x, w, b):
        return x @ w.T + b, (x, w)
    def linear_backward(dout, cache):
        x, w = cache
        return dout @ w, dout.T @ x, dout.sum(0)
    """)
    assert status == 0 and result["checks"][0]["inputs"] == {"x": "4×5", "w": "3×5", "b": "3"}


def test_drawn_inputs_are_followed_by_whole_numbers_so_that_ties_show(check):
    status, (result,) = check(pool="""
    import numpy as np
    def maxpool_forward(x):
        N, C, H, W = x.shape
        windows = x.reshape(N, C, H // 2, 2, W // 2, 2)
        out = windows.max(axis=(3, 5), keepdims=True)
        return out[:, :, :, 0, :, 0], (windows, out, x.shape)
    def maxpool_backward(dout, cache):
        windows, out, shape = cache
        return ((windows == out) * dout[:, :, :, None, :, None]).reshape(shape)
    """)
    assert verdicts(result) == {"x": "wrong where the input is tied"}
    # where no values are equal, and so for most pictures, it is right
    assert status == 0 and result["status"] == "remarks"


def test_inputs_of_the_file_and_of_the_teacher(check, tmp_path):
    code = """
    def odd_forward(q):
        assert q.shape[0] == 11
        return q * 2, None
    def odd_backward(dout, cache):
        return dout * 2
    """
    inputs = """
    def odd_inputs(generator):
        return {"q": generator.standard_normal((11, 2))}
    """
    status, (result,) = check(own=code + inputs)
    assert status == 0 and result["checks"][0]["inputs"] == {"q": "11×2"} and not result["checks"][
        0]["drawn"]
    teacher = write(tmp_path, "teacher", code + inputs)
    status, (result,) = check("--like", str(teacher), without=code)
    assert status == 0 and result["checks"][0]["inputs"] == {"q": "11×2"}


def test_of_several_arguments_whose_names_say_nothing_all_are_named(check):
    _, (result,) = check(strange="""
    def strange_forward(blob, blip):
        if blob.shape != (3, 1, 4) or blip.shape != (2, 2, 5):
            raise ValueError("a blob is 3x1x4")
        return blob * blip.sum(), None
    def strange_backward(dout, cache):
        return dout, dout
    """)
    assert result["checks"][0]["error"]["message"].startswith(
        "what blob, blip are their names do not say, and with blob "), result


def test_when_no_shape_fits_the_student_reads_the_first_error_and_the_shapes(check):
    status, (result,) = check(strange="""
    def strange_forward(blob):
        if blob.shape != (3, 1, 4):
            raise ValueError("a blob is 3x1x4")
        return blob, None
    def strange_backward(dout, cache):
        return dout
    """)
    (item,) = result["checks"]
    assert status == 2 and item["error"]["kind"] == "no inputs" and item["inputs"][
        "blob"] == "4×5" and item["drawn"]
    assert item["error"]["message"].startswith("what blob is its name does not say, "
                                               "and with blob 4×5 comes ValueError: ")
    assert item["error"]["lines"][-1]["code"] == 'raise ValueError("a blob is 3x1x4")'
    status, _ = check("--shape", "blob=3,1,4", strange2="""
    def strange_forward(blob):
        assert blob.shape == (3, 1, 4)
        return blob, None
    def strange_backward(dout, cache):
        return dout
    """)
    assert status == 0


def test_an_argument_that_does_not_exist_is_a_mistake_of_the_command_line(check):
    status, (result,) = check("--shape", "z=3", linear=LINEAR)
    assert status == 2
    assert (result["checks"][0]["error"]["message"] == "linear_forward has no argument z; "
            "its arguments are x, w, b.")


NAMESPACE = """
    import numpy as np

    class Activations:
        class Relu:
            def forward(self, inputs):
                self.inputs = inputs
                self.output = np.maximum(0, inputs)

            def backward(self, dvalues):
                self.dinputs = dvalues * (self.inputs > {slip})

        class Smooth:
            class Tanh:
                def forward(self, inputs):
                    self.output = np.tanh(inputs)

                def backward(self, dvalues):
                    self.dinputs = dvalues * (1 - self.output ** 2) - {slip}

        class Bend:
            @staticmethod
            def function(x):
                return x / (1 + abs(x))

            @staticmethod
            def derivative(x):
                return 1 / (1 + abs(x)) ** 2 - {slip}

    class Losses:
        class SoftmaxCrossEntropy:
            def __init__(self):
                self.activation = Activations.Relu()

            def forward(self, inputs, y_true):
                self.activation.forward(inputs)
                e = np.exp(inputs)
                self.output = e / e.sum(axis=1, keepdims=True)
                return -np.mean(np.log(self.output[range(len(inputs)), y_true]))

            def backward(self, dvalues=[], y_true=[]):
                self.dinputs = dvalues.copy()
                self.dinputs[range(len(dvalues)), y_true] -= 1
                self.dinputs = self.dinputs / len(dvalues) + {slip}
                return self.dinputs
    """


def test_classes_that_stand_in_a_class_are_found(check):
    status, (result,) = check(inner=NAMESPACE.format(slip=0))
    assert [one["name"] for one in result["checks"]] == [
        "Activations.Relu", "Activations.Smooth.Tanh", "Activations.Bend",
        "Losses.SoftmaxCrossEntropy"], result
    assert (status, result["status"]) == (0, "correct"), result
    status, (result,) = check(inner=NAMESPACE.format(slip=0.5))
    assert (status, [one["status"] for one in result["checks"]]) == (1, ["wrong"] * 4), result
