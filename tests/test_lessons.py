"""The course: lesson 01 settles its claims from anywhere, and turns red when a number in it is
wrong."""
import ast
import importlib
import io
import json
import linecache
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from minialex.utils import in_words

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
FIRST = LESSONS / "01_shape_arithmetic.py"
PARTS = ("classroom", "predictions", "telling", "evidence")
SAID_BY = {"S1": "N1", "S2": "N2", "S3": "N5", "S4": "N3", "S5": "N1, N2", "S6": "N1, N2",
           "S9": "N2", "S11": "N1, N3, N4"}


@pytest.fixture
def classroom(monkeypatch):
    """The helper as a lesson finds it, fresh, with an empty register of claims."""
    monkeypatch.syspath_prepend(str(LESSONS))
    for name in PARTS:
        sys.modules.pop(name, None)
    yield importlib.import_module("classroom")
    for name in PARTS:
        sys.modules.pop(name, None)


@pytest.fixture
def course(monkeypatch):
    monkeypatch.syspath_prepend(str(LESSONS.parent))
    return importlib.import_module("lessons.__main__")


# ---------------------------------------------------------------------------------------- lesson 01


@pytest.fixture(scope="module")
def first_lesson(tmp_path_factory):
    """Lesson 01, run by plain python from a folder that has nothing to do with it: (finished
    process, its claims)."""
    folder = tmp_path_factory.mktemp("elsewhere")
    picture = folder / "pictures" / "01_shape_arithmetic.png"
    done = run(FIRST, folder)
    claims = [json.loads(line)
              for line in (folder / "claims").read_text(encoding="utf-8").splitlines()]
    return done, {record["id"]: record for record in claims}, picture


def run(path, folder):
    places = {"MINIALEX_CLAIMS": str(folder / "claims"),
              "MINIALEX_PICTURES": str(folder / "pictures")}
    environment = {**os.environ, **places, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(path)]
    return subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, encoding="utf-8", check=False)


def test_it_runs_from_anywhere_and_saves_its_picture(first_lesson):
    done, _, picture = first_lesson
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert picture.stat().st_size > 50_000 and str(picture) in done.stdout
    assert "(224 - 11 + 2·0)/4 + 1 = 54.25 → 54" in in_words.read(picture)


def test_a_picture_that_says_no_number_in_words_stops_its_lesson(classroom, tmp_path, monkeypatch,
                                                                 capsys):
    monkeypatch.setattr(classroom, "PICTURES", tmp_path)
    figure = classroom.picture().figure()
    figure.text(0.5, 0.5, "a picture without numbers")
    with pytest.raises(AssertionError, match="not so: the picture empty says its numbers in words"):
        classroom.save(figure, "empty")
    figure.text(0.5, 0.4, "until 5 is written")
    assert in_words.read(classroom.save(figure,
                                        "full")) == "a picture without numbers. until 5 is written."


def test_it_settles_its_claims_and_quotes_who_made_them(first_lesson):
    _, claims, _ = first_lesson
    assert {name: record["said_by"] for name, record in claims.items()} == SAID_BY
    verdicts = {name: record["verdict"].partition(" ")[0].strip(",")
                for name, record in claims.items()}
    assert verdicts == {**dict.fromkeys(SAID_BY, "true"), "S1": "half", "S9": "false"}


@pytest.mark.parametrize(
    "claim, figures",
    [
        ("S1", ["53.25 and 54", "= 54.25 → 54"]),
        ("S2", ["(227 - 11 + 2·0)/4 + 1 = 216/4 + 1 = 55"]),
        ("S3", ["= 55.75 → 55", "last 3 columns", "padding only"]),
        ("S4", ["256·5·5 = 6400", "256·6·6 = 9216", "columns 219 to 223"]),
        ("S5", ["= 27;", "= 13;", "= 6"]),
        ("S6", ["26/1 + 1 = 27; ", "12/1 + 1 = 13"]),
        ("S9", ["192 kernels", "32,448 output values"]),
        ("S11", ["55 → 27 and 27, 27 → 13 and 13, 13 → 6 and 6, 54 → 26 and 27"]),
    ],
)
def test_the_figures_that_decide(first_lesson, claim, figures):
    computed = first_lesson[1][claim]["computed"]
    assert all(figure in computed for figure in figures), computed


