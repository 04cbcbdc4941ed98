"""What functions read at the top level and is not there, data or what the main part sets: it is
drawn, or made as the file makes it, and that is said."""
import pytest
from student_files import command, verdicts, write

DATA = {
    "loaded": "X = np.load('x.npy')\ny = np.load('y.npy')",
    "both at once": "X, y = load_svmlight_file('a1a.txt')",
    "of a table": "df = pd.read_csv('rows.csv')\nX = df.values[:, :-1]\ny = df['y'].values",
    "of a matrix": "rows = np.loadtxt('rows.csv')\nX, y = rows[:, :-1], rows[:, -1]",
    "of a package": "from sklearn.data import load\nrows = load()\nX, y = rows.data, rows.y",
    "of a module": "from mine.rows import X, y",
    "in a module": "import rows\nX = rows.inputs\ny = rows.targets",
    "line by line": "X, y = [], []\nwith open('rows.dat') as file:\n    for line in file:\n"
                    "        X.append(line.split()[:-1])\n        y.append(line.split()[-1])\n"
                    "X, y = np.array(X), np.array(y)",
    "in the main part": "if __name__ == '__main__':\n    X, y = np.load('xy.npy')",
    "with a column of ones": "X = np.load('x.npy')\ny = np.load('y.npy')\n"
                             "X = (X - X.mean(axis=0)) / X.std(axis=0)",
}
COST = """
{data}
m, n = X.shape
rate = 0.5

def cost(w):
    return ((X @ w - y) ** 2).sum() / (2 * m)

def cost_gradient(w):
    return {slip}X.T @ (X @ w - y) / m
"""


@pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())
def test_data_that_is_not_here_is_drawn(check, data):
    _, (result,) = check(cost=COST.format(data=data, slip=""))
    assert verdicts(result) == {"w": "correct"}, result


@pytest.mark.parametrize("data", [DATA["loaded"], DATA["of a table"]])
def test_what_is_wrong_with_it_is_wrong(check, data):
    _, (result,) = check(cost=COST.format(data=data, slip="2 * "))
    assert verdicts(result) == {"w": "off by a constant factor"}, result


NETWORK = """
{data}

def act(z):
    return np.tanh(z)

def forward(X):
    a = [X]
    for W in weights:
        a.append(act(a[-1] @ W))
    return a

def loss(X, Y):
    return ((forward(X)[-1] - Y) ** 2).sum() / (2 * n_rows)

class Net:
    def __init__(self):
        self.W = np.random.randn(X_train.shape[1], hidden)

    def forward(self, x):
        self.x = x
        return act(x @ self.W)

    def backward(self, dout):
        d = dout * (1 - act(self.x @ self.W) ** 2)
        self.dW = {slip}self.x.T @ d
        return d @ self.W.T
"""
MAIN = """
if __name__ == "__main__":
    X_train, y_train = np.load("x.npy"), np.load("y.npy")
    n_rows, n_in = X_train.shape
    hidden = 7
    sizes = [n_in, hidden, 3]
    weights = [np.random.randn(i, o) for i, o in zip(sizes, sizes[1:])]
"""


@pytest.mark.parametrize("data", [MAIN, MAIN.replace('if __name__ == "__main__"', "if True")])
@pytest.mark.parametrize("slip, found", [("", "correct"), ("-", "sign flipped")])
def test_sizes_and_weights_of_the_main_part_are_as_it_makes_them(check, data, slip, found):
    _, (result,) = check(net=NETWORK.format(data=data, slip=slip))
    assert verdicts(result) == {"x": "correct", "W": found}, result


def test_what_was_drawn_is_said_and_can_be_asked_for(tmp_path):
    file = write(tmp_path, "cost", COST.format(data=DATA["of a table"], slip=""))
    told = " ".join(command(file).stdout.split())
    assert "y 4×3 whole numbers drawn in place of what is not here, m of the file)" in told, told
    told = " ".join(command(file, "--shape", "X=7,3").stdout.split())
    assert "X 7×3" in told and "w 3" in told


@pytest.mark.parametrize("line, uses, found", [
    ("k = int(open('k.npy').read())", "k * x", "correct"),
    ("size = len(np.load('x.npy'))", "x * len(np.zeros(size))", "correct"),
    ("table = np.load('x.npy')", "table * x", "correct")])
