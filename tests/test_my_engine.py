"""Your own engine: every right brick passes, typical mistakes get their hint, and the last program
is right with any bricks."""
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from short import first

import minialex as ma

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
BRICKS = sorted(path.stem for path in (LESSONS / "my_engine").glob("[0-9][0-9]_*.py"))
MODULES = ("engine", "train", "bricks", "wall", "checking", "classroom", "progress", "predictions",
           "telling", "evidence", "cells")

# What stands in the solution, what the student wrote, a part of the hint that it must get.
WRONG = {
    "02_tape": [
        ("parent.grad = parent.grad + slope", "parent.grad = slope",
         "a value that was used twice got two slopes"),
        ("reversed(in_order(self, []))", "in_order(self, [])", "the walk begins at the wrong end"),
        ("if not any(value is known for known in order):", "if True:",
         "stands in the list more than once"),
        ("for parent in value.parents:\n            in_order(parent, "
         "order)\n        order.append(value)",
         "order.append(value)\n        for parent in value.parents:\n            in_order(parent, "
         "order)", "parents come before"),
        ("for value in reversed(in_order(self, [])):", "for value in in_order(self, []):",
         "reversed(...)"),
        ("self.slopes)", "self.slopes(1.0))", "write no brackets behind it"),
        ("self.grad = np.ones_like(self.data)", "", "the slope of f: you have 0, it should be 1"),
        ("Tensor(y, tensors", "Tensor(y, [t.data for t in tensors]",
         "the Tensors and not their arrays"),
        ("return Tensor(y, tensors, self.slopes)", "return y",
         "return Tensor(..., tensors, self.slopes)"),
        ("order.append(value)", "pass", "does in_order add nothing"),
    ],
    "04_convolution": [
        (" + b[:, None]", "", "the bias is missing"),
        ("+= columns", "= columns", "Add instead: +="),
        ("    return columns\n", "            return columns\n", "`return` stands inside the loop"),
        ("sum(g[n] @ columns[n].T for n in range(len(g)))",
         "sum(g[n] @ columns[n].T for n in range(1))",
         "only the first picture counts"),
        ("sum(g[n] @ columns[n].T for n in range(len(g)))",
         "(g @ columns.transpose(0, 2, 1)).mean(axis=0)", "that is the mean"),
        ("g.sum(axis=(0, 2))", "g.sum(axis=2)", "add up over the pictures, too"),
        ("[:, :, p : shape[2] - p, p : shape[3] - p]", "", "this still has the border"),
        ("p, K = self.padding", "p, K = 0 * self.padding", "x was not padded"),
        (".reshape(W.shape)\n", "\n", "reshape to the shape of W"),
        ("dx[:, :, p : shape[2] - p, p : shape[3] - p], dW,", "dW,", "returns 2 of 3 gradients"),
    ],
    "06_activation": [
        ("np.maximum(x, 0)", "np.abs(x)", "what is negative becomes 0"),
        ("(x > 0)\n", "(x >= 0)\n", "at 0 itself the slope of this course is 0"),
        ("g * positive", "positive * 1.0", "multiply by g"),
        ("self.save_for_backward(x > 0)\n        return np.maximum(x, 0)",
         "self.save_for_backward(x > 0)\n        x[x < 0] = 0\n"
         "        return x", "ReLU.forward has changed an array"),
        ("(1 - y**2)", "(1 - y)", "y is squared"),
        ("self.save_for_backward(y)", "self.save_for_backward(x)", "with what came out"),
    ],
    "07_pooling": [
        ("dx[winner] += g[place]", "dx[winner] = g[place]",
         "a pixel that wins several windows is paid by each"),
        ("int(np.argmax(x[n, c, top : top + self.z, left : left + self.z]))",
         "self.z**2 - 1 - int(np.argmax(x[n, c, top : top + self.z, left : left + self.z][::-1, "
         "::-1]))", "here the last did"),
        ("n, c, top + i, left + j\n", "n, c, i, j\n", "add s·h and s·w"),
        ("top, left = self.s * h, self.s * w", "top, left = h, w", "start s pixels apart"),
        ("window.mean(", "window.sum(", "divide by z·z"),
        ("self.z**2\n", "self.z\n", "not by z"),
        ("+= share", "= share", "gets its share of each"),
        ("g[:, :, h, w] / self.z**2", "g[:, :, h, w]", "each pixel counts only 1/(z·z)"),
        ("window.mean(axis=(2, 3))", "window.mean()", "axis=(2, 3) only"),
    ],
    "08_response_norm": [
        ("K + ALPHA *", "K + ALPHA / N *", "α is not divided"),
        ("a / s**BETA\n", "a / s\n", "the bracket has the power β"),
        ("da[:, i] -=", "da[:, i] +=", "the second part has a minus"),
        ("j = window(i, a.shape[1])", "j = slice(i, i + 1)", "sum over the window"),
        ("(BETA + 1)", "BETA", "lowers the power by one"),
        ("2 * ALPHA * BETA", "ALPHA * BETA", "a factor 2 is missing"),
        ("** 2).sum(axis=1)", "** 2).sum()", "a sum of its own"),
    ],
    "09_loss": [
        (".mean()", ".sum()", "the mean is wanted"),
        ("return g * p / len(p)", "return p / len(p)", "multiply by g"),
        ("return g * p / len(p)", "return g * p", "divide by N"),
        ("p[np.arange(len(p)), self.labels] -= 1", "", "p - one-hot"),
        ("shifted = z - z.max(axis=1, keepdims=True)", "shifted = z", "e^1000 overflows"),
        ("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum()", "a sum of its own"),
        ("[np.arange(len(z)), self.labels].mean", "[:, self.labels].mean", "takes one of each"),
        ("g * p / len(p)", "g * p / p.size", "not of all entries"),
    ],
    "10_dropout": [
        (" / (1 - self.p)", " * 1.0", "the mean falls to 0.7·x"),
        ("self.u >= self.p", "self.u < self.p", "kept is u >= p"),
        ("return g * mask", "return g", "its gradient is 0"),
        ("return g * mask", "return g * (mask > 0)", "belongs to the slope too"),
    ],
    "11_linear": [
        ("x @ W.T + b", "x @ W.T", "the bias is missing"),
        ("x @ W.T", "x @ W", "Linear.forward stops in line 8 with ValueError"),
        ("g.T @ x", "x.T @ g", "a row of W belongs to an output"),
        ("g.sum(axis=0)", "g", "add up over the pictures, g.sum(axis=0)"),
        ("g.T @ x", "g.T @ x / len(x)", "that is the mean"),
        ("g @ W, g.T @ x", "g @ V, g.T @ x", "Linear.backward stops in line 12 with NameError"),
        ("g.sum(axis=0)", "g.sum(axis=1)", "one slope for each output"),
    ],
    "15_update": [
        ("decay * lr * w", "decay * w", "the learning rate also stands before the decay"),
        ("- lr * g", "+ lr * g", "downhill is against the gradient"),
        ("return w + v, v", "return w - v, v", "v is already the step"),
        ("    v = momentum", "    v -= 0.1 * v\n    v = momentum", "must stay as they are"),
    ],
}


