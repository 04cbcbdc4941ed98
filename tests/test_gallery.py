"""The gallery of wrong backward passes: all are caught, nearly all with their verdict, and no right
one is ever blamed."""
from collections import Counter

import pytest
from short import some

from lessons.gradient_bugs import gallery
from lessons.gradient_bugs.__main__ import main

SEEDS, SIZES = (0, 1, 2), (0, 2)
EVERYTHING = some(1, [(seed, size) for seed in SEEDS for size in SIZES])
EXHIBITS = gallery()
WRONG = [exhibit for exhibit in EXHIBITS if exhibit.is_wrong]
RIGHT = [exhibit for exhibit in EXHIBITS if not exhibit.is_wrong]


@pytest.fixture(scope="module")
def told():
    """{(file, seed, size): {input: (expected verdict, verdict)}}"""
    return {(exhibit.path.stem, seed, size): exhibit.told(exhibit.check(seed, size))
            for exhibit in EXHIBITS for seed, size in EVERYTHING}


def test_the_gallery_is_large_enough_and_each_file_tells_its_story():
    assert len(WRONG) >= 40 and len(RIGHT) >= 20
    for exhibit in WRONG:
        assert exhibit.path.parent.name == "wrong"
        text = exhibit.path.read_text("utf-8")
        assert "\n\nWhere it comes from: " in text and "\nThe mend: " in text, exhibit.path
    assert {exhibit.path.parent.name for exhibit in RIGHT} == {"right"}


def test_all_wrong_ones_are_caught(told):
    missed = [(exhibit.path.stem, seed, size) for exhibit in WRONG for seed, size in EVERYTHING
              if all(told[exhibit.path.stem, seed, size][name][1] == "correct"
                     for name in exhibit.expected)]
    assert missed == []


def test_right_ones_and_right_inputs_of_wrong_ones_are_never_blamed(told):
    blamed = [(key, name, verdict) for key, lines in told.items()
              for name, (expected, verdict) in lines.items() if expected == "correct"
              and verdict != "correct"]
    assert blamed == []


def test_nine_of_ten_wrong_ones_get_their_verdict(told):
    confusions, count, right = Counter(), Counter(), Counter()
    for exhibit in WRONG:
        for seed, size in EVERYTHING:
            for name in exhibit.expected:
                expected, verdict = told[exhibit.path.stem, seed, size][name]
                count[seed, size] += 1
                right[seed, size] += verdict.startswith(expected)
                confusions[expected, verdict, exhibit.path.stem] += not verdict.startswith(expected)
    for seed, size in EVERYTHING:
        print(f"seed {seed}, size {size}: "
              f"{right[seed, size]} of {count[seed, size]} with their verdict")
    for (expected, verdict, name), times in confusions.items():
        if times:
            print(f"{times:3} × {expected!r} told as {verdict!r}: {name}")
    assert all(right[key] >= 0.9 * count[key] for key in EVERYTHING)


@pytest.mark.long
def test_the_command_prints_each_exhibit_with_its_verdict(capsys):
    status = main(["--seed", "1"])
    said = capsys.readouterr().out
    assert all(f"\n{exhibit.path.stem}\n" in said for exhibit in EXHIBITS)
    assert max(map(len, said.splitlines())) <= 80
    assert status == (1 if "  ! " in said else 0)
