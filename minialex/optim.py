"""Stochastic gradient descent in the paper's form (section 5), and learning-rate schedules.

    v ← 0.9·v − 0.0005·ε·w − ε·∂L/∂w
    w ← w + v

The learning rate ε stands inside v. Where it changes, this differs from the common form
v ← 0.9·v + g, w ← w − ε·v: here the steps already in v keep the size that they had.
"""
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from . import functional as F
from .aliases import Array
from .device import array_module, as_numbers, to_device
from .nn import Module
from .tensor import Tensor


class SGD:
    """The paper's update for a list of parameters, or for groups with options of their own:

        SGD([{"params": weights}, {"params": biases, "lr": 0.02, "weight_decay": 0}], lr=0.01)

    `param_groups` may be changed between steps. Raises ValueError for a negative option or no
    parameters.
    """

    def __init__(self, parameters: Iterable[Any], lr: float, momentum: float = 0.9,
                 weight_decay: float = 5e-4) -> None:
        if isinstance(parameters, Tensor):
            raise TypeError(f"SGD needs a list of parameters, got one of shape {parameters.shape}: put it in brackets.")
        groups = list(parameters)
        if not groups:
            raise ValueError("SGD got no parameters: pass model.parameters().")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        for group in groups:
            if not isinstance(group, dict) or "params" not in group or set(group) - {"params", *defaults}:
                raise ValueError(f"SGD: a parameter group is a dict with 'params' and any of {', '.join(defaults)}, got "
                                 f"{list(group) if isinstance(group, dict) else type(group).__name__}.")
        self.param_groups = [defaults | group | {"params": list(group["params"])} for group in groups]
        for group in self.param_groups:
            for option in defaults:
                if not isinstance(group[option], Real) or not group[option] >= 0:
                    raise ValueError(f"SGD: {option} must be a number and not negative, got {group[option]!r}.")
            group["initial_lr"] = group["lr"]
        _check_parameters([p for group in self.param_groups for p in group["params"]])
        self.velocity: dict[Tensor, Array] = {}

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = as_numbers(p.grad)  # anyone may have set it
                if grad.shape != p.shape:
                    raise ValueError(f"SGD: a gradient of shape {grad.shape} does not belong to a parameter of "
                                     f"shape {p.shape}.")
                if p not in self.velocity:
                    self.velocity[p] = array_module(p.data).zeros_like(p.data)
                lr, momentum, weight_decay = (float(group[name]) for name in ("lr", "momentum", "weight_decay"))
                F.sgd_update(p.data, grad, self.velocity[p], lr, momentum, weight_decay)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def state_dict(self) -> dict[str, Any]:
        """{"velocity": arrays in order of parameters (None before the first step), "groups": options per group}."""
        options = [{k: v for k, v in group.items() if k != "params"} for group in self.param_groups]
        return {"velocity": [self.velocity.get(p) for group in self.param_groups for p in group["params"]], "groups": options}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what state_dict returned. Raises ValueError when it belongs to other parameters."""
        parameters = [p for group in self.param_groups for p in group["params"]]
        if len(parameters) != len(state["velocity"]) or len(self.param_groups) != len(state["groups"]):
            raise ValueError(f"this optimiser state has {len(state['velocity'])} parameters in {len(state['groups'])} groups, "
                             f"the optimiser has {len(parameters)} in {len(self.param_groups)}.")
        for p, velocity in zip(parameters, state["velocity"]):
            if velocity is not None and velocity.shape != p.shape:
                raise ValueError(f"this optimiser state has a velocity of shape {velocity.shape} for a parameter of shape "
                                 f"{p.shape}.")
        self.velocity = {p: to_device(v, p.device).copy() for p, v in zip(parameters, state["velocity"]) if v is not None}
        for group, options in zip(self.param_groups, state["groups"]):
            group.update(options)


def _check_parameters(parameters: Sequence[Tensor]) -> None:
    for p in parameters:
        if not isinstance(p, Tensor) or not p.requires_grad:
            what = f"a Tensor of shape {p.shape} without requires_grad=True" if isinstance(p, Tensor) else f"a {type(p).__name__}"
            raise TypeError(f"SGD changes Tensors that require a gradient, got {what}: pass model.parameters().")
    if len(set(parameters)) < len(parameters):
        twice = next(p for p in parameters if parameters.count(p) > 1)
        raise ValueError(f"SGD got the same parameter of shape {twice.shape} twice, it would take two steps at once: put it in "
                         "one group.")


def caffe_groups(model: Module, lr: float, weight_decay: float = 5e-4) -> list[dict[str, Any]]:
    """Parameter groups as in Caffe's AlexNet: biases learn twice as fast and do not decay."""
    named = list(model.named_parameters())
    return [{"params": [p for name, p in named if not name.endswith("bias")], "lr": lr, "weight_decay": weight_decay},
            {"params": [p for name, p in named if name.endswith("bias")], "lr": 2 * lr, "weight_decay": 0.0}]


