"""Is each answer right? Every question of the lessons, answered once more from the numbers that
stand in it.

Nothing here comes from the lessons or the engine: a question that a lesson answers wrongly, or that
has no answer here, is red.
"""
import itertools
import json
import os
import re
import subprocess
import sys
from math import comb, e, log, log10, sqrt
from pathlib import Path

import numpy as np
import pytest

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
COURSE = sorted(LESSONS.glob("[0-9][0-9]_*.py"))
QUICK = ("00_first_network", "02_the_tape", "15_update_rule")
NUMBER = re.compile(r"(?<![A-Za-z0-9.,])(?<![A-Za-z]-)-?\d+(?:,\d{3})*(?:\.\d+)?")
PLAY = """
import json, os, runpy, sys
path = sys.argv[1]
sys.path.insert(0, os.path.dirname(path))
runpy.run_path(path, run_name="__main__")
import predictions
asked = [[p.question, None if p.answer is None else float(p.answer), p.within] for p in predictions._predictions]
with open(os.environ["ASKED"], "w", encoding="utf-8") as file:
    json.dump(asked, file)
"""  # noqa: E501


def numbers(question):
    """The numbers in a question, in order: "moves 4 columns, 60,965,224" gives [4, 60965224]. Names
    such as fc6 are none."""
    return [float(found.replace(",", "")) for found in NUMBER.findall(question)]


def windows(size, kernel, stride, padding=0):
    """How many windows there are, by sliding."""
    return sum(1 for left in range(-padding, size + padding, stride)
               if left + kernel <= size + padding)


def needed(columns, layers, size):
    """Which of `size` columns these columns depend on. layers: (kernel, stride, padding, width of
    its input), the last first."""
    for kernel, stride, padding, width in layers:
        found = {start * stride - padding + offset for start in columns
                 for offset in range(int(kernel))}
        columns = {column for column in found if 0 <= column < width}
    return {column for column in columns if column < size}


def unused(size):
    """Columns of the picture that cannot matter in N3's network: 11/4, 3/2, 5 padded by 2, 3/2,
    three 3 padded by 1, 3/2."""
    plan, layers = [(11, 4, 0), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1),
                    (3, 2, 0)], []
    width = size
    for kernel, stride, padding in plan:
        layers.insert(0, (kernel, stride, padding, width))
        width = windows(width, kernel, stride, padding)
    return size - len(needed(set(range(width)), layers, size))


def seen_by_one(plan):
    """How many columns one value sees, with a picture wide enough."""
    return len(needed({100}, [(kernel, stride, 0, 10**6) for kernel, stride in reversed(plan)],
                      10**6))


