"""Batches for training and evaluation, prepared ahead of the step that uses them.

Order, crops, reflections and colour shifts of an epoch are drawn beforehand from (seed, epoch), one
draw per picture. Threads only fetch what was drawn, so neither their number nor their speed can
change a batch, and a run can go on at any batch. For a GPU they fetch bytes, a quarter of the
traffic, and everything else happens there.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from ..aliases import Array
from ..device import canonical, to_device
from ..errors import require
from ..fast.buffers import empty
from ..utils.ahead import ahead
from .mean_image import Statistics
from .pictures import PictureSet, UnreadablePicture
from .transforms import centre, colour_shifts, luminance, prepare, prepare_batch


@dataclass(eq=False, repr=False)
class Loader:
    """Iterating gives (images, labels): float32 (N, channels, crop, crop), int64 (N,), both on
    `device`.

    train=True: every epoch in a new order; random crops and reflections as `random_crop` and
    `reflect` say. A picture that cannot be read is replaced by the next one in the set that can.
    train=False: the set's own order, central crops, no reflection. A picture that cannot be read is
    left out, so that no other counts twice. statistics: what statistics(train) returned (for
    validation too); scale: also divide by its std. None: raw 0..255. colour: the σ of the colour
    shifts while training, 0 for none; the paper's is 0.1 (see colour_shifts). channels: 3, or 1 for
    brightness only. workers: threads that read ahead, each by one batch. drop_last: leave out a
    last batch that is not full. device: "cpu", or "cuda:n", which gets bytes and does the rest.
    Raises UserError if the crop does not fit the pictures, or statistics belong to other sizes or
    channels.
    """

    pictures: PictureSet
    batch_size: int
    crop: int = 227
    train: bool = True
    seed: int = 0
    statistics: Statistics | None = None
    scale: bool = True
    reflect: bool = True
    random_crop: bool = True
    workers: int = 2
    channels: int = 3
    drop_last: bool = False
    colour: float = 0.0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not self.train:
            self.reflect, self.random_crop, self.colour = False, False, 0.0
        self.device, found = canonical(self.device), self.statistics
        self.mean: Any = found.mean if found else None
        self.components: Any = found.components if found else None
        self.factor = 1.0 / found.std if found and self.scale else 1.0
        # chooses, of the batches' indices, what is read here
        self.share: Callable[[list[Array]], list[Array]] | None = None
        self._check(self.pictures.size)
        self.start(0)

    def _check(self, size: int) -> None:
        require(len(self.pictures), "the picture set is empty: there is nothing to load")
        require(self.batch_size >= 1 and self.workers >= 1, "batch size and workers must be at "
                f"least 1, not {self.batch_size} and {self.workers}")
        require(self.channels in (1, 3), "pictures have 3 channels, "
                f"or 1 for brightness only, not {self.channels}")
        require(1 <= self.crop <= size,
                f"a crop of {self.crop}×{self.crop} does not fit into pictures of {size}×{size}")
        shape, expected = np.shape(self.mean), (self.channels, size, size)
        require(self.mean is None or shape == expected,
                f"the mean image has shape {shape}, but the pictures have {expected}")
        require(not self.colour or self.components is not None, "colours are shifted along their "
                "principal components: that needs colour pictures and statistics")

    def __len__(self) -> int:
        """Batches per epoch."""
        whole, rest = divmod(len(self.pictures), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def start(self, epoch: int, batch: int = 0) -> None:
        """Choose epoch and first batch of the next iteration; batches before it are skipped without
        reading them."""
        self.epoch, self.first_batch = epoch, batch
        random = np.random.default_rng([self.seed, epoch])
        count, room = len(self.pictures), self.pictures.size - self.crop
        self.order = random.permutation(count) if self.train else np.arange(count)
        self.offsets = np.full((count, 2), centre(self.pictures.size, self.crop))
        if self.random_crop:
            self.offsets = random.integers(0, room, size=(count, 2), endpoint=True)
        self.reflections = random.random(count) < 0.5 if self.reflect else np.zeros(count,
                                                                                    dtype=bool)
        self.shifts = colour_shifts(self.components, self.colour, count,
                                    random) if self.colour else None

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Raises UserError when no batch holds a picture: validation leaves out what cannot be
        read."""
        # A later start() must not change an iteration that has begun.
        order, plan = self.order, (self.offsets, self.reflections, self.shifts)
        batches = [order[n * self.batch_size : (n + 1) * self.batch_size]
                   for n in range(self.first_batch, len(self))]
        batches = self.share(batches) if self.share else batches
        mean = None if self.mean is None else to_device(self.mean, self.device)
        on_cpu, some = self.device == "cpu", not batches or self.first_batch > 0
        read = self._images if on_cpu else self._read
        for found, labels in ahead(lambda indices: read(indices, *plan), batches, self.workers):
            if len(labels):
                some = True
                yield found if on_cpu else self._on_device(found, mean), to_device(labels,
                                                                                   self.device)
        require(some, f"none of the {len(self.pictures)} pictures for validation can be read: "
                "check the files")

    def _on_device(self, parts: tuple[Any, ...], mean: Any) -> Any:
        """What `_images` makes on the CPU, of the bytes that `_read` has found."""
        planes, offsets, reflections, shifts = (None if part is None
                                                else to_device(part, self.device) for part in parts)
        return prepare_batch(planes, offsets, reflections, mean, self.factor, self.crop, shifts)

    def _images(self, *batch: Any) -> tuple[Array, Array]:
        """(images, labels) of a batch's pictures, without those that are left out."""
        (planes, offsets, reflections, shifts), labels = self._read(*batch)
        # Recycled: fresh memory for a batch of 128 (79 MB) costs a quarter of the speed.
        images = empty((len(planes), self.channels, self.crop, self.crop), np.float32)
        drawn = zip(images, planes, offsets, reflections,
                    repeat(None) if shifts is None else shifts)
        for image, pixels, (row, column), reflect, shift in drawn:
            prepare(pixels, row, column, reflect, self.mean, self.factor, image, shift)
        return images, labels

    def _read(self, indices: Array, offsets: Array, reflections: Array,
              shifts: Array | None) -> tuple[tuple[Any, ...], Array]:
        """((planes, offsets, reflections, shifts), labels) of the pictures with these numbers. In
        training those that cannot be read are replaced, in validation left out."""
        planes, kept, labels = [], [], []
        for index in map(int, indices):
            try:
                pixels, source = (self.pictures.planes_or_next(index) if self.train
                                  else (self.pictures.planes(index), index))
            except UnreadablePicture:
                continue
            planes.append(pixels if self.channels == 3 else luminance(pixels))
            kept.append(index)
            labels.append(self.pictures.labels[source])
        stacked = np.stack(planes) if planes and self.device != "cpu" else planes
        return (stacked, offsets[kept], reflections[kept],
                None if shifts is None else shifts[kept]), np.array(labels, np.int64)
