"""How good a network is: loss, top-1 and top-5 of batches as they come, and everything about
pictures that were judged.

A GPU runs ahead of the program; asking it for a number makes the program wait. So a Tally's sums
stay on the device until `fetch()`, and a training step never waits for them.
"""
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device import array_module


def rank(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many classes are ranked above the right one: logits (N, K), labels (N,) -> integers (N,)
    in 0..K.

    0 is a top-1 hit, below 5 a top-5 hit. Among equal logits the lower class number comes first, so
    that a network whose outputs are all the same is not right every time; NaN is never right.
    """
    xp = array_module(logits)
    labels = labels[:, None]
    right = xp.take_along_axis(logits, labels, axis=1)
    below = xp.where(xp.arange(logits.shape[1]) < labels, logits < right, logits <= right)
    return (~below).sum(axis=1)


def best(p: np.ndarray, count: int = 5) -> np.ndarray:
    """The numbers of the most probable classes, the lower number first among equals."""
    return np.argsort(-p, kind="stable")[:count]


class Tally:
    """Sums over the batches of an epoch so far. Start from those of `state()` to go on in the
    middle of one."""

    def __init__(self, loss: float = 0.0, top1: int = 0, top5: int = 0, count: int = 0) -> None:
        self.loss: Any = loss  # numbers, or 0-d arrays of the device
        self.top1: Any = top1
        self.top5: Any = top5
        self.count = count

    def add(self, loss: np.ndarray, logits: np.ndarray, labels: np.ndarray) -> None:
        """One batch: its mean loss, a 0-d array, logits (N, K) and labels (N,), all on one
        device."""
        ranks = rank(logits, labels)
        self.loss = self.loss + loss.astype("float64") * len(labels)
        self.top1 = self.top1 + (ranks < 1).sum()
        self.top5 = self.top5 + (ranks < 5).sum()
        self.count += len(labels)

    def merge(self, state: dict[str, float]) -> None:
        """Add another tally's `state()`."""
        for name, value in state.items():
            setattr(self, name, getattr(self, name) + value)

    def state(self) -> dict[str, float]:
        """The sums as plain numbers."""
        return {"loss": float(self.loss), "top1": int(self.top1), "top5": int(self.top5),
                "count": self.count}

    def fetch(self) -> tuple[float, ...]:
        """(mean loss, top-1, top-5), the last two as parts of 1."""
        sums = self.state()
        return tuple(sums[name] / max(self.count, 1) for name in ("loss", "top1", "top5"))


@dataclass
class Scores:
    """What a network says of N pictures. probabilities: (N, K); labels: (N,); classes: K names;
    numbers: of the N pictures in their set."""

    probabilities: np.ndarray
    labels: np.ndarray
    classes: list[str]
    numbers: list[int]

    @property
    def predicted(self) -> np.ndarray:
        """The most probable class of each picture, (N,)."""
        return self.probabilities.argmax(axis=1)

    def top(self, k: int) -> float:
        """The part of the pictures whose class is among the k most probable."""
        return float((rank(self.probabilities, self.labels) < k).mean())

    @property
    def loss(self) -> float:
        """Mean cross-entropy."""
        right = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(right, 1e-30)).mean())

    def select(self, rows: Sequence[int], classes: Sequence[str]) -> "Scores":
        """Scores of some of the pictures, with the same classes in this order."""
        here = {name: number for number, name in enumerate(self.classes)}
        columns = [here[name] for name in classes]
        return Scores(self.probabilities[rows][:, columns], np.argsort(columns)[self.labels[rows]],
                      list(classes), [self.numbers[row] for row in rows])

    def confusion(self) -> np.ndarray:
        """Counts (K, K): row the class of a picture, column what the network says."""
        counts = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts

    def by_class(self) -> list[dict[str, Any]]:
        """For each class a dict: class, pictures, right, recall, precision, mistaken_for (or
        None)."""
        rows, counts = [], self.confusion()
        for number, (name, found) in enumerate(zip(self.classes, counts)):
            pictures, said, right = (int(found.sum()), int(counts[:, number].sum()),
                                     int(found[number]))
            others = np.where(np.arange(len(found)) == number, 0, found)
            rows.append({"class": name, "pictures": pictures, "right": right,
                         "recall": right / pictures if pictures else None, "precision": right / said
                         if said else None, "mistaken_for": self.classes[int(others.argmax())]
                         if others.any() else None})
        return rows

    def by_confidence(self) -> tuple[np.ndarray, np.ndarray]:
        """Picture numbers: (right and surest first, wrong and surest first)."""
        order = np.argsort(-self.probabilities.max(axis=1), kind="stable")
        right = (self.predicted == self.labels)[order]
        return order[right], order[~right]

    def of_many_classes(self, order: Sequence[int], count: int) -> list[int]:
        """The first `count` of the picture numbers `order`, one of each class before a second of
        any."""
        seen: Counter[int] = Counter()
        turns = []
        for place, label in enumerate(self.labels[order].tolist()):
            turns.append((seen[label], place))
            seen[label] += 1
        return [int(order[place]) for _, place in sorted(turns)[:count]]


def ensemble(parts: Sequence[Scores]) -> Scores:
    """Several networks' Scores of the same pictures -> those of their mean probabilities, as the
    paper averages (section 6)."""
    mean = np.mean([part.probabilities for part in parts], axis=0)
    return Scores(mean, parts[0].labels, parts[0].classes, parts[0].numbers)
