"""What shows with more axes, or with other ones, than were drawn first: layers that flatten their
input, windows over rows, over single pictures."""
import pytest
from student_files import verdicts

FLATTENING = """
    import numpy as np

    class Vectorize:
        def forward(self, inputs):
            self.shape = inputs.shape
            return inputs.reshape(len(inputs), -1)

        def backward(self, grad):
            return grad{back}

    class Hidden:
        def __init__(self, n_in, n_out):
            self.W = np.random.randn(n_in, n_out)

        def forward(self, x):
            self.shape, self.x = x.shape, x.reshape(len(x), -1)
            return self.x @ self.W

        def backward(self, dout):
            self.dW = self.x.T @ dout
            return (dout @ self.W.T){back}

    class Softmax:
        def forward(self, x):
            self.y = np.exp(x) / np.exp(x).sum(axis=1).reshape(-1, 1)
            return self.y

        def backward(self, dout):
            return self.y * (dout - (self.y * dout).sum(axis=1).reshape(-1, 1))
    """


def test_what_flattens_its_input_gives_the_shape_back(check):
    status, (result,) = check(flattening=FLATTENING.format(back=".reshape(self.shape)"))
    assert (status, len(result["checks"])) == (0, 3), result
    status, (result,) = check(flattening=FLATTENING.format(back=""))
    assert [one["status"] for one in result["checks"]] == ["wrong", "wrong", "correct"], result
    assert verdicts(result)["inputs"] == "shape differs"


WINDOWS = """
    import numpy as np

    class Pooling:
        def __init__(self, pool_size=2, stride=2):
            self.k, self.s = pool_size, stride

        def forward(self, x):
            self.x, k, s = x, self.k, self.s
            counts = [(n - k) // s + 1 for n in np.array(x.shape)[{axes}]]
            {shape} = x.shape
            out = np.zeros({out})
            for at in np.ndindex(*counts):
                {place} = at
                out[{to}] = x[{window}].mean(axis={reduced})
            return out

        def backward(self, dout):
            dx, k, s = np.zeros_like(self.x), self.k, self.s
            for at in np.ndindex(*np.array(dout.shape)[{axes}]):
                {place} = at
                dx[{window}] {slip}= np.expand_dims(dout[{to}], {reduced}) / k ** {many}
            return dx

    """
ROW, COLUMN = "i * s:i * s + k", "j * s:j * s + k"
OVER = {"rows": {"axes": "2:", "shape": "N, C, L", "out": "(N, C, *counts)", "place": "i,",
                 "to": ":, :, i", "window": f":, :, {ROW}", "reduced": 2, "many": 1},
        "rows, channels last": {"axes": "1:2", "shape": "N, L, C", "out": "(N, *counts, C)",
                                "place": "i,", "to": ":, i", "window": f":, {ROW}", "reduced": 1,
                                "many": 1},
        "a picture": {"axes": ":", "shape": "H, W", "out": "counts", "place": "i, j", "to": "i, j",
                      "window": f"{ROW}, {COLUMN}", "reduced": (0, 1), "many": 2},
        "a picture with colours": {"axes": ":2", "shape": "H, W, C", "out": "(*counts, C)",
                                   "place": "i, j", "to": "i, j", "window": f"{ROW}, {COLUMN}",
                                   "reduced": (0, 1), "many": 2}}


@pytest.mark.parametrize("over", OVER)
def test_windows_overlap_whatever_they_go_over(check, over):
    status, (result,) = check(windows=WINDOWS.format(slip="+", **OVER[over]))
    assert status == 0, result
    status, (result,) = check(windows=WINDOWS.format(slip="", **OVER[over]))
    assert verdicts(result) == {"x": "only the last of overlapping windows kept"}, result


SCALE = """
    import numpy as np

    class ChannelScale:
        def __init__(self, channels):
            self.scale = np.ones({shape})

        def forward(self, x):
            self.x = x
            return x * self.scale

        def backward(self, grad):
            self.grad_scale = (grad * self.x).{reduced}(axis={axes}, keepdims=True)
            return grad * self.scale
    """


@pytest.mark.parametrize("shape, axes", [("(1, channels, 1, 1)", (0, 2, 3)),
                                         ("(1, 1, 1, channels)", (0, 1, 2))])
def test_a_scale_of_four_axes_is_one_of_pictures(check, shape, axes):
    status, (result,) = check(scale=SCALE.format(shape=shape, axes=axes, reduced="sum"))
    assert status == 0, result
    _, (result,) = check(scale=SCALE.format(shape=shape, axes=axes, reduced="max"))
    found = verdicts(result)
    assert found.pop("scale") not in ("correct", "shape differs") and found == {"x": "correct"}


def test_a_mean_that_lacks_is_told_by_the_size_of_its_window(check):
    code = WINDOWS.format(slip="+", **OVER["a picture with colours"]).replace(" / k ** 2", "")
    _, (result,) = check(windows=code)
    (row,) = result["checks"][0]["rows"]
    assert row["detail"].endswith("the size of a window"), row


LOGISTIC = """
    import numpy as np

    def logistic_loss(w, b, X, y):
        p = 1 / (1 + np.exp(-(X @ w + b)))
        loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        return loss, X.T @ (p - y) / len(y), np.sum(p - y){mean}
    """


def test_one_column_is_meant_where_nothing_else_has_the_shape(check):
    status, (result,) = check(logistic=LOGISTIC.format(mean=" / len(y)"))
    assert status == 0, result
    _, (result,) = check(logistic=LOGISTIC.format(mean=""))
    found = verdicts(result)
    assert (found["w"], found["b"]) == ("correct", "off by a constant factor"), result
