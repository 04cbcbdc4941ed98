"""Hand-ins for an older NumPy, or with words of their own for options."""
import textwrap

import pytest
from student_files import command, verdicts, write

OLD = {"np.float": "float", "np.product": "np.prod", "np.alltrue": "np.all",
       "np.lib.pad": "np.pad", "np.float_": "np.float64", "np.NaN": "np.nan",
       "np.mat": "np.asmatrix", "np.asscalar": "x.item()", "newshape=": "shape="}
USES = {"np.float": "x.astype(np.float)", "np.product": "x * np.product([1, 1])",
        "np.alltrue": "x * np.alltrue([1])",
        "np.lib.pad": "np.lib.pad(x, 1, 'constant')[1:-1, 1:-1]",
        "np.float_": "np.float_(1) * x", "np.NaN": "np.where(x != x, np.NaN, x)",
        "np.mat": "np.asarray(np.mat(x))", "np.asscalar": "x * np.asscalar(np.ones(1))",
        "newshape=": "np.reshape(x, newshape=x.shape)"}


@pytest.mark.parametrize("name, now", OLD.items())
@pytest.mark.parametrize("factor", ["2", "-2"])
def test_what_newer_numpy_has_dropped_is_understood_and_told(tmp_path, name, now, factor):
    said = command(write(tmp_path, "old", f"""
        import numpy as np

        def twice_forward(x):
            return 2 * {USES[name]}, None

        def twice_backward(dout, cache):
            return {factor} * dout
    """)).stdout
    assert f"({name} is gone from newer NumPy: {now})" in " ".join(said.split()), said
    assert ("sign flipped" in said) == (factor == "-2")


def test_a_name_that_numpy_never_had_is_an_error(check):
    _, (result,) = check(old="import numpy as np\n\ndef twice_forward(x):\n    return np.twice(x)\n"
                             "def twice_backward(dout, x):\n    return 2 * dout\n")
    assert "'numpy' has no attribute 'twice'" in result["checks"][0]["error"]["message"]


ONE = "newer NumPy takes no array for a number: write x.item()"
RAGGED = "newer NumPy makes no array of rows of different lengths: add dtype=object"
REFUSED = {"y[0, 0] = one": ONE, "y[0, :1] = one": "", "y[0, 0] += one - x[0, 0]": ONE,
           "y[0, 0] -= x[0, 0] - one": ONE, "y[0, 0] *= one / x[0, 0]": ONE,
           "y[..., 0, 0] = one[:, None]": "", "np.zeros(2)[0] = np.matrix(one)": ONE,
           "kept = {}; kept['one'] = one; assert kept['one'].shape == (1,)": "",
           "kept = [0]; kept[-1] = one; assert kept[0].shape == (1,)": "",
           "y[0, 0] = float(one)": ONE, "int(one)": ONE, "math.exp(one)": ONE, "'%.2f' % one": ONE,
           "'%s %d' % (one, one)": ONE, "f'{1}%f' % one": ONE, "log(abs(one))": ONE,
           "y[0, 0] = np.array([one, 2.0])[0]": ONE, "float(x[0, 0])": "",
           "y[0, 0] = np.array([[one[0]], [1, 2]])[0][0]": RAGGED,
           "y[0] = np.asarray([x[0], x, x[:, 0]])[0]": RAGGED}


@pytest.mark.parametrize("line, now", REFUSED.items())
@pytest.mark.parametrize("factor", ["2", "-2"])
def test_what_newer_numpy_refuses_is_done_and_told(tmp_path, line, now, factor):
    said = " ".join(command(write(tmp_path, "old", f"""
        import math
        import numpy as np
        from math import log

        def twice_forward(x):
            y, one = x.copy(), x[0, :1]
            {line}
            return 2 * y, None

        def twice_backward(dout, cache):
            return {factor} * dout
    """)).stdout.split())
    assert (f"({now})" in said) == bool(now) and ("newer NumPy" in said) == bool(now), said
    assert ("sign flipped" in said) == (factor == "-2") != ("1 of 1 correct" in said), said


@pytest.mark.parametrize("line, error", [
    ("y[0, 0] = x[0]", "setting an array element with a sequence"), ("float(x)", "only 0-dim"),
    ("np.array([[1], [2, 3]], dtype=float)", "inhomogeneous"), ("'%d' % 'two'", "%d format")])
def test_what_numpy_always_refused_is_an_error(check, line, error):
    _, (result,) = check("--shape", "x=4,5", old=f"""
        import numpy as np
        def twice_forward(x):
            y = x.copy()
            {line}
            return 2 * y, None
        def twice_backward(dout, cache):
            return 2 * dout
    """)
    assert error in result["checks"][0]["error"]["message"]


POOL = """
    import numpy as np

    def windows(x, options):
        rows, columns, step = options['{rows}'], options['{columns}'], options['{step}']
        for i in range((x.shape[1] - rows) // step + 1):
            for j in range((x.shape[2] - columns) // step + 1):
                yield i, j, (slice(None), slice(i * step, i * step + rows),
                             slice(j * step, j * step + columns))

    def {name}_pool_forward(x, {options}):
        places = list(windows(x, {options}))
        out = np.zeros((len(x), places[-1][0] + 1, places[-1][1] + 1, x.shape[3]))
        for i, j, place in places:
            out[:, i, j] = x[place].{name}(axis=(1, 2))
        return out, (x, {options})

    def {name}_pool_backward(dout, cache):
        x, {options} = cache
        dx = np.zeros_like(x)
        for i, j, place in windows(x, {options}):
            dx[place] {equals} dout[:, i, j][:, None, None] / x[place][0, ..., 0].size
        return dx
"""


@pytest.mark.parametrize("words", [("pool_h", "pool_w", "stride"), ("HH", "WW", "s"),
                                   ("kernel_height", "kernel_width", "step"), ("f", "f", "stride")])
@pytest.mark.parametrize("options", ["pool_param", "hparameters"])
@pytest.mark.parametrize("equals", ["+=", "="])
def test_a_dictionary_of_options_is_filled_by_its_own_words(check, words, options, equals):
    code = POOL.format(name="mean", options=options, equals=equals,
                       **dict(zip(("rows", "columns", "step"), words)))
    _, (result,) = check(pool=textwrap.dedent(code))
    assert (verdicts(result)["x"] == "correct") == (equals == "+="), result
