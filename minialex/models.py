"""The AlexNet family, each readable beside the paper, and LeNet-5.

The paper (Krizhevsky, Sutskever, Hinton, NIPS 2012), section 3.5, for a picture of 3 x 227 x 227
(it says 224, which its own 55 contradicts: lesson 01), where a pool is 3x3 with stride 2:

    conv1  96 kernels 11x11x3, stride 4                 55x55   ReLU, response norm, pool    27x27
    conv2  256 kernels 5x5x48, two towers, padding 2    27x27   ReLU, response norm, pool    13x13
    conv3  384 kernels 3x3x256, sees both towers        13x13   ReLU
    conv4  384 kernels 3x3x192, two towers              13x13   ReLU
    conv5  256 kernels 3x3x192, two towers              13x13   ReLU, pool                   6x6
    fc6    4096 neurons   ReLU, dropout    fc7   4096 neurons   ReLU, dropout    fc8   1000 classes
"""
from typing import Any, TypeAlias, TypeVar

import numpy as np

from . import nn
from .aliases import Shape
from .nn import Conv2d, Dropout, Flatten, Linear, LocalResponseNorm, MaxPool2d, ReLU, Sequential
from .random import host_generator
from .tensor import Input

_Layers: TypeAlias = dict[str, nn.Module]
ModuleT = TypeVar("ModuleT", bound=nn.Module)

VARIANTS = {
    "paper": "the paper: 227, two towers, ReLU, response norm, pool",
    "caffenet": "CaffeNet: the paper with pool before response norm",
    "caffe": "BVLC AlexNet: the paper with Caffe's response norm (k = 1, alpha/5)",
    "single-tower": "the paper without towers: every kernel sees all channels",
    "keras": "a common Keras program: 224 without padding, no response norm, no towers",
    "torchvision": "'one weird trick': 64-192-384-256-256, 224 with padding 2, no response norm",
    "krizhevsky": "what the released 2012 source ran: 224, pool before ReLU, tower-wise norms",
}


class Network(Sequential):
    """Layers in order, with `.variant`, `.num_classes` and `.input_shape` (C, H, W)."""

    def __init__(self, variant: str, num_classes: int, input_shape: Shape, layers: _Layers) -> None:
        super().__init__(**layers)
        self.variant, self.num_classes, self.input_shape = variant, num_classes, input_shape

    def forward(self, x: Input) -> Any:
        try:
            return super().forward(x)
        except ValueError as error:
            shape = tuple(getattr(x, "shape", ()))
            if shape[1:] == self.input_shape:
                raise
            wanted = ", ".join(map(str, self.input_shape))
            raise ValueError(f"{self.variant} is made for pictures of shape (N, {wanted}), got "
                             f"{shape}; {error}") from error


def is_chain(model: nn.Module) -> bool:
    """Does a network do nothing but apply its layers one after the other?"""
    return type(model).forward in (Sequential.forward, Network.forward)


def alexnet(variant: str = "paper", num_classes: int = 1000, in_channels: int = 3,
            init: str = "paper", dropout: float = 0.5) -> Network:
    """One of `VARIANTS`, with weights drawn as `init` says (see `initialise`).

    dropout: the probability after fc6 and fc7. Raises ValueError for an unknown variant or a number
    of classes below 1.
    """
    if variant not in VARIANTS:
        raise ValueError(f"unknown variant '{variant}': choose one of {', '.join(VARIANTS)}.")
    if num_classes < 1 or in_channels < 1:
        raise ValueError(f"alexnet: {num_classes=} and {in_channels=} must be at least 1.")
    size, features, layers = _LAYERS[variant](in_channels)
    layers["flatten"] = Flatten()
    layers |= _classifier(features, num_classes, dropout, dropout_first=variant == "torchvision")
    model = Network(variant, num_classes, (in_channels, size, size), layers)
    return initialise(model, init)


# ---------------------------------------------------------------------------- the variants


# Each is (input size, features after pool5, conv1 … pool5) for pictures of C channels.


