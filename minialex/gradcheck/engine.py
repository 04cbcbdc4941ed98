"""What `python -m minialex.gradcheck` checks: every operation of the engine, and every layer of the
paper's network at its real size. ReLU is checked at 0, pooling with ties, dropout while it
drops."""
import argparse
import json
from collections.abc import Callable, Iterator

import numpy as np

from .. import functional as F
from .. import models, nn
from ..random import manual_seed
from ..tensor import Tensor, no_grad
from .check import gradcheck
from .report import Report, cut

IMAGES = (2, 4, 7, 6)
LABELS = np.array([4, 3, 2, 1, 1, 0])
# title, function, shapes of its inputs; "whole": from −2 to 2, so that ties and zeros occur
OPERATIONS: tuple[tuple, ...] = (
    ("a + b", lambda a, b: a + b, (3, 4), (4,)),
    ("a - b", lambda a, b: a - b, (3, 1), (2, 1, 4)),
    ("a · b", lambda a, b: a * b, (3, 4), (3, 1)),
    ("a / b", lambda a, b: a / b, (3, 4), ("positive", 4)),
    ("a ** b", lambda a, b: a ** b, ("positive", 3, 4), (4,)),
    ("x ** 2, with zeros", lambda x: x ** 2, ("whole", 3, 4)),
    ("x · x + x", lambda x: x * x + x, (3, 4)),
    ("-x", lambda x: -x, (3, 4)),
    ("exp", lambda x: x.exp(), (3, 4)),
    ("log", lambda x: x.log(), ("positive", 3, 4)),
    ("matmul", lambda a, b: a @ b, (2, 3, 4), (4, 5)),
    ("sum", lambda x: x.sum(axis=1), (3, 4, 2)),
    ("mean", lambda x: x.mean(axis=(0, 2)), (3, 4, 2)),
    ("max, with ties", lambda x: x.max(axis=1), ("whole", 3, 6)),
    ("reshape, transpose", lambda x: x.reshape(4, 6).transpose(1, 0), (2, 3, 4)),
    ("x[rows], one twice", lambda x: x[np.array([0, 2, 0])], (3, 4)),
    ("relu, at 0", F.relu, ("whole", 4, 6)),
    ("tanh", F.tanh, (3, 4)),
    ("sigmoid", F.sigmoid, (3, 4)),
    ("linear", F.linear, (3, 5), (4, 5), (4,)),
    ("conv2d", lambda x, weight, bias: F.conv2d(x, weight, bias), IMAGES, (3, 4, 3, 3), (3,)),
    ("conv2d, stride, padding", lambda x, weight: F.conv2d(x, weight, None, (2, 3), (1, 2)), IMAGES,
     (3, 4, 3, 2)),
    ("conv2d, two towers", lambda x, weight: F.conv2d(x, weight, groups=2, padding=1), IMAGES,
     (4, 2, 3, 3)),
    ("conv2d_relu", lambda x, weight, bias: F.conv2d_relu(x, weight, bias), IMAGES, (3, 4, 3, 3),
     (3,)),
    ("conv2d, 3x3 by tiles", lambda x, weight: F.conv2d(x, weight, padding=1), (8, 32, 4, 3),
     (32, 32, 3, 3)),
    ("zero_pad2d", lambda x: F.zero_pad2d(x, 1, 2, 0, 3), IMAGES),
    ("max_pool2d", lambda x: F.max_pool2d(x, 3, 2), IMAGES),
    ("max_pool2d, with ties", lambda x: F.max_pool2d(x, 3, 2, 1), ("whole", 2, 2, 7, 6)),
    ("avg_pool2d", lambda x: F.avg_pool2d(x, 3, 2), IMAGES),
    ("local_response_norm", lambda x: F.local_response_norm(x, alpha=0.1), (2, 8, 3, 3)),
    ("the same, two towers", lambda x: F.local_response_norm(x, alpha=0.1, groups=2), (2, 8, 3, 3)),
    ("map_response_norm", lambda x: F.map_response_norm(x, alpha=0.1), IMAGES),
    ("dropout", F.dropout, (6, 8)),
    ("flatten", F.flatten, IMAGES),
    ("softmax", F.softmax, (6, 5)),
    ("log_softmax", F.log_softmax, (6, 5)),
    ("cross_entropy", lambda logits: F.cross_entropy(logits, LABELS), (6, 5)),
    ("mse_loss", F.mse_loss, (6, 5), (6, 5)),
)


def operations() -> Iterator[tuple[str, Callable, object]]:
    """(title, function, inputs) for each operation, on small arrays of random numbers, the same in
    every run."""
    generator = np.random.default_rng(0)
    draw = {"positive": lambda shape: generator.uniform(0.5, 2, shape),
            "whole": lambda shape: generator.integers(-2, 3, shape).astype(float)}
    for title, function, *shapes in OPERATIONS:
        inputs = tuple(draw[shape[0]](shape[1:]) if shape[0] in draw
                       else generator.standard_normal(shape) for shape in shapes)
        yield title, function, inputs if len(inputs) > 1 else inputs[0]


def networks() -> Iterator[tuple[str, nn.Module, object]]:
    """(title, module, input): LeNet-5 whole, with all its parameters, and AlexNet layer by layer at
    full size."""
    generator = np.random.default_rng(0)
    yield "lenet5, whole", models.lenet5(), generator.standard_normal((2, 1, 32, 32))
    model = models.alexnet("paper", init="he")
    x = Tensor(generator.standard_normal((1, *model.input_shape), dtype=np.float32))
    for name, layer in model.named_children():
        if not isinstance(layer, nn.Flatten):
            yield f"{name} {type(layer).__name__}", layer, x
        with no_grad():
            x = layer(x)


def reports() -> Iterator[Report]:
    """Yields one Report after another. Of a full-size layer 8 entries of each tensor are compared,
    and each tensor as a whole along a random direction."""
    for checks, options in (operations(), {}), (networks(), {"samples": 8, "directions": 1}):
        for title, fn, inputs in checks:
            report = gradcheck(fn, inputs, **options)
            report.title = title
            yield report


def tell(options: argparse.Namespace) -> int:
    """Prints one line for each operation and layer, the whole report where something is wrong."""
    manual_seed(0)  # the same weights, and so the same figures, in every run
    done = []
    if not options.json:
        print(f"{'checked':<24} {'tensors':<19} {'compared':<18} {'error':<8} verdict")
    for report in reports():
        done.append(report)
        if not options.json:
            print(_line(report), flush=True)
            if options.verbose and report:
                print(f"\n{report}\n")
    right = sum(map(bool, done))
    if options.json:
        print(json.dumps({"correct": right == len(done),
                          "checks": [report.to_dict() for report in done]}, indent=1))
    else:
        print(f"\n{right} of {len(done)} correct; the largest relative error is "
              f"{max(report.largest_error for report in done):.1e}, in float64")
    return 0 if right == len(done) else 1


def _line(report):
    compared = f"{sum(row.compared for row in report.rows)} of {sum(r.size for r in report.rows):,}"
    names = ", ".join(row.name for row in report.rows)
    names = names if len(names) <= 19 else f"{len(report.rows)} tensors"
    line = f"{cut(report.title, 24):<24} {names:<19} {compared:<18} {report.largest_error:<8.1e} "
    return line + ("correct" if report else f"wrong:\n\n{report}\n")
