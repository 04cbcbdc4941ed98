"""Pairs of methods in one class, sequences alone, and which of many errors is told."""
import pytest
from student_files import verdicts

METHODS = """
    import numpy as np

    class Tools:
        {static}
        def relu({self}x):
            return np.maximum(x, 0)

        {static}
        def relu_backward({self}dout, x):
            return {factor} * dout * (x > 0)

        {static}
        def helper({self}x):
            return x
"""


@pytest.mark.parametrize("static, first", [("@staticmethod", ""), ("", "self, ")])
@pytest.mark.parametrize("factor, found", [(1, "correct"), (-1, "sign flipped")])
def test_methods_that_belong_together_are_checked_as_functions(check, static, first, factor, found):
    code = METHODS.format(static=static, self=first, factor=factor)
    _, (result,) = check(tools=code)
    assert verdicts(result) == {"x": found} and len(result["checks"]) == 1


SEQUENCES = """
    import numpy as np

    def scale_norm_forward(x, gamma, beta):
        centered = x - x.mean(axis=-1, keepdims=True)
        return centered * gamma + beta, (centered, gamma)

    def scale_norm_backward(dout, cache):
        centered, gamma = cache
        d = dout * gamma
        return (d - d.mean(axis=-1, keepdims=True), {sign}np.sum(dout * centered, axis=(0, 1)),
                dout.sum(axis=(0, 1)))
"""


@pytest.mark.parametrize("sign, status", [("", "correct"), ("-", "wrong")])
def test_a_norm_of_sequences_alone_is_not_blamed(check, sign, status):
    _, (result,) = check(norm=SEQUENCES.format(sign=sign))
    assert result["status"] == status


def test_the_output_may_be_called_after_its_function(check):
    _, (result,) = check(soft="""
    import numpy as np

    def softmax(x, axis=-1):
        e = np.exp(x - x.max(axis=axis, keepdims=True))
        return e / e.sum(axis=axis, keepdims=True)

    def softmax_backward(dout, softmax_output, axis=-1):
        total = (dout * softmax_output).sum(axis=axis, keepdims=True)
        return softmax_output * (dout - total)
    """)
    assert verdicts(result) == {"x": "correct"}


@pytest.mark.parametrize("slip, told", [("missing @ x", "name 'missing' is not defined"),
                                        ("self.weights[1] @ x", "matmul")])
def test_of_many_errors_the_one_in_backward_is_told(check, slip, told):
    """Its inputs fit forward; and a constructor that asks for a length gets several sizes."""
    _, (result,) = check(network="""
    import numpy as np

    class Network:
        def __init__(self, nodes):
            self.count = len(nodes)
            self.weights = [np.random.randn(m, n) for n, m in zip(nodes[:-1], nodes[1:])]

        def feedforward(self, a):
            for w in self.weights:
                a = np.tanh(w @ a)
            return a

        def backprop(self, x, y):
            first = SLIP
            return [first @ x.T, 0]
    """.replace("SLIP", slip))
    (found,) = result["checks"]
    assert found["error"]["message"].startswith(told)
    assert found["error"]["lines"][-1]["in"] == "backprop"


def test_nothing_to_check_is_said_beside_a_missing_module(check):
    _, (result,) = check(none="import nowhere_to_be_found\n\ndef train(x):\n    return x\n")
    assert result["error"]["kind"] == "nothing to check"
    assert "No module named 'nowhere_to_be_found'" in result["error"]["message"]


CONSTRUCTORS = {"trains forever": "while True: pass", "ends the program": "raise SystemExit(3)",
                "is interrupted": "raise KeyboardInterrupt", "fails": "self.data = open('none')"}
BESIDE = METHODS.format(static="@staticmethod", self="", factor=1).replace("Tools", "Static") + """
    class Other:
        def __init__(self):
            BODY

        METHODS
"""


