"""The backward of a deep network that stands alone: its arguments, or what its cache holds, are the
sums and activations of all layers.

    def backward(X, y, Z1, A1, Z2, A2, W1, b1, W2, b2, lam): …    return dW1, db1, dW2, db2

Its forward is written here: layers of x·W + b in rows or columns, with one of the usual
activations, and one of the usual losses of the last.
"""
import ast
import contextlib
import copy
import functools
import itertools
import re
from collections.abc import Callable

import numpy as np

from ..called import binding
from ..called.gradients import Named
from ..drawn import dictionaries
from ..names import SUMS, is_penalty, name_words, plain, role, stem, stems_of_gradient
from ..reading import usual
from ..reading.sources import source
from . import objects
from .functions import Composed, Reading
from .losses import LOSSES

N, SIZES = 4, (5, 6, 7, 8, 9, 10)
LAST = 3, 1  # outputs: db2 = np.sum(dZ2) is meant for one
KEEP = 0.8  # of each layer's numbers, behind a dropout
MOST = 24  # readings where no loss fits
HIDDEN = {"relu": r"> *0|relu", "tanh": r"tanh|\*\* *2|power|square", "sigmoid": r"1(\.0)? *-|sigm"}
PENALTIES = {"λ/2N Σ W²": lambda lam: lam / 2 / N, "λ/2 Σ W²": lambda lam: lam / 2,
             "λ Σ W²": lambda lam: lam, "λ/N Σ W²": lambda lam: lam / N}


def meaning(name: str) -> tuple[str, int] | None:
    """("w", 2) of W2, ("z", 1) of Z1, ("x", 0), ("labels", 0), ("lam", 0), ("count", 0) of m,
    ("mask", 1) of D1, ("keep", 0) of keep_prob; None of what is none of these."""
    found = re.fullmatch(r"([A-Za-z]+)_?(\d+)", name)
    letter = plain(found[1]) if found else ""
    if letter in ("a", "h") or letter in SUMS:
        return ("z" if letter in SUMS else "a") if found[2] != "0" else "x", int(found[2])
    if letter and role(letter) in ("w", "b"):
        return role(letter), int(found[2])
    if letter in ("d", "mask"):
        return "mask", int(found[2])
    known = {"x": "x", "labels": "labels"}.get(role(name))
    known = known or ("lam" if is_penalty(name) else None)
    known = known or ("keep" if "keep" in name_words(name) else None)
    known = known or ("count" if plain(name) in ("m", "n", "batchsize") else None)
    return known and (known, 0)


def asked(function: Callable) -> dict | None:
    """{argument: what it means, or of a dictionary or tuple {key: …}} of such a backward; None of
    any other function."""
    found: dict = {}
    for p in binding.signature(function):
        keys = dictionaries.keys(function, p.name) or dictionaries.unpacked(function, p.name)
        if meaning(p.name) or (keys and all(map(meaning, keys))):
            found[p.name] = {key: meaning(key) for key in keys} if keys else meaning(p.name)
        elif p.default is p.empty:
            return None
    every = _flat(found)
    layers = {number for kind, number in every if kind in ("a", "z")}
    kinds = {kind for kind, _ in every}
    is_deep = len(layers) > 1 and layers == {*range(1, max(layers) + 1)}
    return found if is_deep and {"labels", "x", "w"} <= kinds and _weights(function) else None


