"""What courses call things, read from dialects.txt: the one table of dialects, to which a reader
can add a word."""
import ast
import configparser
import re
from pathlib import Path

import numpy as np


def plain(name: str) -> str:
    """Lower case, without underscores; of a private attribute, _Dense__dW, what its class calls
    it."""
    return re.sub(r"^_[A-Za-z]\w*?__", "", str(name)).lower().replace("_", "")


_TABLES = configparser.ConfigParser(interpolation=None, delimiters=("=",))
_TABLES.optionxform = str  # type: ignore[assignment, method-assign]
_TABLES.read_string(Path(__file__).with_name("dialects.txt").read_text("utf-8"))


def _ranked(section: str) -> list[dict[str, int]]:
    """For each line {plain word: its rank}: the first ones are preferred."""
    lines = [dict.fromkeys(map(plain, line.split())) for line in _TABLES[section].values()]
    return [{word: rank for rank, word in enumerate(line)} for line in lines]


def _owners(section: str) -> dict[str, str]:
    """{plain word: what its line is called}"""
    return {plain(word): owner for owner, line in _TABLES[section].items() for word in line.split()}


def _sizes(words: list[str]) -> dict[str, int]:
    """{"N": 4} of ["N=4"]"""
    return {name: int(number)
            for name, number in (word.split("=") for word in words if "=" in word)}


def _layouts(lines: str) -> list[tuple[dict, dict]]:
    """[({role: letters}, {letter: size}), …]"""
    found = []
    for line in lines.strip().splitlines():
        if line.startswith("@"):
            found += _layouts(next(others for words, others in _TABLES["layouts"].items()
                                   if line[1:] in words.split()))
        else:
            found.append((dict(word.split(":") for word in line.split() if ":" in word),
                          _sizes(line.split())))
    return found


FORWARD, BACKWARD, DERIVATIVE, MORE_GRADIENTS, TRIMMED, INITIALISE, TESTS, NO_LAYER, LOSSES = (
    _ranked("functions"))
OUTPUTS, CACHE, LEARNING_RATE, LISTS, SHAPES, TRAINING, PAIRS, LAYERS, STACKS, NEIGHBOURS = _ranked(
    "arguments")
INPUT_GRADIENTS, CONTAINERS, OF_GRADIENTS, BEFORE, AFTER = _ranked("where gradients lie")
ROLE, SAME, LETTER, GEOMETRY = map(_owners, ("roles", "same", "letters", "geometry"))
OPTIONS = {plain(name): ast.literal_eval(value) for names, value in _TABLES["options"].items()
           for name in names.split()}
OPTIONS["rng"] = [np.random.default_rng(0), np.random.RandomState(0)]
SIZES, SMALLER = (_sizes(line.split()) for line in _TABLES["sizes"].values())
LAYOUTS, ANY_NAME, FURTHER = ({words: _layouts(lines) for words, lines in _TABLES[section].items()}
                              for section in ("layouts", "any name", "further layouts"))
FUNCTIONS = {name: getattr(np, function) for name, function in _owners("functions given").items()}
DOUT = re.compile(r"^(d|g|up)($|_|[A-Z0-9])|^d[a-z]*$|^D[A-Z]$|grad|^delta|delta$|upstream|"
                  r"cotangent|^err|error$|diff$|sensitivity|^d(next|prev|out|last|hidden|cell)_?\w*$|"
                  r"^d[a-z]_(next|prev|out|last|t|bar)$|^partial|^next_d|^accum|^top$|^eta$|^loss_derivative$|^djd|^dl_?d")


def stem(name: str) -> str:
    """One word for all spellings of a parameter: W, weight and weights are "w", W1 and weights1
    "w1"."""
    name = plain(name)
    letters = name.rstrip("0123456789")
    return SAME.get(letters, letters) + name[len(letters):]


def stems_of_gradient(name: str) -> list[str]:
    """The stems that `name` may be a gradient of: dW of "w", weights_grad of "w"."""
    name, found = plain(name), []
    for marks, cut in ((BEFORE, str.removeprefix), (AFTER, str.removesuffix)):
        for mark in marks:
            rest = cut(name, mark)
            if rest and rest != name:
                found.append(stem(rest))
    return found