def _paper(C: int, towers: int = 2, pool_first: bool = False, k: float = 2.0,
           alpha: float = 1e-4) -> tuple[int, int, _Layers]:
    """The paper, and the variants that change one thing about it."""
    def shrink(number: int) -> _Layers:
        norm: _Layers = {f"norm{number}": LocalResponseNorm(5, alpha, 0.75, k)}
        pool: _Layers = {f"pool{number}": MaxPool2d(3, 2)}
        return pool | norm if pool_first else norm | pool

    return 227, 256 * 6 * 6, {
        "conv1": Conv2d(C, 96, 11, stride=4), "relu1": ReLU(), **shrink(1),
        "conv2": Conv2d(96, 256, 5, padding=2, groups=towers), "relu2": ReLU(), **shrink(2),
        "conv3": Conv2d(256, 384, 3, padding=1), "relu3": ReLU(),
        "conv4": Conv2d(384, 384, 3, padding=1, groups=towers), "relu4": ReLU(),
        "conv5": Conv2d(384, 256, 3, padding=1, groups=towers), "relu5": ReLU(),
        "pool5": MaxPool2d(3, 2),
    }


def _keras(C: int) -> tuple[int, int, _Layers]:
    """Sizes 224 → 54 → 26 → 26 → 12 → 12 → 5: rounded down each time, 6400 features, not 9216."""
    return 224, 256 * 5 * 5, {
        "conv1": Conv2d(C, 96, 11, stride=4), "relu1": ReLU(), "pool1": MaxPool2d(3, 2),
        "conv2": Conv2d(96, 256, 5, padding=2), "relu2": ReLU(), "pool2": MaxPool2d(3, 2),
        "conv3": Conv2d(256, 384, 3, padding=1), "relu3": ReLU(),
        "conv4": Conv2d(384, 384, 3, padding=1), "relu4": ReLU(),
        "conv5": Conv2d(384, 256, 3, padding=1), "relu5": ReLU(), "pool5": MaxPool2d(3, 2),
    }


def _torchvision(C: int) -> tuple[int, int, _Layers]:
    """Krizhevsky's "One weird trick for parallelizing convolutional neural networks" (2014), as
    PyTorch ships it, less its adaptive pool to 6 x 6, which changes nothing at 224."""
    return 224, 256 * 6 * 6, {
        "conv1": Conv2d(C, 64, 11, stride=4, padding=2), "relu1": ReLU(), "pool1": MaxPool2d(3, 2),
        "conv2": Conv2d(64, 192, 5, padding=2), "relu2": ReLU(), "pool2": MaxPool2d(3, 2),
        "conv3": Conv2d(192, 384, 3, padding=1), "relu3": ReLU(),
        "conv4": Conv2d(384, 256, 3, padding=1), "relu4": ReLU(),
        "conv5": Conv2d(256, 256, 3, padding=1), "relu5": ReLU(), "pool5": MaxPool2d(3, 2),
    }


def _krizhevsky(C: int) -> tuple[int, int, _Layers]:
    """The released source's order (layers-145.cfg). (224 − 11)/4 + 1 = 54.25 is rounded up to 55: 3
    pixels beyond the right and bottom edge read as zeros. Each tower normalises its own channels,
    with alpha divided by the window's size."""
    def towers_norm() -> LocalResponseNorm:
        return LocalResponseNorm(5, 1e-4 / 5, 0.75, 2.0, groups=2)

    return 224, 256 * 6 * 6, {
        "pad1": nn.ZeroPad2d(right=3, bottom=3),
        "conv1": Conv2d(C, 96, 11, stride=4), "norm1": towers_norm(),
        "pool1": MaxPool2d(3, 2), "relu1": ReLU(),
        "conv2": Conv2d(96, 256, 5, padding=2, groups=2), "relu2": ReLU(), "norm2": towers_norm(),
        "mapnorm2": nn.MapResponseNorm(5, 0.001 / 25, 0.75, 1.0), "pool2": MaxPool2d(3, 2),
        "conv3": Conv2d(256, 384, 3, padding=1), "relu3": ReLU(),
        "conv4": Conv2d(384, 384, 3, padding=1, groups=2), "relu4": ReLU(),
        "conv5": Conv2d(384, 256, 3, padding=1, groups=2),
        "pool5": MaxPool2d(3, 2), "relu5": ReLU(),
    }


_LAYERS = {
    "paper": _paper,
    "caffenet": lambda C: _paper(C, pool_first=True),
    "caffe": lambda C: _paper(C, k=1.0, alpha=1e-4 / 5),
    "single-tower": lambda C: _paper(C, towers=1),
    "keras": _keras,
    "torchvision": _torchvision,
    "krizhevsky": _krizhevsky,
}


