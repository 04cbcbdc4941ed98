"""Seconds per training step, beside its peers': `python benchmarks/step.py [--batch N] [--variant
V] [--peers all]`.

The sides run in processes of their own and take turns round by round, so that a machine whose speed
drifts slows all. Quoted are medians over the rounds, the spread between them, and minialex's speed
as a multiple of each peer's. Before anything is timed, each side takes three steps of SGD without
dropout from the same weights, and their losses must agree with minialex's to 10⁻⁴. A peer that is
not installed is left out, with the reason.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from sides import SIDES  # noqa: E402 (the path comes first, so that it runs from a clone)

from minialex import models  # noqa: E402 (the path comes first, so that it runs from a clone)

# The path comes first, so that it runs from a clone.
from minialex.device import resolve_device, thread_count, to_device  # noqa: E402

PEERS = [name for name in SIDES if name != "minialex"]


def peer_names(text):
    """--peers as a list."""
    names = {"all": PEERS, "none": []}.get(text, text.split(","))
    if unknown := sorted(set(names) - set(PEERS)):
        raise argparse.ArgumentTypeError(f"there is no peer {', '.join(unknown)}: all, none, "
                                         f"or some of {','.join(PEERS)}")
    return names


def options_parser():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128,
                        help="images per step (default: %(default)s)")
    parser.add_argument("--variant", default="paper", choices=[*models.VARIANTS, "lenet5"],
                        help="default: %(default)s")
    parser.add_argument("--classes", type=int, help="outputs of the last layer (default: "
                        "10 for lenet5, else 1000)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda[:n] (default: %(default)s)")
    parser.add_argument("--tf32", action="store_true",
                        help="on a GPU: TF32 matrix products, on both sides (off on both)")
    parser.add_argument("--peers", default=["torch"], type=peer_names, metavar="NAMES",
                        help=f"all, none, or some of {','.join(PEERS)} (default: torch)")
    parser.add_argument("--forward", action="store_true", help="evaluation: the forward pass alone")
    parser.add_argument("--threads", type=int, default=thread_count(),
                        help="default: all cores, %(default)s")
    parser.add_argument("--rounds", type=int, default=7,
                        help="counted rounds, after one that warms up (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="steps per round (default: "
                        "about 64 images' worth, at least 1)")
    parser.add_argument("--json", action="store_true", help="for machines")
    return parser


class Side:
    """One side in its own process; `unavailable` says why it can't take part, where it can't."""

    def __init__(self, name, options):
        environment = os.environ | {"MINIALEX_THREADS": str(options["threads"]),
                                    "OMP_NUM_THREADS": str(options["threads"])}
        self.process = subprocess.Popen([sys.executable, str(HERE / "sides.py"), name,
                                         json.dumps(options)], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment)
        self.name, self.seconds, self.peak_bytes = name, [], 0
        first = self.read()
        self.unavailable = first.get("unavailable")
        self.description, self.losses = first.get("description"), first.get("losses")

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the {self.name} side stopped: see the message above.")
        return json.loads(line)

    def check(self, ours):
        """Leave it out, with a reason, if it does not compute what minialex does."""
        if not np.allclose(self.losses, ours.losses, rtol=1e-4, atol=0):
            self.unavailable = (f"its losses {self.losses} are not minialex's {ours.losses}: "
                                "it computes something else.")
            self.close()

    def round(self, steps):
        print(steps, file=self.process.stdin, flush=True)
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def result(self, batch):
        self.close()
        median = statistics.median(self.seconds)
        return {"side": self.name, "description": self.description, "losses": self.losses,
                "images_per_second": batch / median, "seconds": median,
                "spread": (max(self.seconds) - min(self.seconds)) / median,
                "peak_GB": self.peak_bytes / 1e9}


def compare(options, peers=("torch",), rounds=7, steps=None):
    """(a list of results, one per side, measured in turns; {peer: why it was left out})"""
    steps = steps or max(1, 64 // options["batch"])
    ours = Side("minialex", options)
    sides = [ours]
    for peer in peers:
        sides.append(Side(peer, options))
        if not sides[-1].unavailable:
            sides[-1].check(ours)
    left_out = {side.name: side.unavailable for side in sides if side.unavailable}
    sides = [side for side in sides if not side.unavailable]
    for number in range(rounds + 1):
        for side in sides if number % 2 else reversed(sides):
            answer = side.round(steps)
            side.peak_bytes = answer["peak_bytes"]
            if number:  # the first round warms up
                side.seconds.append(answer["seconds"])
    return [side.result(options["batch"]) for side in sides], left_out


def machine():
    """The processor's name, as the operating system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines
                    if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def product_seconds(model, args):
    """What the matrix products of im2col take by themselves at this machine's own rate, for the
    shapes of this step."""
    from floors import Rates, images_together, step_work  # floors imports this file

    device = resolve_device(args.device).name
    like = to_device(np.zeros(1, np.float32), device)
    rates = Rates(like, (lambda: None) if device == "cpu"
                  else sys.modules["cupy"].cuda.Device().synchronize)
    works = step_work(model, args.batch, images_together(like))
    return sum(product.macs / rates.product(product) for work in works for product in work.products
               if work.direction == "forward" or not args.forward)


def report(args, results, left_out, products):
    """The table for people."""
    ours = results[0]
    print(f"{args.variant}, batch {args.batch}, "
          f"{'forward only' if args.forward else 'forward + backward + update'}, "
          f"{args.rounds} rounds in turns on {machine()}")
    for r in results:
        ratio = "" if r is ours else (f"{ours['images_per_second'] / r['images_per_second']:.2f} x "
                                      f"in speed, {ours['peak_GB'] / r['peak_GB']:.2f} x in memory")
        print(f"  {r['side']:19s} {r['images_per_second']:8.1f} images/s  "
              f"{r['seconds'] * 1e3:9.1f} ms/step  spread {r['spread']:4.0%}  peak "
              f"{r['peak_GB']:.2f} GB   {ratio:36s}{r['description']}")
    for name, why in left_out.items():
        print(f"  {name:19s} left out: {why}")
    print(f"  {products / ours['seconds']:.0%} of the speed at which this machine does im2col's "
          f"matrix products alone ({products * 1e3:,.0f} ms)")


def main():
    args = options_parser().parse_args()
    args.classes = args.classes or (10 if args.variant == "lenet5" else 1000)
    os.environ["MINIALEX_THREADS"] = str(args.threads)
    model = models.build(args.variant, args.classes, 1 if args.variant == "lenet5" else 3)
    options = {"batch": args.batch, "variant": args.variant, "classes": args.classes,
               "device": args.device, "forward": args.forward, "threads": args.threads,
               "input": model.input_shape[1], "channels": model.input_shape[0], "tf32": args.tf32}
    before = product_seconds(model, args)
    results, left_out = compare(options, args.peers, args.rounds, args.steps)
    products = (before + product_seconds(model, args)) / 2  # the machine's speed drifts
    if args.json:
        print(json.dumps({"machine": machine(), "options": options, "results": results,
                          "left_out": left_out, "product_seconds": products}, indent=2))
    else:
        report(args, results, left_out, products)


if __name__ == "__main__":
    main()
