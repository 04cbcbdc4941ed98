"""Files whose siblings were not handed in: what can be checked is, and what is missing is said."""
import numpy as np
import pytest
from student_files import verdicts

from minialex.students.reading.usual import USUAL


def told(result):
    """What is said of each check, and of the file."""
    return [check["error"]["message"] for check in result["checks"] if check["error"]]


LOSS = """
    {line}

    class CrossEntropy:
        def forward(self, scores, labels):
            self.labels = labels
            self.probs = {tools}softmax(scores)
            return {tools}cross_entropy_error(self.probs, labels)

        def backward(self, dout=1):
            dx = self.probs.copy()
            dx[np.arange(len(dx)), self.labels] -= 1
            return {factor} * dx / len(dx)
    """
LINES = [("from tools.numbers import softmax, cross_entropy_error", ""),
         ("from tools.numbers import *", ""), ("import tools.numbers as tools", "tools."),
         ("from tools import numbers", "numbers.")]


@pytest.mark.parametrize("line, tools", LINES)
def test_usual_functions_of_a_missing_file_are_ours(check, line, tools):
    status, (result,) = check(loss=LOSS.format(line=line, tools=tools, factor=1))
    assert status == 0 and verdicts(result)["scores"] == "correct", result


def test_what_is_wrong_with_them_may_be_the_missing_files_fault(check):
    status, (result,) = check(loss=LOSS.format(line=LINES[0][0], tools="", factor=-1))
    (error,) = [one["error"] for one in result["checks"]]
    assert (status, result["status"], error["kind"]) == (1, "error", "not handed in")
    assert "tools.numbers" in error["message"] and "sign flipped" in error["message"]


DENSE = """
    from .base import Block
    from .weights import draw, zeros
    from tools import Parameter, Tensor

    class Dense(Block):
        def __init__(self, n_in: int, n_out: int):
            super().__init__()
            self.params["W"] = Parameter(draw((n_in, n_out), method="small"))
            self.params["b"] = Parameter(zeros(n_out))

        def forward(self, x: Tensor) -> "Tensor":
            self.x = x if self.training else None
            return x @ self.params["W"].data + self.params["b"].value

        def backward(self, grad: Tensor):
            self.params["W"].grad = self.x.T @ grad
            self.params["b"].grad = grad.sum(axis=0){slip}
            return grad @ self.params["W"].data.T
    """


@pytest.mark.parametrize("slip, found", [("", "correct"), (" * 2", "off by a constant factor")])
def test_weights_parameters_and_annotations_of_missing_files(check, slip, found):
    _, (result,) = check(dense=DENSE.format(slip=slip))
    assert list(verdicts(result).values()) == ["correct", "correct", found], result


def test_a_missing_class_is_named_with_its_file(check):
    _, (result,) = check(pair="""
        from resample import Thin

        class Halved:
            def __init__(self, stride=2):
                self.thin = Thin(stride)

            def forward(self, x):
                return self.thin.forward(x) / 2

            def backward(self, dout):
                return self.thin.backward(dout / 2)

        class Twice:
            def forward(self, x):
                return 2 * x

            def backward(self, dout):
                return 2 * dout
        """)
    assert told(result) == ["Thin comes from resample, which is not here: put that module "
                            "beside this file, or install it"]
    assert [one["status"] for one in result["checks"]] == ["error", "correct"]


@pytest.mark.parametrize("factor, found", [("2", "correct"), ("3", "off by a constant factor")])
def test_functions_of_a_missing_engine_fill_a_dictionary_or_return(check, factor, found):
    _, (result,) = check(engine=f"""
        from ..engine import Function, Tensor

        class Square(Function):
            @staticmethod
            def forward(ctx, x):
                if not isinstance(x, Tensor):
                    x = Tensor(x)
                ctx.save_for_backward(x)
                ctx.save_arguments(power=2)
                return Tensor(np.square(x.data))

            @staticmethod
            def backward(ctx, grad_output, grad_dict) -> None:
                (x,) = ctx.saved_tensors
                if x.requires_grad:
                    grad_dict[id(x)] = grad_output * {factor} * x.data

        class Product(Function):
            @staticmethod
            def forward(ctx, x: Tensor, y):
                ctx.save_for_backward(x)
                ctx.saved_data["y"] = y
                return x.data * y.data

            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return grad_output * ctx.saved_data["y"].data, grad_output * x.data * {factor} / 2
        """)
    assert [list(map(lambda row: row["verdict"], one["rows"])) for one in result["checks"]] == [
        [found], ["correct", found]], result


