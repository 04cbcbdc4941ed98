"""The whole wall: LeNet-5 and a small AlexNet, trained by your own engine

Every slope that your engine finds is compared with minialex's. Where a brick is missing, minialex's
operation stands in, on your tape if you have one. So this runs from the first day, and more of it
is yours each time.
"""
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import engine
import numpy as np
from bricks import OPERATIONS, brick
from classroom import drawn_pictures
from telling import paragraph
from wall import BRICKS, draw

import minialex as ma
import minialex.functional as F
from minialex import models

# ------------------------------------------------------------------------ two engines, one spelling


class Yours:
    """Your pieces. Two more are made here: maps laid out as rows (lesson 11), and two towers
    (lesson 05)."""

    Tensor, Convolution, ReLU, Tanh, MaxPool = (engine.Tensor, engine.Convolution, engine.ReLU,
                                                engine.Tanh, engine.MaxPool)
    MeanPool, ResponseNorm, Dropout, Linear = (engine.MeanPool, engine.ResponseNorm, engine.Dropout,
                                               engine.Linear)
    CrossEntropy = engine.CrossEntropy

    class Flatten(engine.Function):
        def forward(self, x):
            self.shape = x.shape
            return x.reshape(len(x), -1)

        def backward(self, g):
            return g.reshape(self.shape)

    class Towers(engine.Function):
        """Two of your convolutions, each with half of the channels and half of the kernels."""

        def __init__(self, stride, padding):
            self.halves = [engine.Convolution(stride, padding) for _ in range(2)]

        def forward(self, x, W, b):
            parts = zip(np.split(x, 2, axis=1), np.split(W, 2), np.split(b, 2))
            return np.concatenate([half.forward(*part) for half, part in zip(self.halves, parts)],
                                  axis=1)

        def backward(self, g):
            dx, dW, db = zip(*[half.backward(part)
                               for half, part in zip(self.halves, np.split(g, 2, axis=1))])
            return np.concatenate(dx, axis=1), np.concatenate(dW), np.concatenate(db)


def options_first(operation: Callable) -> Callable:
    """Convolution(1, 2)(x, W, b) as another spelling of F.conv2d(x, W, b, 1, 2)."""
    return lambda *options: lambda *inputs: operation(*inputs, *options)


Minialex = SimpleNamespace(
    Tensor=partial(ma.Tensor, requires_grad=True),
    Flatten=lambda: F.flatten,
    Towers=lambda stride, padding: lambda x, W, b: F.conv2d(x, W, b, stride, padding, groups=2),
    **{name: options_first(operation) for name, operation in OPERATIONS.items()})


# ------------------------------------------------------------------------------------- two networks


def lenet5(the, x, w, u):
    """x (N, 1, 32, 32), w: the parameters by name. `the` is one of the two engines."""
    x = the.MeanPool(2, 2)(the.Tanh()(the.Convolution(1, 0)(x, w["conv1.weight"], w["conv1.bias"])))
    x = the.MeanPool(2, 2)(the.Tanh()(the.Convolution(1, 0)(x, w["conv2.weight"], w["conv2.bias"])))
    x = the.Tanh()(the.Convolution(1, 0)(x, w["conv3.weight"], w["conv3.bias"]))
    x = the.Tanh()(the.Linear()(the.Flatten()(x), w["fc4.weight"], w["fc4.bias"]))
    return the.Linear()(x, w["fc5.weight"], w["fc5.bias"])


def small_alexnet(the, x, w, u):
    """AlexNet's layers in their order, with an eighth of its kernels; x (N, 3, 67, 67). u: random
    numbers for two dropouts."""
    x = the.ReLU()(the.Convolution(4, 0)(x, w["conv1.weight"], w["conv1.bias"]))
    x = the.MaxPool(3, 2)(the.ResponseNorm()(x))
    x = the.ReLU()(the.Towers(1, 2)(x, w["conv2.weight"], w["conv2.bias"]))
    x = the.MaxPool(3, 2)(the.ResponseNorm()(x))
    x = the.ReLU()(the.Convolution(1, 1)(x, w["conv3.weight"], w["conv3.bias"]))
    x = the.ReLU()(the.Towers(1, 1)(x, w["conv4.weight"], w["conv4.bias"]))
    x = the.MaxPool(3, 2)(the.ReLU()(the.Towers(1, 1)(x, w["conv5.weight"], w["conv5.bias"])))
    x = the.ReLU()(the.Linear()(the.Flatten()(x), w["fc6.weight"], w["fc6.bias"]))
    x = the.ReLU()(the.Linear()(the.Dropout(0.5, u[0])(x), w["fc7.weight"], w["fc7.bias"]))
    return the.Linear()(the.Dropout(0.5, u[1])(x), w["fc8.weight"], w["fc8.bias"])


