"""Some pictures of a set, from all over it."""

import numpy as np

from ..aliases import Array
from .pictures import PictureSet


class Sample:
    """The same as a PictureSet, of which it has `count` pictures, evenly spread: each class keeps
    its share."""

    def __init__(self, pictures: PictureSet, count: int) -> None:
        self.pictures, self.indices = pictures, np.arange(count) * len(pictures) // max(count, 1)
        self.size, self.classes = pictures.size, pictures.classes
        self.labels: Array = pictures.labels[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def planes(self, index: int) -> Array:
        """uint8 (3, size, size), as PictureSet has it."""
        return self.pictures.planes(int(self.indices[index]))
