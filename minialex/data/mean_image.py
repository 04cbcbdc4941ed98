"""The mean image and the spread of the training set.

The paper (section 2): "We did not pre-process the images in any other way, except for subtracting the mean activity
over the training set from each pixel." The mean is an image, one value per pixel and channel. The spread is one number,
sqrt(mean((x - mean)²)) over all pixels of all pictures: dividing by it gives pixels of variance 1, which He's
initialisation takes for granted.
"""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from minialex.data.bars import hidden
from minialex.data.pictures import UnreadablePicture
from minialex.data.threads import ahead
from minialex.data.transforms import luminance
from minialex.errors import UserError


@dataclass(frozen=True)
class Statistics:
    """mean: float32 (C, size, size), in units of pixel values 0..255; std: float, in the same units."""

    mean: np.ndarray
    std: float


def statistics(pictures, channels=3, limit=10_000, workers=2, progress=False):
    """Mean image and spread of a PictureSet.

    More than `limit` pictures are sampled evenly, every n-th: at 10,000 the mean is known to about one grey level, and
    reading ImageNet takes a minute instead of hours. Unreadable pictures are left out. All sums are of integers, so the
    result is the same bytes whatever the number of workers. Raises UserError if no picture can be read.
    """
    count = min(len(pictures), limit)
    indices = np.arange(count) * len(pictures) // max(count, 1)
    total = np.zeros((channels, pictures.size, pictures.size), dtype=np.uint32)
    histogram = np.zeros(256, dtype=np.int64)
    seen = 0
    planes = ahead(lambda index: _planes_or_none(pictures, int(index), channels), indices, workers)
    for image in tqdm(planes, "mean image", total=count, disable=hidden(progress), leave=False, unit=" images"):
        if image is not None:
            total += image
            histogram += np.bincount(image.reshape(-1), minlength=256)
            seen += 1
    if seen == 0:
        raise UserError(f"none of the {count} pictures for the mean image can be read: check the files")
    mean = total / seen
    mean_square = float(histogram @ np.arange(256.0) ** 2) / (seen * total.size)
    variance = mean_square - float(np.square(mean).mean())
    # Pictures that are all the same have no spread to divide by.
    return Statistics(mean.astype(np.float32), float(np.sqrt(variance)) if variance > 1e-6 else 1.0)


def _planes_or_none(pictures, index, channels):
    try:
        planes = pictures.planes(index)
    except UnreadablePicture:
        return None
    return planes if channels == 3 else luminance(planes)