def _classifier(features: int, num_classes: int, dropout: float, dropout_first: bool) -> _Layers:
    """fc6 to fc8. The paper drops after each ReLU; torchvision's drops before each layer."""
    fc6: _Layers = {"fc6": Linear(features, 4096), "relu6": ReLU()}
    fc7: _Layers = {"fc7": Linear(4096, 4096), "relu7": ReLU()}
    fc8: _Layers = {"fc8": Linear(4096, num_classes)}
    drop6, drop7 = {"drop6": Dropout(dropout)}, {"drop7": Dropout(dropout)}
    return drop6 | fc6 | drop7 | fc7 | fc8 if dropout_first else fc6 | drop6 | fc7 | drop7 | fc8


def lenet5(num_classes: int = 10, in_channels: int = 1, init: str = "lecun") -> Network:
    """LeNet-5 (LeCun et al. 1998) in its modern form, for 32 x 32 pictures.

    It has 61,706 parameters with 10 classes. The 1998 network had 60,000: a sparse table of
    connections in C3 and two trainable numbers per pooling map. Its activation was
    1.7159·tanh(2x/3), its output layer radial basis functions.
    """
    model = Network("lenet5", num_classes, (in_channels, 32, 32), {
        "conv1": Conv2d(in_channels, 6, 5), "tanh1": nn.Tanh(), "pool1": nn.AvgPool2d(2),
        "conv2": Conv2d(6, 16, 5), "tanh2": nn.Tanh(), "pool2": nn.AvgPool2d(2),
        "conv3": Conv2d(16, 120, 5), "tanh3": nn.Tanh(), "flatten": Flatten(),
        "fc4": Linear(120, 84), "tanh4": nn.Tanh(), "fc5": Linear(84, num_classes),
    })
    return initialise(model, init)


def build(name: str, num_classes: int, in_channels: int = 3, init: str | None = None) -> Network:
    """`lenet5` or any variant of `alexnet`, by name, with that network's own initialisation unless
    `init` says otherwise."""
    maker = lenet5 if name == "lenet5" else lambda *a, **k: alexnet(name, *a, **k)
    return maker(num_classes, in_channels, **({"init": init} if init else {}))


# ---------------------------------------------------------------------------- initial weights


def initialise(model: ModuleT, how: str) -> ModuleT:
    """Draw all weights anew, in place.

    "paper"     N(0, 0.01²), biases 1 in conv2, conv4, conv5, fc6 and fc7, else 0 (section 5)
    "released"  the same, but N(0, 0.03²) in conv3, conv4 and conv5, as the released source had it
    "he"        N(0, 2/fan_in), biases 0 (He et al. 2015, equation 10): variance survives a chain of
                ReLU layers. The last layer, which no ReLU follows, ten times narrower, so that the
                first loss is near ln K
    "lecun"     N(0, 1/fan_in), biases 0 (LeCun et al. 1998): the same for tanh

    Small data sets need "he": from the paper's own weights they stay at ln K for many epochs.
    Raises ValueError for another name.
    """
    if how not in ("paper", "released", "he", "lecun"):
        raise ValueError(f"unknown initialisation '{how}': choose paper, released, he or lecun.")
    generator = host_generator()
    layers = [(name, m) for name, m in model.named_modules() if isinstance(m, (Conv2d, Linear))]
    for name, layer in layers:
        fan_in = layer.weight.size // len(layer.weight.data)
        deviation, bias = _distribution(how, name, fan_in, is_last=layer is layers[-1][1])
        weight = generator.standard_normal(layer.weight.shape, dtype=np.float32)
        weight *= np.float32(deviation)
        layer.weight.data[...] = weight
        if layer.bias is not None:
            layer.bias.data[...] = bias
    return model


def _distribution(how: str, name: str, fan_in: int, is_last: bool) -> tuple[float, float]:
    """(standard deviation of the weights, value of the biases) for the layer of this name."""
    if how in ("he", "lecun"):
        deviation = ((2 if how == "he" else 1) / fan_in) ** 0.5
        return (deviation / 10 if how == "he" and is_last else deviation), 0
    wide = how == "released" and name in ("conv3", "conv4", "conv5")
    return (0.03 if wide else 0.01), (1 if name in ("conv2", "conv4", "conv5", "fc6", "fc7") else 0)
