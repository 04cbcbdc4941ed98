"""What a scalar engine defines for arrays is no part of its check, and that is said."""
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
MATMUL = ENGINE + """
    def __matmul__(self, other):
        return Value(self.data @ other.data, (self, other))
    def sum(self):
        return Value(self.data.sum(), (self,))
"""


def test_what_no_expression_uses_is_named(check):
    status, (result,) = check(engine=MATMUL)
    assert status == 0 and "__matmul__, sum" in result["checks"][0]["rows"][-1]["evidence"], result
    status, (result,) = check(engine=ENGINE)
    assert status == 0 and "not checked" not in str(result["checks"][0]["rows"]), result