@pytest.mark.parametrize("body", CONSTRUCTORS.values(), ids=CONSTRUCTORS)
def test_a_class_with_nothing_to_check_is_never_made(check, body):
    code = BESIDE.replace("METHODS", "def step(self): pass")
    status, (result,) = check("--timeout", "5", tools=code.replace("BODY", body))
    assert status == 0 and verdicts(result) == {"x": "correct"}


@pytest.mark.parametrize("body", CONSTRUCTORS.values(), ids=CONSTRUCTORS)
def test_what_is_static_needs_no_object(check, body):
    code = METHODS.format(static="@staticmethod", self="", factor=1) + f"""
        def __init__(self):
            {body}
"""
    status, (result,) = check("--timeout", "5", tools=code)
    assert status == 0 and verdicts(result) == {"x": "correct"}


@pytest.mark.parametrize("body", CONSTRUCTORS.values(), ids=CONSTRUCTORS)
def test_a_constructor_that_does_not_end_costs_the_check_of_its_own_pair_alone(check, body):
    code = BESIDE.replace("METHODS", """def cube(self, x):
            return x ** 3

        def cube_backward(self, dout, x):
            return 3 * dout * x ** 2""")
    status, (result,) = check("--timeout", "2", tools=code.replace("BODY", body))
    told = {one["name"]: one["status"] for one in result["checks"]}
    assert status == 1 and told == {"Static.relu": "correct", "Other.cube": "error"}


def test_the_constructor_has_run_before_the_methods(check):
    status, (result,) = check(scale="""
    class Scale:
        def __init__(self, factor=3.0):
            self.factor = factor

        def scaled(self, x):
            return self.factor * x

        def scaled_backward(self, dout, x):
            return self.factor * dout
    """)
    assert status == 0 and verdicts(result) == {"x": "correct"}


@pytest.mark.parametrize("method", [
    "def walk_backward(self):\n            return self.last",
    "def move_backward(self, distance):\n            self.place -= distance",
    "def step_backward(self, steps):\n            return steps - 1"])
def test_a_backward_of_no_layer_is_not_asked_for_a_forward(check, method):
    code = METHODS.format(static="@staticmethod", self="", factor=1) + f"""
    class Walker:
        {method}
"""
    status, (result,) = check(tools=code)
    assert status == 0 and verdicts(result) == {"x": "correct"}


def test_a_backward_among_the_methods_that_is_not_checked_is_told(check):
    """Beside one that is."""
    code = METHODS.format(static="@staticmethod", self="", factor=1) + """
        def __init__(self, problem):
            self.problem = problem

        def full_forward(self, x):
            return x

        def full_backward(self, dout, cache):
            return dout
"""
    status, (result,) = check(tools=code)
    told = {one["name"]: one["status"] for one in result["checks"]}
    assert status == 1 and told == {"Tools.relu": "correct", "Tools.full_backward": "error"}


TABLE = """
    import numpy as np

    class Functions:
        def __init__(self):
            self.known = {{"tanh": (self.tanh, self.tanh_grad),
                          "bend": (self.bend, self.bend_grad)}}

        def get_function(self, name):
            return self.known[name.lower()][0]

        def get_gradient(self, name):
            return self.known[name.lower()][1]

        def tanh(self, x):
            return np.tanh(x)

        def tanh_grad(self, x):
            return 1 - self.tanh(x){slip}

        def bend(self, x):
            return x / (1 + abs(x))

        def bend_grad(self, x):
            return 1 / (1 + abs(x)){slip}

    def approx_tanh(x):
        return x - x ** 3 / 3

    def approx_tanh_prime(x):
        return 1 - x{slip}
    """


def test_what_looks_functions_up_hides_none_of_them(check):
    """Nor does a word that belongs to no layer, as of a gradient that is only approximated."""
    status, (result,) = check(table=TABLE.format(slip=" ** 2"))
    assert [one["status"] for one in result["checks"]] == ["correct"] * 3 and status == 0, result
    status, (result,) = check(table=TABLE.format(slip=" ** 3"))
    assert [one["status"] for one in result["checks"]] == ["wrong"] * 3 and status == 1, result
