"""The two sides of a comparison: the same network, data and update in minialex and in PyTorch.

Run as `python sides.py SIDE JSON-OPTIONS`, it serves one side in a process of its own: each line on standard input is a
number of steps, each line on standard output their seconds. So the sides can take turns, and each has its own memory.
"""
import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def batch(options):
    """Pictures of unit variance and labels, the same for both sides."""
    size = options["input"]
    rng = np.random.default_rng(0)
    images = rng.standard_normal((options["batch"], options["channels"], size, size), dtype=np.float32)
    return images, rng.integers(0, options["classes"], options["batch"])


class Minialex:
    """This engine."""

    def __init__(self, options):
        import minialex as ma
        import minialex.functional as F
        from minialex import models, optim
        from minialex.device import resolve_device, thread_count, to_device

        self.ma, self.F, self.options, self.threads = ma, F, options, thread_count()
        self.device = resolve_device(options["device"], options.get("tf32", False)).name
        ma.manual_seed(0)
        self.model = models.build(options["variant"], options["classes"], options["channels"], init="he").to(self.device)
        self.optimizer = optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
        images, labels = batch(options)
        self.images, self.labels = (to_device(a, self.device) for a in (images, labels))
        self.model.train(not options["forward"])

    def step(self):
        if self.options["forward"]:
            with self.ma.no_grad():
                self.model(self.images)
            return
        loss = self.F.cross_entropy(self.model(self.images), self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def wait(self):
        if self.device != "cpu":
            sys.modules["cupy"].cuda.Device().synchronize()

    def peak_bytes(self):
        """The GPU memory that CuPy has taken from the driver, which it never gives back by itself."""
        return host_peak_bytes() if self.device == "cpu" else sys.modules["cupy"].get_default_memory_pool().total_bytes()

    def describe(self):
        if self.device != "cpu":
            return gpu_description(f"minialex, CuPy {sys.modules['cupy'].__version__}", self.options)
        from threadpoolctl import threadpool_info

        blas = [f"{b['internal_api']} {b.get('version')} {b.get('architecture')}" for b in threadpool_info()
                if b["user_api"] == "blas"]
        return f"minialex, NumPy {np.__version__}, {', '.join(blas)}, {self.threads} threads, float32"


class Torch:
    """PyTorch's eager mode, NCHW: on the CPU its channels-last form is slower for this network (measured)."""

    def __init__(self, options):
        import torch

        self.torch, self.options = torch, options
        torch.set_num_threads(options["threads"])
        # Without this line cuDNN's convolutions would use TF32 and the fully connected layers would not.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.get("tf32", False)
        torch.backends.cudnn.benchmark = True  # cuDNN tries its algorithms and keeps the fastest: what scripts for speed do
        self.device = torch.device("cpu" if options["device"] in ("cpu", "auto") else options["device"])
        self.model = torch_network(torch, options).to(self.device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
        self.images, self.labels = (torch.from_numpy(a).to(self.device) for a in batch(options))
        self.model.train(not options["forward"])

    def step(self):
        if self.options["forward"]:
            with self.torch.no_grad():
                self.model(self.images)
            return
        loss = self.torch.nn.functional.cross_entropy(self.model(self.images), self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def wait(self):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def peak_bytes(self):
        """The most GPU memory that PyTorch has held, in use or for reuse."""
        return host_peak_bytes() if self.device.type == "cpu" else self.torch.cuda.max_memory_reserved(self.device)

    def describe(self):
        if self.device.type != "cpu":
            return gpu_description(f"PyTorch {self.torch.__version__} eager, CUDA {self.torch.version.cuda}", self.options)
        return f"PyTorch {self.torch.__version__} eager, {self.torch.get_num_threads()} threads, float32"


def host_peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def gpu_description(who, options):
    return f"{who}, {options['device']}, float32, {'TF32 products' if options.get('tf32') else 'no TF32'}"


def torch_network(torch, options):
    """The same layers as PyTorch modules, read off this engine's own network; ReLU in place, as torchvision has it."""
    from minialex import models, nn

    class ResponseNorm(torch.nn.Module):
        """PyTorch divides alpha by size; the paper does not."""

        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            a = self.layer
            return torch.nn.functional.local_response_norm(x, a.size, a.alpha * a.size, a.beta, a.k)

    make = {
        nn.Conv2d: lambda a: torch.nn.Conv2d(a.in_channels, a.out_channels, a.kernel_size, a.stride, a.padding, groups=a.groups),
        nn.Linear: lambda a: torch.nn.Linear(a.in_features, a.out_features),
        nn.ReLU: lambda a: torch.nn.ReLU(inplace=True), nn.Tanh: lambda a: torch.nn.Tanh(),
        nn.MaxPool2d: lambda a: torch.nn.MaxPool2d(a.kernel_size, a.stride, a.padding),
        nn.AvgPool2d: lambda a: torch.nn.AvgPool2d(a.kernel_size, a.stride),
        nn.Dropout: lambda a: torch.nn.Dropout(a.p), nn.Flatten: lambda a: torch.nn.Flatten(),
        nn.LocalResponseNorm: ResponseNorm,
    }
    layers = list(models.build(options["variant"], options["classes"], options["channels"]))
    unknown = sorted({type(layer).__name__ for layer in layers} - {kind.__name__ for kind in make})
    if unknown:
        raise SystemExit(f"PyTorch has no {', '.join(unknown)}: choose another --variant or --peer none.")
    return torch.nn.Sequential(*(make[type(layer)](layer) for layer in layers))


def main():
    side, options = sys.argv[1], json.loads(sys.argv[2])
    runner = {"minialex": Minialex, "torch": Torch}[side](options)
    print(json.dumps({"description": runner.describe()}), flush=True)
    for line in sys.stdin:
        runner.wait()
        start = time.perf_counter()
        for _ in range(int(line)):
            runner.step()
        runner.wait()
        seconds = (time.perf_counter() - start) / int(line)
        print(json.dumps({"seconds": seconds, "peak_bytes": runner.peak_bytes()}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("MINIALEX_THREADS", str(json.loads(sys.argv[2])["threads"]))
    main()