USES = ["CUT * x", "x - CUT", "x @ CUT", "-CUT * x", "np.minimum(x, CUT)", "x * (x < CUT)",
        "np.where(x > 0, x, CUT)", "np.matmul(x, CUT)", "x * float(CUT)", "x * range(CUT)[0]",
        "np.zeros(CUT) + x", "x[:CUT]", "x * len(CUT)", "x + [k for k in CUT][0]",
        "x if CUT else 2 * x", "x if CUT == 'none' else 2 * x", "x if cut else 2 * x",
        "x if not isinstance(x, list) and not CUT else 2 * x"]


@pytest.mark.parametrize("code", USES)
def test_a_constant_of_a_missing_file_is_named_with_it(check, code):
    """However it is used: no riddle, and no verdict over one branch of two."""
    _, (result,) = check(constant=f"""
        from settings import CUT, cut

        def bend_forward(x):
            return {code}, x

        def bend_backward(dout, x):
            return dout
        """)
    name = "cut" if "cut" in code else "CUT"
    assert told(result) == [f"{name} comes from settings, which is not here: put that module "
                            "beside this file, or install it"]


def test_a_class_or_a_usual_function_of_a_missing_file_is_true_as_any(check):
    _, (result,) = check(chosen="""
        from engine import Layer, Sigmoid, ndarray, relu

        class Scale(Layer):
            def __init__(self, act=relu, kind=Sigmoid):
                self.act, self.kind = act or None, kind or None

            def forward(self, x: ndarray):
                assert Scale and self.kind and {Scale: 1}[Scale] and Scale == Scale != 1
                self.x = x
                return self.act(3 * x)

            def backward(self, dout):
                return 3 * dout * (self.x > 0)
        """)
    assert verdicts(result) == {"x": "correct"}, result


def test_what_the_usual_functions_compute():
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((5, 6)), rng.standard_normal((2, 3))
    valid = [[(x[i:i + 2, j:j + 3] * kernel).sum() for j in range(4)] for i in range(4)]
    full = USUAL["correlate2d"](x, kernel)
    assert np.allclose(USUAL["correlate2d"](x, kernel, "valid"), valid)
    assert full.shape == (6, 8) and np.allclose(full[1:5, 2:6], valid)
    assert np.allclose(USUAL["correlate"](x, kernel, mode="same"), full[:5, 1:7])
    windows = USUAL["viewaswindows"](x, (2, 3), step=2)
    assert np.array_equal(windows[1, 1], x[2:4, 2:5])
    flipped = USUAL["correlate"](x, kernel[::-1, ::-1], "valid")
    assert np.allclose(USUAL["convolve2d"](x, kernel, "valid"), flipped)
    pictures = rng.standard_normal((2, 3, 5, 4))
    rows = USUAL["im2col"](pictures, 3, 2, stride=2, pad=1)
    assert rows.shape == (2 * 3 * 3, 3 * 3 * 2)
    assert np.array_equal(rows[-1].reshape(3, 3, 2), np.pad(
        pictures[1], ((0, 0), (1, 1), (1, 1)))[:, 4:7, 4:6])
    other = rng.standard_normal(rows.shape)  # col2im is the transpose of im2col
    assert np.isclose((USUAL["col2im"](other, pictures.shape, 3, 2, 2, 1) * pictures).sum(),
                      (rows * other).sum())


def test_what_is_a_template_says_so_and_a_base_class_is_nothing_to_check(check):
    _, (result,) = check(template="""
        class Module:
            def forward(self, x):
                return self.update_output(x)

            def backward(self, x, grad):
                return self.update_grad_input(x, grad)

            def update_output(self, x):
                pass

            def update_grad_input(self, x, grad):
                pass

        class Unwritten(Module):
            def forward(self, x):
                return x

            def backward(self, grad):
                \"\"\"Your code here.\"\"\"
                pass

        class Penalty(Module):
            pass

        class InputLayer:
            def forward(self, x):
                return x

            def backward(self, grad):
                pass

        class Square(Module):
            def update_output(self, x):
                self.x = x
                return x ** 2

            def update_grad_input(self, x, grad):
                self.grad_input = 2 * x * grad
                return self.grad_input
        """)
    assert [one["checked"] for one in result["checks"]] == ["Unwritten", "Square"], result
    assert told(result) == ["Unwritten.backward has not been written yet"]
    assert verdicts(result) == {"x": "correct"}


