"""Embedding with words that occur several times, and one that never does: np.add.at, or here a
product with one-hot rows."""
import numpy as np


def forward(table, words):
    return table[words], (len(table), words)


def backward(dout, cache):
    count, words = cache
    return np.eye(count)[words].T @ dout


EXPECTED = {}


def inputs(generator, size):
    return {"table": generator.standard_normal((5, 3 + size)),
            "words": np.array([0, 2, 2, 1, 0, 2])}
