"""The built-in pictures: ten classes of patterns, drawn on first use, the same ones on every machine.

They live as JPEG files in class folders, so they can be looked at, copied, and opened with --data like any others.
"""

import os

import numpy as np
from PIL import Image
from tqdm import tqdm

from minialex.data.bars import hidden
from minialex.data.cache import cache_folder, whole_folder
from minialex.data.folder import open_folder
from minialex.data.patterns import PATTERNS
from minialex.data.scene import draw
from minialex.data.threads import ahead
from minialex.errors import UserError

VERSION = 2
SEED = 2012
PER_CLASS = {"train": 120, "val": 40}


def builtin(cache_dir=None, progress=True, **options):
    """The built-in set: (train, val), ten classes with 120 and 40 pictures each. Drawn once, in seconds.

    cache_dir: where the pictures are kept (see minialex.data.cache); progress: show a bar while they are drawn.
    options: open_folder's max_classes, max_images, seed, size, cache_bytes. Raises UserError if they cannot be written.
    """
    root = cache_folder(cache_dir) / f"builtin-v{VERSION}"
    if not root.exists():
        with whole_folder(root) as folder:
            generate(folder, PER_CLASS, progress)
    _check_whole(root)
    return open_folder(root, **options)


def _check_whole(root):
    for part, count in PER_CLASS.items():
        for name in PATTERNS:
            if len(list(root.glob(f"{part}/{name}/*.jpg"))) < count:
                raise UserError(f"the built-in pictures are damaged, {root / part / name} has fewer than {count}: "
                                f"delete {root}, and they are drawn again")


def generate(folder, per_class=PER_CLASS, progress=False, workers=None):
    """Draw per_class["train"] and per_class["val"] pictures of each class into class folders below `folder`."""
    jobs = []
    for part, count in per_class.items():
        for label, name in enumerate(PATTERNS):
            os.makedirs(os.path.join(folder, part, name))
            jobs += [(part, label, name, number) for number in range(count)]

    def save(job):
        part, label, name, number = job
        # Each picture has its own random numbers, so it does not matter which thread draws it, or when.
        random = np.random.default_rng([SEED, VERSION, ("train", "val").index(part), label, number])
        picture = Image.fromarray(draw(PATTERNS[name], random))
        picture.save(os.path.join(folder, part, name, f"{name}_{number:04d}.jpg"), quality=92)

    saved = ahead(save, jobs, workers or min(8, os.cpu_count() or 1))
    for _ in tqdm(saved, "drawing the pictures", total=len(jobs), disable=hidden(progress), leave=False, unit=" images"):
        pass
