"""A network whose batches are cut into shards, which the processes of a run share: the same bytes
for any number of them.

    --parallel data       each process computes its shards through the whole network
    --parallel hybrid     one weird trick (Krizhevsky 2014): its shards through the convolutions,
                          then its units for all pictures

    conv1 … pool5     5 % of the weights, 95 % of the arithmetic   trunk: by shards of the batch
    fc6, fc7, fc8    95 % of the weights,  5 % of the arithmetic   head: by output units, for the
                                                                   whole batch

In both, what the trunk makes of everybody's pictures is gathered, so that every process has the
loss of the whole batch; with data alone there is no head. A layer's units are cut into the run's K
groups; a process has the groups with its shards' numbers. Only the trunk's gradients travel
(sums.py). This is scheme (a) of the paper's section 4.
"""
from .. import models, nn, optim
from ..device import array_module
from ..errors import require
from ..fast.linear import matmul
from ..random import parts_of_batch
from ..tensor import Function, Tensor
from .ranks import Ranks
from .sums import GradientSum, TreeSum, process_rows, shard_rows, whole_sum


class SplitLinear(nn.Module):
    """A fully connected layer of which this process computes some output units: x (N, in) → y (N,
    out), both whole everywhere.

    units: of each process; own: this one's, whose weights the layer has while it learns; rows: of
    each of its groups there.
    """

    def __init__(self, layer: nn.Linear, ranks: Ranks) -> None:
        self.layer, self.ranks = layer, ranks
        self.units = process_rows(layer.out_features, ranks)
        self.own, groups = self.units[ranks.rank], shard_rows(layer.out_features, ranks.shards)
        self.rows = [slice(groups[shard].start - self.own.start,
                           groups[shard].stop - self.own.start) for shard in ranks.mine]

    def forward(self, x: Tensor) -> Tensor:
        return _ByUnits(self)(x, *self.layer.parameters())


class _ByUnits(Function):
    """y[:, units] = x Wᵀ[units] + b[units] for each group here, then everybody's units; dx = Σ over
    all groups of g W."""

    fresh_gradients = True

    def __init__(self, split):
        self.split = split

    def forward(self, x, weight, *bias):
        self.save_for_backward(x, weight)
        # a unit is a row
        y = array_module(x).concatenate([matmul(x, weight[rows].T).T for rows in self.split.rows])
        for b in bias:
            y += b[:, None]
        return array_module(x).ascontiguousarray(self.split.ranks.gather_rows(y,
                                                                              self.split.units).T)

    def backward(self, g):
        x, weight = self.saved
        split, xp, mine = self.split, array_module(g), g[:, self.split.own]
        tree = TreeSum(split.ranks.shards)
        for shard, rows in zip(split.ranks.mine, split.rows if self.needs_input_grad[0] else ()):
            tree.put(shard, shard + 1, matmul(mine[:, rows], weight[rows]))
        return (whole_sum(tree, split.ranks) if tree.sums else None,
                xp.concatenate([matmul(mine[:, rows].T, x) for rows in split.rows]),
                *(xp.concatenate([mine[:, rows].sum(axis=0) for rows in split.rows])
                  for _ in self.needs_input_grad[2:]))


class SharedNetwork:
    """The learner, in whose place it stands: takes this process's pictures of a part of a batch,
    gives the logits of all.

    count: pictures in the part; None: not in a step, the learner sees what it is given. `optimizer`
    has the whole network's memory. Raises UserError where a network cannot be split.
    """

    def __init__(self, learner: nn.Module, optimizer: optim.SGD, ranks: Ranks,
                 hybrid: bool) -> None:
        self.learner, self.optimizer, self.ranks, self.count = learner, optimizer, ranks, None
        self.trunk, self.head, self.split = learner, nn.Sequential(), []
        if hybrid:
            layers = [layer
                      for _, layer in learner.named_children()] if models.is_chain(learner) else []
            first = next((n for n, layer in enumerate(layers) if isinstance(layer, nn.Linear)), 0)
            require(first, "--parallel hybrid needs convolutions and then fully connected layers: "
                    "train this network with --parallel data.")
            head = [SplitLinear(layer, ranks) if isinstance(layer, nn.Linear) else layer
                    for layer in layers[first:]]
            self.split = [layer for layer in head if isinstance(layer, SplitLinear)]
            fewest = min(split.layer.out_features for split in self.split)
            require(fewest >= ranks.shards, "--parallel hybrid cuts fully connected layers into "
                    f"{ranks.shards} groups of units, and one has {fewest}: "
                    f"give --shards {fewest} or fewer.")
            self.trunk, self.head = learner[:first], nn.Sequential(*head)
        self.sum = GradientSum([p for p in self.trunk.parameters() if p.requires_grad], ranks)
        # (split layer, parameter, its weights and velocity) of what is narrowed
        self.whole: list[tuple] = []

    def __call__(self, images: Tensor) -> Tensor:
        if self.count is None:
            return self.learner(images)
        self.narrow()
        everybodys, rows = process_rows(self.count, self.ranks), shard_rows(self.count,
                                                                            self.ranks.shards)
        first, self.rows = everybodys[self.ranks.rank].start, [rows[shard]
                                                               for shard in self.ranks.mine]
        self.outputs = [self.trunk(Tensor(images.data[part.start - first : part.stop - first]))
                        for part in parts_of_batch(self.rows)]
        mine = array_module(images.data).concatenate([output.data for output in self.outputs])
        self.features = Tensor(self.ranks.gather_rows(mine, everybodys),
                               requires_grad=self.outputs[0].requires_grad)
        return self.head(self.features)

    def backward(self, is_last: bool) -> None:
        """From the gradient of the gathered features through the trunk. is_last: of the batch's
        parts."""
        for shard, rows, output in zip(self.ranks.mine, self.rows,
                                       self.outputs if self.sum.parameters else ()):
            self.sum.backward(shard, output, self.features.grad[rows], is_last)
        self.outputs, self.features = [], None

    def narrow(self) -> None:
        """For a step, let the split layers have this process's units alone: what learns, learns in
        place."""
        for layer in self.split if not self.whole else ():
            for parameter in layer.layer.parameters():
                velocity = self.optimizer.velocity.setdefault(
                    parameter, array_module(parameter.data).zeros_like(parameter.data))
                self.whole.append((layer, parameter, (parameter.data, velocity)))
                parameter.data, self.optimizer.velocity[parameter] = (parameter.data[layer.own],
                                                                      velocity[layer.own])

    def widen(self) -> None:
        """Bring the whole network and the optimiser's whole memory into every process, to validate
        and to save."""
        for layer, parameter, arrays in self.whole:
            for array, own in zip(arrays, (parameter.data, self.optimizer.velocity[parameter])):
                array[...] = self.ranks.gather_rows(own, layer.units)
            parameter.data, self.optimizer.velocity[parameter] = arrays
        self.whole = []