@pytest.mark.parametrize("slope, found", [("0.1", "correct"),
                                          ("1", "wrong where the input is negative")])
def test_at_its_kink_a_leaky_relu_may_have_no_slope(check, slope, found):
    _, (result,) = check(leaky=f"""
        class Leaky:
            def updateOutput(self, input):
                return np.maximum(input, 0) + 0.1 * np.minimum(input, 0)

            def updateGradInput(self, input, gradOutput):
                return gradOutput * (input > 0) + {slope} * gradOutput * (input < 0)
        """)
    assert verdicts(result) == {"input": found}


def test_what_goes_wrong_in_backward_says_more_than_what_does_not_fit_forward(check):
    _, (result,) = check(column="""
        from .optimizers import SGD

        class Column:
            def __init__(self, n_in, n_out):
                self.W, self.b = np.ones((n_out, n_in)), np.ones((n_out, 1))

            def forward(self, x):
                self.x = x
                return self.W @ x + self.b

            def backward(self, dout):
                dx = self.W.T @ dout
                self.W, self.b = SGD(self.W, self.b, dout @ self.x.T, dout)
                return dx

        class Row:
            def forward(self, x, w):
                self.x = x
                return x @ w

            def backward(self, dout):
                return dout[self.unknown]
        """)
    assert told(result)[0].startswith("SGD comes from .optimizers, which is not here")
    assert "unknown" in told(result)[1]


def test_a_gradient_inside_a_function_is_told(check):
    _, (result,) = check(product="""
        def product(a, b):
            out = a.make(a.data * b.data)

            def _backward():
                a.grad += b.data * out.grad
            out._backward = _backward
            return out
        """)
    assert "product: its gradient is in a function inside it" in result["error"]["message"]


@pytest.mark.parametrize("step, found", [("self.gtable[i] += row", "correct"),
                                         ("self.gtable[i] = row", "wrong")])
def test_an_embedding_may_take_one_row_of_numbers(check, step, found):
    """A list of them, whose gradients are added one by one."""
    _, (result,) = check(words=f"""
        class Function:
            def save_for_backward(self, *values):
                self.saved = values

        class Embedding:
            def __init__(self, n_vocab, d):
                self.table, self.gtable = np.ones((n_vocab, d)), np.zeros((n_vocab, d))

            def forward(self, ids):
                self.ids = [int(i) for i in ids]
                return np.stack([self.table[i] for i in self.ids])

            def backward(self, dy):
                for i, row in zip(self.ids, dy):
                    {step}
        """)
    assert result["status"] == found, result


@pytest.mark.parametrize("bound, found", [("80", "correct"), ("3", "wrong")])
def test_a_bound_that_keeps_exp_finite_is_no_part_of_the_gradient(check, bound, found):
    _, (result,) = check(exp=f"""
        class Exp:
            def forward(self, x):
                self.out = np.exp(x.clip(-{bound}, {bound}))
                return self.out

            def backward(self, grad):
                return self.out * grad
        """)
    assert result["status"] == found, result


@pytest.mark.parametrize("line", ["from tools.maths import sigmoid", "import tools.maths"])
@pytest.mark.parametrize("factor, found", [("", "correct"), ("2 * ", "wrong")])
def test_what_a_function_itself_imports_and_is_not_here_has_a_stand_in(check, line, factor, found):
    name = "sigmoid" if "from" in line else "tools.maths.sigmoid"
    _, (result,) = check(late=f"""
        import numpy as np

        def unit_forward(x):
            {line}
            return {name}(x), x

        def unit_backward(dout, x):
            y = 1 / (1 + np.exp(-x))
            return {factor}dout * y * (1 - y)
        """)
    assert result["status"] == ("error" if found == "wrong" else found), result
