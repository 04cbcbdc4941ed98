"""What an engine defines for arrays is checked, too; what no expression can use is said, and the
file is then not called right."""
import pytest

ENGINE = """
class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self.pull = data, 0.0, parents, lambda: None
    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))
        def pull():
            self.grad += out.grad
            other.grad += out.grad
        out.pull = pull
        return out
    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))
        def pull():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.pull = pull
        return out
    def backward(self):
        order, seen = [], set()
        def visit(value):
            if value not in seen:
                seen.add(value)
                for parent in value.parents:
                    visit(parent)
                order.append(value)
        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            value.pull()
"""
ARRAYS = ENGINE.replace("data, 0.0, parents", "data, data * 0.0, parents").replace(
    "self.grad = 1.0", "self.grad = self.data * 0 + 1") + """
    def __matmul__(self, other):
        out = Value(self.data @ other.data, (self, other))
        def pull():
            self.grad = self.grad + out.grad @ other.data.T
            other.grad = other.grad + self.data.T @ out.grad
        out.pull = pull
        return out
    def mean(self):
        out = Value(self.data.mean(), (self,))
        def pull():
            self.grad = self.grad + out.grad / self.data.size
        out.pull = pull
        return out
"""


def test_operations_of_arrays_are_checked(check):
    """Without broadcasting: the sum of shapes that differ is wrong in every other engine."""
    status, (result,) = check(engine=ARRAYS)
    found = {row["name"]: row["verdict"] for row in result["checks"][0]["rows"]}
    assert found["(X @ Y) * P, by X"] == found["X.mean(), by X"] == "correct", found
    for right, wrong, name in (("out.grad @ other.data.T", "out.grad @ other.data.T * 2",
                                "(X @ Y) * P, by X"),
                               ("out.grad / self.data.size", "out.grad", "X.mean(), by X")):
        status, (result,) = check(engine=ARRAYS.replace(right, wrong))
        found = {row["name"]: row["verdict"] for row in result["checks"][0]["rows"]}
        assert status == 1 and found[name] == "off by a constant factor", found


def test_what_no_expression_uses_is_named(check):
    status, (result,) = check(engine=ENGINE)
    assert status == 0 and "not checked" not in str(result["checks"][0]["rows"]), result
    odd = ENGINE + """
    def concat(self, other, axis):
        return Value(0.0)
"""
    status, (result,) = check(engine=odd)
    row = result["checks"][0]["rows"][-1]
    assert status == 1 and (row["name"], row["verdict"]) == ("concat", "undecided"), result


@pytest.mark.parametrize("slip, status", [("other.val", "correct"), ("self.val", "wrong")])
def test_an_engine_without_backward_is_followed_all_the_same(check, slip, status):
    """Each value knows its own step; what calls them in order is ours."""
    _, (result,) = check(value=f"""
        class Value:
            def __init__(self, val, children=()):
                self.val, self.gradient, self._prev = val, 0, set(children)
                self._backward = lambda: None

            def __add__(self, other):
                result = Value(self.val + other.val, (self, other))

                def _backward():
                    self.gradient += result.gradient
                    other.gradient += result.gradient
                result._backward = _backward
                return result

            def __mul__(self, other):
                result = Value(self.val * other.val, (self, other))

                def _backward():
                    self.gradient += {slip} * result.gradient
                    other.gradient += self.val * result.gradient
                result._backward = _backward
                return result
        """)
    assert result["status"] == status, result
    assert "(a + b) * (a + b), by a" in [row["name"] for row in result["checks"][0]["rows"]]


@pytest.mark.parametrize("product", ["__matmul__", "matmul", "dot"])
@pytest.mark.parametrize("slip, found", [("", "correct"), ("0 * out.grad + 1 + 0 * ", "wrong")])
def test_an_engine_without_times_is_checked_with_matrix_products(check, product, slip, found):
    head, _, tail = ARRAYS.replace("__matmul__", product).partition("    def __mul__")
    code = head + tail[tail.index("    def backward"):]
    _, (result,) = check(engine=code.replace("+ out.grad @", f"+ ({slip}out.grad) @"))
    assert result["status"] == found, result
