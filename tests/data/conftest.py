"""Small trees of pictures, and a set whose pixels say which picture and which place they come
from."""

import numpy as np
import pytest
from picture_files import save

from minialex.data import PictureSet


@pytest.fixture
def tree(tmp_path):
    """tree("train/cat/1.jpg", ...) writes these pictures below a folder and returns the folder."""

    def write(*paths):
        for number, path in enumerate(paths):
            save(tmp_path / "pictures" / path, colour=(number * 7 % 256, 100, 50))
        return tmp_path / "pictures"

    return write


@pytest.fixture
def numbered(tmp_path):
    """numbered(5): a set of 5 pictures; red is the picture's number, green the row, blue the column
    of each pixel."""

    def make(count, **options):
        paths = []
        rows, columns = np.mgrid[0:256, 0:256].astype(np.uint8)
        for number in range(count):
            pixels = np.stack([np.full_like(rows, number), rows, columns], axis=-1)
            paths.append(save(tmp_path / "numbered" / f"{number:03d}.png", pixels,
                              compress_level=1))
        return PictureSet(["even", "odd"], [n % 2 for n in range(count)], paths, report=None,
                          **options)

    return make
