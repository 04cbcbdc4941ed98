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
            raise TypeError(f"SGD needs a list: put the parameter {parameters.shape} in brackets.")
        groups = list(parameters)
        if not groups:
            raise ValueError("SGD got no parameters: pass model.parameters().")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        for group in groups:
            if not isinstance(group, dict) or not {"params"} <= set(group) <= {"params", *defaults}:
                got = list(group) if isinstance(group, dict) else type(group).__name__
                raise ValueError("SGD: a parameter group is a dict with 'params' and any of "
                                 f"{', '.join(defaults)}, got {got}.")
        self.param_groups = [defaults | g | {"params": list(g["params"])} for g in groups]
        for group in self.param_groups:
            for option in defaults:
                if not isinstance(group[option], Real) or not group[option] >= 0:
                    raise ValueError(f"SGD: {option} must be a number >= 0, got {group[option]!r}.")
            group["initial_lr"] = group["lr"]
        _check_parameters(self._parameters())
        self.velocity: dict[Tensor, Array] = {}

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = as_numbers(p.grad)  # anyone may have set it
                if grad.shape != p.shape:
                    raise ValueError(f"SGD: gradient {grad.shape} does not fit weight {p.shape}.")
                if p not in self.velocity:
                    self.velocity[p] = array_module(p.data).zeros_like(p.data)
                options = [float(group[name]) for name in ("lr", "momentum", "weight_decay")]
                F.sgd_update(p.data, grad, self.velocity[p], *options)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self._parameters():
            p.grad = None

    def state_dict(self) -> dict[str, Any]:
        """{"velocity": arrays in order of parameters (None before the first step), "groups": the
        options of each}."""
        velocities = [self.velocity.get(p) for p in self._parameters()]
        options = [{k: v for k, v in group.items() if k != "params"} for group in self.param_groups]
        return {"velocity": velocities, "groups": options}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what state_dict returned. Raises ValueError when that is of other parameters."""
        parameters, velocities, groups = self._parameters(), state["velocity"], state["groups"]
        if len(parameters) != len(velocities) or len(self.param_groups) != len(groups):
            raise ValueError(f"the state has {len(velocities)} parameters in {len(groups)} groups, "
                             f"the optimiser {len(parameters)} in {len(self.param_groups)}.")
        moving = {p: v for p, v in zip(parameters, velocities) if v is not None}
        for p, v in moving.items():
            if v.shape != p.shape:
                raise ValueError(f"this state's velocity {v.shape} does not fit weight {p.shape}.")
        self.velocity = {p: to_device(v, p.device).copy() for p, v in moving.items()}
        for group, options in zip(self.param_groups, groups):
            group.update(options)


def _check_parameters(parameters: Sequence[Tensor]) -> None:
    for p in parameters:
        if not isinstance(p, Tensor):
            raise TypeError(f"SGD got a {type(p).__name__}: pass model.parameters().")
        if not p.requires_grad:
            raise TypeError(f"SGD got a Tensor of shape {p.shape} without requires_grad=True.")
    if len(set(parameters)) < len(parameters):
        twice = next(p for p in parameters if parameters.count(p) > 1)
        raise ValueError(f"SGD got the same parameter of shape {twice.shape} twice: list it once.")


def caffe_groups(model: Module, lr: float, weight_decay: float = 5e-4) -> list[dict[str, Any]]:
    """Parameter groups as in Caffe's AlexNet: biases learn twice as fast and do not decay."""
    weights = [p for name, p in model.named_parameters() if not name.endswith("bias")]
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    return [{"params": weights, "lr": lr, "weight_decay": weight_decay},
            {"params": biases, "lr": 2 * lr, "weight_decay": 0.0}]


class MultiStepLR:
    """Multiply every group's initial learning rate by gamma at each milestone, counted in calls of
    step."""

    def __init__(self, optimizer: SGD, milestones: Iterable[int], gamma: float = 0.1) -> None:
        self.optimizer, self.milestones, self.gamma = optimizer, sorted(milestones), gamma
        self.epoch = 0

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
            raise ValueError(f"StepLR: step_size is a whole number, at least 1, got {step_size}.")
        super().__init__(optimizer, (), gamma)
        self.step_size = step_size

    def factor(self) -> float:
        return self.gamma ** (self.epoch // self.step_size)


class LinearDecay(MultiStepLR):
    """Keep the learning rate for the first part of the epochs (`flat`), then let it fall in a line
    towards 0."""

    def __init__(self, optimizer: SGD, epochs: int, flat: float = 0.4) -> None:
        if not isinstance(epochs, (int, Integral)) or epochs < 1 or not 0 <= flat < 1:
            raise ValueError(f"LinearDecay needs epochs >= 1, 0 <= flat < 1, got {epochs}, {flat}.")
        super().__init__(optimizer, ())
        self.epochs, self.flat = epochs, flat

    def factor(self) -> float:
        """The line's height in the middle of the current epoch."""
        return max(0.0, min(1.0, (1 - (self.epoch + 0.5) / self.epochs) / (1 - self.flat)))


class ReduceOnPlateau:
    """Multiply the learning rate by `factor` when the metric, an error or loss, has not fallen for
    `patience` epochs.

    The paper divided by 10 "when the validation error rate stopped improving", three times:
    `max_reductions`.
    """

    def __init__(self, optimizer: SGD, factor: float = 0.1, patience: int = 5,
                 max_reductions: int = 3) -> None:
        self.optimizer, self.factor = optimizer, factor
        self.patience, self.max_reductions = patience, max_reductions
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
        self.best, self.waited = state["best"], state["waited"]
        self.reductions = state["reductions"]
