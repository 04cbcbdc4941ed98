"""What several processes cost and bring: `python benchmarks/scaling.py [--batch 128] [--processes
1,2] [--hosts RATE]`.

Measured, each number of processes in a run of its own: seconds per step, what of them is waiting
for the others (communication that the backward pass does not cover), and the bytes that a process
gives to the others, for both schemes. With --hosts 1gbit the processes stand on two machines
(network namespaces, root) joined by a cable of that speed. Then a model with these numbers,

    step(N) = images/N · a + serial + exposed part of (2·⌈log2 N⌉·α + bytes(N)/β)

says what N = 1 … 64 machines would take for ImageNet's 90 epochs at 1, 10, 100 Gb/s and on NVLink.
Each machine is like this.
"""
import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import namespaces  # noqa: E402

import minialex.functional as F  # noqa: E402
from minialex import models, optim  # noqa: E402
from minialex.parallel.network import SharedNetwork  # noqa: E402
from minialex.parallel.ranks import ENDS, Ranks, world  # noqa: E402
from minialex.parallel.sums import process_rows  # noqa: E402
from minialex.random import manual_seed  # noqa: E402
from minialex.tensor import Tensor  # noqa: E402

TOTAL, CONVOLUTIONS, PARAMETERS = 1_281_167, 2_334_080, 60_965_224
LINES = {"1 Gb/s": (50e-6, 1e9 / 8), "10 Gb/s": (30e-6, 10e9 / 8), "100 Gb/s": (5e-6, 100e9 / 8),
         "NVLink": (3e-6, 450e9)}


def bytes_per_step(scheme, processes, batch, classes=1000):
    """What one process gives to the others in a step, by formula (see docs/machines.md)."""
    each = 2 * (processes - 1) / processes
    if scheme == "data":
        return 4 * (each * (PARAMETERS - (1000 - classes) * 4097)
                    + (processes - 1) * batch / processes * classes)
    outputs, inputs = 9216 + 4096 + 4096 + classes, 9216 + 4096 + 4096
    return 4 * (each * CONVOLUTIONS + (processes - 1) * batch / processes * outputs
                + each * batch * inputs)


class Clock:
    """Seconds inside the calls of some methods of an object."""

    def __init__(self, owner, *names):
        self.seconds = 0.0
        for name in names:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, call):
        def timed(*arguments):
            start = time.perf_counter()
            try:
                return call(*arguments)
            finally:
                self.seconds += time.perf_counter() - start
        return timed


def work(scheme, batch, steps):
    """One process: takes steps of the paper's network, and prints what they took as JSON."""
    ranks = Ranks(world=world())
    manual_seed(0)
    model = models.alexnet("paper")
    model.train()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    network = SharedNetwork(model, optimizer, ranks, scheme == "hybrid")
    network.narrow()
    network.count = batch
    waits = Clock(ranks, "_wait")
    mine = len(range(batch)[process_rows(batch, ranks)[ranks.rank]])
    images = np.random.default_rng(ranks.rank).standard_normal((mine, 3, 227,
                                                                227)).astype(np.float32)
    labels, taken = np.arange(batch) % 1000, []
    for _ in range(steps + 1):
        ranks.gather(None)
        start, waits.seconds, ranks.bytes_sent = time.perf_counter(), 0.0, 0
        F.cross_entropy(network(Tensor(images)), labels).backward()
        network.backward(is_last=True)
        network.sum.finish()
        optimizer.step()
        optimizer.zero_grad()
        taken.append((time.perf_counter() - start, waits.seconds, ranks.bytes_sent))
    if ranks.speaks:
        seconds, waited, sent = (statistics.median(column) for column in zip(*taken[1:]))
        print(json.dumps({"seconds": seconds, "waited": waited, "bytes": sent}))
    ranks.lifeline.say(ENDS)


def measure(scheme, processes, batch, steps, hosts):
    program = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent),
                                                            os.environ.get("PATH", "")]))
    start = hosts.mpiexec(program, processes) if hosts else [program, "-n", str(processes)]
    arguments = ["-m", "mpi4py", str(HERE / "scaling.py"), "--worker", scheme, "--batch",
                 str(batch), "--steps", str(steps)]
    done = subprocess.run([*start, sys.executable, *arguments], capture_output=True, text=True,
                          env=os.environ | {"MINIALEX_THREADS": "1"})
    if done.returncode:
        sys.exit(f"{' '.join(start)} failed: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def model_table(found, batch):
    """Days for ImageNet's 90 epochs, by scheme, line and number of machines, from the step of one
    process."""
    alone = found["data", 1]["seconds"]
    # part of a step that grows with a machine's share of the batch: all but the update of the
    # weights
    shared = 0.95
    print("\n| days for 90 epochs, "
          f"batch {batch} | " + " | ".join(f"N = {n}" for n in (1, 2, 4, 8, 16, 32, 64)) + " |")
    print("|---|" + "---|" * 7)
    for scheme in ("data", "hybrid"):
        for line, (alpha, beta) in LINES.items():
            row = []
            for n in (1, 2, 4, 8, 16, 32, 64):
                moved = (0 if n == 1 else 16 * 2 * math.ceil(math.log2(n)) * alpha
                         + bytes_per_step(scheme, n, batch) / beta)
                # what the rest of the backward pass hides
                covered = 0.5 * alone * shared / n if scheme == "data" else 0
                update = alone * (1 - shared) / (n if scheme == "hybrid" else 1)
                seconds = alone * shared / n + update + max(0, moved - covered)
                row.append(90 * TOTAL / batch * seconds / 86400)
            print(f"| {scheme}, {line} | " + " | ".join(f"{days:.1f}" for days in row) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--processes", default="1,2",
                        help="numbers of processes (default: %(default)s)")
    parser.add_argument("--hosts", metavar="RATE",
                        help="put them on two machines with a cable of this speed, such as 1gbit")
    parser.add_argument("--worker", choices=("data", "hybrid"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(options.worker, options.batch, options.steps)
    if options.hosts and (why := namespaces.missing()):
        sys.exit(f"--hosts is not possible: {why}")
    found = {}
    with namespaces.two_hosts() if options.hosts else nullcontext() as hosts:
        if hosts:
            hosts.throttle(options.hosts)
        print("one thread per process, "
              "paper network, float32; cable: " + (options.hosts or "none, one machine") + "\n")
        print("| scheme | processes | s per step | waited | images/s | MB given per process | "
              "by formula |")
        print("|---|---|---|---|---|---|---|")
        for scheme in ("data", "hybrid"):
            for count in map(int, options.processes.split(",")):
                cable = hosts if count > 1 else None
                row = found[scheme, count] = measure(scheme, count, options.batch, options.steps,
                                                     cable)
                numbers = (row["seconds"], row["waited"], options.batch / row["seconds"],
                           row["bytes"] / 1e6, bytes_per_step(scheme, count, options.batch) / 1e6)
                print(f"| {scheme} | {count} | " + " | ".join(f"{number:.2f}" for number in numbers)
                      + " |", flush=True)
    if ("data", 1) in found:
        model_table(found, options.batch)
    return None


if __name__ == "__main__":
    main()
