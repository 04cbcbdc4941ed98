"""The gradient of a batch from those of its shards, added along one fixed tree, whoever computed them.

    batch of B pictures → K shards, each with a gradient of its own           g0  g1  g2  g3  g4  g5
    s and s + 1, then s and s + 2, then s and s + 4 …                         g0+g1   g2+g3   g4+g5
                                                                              (g0+g1)+(g2+g3)
                                                                              ((g0+g1)+(g2+g3))+(g4+g5)

Floating-point sums depend on their order, and here the order depends on K alone. So 1, 2 or K processes end with the same
bytes. Between N processes a sum is made in pieces: each process gets its N-th part of everybody's partial sums (all-to-all),
adds them along the tree, and gives the result to all (all-gather). See Krizhevsky 2014, section 4, for what this costs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, zip_longest

import numpy as np

from ..device import array_module
from ..fast.buffers import empty
from ..tensor import Tensor, _reverse_order, observers
from .ranks import Ranks

BUCKET = 1 << 20  # numbers: smaller gradients travel together


def shard_rows(count: int, shards: int) -> list[slice]:
    """Which rows of a batch of `count` pictures each of its shards has: as many as the others, or one more."""
    return [slice(count * shard // shards, count * (shard + 1) // shards) for shard in range(shards)]


def process_rows(count: int, ranks: Ranks) -> list[slice]:
    """Which of `count` rows each process has: those of its shards."""
    return [slice(count * share.start // ranks.shards, count * share.stop // ranks.shards) for share in ranks.shares]


class TreeSum:
    """Partial sums {first shard: (end, array)}. A sum is made as soon as both of its sides are there."""

    def __init__(self, shards: int) -> None:
        self.shards, self.nodes = shards, {}

    def put(self, start: int, end: int, array: np.ndarray | None) -> None:
        """Take the sum of shards start … end − 1; later ones are added into `array`, which becomes ours."""
        while start:
            step = start & -start  # the left neighbour covers as many shards as this, up to the end of the batch
            left_end, left = self.nodes.get(start - step, (None, None))
            if left_end != start or end != min(start + step, self.shards):
                break
            if array is not None:
                left += array
            del self.nodes[start - step]
            start, array = start - step, left
        self.nodes[start] = (end, array)


def partial_sums(shares: range, shards: int) -> list[tuple[int, int]]:
    """[(start, end)] of the sums that these shards leave: what a process that has them sends."""
    tree = TreeSum(shards)
    for shard in shares:
        tree.put(shard, shard + 1, None)
    return [(start, end) for start, (end, _) in sorted(tree.nodes.items())]


class GradientSum:
    """Adds the gradients of a batch's shards, this process's and the others', for the parameters that learn.

    Wrap each backward pass of a shard in `taking(shard, output, is_last)`, in order, then call `finish()`: every parameter's
    .grad is the whole batch's then. What the last backward pass finishes first (fc8) travels while the rest is computed.
    """

    def __init__(self, parameters: Sequence[Tensor], ranks: Ranks) -> None:
        self.ranks, self.buckets = ranks, _buckets(parameters)
        self.parts: dict[tuple[int, int], np.ndarray] = {}  # of a bucket and a shard, before its last part
        self._begin()

    def _begin(self) -> None:
        self.trees, self.sent = [TreeSum(self.ranks.shards) for _ in self.buckets], []

    @contextmanager
    def taking(self, shard: int, output: Tensor, is_last: bool = True) -> Iterator[None]:
        """Around the backward pass from `output`; is_last: it is that of the last part of the shard."""
        early = is_last and self.ranks.size > 1 and shard == self.ranks.mine[-1]
        uses = Counter(source for function in _reverse_order(output.creator if early else None) for source in function.sources)
        found, left = {}, list(range(len(self.buckets)))

        def take():
            while left and all(parameter in found for parameter in self.buckets[left[0]]):  # every process in one order
                self._put(left[0], shard, [found[parameter].reshape(-1) for parameter in self.buckets[left.pop(0)]], is_last)

        def watch(direction, function, call):
            def watched(grad_output):
                grads = call(grad_output)
                for source, grad in zip(function.sources, grads if isinstance(grads, (tuple, list)) else (grads,)):
                    if isinstance(source, Tensor) and uses[source] == 1:  # complete; it is only read while it travels
                        found[source] = grad
                        take()
                return grads
            return watched if direction == "backward" else call

        observers.append(watch)
        try:
            yield
        finally:
            observers.remove(watch)
        for parameter in chain(*self.buckets):
            if parameter not in found:
                found[parameter] = zeros(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = None
        take()

    def _put(self, number: int, shard: int, grads: list[np.ndarray], is_last: bool) -> None:
        grad = grads[0] if len(grads) == 1 else array_module(grads[0]).concatenate(grads)
        earlier = self.parts.pop((number, shard), None)
        if earlier is not None:
            earlier += grad
            grad = earlier
        if not is_last:
            self.parts[number, shard] = grad
            return
        self.trees[number].put(shard, shard + 1, grad)
        if self.ranks.size > 1 and shard == self.ranks.mine[-1]:
            self.sent.append(self.ranks.in_background(whole_sum, self.trees[number], self.ranks))

    def finish(self) -> None:
        """Wait for all sums and give every parameter its gradient."""
        for bucket, tree, sent in zip_longest(self.buckets, self.trees, self.sent):
            grads = whole_sum(tree, self.ranks) if sent is None else self.ranks.wait_for(sent)
            for parameter in bucket:
                parameter.grad, grads = grads[: parameter.size].reshape(parameter.shape), grads[parameter.size :]
        self._begin()


def whole_sum(tree: TreeSum, ranks: Ranks) -> np.ndarray:
    """The sum over all shards of everybody's trees."""
    _, like = next(iter(tree.nodes.values()))
    if ranks.size == 1:
        return like
    piece = -(-like.size // ranks.size)
    sums = [partial_sums(share, ranks.shards) for share in ranks.shares]  # that each process has
    give = empty((max(map(len, sums)), ranks.size * piece), like.dtype, like)  # all send as many rows
    give[:, like.size :] = 0
    for row, (start, _) in zip(give, sums[ranks.rank]):
        row[: like.size] = tree.nodes[start][1].reshape(-1)
    got = ranks.all_to_all(give.reshape(len(give), ranks.size, piece).swapaxes(0, 1))
    whole = TreeSum(ranks.shards)
    for (start, end), row in ((node, row) for there, rows in zip(sums, got) for node, row in zip(there, rows)):
        whole.put(start, end, row)
    return ranks.all_gather(whole.nodes[0][1]).reshape(-1)[: like.size].reshape(like.shape)


def _buckets(parameters: Sequence[Tensor]) -> list[list[Tensor]]:
    """The parameters in the order in which a backward pass reaches them, small ones together."""
    buckets, room = [], 0
    for parameter in reversed(parameters):
        if room < parameter.size or buckets[-1][0].dtype != parameter.dtype:
            buckets.append([])
            room = BUCKET
        buckets[-1].append(parameter)
        room -= parameter.size
    return buckets


def zeros(parameter: Tensor) -> np.ndarray:
    """Zeros of a parameter's shape, where it is."""
    return array_module(parameter.data).zeros_like(parameter.data)