def test_the_five_lost_columns_by_marking_one_pixel_at_a_time():
    """S4 without the engine and without gradients: which columns of 224 are in some window of some
    window of ..."""

    def needed(columns, size, kernel, stride, padding):
        found = {start * stride - padding + offset for start in columns for offset in range(kernel)}
        return {column for column in found if 0 <= column < size}

    layers = [(3, 2, 0, 12), (3, 1, 1, 12), (3, 1, 1, 12), (3, 1, 1, 12), (3, 2, 0, 26),
              (5, 1, 2, 26), (3, 2, 0, 54)]
    layers += [(11, 4, 0, 224)]
    columns = set(range(5))
    for kernel, stride, padding, size in layers:
        columns = needed(columns, size, kernel, stride, padding)
    assert columns == set(range(219))


@pytest.mark.parametrize("lesson", sorted(LESSONS.glob("[0-9][0-9]_*.py")),
                         ids=lambda path: path.stem[:2])
def test_it_has_the_form_of_the_course(lesson):
    text = lesson.read_text(encoding="utf-8")
    assert 80 <= len(text.splitlines()) <= 285
    calls = {node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)
             and isinstance(node.func, ast.Name)}
    assert {"predict", "fact", "broken"} <= calls and calls & {"claim", "heard"}
    if int(lesson.name[:2]) <= 13:
        assert text.index("predict(") < text.index(
            "formula("), "the numbers come after the prediction"
    first = min(text.find(word) % len(text) for word in ("claim(", "heard("))
    order = [first, *(text.index(part)
                      for part in ("predict(", "fact(", "classroom.save(", "# ## Exercise"))]
    assert order == sorted(order)
    for cell in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        if cell.startswith(" [markdown]"):
            assert all(line.startswith("#") or not line
                       for line in cell.splitlines()[1:]), "code in a cell of text"


@pytest.mark.parametrize(
    "right, wrong, sentence",
    [
        ("places(224, 11, 4) == 54)", "places(224, 11, 4) == 55)",
         "not so: sliding over 224 columns finds 54 places"),
        ("4) == 53.25", "4) == 54.75", "not so: (224 - 11)/4 is 53.25"),
        ("[224, 225, 226]", "[223, 224, 225]",
         "not so: with padding 3 nobody reads columns 224 to 226"),
        ("lost == [219,", "lost == [218,", "not so: four divisions are rounded down"),
        ("maps.size == 13 * 13 * 192", "half.weight.size == 13 * 13 * 192",
         "not so: 13·13·192 is the number of values"),
        ("[(27, 27), (13, 13), (6, 6)]", "[(27, 27), (13, 13), (6, 7)]",
         "not so: both give 27 from 55"),
    ],
)
def test_a_wrong_number_turns_it_red(monkeypatch, classroom, right, wrong, sentence):
    monkeypatch.setattr(classroom, "save", lambda figure, name: None)
    text = FIRST.read_text(encoding="utf-8")
    assert right in text
    changed = text.replace(right, wrong, 1).replace("models.alexnet(", "models.lenet5(")
    with pytest.raises(AssertionError) as caught:
        exec(compile(changed, str(FIRST), "exec"), {"__name__": "lesson"})
    assert str(caught.value).startswith(sentence)


# --------------------------------------------------------------------------------------- the helper


class Terminal(io.StringIO):
    def isatty(self):
        return True


def answers(monkeypatch, *typed):
    """A student at a terminal who types these lines, and then closes it."""
    lines = iter(typed)

    def type_line(prompt=""):
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", type_line)


def test_predictions_are_scored_at_the_end(classroom, monkeypatch, capsys):
    answers(monkeypatch, "55", "about forty", " 217/4 ", "", "5,5", "1/0", "5.5")
    classroom.predict("How many?").turned_out(54)
    classroom.predict("Which quotient?").turned_out(Fraction(217, 4))
    classroom.predict("Skipped?").turned_out(1)
    classroom.predict("Half?").turned_out(5.5)
    classroom.predict("The terminal is closed?").turned_out(7)
    classroom.score()
    out = capsys.readouterr().out
    assert out.count("a number, please") == 3
    assert "it is 54: you said 55" in out and "it is 54.25: as you said" in out
    assert "You predicted 2 of 3 right." in out and "worth another look: How many? It is 54." in out
    assert "Skipped?" not in out


