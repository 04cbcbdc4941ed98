"""Small coloured pictures of three classes, on which LeNet-5 trains in a second, and ears for what
is said meanwhile."""

import numpy as np
from PIL import Image

from minialex.evaluation import figures as plots
from minialex.evaluation import plots as shared
from minialex.utils import drawing
from minialex.utils.progress import Progress

CLASSES = {"Äpfel": (180, 60, 50), "leaves": (140, 220, 120), "sky $5": (20, 40, 110)}

OPTIONS = {"variant": "lenet5", "batch_size": 8, "lr": 0.05, "device": "cpu"}


def write_pictures(root, per_class):
    """{part: count} pictures of each class below root/part/class, noisy squares of the class's
    colour."""
    random = np.random.default_rng(7)
    for part, count in per_class.items():
        for name, colour in CLASSES.items():
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.normal(colour, 30, (40, 40, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    return root


def leave_blank(monkeypatch, drawn=()):
    """The pictures of runs, but not what they would show, are blank from here on: drawing takes
    most of a small run's time. The shared runs (the fixtures of this scope `session`) are drawn,
    and so are those of tests marked `drawn`, and the kinds of pictures that `drawn` names."""
    def blank(path, *_):
        with drawing.figure(path, 1, 1, {}, dpi=10):
            pass

    for module, name in ((plots, "curves"), (plots, "filters"), (plots, "sheet"), (shared, "sheet"),
                         (shared, "confusion")):
        if name not in drawn:
            monkeypatch.setattr(module, name, blank)


class Listener(Progress):
    """Keeps the lines instead of printing them; `after_step` is called with the number of training
    steps so far."""

    def __init__(self, after_step=lambda steps: None):
        super().__init__(terminal=False)
        self.lines, self.steps, self.after_step = [], 0, after_step

    def line(self, text=""):
        self.lines.append(text)

    def phase(self, what, total, done=0):
        phase = super().phase(what, total, done)
        if what.startswith("epoch"):
            phase.step = self._step
        return phase

    def _step(self, count, numbers=None):
        self.steps += 1
        self.after_step(self.steps)

    @property
    def text(self):
        return "\n".join(self.lines)
