"""Each layer by itself beside PyTorch's: `python benchmarks/ops.py [--batch N] [--variant V]
[--threads N] [--json]`.

The two sides run in processes of their own and take turns, layer by layer and round by round, as in
step.py. Quoted are medians of forward and of backward (gradients of the weights and, but for the
first layer, of the input), then the loss and the update.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from step import machine  # noqa: E402 (the paths come first, so that it runs from a clone)

from minialex import models, nn, shapes  # noqa: E402
from minialex.device import thread_count  # noqa: E402
from minialex.fast.layout import arranged  # noqa: E402


def layer_inputs(options):
    """[(name, input shape without the batch)] for every layer that computes, for the loss and for
    the update."""
    model = models.build(options["variant"], options["classes"], options["channels"])
    rows, result, shape = shapes.summary(model).rows, [], model.input_shape
    for row in rows:
        if not isinstance(getattr(model, row.name), nn.Flatten):
            result.append((row.name, shape))
        shape = row.output_shape
    return [*result, ("loss", shape), ("update", ())]


def random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


class Minialex:
    """This engine."""

    def __init__(self, options):
        import minialex.functional as F
        from minialex import Tensor, optim

        self.F, self.Tensor, self.options = F, Tensor, options
        self.model = models.build(options["variant"], options["classes"], options["channels"],
                                  init="he")
        self.optimizer = optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9,
                                   weight_decay=5e-4)
        self.inputs = self.network_inputs()

    def network_inputs(self):
        """Each layer's input within the network: there images lie in memory as the layer before
        leaves them."""
        x, inputs = self.Tensor(random((self.options["batch"], *self.model.input_shape))), {}
        for name, layer in self.model.named_children():
            inputs[name] = x.data
            x = self.Tensor(layer(x).data)
        return inputs | {"loss": x.data}

    def prepare(self, name, shape, first):
        labels = np.arange(self.options["batch"]) % self.options["classes"]
        if name == "update":
            for p in self.model.parameters():
                p.grad = np.full(p.shape, 1e-3, np.float32)
            return
        x = arranged(random((self.options["batch"], *shape)), like=self.inputs[name])
        self.x = self.Tensor(x, requires_grad=not first)
        self.layer = ((lambda x: self.F.cross_entropy(x, labels)) if name == "loss"
                      else getattr(self.model, name))
        y = self.layer(self.x)
        self.gradient = arranged(random(y.shape, 1), like=y.data)

    def forward(self):
        self.y = self.layer(self.x)

    def backward(self):
        self.y.backward(self.gradient)

    def clear(self):
        self.x.grad = None
        self.optimizer.zero_grad()

    def update(self):
        self.optimizer.step()


class Torch:
    """PyTorch's eager mode."""

    def __init__(self, options):
        import torch
        from torch_side import torch_network

        self.torch, self.options = torch, options
        torch.set_num_threads(options["threads"])
        self.model = torch_network(models.build(options["variant"], options["classes"],
                                                options["channels"]))
        names = [name for name, _ in models.build(options["variant"], options["classes"],
                                                  options["channels"]).named_children()]
        self.layers = dict(zip(names, self.model))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-3, momentum=0.9,
                                         weight_decay=5e-4)

    def prepare(self, name, shape, first):
        torch = self.torch
        labels = torch.arange(self.options["batch"]) % self.options["classes"]
        if name == "update":
            for p in self.model.parameters():
                p.grad = torch.full_like(p, 1e-3)
            return
        self.leaf = torch.from_numpy(random((self.options["batch"],
                                             *shape))).requires_grad_(not first)
        layer = ((lambda x: torch.nn.functional.cross_entropy(x, labels)) if name == "loss"
                 else self.layers[name])
        if getattr(layer, "inplace", False):
            layer = torch.nn.ReLU()  # in place it would overwrite its own input, round after round
        self.layer = layer
        self.gradient = torch.from_numpy(random(tuple(layer(self.leaf).shape), 1))

    def forward(self):
        self.y = self.layer(self.leaf)

    def backward(self):
        self.y.backward(self.gradient)

    def clear(self):
        self.leaf.grad = None
        self.optimizer.zero_grad()

    def update(self):
        self.optimizer.step()


def serve(side, options):
    """Each line on standard input is a layer's number; each on standard output its seconds forward
    and backward."""
    runner, layers, ready = {"minialex": Minialex,
                             "torch": Torch}[side](options), layer_inputs(options), None
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        number = int(line)
        name, shape = layers[number]
        if ready != number:
            runner.prepare(name, shape, first=number == 0)
            ready = number
        start = time.perf_counter()
        if name == "update":
            runner.update()
            print(json.dumps([time.perf_counter() - start, 0.0]), flush=True)
            continue
        runner.forward()
        middle = time.perf_counter()
        runner.backward()
        seconds = [middle - start, time.perf_counter() - middle]
        runner.clear()
        print(json.dumps(seconds), flush=True)


def start(side, options):
    """A process that serves one side."""
    environment = os.environ | {"MINIALEX_THREADS": str(options["threads"]),
                                "OMP_NUM_THREADS": str(options["threads"])}
    process = subprocess.Popen([sys.executable, __file__, "--side", side, json.dumps(options)],
                               text=True, env=environment, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    if not process.stdout.readline():
        raise SystemExit(f"the {side} side stopped: see the message above.")
    return process


def ask(process, number):
    print(number, file=process.stdin, flush=True)
    return json.loads(process.stdout.readline())


def measure(options, rounds):
    """[{layer, direction, minialex, torch}]: median seconds."""
    sides = {side: start(side, options) for side in ("minialex", "torch")}
    rows = []
    for number, (name, _) in enumerate(layer_inputs(options)):
        seconds = {side: [] for side in sides}
        for turn in range(-2, rounds):
            for side in (list(sides) if turn % 2 else reversed(list(sides))):
                pair = ask(sides[side], number)
                if turn >= 0:  # the first two warm up
                    seconds[side].append(pair)
        for column, direction in enumerate(["forward", "backward"] if name != "update"
                                           else ["w + v"]):
            rows.append({"layer": name, "direction": direction,
                         **{side: statistics.median(times[column] for times in seconds[side])
                            for side in sides}})
    for process in sides.values():
        process.stdin.close()
        process.wait()
    return rows


def main():
    if sys.argv[1:2] == ["--side"]:
        return serve(sys.argv[2], json.loads(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128, help="images (default: %(default)s)")
    parser.add_argument("--variant", default="paper", choices=[*models.VARIANTS, "lenet5"],
                        help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=thread_count(),
                        help="default: all cores, %(default)s")
    parser.add_argument("--rounds", type=int, default=5,
                        help="counted rounds (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="for machines")
    args = parser.parse_args()
    lenet = args.variant == "lenet5"
    options = {"variant": args.variant, "batch": args.batch, "threads": args.threads,
               "classes": 10 if lenet else 1000, "channels": 1 if lenet else 3}
    rows = measure(options, args.rounds)
    if args.json:
        print(json.dumps({"machine": machine(), "options": options, "rows": rows}, indent=2))
        return None
    print(f"{args.variant}, batch {args.batch}, float32, {args.threads} threads, "
          f"{args.rounds} rounds in turns on {machine()}\n")
    print(f"{'layer':<10}{'direction':<11}{'minialex':>12}{'PyTorch':>12}{'speed':>9}")
    for row in rows:
        print(f"{row['layer']:<10}{row['direction']:<11}{row['minialex'] * 1e3:9.2f} "
              f"ms{row['torch'] * 1e3:9.2f} ms{row['torch'] / row['minialex']:7.2f} x")
    return None


if __name__ == "__main__":
    main()
