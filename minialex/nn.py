"""Layers: an operation together with its parameters.

PyTorch's argument names and defaults, except LocalResponseNorm: k = 2 and an alpha that is not
divided by size, as in the paper.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from . import functional as F
from . import ops, tensor
from .aliases import Array, Shape, Size
from .device import as_numbers, is_array, to_device
from .ops.im2col import geometry
from .random import host_generator
from .tensor import Input, Tensor

M = TypeVar("M", bound="Module")


class Parameter(Tensor):
    """A Tensor that training changes."""

    def __init__(self, data: ArrayLike) -> None:
        super().__init__(data, requires_grad=True)


class Module:
    """A layer or a network. Write `forward`; parameters and sub-modules are what is assigned to
    self."""

    training = True
    _name = ""

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Tensors in, Tensor out."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(self, x).")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        tensor.layer_stack().append(self._name)
        try:
            return self.forward(*inputs, **options)
        finally:
            tensor.layer_stack().pop()

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, Module):
            value._name = name
        held = list(value.values()) if isinstance(value, dict) else value
        if isinstance(held, (list, tuple)) and any(isinstance(x, Module | Parameter) for x in held):
            raise TypeError(f"self.{name} holds layers or parameters in a {type(value).__name__}, "
                            "where training misses them: use nn.Sequential, or one attribute each.")
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={module!r}" for name, module in self.named_children())
        return f"{type(self).__name__}({inner or self.extra_repr()})"

    def extra_repr(self) -> str:
        """What stands between the brackets when a layer is printed."""
        return ""

    # the tree

    def named_children(self) -> list[tuple[str, Module]]:
        """(name, module) for each direct sub-module."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, Module)]

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """(path, module) for this module and all below it."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """(path, Parameter), such as ("conv1.weight", ...)."""
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, Parameter):
                    yield (f"{path}.{name}" if path else name), value

    def parameters(self) -> list[Parameter]:
        """All parameters, in the order of named_parameters; one with several names comes once."""
        return list(dict.fromkeys(parameter for _, parameter in self.named_parameters()))

    # saving and loading

    def state_dict(self) -> dict[str, Array]:
        """{path: array}, the parameters' own arrays (copy them to keep them)."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy arrays into the parameters, keeping each parameter's dtype and device.

        Raises ValueError, before anything is changed, that lists every missing, unexpected or
        misshapen entry.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"load_state_dict needs {{name: array}}, got a {type(state).__name__}.")
        own = dict(self.named_parameters())
        wrong = [f"missing {name}" for name in own if name not in state]
        wrong += [f"unexpected {name}" for name in state if name not in own]
        wrong += [f"{name} has shape {_shape(state[name])}, needs {own[name].shape}"
                  for name in own if name in state and _shape(state[name]) != own[name].shape]
        if wrong:
            raise ValueError(f"weights do not fit this {type(self).__name__}: {'; '.join(wrong)}.")
        arrays = {name: as_numbers(state[name]) for name in own}
        for name, parameter in own.items():
            parameter.data[...] = to_device(arrays[name], parameter.device)

    # modes and places

    def train(self: M, mode: bool = True) -> M:
        """Dropout drops in training mode, and passes everything through in evaluation mode."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """The same as train(False)."""
        return self.train(False)

    def to(self: M, device: str) -> M:
        """Move all parameters to `"cpu"`, `"cuda"` or `"cuda:n"`, in place."""
        for parameter in self.parameters():
            parameter.data = to_device(parameter.data, device)
            parameter.grad = None if parameter.grad is None else to_device(parameter.grad, device)
        return self

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters():
            parameter.grad = None


def _shape(array: Any) -> Shape:
    """The shape of an array on any device, or of a list."""
    return array.shape if is_array(array) else np.shape(array)


class Sequential(Module):
    """Modules one after the other: `Sequential(conv1=Conv2d(3, 96, 11), relu1=ReLU())` or without
    names, numbered."""

    def __init__(self, *layers: Module, **named: Module) -> None:
        for name, layer in [*((str(i), layer) for i, layer in enumerate(layers)), *named.items()]:
            if hasattr(Sequential, name):
                raise ValueError(f"Sequential cannot name a layer '{name}': choose another name.")
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential: layer {name} is a {type(layer).__name__}: write "
                                "nn.ReLU(), with brackets; wrap a function in a Module.")
            setattr(self, name, layer)

    def forward(self, x: Input) -> Any:
        layers = list(self)
        while layers:
            layer = layers.pop(0)
            if layers and _can_join(layer, layers[0]):  # ReLU then meets its input in the cache
                layers.pop(0)
                x = layer(x, relu=True)
            else:
                x = layer(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return (layer for _, layer in self.named_children())

    def __len__(self) -> int:
        return len(self.named_children())

    def __getitem__(self, index: Any) -> Any:
        named = self.named_children()
        if isinstance(index, slice):
            return Sequential(**dict(named[index]))
        if not isinstance(index, Integral) or int(index) not in range(-len(named), len(named)):
            raise IndexError(f"Sequential has layers 0 to {len(named) - 1} "
                             f"({', '.join(dict(named))}), not {index!r}; by name: model.NAME.")
        return named[int(index)][1]


def _at_least_one(layer: str, **numbers: Any) -> None:
    for name, n in numbers.items():
        if not isinstance(n, Integral) or int(n) < 1:
            raise ValueError(f"{layer}: {name} must be a whole number of at least 1, got {n!r}.")


def _uniform(shape: Shape, fan_in: int) -> Array:
    """PyTorch's default for layers: uniform in ±1/√fan_in. The models of the AlexNet family draw
    their own."""
    bound = fan_in ** -0.5
    return (host_generator().random(shape, dtype="float32") * 2 - 1) * np.float32(bound)


class Conv2d(Module):
    """Convolution. weight (out_channels, in_channels/groups, KH, KW), bias (out_channels,)."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1,
                 padding: Size = 0, groups: int = 1, bias: bool = True) -> None:
        _at_least_one("Conv2d", in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"Conv2d: {groups=} must divide {in_channels=} and {out_channels=}.")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.padding = geometry(kernel_size, stride, padding)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        fan_in = shape[1] * shape[2] * shape[3]
        self.weight = Parameter(_uniform(shape, fan_in))
        self.bias = Parameter(_uniform((out_channels,), fan_in)) if bias else None

    def forward(self, x: Input, relu: bool = False) -> Tensor:
        convolve = F.conv2d_relu if relu else F.conv2d
        return convolve(x, self.weight, self.bias, self.stride, self.padding, self.groups)

    def extra_repr(self) -> str:
        return (f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
                f"stride={self.stride}, padding={self.padding}, groups={self.groups}")