def test_without_a_terminal_nothing_is_asked(classroom, monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", lambda prompt: pytest.fail("asked without a terminal"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("55\n"))
    classroom.predict("How many?").turned_out(54)
    classroom.score()
    assert capsys.readouterr().out == ""


def test_facts_and_mistakes_on_purpose(classroom, capsys):
    classroom.fact("two and two are four", 2 + 2 == 4)
    assert "✓ two and two are four" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="not so: two and two are five"):
        classroom.fact("two and two are five", 2 + 2 == 5)
    with classroom.broken(ZeroDivisionError):
        1 / 0  # noqa: B018
    assert "ZeroDivisionError: division by zero" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="this should have raised ValueError, "
                       "and did not"), classroom.broken(ValueError):
        pass


def test_a_fact_that_fails_shows_what_came_instead(classroom, tmp_path):
    path = tmp_path / "facts.py"

    def failing(condition):
        path.write_text("import numpy as np\nwidth, places = 224, "
                        f"54\nlost = np.arange(3)\nfact('so it is', {condition})\n")
        with pytest.raises(AssertionError) as caught:
            exec(compile(path.read_text(), str(path), "exec"), {"fact": classroom.fact})
        linecache.clearcache()
        return str(caught.value)

    assert failing("places == 55") == "not so: so it is\n  places is 54"
    assert failing("width > 1 and (places + 1, width) == (55, 227)") == \
        "not so: so it is\n  (places + 1, width) is (55, 224), (55, 227) is (55, 227)"
    assert failing("np.allclose(lost, 0)") == "not so: so it is\n  lost is array([0, 1, 2])"
    assert (failing("all(n > 0 for n in lost)") == "not so: so it is\n  all((n > 0 for n in "
            "lost)) is False")
    assert failing("next(iter([])) if places == 55 else "
                   "0") == "not so: so it is\n  next(iter([])) if places == 55 else 0 is 0"


@pytest.mark.parametrize("text, number",
                         [("60,965,225", 60_965_225), ("60 965 225", 60_965_225),
                          ("60_965_225", 60_965_225), ("1e6", 10**6), ("3/4", Fraction(3, 4)),
                          ("−3", -3), ("54.25", Fraction(217, 4)), ("1,234.5", Fraction("1234.5")),
                          (" 7 ", 7), ("1.5e-3", Fraction("0.0015"))])
def test_a_number_may_be_typed_as_people_write_it(classroom, text, number):
    assert importlib.import_module("predictions").read_number(text) == number


@pytest.mark.parametrize("text", ["5,5", "55,12", "about 40", "1/0", "", "nan", "1,23,456"])
def test_what_is_no_number_or_could_be_two_is_asked_again(classroom, text):
    with pytest.raises((ValueError, ZeroDivisionError)):
        importlib.import_module("predictions").read_number(text)


# ---------------------------------------------------------------------- its prose and its notebooks

STORY = '''"""A title

The first text.
"""
# %% Tools
import classroom
from classroom import fact, heard, predict

# %% [markdown]
# ## 1. One
# Why **one** comes first,
# told in two lines.

# %%
one = 1
fact("it is 1", one == 1)

# %% 2. Two
two = predict("How many are two?")
two.turned_out(2)
fact("there are two", one + one == 2)
classroom.score()

# %% [markdown]
# ## Exercise
# The end.
'''


@pytest.fixture
def story(tmp_path):
    """A small lesson in a copy of the course: (its path, run(changes) -> finished process)."""
    for source in LESSONS.glob("[a-z]*.py"):
        (tmp_path / "lessons").mkdir(exist_ok=True)
        (tmp_path / "lessons" / source.name).write_text(source.read_text(encoding="utf-8"),
                                                        encoding="utf-8")
    path = tmp_path / "lessons" / "77_story.py"

    def play(*changes):
        text = STORY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text, encoding="utf-8")
        environment = {**os.environ, "MINIALEX_CACHE": str(tmp_path), "PYTHONIOENCODING": "utf-8",
                       "PYTHONPATH": str(LESSONS.parent)}
        return subprocess.run([sys.executable, str(path)], stdin=subprocess.DEVNULL,
                              env=environment, cwd=tmp_path, capture_output=True, encoding="utf-8",
                              check=False)

    return path, play


