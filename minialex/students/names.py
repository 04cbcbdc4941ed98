"""What the names of arguments and gradients mean, read from dialects.txt: the one table of what
courses call things, to which a reader can add a word. dialects.py reads the rest."""
import configparser
import functools
import re
from collections.abc import Hashable
from pathlib import Path


@functools.cache
def plain(name: str) -> str:
    """Lower case, without underscores; of a private attribute, _Dense__dW, what its class calls
    it. Propogation is propagation."""
    found = re.sub(r"^_[A-Za-z]\w*?__", "", str(name)).lower().replace("_", "")
    return found.replace("propog", "propag")


TABLES = configparser.ConfigParser(interpolation=None, delimiters=("=",))
TABLES.optionxform = str  # type: ignore[assignment, method-assign]
TABLES.read_string(Path(__file__).with_name("dialects.txt").read_text("utf-8"))


def ranked(section: str) -> list[dict[str, int]]:
    """For each line {plain word: its rank}: the first ones are preferred."""
    lines = [dict.fromkeys(map(plain, line.split())) for line in TABLES[section].values()]
    return [{word: rank for rank, word in enumerate(line)} for line in lines]


def owners(section: str) -> dict[str, str]:
    """{plain word: what its line is called}"""
    return {plain(word): owner for owner, line in TABLES[section].items() for word in line.split()}


OUTPUTS, SUMS, CACHE, LEARNING_RATE, PENALTY = ranked("arguments")
BEFORE, AFTER, BETWEEN = ranked("marks of a gradient")
ROLE, SAME, LETTER = map(owners, ("roles", "same", "letters"))
PARTS = dict(zip(TABLES["parts of names"], ranked("parts of names")))
OPTIONS = {plain(name) for names in TABLES["options"] for name in names.split()}
MARKS = {*BEFORE, *AFTER} - {"d", "g", "sum", "total", "accum", "partial", "diff", "loss"}
DOUT = re.compile(r"^(d|g|up)($|_|[A-Z0-9])|^(d[a-z]*|g[a-z])$|^D[A-Z]$|grad|^delta|delta$|"
                  r"upstream|cotangent|^err|error$|diff$|sensitivity|^d(next|prev|out|last|hidden|cell)_?\w*$|"
                  r"^d[a-z]_(next|prev|out|last|t|bar)$|^partial|^next_d|^accum|^top$|^eta$|^loss_derivative$|^djd|^dl_?d|^梯度|梯度$|градиент")


def name_words(name: str) -> list[str]:
    """["conv", "backward"] of conv_backward, convBackward and ConvBackward."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return [word for word in name.split("_") if word] if name.islower() else [
        word.lower() for word in found]


def part(name: str, *kinds: str) -> str | None:
    """The first of these kinds of which a part of the name speaks: "labels" of y_target."""
    words = set(name_words(str(name)))
    return next((kind for kind in kinds if not PARTS[kind].keys().isdisjoint(words)), None)


@functools.cache
def role(name: str) -> str | None:
    """What an argument is: "x", "w", "labels", …"""
    is_size = plain(name) in LETTER or option(name) or part(name, "sizes")
    bare = "".join(word for word in name_words(name) if word not in PARTS["splits"])
    return ROLE.get(plain(name)) or (None if is_size else part(name, "labels", "scores")
                                     or ROLE.get(bare))


@functools.cache
def option(name: str) -> str | None:
    """Its word among the options without a default: "reg" of lambdaVal and reg_param, too."""
    key = plain(name)
    is_penalty = not {key} & {*ROLE, *LETTER} and ("lambda" in key or part(name, "penalty"))
    return key if key in OPTIONS else "reg" if is_penalty else None


def is_rate(name: str) -> bool:
    """Is it called like a learning rate?"""
    return plain(name) in LEARNING_RATE


def is_penalty(name: str) -> bool:
    """Is it the strength of a penalty: reg, lambd, weight_decay?"""
    return plain(name) in PENALTY or option(name) == "reg"


@functools.cache
def stem(name: str) -> str:
    """One word for all spellings of a parameter: W, weight and weights are "w", W1 and weights1
    "w1"."""
    name = plain(name)
    letters = name.rstrip("0123456789")
    return SAME.get(letters, letters) + name[len(letters):]


def last_output(keys: list) -> Hashable:
    """What is called like an output, or stands for the last of the layers, Z1, A1, Z2, A2; of those
    without a number what is called so."""
    def how_late(key):
        letters = str(key).rstrip("0123456789")
        known = OUTPUTS.get(plain(letters), 0 if role(letters) in ("scores", "probs") else 99)
        number = str(key)[len(letters):]
        return role(letters) not in ("w", "b"), known < 99 or not letters, int(number or 99), -known
    return max(keys, key=how_late)


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
