"""Two small layers as students write them, and how files are written and the command is run."""
import textwrap
from pathlib import Path

from in_process import run_here

ROOT = Path(__file__).resolve().parents[2]
SKELETON = ROOT / "lessons" / "gradient_bugs" / "skeleton.py"

LINEAR = """
    import numpy as np

    def linear_forward(x, w, b):
        return x @ w + b, (x, w)

    def linear_backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout, dout.sum(axis=0)
"""
RELU = """
    import numpy as np

    def relu(x):
        return np.maximum(x, 0)

    def relu_backward(dy, x):
        return dy * (x > 0)
"""


def write(folder, name, code):
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(code), encoding="utf-8")
    return path


def verdicts(result):
    return {row["name"]: row["verdict"] for check in result["checks"] for row in check["rows"]}


def command(*arguments):
    return run_here("gradcheck", [*map(str, arguments)], ROOT)
