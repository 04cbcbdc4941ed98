"""01, 16: notebooks' backends, other people's matplotlibrc, homes that may not be written to,
systems without CuPy."""
import re
import shutil
import sys

import numpy as np
import pytest
from cases import ROOT, TRAIN, command
from PIL import Image
from short import chosen, first
from small_runs import leave_blank

from minialex.cli import predict
from minialex.evaluation import figures as training_plots
from minialex.evaluation import plots, report
from minialex.utils import drawing, files

PICTURES = ["curves.png", "filters.png", "predictions.png", "report.html"]
LATIN1 = "font.family: caf\u00e9\n".encode("latin-1")
STRANGE = (b"text.usetex: True\nbackend: TkAgg\naxes.formatter.use_locale: "
           b"True\nfont.size: 33\nsavefig.format: pdf\n")


@pytest.mark.parametrize(
    "variables", first(1, [{"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
                           {"MPLBACKEND": "module://nowhere.backend"}, {"MPLBACKEND": "foo"},
                           {"MPLBACKEND": "TkAgg", "DISPLAY": None}, {"MPLBACKEND": "pdf"}]))
def test_no_backend_is_needed(pictures, tmp_path, variables):
    """01, with --dry-run before it, which draws by the same means."""
    options = [*TRAIN, "--data", pictures, "--out", tmp_path / "run"]
    if chosen["all"]:
        tried = command(*options, "--dry-run", **variables)
        assert tried.returncode == 0 and "pictures drawn" in tried.stdout
    done = command(*options, **variables)
    assert done.returncode == 0 and not done.stderr.strip() and "not drawn" not in done.stdout
    assert all((tmp_path / "run" / name).exists() for name in PICTURES)


DRAW = """
import sys
from minialex.evaluation import plots
with plots.page(sys.argv[1], 2, 1) as paper:
    paper.canvas.subplots().set_title("cost $5 _^{ \u732b \u00c4")
assert "matplotlib.pyplot" not in sys.modules
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """drawn(folder, **environment): the bytes of a picture drawn there; nothing may be said
    meanwhile."""
    import os
    import subprocess

    def draw(folder, **variables):
        environment = {name: value for name, value in (os.environ | variables).items()
                       if value is not None}
        done = subprocess.run([sys.executable, "-c", DRAW, str(folder / "drawn.png")], cwd=folder,
                              capture_output=True, text=True,
                              env=environment | {"PYTHONPATH": str(ROOT)})
        assert done.returncode == 0 and not done.stderr, done.stderr
        return (folder / "drawn.png").read_bytes()

    plain = draw(tmp_path_factory.mktemp("plain"))
    return draw, plain


@pytest.mark.parametrize("content", first(1, [STRANGE, LATIN1, b"\xff\xfe\x00", b"nonsense",
                                              b"backend: no_such_backend\n"]))
@pytest.mark.parametrize("place", ["here", "MATPLOTLIBRC", "MPLCONFIGDIR"])
def test_a_matplotlibrc_changes_nothing(drawn, tmp_path, content, place):
    draw, plain = drawn
    (tmp_path / "settings").mkdir()
    where = tmp_path if place == "here" else tmp_path / "settings"
    (where / "matplotlibrc").write_bytes(content)
    assert draw(tmp_path, **({} if place == "here" else {place: str(where)})) == plain


def test_a_home_that_may_not_be_written_to(drawn, tmp_path):
    draw, plain = drawn
    assert draw(tmp_path, HOME="/proc/nowhere", MPLCONFIGDIR="/proc/nowhere",
                XDG_CACHE_HOME="/proc/nowhere") == plain


def test_the_callers_own_settings_stay(tmp_path):
    import matplotlib

    with matplotlib.rc_context({"font.size": 33, "text.usetex": True}):
        with drawing.figure(tmp_path / "a.png", 1, 1, {}) as figure:
            figure.text(0, 0, "a")
        assert matplotlib.rcParams["font.size"] == 33 and matplotlib.rcParams["text.usetex"]


@pytest.mark.parametrize("ending", ["png", "pdf", "svg", "jpg", "jpeg"])
def test_every_format_carries_its_mark(tmp_path, ending):
    output = files.Output(tmp_path / f"a.{ending}", "prediction", "photo.jpg")
    for _ in range(2):
        with drawing.figure(output, 3, 2, {}) as figure:
            figure.subplots().imshow(np.random.default_rng(0).random((90, 90)))
    assert files.found_mark(output) == ("prediction", output.mark[-16:])


# ----------------------------------------------------------------------------- a picture that fails


def broken(*arguments, **options):
    raise RuntimeError("no letters left\nand more")


def test_a_picture_that_fails_is_a_line_and_the_run_goes_on(pictures, tmp_path, monkeypatch,
                                                            capsys):
    from minialex.cli import train

    leave_blank(monkeypatch)
    monkeypatch.setattr(training_plots, "curves", broken)
    monkeypatch.setattr(report, "_sheet", broken)
    options = [*TRAIN[1:], "--data", str(pictures), "--out", str(tmp_path / "run")]
    assert train.main(options) == 0
    told = capsys.readouterr().out
    assert told.count("curves.png was not drawn: RuntimeError: no letters left") == 1
    assert re.findall(r"warning +(.*) predictions of report.html was not drawn", told)
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {
        "metrics.csv", "checkpoint-last.npz", "checkpoint-best.npz", "filters.png",
        "predictions.png", "report.html"}
    assert "This picture could not be drawn." in (tmp_path / "run"
                                                  / "report.html").read_text("utf-8")
    monkeypatch.undo()
    leave_blank(monkeypatch, drawn=["curves"])
    assert train.main(["--resume", str(tmp_path / "run")]) == 0
    assert (tmp_path / "run" / "curves.png").exists()


def test_predictions_are_printed_whatever_becomes_of_their_picture(tiny_run, pictures, tmp_path,
                                                                   monkeypatch, capsys):
    photo = shutil.copy(next((pictures / "val" / "leaves").iterdir()), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plots, "beside", broken)
    assert predict.main([str(tiny_run), str(photo)]) == 0
    told = capsys.readouterr()
    assert "%" in told.out and "as a picture" not in told.out
    assert told.err.count("\n") == 1 and "not drawn: RuntimeError: no letters left" in told.err


# ------------------------------------------------------------------------------ python -OO, threads


@pytest.mark.long
def test_every_command_runs_without_docstrings_and_asserts(pictures, tmp_path):
    run, out = tmp_path / "run", tmp_path
    Image.new("RGB", (40, 40)).save(tmp_path / "photo.png")
    student = tmp_path / "cube.py"
    student.write_text("def cube(x):\n    return x ** 3\n\n\ndef cube_backward(dy, "
                       "x):\n    return 3 * dy * x ** 2\n")
    wrong = tmp_path / "wrong.py"
    wrong.write_text(student.read_text().replace("3 * dy", "2 * dy"))
    for status, arguments in [
        (0, [*TRAIN, "--data", pictures, "--out", run]), (0, ["evaluate", run, "--device", "cpu"]),
        (0, ["predict", run, out / "photo.png", "--folder", out, "--features"]),
        (0, ["report", run, "--device", "cpu"]),
        (0, ["compare", run, "--out", out / "c.png"]), (0, ["export", run, out / "x.pth"]),
        (0, ["pack", pictures, out / "packed"]),
        (0, ["summary"]), (0, ["gradcheck", student]), (1, ["gradcheck", wrong]),
        (2, ["gradcheck", out / "none.py"]),
        (2, [*TRAIN, "--data", out / "nowhere"]),
    ]:
        done = command(*arguments, python=["-OO"])
        assert done.returncode == status and "Traceback" not in done.stderr, (arguments,
                                                                              done.stdout,
                                                                              done.stderr)


@pytest.mark.parametrize("name", ["train", "evaluate", "predict", "report", "compare", "export",
                                  "pack", "summary", "gradcheck"])
def test_threads_that_are_no_number_are_a_sentence(name):
    done = command(name, MINIALEX_THREADS="two")
    assert done.returncode == 2 and done.stderr.count(
        "\n") == 1 and "MINIALEX_THREADS is 'two'" in done.stderr


# -------------------------------------------------------------------------------- what is installed


@pytest.mark.parametrize("variables",
                         [{"TQDM_MININTERVAL": "abc"}, {"TQDM_NCOLS": "wide", "TQDM_DISABLE": "1"}])
def test_variables_of_tqdm_that_are_no_numbers_change_nothing(variables):
    done = command("summary", "lenet5", **variables)
    assert (done.returncode, done.stderr) == (0, "") and "parameters" in done.stdout


def test_a_system_without_cupy_takes_the_core():
    """16. No marker tells musl from glibc, so pip install . leaves CuPy out and requirements.txt
    adds it by platform."""
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    core = [re.match(r"[a-z-]+", line)[0] for line in project["dependencies"]]
    assert core == ["numpy", "pillow", "matplotlib", "tqdm", "threadpoolctl"]
    extras = project["optional-dependencies"]
    assert extras["gpu"][0].startswith("cupy-cuda12x[ctk]")
    lines = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
             if not line.startswith("#")]
    tests = [line for line in extras["dev"] if re.match("pytest>|pytest-xdist|hypothesis", line)]
    assert lines[:-1] == [*project["dependencies"], *tests] and len(tests) == 3
    assert lines[-1].startswith("cupy-cuda12x>=14,<15; ") and "platform_machine" in lines[-1]
    assert "`pip install .`" in (ROOT / "README.md").read_text("utf-8")
