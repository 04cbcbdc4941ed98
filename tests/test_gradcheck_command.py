"""The gradient checker's samples, its words and its command."""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minialex as ma
import minialex.functional as F
from minialex import nn
from minialex.gradcheck import __main__ as command
from minialex.gradcheck import engine, gradcheck, sampling

random = np.random.default_rng(7)


class Square(ma.Function):
    """x², whose gradient is given as factor · g · x."""

    def __init__(self, factor):
        self.factor = factor

    def forward(self, x):
        self.save_for_backward(x)
        return np.square(x)

    def backward(self, g):
        (x,) = self.saved
        return self.factor * g * x


@given(shape=st.lists(st.integers(1, 9), max_size=3), samples=st.integers(1, 40),
       seed=st.integers(0, 99), zeros=st.booleans())
@settings(max_examples=50, deadline=None)
def test_samples_are_different_entries_and_all_when_they_fit(shape, samples, seed, zeros):
    gradient = np.zeros(shape) if zeros else np.ones(shape)
    chosen = sampling.entries(gradient, tuple(shape), samples, np.random.default_rng(seed))
    assert len(set(chosen)) == len(chosen) == min(samples, gradient.size)
    assert all(len(index) == len(shape) and all(0 <= i < n for i, n in zip(index, shape))
               for index in chosen)


def test_samples_are_drawn_where_there_is_a_gradient():
    gradient = np.zeros(1000)
    gradient[::7] = 1
    chosen = sampling.entries(gradient, (1000,), 40, np.random.default_rng(0))
    assert sum(gradient[index] for index in chosen) >= 18


def test_the_table_fits_80_columns_and_shows_both_values():
    model = nn.Sequential(a_layer_with_a_rather_long_name=nn.Linear(4, 3))
    wrong = gradcheck(Square(3), random.normal(size=(11, 12, 13)))
    for report in (gradcheck(model, random.normal(size=(2, 4))), wrong):
        assert max(map(len, str(report).splitlines())) <= 80
    row = wrong.rows[0]
    assert f"{row.numeric:.9g}" in str(wrong) and str(list(row.index)) in str(wrong)
    assert row.analytic == pytest.approx(1.5 * row.numeric)
    assert json.loads(json.dumps(wrong.to_dict()))["rows"][0][
        "verdict"] == "off by a constant factor"


def python(*arguments):
    return subprocess.run([sys.executable, "-W", "error", *arguments], capture_output=True,
                          text=True, timeout=1200, cwd=Path(__file__).parents[1])


def test_function_and_command_share_one_name():
    lines = ["import minialex as ma, minialex.gradcheck", "from minialex import gradcheck",
             "import minialex.functional as F", "from minialex.gradcheck import gradcheck as same",
             "x = [0.5, 1.5]", "assert ma.gradcheck(F.tanh, [x]) and gradcheck(F.tanh, [x]) and "
             "same(F.tanh, [x])", "assert minialex.gradcheck is gradcheck and callable(gradcheck)"]
    done = python("-c", "\n".join(lines))
    assert (done.returncode, done.stderr) == (0, "")
    asked = python("-m", "minialex.gradcheck", "--help")
    assert (asked.returncode, asked.stderr) == (0, "") and "--json" in asked.stdout


def test_an_unknown_option_is_one_line_and_status_2(capsys):
    assert command.main(["--nonsense"]) == 2
    text = capsys.readouterr().err
    assert text.count("\n") == 1 and "--nonsense" in text


def test_the_command_prints_all_and_its_status_tells(monkeypatch, capsys):
    right = gradcheck(F.relu, random.normal(size=4))
    wrong = gradcheck(Square(0), random.normal(size=4))
    for reports, status in (([right], 0), ([right, wrong], 1)):
        monkeypatch.setattr(engine, "reports", lambda reports=reports: iter(reports))
        assert command.main([]) == status
        text = capsys.readouterr().out
        assert f"{len(reports) - status} of {len(reports)} correct" in text and (
            "zero" in text) == (status == 1)
        assert max(map(len, text.splitlines())) <= 80
        assert command.main(["--json"]) == status
        assert json.loads(capsys.readouterr().out)["correct"] == (status == 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no closed pipes of this kind")
def test_a_reader_that_leaves_early_is_no_error():
    with subprocess.Popen([sys.executable, "-W", "error", "-m", "minialex.gradcheck"],
                          cwd=Path(__file__).parents[1], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as command_line:
        command_line.stdout.readline()
        command_line.stdout.close()
        assert command_line.stderr.read() == ""
    assert command_line.returncode == 141
