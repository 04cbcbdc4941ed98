"""The number of a file's own examples, which its functions divide by, is that of the drawn ones."""
import pytest
from student_files import write

from minialex.gradcheck.__main__ import main

LINE = """
import numpy as np

{name} = 1000
data = np.random.normal(0, 1, ({name}, 2))

def mse(X, w, y):
    return np.mean((X @ w - y) ** 2)

def mse_grad(X, w, y):
    return {two} * X.T @ (X @ w - y) / {name}
"""


@pytest.mark.parametrize("name", ["N", "m", "n_samples", "n"])
@pytest.mark.parametrize("two, status", [("2", "correct"), ("-2", "wrong"), ("3", "wrong")])
def test_a_gradient_may_divide_by_the_count_of_the_files_examples(check, name, two, status):
    _, (result,) = check(line=LINE.format(name=name, two=two))
    assert result["status"] == status, result


def test_it_is_said(tmp_path, capsys):
    assert main([str(write(tmp_path, "line", LINE.format(name="N", two="2")))]) == 0
    assert "with N = 4 of the drawn examples" in capsys.readouterr().out
