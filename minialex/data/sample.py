"""Some pictures of a set, from all over it."""

import numpy as np

from ..aliases import Array
from .pictures import PictureSet


def evenly(count: int, total: int) -> Array:
    """`count` of the numbers 0 … total − 1, evenly spread: each class of a set keeps its share."""
    return np.arange(count) * total // max(count, 1)


class Sample:
    """The same as a PictureSet, of which it has `count` pictures, evenly spread."""

    def __init__(self, pictures: PictureSet, count: int) -> None:
        self.pictures, self.indices = pictures, evenly(count, len(pictures))
        self.size, self.classes = pictures.size, pictures.classes
        self.labels: Array = pictures.labels[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def planes(self, index: int) -> Array:
        """uint8 (3, size, size), as PictureSet has it."""
        return self.pictures.planes(int(self.indices[index]))
