"""What frozen layers make of the pictures, computed once and kept.

A crop of a picture gives the same features whenever the frozen trunk sees it. So each picture is cropped and reflected at
random not every epoch but VIEWS times: epoch e trains on the crops that were drawn for epoch e mod VIEWS. The trunk runs
VIEWS times over the set instead of once per epoch; an epoch of the head alone takes a fraction of the time.

A view's features are computed in the set's order, all pictures at once, whatever epoch asks for them: a run that was
stopped and goes on gets the same bytes.
"""

import copy
import math
import time

import numpy as np

from .. import shapes
from ..device import to_device, to_numpy
from ..fast.buffers import release_memory
from ..tensor import Tensor, no_grad

VIEWS = 4
MEMORY = 2**31  # bytes for all views; larger sets have fewer, and where not even one fits, features are not kept
BATCH = 64


def views(trunk, input_shape, count, augmented):
    """How many views of `count` pictures are kept: 0 when not even one fits into MEMORY."""
    *_, features = shapes.summary(trunk, input_shape).rows
    return min(VIEWS if augmented else 1, MEMORY // (count * math.prod(features.output_shape) * 4))


def kept(experiment, loader, phase):
    """The loader of features in the place of a loader of pictures, where an experiment has frozen layers to keep."""
    if not experiment.views:
        return loader
    return FeatureLoader(loader, experiment.trunk, experiment.views if loader.train else 1, phase)


class FeatureLoader:
    """Batches of features and labels, where `loader` (a data.Loader of the whole set) has batches of pictures.

    trunk: the frozen layers; views: how many crops of each picture; phase: as Progress.phase, for who waits.
    """

    def __init__(self, loader, trunk, views, phase):
        self.loader, self.trunk, self.views, self.phase = loader, trunk, views, phase
        self.pictures, self.device = loader.pictures, trunk.parameters()[0].device
        self._kept = {}
        self.start(0)

    def __len__(self):
        return len(self.loader)

    def start(self, epoch, batch=0):
        """Choose epoch and first batch of the next iteration."""
        self.loader.start(epoch)
        self.order, self.view, self.first_batch = self.loader.order, epoch % self.views, batch

    def prepare(self):
        """Compute what this epoch's iteration gives, if it is not there yet. Returns of how many pictures."""
        before = len(self._kept)
        self._features(self.view)
        return len(self.pictures) if len(self._kept) > before else 0

    def forget(self):
        """Give back the memory of what is kept."""
        self._kept.clear()

    def uncomputed(self, epochs):
        """Pictures whose features these epochs still need, each view's counted."""
        views = {epoch % self.views for epoch in epochs}
        return len(views - set(self._kept)) * len(self.pictures)

    def __iter__(self):
        features, labels = self._features(self.view)
        size = self.loader.batch_size
        for batch in range(self.first_batch, len(self)):
            chosen = self.order[batch * size : (batch + 1) * size]
            chosen = chosen[chosen < len(labels)]
            if len(chosen):
                yield features[chosen], labels[chosen]

    def _features(self, view):
        if view not in self._kept:
            self._kept[view] = self._compute(view)
        return self._kept[view]

    def _compute(self, view):
        in_order = copy.copy(self.loader)
        in_order.batch_size, in_order.drop_last = BATCH, False
        in_order.start(view)
        in_order.order = np.arange(len(self.pictures))
        what = f"features of the frozen layers, view {view + 1} of {self.views}" if self.views > 1 else "features"
        features, labels, filled = None, np.empty(len(self.pictures), dtype=np.int64), 0
        self.trunk.eval()
        with no_grad(), self.phase(what, len(self.pictures)) as bar:
            for images, of_images in in_order:
                found = to_numpy(self.trunk(Tensor(to_device(images, self.device))).data)
                if features is None:
                    features = np.empty((len(self.pictures), *found.shape[1:]), found.dtype)
                rows = slice(filled, filled + len(found))
                features[rows], labels[rows], filled = found, to_numpy(of_images), rows.stop
                bar.step(len(of_images))
        release_memory()
        return features[:filled], labels[:filled]

    def sample(self, count):
        """Features and labels of the first pictures, after one batch that is not counted: (features, labels, seconds a picture).

        For a rehearsal; nothing is kept.
        """
        in_order = copy.copy(self.loader)
        in_order.batch_size, in_order.drop_last = min(BATCH, len(self.pictures)), False
        in_order.start(0)
        in_order.order = np.arange(len(self.pictures))
        parts, labels, start = [], [], None
        self.trunk.eval()
        with no_grad():
            for images, of_images in in_order:
                parts.append(to_numpy(self.trunk(Tensor(to_device(images, self.device))).data))
                labels.append(to_numpy(of_images))
                start = start or time.perf_counter()
                if sum(map(len, labels)) >= count + len(labels[0]):
                    break
        timed = sum(map(len, labels[1:]))
        seconds = (time.perf_counter() - start) / timed if timed else 0.0
        return np.concatenate(parts), np.concatenate(labels), seconds