def alexnet(groups):
    """Parameters of AlexNet with 1000 classes."""
    layers = [(3, 96, 11, 1), (96, 256, 5, groups), (256, 384, 3, 1), (384, 384, 3, groups),
              (384, 256, 3, groups)]
    convolutions = sum(out * (inner // parts * kernel * kernel + 1)
                       for inner, out, kernel, parts in layers)
    return convolutions + sum(out * (inner + 1)
                              for inner, out in [(9216, 4096), (4096, 4096), (4096, 1000)])


def lenet_on(size):
    side = ((size - 4) // 2 - 4) // 2 - 4
    return 6 * (3 * 25 + 1) + 16 * (6 * 25 + 1) + 120 * (16 * 25 + 1) + 84 * (120 * side * side
                                                                              + 1) + 10 * 85


def over_masks(w, inputs, wanted, p):
    outputs = [sum(a * x * keep / (1 - p) for a, x, keep in zip(w, inputs, mask))
               for mask in itertools.product((0, 1), repeat=len(w))]
    return sum((y - wanted) ** 2 for y in outputs) / len(outputs)


def decayed(momentum, rate, decay):
    """Steps until a weight without gradient has fallen to one half, one after the other."""
    w, v, steps = 1.0, 0.0, 0
    while w > 0.5:
        v = momentum * v - decay * rate * w
        w, steps = w + v, steps + 1
    return steps


def rank_with_equal_channels():
    colours = np.random.default_rng(0).random((100, 3))
    colours[:, 1] = colours[:, 0]
    return np.linalg.matrix_rank(np.cov(colours.T))


def majority(count, p):
    """The chance that more than half of `count` independent voters are wrong, each with the chance
    p."""
    return sum(comb(count, k) * p**k * (1 - p) ** (count - k)
               for k in range(count // 2 + 1, count + 1))


def hybrid_bytes(batch, count, parameters, *layers):
    """What a process gives to the others, array for array. layers: the values of pool5, fc6, fc7
    and fc8 for a picture."""
    # each: a part to each other one, then the sum of mine
    sums = [parameters] + [batch * values for values in layers[:-1]]
    gathered = [batch / count * values for values in layers]
    return 4 * (count - 1) * (sum(2 * array / count for array in sums) + sum(gathered))


def half(n):
    return int(n) // 2


class Measured:
    """What no number in the question gives: it must lie in between."""

    def __init__(self, low, high):
        self.low, self.high = low, high


class About:
    """What a rule of thumb gives: the answer must lie within what the lesson lets pass."""

    def __init__(self, rule):
        self.rule = rule


STEEPEST = max(1 / (1 + e**-x) * (1 - 1 / (1 + e**-x)) for x in np.linspace(-3, 3, 601))
ALEXNET = [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]
# (lesson, words of the question, its answer from the numbers n in it)
ANSWERS = [
    (0, "How many parameters are that", lambda n: n[0] * n[1] + n[1] + n[1] * n[2] + n[2]),
    (0, "what is its loss", lambda n: ((n[0] - n[1]) ** 2 + (n[0] - n[2]) ** 2) / 2),
    (0, "which share of new points", Measured(0.95, 1)),
    (1, "In how many places does it fit", lambda n: windows(int(n[2]), int(n[0]), int(n[1]))),
    (1, "before any rounding", lambda n: (n[0] - n[1] + n[2] * n[3]) / n[4] + n[5]),
    (1, "cannot change its output", lambda n: unused(int(n[0]))),
    (1, "How many kernels does it need", lambda n: n[0]),
    (1, "2×2 pool of stride 2", lambda n: windows(int(n[0]), int(n[1]), int(n[3]))),
    (2, "df/dx", lambda n: ((n[0] + 1e-6) ** 2 - (n[0] - 1e-6) ** 2) * (n[1] + 1) ** 2 / 2e-6),
    (2, "how many forward passes", lambda n: n[0] + 1),
    (3, "best central difference", About(lambda n: -log10((3 * 2.0**-52) ** (1 / 3)))),  # where h²/6·f‴ meets ε·f/h  # noqa: E501
    (3, "always adds up to", lambda n: 0),
    (4, "how many million", lambda n: n[0] * n[1] * n[2] * n[3] / 1e6),
    (4, "how many times as many numbers",
     lambda n: n[3] * n[4] * windows(int(n[1]), int(n[3]), int(n[5])) ** 2 / (n[1] * n[2])),
    (4, "how many columns is a pixel in the middle", lambda n: n[0] * n[1] / n[2] ** 2),
    (5, "what share is left", lambda n: 1 / n[4]),
    (5, "one GPU send to the other", lambda n: n[0] / 2 * n[1] * n[2]),
    (6, "steepest slope", lambda n: STEEPEST),
    (6, "layers of 100 sigmoids", About(lambda n: (n[0] - 1) * log10(4))),  # each takes at least three quarters away  # noqa: E501
    (7, "in the very middle", lambda n: sum(
        left <= half(n[0]) < left + n[2]
        for left in range(0, int(n[0] - n[2]) + 1, int(n[4]))) ** 2),
    (7, "all tied pixels", lambda n: n[0] / (n[1] * n[2]) * n[1] * n[2] * n[3]),
    (7, "Which digit differs first", About(lambda n: -log10(2.0**-24 * sqrt(n[0])))),  # rounding errors walk at random  # noqa: E501
    (8, "What is b", lambda n: n[0] / (n[2] + n[4] * n[0] ** 2) ** n[5]),
    (8, "the second term", Measured(0.2, 0.6)),
    (8, "one and two devices", lambda n: 2 * half(n[1])),
    (9, "What is -ln p", lambda n: -log(1 / n[0])),
    (9, "dL/dz for the right class", lambda n: n[0] - 1),
    (10, "How many digits", lambda n: len(str(2 ** int(n[0])))),
    (10, "over the four masks", lambda n: over_masks(n[0:2], n[2:4], n[4], n[5] / n[6])),
    (11, "kernel on a map", lambda n: windows(int(n[2]), int(n[0]), 1) ** 2),
    (11, "how many answers", lambda n: ((n[0] - n[2]) // (4 * 2 * 2 * 2) + 1) ** 2),
    (12, "one sees all 6",
     lambda n: sum(k * (maps * n[1] * n[2] + 1) for k, maps in zip((6, 9, 1), n[3:]))),
    (12, "LeNet-5's layers on", lambda n: lenet_on(int(n[0])) / 1e6),
    (13, "in two towers", lambda n: alexnet(2) / 1e6),
    (13, "Without towers", lambda n: alexnet(1) / 1e6),
    (13, "How many channels c", lambda n: (n[4] / n[0] - n[3]) / (n[1] * n[2])),
    (13, "values does conv1 put out", lambda n: n[0] * n[1] * n[2]),
    (14, "By what factor", lambda n: sqrt(n[0] * n[1] ** 2 / 2)),
    (14, "depend on the picture", Measured(0, 0.1)),
    (15, "plain descent", lambda n: n[3] * (n[0] - n[1]) ** n[2]),
    (15, "in the end", lambda n: n[1] / (1 - n[2])),
    (15, "under the paper's rule", lambda n: n[2] * n[0] + n[1] / n[3]),
    (15, "with ε outside", lambda n: n[0] / n[3]),
    (15, "fall to one half", lambda n: decayed(0.9, n[1], 0.0005) / n[0]),
    (16, "In how many places", lambda n: windows(int(n[1]), int(n[0]), 1)),
    (16, "How many are different", lambda n: n[2] * (1 - (1 - 1 / n[2]) ** n[0])),
    (16, "eigenvalues", lambda n: rank_with_equal_channels()),
    (17, "divided by ReLU's", Measured(0.5, 1.5)),
    (17, "How wide is ±", lambda n: n[2] * n[1] / sqrt(5)),
    (17, "At which loss", lambda n: log(n[0])),
    (18, "has one GPU for it", lambda n: n[0] / 2 * n[1] * n[2] * n[3]),
    (18, "how many times too", lambda n: 2),
    (18, "on the way forward", lambda n: (256 * 13 * 13 + 256 * 6 * 6 + 4096 + 4096 + 1000) / 2),
    (18, "How many pictures a second", lambda n: n[0] * n[1] * 1e6 / (n[2] * 24 * 60 * 60)),
    (18, "4 bytes, N = 2", lambda n: 2 * sum(n[0] / n[2] for _ in range(int(n[2]) - 1)) * n[1]),  # a part to each other, twice  # noqa: E501
    (18, "pool5 puts out", lambda n: hybrid_bytes(*n)),
    (19, "below the average of", lambda n: (-log(n[0]) - log(n[1])) / 2 + log((n[0] + n[1]) / 2)),
    (19, "would the vote", lambda n: 100 * majority(int(n[0]), n[1] / 100)),
    (19, "standard error", lambda n: 100 * sqrt(n[0] / 100 * (1 - n[0] / 100) / n[1])),
    (20, "one after the other", lambda n: seen_by_one([(n[0], 1)] * 2)),
    (20, "What part of one", lambda n: 3 * n[2] * n[3] / (n[0] * n[1])),
    (20, "pool5", lambda n: seen_by_one(ALEXNET)),
    (20, "fewer products",
     lambda n: n[7] * n[8] * n[9] * n[10] / (n[9] * n[6] + n[2] * n[3] * n[6] ** 2 + n[6] * n[10])),
    (21, "at least one of these zeros", lambda n: n[0] + n[1] - 1),
    (21, "ReLU last", lambda n: n[0] / (n[2] * (n[0] ** 2 + n[1] ** 2) + n[3]) ** n[4]),
    (21, "second norm divide", lambda n: 1 + 0.001 / 25 * 25 * n[0] ** 2),
]


def opinion(lesson, question, answer, within):
    """"" when the answer is right, else what is wrong with it."""
    found = [rule for number, words, rule in ANSWERS if number == lesson and words in question]
    if len(found) != 1:
        return f"{question!r} has {len(found)} answers here"
    if isinstance(found[0], Measured):
        right = answer is not None and found[0].low <= answer <= found[0].high
        return ("" if right else f"{question!r}: {answer} is not from "
                f"{found[0].low} to {found[0].high}")
    about = isinstance(found[0], About)
    right = float((found[0].rule if about else found[0])(numbers(question)))
    # one in a million is wrong, too
    near = within if about else min(within, 0.01 * abs(right)) + 1e-6
    return "" if answer is not None and abs(
        answer - right) <= near else f"{question!r}: the lesson says {answer}, it is {right}"


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem, marks=() if path.stem in QUICK
                                               else pytest.mark.long) for path in COURSE])
def test_the_answers_follow_from_the_questions(path, tmp_path):
    places = {"MINIALEX_CLAIMS": str(tmp_path / "claims"),
              "MINIALEX_PICTURES": str(tmp_path / "pictures"), "ASKED": str(tmp_path / "asked"),
              "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", PLAY, str(path)], env=os.environ | places,
                          stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                          check=False)
    assert done.returncode == 0, done.stderr
    asked = json.loads((tmp_path / "asked").read_text(encoding="utf-8"))
    lesson = int(path.name[:2])
    assert [said for said in (opinion(lesson, *one) for one in asked) if said] == []
    unasked = [words for number, words, _ in ANSWERS if number == lesson
               and not any(words in one[0] for one in asked)]
    assert unasked == [], "answers to questions that nobody asks"


def test_the_numbers_of_a_question():
    assert numbers("fc6 of LeNet-5 and CIFAR-10: 60,965,224 of 3×227, "
                   "w = (10, -9), 1.5e0?") == [60965224, 3, 227, 10, -9, 1.5]


def test_a_wrong_answer_and_a_question_without_an_answer_are_noticed():
    question = "1000 classes, all equally likely. What is -ln p?"
    assert opinion(9, question, 6.9078, 0.005) == ""
    assert "it is 6.907" in opinion(9, question, 6.5, 0.005) and "it is" in opinion(9, question,
                                                                                    None, 0.005)
    assert "has 0 answers" in opinion(9, "How old is the author?", 1, 0.005)
    assert "is not from 0.95 to 1" in opinion(0, "which share of new points", 0.5, 0.1)
