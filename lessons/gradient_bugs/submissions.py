"""python -m lessons.gradient_bugs.submissions FOLDER: thirty submissions of skeleton.py, to try the
checker on.

Some are right, most have one of the gallery's mistakes, some cannot even be run: as in a class.
Then

    python -m minialex.gradcheck FOLDER/*.py --like lessons/gradient_bugs/skeleton.py
"""
import argparse
import re
import sys
import textwrap
from pathlib import Path

from minialex.utils import console

SKELETON = Path(__file__).resolve().parent / "skeleton.py"

RIGHT = {
    "conv": """\
KH, KW = w.shape[2:]
dpadded, dw, db = np.zeros_like(padded), np.zeros_like(w), dout.sum(axis=(0, 2, 3))
for i in range(dout.shape[2]):
    for j in range(dout.shape[3]):
        rows, columns = slice(i * stride, i * stride + KH), slice(j * stride, j * stride + KW)
        dw += np.einsum("nf,nckl->fckl", dout[:, :, i, j], padded[:, :, rows, columns])
        dpadded[:, :, rows, columns] += np.einsum("nf,fckl->nckl", dout[:, :, i, j], w)
H, W = x.shape[2:]
return dpadded[:, :, padding:padding + H, padding:padding + W], dw, db
""",
    "maxpool": """\
dx = np.zeros_like(x)
for n, c, i, j in np.ndindex(dout.shape):
    window = x[n, c, i * stride:i * stride + size, j * stride:j * stride + size]
    row, column = np.unravel_index(window.argmax(), window.shape)
    dx[n, c, i * stride + row, j * stride + column] += dout[n, c, i, j]
return dx
""",
    "cross_entropy": """\
dscores = p.copy()
dscores[np.arange(len(labels)), labels] -= 1
return dout * dscores / len(labels)
""",
}

# (who, the function that differs from the right one, what is written in place of what)
CLASS = [
    ("anna", None, "", ""),
    ("ben", "conv", "columns] += np.einsum", "columns] = np.einsum"),
    ("carla", "maxpool", "np.unravel_index(window.argmax(), window.shape)",
     "np.where(window == window.max())"),
    ("chen", "conv", "dout.sum(axis=(0, 2, 3))", "dout.mean(axis=(0, 2, 3))"),
    ("david", "cross_entropy", " / len(labels)", ""),
    ("elif", None, "", ""),
    ("emma", "conv", "padding:padding + H, padding:padding + W", ":H, :W"),
    ("felix", "cross_entropy", "dscores[np.arange(len(labels)), labels] -= 1\n", ""),
    ("giulia", "conv", "dw += np.einsum", "dw = np.einsum"),
    ("hassan", "conv", "columns = slice(i * stride, i * stride + KH)",
     "columns = slice(i, i + KH)"),
    ("ines", "maxpool", "column] += dout", "column] = dout"),
    ("jan", "conv", "dout.sum(axis=(0, 2, 3))", "dout.sum(axis=(2, 3))"),
    ("julia", "cross_entropy", "return dout", "return -dout"),
    ("kofi", "conv", "return dpadded", "return (dpadded"),
    ("lars", "maxpool", None, None),
    ("lea", "conv", "        rows, columns", "        j = 0\n        while j < 9: "
     "j = j\n        rows, columns"),
    ("linh", "cross_entropy", "/ len(labels)", "/ len(labels) / len(labels)"),
    ("maria", "conv", "KH, KW = w.shape[2:]", "import torch_is_not_here\nKH, KW = w.shape[2:]"),
    ("mehmet", "conv", "        dw +=", "        print(window_that_i_look_at := padded[:, :, "
     "rows, columns])\n        dw +="),
    ("nina", "maxpool", "return dx", "return -dx"),
    ("noah", "cross_entropy", "return dout", "dx = dout"),
    ("olga", None, "", ""),
    ("omar", "conv", "return dpadded[:, :, padding:padding + H, padding:padding + W]",
     "return dpadded"),
    ("paula", "maxpool", "i * stride + row, j * stride + column", "row, column"),
    ("pedro", "conv", 'dout[:, :, i, j], w)', 'dout[:, :, i, j], w[:, :, ::-1, ::-1])'),
    ("ravi", "conv", 'np.einsum("nf,nckl->fckl", dout[:, :, i, j]',
     'np.einsum("nf,nckl->fckl", dout[:, :, j, i]'),
    ("sara", "conv", 'dw += np.einsum("nf,nckl->fckl", dout[:, :, i, j], padded[:, '
     ':, rows, columns])',
     'dw += np.einsum("f,ckl->fckl", dout[0, :, i, j], padded[0, :, rows, columns])'),
    ("tom", "maxpool", "return dx", "return dx / size"),
    ("yuki", "cross_entropy", "dscores = p.copy()", "input('go on? ')\ndscores = p.copy()"),
    ("zoe", "conv", "KH, KW = w.shape[2:]", "import os\nos._exit(0)\nKH, KW = w.shape[2:]"),
]


def submission(function, old, new):
    """The text of skeleton.py, filled in. old: None leaves `function` as it was handed out."""
    text = SKELETON.read_text("utf-8")
    for name, code in RIGHT.items():
        if name == function:
            if old is None:
                continue
            if old and old not in code:
                raise ValueError(f"{name} does not contain {old!r}")
            code = code.replace(old, new)
        start = text.index(f'    raise NotImplementedError("{name}_backward')
        stop = text.index("\n", start) + 1
        text = text[:start] + textwrap.indent(code, "    ") + text[stop:]
    return re.sub(r"\n\n\n# -+ what is checked with.*", "\n", text, flags=re.DOTALL)


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for who, function, old, new in CLASS:
        (folder / f"{who}.py").write_text(submission(function, old, new), encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m lessons.gradient_bugs.submissions",
                                     description="Writes thirty submissions of skeleton.py, "
                                     "to try the gradient checker on.")
    parser.add_argument("folder", type=Path, help="where to; made if it does not exist")
    folder = parser.parse_args(arguments).folder
    write(folder)
    print(f"{len(CLASS)} submissions in {folder}; check them with\n"
          f"python -m minialex.gradcheck {folder}/*.py --like lessons/gradient_bugs/skeleton.py")
    return 0


if __name__ == "__main__":
    sys.exit(console.run("lessons.gradient_bugs.submissions", main))