def _weights(function):
    """[dW1, db1, …], as they stand in its return statement, tuple or dictionary."""
    returned = [key.value for node in binding.nodes(function, ast.Dict) for key in node.keys
                if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return [name for name in binding.names_returned(function) or returned
            if any(re.fullmatch(r"[wb]\d+", one) for one in stems_of_gradient(name))]


@functools.lru_cache(maxsize=4)  # asked for with each layout
def readings(function: Callable, title: str, seed: int) -> list[Reading]:
    """The backward as the gradient of each usual loss of each usual network that it may be that
    of."""
    found = []
    for last in LAST:
        found += _of_outputs(function, title, seed, last)
        if some := [reading for fits, reading in found if fits]:
            return some
    return [reading for _, reading in found][:MOST]


def _of_outputs(function, title, seed, last):
    """[(does its last bias fit? a Reading)] with so many outputs."""
    every, text, readings = asked(function), source(function), []
    hidden = [name for name, mark in HIDDEN.items() if re.search(mark, text)] or [*HIDDEN]
    penalties = PENALTIES if "lam" in {kind for kind, _ in _flat(every)} else {"": None}
    for rows, hot, inner in itertools.product((True, False), (False, True), hidden):
        moved, fixed = _drawn(every, rows, hot, "keepdims" in text, seed, last)
        for (outer, words, loss), said in itertools.product(_ends(), penalties):
            net = _Net(function, every, fixed, rows, (inner, outer, loss, penalties[said]))
            code = Composed(net.forward, net.backward, title, function.__code__.co_filename)
            with contextlib.suppress(Exception), np.errstate(all="ignore"):  # it is another's
                fits = _fits(code, moved)
                readings.append((fits, Reading(
                    code, moved, f"with the usual {inner} and {outer}, as the gradient of {words}"
                    f"{said and ' + '}{said}")))
    return readings


def _fits(code, moved):
    """Is the last layer's bias right, on which no penalty lies? Then the loss is that one."""
    name, found = [*moved][-1], code.backward(code.run(moved), [1.0])
    step = np.random.default_rng(3).standard_normal(moved[name].shape) * 1e-5
    there, back = (code.run({**moved, name: moved[name] + sign * step}).outputs[0]
                   for sign in (1, -1))
    taken = 2 * (np.reshape(found[name], step.shape) * step).sum() if name in found else np.nan
    return abs(there - back - taken) < 1e-3 * abs(taken)


def _flat(every):
    return [one for what in every.values()
            for one in (what.values() if isinstance(what, dict) else [what])]


def _ends():
    """(name of the last activation, words, loss)"""
    for words, loss in LOSSES.items():
        if "softmax" not in words:
            outer = ("sigmoid",) if "binary" in words else ("softmax",) if "entropy" in words else (
                "identity", "sigmoid")
            yield from ((one, words, loss) for one in outer)


def _drawn(every, rows, hot, keepdims, seed, last):
    """({name: weights}, {what it means: what is not moved})"""
    names = {what: name for name, what in every.items() if not isinstance(what, dict)}
    names.update((what, key) for inside in every.values() if isinstance(inside, dict)
                 for key, what in inside.items())
    layers = max(number for _, number in _flat(every))
    sizes, moved = (*SIZES[:layers], last), {}
    for number, both in enumerate(zip(sizes, sizes[1:]), 1):
        for kind, shape in (("w", both if rows else both[::-1]),
                            ("b", (both[1], 1) if not rows else (1, both[1]) if keepdims
                             else both[1:])):
            name = names.get((kind, number), f"{'Wb'['wb'.index(kind)]}{number}")
            generator = np.random.default_rng([seed, *name.encode()])
            moved[name] = objects.sensible(shape, generator)
    generator = np.random.default_rng([seed, 7])
    x, y = generator.standard_normal((N, sizes[0])), np.arange(N) % max(last, 2)
    y = y if not hot else np.eye(last)[y] if last > 1 else y[:, None]
    return moved, {("x", 0): x if rows else x.T, ("labels", 0): y if rows or not hot else y.T,
                   ("lam", 0): 0.3, ("count", 0): N, ("keep", 0): KEEP}


class _Net:
    """Forward and backward for one of the losses. ends: names of the activations, the loss, the
    factor of its penalty."""

    def __init__(self, function, every, fixed, rows, ends):
        self.function, self.every, self.fixed, self.rows = function, every, fixed, rows
        self.inner, self.outer, self.loss, self.penalty = ends
        self.asked = _flat(every)

    def forward(self, **moved):
        """(the loss, what backward is given by its meaning, the weights' names)"""
        known, x = dict(self.fixed), self.fixed["x", 0]
        known.update(zip([(kind, number) for number in range(1, len(moved) // 2 + 1)
                          for kind in "wb"], moved.values()))
        for number in range(1, len(moved) // 2 + 1):
            w, b = known["w", number], known["b", number]
            known["z", number] = (x @ w if self.rows else w @ x) + b
            name = self.outer if number == len(moved) // 2 else self.inner
            x = self._activated(name, known["z", number])
            if ("mask", number) in self.asked:
                known["mask", number] = np.random.default_rng(number).random(x.shape) < KEEP
                x = x * known["mask", number] / KEEP
            known["a", number] = x
        loss = self.loss(x, self.fixed["labels", 0])
        if self.penalty:
            loss += self.penalty(self.fixed["lam", 0]) * sum(
                (value ** 2).sum() for (kind, _), value in known.items() if kind == "w")
        return loss, known, [*moved]

    def _activated(self, name, z):
        if name == "softmax":
            return usual.softmax(z, -1 if self.rows else 0)
        return usual.ACTIVATIONS[name][0](z) if name in usual.ACTIVATIONS else z

    def backward(self, known, names):
        """The gradients that it calls after these weights, or stands in the place of."""
        given = {name: {key: known[one] for key, one in what.items()} if isinstance(what, dict)
                 else known[what] for name, what in self.every.items()}
        given = {name: tuple(value.values()) if isinstance(value, dict) and dictionaries.unpacked(
            self.function, name) else value for name, value in given.items()}
        returned = self.function(**copy.deepcopy(given))
        both = returned.items() if isinstance(returned, dict) else zip(
            binding.names_returned(self.function), returned)
        return Named({weight: value for name, value in both for weight in names
                      if stem(weight) in stems_of_gradient(name)})