SMALL_ALEXNET = {"conv1": (12, 3, 11, 11), "conv2": (32, 6, 5, 5), "conv3": (48, 32, 3, 3),
                 "conv4": (48, 24, 3, 3), "conv5": (32, 24, 3, 3), "fc6": (64, 32), "fc7": (64, 64),
                 "fc8": (5, 64)}


def lenet5_weights() -> dict[str, np.ndarray]:
    ma.manual_seed(0)
    return {name: p.data.astype(float)
            for name, p in models.lenet5(num_classes=5).named_parameters()}


def small_alexnet_weights() -> dict[str, np.ndarray]:
    generator, weights = np.random.default_rng(0), {}
    for name, shape in SMALL_ALEXNET.items():
        weights[f"{name}.weight"] = generator.normal(scale=np.sqrt(2 / np.prod(shape[1:])),
                                                     size=shape)
        weights[f"{name}.bias"] = np.zeros(shape[0])
    weights["fc8.weight"] /= 10  # the first loss is near ln 5 then (lesson 14)
    return weights


# --------------------------------------------------------------------- the slopes, and the training


def loss_and_slopes(the, network, weights, images, labels,
                    u) -> tuple[float, dict[str, np.ndarray]]:
    """The loss, and its slope with respect to each parameter: {name: array}."""
    tensors = {name: the.Tensor(array) for name, array in weights.items()}
    loss = the.CrossEntropy(labels)(network(the, the.Tensor(images), tensors, u))
    loss.backward()
    return float(loss.data), {name: tensor.grad for name, tensor in tensors.items()}


def compare(network, weights, images, labels, u) -> dict[str, float]:
    """{name: how far your slope is from minialex's, as a share of the largest one of that
    parameter}."""
    yours, theirs = [loss_and_slopes(the, network, weights, images, labels, u)[1]
                     for the in (Yours, Minialex)]
    return {name: np.abs(yours[name] - slope).max() / np.abs(slope).max()
            for name, slope in theirs.items()}


def train(network, weights, images, labels, steps: int, lr: float, batch: int = 10) -> list[float]:
    """The loss at each step, of the batch that the step was made for."""
    generator, losses = np.random.default_rng(1), []
    weights, speed = dict(weights), {name: np.zeros_like(w) for name, w in weights.items()}
    for _ in range(steps):
        chosen = generator.permutation(len(images))[:batch]
        u = generator.random(size=(2, batch, 64))
        loss, slopes = loss_and_slopes(Yours, network, weights, images[chosen], labels[chosen], u)
        for name, w in weights.items():
            weights[name], speed[name] = engine.update(w, slopes[name], speed[name], lr, 0.9,
                                                       0.0005)
        losses.append(loss)
    return losses


def show(title: str, network, weights, images, labels, steps: int, lr: float) -> list[str]:
    """Compares the slopes of ten pictures, trains, and prints both. Returns the parameters whose
    slopes are not minialex's."""
    apart = compare(network, weights, images[::4], labels[::4],
                    np.random.default_rng(2).random(size=(2, 10, 64)))
    print(f"\n{title}: {sum(w.size for w in weights.values()):,} parameters. "
          "How far your slopes are from minialex's, as a share of the largest:")
    for name, distance in apart.items():
        print(f"  {name:<13} {str(weights[name].shape):<17} {distance:.0e}")
    losses = train(network, weights, images, labels, steps, lr)
    means = [f"{np.mean(part):.2f}" for part in np.split(np.array(losses), 6)]
    print(f"  the loss, a mean of {steps // 6} steps each: {', '.join(means)} (five classes, "
          "nothing learned: ln 5 = 1.61)")
    return [f"{title}, {name}" for name, distance in apart.items() if not distance < 1e-8]


def main() -> int:
    """Prints the wall, the comparisons and the losses. Returns 0, or 1 where a slope is not
    minialex's."""
    missing = {name: why for name in BRICKS for pieces, why in [brick(name)] if not pieces}
    print(draw(set(BRICKS) - set(missing)))
    for name, why in missing.items():
        if "nothing yet" not in why:
            print(paragraph(f"  {name}.py cannot be used, minialex's stands in: {why}"))
    colour, labels = drawn_pictures(classes=5, each=8, size=67)
    grey = drawn_pictures(classes=5, each=8, size=32)[0].mean(axis=1, keepdims=True)
    wrong = show("LeNet-5", lenet5, lenet5_weights(), grey.astype(float), labels, steps=24, lr=0.02)
    wrong += show("A small AlexNet", small_alexnet, small_alexnet_weights(), colour.astype(float),
                  labels, steps=48, lr=0.02)
    if wrong:
        print(paragraph(f"\nnot minialex's slopes: {'; '.join(wrong)}."))
        return 1
    print("\nEvery slope is minialex's, to rounding, "
          f"with {len(BRICKS) - len(missing)} of {len(BRICKS)} bricks of your own.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