def text_of(folder, name):
    return (LESSONS / folder / f"{name}.py").read_text(encoding="utf-8")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the course with no brick written: course(*names) writes the right ones and returns
    the modules anew."""
    lessons = tmp_path / "lessons"
    for source in [*LESSONS.glob("*.py"), *LESSONS.glob("my_engine/**/*.py"),
                   *LESSONS.glob("exercises/checks/*.py")]:
        target = lessons / source.relative_to(LESSONS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    monkeypatch.setenv("MINIALEX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(lessons / "my_engine"), str(lessons), *sys.path])

    def build(*names):
        for name in MODULES:
            sys.modules.pop(name, None)
        for name in names:
            (lessons / "my_engine" / f"{name}.py").write_text(text_of("solutions/my_engine", name),
                                                              encoding="utf-8")
        importlib.import_module("engine")
        return sys.modules["bricks"]

    yield build
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def judge(course, monkeypatch):
    """judge(name, text): what the check of this brick says to a file with this text, on minialex's
    tape."""
    bricks = course()

    def run(name, text):
        engine = types.ModuleType("engine")
        engine.check, engine.Function = bricks.task(name).check, ma.Function
        monkeypatch.setitem(sys.modules, "engine", engine)
        exec(compile(text, f"{name}.py", "exec"), {"__name__": "__main__"})

    run.Wrong = sys.modules["checking"].Wrong
    return run


def test_each_brick_has_its_skeleton_solution_check_and_wrong_answers():
    wall = importlib.import_module("lessons.wall")
    assert BRICKS == list(wall.BRICKS) == list(WRONG) and all(len(changes) >= 3
                                                              for changes in WRONG.values())
    for folder in ("solutions/my_engine", "my_engine/checks"):
        assert BRICKS == sorted(path.stem for path in (LESSONS / folder).glob("[0-9]*.py")), folder
    assert text_of("my_engine", "engine") == text_of("solutions/my_engine", "engine")
    assert sorted(name for row in wall.ROWS for name in row) == BRICKS


@pytest.mark.parametrize("name", BRICKS)
def test_the_lesson_leads_to_its_brick(name):
    (lesson,) = LESSONS.glob(f"{name[:2]}_*.py")
    text = lesson.read_text(encoding="utf-8")
    assert f"`lessons/my_engine/{name}.py`" in text[text.index("# ## Exercise"):]


@pytest.mark.parametrize("name", BRICKS)
def test_a_right_brick_passes(judge, name):
    judge(name, text_of("solutions/my_engine", name))


@pytest.mark.parametrize("name", BRICKS)
def test_the_skeleton_is_refused_politely(judge, name):
    with pytest.raises(judge.Wrong, match="nothing yet"):
        judge(name, text_of("my_engine", name))


@pytest.mark.parametrize("name, change",
                         [(name, change) for name, changes in WRONG.items() for change in changes])
def test_a_typical_mistake_gets_its_hint(judge, name, change):
    right, wrong, hint = change
    text = text_of("solutions/my_engine", name)
    assert right in text, f"{right!r} is no longer in the solution"
    with pytest.raises(judge.Wrong) as caught:
        judge(name, text.replace(right, wrong, 1))
    assert hint in " ".join(str(caught.value).split())


GARBAGE = [None, "text", float("nan"), [], {}, object(), (None, None), [[1, 2], [3]], True,
           np.zeros((0, 3)), 10**400, 1j]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", BRICKS)
def test_whatever_is_returned_the_check_says_a_sentence(course, name):
    """Each method of each piece in its turn returns nonsense."""
    bricks = course(name)
    pieces, why = bricks.brick(name)
    assert not why
    handed_in = [*([bricks.brick(name)[0]["Convolution"].forward.__globals__[part]
                    for part in ("im2col", "col2im")] if name == "04_convolution" else []),
                 *pieces.values()]
    Wrong = sys.modules["checking"].Wrong
    for position, piece in enumerate(handed_in):
        methods = [m for m in ("forward", "backward", "__call__")
                   if m in vars(piece)] if isinstance(piece, type) else [""]
        for method in methods if piece.__name__ != "Tensor" else []:
            for value in GARBAGE:
                def nonsense(*arguments, value=value):
                    return value

                answers = list(handed_in)
                answers[position] = type(piece.__name__, (piece,),
                                         {method: nonsense}) if method else nonsense
                with pytest.raises(Wrong) as caught:
                    bricks.task(name).check(*answers)
                assert len(str(caught.value)) > 10


# --------------------------------------------------------------------------------- the last program


def everything(course, *names):
    """(the modules' bricks, {network: the largest distance of a slope}, LeNet-5's losses) with
    these bricks written."""
    bricks = course(*names)
    train = importlib.import_module("train")
    images, labels = train.drawn_pictures(classes=5, each=2, size=67)
    u = np.random.default_rng(0).random(size=(2, 10, 64))
    grey = train.drawn_pictures(classes=5, each=2, size=32)[0].mean(axis=1,
                                                                    keepdims=True).astype(float)
    apart = {"LeNet-5": train.compare(train.lenet5, train.lenet5_weights(), grey, labels, u),
             "AlexNet": train.compare(train.small_alexnet, train.small_alexnet_weights(),
                                      images.astype(float), labels, u)}
    losses = train.train(train.lenet5, train.lenet5_weights(), grey, labels, steps=6, lr=0.02)
    return bricks, {name: (len(found), max(found.values()))
                    for name, found in apart.items()}, losses


@pytest.mark.parametrize("names,", first(3, [((),), (tuple(BRICKS),),
                                             *[((name,),) for name in BRICKS]]),
                         ids=lambda names: "+".join(names[:2]) or "none")
def test_the_networks_train_with_any_bricks_and_every_slope_is_minialexs(course, names):
    bricks, apart, losses = everything(course, *names)
    assert {name for name in BRICKS if bricks.brick(name)[0]} == set(names)
    assert (apart["LeNet-5"][0], apart["AlexNet"][0]) == (10, 16)
    assert all(0 <= distance < 1e-10 for _, distance in apart.values())
    assert losses[-1] < 0.7 * losses[0]


def test_the_small_network_is_lenet_layer_by_layer(course):
    course()
    train = importlib.import_module("train")
    model = ma.models.lenet5(num_classes=5)
    weights = {name: p.data for name, p in model.named_parameters()}
    x = np.random.default_rng(0).normal(size=(2, 1, 32, 32)).astype(np.float32)
    tensors = {name: ma.Tensor(w) for name, w in weights.items()}
    assert np.allclose(model(x).data,
                       train.lenet5(train.Minialex, ma.Tensor(x), tensors, None).data, atol=1e-5)


def test_the_other_has_alexnets_layers_and_an_eighth_of_its_kernels(course,
                                                                    weights_without_random_numbers):
    course()
    train = importlib.import_module("train")
    large = {name: p.shape for name, p in ma.models.alexnet("paper").named_parameters()
             if name.startswith("conv")}
    for name, shape in train.SMALL_ALEXNET.items():
        if name.startswith("conv"):
            assert shape[0] == large[f"{name}.weight"][0] // 8 and shape[2:] == large[
                f"{name}.weight"][2:]


def test_a_brick_that_became_wrong_is_not_used_and_why_is_said(course, tmp_path):
    bricks = course("06_activation", "10_dropout", "15_update")
    home = tmp_path / "lessons" / "my_engine"
    for name, right, wrong in [("06_activation", "g * positive", "positive"),
                               ("10_dropout", "return g * mask", "return (g"),
                               ("15_update", "check(update)", "check(updates)")]:
        (home / f"{name}.py").write_text(text_of("solutions/my_engine", name).replace(right, wrong),
                                         encoding="utf-8")
    assert "multiply by g" in bricks.brick("06_activation")[1]
    assert re.match(r"line \d+ stops with SyntaxError", bricks.brick("10_dropout")[1])
    assert bricks.brick("15_update")[1].startswith("line 10 stops with NameError: "
                                                   "name 'updates' is not defined")
    assert bricks.piece("ReLU").__module__ == "bricks"
    with pytest.raises(AttributeError, match="no brick has a piece called Pool"):
        bricks.piece("Pool")


# ----------------------------------------------------------------------------- as a student does it


def run(path, cache, *arguments):
    environment = {**os.environ, "MINIALEX_CACHE": str(cache), "PYTHONIOENCODING": "utf-8",
                   "PYTHONPATH": str(LESSONS.parent)}
    return subprocess.run([sys.executable, str(path), *arguments], cwd=cache, env=environment,
                          capture_output=True, encoding="utf-8", check=False)


def test_a_brick_is_handed_in_shown_and_taken_out_again_when_it_breaks(course, tmp_path):
    course()
    brick = tmp_path / "lessons" / "my_engine" / "11_linear.py"

    def state():
        return json.loads((tmp_path / "course.json").read_text())["bricks"]

    done = run(brick, tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("not yet: Linear.forward "
                                  "returns nothing yet") and "# is yours: 0 of 9." in done.stdout
    assert state() == {"11_linear": "tried"}
    right = text_of("solutions/my_engine", "11_linear")
    brick.write_text(right, encoding="utf-8")
    done = run(brick, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (done.stdout.startswith("right.") and "# 11 linear #" in done.stdout
            and "# is yours: 1 of 9." in done.stdout)
    listed = run("-m", tmp_path, "lessons").stdout
    assert "# 11 linear #" in listed and "my_engine/train.py" in listed.replace(os.sep, "/")
    brick.write_text(right.replace("x @ W.T + b", "x @ W.T"), encoding="utf-8")
    assert run(brick, tmp_path).returncode == 1 and state() == {"11_linear": "tried"}
    other = brick.with_name("mine.py")
    brick.rename(other)
    done = run(other, tmp_path)
    assert (done.returncode == 2 and "there is no brick called mine.py: keep the file's name, "
            "one of 02_tape" in done.stderr)


@pytest.mark.long
def test_the_last_program_says_what_it_found(course, tmp_path):
    course(*BRICKS)
    home = tmp_path / "lessons" / "my_engine"
    (home / "10_dropout.py").write_text(text_of("solutions/my_engine",
                                                "10_dropout").replace("g * mask", "g"),
                                        encoding="utf-8")
    done = run(home / "train.py", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "# is yours: 8 of 9. Missing: 10 dropout." in done.stdout
    assert ("10_dropout.py cannot be used, minialex's stands in: Dropout.backward, dL/dx: "
            "a dropped value" in done.stdout)
    assert "Every slope is minialex's, to rounding, with 8 of 9 bricks of your own." in done.stdout
    for losses in re.findall(r"steps each: ([\d., ]+) \(", done.stdout):
        found = [float(number) for number in losses.split(", ")]
        assert found[-1] < 0.85 * found[0]


def test_a_slope_that_is_not_minialexs_is_status_1(course, monkeypatch, capsys):
    course(*BRICKS)
    train = importlib.import_module("train")
    monkeypatch.setattr(train.Yours.Towers, "backward",
                        lambda self, g: [2 * slope for slope in self.halves[0].backward(g)])
    monkeypatch.setattr(train, "show", lambda title, *rest,
                        **more: [title] if "LeNet" not in title else [])
    assert train.main() == 1
    assert "not minialex's slopes: A small AlexNet." in capsys.readouterr().out
