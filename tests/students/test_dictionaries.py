"""Parameters in a dictionary that the code reads by name, as recurrent cells have them; and a
dictionary in which a layer keeps its averages."""
import pytest
from student_files import verdicts

COLUMNS = """
    import numpy as np

    def rnn_cell_forward(xt, a_prev, parameters):
        a = np.tanh(parameters["Wax"] @ xt + parameters["Waa"] @ a_prev + parameters["ba"])
        return a, parameters["Wya"] @ a + parameters["by"], (a, a_prev, xt, parameters)

    def rnn_cell_backward(da_next, cache):
        a, a_prev, xt, parameters = cache
        d = da_next * (1 - a ** 2)
        return {"dxt": parameters["Wax"].T @ d, "da_prev": parameters["Waa"].T @ d,
                "dWax": d @ xt.T, "dWaa": d @ a_prev.T, "dba": d.sum(axis=1, keepdims=True)}

    def rnn_forward(x, a0, parameters):
        n_y, n_a = parameters["Wya"].shape
        a, caches, last = np.zeros((n_a, *x.shape[1:])), [], a0
        for t in range(x.shape[2]):
            last, _, cache = rnn_cell_forward(x[:, :, t], last, parameters)
            a[:, :, t] = last
            caches.append(cache)
        return a, (caches, x)

    def rnn_backward(da, caches):
        caches, x = caches
        found = {"dx": np.zeros_like(x), "dWax": 0, "dWaa": 0, "dba": 0}
        before = np.zeros_like(da[:, :, 0])
        for t in reversed(range(x.shape[2])):
            step = rnn_cell_backward(da[:, :, t] + before, caches[t])
            found["dx"][:, :, t], before = step["dxt"], step["da_prev"]
            for name in ("dWax", "dWaa", "dba"):
                found[name] = found[name] + step[name]
        return {**found, "da0": before}
"""
ROWS = """
    import numpy as np

    def lstm_step_forward(x, prev_h, prev_c, params):
        z = np.concatenate([prev_h, x], axis=1)
        f = 1 / (1 + np.exp(-(z @ params["Wf"] + params["bf"])))
        g = np.tanh(z @ params["Wg"] + params["bg"])
        c = f * prev_c + g
        return np.tanh(c), c, (z, f, g, c, prev_c, params)

    def lstm_step_backward(dnext_h, dnext_c, cache):
        z, f, g, c, prev_c, params = cache
        dc = dnext_c + dnext_h * (1 - np.tanh(c) ** 2)
        df, dg = dc * prev_c * f * (1 - f), dc * (1 - g ** 2)
        dz, H = df @ params["Wf"].T + dg @ params["Wg"].T, c.shape[1]
        return {"dx": dz[:, H:], "dprev_h": dz[:, :H], "dprev_c": dc * f, "dWf": z.T @ df,
                "dWg": z.T @ dg, "dbf": df.sum(axis=0), "dbg": dg.sum(axis=0)}
"""


@pytest.mark.parametrize("code, right, wrong, slipped", [
    (COLUMNS, "d.sum(axis=1, keepdims=True)", "d.sum(axis=1, keepdims=True) * 2", "ba"),
    (ROWS, '"dWg": z.T', '"dWg": -z.T', "Wg")])
def test_a_recurrent_cell_with_a_dictionary_is_checked(check, code, right, wrong, slipped):
    status, (result,) = check(cell=code)
    assert status == 0 and result["status"] == "correct", result
    assert code.count(right) == 1
    status, (result,) = check(cell=code.replace(right, wrong))
    assert {one["status"] for one in result["checks"]} == {"wrong"}
    assert {row["name"] for one in result["checks"] for row in one["rows"]
            if row["verdict"] not in ("correct", "not compared")} == {slipped}


def test_a_dictionary_that_a_layer_fills_begins_empty(check):
    status, (result,) = check(norm="""
    def center_forward(x, state):
        mean = x.mean(axis=0)
        state["mean"] = 0.9 * state.setdefault("mean", 0 * mean) + 0.1 * mean
        return x - mean, None

    def center_backward(dout, _):
        return dout - dout.mean(axis=0)
    """)
    assert status == 0 and verdicts(result) == {"x": "correct"}


RELU = """
    import numpy as np

    def relu(x):
        return np.maximum(x, 0)

    def relu_backward(dout, x):
        return dout * (x > 0)
"""


@pytest.mark.parametrize("other", [
    "def load(path):\n        x = np.load(path)\n        return x['images'], x['labels']",
    "def count(words):\n        x = {}\n        x['all'] = len(words)\n        return x.items()",
    "def show(x):\n        print(x['title'])",
    "def both(path):\n        x = dict(a=path)\n        return relu(x['a']), x.keys()"])
def test_a_dictionary_of_that_name_in_another_function_is_another(check, other):
    status, (result,) = check(relu=RELU + f"\n    {other}\n")
    assert status == 0 and verdicts(result) == {"x": "correct"}


