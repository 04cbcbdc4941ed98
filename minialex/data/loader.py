"""Batches for training and evaluation, prepared ahead of the step that uses them.

Order, crops, reflections and colour shifts of an epoch are drawn beforehand from (seed, epoch), one draw per picture.
Threads only fetch what was drawn, so neither their number nor their speed can change a batch, and a run can go on at any
batch. For a GPU they fetch bytes, a quarter of the traffic, and everything else happens there.
"""

import numpy as np

from minialex.data.pictures import UnreadablePicture
from minialex.data.threads import ahead
from minialex.data.transforms import centre, colour_shifts, luminance, prepare, prepare_batch
from minialex.device import canonical, to_device
from minialex.errors import UserError
from minialex.fast.buffers import empty


class Loader:
    """Iterating gives (images, labels): float32 (N, channels, crop, crop), int64 (N,), both on `device`.

    train=True: every epoch in a new order; random crops and reflections as `random_crop` and `reflect` say. A picture
    that cannot be read is replaced by the next one in the set that can.
    train=False: the set's own order, central crops, no reflection. A picture that cannot be read is left out, so that
    no other counts twice.
    statistics: what statistics(train) returned (for validation too); scale: also divide by its std. None: raw 0..255.
    colour: the σ of the colour shifts while training, 0 for none; the paper's is 0.1 (see colour_shifts).
    channels: 3, or 1 for brightness only. workers: threads that read ahead, each by one batch.
    drop_last: leave out a last batch that is not full. device: "cpu", or "cuda:n", which gets bytes and does the rest.
    Raises UserError if the crop does not fit the pictures, or statistics belong to other sizes or channels.
    """

    def __init__(
        self,
        pictures,
        batch_size,
        crop=227,
        train=True,
        seed=0,
        statistics=None,
        scale=True,
        reflect=True,
        random_crop=True,
        workers=2,
        channels=3,
        drop_last=False,
        colour=0.0,
        device="cpu",
    ):
        self.pictures = pictures
        self.batch_size = batch_size
        self.crop = crop
        self.train = train
        self.seed = seed
        self.mean = None if statistics is None else statistics.mean
        self.factor = 1.0 if statistics is None or not scale else 1.0 / statistics.std
        self.reflect = train and reflect
        self.random_crop = train and random_crop
        self.workers = workers
        self.channels = channels
        self.drop_last = drop_last
        self.colour = colour if train else 0.0
        self.components = None if statistics is None else statistics.components
        self.device = canonical(device)
        self._check()
        self.start(0)

    def _check(self):
        size = self.pictures.size
        if len(self.pictures) == 0:
            raise UserError("the picture set is empty: there is nothing to load")
        if self.batch_size < 1 or self.workers < 1:
            raise UserError(f"batch size and workers must be at least 1, not {self.batch_size} and {self.workers}")
        if self.channels not in (1, 3):
            raise UserError(f"pictures have 3 channels, or 1 for brightness only, not {self.channels}")
        if not 1 <= self.crop <= size:
            raise UserError(f"a crop of {self.crop}×{self.crop} does not fit into pictures of {size}×{size}")
        if self.mean is not None and self.mean.shape != (self.channels, size, size):
            expected = (self.channels, size, size)
            raise UserError(f"the mean image has shape {self.mean.shape}, but the pictures have {expected}")
        if self.colour and self.components is None:
            raise UserError("colours are shifted along their principal components: that needs colour pictures and statistics")

    def __len__(self):
        """Batches per epoch."""
        whole, rest = divmod(len(self.pictures), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def set_epoch(self, epoch):
        """Choose the epoch that the next iteration runs through."""
        self.start(epoch)

    def start(self, epoch, batch=0):
        """Choose epoch and first batch of the next iteration; batches before it are skipped without reading them."""
        self.epoch, self.first_batch = epoch, batch
        random = np.random.default_rng([self.seed, epoch])
        count, room = len(self.pictures), self.pictures.size - self.crop
        self.order = random.permutation(count) if self.train else np.arange(count)
        self.offsets = np.full((count, 2), centre(self.pictures.size, self.crop))
        if self.random_crop:
            self.offsets = random.integers(0, room, size=(count, 2), endpoint=True)
        self.reflections = random.random(count) < 0.5 if self.reflect else np.zeros(count, dtype=bool)
        self.shifts = colour_shifts(self.components, self.colour, count, random) if self.colour else None

    def __iter__(self):
        # A later start() must not change an iteration that has begun.
        order, plan = self.order, (self.offsets, self.reflections, self.shifts)
        batches = [order[n * self.batch_size : (n + 1) * self.batch_size] for n in range(self.first_batch, len(self))]
        if self.device == "cpu":
            yield from self._ahead(lambda indices: self._images(indices, *plan), batches)
        else:
            mean = None if self.mean is None else to_device(self.mean, self.device)
            for parts, labels in self._ahead(lambda indices: self._bytes(indices, *plan), batches):
                planes, *drawn, shifts = (None if part is None else to_device(part, self.device) for part in parts)
                yield prepare_batch(planes, *drawn, mean, self.factor, self.crop, shifts), to_device(labels, self.device)

    def _ahead(self, read, batches):
        """The batches that are not empty. Raises UserError when all are: validation leaves out what cannot be read."""
        some = False
        for batch in ahead(read, batches, self.workers):
            if len(batch[1]):
                some = True
                yield batch
        if batches and not some and self.first_batch == 0:
            raise UserError(f"none of the {len(self.pictures)} pictures for validation can be read: check the files")

    def _images(self, indices, offsets, reflections, shifts):
        """(images, labels) of the pictures with these numbers, without those that are left out."""
        # Recycled: fresh memory for a batch of 128 (79 MB) costs a quarter of the speed, 10,300 pictures/s instead of 14,300.
        images = empty((len(indices), self.channels, self.crop, self.crop), np.float32)
        labels = np.empty(len(indices), dtype=np.int64)
        filled = 0
        for index, planes, label in self._read(indices):
            shift = None if shifts is None else shifts[index]
            prepare(planes, *offsets[index], reflections[index], self.mean, self.factor, images[filled], shift)
            labels[filled] = label
            filled += 1
        return images[:filled], labels[:filled]

    def _bytes(self, indices, offsets, reflections, shifts):
        """((planes, offsets, reflections, shifts), labels) of the same pictures, for prepare_batch."""
        size = self.pictures.size
        planes = np.empty((len(indices), self.channels, size, size), dtype=np.uint8)
        found = []
        for index, pixels, label in self._read(indices):
            planes[len(found)] = pixels
            found.append((index, label))
        kept, labels = np.array(found, dtype=np.int64).reshape(-1, 2).T
        drawn = offsets[kept], reflections[kept], None if shifts is None else shifts[kept]
        return (planes[: len(kept)], *drawn), labels

    def _read(self, indices):
        """(number, planes, label) of each picture that is not left out."""
        for index in indices:
            planes, source = self._fetch(int(index))
            if planes is not None:
                yield index, planes if self.channels == 3 else luminance(planes), self.pictures.labels[source]

    def _fetch(self, index):
        """(planes, index) of a picture or of its replacement; (None, index) leaves it out."""
        if self.train:
            return self.pictures.planes_or_next(index)
        try:
            return self.pictures.planes(index), index
        except UnreadablePicture:
            return None, index
