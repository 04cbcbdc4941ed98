"""How close a training step is to what its machine can do, layer by layer: `python
benchmarks/floors.py [--device cuda|cpu]`.

    floor = operations / rate of the machine's own matrix product at that layer's shapes
          + bytes / rate of the machine's own copy

Operations are those of the textbook's products: y = W·columns, dW = dy·columnsᵀ, dcolumns = Wᵀ·dy.
Bytes are what has to be read and written once whoever computes it: a layer's input, weights and
output, forward; their gradients too, backward. What im2col writes and reads on top of that is
listed apart. A cleverer algorithm (Winograd) or arrays that are still in the cache can beat a
floor; a figure far above it says where time is lost.
"""
import argparse
import json
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from sides import Minialex  # noqa: E402 (the paths come first, so that it runs from a clone)
from step import machine  # noqa: E402

from minialex import models, nn, shapes, tensor  # noqa: E402
from minialex.device import array_module, device_of, resolve_device, thread_count, to_device  # noqa: E402
from minialex.fast import gpu, im2col  # noqa: E402
from minialex.fast.threads import for_blocks, parallel_map  # noqa: E402

ITEM = 4  # bytes of a float32
IMAGENET, EPOCHS = 1_200_000, 90
PAPER = "the paper: five to six days on two GTX 580"
COPIED = 256 << 20  # bytes of the array that is copied: more than any cache holds
MEASURE = 0.1  # seconds that one rate is measured for


# ------------------------------------------------------------------------------ what has to be done


@dataclass(frozen=True)
class Product:
    """`times` products (m, k)·(k, n) of one layer; transposed: "a" or "b" lies in memory the other
    way round."""

    m: int
    k: int
    n: int
    times: float
    transposed: str = ""

    @property
    def macs(self):
        return self.m * self.k * self.n * self.times


@dataclass
class Work:
    """One layer in one direction, for a whole batch."""

    layer: str
    direction: str
    products: list = field(default_factory=list)
    bytes: int = 0
    column_bytes: int = 0  # what im2col and col2im move besides


def layer_work(name, layer, input_shape, output_shape, batch, first, images):
    """The Works, forward and backward, of one layer. `images` share one product; the first layer's
    input needs no gradient."""
    forward, backward = Work(name, "forward"), Work(name, "backward")
    if isinstance(layer, nn.Flatten):
        return [forward, backward]
    x, y = batch * int(np.prod(input_shape)), batch * int(np.prod(output_shape))
    weights = sum(p.size for p in layer.parameters())
    forward.bytes = ITEM * (x + weights + y)
    dx = 0 if first else x
    if isinstance(layer, nn.Conv2d):
        G, positions = layer.groups, output_shape[1] * output_shape[2]
        rows, K, P = (layer.out_channels // G, layer.weight.size // layer.out_channels,
                      images * positions)
        times = G * batch / images
        columns = ITEM * batch * G * K * positions
        forward.products = [Product(rows, K, P, times)]
        backward.products = [Product(rows, P, K, times, "b"),
                             *([] if first else [Product(K, rows, P, times, "a")])]
        forward.column_bytes, backward.column_bytes = 2 * columns, (2 if first else 4) * columns
    elif isinstance(layer, nn.Linear):
        inputs, outputs = layer.in_features, layer.out_features
        forward.products = [Product(batch, inputs, outputs, 1, "b")]
        backward.products = [Product(outputs, batch, inputs, 1, "a"),
                             *([] if first else [Product(batch, outputs, inputs, 1)])]
    if isinstance(layer, nn.MaxPool2d):
        forward.bytes += y  # one byte for each winner's place
        backward.bytes = ITEM * (y + dx) + y
    elif isinstance(layer, (nn.Dropout, nn.AvgPool2d)):
        backward.bytes = ITEM * (y + dx)
    else:
        backward.bytes = ITEM * (y + x + dx + 2 * weights)
    return [forward, backward]


def images_together(like):
    """How many images share a buffer of columns on the device of `like`: (positions, bytes of one
    image's columns) -> number."""
    if device_of(like) == "cpu":
        return im2col.images_at_a_time
    return lambda positions, column_bytes: gpu.images_at_a_time(column_bytes)


def step_work(model, batch, images_at_a_time=lambda positions, column_bytes: 1):
    """All Works of a training step: the layers forward and backward, and the update."""
    layers = dict(model.named_modules())
    works, shape = [], model.input_shape
    for row in shapes.summary(model).rows:
        layer, images = layers[row.name], 1
        if isinstance(layer, nn.Conv2d):
            positions = row.output_shape[1] * row.output_shape[2]
            columns = ITEM * positions * layer.groups * layer.weight.size // layer.out_channels
            images = min(batch, images_at_a_time(positions, columns))
        works += layer_work(row.name, layer, shape, row.output_shape, batch, first=not works,
                            images=images)
        shape = row.output_shape
    parameters = sum(p.size for p in model.parameters())
    # reads w, g, v; writes v, w
    return [*works, Work("update", "w + v", bytes=5 * ITEM * parameters)]


