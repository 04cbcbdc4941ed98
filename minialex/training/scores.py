"""How good predictions are: top-1, top-5, the table of classes, the confusion matrix."""

from dataclasses import dataclass

import numpy as np

from .metrics import rank


@dataclass
class Scores:
    """probabilities: (N, K); labels: (N,); classes: K names; numbers: of the N pictures in their set."""

    probabilities: np.ndarray
    labels: np.ndarray
    classes: list
    numbers: list

    @property
    def predicted(self):
        """The most probable class of each picture, (N,)."""
        return self.probabilities.argmax(axis=1)

    def top(self, k):
        """The part of the pictures whose class is among the k most probable."""
        return float((rank(self.probabilities, self.labels) < k).mean())

    @property
    def loss(self):
        """Mean cross-entropy."""
        right = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(right, 1e-30)).mean())

    def select(self, rows, classes):
        """Scores of some of the pictures, with the same classes in this order."""
        here = {name: number for number, name in enumerate(self.classes)}
        columns = [here[name] for name in classes]
        labels = np.argsort(columns)[self.labels[rows]]
        return Scores(self.probabilities[rows][:, columns], labels, list(classes), [self.numbers[row] for row in rows])

    def confusion(self):
        """Counts (K, K): row the class of a picture, column what the network says."""
        counts = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts

    def by_class(self):
        """For each class a dict: class, pictures, right, recall, precision, mistaken_for (or None)."""
        counts = self.confusion()
        rows = []
        for number, name in enumerate(self.classes):
            pictures, said, right = int(counts[number].sum()), int(counts[:, number].sum()), int(counts[number, number])
            others = counts[number].copy()
            others[number] = 0
            mistaken = self.classes[int(others.argmax())] if others.any() else None
            rows.append({"class": name, "pictures": pictures, "right": right, "recall": right / pictures if pictures else None,
                         "precision": right / said if said else None, "mistaken_for": mistaken})
        return rows

    def by_confidence(self):
        """Picture numbers: (right and surest first, wrong and surest first)."""
        sure = self.probabilities.max(axis=1)
        order = np.argsort(-sure, kind="stable")
        right = self.predicted == self.labels
        return order[right[order]], order[~right[order]]

    def of_many_classes(self, order, count):
        """The first `count` of the picture numbers `order`, one of each class before a second of any."""
        seen, turns = {}, []
        for place, number in enumerate(order):
            label = int(self.labels[number])
            seen[label] = seen.get(label, -1) + 1
            turns.append((seen[label], place))
        return [int(order[place]) for _, place in sorted(turns)[:count]]


def ensemble(parts):
    """Several networks' Scores of the same pictures -> those of their mean probabilities, as the paper averages (section 6)."""
    first = parts[0]
    mean = np.mean([part.probabilities for part in parts], axis=0)
    return Scores(mean, first.labels, first.classes, first.numbers)
