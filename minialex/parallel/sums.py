"""A batch's gradient as the sum of its shards', added along one fixed tree, whoever computed them:

    batch of B pictures → K shards, each with its own gradient     g0  g1  g2  g3  g4  g5
    s and s + 1, then s and s + 2, then s and s + 4 …              g0+g1   g2+g3   g4+g5
                                                                   (g0+g1)+(g2+g3)
                                                                   ((g0+g1)+(g2+g3))+(g4+g5)

Floating-point sums depend on their order, and here the order depends on K alone. So 1, 2 or K
processes end with the same bytes. Between N processes a sum is made in pieces: each process gets
its N-th part of everybody's partial sums (all-to-all), adds them along the tree, and gives the
result to all (all-gather). See Krizhevsky 2014, section 4, for what this costs.
"""
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..device import array_module
from ..fast.buffers import empty
from ..tensor import Tensor, reverse_order
from ..watching import watching
from .ranks import Ranks


def shard_rows(count: int, shards: int) -> list[slice]:
    """Which rows of a batch of `count` pictures each of its shards has: as many as the others, or
    one more."""
    return [slice(count * shard // shards, count * (shard + 1) // shards)
            for shard in range(shards)]


def process_rows(count: int, ranks: Ranks) -> list[slice]:
    """Which of `count` rows each process has: those of its shards."""
    return [slice(count * share.start // ranks.shards, count * share.stop // ranks.shards)
            for share in ranks.shares]


class TreeSum:
    """Sums [(first shard, end, array)] of what was put, in the shards' order; two are one as soon
    as the tree adds them."""

    def __init__(self, shards: int) -> None:
        self.shards, self.sums = shards, []

    def put(self, start: int, end: int, array: Any) -> None:
        """Take the sum of shards start … end − 1; later ones are added into `array`, which becomes
        ours."""
        # the left neighbour covers as many shards as this, up to the end of the batch
        step = start & -start
        while self.sums and self.sums[-1][0] == start - step and end == min(start + step,
                                                                            self.shards):
            start, _, left = self.sums.pop()
            left += array
            array, step = left, start & -start
        self.sums.append((start, end, array))


def partial_sums(share: range, shards: int) -> list[tuple[int, int]]:
    """[(start, end)] of the sums that the shards of a share leave: what a process that has them
    sends."""
    tree = TreeSum(shards)
    for shard in share:
        tree.put(shard, shard + 1, 0)
    return [(start, end) for start, end, _ in tree.sums]


def whole_sum(tree: TreeSum, ranks: Ranks) -> np.ndarray:
    """The sum over all shards of everybody's trees."""
    arrays = [array for _, _, array in tree.sums]
    if ranks.size == 1:
        return arrays[0]
    like, piece = arrays[0], -(-arrays[0].size // ranks.size)
    # of what each process has
    spans = [partial_sums(share, ranks.shards) for share in ranks.shares]
    # all send as many rows
    give = empty((max(map(len, spans)), ranks.size * piece), like.dtype, like)
    give[:, like.size :] = 0
    for row, array in zip(give, arrays):
        row[: like.size] = array.reshape(-1)
    got = ranks.all_to_all(give.reshape(len(give), ranks.size, piece).swapaxes(0, 1))
    whole = TreeSum(ranks.shards)
    for theirs, rows in zip(spans, got):
        for (start, end), row in zip(theirs, rows):
            whole.put(start, end, row)
    return ranks.all_gather(whole.sums[0][2]).reshape(-1)[: like.size].reshape(like.shape)


class GradientSum:
    """Adds the gradients of a batch's shards, this process's and the others', for the parameters
    that learn.

    Let `backward` make the pass of each shard, in order, then call `finish()`: every parameter's
    .grad is the whole batch's then. What the last pass finishes first (fc8) travels while the rest
    is computed.
    """

    def __init__(self, parameters: Sequence[Tensor], ranks: Ranks) -> None:
        self.ranks, self.parameters = ranks, parameters[::-1]  # as a backward pass reaches them
        # of a shard, before its last part
        self.parts: dict[tuple[Tensor, int], np.ndarray | None] = {}
        self.trees, self.sums = {}, {}

    def backward(self, shard: int, output: Tensor, gradient: np.ndarray,
                 is_last: bool = True) -> None:
        """From the gradient of a shard's output. is_last: of the parts in which the batch is worked
        on."""
        goes = self.ranks.size > 1 and is_last and shard == self.ranks.mine[-1]
        left = list(self.parameters)
        uses = Counter(source for function in reverse_order(output.creator)
                       for source in function.sources)
        for parameter in left:
            parameter.grad = self.parts.pop((parameter, shard), None)

        def watch(direction, function, call):
            def watched(grad_output):
                grads = call(grad_output)
                new = dict(zip(function.sources,
                               grads if isinstance(grads, (tuple, list)) else (grads,)))
                while left and uses[left[0]] == 1 and getattr(new.get(left[0]), "dtype",
                                                              None) == left[0].dtype:
                    # is complete, and every process sends it next; it is only read while it travels
                    parameter = left.pop(0)
                    before = parameter.grad
                    self._put(parameter, shard,
                              new[parameter] if before is None else before + new[parameter])
                return grads
            return watched if goes and direction == "backward" else call

        with watching(watch):
            output.backward(gradient)
        for parameter in self.parameters:
            grad, parameter.grad = parameter.grad, None
            grad = array_module(parameter.data).zeros_like(parameter.data) if grad is None else grad
            if not is_last:
                self.parts[parameter, shard] = grad
            elif parameter in left:
                self._put(parameter, shard, grad)

    def _put(self, parameter, shard, grad):
        tree = self.trees.setdefault(parameter, TreeSum(self.ranks.shards))
        tree.put(shard, shard + 1, grad)
        if shard == self.ranks.mine[-1]:
            self.sums[parameter] = self.ranks.later(whole_sum, self.trees.pop(parameter),
                                                    self.ranks)

    def finish(self) -> None:
        """Wait for all sums and give every parameter its gradient."""
        for parameter in self.parameters:
            parameter.grad = self.sums.pop(parameter)()
