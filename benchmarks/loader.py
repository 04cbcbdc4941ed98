"""Pictures per second that reach the network: `python benchmarks/loader.py [--data DIR] [--threads
1 2] [--step]`.

The same pictures come from JPEG files, decoded anew or kept in memory, and from a pack, which is
written first. `--step`: how much longer a training step takes with the loader at work beside it;
rounds with and without it take turns, so that a machine whose speed drifts slows both. CPU time
counts all threads; it is the steadier figure where other programs run.
"""
import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import numpy as np  # noqa: E402 (the path comes first, so that it runs from a clone)
from step import machine  # noqa: E402

from minialex import data, models, optim  # noqa: E402
from minialex import functional as F  # noqa: E402
from minialex.data.packing import pack  # noqa: E402
from minialex.sets import sources  # noqa: E402
from minialex.tensor import Tensor  # noqa: E402


def options_parser():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="a tree of class folders (default: the built-in pictures)")
    parser.add_argument("--batch", type=int, default=32,
                        help="pictures per batch (default: %(default)s)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2],
                        help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3,
                        help="per measurement (default: %(default)s)")
    parser.add_argument("--colour", type=float, default=0.0,
                        help="with colour shifts of this σ (default: none)")
    parser.add_argument("--step", action="store_true",
                        help="also the training step with and without a loader")
    parser.add_argument("--steps", type=int, default=8,
                        help="steps per round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    return parser


def endless(pictures, found, args, threads):
    """Batches of one epoch after another."""
    loader = data.Loader(pictures, args.batch, statistics=found, workers=threads, drop_last=True,
                         colour=args.colour)
    epoch = 0
    while True:
        loader.start(epoch)
        yield from loader
        epoch += 1


def rate(pictures, found, args, threads):
    """(pictures per second, CPU milliseconds per picture), after an epoch's worth of warm-up where
    pictures are kept."""
    batches = endless(pictures, found, args, threads)
    for _ in range(len(pictures) // args.batch + 1 if pictures.cache_bytes
                   or hasattr(pictures, "pack") else 2):
        next(batches)
    count, start, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < args.seconds:
        count += len(next(batches)[1])
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    batches.close()
    return count / wall, 1e3 * cpu / count


class Network:
    """A full-size network and one batch, to take steps with."""

    def __init__(self, batches, classes):
        self.model = models.build("paper", classes, 3, "he")
        self.optimizer = optim.SGD(self.model.parameters(), 1e-4)
        self.images, self.labels = (array.copy() for array in next(batches))

    def step(self, images, labels):
        loss = F.cross_entropy(self.model(Tensor(images)), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def round(self, steps, batches=None):
        """(seconds, CPU seconds) per step: of batches from the loader, or of one and the same
        batch."""
        if batches is not None:
            next(batches)  # begins to read ahead, as everywhere but at the start of an epoch
        start, cpu = time.perf_counter(), time.process_time()
        for _ in range(steps):
            self.step(*(next(batches) if batches is not None else (self.images, self.labels)))
        return (time.perf_counter() - start) / steps, (time.process_time() - cpu) / steps


def measure_steps(sources, found, args):
    """Per source: by how much the loader lengthens a step, in time and in CPU time, median over the
    rounds."""
    plain = endless(sources["packed"], found, args, 2)
    network = Network(plain, len(sources["packed"].classes))
    plain.close()
    network.round(2)
    seconds = {name: [] for name in ("alone", *sources)}
    for _ in range(args.rounds):
        for name in seconds:
            batches = endless(sources[name], found, args, 2) if name != "alone" else None
            seconds[name].append(network.round(args.steps, batches))
            if batches is not None:
                batches.close()
    alone = seconds.pop("alone")
    print(f"a training step of {args.batch} alone: "
          f"{statistics.median(wall for wall, _ in alone) * 1e3:,.0f} ms; "
          "times as long with the loader beside it (median of the rounds):")
    for name, rounds in seconds.items():
        walls, cpus = (statistics.median(ours[k] / theirs[k] for ours, theirs in zip(rounds, alone))
                       for k in (0, 1))
        print(f"  {name:18s} {walls:6.3f} x the time   {cpus:6.3f} x the CPU time")


def main():
    args = options_parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="minialex-") as folder:
        tree = args.data
        if tree is None:
            data.builtin()
            tree = str(sources.cache_folder() / f"builtin-v{sources.VERSION}")
        start = time.process_time()
        done = pack(tree, folder + "/packed", progress=False, report=None)
        print(f"{machine()}, NumPy {np.__version__}; {tree}: {done.pictures:,} pictures, "
              f"batch {args.batch}, crop 227, float32")
        print(f"packing: {1e3 * (time.process_time() - start) / done.pictures:.2f} CPU "
              "ms per picture")
        ways = {"JPEG, decoded": data.open_data(tree, cache_bytes=0, report=None)[0],
                "JPEG, in memory": data.open_data(tree, cache_bytes=2**34, report=None)[0],
                "packed": data.open_data(folder + "/packed", report=None)[0]}
        found = data.statistics(ways["packed"])
        print(f"{'':18s} " + "".join(f"{threads:>8d} thread{'s' * (threads > 1):1s} "
                                     for threads in args.threads) + "  images/s; CPU "
              "ms per picture")
        for name, pictures in ways.items():
            results = [rate(pictures, found, args, threads) for threads in args.threads]
            print(f"{name:18s} " + "".join(f"{images:>15,.0f} " for images, _ in results)
                  + "  " + ", ".join(f"{cpu:.2f}" for _, cpu in results))
        if args.step:
            measure_steps(ways, found, args)


if __name__ == "__main__":
    main()
