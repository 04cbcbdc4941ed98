"""Classes in the dialects of many courses: right ones are never blamed, wrong ones get their
verdict."""
import json
import os
import random
import re
from pathlib import Path

import dialect_maker
import pytest
from student_files import command

CLASSES = Path(__file__).parent / "classes"
DRAWS = int(os.environ.get("MINIALEX_DRAWS", 60))  # 1000 for the long run
PER_FILE = 50
OPEN = {"correct", "not compared"}


def told(path):
    """{class: (status, {input: verdict}, error)} of one file, by the command."""
    done = command(path, "--json", "--timeout", "200")
    (result,) = map(json.loads, done.stdout.splitlines())
    assert result["error"] is None, result["error"]
    return {check["checked"].split(".")[0]: (check["status"],
                                             {row["name"]: row["verdict"] for row in check["rows"]},
                                             check["error"]) for check in result["checks"]}


@pytest.mark.parametrize("name", ["right_layers", "right_others"])
def test_right_classes_are_checked_and_not_blamed(name):
    path = CLASSES / f"{name}.py"
    found = told(path)
    written = set(re.findall(r"^class (\w+)", path.read_text("utf-8"), re.MULTILINE)) - {"Param"}
    assert found.keys() == written
    assert {name: rest for name, rest in found.items() if rest[0] != "correct"} == {}


def test_wrong_classes_get_their_verdict():
    path = CLASSES / "wrong_layers.py"
    expected = re.findall(r"^# expected: (.*): (.*)\nclass (\w+)", path.read_text("utf-8"),
                          re.MULTILINE)
    found = told(path)
    assert len(expected) >= 20
    for name, verdict, owner in expected:
        status, verdicts, error = found[owner]
        assert status == "wrong" and error is None and verdicts[name].startswith(verdict), (
            owner, verdicts, error)


def test_the_gallery_of_classes_is_large_enough():
    count = [len(re.findall(r"^class ", path.read_text("utf-8"), re.MULTILINE))
             for path in CLASSES.glob("*.py")]
    assert sum(count) >= 60


def drawn(first, count):
    """(source of a file, {class: {input: verdict}}) of `count` random layers."""
    parts, expected = [dialect_maker.HEAD], {}
    for number in range(first, first + count):
        generator = random.Random(number)
        layer = generator.choice(list(dialect_maker.LAYERS))
        name = f"{layer}{number}"
        text, expected[name] = dialect_maker.source(name, layer, generator,
                                                    mistake=generator.random() < 0.6)
        parts.append(text)
    return "\n\n".join(parts), expected


@pytest.mark.parametrize("first", range(0, DRAWS, PER_FILE))
def test_a_random_layer_in_a_random_dialect_with_a_random_mistake(tmp_path, first):
    """The planted mistake gets its verdict or "unknown", everything else is correct.
    MINIALEX_DRAWS=1000 draws so many."""
    text, expected = drawn(first, min(PER_FILE, DRAWS - first))
    path = tmp_path / "drawn.py"
    path.write_text(text, "utf-8")
    found = told(path)
    assert found.keys() == expected.keys()
    for name, mistakes in expected.items():
        status, verdicts, error = found[name]
        assert error is None and status in ("correct", "wrong"), (name, status, verdicts, error,
                                                                  text_of(text, name))
        for one, verdict in verdicts.items():
            wanted = {mistakes[one], "unknown"} if one in mistakes else OPEN
            assert verdict in wanted, (name, one, verdict, wanted, text_of(text, name))
        assert mistakes.keys() <= verdicts.keys(), (name, verdicts, text_of(text, name))


def text_of(text, name):
    """The source of one class, for a message."""
    return re.search(rf"class {name}:\n(?:.+\n)*", text).group()