class Linear(Module):
    """y = x Wᵀ + b with weight (out_features, in_features) and bias (out_features,)."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        _at_least_one("Linear", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(_uniform((out_features, in_features), in_features))
        self.bias = Parameter(_uniform((out_features,), in_features)) if bias else None

    def forward(self, x: Input) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}"


class ReLU(Module):
    """max(x, 0)"""

    def forward(self, x: Input) -> Tensor:
        return F.relu(x)


_OWN_FORWARD = {Conv2d: Conv2d.forward, ReLU: ReLU.forward}


def _can_join(convolution: Module, relu: Module) -> bool:
    """May one operation do the work of both? Not where somebody gave one of them another forward,
    to look on or to change it."""
    return all(type(layer) is kind and getattr(layer.forward, "__func__", None) is forward
               for layer, (kind, forward) in zip((convolution, relu), _OWN_FORWARD.items()))


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Input) -> Tensor:
        return F.tanh(x)


class Sigmoid(Module):
    """1 / (1 + e^−x)"""

    def forward(self, x: Input) -> Tensor:
        return F.sigmoid(x)


class Flatten(Module):
    """(N, C, H, W) -> (N, C·H·W)"""

    def forward(self, x: Input) -> Tensor:
        return F.flatten(x)


class MaxPool2d(Module):
    """The largest value of each window. stride: kernel_size without it."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        stride = kernel_size if stride is None else stride
        self.kernel_size, self.stride, self.padding = geometry(kernel_size, stride, padding)

    def forward(self, x: Input) -> Tensor:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding)

    def extra_repr(self) -> str:
        return f"{self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The mean of each window. stride: kernel_size without it."""

    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        stride = kernel_size if stride is None else stride
        self.kernel_size, self.stride, self.padding = geometry(kernel_size, stride, padding=0)

    def forward(self, x: Input) -> Tensor:
        return F.avg_pool2d(x, self.kernel_size, self.stride)

    def extra_repr(self) -> str:
        return f"{self.kernel_size}, stride={self.stride}"


class LocalResponseNorm(Module):
    """The paper's normalisation across channels (section 3.3), alpha not divided by size."""

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0,
                 groups: int = 1) -> None:
        self.size, self.alpha, self.beta, self.k, self.groups = size, alpha, beta, k, groups

    def forward(self, x: Input) -> Tensor:
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k, self.groups)

    def extra_repr(self) -> str:
        return (f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}, "
                f"groups={self.groups}")


class MapResponseNorm(Module):
    """Normalisation over size x size pixels of the same channel, as in the released 2012 source."""

    def __init__(self, size: int = 5, alpha: float = 0.001 / 25, beta: float = 0.75,
                 k: float = 1.0) -> None:
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Input) -> Tensor:
        return F.map_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class ZeroPad2d(Module):
    """Zeros around the image, a number of pixels for each side."""

    def __init__(self, left: int = 0, right: int = 0, top: int = 0, bottom: int = 0) -> None:
        self.left, self.right, self.top, self.bottom = left, right, top, bottom

    def forward(self, x: Input) -> Tensor:
        return F.zero_pad2d(x, self.left, self.right, self.top, self.bottom)

    def extra_repr(self) -> str:
        return f"left={self.left}, right={self.right}, top={self.top}, bottom={self.bottom}"


class Dropout(Module):
    """Drop each value with probability p while training (the paper, section 4.2)."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = ops.Dropout(p).p

    def forward(self, x: Input) -> Tensor:
        return F.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"{self.p}"
