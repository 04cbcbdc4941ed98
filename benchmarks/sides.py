"""The sides of a comparison: the same network, weights, data and update in minialex and in other
libraries.

Run as `python sides.py SIDE JSON-OPTIONS`, it serves one side in a process of its own: each line on
standard input is a number of steps, each line on standard output their seconds. So the sides can
take turns, and each has its own memory. The first line on standard output holds the losses of three
training steps without dropout: they say whether a side computes what the others do.
"""
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

LR, MOMENTUM, WEIGHT_DECAY = 1e-3, 0.9, 5e-4
CHECK_IMAGES, CHECK_STEPS = 4, 3

# name: (module, class, keyword arguments). A module is imported when its side is asked for: none is
# needed by the others.
SIDES = {
    "minialex": ("sides", "Minialex", {}),
    "torch": ("torch_side", "Torch", {}),
    "torch-norm": ("torch_side", "Torch", {"fast_norm": True}),
    "torch-channels-last": ("torch_side", "Torch", {"fast_norm": True, "channels_last": True}),
    "torch-compile": ("torch_side", "Torch", {"fast_norm": True, "compiled": True}),
    "tensorflow": ("tensorflow_side", "TensorFlow", {}),
    "tensorflow-xla": ("tensorflow_side", "TensorFlow", {"xla": True}),
    "jax": ("jax_side", "Jax", {}),
}


class Unavailable(Exception):
    """Why this side can't take part."""


def batch(options):
    """Pictures of unit variance and labels, the same for all sides."""
    size = options["input"]
    rng = np.random.default_rng(0)
    images = rng.standard_normal((options["batch"], options["channels"], size, size),
                                 dtype=np.float32)
    return images, rng.integers(0, options["classes"], options["batch"])


def network(options):
    """Our network with the weights that all sides begin with."""
    import minialex as ma
    from minialex import models

    ma.manual_seed(0)
    return models.build(options["variant"], options["classes"], options["channels"], init="he")


def layers_of(model, known, who):
    """[(layer, name)], or Unavailable where that library lacks one."""
    unknown = {type(layer).__name__ for layer in model} - set(known)
    unknown |= {"LocalResponseNorm by towers" for layer in model
                if type(layer).__name__ == "LocalResponseNorm" and layer.groups != 1}
    if unknown:
        raise Unavailable(f"{who} side has no {', '.join(sorted(unknown))}: "
                          "choose another --variant.")
    return [(layer, name) for name, layer in model.named_children()]


class Minialex:
    """This engine."""

    def __init__(self, options):
        import minialex as ma
        import minialex.functional as F
        from minialex import optim
        from minialex.device import resolve_device, thread_count, to_device

        self.ma, self.F, self.options, self.threads = ma, F, options, thread_count()
        self.device = resolve_device(options["device"], options.get("tf32", False)).name
        self.model = network(options).to(self.device)
        self.optimizer = optim.SGD(self.model.parameters(), lr=LR, momentum=MOMENTUM,
                                   weight_decay=WEIGHT_DECAY)
        self.images, self.labels = (to_device(a, self.device) for a in batch(options))
        self.start()

    def losses(self, count, steps):
        self.model.eval()
        return [self.train(self.images[:count], self.labels[:count]).item() for _ in range(steps)]

    def train(self, images, labels):
        loss = self.F.cross_entropy(self.model(images), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

    def start(self):
        self.model.train(not self.options["forward"])

    def step(self):
        if self.options["forward"]:
            with self.ma.no_grad():
                self.model(self.images)
        else:
            self.train(self.images, self.labels)

    def wait(self):
        if self.device != "cpu":
            sys.modules["cupy"].cuda.Device().synchronize()

    def peak_bytes(self):
        """The GPU memory that CuPy has taken from the driver, which it never gives back by
        itself."""
        return (host_peak_bytes() if self.device == "cpu"
                else sys.modules["cupy"].get_default_memory_pool().total_bytes())

    def describe(self):
        if self.device != "cpu":
            return gpu_description(f"minialex, CuPy {sys.modules['cupy'].__version__}",
                                   self.options)
        from minialex.utils.machine import blas

        return f"NumPy {np.__version__}, {blas()}, {self.threads} threads, float32"


def host_peak_bytes():
    """This process's largest memory. Linux's ru_maxrss begins at that of the process that started
    it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin"
                                                                 else 1024)


def gpu_description(who, options):
    return (f"{who}, {options['device']}, float32, "
            f"{'TF32 products' if options.get('tf32') else 'no TF32'}")


def make(name, options):
    """The side, or Unavailable."""
    module, kind, arguments = SIDES[name]
    if module in ("tensorflow_side", "jax_side") and options["device"] != "cpu":
        raise Unavailable("it is only compared on the CPU.")
    try:
        return getattr(importlib.import_module(module), kind)(options, **arguments)
    except ModuleNotFoundError as error:
        raise Unavailable(f"{error.name} is not installed: pip install {error.name}") from error


def main():
    name, options = sys.argv[1], json.loads(sys.argv[2])
    out, sys.stdout = sys.stdout, sys.stderr  # what a library prints is not an answer
    try:
        side = make(name, options)
        losses = [float(loss)
                  for loss in side.losses(min(CHECK_IMAGES, options["batch"]), CHECK_STEPS)]
        side.start()
    except Unavailable as reason:
        print(json.dumps({"unavailable": str(reason)}), file=out, flush=True)
        return
    print(json.dumps({"description": side.describe(), "losses": losses}), file=out, flush=True)
    for line in sys.stdin:
        side.wait()
        start = time.perf_counter()
        for _ in range(int(line)):
            side.step()
        side.wait()
        seconds = (time.perf_counter() - start) / int(line)
        print(json.dumps({"seconds": seconds, "peak_bytes": side.peak_bytes()}), file=out,
              flush=True)


if __name__ == "__main__":
    os.environ.setdefault("MINIALEX_THREADS", str(json.loads(sys.argv[2])["threads"]))
    # not this module's: what the other files import as Unavailable is sides'
    importlib.import_module("sides").main()
