"""Training code in which little is called like a gradient, or the data are not called like data:
one step of it is compared all the same. Each with the slip that stands behind the bar."""
import pytest
from short import first
from student_files import verdicts
from test_steps import variant

SCRIPTS = {
    "by way of a mean of earlier steps": """
        def teach(X, y, n_hidden, epochs, rate, keep=0.9, part=0.7):
            W, b = np.random.randn(X.shape[1], n_hidden), np.zeros((1, n_hidden))
            V = np.random.randn(n_hidden, y.shape[1])
            mean_W, mean_b, mean_V = np.zeros_like(W), np.zeros_like(b), np.zeros_like(V)
            for epoch in range(epochs):
                h = np.tanh(X @ W + b)
                out = h @ V
                err = out - y
                below = err @ V.T * {(1 - h ** 2)|(1 - h)}
                dV, dW, db = h.T @ err, X.T @ below, below.sum(axis=0, keepdims=True)
                mean_W = keep * mean_W + (1 - keep) * dW
                move_W = (1 - part) * dW + part * mean_W
                W -= rate * move_W
                mean_b = keep * mean_b + (1 - keep) * db
                move_b = (1 - part) * db + part * mean_b
                b -= rate * move_b
                mean_V = keep * mean_V + (1 - keep) * dV
                move_V = (1 - part) * dV + part * mean_V
                V -= rate * move_V
            return W, b, V
        """,
    "the slope is another function's": """
        def act(z):
            return 1 / (1 + np.exp(-z))

        def act_slope(a):
            return a * (1 - a)

        import store_of_data
        all_pictures, all_names = store_of_data.get("digits")
        pictures, tests, names, others = store_of_data.split(all_pictures, all_names)
        weights, bias = np.random.uniform(-1, 1, (6, 4)), np.zeros(4)
        learning_rate = 0.1
        for epoch in range(50):
            for i in range(len(pictures)):
                x = pictures[i]
                target = names[i]
                out = act(np.dot(x, weights) + bias)
                miss = target - out
                weights += learning_rate * np.outer(x, miss * act_slope(out))
                bias += learning_rate * miss{ * act_slope(out)|}
        """,
    "numbers in lists, and no loop over epochs": """
        inputs, wanted = [0.05, 0.1], [0.01, 0.99]
        low, top = [[0.15, 0.2], [0.25, 0.3]], [[0.4, 0.45], [0.5, 0.55]]
        shift = [0.35, 0.35]
        a, o, hidden = [0, 0], [0, 0], [0, 0]
        for i in range(2):
            a[i] = 1 / (1 + 2.718281828459045 ** -(
                inputs[0] * low[0][i] + inputs[1] * low[1][i] + shift[i]))
        for i in range(2):
            o[i] = 1 / (1 + 2.718281828459045 ** -(a[0] * top[0][i] + a[1] * top[1][i]))
        error = [wanted[i] - o[i] for i in range(2)]
        outer = [error[i] * o[i] * (1 - o[i]) for i in range(2)]
        for i in range(2):
            hidden[i] = (outer[0] * top{[i][0]|[0][i]} + outer[1] * top{[i][1]|[1][i]}) * a[i] * (
                1 - a[i])
        learning_rate = 0.5
        for i in range(2):
            for j in range(2):
                top[i][j] += learning_rate * a[i] * outer[j]
                low[i][j] += learning_rate * inputs[i] * hidden[j]
        """,
    "a function of the file makes the step": """
        alpha = 0.01

        def move(x, d):
            return d.T.dot(x) * alpha

        data, labels = np.random.rand(7, 3), np.random.rand(7, 2)
        low, top = np.ones((8, 3)) / 3, np.ones((2, 8)) / 8
        for epoch in range(5):
            for i in range(len(data)):
                one, label = data[i:i + 1], labels[i:i + 1]
                h = np.tanh(one.dot(low.T))
                guess = h.dot(top.T)
                d_top = guess - label
                d_low = d_top.dot(top) * (1 - h{ ** 2|})
                top -= move(h, d_top)
                low -= move(one, d_low)
        """,
}


@pytest.mark.parametrize("code", first(2, SCRIPTS.values()), ids=lambda one: one.split()[1])
def test_a_step_is_compared_that_nothing_names(check, code):
    _, (result,) = check(net=variant(code, 1))
    assert result["checks"][-1]["status"] == "correct", str(result)
    _, (result,) = check(net=variant(code, 2))
    assert result["checks"][-1]["status"] == "wrong", str(result)
    assert "correct" in verdicts(result).values(), str(result)
