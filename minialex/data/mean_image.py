"""The mean image, the spread and the principal colours of the training set.

The paper (section 2): "We did not pre-process the images in any other way, except for subtracting
the mean activity over the training set from each pixel." The mean is an image, one value per pixel
and channel. The spread is one number, sqrt(mean((x - mean)²)) over all pixels of all pictures:
dividing by it gives pixels of variance 1, which He's initialisation takes for granted.

The principal colours (section 4.1): "we perform PCA on the set of RGB pixel values throughout the
ImageNet training set". With C the 3×3 covariance of red, green and blue over all pixels of all
pictures, C = P·diag(λ)·Pᵀ, the columns of P being the components. λ has the unit of a pixel
squared, so the paper's shift P·(α₁λ₁, α₂λ₂, α₃λ₃) makes sense for pixels in 0..1 only (with 0..255,
and ImageNet's λ₁, it would be 1,400 grey levels): C is computed for those, the shift turned back
into 0..255. (Krizhevsky's released program multiplies by the standard deviations √λ instead.)
"""

from dataclasses import dataclass

import numpy as np

from ..aliases import Array
from ..errors import require
from ..utils.ahead import ahead, bar
from .pictures import PictureSet, UnreadablePicture, attempt
from .sample import Sample
from .transforms import luminance


@dataclass(frozen=True)
class Statistics:
    """mean: float32 (C, size, size), in units of pixel values 0..255; std: float, in the same
    units.

    components: float64 (3, 3), whose columns are the principal components of the colours, each
    multiplied by its λ, in units of pixel values 0..255; None for pictures without colours.
    """

    mean: Array
    std: float
    components: Array | None = None


def statistics(pictures: PictureSet, channels: int = 3, limit: int = 10_000, workers: int = 2,
               progress: bool = False) -> Statistics:
    """Compute mean image, spread and principal colours of a PictureSet.

    More than `limit` pictures are sampled evenly, every n-th: at 10,000 the mean is known to about
    one grey level, and reading ImageNet takes a minute instead of hours. Unreadable pictures are
    left out. All sums are of integers, so the result is the same bytes whatever the number of
    workers. Raises UserError if no picture can be read.
    """
    sample = Sample(pictures, min(len(pictures), limit))
    count = len(sample)
    total = np.zeros((channels, pictures.size, pictures.size), dtype=np.uint32)
    products, seen = np.zeros((channels, channels)), 0
    sums = ahead(lambda index: attempt(_sums, sample, index, channels), range(count), workers)
    for found in bar("mean image", progress, sums, total=count, leave=False):
        if isinstance(found, UnreadablePicture):
            continue
        image, product = found
        total += image
        products += product
        seen += 1
    require(seen, f"none of the {count} pictures for the mean image can be read: check the files")
    mean = total / seen
    mean_square = float(products.trace()) / (seen * total.size)
    variance = mean_square - float(np.square(mean).mean())
    # Pictures that are all the same have no spread to divide by.
    spread = float(np.sqrt(variance)) if variance > 1e-6 else 1.0
    return Statistics(mean.astype(np.float32), spread,
                      _components(products, mean, seen) if channels == 3 else None)


def _sums(pictures: Sample, index: int, channels: int) -> tuple[Array, Array]:
    """(planes, sums of the products of two channels) of a picture."""
    planes = pictures.planes(index) if channels == 3 else luminance(pictures.planes(index))
    # whose sums of whole numbers are exact up to 2**53
    pixels = planes.reshape(channels, -1).astype(np.float64)
    return planes, pixels @ pixels.T


def _components(products: Array, mean: Array, seen: int) -> Array:
    """P·diag(λ) of the covariance E[xxᵀ] − E[x]E[x]ᵀ of pixels in 0..1, times 255."""
    centre = mean.mean(axis=(1, 2))
    covariance = (products / (seen * mean[0].size) - np.outer(centre, centre)) / 255**2
    variances, components = np.linalg.eigh(covariance)
    # A component may point either way: towards brighter, so that another LAPACK draws the same
    # colours.
    components *= np.where(components.sum(axis=0) < 0, -1, 1)
    return 255 * components * variances.clip(0, None)
