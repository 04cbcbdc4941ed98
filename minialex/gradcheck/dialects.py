"""What courses call things, read from dialects.txt: the one table of dialects, to which a reader
can add a word."""
import ast
import configparser
import functools
import re
from pathlib import Path

import numpy as np


@functools.cache
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


(FORWARD, BACKWARD, DERIVATIVE, MORE_GRADIENTS, TRIMMED, INITIALISE, TESTS, NO_LAYER, BASES,
 LOSSES) = _ranked("functions")
(OUTPUTS, CACHE, LEARNING_RATE, LISTS, PARAMETERS, SHAPES, TRAINING, PAIRS, LAYERS, STACKS,
 NEIGHBOURS) = _ranked("arguments")
INPUT_GRADIENTS, CONTAINERS, OF_GRADIENTS, BEFORE, AFTER, BETWEEN = _ranked("where gradients lie")
DATA, GRAD, METHODS, OF_ARRAYS, TRACKED = map(str.split, _TABLES["engines"].values())
ROLE, SAME, LETTER, GEOMETRY = map(_owners, ("roles", "same", "letters", "geometry"))
PARTS = dict(zip(_TABLES["parts of names"], _ranked("parts of names")))
OPTIONS = {plain(name): ast.literal_eval(value) for names, value in _TABLES["options"].items()
           for name in names.split()}
CHOICES = dict(_TABLES["choices"])
OPTIONS["rng"] = [np.random.default_rng(0), np.random.RandomState(0)]
SIZES, SMALLER = (_sizes(line.split()) for line in _TABLES["sizes"].values())
LAYOUTS, ANY_NAME, FURTHER = ({words: _layouts(lines) for words, lines in _TABLES[section].items()}
                              for section in ("layouts", "any name", "further layouts"))
FUNCTIONS = {name: getattr(np, function) for name, function in _owners("functions given").items()}
DOUT = re.compile(r"^(d|g|up)($|_|[A-Z0-9])|^d[a-z]*$|^D[A-Z]$|grad|^delta|delta$|upstream|"
                  r"cotangent|^err|error$|diff$|sensitivity|^d(next|prev|out|last|hidden|cell)_?\w*$|"
                  r"^d[a-z]_(next|prev|out|last|t|bar)$|^partial|^next_d|^accum|^top$|^eta$|^loss_derivative$|^djd|^dl_?d")


def name_words(name: str) -> list[str]:
    """["conv", "backward"] of conv_backward, convBackward and ConvBackward."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return [part for part in name.split("_") if part] if name.islower() else [
        part.lower() for part in found]


def _part(name, *owners):
    parts = set(name_words(str(name)))
    return next((owner for owner in owners if not PARTS[owner].keys().isdisjoint(parts)), None)


@functools.cache
def role(name: str) -> str | None:
    """What an argument is: "x", "w", "labels", …"""
    is_size = plain(name) in {**LETTER, **OPTIONS} or _part(name, "sizes")
    return ROLE.get(plain(name)) or (None if is_size else _part(name, "labels", "scores"))


@functools.cache
def letter(name: str) -> str | None:
    """Which size a whole number of this name is: "D" for n_in, num_inputs, anzahl_eingaben."""
    is_size = plain(name) not in {**ROLE, **LISTS} and _part(name, "sizes")
    return LETTER.get(plain(name)) or (_part(name, "J", "D", "M") if is_size else None)


@functools.cache
def stem(name: str) -> str:
    """One word for all spellings of a parameter: W, weight and weights are "w", W1 and weights1
    "w1"."""
    name = plain(name)
    letters = name.rstrip("0123456789")
    return SAME.get(letters, letters) + name[len(letters):]


def stems_of_gradient(name: str) -> list[str]:
    """The stems that `name` may be a gradient of: dW of "w", weights_grad and grads_wrt_weights of
    "w"."""
    found = _cut(plain(name), BEFORE, AFTER)
    for one in list(found):
        found += _cut(one, {**BETWEEN, "d": 0}, BETWEEN)
    return list(dict.fromkeys(map(stem, found)))


def _cut(name, before, after):
    """The name without each of these marks."""
    cut = [name.removeprefix(mark) for mark in before] + [name.removesuffix(mark) for mark in after]
    return [rest for rest in cut if rest and rest != name]