# -------------------------------------------------------------------------- what the machine can do


class Rates:
    """The machine's own rates, measured once for each shape. `like`: an array on the device."""

    def __init__(self, like, wait):
        self.xp, self.like, self.wait, self.known = array_module(like), like, wait, {}
        self.copy = self._copy_rate()

    def _seconds(self, run):
        """Per call, the fastest of three series that take MEASURE seconds together."""
        run()
        self.wait()
        start = time.perf_counter()
        run()
        self.wait()
        repeats = max(1, int(MEASURE / 3 / max(time.perf_counter() - start, 1e-6)))
        series = []
        for _ in range(3):
            start = time.perf_counter()
            for _ in range(repeats):
                run()
            self.wait()
            series.append((time.perf_counter() - start) / repeats)
        return min(series)

    def _copy_rate(self):
        source = self.xp.ones(COPIED // ITEM, dtype=np.float32)
        target = self.xp.empty_like(source)
        return 2 * COPIED / self._seconds(lambda: for_blocks(self._copy, source, target))

    def _copy(self, source, target):
        target[...] = source

    def product(self, product):
        """Multiply-accumulates per second of such products; on the CPU one on each core at a time,
        as the layers do it."""
        key = (product.m, product.k, product.n, product.transposed)
        if key not in self.known:
            shapes_in_memory = ((product.k, product.m) if product.transposed == "a"
                                else (product.m, product.k), (product.n, product.k)
                                if product.transposed == "b" else (product.k, product.n))
            a, b = (self.xp.ones(shape, dtype=np.float32) for shape in shapes_in_memory)
            a, b = (a.T if product.transposed == "a" else a), (b.T if product.transposed == "b"
                                                               else b)
            at_once = thread_count() if self.xp is np else 1
            outs = [self.xp.empty((product.m, product.n), dtype=np.float32) for _ in range(at_once)]
            seconds = self._seconds(lambda: parallel_map(lambda out: self.xp.matmul(a, b, out=out),
                                                         outs))
            self.known[key] = at_once * product.m * product.k * product.n / seconds
        return self.known[key]

    def rounding(self, size=1024):
        """The relative error of a float32 product against float64's: 1e-7 or so, or 3e-4 where TF32
        is at work."""
        rng = np.random.default_rng(0)
        a, b = (to_device(rng.standard_normal((size, size)), device_of(self.like))
                for _ in range(2))
        exact, ours = a @ b, a.astype(np.float32) @ b.astype(np.float32)
        return float(abs(ours - exact).max() / abs(exact).max())


# ----------------------------------------------------------------------------- what the engine does


def measure(side, rounds):
    """({(layer, direction): seconds}, seconds of a whole step): medians. One by one, each call is
    waited for."""
    seconds = defaultdict(list)

    def watch(direction, function, call):
        def timed(*arrays):
            side.wait()
            start = time.perf_counter()
            result = call(*arrays)
            side.wait()
            spent[function.layer or "loss", direction] += time.perf_counter() - start
            return result
        return timed

    original = side.optimizer.step

    def timed_update():
        side.wait()
        start = time.perf_counter()
        original()
        side.wait()
        spent["update", "w + v"] += time.perf_counter() - start

    side.step()
    tensor.observers.append(watch)
    side.optimizer.step = timed_update
    try:
        for _ in range(rounds):
            spent = defaultdict(float)
            side.step()
            for key, value in spent.items():
                seconds[key].append(value)
    finally:
        tensor.observers.remove(watch)
        side.optimizer.step = original
    return {key: statistics.median(values)
            for key, values in seconds.items()}, statistics.median(whole_steps(side, rounds))


def whole_steps(side, rounds):
    """Seconds of steps that nothing interrupts."""
    for _ in range(rounds):
        side.wait()
        start = time.perf_counter()
        side.step()
        side.wait()
        yield time.perf_counter() - start


def table(works, rates, measured):
    """One dict for each layer and direction."""
    rows = []
    for work in works:
        macs = sum(p.macs for p in work.products)
        products = sum(p.macs / rates.product(p) for p in work.products)
        rows.append({"layer": work.layer, "direction": work.direction, "macs": macs,
                     "macs_per_second": macs / products if macs else None,
                     "product_seconds": products, "bytes": work.bytes, "copy_seconds": work.bytes
                     / rates.copy, "column_seconds": work.column_bytes / rates.copy,
                     "floor_seconds": products + work.bytes / rates.copy,
                     "measured_seconds": measured.get((work.layer, work.direction))})
    return rows


# ------------------------------------------------------------------------------------------ telling


def report(result):
    """The table for people."""
    r = result
    lines = [f"{r['variant']}, batch {r['batch']}, {r['device']}, {r['machine']}",
             f"copy {r['copy_bytes_per_second'] / 1e9:,.1f} GB/s; a float32 product of 1024 x 1024 "
             f"is off by {r['product_error']:.0e} (TF32 {'on' if r['tf32'] else 'off'})", "",
             f"{'layer':10} {'direction':9} {'GMAC':>8} {'GMAC/s':>9} {'products':>9} {'GB':>7} "
             f"{'copies':>8} {'floor':>8} {'measured':>9} {'of floor':>8}  (ms)"]
    for row in [*r["rows"], r["total"]]:
        if not row["bytes"] and not row["measured_seconds"]:
            continue
        rate = f"{row['macs_per_second'] / 1e9:,.0f}" if row["macs_per_second"] else ""
        macs = f"{row['macs'] / 1e9:,.2f}" if row["macs"] else ""
        seen = row["measured_seconds"]
        time_seen = f"{seen * 1e3:,.2f}" if seen else "–"
        share = f"{row['floor_seconds'] / seen:.0%}" if seen else ""
        lines.append(f"{row['layer']:10} {row['direction']:9} {macs:>8} {rate:>9} "
                     f"{row['product_seconds'] * 1e3:9,.2f} "
                     f"{row['bytes'] / 1e9:7.3f} {row['copy_seconds'] * 1e3:8,.2f} "
                     f"{row['floor_seconds'] * 1e3:8,.2f} {time_seen:>9} {share:>8}")
    columns = sum(row["column_seconds"] for row in r["rows"])
    days = r["imagenet_days"]
    return "\n".join([*lines, "", f"a step by itself: {r['step_seconds'] * 1e3:,.1f} "
                      f"ms = {r['images_per_second']:,.1f} images/s, "
                      f"{r['total']['floor_seconds'] / r['step_seconds']:.0%} of the floor's "
                      f"speed; im2col's columns would cost {columns * 1e3:,.1f} ms more at "
                      "the copy rate", f"{EPOCHS} epochs of ImageNet ({IMAGENET:,} images): "
                      f"{_time(days['measured'])} at this speed, {_time(days['floor'])} at the "
                      f"floor's, without reading pictures and without validation ({PAPER})"])


def _time(days):
    return f"{days:,.1f} days" if days >= 2 else f"{days * 24:,.1f} hours"


def run(args):
    """Measure everything; the dict that --json prints."""
    model = models.build(args.variant, args.classes, 1 if args.variant == "lenet5" else 3)
    channels, size, _ = model.input_shape
    side = Minialex({"batch": args.batch, "variant": args.variant, "classes": args.classes,
                     "device": args.device, "tf32": args.tf32, "forward": False,
                     "channels": channels, "input": size})
    like = side.images
    measured, step_seconds = measure(side, args.rounds)
    rates = Rates(like, side.wait)
    works = step_work(model, args.batch, images_together(like))
    rows = table(works, rates, measured)
    rest = {key: value for key, value in measured.items()
            if key not in {(w.layer, w.direction) for w in works}}
    for (layer, direction), seconds in rest.items():  # the loss
        rows.append(_row(layer, direction, measured_seconds=seconds))
    total = _row("total", "", **{key: sum(row[key] or 0 for row in rows)
                                 for key in rows[0] if key not in ("layer", "direction")})
    total["macs_per_second"] = total["macs"] / total["product_seconds"]
    epochs = EPOCHS * IMAGENET / args.batch / 86400
    device = resolve_device(args.device).why.removeprefix("device: ")
    return {"variant": args.variant, "batch": args.batch, "device": device, "machine": machine(),
            "tf32": args.tf32, "copy_bytes_per_second": rates.copy,
            "product_error": rates.rounding(), "rows": rows, "total": total,
            "step_seconds": step_seconds, "images_per_second": args.batch / step_seconds,
            "imagenet_days": {"measured": epochs * step_seconds,
                              "floor": epochs * total["floor_seconds"]}}


def _row(layer, direction, **known):
    empty = {"macs": 0, "macs_per_second": None, "product_seconds": 0.0, "bytes": 0,
             "copy_seconds": 0.0, "column_seconds": 0.0, "floor_seconds": 0.0,
             "measured_seconds": None}
    return {"layer": layer, "direction": direction} | empty | known


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto",
                        help="auto, cpu or cuda[:n] (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=128,
                        help="images per step (default: %(default)s)")
    parser.add_argument("--variant", default="paper", choices=[*models.VARIANTS, "lenet5"],
                        help="default: %(default)s")
    parser.add_argument("--classes", type=int, default=1000,
                        help="outputs of the last layer (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5,
                        help="steps whose median counts (default: %(default)s)")
    parser.add_argument("--tf32", action="store_true", help="on a GPU: TF32 matrix products")
    parser.add_argument("--json", action="store_true", help="for machines")
    args = parser.parse_args()
    result = run(args)
    print(json.dumps(result, indent=2) if args.json else report(result))


if __name__ == "__main__":
    main()