@pytest.mark.parametrize("first", [
    "x = x['values'] if isinstance(x, dict) else x", "x = clean(x)", "x = x.copy(); told(x)"])
def test_what_runs_with_an_array_gets_one(check, first):
    """It may take a dictionary, too, or hand the array on to what makes one of it."""
    status, (result,) = check(relu=RELU.replace("return np", f"{first}\n        return np") + """
    def clean(x):
        return x.get('values') if isinstance(x, dict) else x

    def told(x):
        x = {'values': x}
        return x['values']
""")
    assert status == 0 and verdicts(result) == {"x": "correct"}


def test_a_dictionary_is_followed_by_whatever_name_it_is_handed_on(check):
    status, (result,) = check(linear="""
    import numpy as np

    def product(x, theta):
        return x @ theta["W"]

    def shifted(x, p):
        return product(x, theta=p) + p["b"]

    def linear_forward(x, params):
        return shifted(x, params), (x, params)

    def linear_backward(dout, cache):
        x, params = cache
        return {"dx": dout @ params["W"].T, "dW": x.T @ dout, "db": dout.sum(axis=0)}
    """)
    assert status == 0 and verdicts(result) == dict.fromkeys(("x", "W", "b"), "correct")


@pytest.mark.parametrize("height, width", [("height", "width"), ("h", "w"), ("size", "size")])
@pytest.mark.parametrize("step, found", [("+=", "remarks"), ("=", "wrong")])  # ties
def test_a_window_is_told_in_its_dictionary_without_the_word_pool(
        check, height, width, step, found):
    _, (result,) = check(pool=f"""
        import numpy as np

        def windows(x, pool_param):
            s, HH, WW = pool_param["stride"], pool_param["{height}"], pool_param["{width}"]
            for j in range((x.shape[2] - HH) // s + 1):
                for k in range((x.shape[3] - WW) // s + 1):
                    yield j, k, slice(j * s, j * s + HH), slice(k * s, k * s + WW)

        def max_pool_forward(x, pool_param):
            every = list(windows(x, pool_param))
            out = np.zeros((*x.shape[:2], every[-1][0] + 1, every[-1][1] + 1))
            for j, k, rows, columns in every:
                out[:, :, j, k] = x[:, :, rows, columns].max(axis=(2, 3))
            return out, (x, out, pool_param)

        def max_pool_backward(dout, cache):
            x, out, pool_param = cache
            dx = np.zeros_like(x)
            for j, k, rows, columns in windows(x, pool_param):
                mask = x[:, :, rows, columns] == out[:, :, j:j + 1, k:k + 1]
                part = dx[:, :, rows, columns]
                part[mask] {step} (mask * dout[:, :, j:j + 1, k:k + 1])[mask]
            return dx
        """)
    assert result["status"] == found, result


KEPT = """
    import numpy as np

    class Net:
        def __init__(self, n_in, n_hidden):
            self.{name} = {{"W1": np.random.randn(n_in, n_hidden), "b1": np.zeros(n_hidden)}}

        def forward(self, X):
            self.X = X
            return X @ self.{name}["W1"] + self.{name}["b1"]

        def backward(self, dY):
            {stores}{{"{d}W1": self.X.T @ dY, "{d}b1": dY.{reduced}(axis=0)}}
    """


@pytest.mark.parametrize("name", ["theta", "model", "weights", "params"])
@pytest.mark.parametrize("stores, d", [("return ", ""), ("return ", "d"), ("self.grads = ", ""),
                                       ("self.d{name} = ", "")])
def test_a_dictionary_of_parameters_by_any_name(check, name, stores, d):
    for reduced, found in (("sum", "correct"), ("max", "wrong")):
        code = KEPT.format(name=name, stores=stores.format(name=name), d=d, reduced=reduced)
        _, (result,) = check(kept=code if "return" in stores else code.rstrip()
                             + f'\n            return dY @ self.{name}["W1"].T\n')
        assert result["status"] == found and verdicts(result)["W1"] == "correct", result


@pytest.mark.parametrize("dw, expected", [
    ("x.T @ grad", ["correct", "correct"]), ("2 * x.T @ grad", ["off by a constant factor",
                                                                "correct"]),
    ("x.T @ grad / len(x)", ["mean where a sum is due", "correct"])])
@pytest.mark.parametrize("back", ["return params", "pass"])
def test_parameters_that_backward_steps_where_they_lie(check, dw, expected, back):
    """params[0] -= … of what forward unpacks: what one step takes off is the gradient."""
    _, (result,) = check(line=f"""
        import numpy as np

        def forward(params, x):
            weights, bias = params
            return x @ weights + bias

        def backward(params, x, lr, grad):
            w_grad, b_grad = {dw}, np.sum(grad, axis=0)
            params[0] -= w_grad * lr
            params[1] = params[1] - b_grad * lr
            {back}
        """)
    rows = [row["verdict"] for row in result["checks"][0]["rows"][:2]]
    assert rows == expected, result
