"""One weird trick (Krizhevsky 2014): convolutions share the batch, fully connected layers share the weights.

    conv1 … pool5     5 % of the weights, 95 % of the arithmetic    each process computes its shards of the batch
    fc6, fc7, fc8    95 % of the weights,  5 % of the arithmetic    each process computes its output units, for the whole batch

A layer's units are cut into the run's K groups; a process has the groups with its shards' numbers. Per step travel pool5's
outputs for the whole batch, each fully connected layer's outputs, and the gradient of its inputs: a sum over all units, which
is added along the tree of shards.py. No gradient of a fully connected weight travels. This is scheme (a) of the paper's
section 4: the whole batch is gathered before fc6.
"""

import numpy as np

from .. import nn, optim
from ..device import array_module
from ..errors import UserError
from ..fast.linear import matmul
from ..tensor import Function, Tensor
from .ranks import Ranks
from .shards import TreeSum, shard_rows, whole_sum


class SplitLinear(nn.Module):
    """A fully connected layer of which this process has some output units: x (N, in) → y (N, out), both whole in every process.

    `groups` are its parameters: views of the layer's rows, so that what is learnt here is in the layer too.
    """

    def __init__(self, layer: nn.Linear, ranks: Ranks) -> None:
        self.layer, self.ranks = layer, ranks
        rows = shard_rows(layer.out_features, ranks.shards)
        self.units = [slice(rows[share[0]].start, rows[share[-1]].stop) for share in ranks.shares]
        self.rows = [rows[shard] for shard in ranks.mine]
        self.weights = [Tensor(layer.weight.data[units], requires_grad=True) for units in self.rows]
        biases = [] if layer.bias is None else [layer.bias.data[units] for units in self.rows]
        self.biases = [Tensor(part, requires_grad=True) for part in biases]

    def views(self) -> list[tuple[Tensor, Tensor, slice]]:
        """(own part, the layer's whole parameter, its rows there)"""
        return [(part, whole, rows) for parts, whole in ((self.weights, self.layer.weight), (self.biases, self.layer.bias))
                for part, rows in zip(parts, self.rows)]

    def forward(self, x: Tensor) -> Tensor:
        return _ByUnits(self.ranks, self.units, self.rows, bool(self.biases))(x, *self.weights, *self.biases)


class _ByUnits(Function):
    """y[:, units] = x Wᵀ[units] + b[units] for each group here, then everybody's units; dx = Σ over all groups of g W."""

    fresh_gradients = True

    def __init__(self, ranks, units, rows, biased):
        self.ranks, self.units, self.rows, self.biased = ranks, units, rows, biased

    def forward(self, x, *parts):
        groups = len(self.rows)
        self.save_for_backward(x, parts[:groups])
        mine = self.units[self.ranks.rank]
        whole = array_module(x).empty((self.units[-1].stop, len(x)), dtype=x.dtype)  # a unit is a row: rows travel whole
        for number, rows in enumerate(self.rows):
            whole[rows] = matmul(x, parts[number].T).T
            if self.biased:
                whole[rows] += parts[groups + number][:, None]
        counts = [(units.stop - units.start) * len(x) for units in self.units]
        self.ranks.all_gather(whole[mine], whole, counts)
        return array_module(x).ascontiguousarray(whole.T)

    def backward(self, g):
        x, weights = self.saved
        tree = TreeSum(self.ranks.shards)
        for shard, rows, weight in zip(self.ranks.mine, self.rows, weights):
            tree.put(shard, shard + 1, matmul(g[:, rows], weight))
        grads = [matmul(g[:, rows].T, x) for rows in self.rows]
        biases = [g[:, rows].sum(axis=0) for rows in self.rows] if self.biased else []
        return (whole_sum([tree], self.ranks)[0] if self.needs_input_grad[0] else None, *grads, *biases)


class Hybrid:
    """A network whose last layers, from its first fully connected one on, are split by units between the processes.

    trunk: what comes before, for a shard; head: the rest, for the whole batch. `optimizer` keeps the whole network's state.
    Raises UserError when the network has no fully connected layer after its convolutions, or fewer units than groups.
    """

    def __init__(self, learner: nn.Sequential, optimizer: optim.SGD, ranks: Ranks) -> None:
        layers = [layer for _, layer in learner.named_children()]
        first = next((n for n, layer in enumerate(layers) if isinstance(layer, nn.Linear)), None)
        if not first:
            raise UserError("--parallel hybrid needs convolutions and then fully connected layers: train this network with "
                            "--parallel data.")
        self.ranks, self.whole, self.trunk = ranks, optimizer, learner[:first]
        head = [SplitLinear(layer, ranks) if isinstance(layer, nn.Linear) else layer for layer in layers[first:]]
        fewest = min(layer.out_features for layer in layers[first:] if isinstance(layer, nn.Linear))
        if fewest < ranks.shards:
            raise UserError(f"--parallel hybrid cuts fully connected layers into {ranks.shards} groups of units, and one has "
                            f"{fewest}: give --shards {fewest} or fewer.")
        self.head, self.split = nn.Sequential(*head), [layer for layer in head if isinstance(layer, SplitLinear)]
        self.views = [view for layer in self.split for view in layer.views()]
        self.optimizer = optim.SGD([*self.trunk.parameters(), *(part for part, _, _ in self.views)], lr=0.0)
        for part, whole, rows in self.views:
            velocity = optimizer.velocity.setdefault(whole, array_module(whole.data).zeros_like(whole.data))
            self.optimizer.velocity[part] = velocity[rows]
        for parameter in self.trunk.parameters():
            velocity = optimizer.velocity.setdefault(parameter, array_module(parameter.data).zeros_like(parameter.data))
            self.optimizer.velocity[parameter] = velocity

    def step(self) -> None:
        """Update what this process has, by the whole optimiser's settings."""
        options = {name: value for name, value in self.whole.param_groups[0].items() if name != "params"}
        self.optimizer.param_groups[0].update(options)
        self.optimizer.step()

    def zero_grad(self) -> None:
        self.optimizer.zero_grad()

    def gather(self) -> None:
        """Bring the whole network and the optimiser's whole memory into every process, to validate and to save."""
        for layer in self.split:
            for whole in (layer.layer.weight, layer.layer.bias):
                for array in () if whole is None else (whole.data, self.whole.velocity[whole]):
                    each = array[0].size
                    counts = [(units.stop - units.start) * each for units in layer.units]
                    self.ranks.all_gather(array[layer.units[self.ranks.rank]], array, counts)

    def features(self, parts: list[np.ndarray], counts: list[int]) -> np.ndarray:
        """The trunk's outputs for the whole batch, from those for this process's shards; counts: pictures by process."""
        mine = np.concatenate(parts) if isinstance(parts[0], np.ndarray) else array_module(parts[0]).concatenate(parts)
        whole = array_module(mine).empty((sum(counts), *mine.shape[1:]), dtype=mine.dtype)
        each = mine[0].size
        self.ranks.all_gather(mine, whole, [count * each for count in counts])
        return whole