class MultiStepLR:
    """Multiply every group's initial learning rate by gamma at each milestone (counted in calls of step)."""

    def __init__(self, optimizer: SGD, milestones: Iterable[int], gamma: float = 0.1) -> None:
        self.optimizer, self.milestones, self.gamma, self.epoch = optimizer, sorted(milestones), gamma, 0

    def factor(self) -> float:
        """What the initial learning rate is multiplied by at the current epoch."""
        return self.gamma ** sum(self.epoch >= milestone for milestone in self.milestones)

    def step(self) -> None:
        """An epoch is over."""
        self.epoch += 1
        self.set_rate()

    def set_rate(self) -> None:
        """Give every group the learning rate of the current epoch."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.factor()

    def state_dict(self) -> dict[str, Any]:
        """What load_state_dict needs to go on from here."""
        return {"epoch": self.epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.epoch = state["epoch"]


class StepLR(MultiStepLR):
    """Multiply the learning rate by gamma every `step_size` epochs."""

    def __init__(self, optimizer: SGD, step_size: int, gamma: float = 0.1) -> None:
        if not isinstance(step_size, (int, Integral)) or step_size < 1:
            raise ValueError(f"StepLR: step_size is a whole number of epochs, at least 1, got {step_size}.")
        super().__init__(optimizer, (), gamma)
        self.step_size = step_size

    def factor(self) -> float:
        return self.gamma ** (self.epoch // self.step_size)


class LinearDecay(MultiStepLR):
    """Keep the learning rate for the first part of the epochs (`flat`), then let it fall in a line towards 0."""

    def __init__(self, optimizer: SGD, epochs: int, flat: float = 0.4) -> None:
        if not isinstance(epochs, (int, Integral)) or epochs < 1 or not 0 <= flat < 1:
            raise ValueError(f"LinearDecay needs a number of epochs, at least 1, and 0 <= flat < 1, got {epochs} and {flat}.")
        super().__init__(optimizer, ())
        self.epochs, self.flat = epochs, flat

    def factor(self) -> float:
        """The line's height in the middle of the current epoch."""
        return max(0.0, min(1.0, (1 - (self.epoch + 0.5) / self.epochs) / (1 - self.flat)))


class ReduceOnPlateau:
    """Multiply the learning rate by `factor` when the metric (an error or loss) has not fallen for `patience` epochs.

    The paper divided by 10 "when the validation error rate stopped improving", three times:
    `max_reductions`.
    """

    def __init__(self, optimizer: SGD, factor: float = 0.1, patience: int = 5, max_reductions: int = 3) -> None:
        self.optimizer, self.factor, self.patience, self.max_reductions = optimizer, factor, patience, max_reductions
        self.best, self.waited, self.reductions = float("inf"), 0, 0

    def step(self, metric: float) -> None:
        """An epoch is over, with this validation error."""
        if metric < self.best:
            self.best, self.waited = metric, 0
            return
        self.waited += 1
        if self.waited >= self.patience and self.reductions < self.max_reductions:
            self.waited, self.reductions = 0, self.reductions + 1
            for group in self.optimizer.param_groups:
                group["lr"] *= self.factor

    def state_dict(self) -> dict[str, Any]:
        """What load_state_dict needs to go on from here."""
        return {"best": self.best, "waited": self.waited, "reductions": self.reductions}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best, self.waited, self.reductions = state["best"], state["waited"], state["reductions"]
