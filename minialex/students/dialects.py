"""What courses call their functions, layers and sizes, read from dialects.txt. What the names
of arguments and gradients mean stands in names.py."""
import ast
import functools

import numpy as np

from .names import LETTER, ROLE, TABLES, owners, part, plain, ranked


def _sizes(words: list[str]) -> dict[str, int]:
    """{"N": 4} of ["N=4"]"""
    return {name: int(number)
            for name, number in (word.split("=") for word in words if "=" in word)}


def _layouts(lines: str) -> list[tuple[dict, dict]]:
    """[({role: letters}, {letter: size}), …]"""
    found = []
    for line in lines.strip().splitlines():
        if line.startswith("@"):
            found += _layouts(next(others for words, others in TABLES["layouts"].items()
                                   if line[1:] in words.split()))
        else:
            found.append((dict(word.split(":") for word in line.split() if ":" in word),
                          _sizes(line.split())))
    return found


def _written_out(words: str, marks: dict[str, list[str]]) -> list[str]:
    """The expressions, those with a mark once for each of its names."""
    every = [word.strip() for word in words.split(";")]
    return [word for word in every if not any(mark in word for mark in marks)] + [
        word.replace(mark, name) for mark, names in marks.items() for name in names
        for word in every if mark in word]


(FORWARD, BACKWARD, DERIVATIVE, MORE_GRADIENTS, TRAINS, PREDICTS, TRIMMED, INITIALISE, TESTS,
 NO_LAYER, BASES, LOSSES, ANY_LOSS, BESIDE, ITS_COST, MEASURES) = ranked("functions")
(LISTS, PARAMETERS, SHAPES, TRAINING, PAIRS, LAYERS, STACKS, NEIGHBOURS,
 CRITERIA, SLOPES_OF_CRITERIA, STEPS, OPTIMIZERS, PLAIN_STEPS,
 EXAMPLES) = ranked("further arguments")
INPUT_GRADIENTS, CONTAINERS, OF_GRADIENTS = ranked("where gradients lie")
DATA, GRAD, METHODS, OF_ARRAYS, LEAVES, TRACKED = map(str.split, TABLES["engines"].values())
EXPRESSIONS = {kind: _written_out(words, {"METHOD": METHODS, "OPERATION": OF_ARRAYS})
               for kind, words in TABLES["expressions"].items()}
COUNTED, KEPT, USED_OF_ARRAYS, USED_OF_WORDS = (set(words.split())
                                                for words in TABLES["uses"].values())
NUMPYS = set(TABLES["numpy"]["same"].split())
DROPPED = dict(word.split(":") for word in TABLES["numpy"]["dropped"].split())
GEOMETRY = owners("geometry")
USUAL_LAYERS, USUAL_LOSSES = ({name: set(words.split()) for name, words in TABLES[section].items()}
                              for section in ("usual forwards", "usual losses"))
CHOICES = dict(TABLES["choices"])
OPTIONS = {plain(name): ast.literal_eval(value) for names, value in TABLES["options"].items()
           for name in names.split()}
OPTIONS["rng"] = [np.random.default_rng(0), np.random.RandomState(0)]
SIZES, SMALLER = (_sizes(line.split()) for line in TABLES["sizes"].values())
LAYOUTS, ANY_NAME, FURTHER = ({words: _layouts(lines) for words, lines in TABLES[section].items()}
                              for section in ("layouts", "any name", "further layouts"))
ERRORS = {words: changes.split() for words, changes in TABLES["errors"].items()}
SEARCHED = TABLES["searched"]["any"].split()
FUNCTIONS = {name: getattr(np, function) for name, function in owners("functions given").items()}


@functools.cache
def letter(name: str) -> str | None:
    """Which size a whole number of this name is: "D" for n_in, num_inputs, anzahl_eingaben."""
    is_size = plain(name) not in {**ROLE, **LISTS} and part(name, "sizes")
    return LETTER.get(plain(name)) or (part(name, "J", "D", "M") if is_size else None)
