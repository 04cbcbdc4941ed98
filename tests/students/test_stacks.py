"""Sequential(*layers): checked with a layer of the file; with none it gives its input back, and
says nothing of backward."""
STACK = """
class Sequential:
    def __init__(self, *layers):
        self.layers = layers
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def backward(self, d):
        for layer in reversed(self.layers):
            d = layer.backward(d)
        return d
"""
CUBE = """
class Cube:
    def forward(self, x):
        self.x = x
        return x ** 3
    def backward(self, d):
        return 3 * d * self.x ** 2
"""


def test_a_stack_without_layers_is_not_called_right(check):
    status, (result,) = check(stack=STACK)
    assert status == 1 and result["status"] == "error", result
    assert "nothing in layers" in result["checks"][0]["error"]["message"]


def test_a_stack_is_checked_with_a_layer_of_the_file(check):
    status, (result,) = check(stack=CUBE + STACK)
    assert status == 0 and [one["status"] for one in result["checks"]] == ["correct",
                                                                           "correct"], result
    status, (result,) = check(stack=CUBE + STACK.replace("d = layer.backward(d)",
                                                         "d = layer.backward(d) * d"))
    assert status == 1 and [one["status"] for one in result["checks"]] == ["correct",
                                                                           "wrong"], result


LINEAR = """
import numpy as np
class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.zeros((n_in, n_out))
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, d):
        self.dW = self.x.T @ d
        return d @ self.W.T
"""


def test_two_layers_tell_the_order_of_a_stack(check):
    status, _ = check(stack=LINEAR + CUBE + STACK)
    assert status == 0
    forwards = STACK.replace("in reversed(self.layers):", "in self.layers:")
    status, (result,) = check(stack=LINEAR + CUBE + forwards)
    assert status == 1 and result["checks"][-1]["status"] != "correct", result


def test_a_stack_gets_the_layers_of_a_file_that_it_imports(check):
    added = STACK.replace("(self, *layers)", "(self)").replace("= layers", "= []")
    for forwards in (False, True):
        code = added.replace("in reversed(self.layers):", "in self.layers[:1]:"
                             ) if forwards else added
        _, results = check(linear=LINEAR + CUBE, stack="from linear import Linear\n" + code)
        assert results[1]["status"] == ("correct", "wrong")[forwards], results[1]
