"""Does the course teach? Each word is explained before it is used, each section has a text, each
`Try` does something."""
import importlib
import json
import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
if str(LESSONS.parent) not in sys.path:
    sys.path.insert(0, str(LESSONS.parent))
cells, words = (importlib.import_module(f"lessons.{name}") for name in ("cells", "words"))
COURSE = sorted(LESSONS.glob("[0-9][0-9]_*.py"))
TAUGHT = [path for path in COURSE if "# ## Try" in path.read_text(encoding="utf-8")]
QUICK = ("00_first_network",)
SPOKEN = re.compile(r"""(?:claim|heard|predict|formula|fact|settle)\((?:[^()"]|\([^()]*\))*?f?"((?:[^"\\]|\\.)*)\"""")  # noqa: E501


@lru_cache
def told(path):
    """[(line, text)]: what a student reads in this lesson, texts and sentences, in order."""
    source = path.read_text(encoding="utf-8")
    found = [(cell.line, f"{cell.title}\n{cell.body if cell.kind == 'text' else ''}")
             for cell in cells.read(source)]
    found += [(source[:match.start()].count("\n") + 1, match[1])
              for match in SPOKEN.finditer(source)]
    return sorted(found)


def explained(path, term):
    """The line of the text in which this lesson explains the term, or None."""
    return next((line for line, text in told(path) if f"**{term}**".lower() in _flat(text).lower()),
                None)


def _flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize("word", words.WORDS, ids=lambda word: word.term)
def test_a_word_is_explained_in_its_lesson_and_used_in_none_before(word):
    home = next((path for path in TAUGHT if int(path.name[:2]) == word.lesson), None)
    if home is None:
        pytest.skip(f"lesson {word.lesson:02} is not written anew yet")
    line = explained(home, word.term)
    assert line is not None, f"{home.name} has no text with **{word.term}**"
    uses = re.compile(rf"\b(?:{word.forms})\b", re.IGNORECASE) if word.forms else None
    for path in TAUGHT if uses else ():
        for where, text in told(path):
            if path == home:  # its titles may name what it is about
                text = "" if where == 1 else re.sub(r"^#.*", "", text, flags=re.MULTILINE)
            if (path.name, where) < (home.name, line):
                found = uses.search(_flat(text))
                assert not found, f"{path.name}:{where} says {found[0]!r} before it is explained"


def test_the_words_are_in_the_order_of_the_lessons():
    assert [word.lesson for word in words.WORDS] == sorted(word.lesson for word in words.WORDS)
    assert len({word.term for word in words.WORDS}) == len(words.WORDS)


@pytest.mark.parametrize("path", TAUGHT, ids=lambda path: path.stem)
def test_it_says_what_it_needs_and_gives(path):
    head = cells.read(path.read_text(encoding="utf-8"))[0].body
    assert re.search(r"Prerequisites: .+?\. Minutes: \d+\. Afterwards you can ",
                     " ".join(head.split()))


@pytest.mark.parametrize("path", TAUGHT, ids=lambda path: path.stem)
def test_each_section_begins_with_a_text(path):
    for cell in cells.read(path.read_text(encoding="utf-8")):
        if cell.kind == "code":
            assert cell.title.startswith(
                "Tools") or not cell.title, f"{path.name}:{cell.line} is a section without text"
        else:
            assert len(cell.body.split()) > 8, f"{path.name}:{cell.line} says next to nothing"


def tries(path):
    """[(statement, the line that it takes the place of)] of a lesson's three tries."""
    source = path.read_text(encoding="utf-8")
    found = re.findall(r"^# - `(.+?)`", source[source.index("# ## Try"):], re.MULTILINE)
    lines = source.splitlines()
    left = [statement.partition(" = ")[0] for statement in found]
    return [(new, next(line for line in lines if line.startswith(f"{name} = ")))
            for new, name in zip(found, left)]


@pytest.mark.parametrize("path", TAUGHT, ids=lambda path: path.stem)
def test_there_are_at_least_three_tries(path):
    changes = tries(path)
    assert len(changes) >= 3 and all(new != old for new, old in changes)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """play(lesson): what a lesson of a copy of the course says, as it is or with one line
    exchanged. As it is, it runs once for all of its tries."""
    folder = tmp_path_factory.mktemp("course")
    for source in [*LESSONS.glob("*.py"), *LESSONS.glob("drawings/*.py"),
                   *(LESSONS / "labs").rglob("*")]:
        target = folder / "lessons" / source.relative_to(LESSONS)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            target.write_bytes(source.read_bytes())
    (folder / "benchmarks").symlink_to(LESSONS.parent / "benchmarks")
    environment = {**os.environ, "PYTHONPATH": str(LESSONS.parent), "PYTHONIOENCODING": "utf-8"}

    @lru_cache
    def play(path, old="", new=""):
        source = path.read_text(encoding="utf-8")
        lesson = folder / "lessons" / path.name
        lesson.write_text(source.replace(f"\n{old}\n", f"\n{new}\n", 1) if old else source,
                          encoding="utf-8")
        claims = folder / "claims"
        claims.write_text("")
        done = subprocess.run([sys.executable, str(lesson)], stdin=subprocess.DEVNULL,
                              env={**environment, "MINIALEX_CLAIMS": str(claims)},
                              capture_output=True, cwd=folder, encoding="utf-8", check=False)
        done.claims = [json.loads(line) for line in claims.read_text("utf-8").splitlines()]
        return done

    return play


def short(path):
    return () if path.stem in QUICK else pytest.mark.long


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem, marks=short(path))
                                  for path in COURSE])
def test_it_runs_and_settles_its_claims(course, path):
    done = course(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert not [record["id"] for record in done.claims if not record["verdict"]]
    assert len(done.claims) == len(re.findall(r"^claim\(", path.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path, number",
                         [pytest.param(path, number, id=f"{path.stem}-{number}", marks=short(path))
                          for path in TAUGHT for number in range(len(tries(path)))])
def test_a_try_gives_new_numbers_or_a_sentence(course, path, number):
    """In a copy of the course the line is changed and the lesson run: no traceback, and not what it
    said before."""
    before = course(path)
    new, old = tries(path)[number]
    after = course(path, old, new)
    assert "Traceback" not in after.stderr
    if after.returncode:
        assert after.stderr.startswith("not so: "), after.stderr
    else:
        assert after.stdout != before.stdout