def test_numbers_are_numbers_and_what_says_nothing_blames_nobody(check, line, uses, found):
    name = line.split()[0]
    code = "{}\n\ndef part_forward(x):\n    return {}, x\n\ndef part_backward(dout, x):\n" \
           "    return {} * {}\n"
    back = uses.replace("x", "dout", 1) if uses.startswith("x") else uses[:-1] + "dout"
    _, both = check(right=code.format(line, uses, 1, back), wrong=code.format(line, uses, 2, back))
    assert verdicts(both[0]) == {"x": found}, both[0]
    assert both[1]["status"] == "error" and f"what {name} is" in str(both[1]), both[1]


@pytest.mark.parametrize("sign, found", [("-", "correct"), ("+", "wrong")])
def test_what_goes_over_the_data_as_often_as_a_constant_says_trains(check, sign, found):
    """It was taken for a backward, whose new weights are no gradients."""
    _, (result,) = check(trains=f"""
        RATE, ITERATIONS = 0.1, 500
        X, Y = np.load("x.npy"), np.load("y.npy")

        def forward(W, b):
            return X @ W + b

        def backprop(W, b, X, Y):
            for i in range(ITERATIONS):
                d = forward(W, b) - Y
                dW, db = X.T @ d, d.sum(axis=0)
                W = W - RATE * dW
                b = b {sign} RATE * db
            return W, b
        """)
    (one,) = result["checks"]
    assert one["checked"] == "backprop" and one["status"] == found, result


SCRIPT = """
data = {read}
X = data{columns}
labels = data[{label}]
N, D = X.shape
K = len(np.unique(labels))
Y = np.zeros((N, K))
Y[np.arange(N), labels] = 1
W, b = np.random.randn(D, K), np.zeros(K)
for epoch in range(1000):
    P = np.exp(X @ W + b)
    P /= P.sum(axis=1, keepdims=True)
    d = (P - Y) / N
    dW, db = X.T @ d, d.sum({axis})
    W -= 0.1 * dW
    b -= 0.1 * db
"""


@pytest.mark.parametrize("read, columns, label, axis, found", [
    ("pd.read_csv('iris.csv')", ".iloc[:, :4].values", "'kind'", "axis=0", "correct"),
    ("np.loadtxt('iris.csv')", "[:, :-1]", ":, -1", "", "wrong")])
def test_a_script_whose_data_and_so_its_weights_are_not_here(check, read, columns, label, axis,
                                                             found):
    _, (result,) = check(script=SCRIPT.format(read=read, columns=columns, label=label, axis=axis))
    (one,) = result["checks"]
    assert one["status"] == found and verdicts(result)["W"] == "correct", result


def test_what_one_check_drew_is_not_the_next_ones(check):
    _, (result,) = check(both=COST.format(data=DATA["loaded"], slip="") + """
w = np.zeros(n)
for _ in range(100):
    w -= rate * X.T @ (X @ w - y) / len(y)
""")
    assert [one["status"] for one in result["checks"]] == ["correct", "correct"], result


@pytest.mark.parametrize("slip, found", [("", "correct"), ("2 * ", "wrong")])
def test_a_loss_and_a_gradient_of_weights_alone_belong_together(check, slip, found):
    _, (result,) = check(softmax=f"""
        X_train, Y_train = np.load("x.npy"), np.load("y.npy")

        def softmax(z):
            e = np.exp(z - z.max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True)

        def loss(W1, b1):
            return -np.sum(Y_train * np.log(softmax(X_train @ W1 + b1))) / len(X_train)

        def grad(W1, b1):
            d = (softmax(X_train @ W1 + b1) - Y_train) / len(X_train)
            return {slip}X_train.T @ d, d.sum(axis=0)
        """)
    assert [one["status"] for one in result["checks"]] == [found], result
    assert verdicts(result)["b1"] == "correct"


@pytest.mark.parametrize("slip, found", [("2 * ", "correct"), ("", "wrong")])
def test_a_small_w_may_be_a_vector_where_data_are_not_here(check, slip, found):
    """Its mean was that over several columns, which right code was blamed for."""
    _, (result,) = check(line=f"""
        def load():
            global features, targets
            features, targets = np.load("rows.npz")
        load()
        mean = features.mean(axis=0)

        def mse(w):
            return np.mean(((features - mean) @ w - targets) ** 2)

        def mse_grad(w):
            x = features - mean
            return {slip}x.T @ (x @ w - targets) / len(targets)
        """)
    assert [one["status"] for one in result["checks"]] == [found], result