def test_the_terminal_shows_the_prose_before_the_facts_of_its_section(story):
    _, play = story
    done = play()
    assert (done.returncode, done.stderr) == (0, "")
    parts = ["A title\n═══════", "The first text.", "1. One\n──────\nWhy one comes first, "
             "told in two lines.\n", "  ✓ it is 1", "2. Two\n──────\n", "  ✓ there are two",
             "Exercise\n────────\nThe end."]
    places = [done.stdout.index(part) for part in parts]
    assert places == sorted(places) and done.stdout.count("1. One") == 1


def test_a_changed_number_gives_a_sentence_and_no_traceback(story):
    _, play = story
    done = play(("one = 1", "one = 3"))
    assert (done.returncode, done.stderr) == (1, "not so: it is 1\n  one is 3\n")
    done = play(("one = 1", "one = [1][3]"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.startswith("line 15 of the lesson stops with IndexError: "
                                  "list index out of range\n")


def test_notebooks_hold_the_texts_in_their_order_and_stay_when_they_are_there(story, course,
                                                                              tmp_path, capsys,
                                                                              monkeypatch):
    path, play = story
    play()
    monkeypatch.setattr(course, "lessons", lambda: [(path, "A title")])
    assert course.main(["--notebooks", str(tmp_path / "out")]) == 0
    written = tmp_path / "out" / "77_story.ipynb"
    found = json.loads(written.read_text(encoding="utf-8"))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert ["".join(cell["source"]) for cell in found["cells"] if cell["cell_type"]
            == "markdown"] == ["# A title\n\nThe first text.", "## Tools",
                               "## 1. One\nWhy **one** comes first,\ntold in two lines.",
                               "## 2. Two", "## Exercise\nThe end."]
    written.write_text("my answers", encoding="utf-8")
    assert course.main(["--notebooks", str(tmp_path / "out")]) == 2
    assert (written.read_text(encoding="utf-8") == "my answers"
            and "your answers may be in it" in capsys.readouterr().err)


def test_a_measured_number_may_be_near(classroom, monkeypatch, capsys):
    answers(monkeypatch, "12", "12")
    near, far = classroom.predict("Near?", within=2), classroom.predict("Far?", within=0.1)
    near.turned_out(11.8)
    far.turned_out(11.8)
    assert (near.right, far.right) == (True, False)


def test_what_is_heard_and_the_formula_are_printed_but_are_no_claims(classroom, capsys):
    classroom.heard("ReLU is six times faster")
    classroom.formula("0.25·0.25 = 0.0625")
    classroom.claim("T10", "–", "ln 1000")
    out = capsys.readouterr().out
    assert ("Heard in class: “ReLU is six times faster”" in out
            and "  formula: 0.25·0.25 = 0.0625\n" in out)
    assert "T10 · as one hears: “ln 1000”" in out
    assert list(classroom._claims) == ["T10"]


def test_pictures_are_drawn_on_the_spot_and_always_the_same(classroom):
    images, labels = classroom.drawn_pictures(classes=2, each=3, size=16)
    assert images.shape == (6, 3, 16, 16) and images.dtype == "float32"
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert abs(images.mean()) < 1e-6 and abs(images.std() - 1) < 1e-6
    again, other = (classroom.drawn_pictures(classes=2, each=3, size=16, seed=seed)[0]
                    for seed in (0, 1))
    assert (again == images).all() and not (other == images).all()


def test_a_verdict_needs_a_claim_and_plain_words(classroom):
    with pytest.raises(ValueError, match="Z1 was never claimed"):
        classroom.settle("Z1", "true", "1")
    classroom.claim("S1", "N1", "one is one")
    with pytest.raises(ValueError, match="starts with true, half true or false, not with 'maybe'"):
        classroom.settle("S1", "maybe", "1")
