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

import numpy as np

from ..device import array_module
from ..fast.buffers import empty
from ..tensor import Function, Tensor, observers
from .ranks import Ranks

BUCKET = 1 << 20  # numbers: smaller gradients travel together


def shard_rows(count: int, shards: int) -> list[slice]:
    """Which rows of a batch of `count` pictures each of its shards has: as many as the others, or one more."""
    return [slice(count * shard // shards, count * (shard + 1) // shards) for shard in range(shards)]


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

    Wrap the last backward pass of each own shard in `taking(shard, output)`, in order, then call `finish()`: every parameter's
    .grad is the whole batch's then. What the last backward pass finishes first (fc8) travels while the rest is computed.
    """

    def __init__(self, parameters: Sequence[Tensor], ranks: Ranks) -> None:
        self.ranks, self.buckets = ranks, _buckets(parameters)
        self.place = {parameter: number for number, bucket in enumerate(self.buckets) for parameter in bucket}
        self._begin()

    def _begin(self) -> None:
        self.trees = {parameter: TreeSum(self.ranks.shards) for parameter in self.place}
        self.waiting, self.sent, self.early = [len(bucket) for bucket in self.buckets], [], set()

    @contextmanager
    def taking(self, shard: int, output: Tensor) -> Iterator[None]:
        """Around the backward pass from `output` (the loss) that completes a shard's gradient."""
        last = self.ranks.size > 1 and shard == self.ranks.mine[-1]
        used = _uses(output) if last else Counter()
        watch = _watcher(lambda parameter, grad: self._early(parameter, shard, grad, used[parameter]))
        observers.append(watch)
        try:
            yield
        finally:
            observers.remove(watch)
        for parameter in self.place:
            if parameter not in self.early:
                self._put(parameter, shard, _zeros(parameter) if parameter.grad is None else parameter.grad)
            parameter.grad = None

    def _early(self, parameter: Tensor, shard: int, grad: np.ndarray, uses: int) -> None:
        """The only operation that uses a parameter has its gradient. It is only read while it travels."""
        if uses == 1 and parameter in self.place:
            self.early.add(parameter)
            self._put(parameter, shard, grad if parameter.grad is None else parameter.grad + grad)

    def _put(self, parameter: Tensor, shard: int, grad: np.ndarray) -> None:
        self.trees[parameter].put(shard, shard + 1, grad)
        if self.ranks.size > 1 and shard == self.ranks.mine[-1]:
            self.waiting[self.place[parameter]] -= 1
            while len(self.sent) < len(self.buckets) and not self.waiting[len(self.sent)]:  # every process in one order
                self.sent.append(self.ranks.in_background(self._exchange, self.buckets[len(self.sent)]))

    def finish(self) -> None:
        """Wait for all sums and give every parameter its gradient."""
        for number, bucket in enumerate(self.buckets):
            found = self.ranks.wait_for(self.sent[number]) if self.ranks.size > 1 else self._exchange(bucket)
            for parameter, grad in zip(bucket, found):
                parameter.grad = grad
        self._begin()

    def _exchange(self, bucket: list[Tensor]) -> list[np.ndarray]:
        return whole_sum([self.trees[parameter] for parameter in bucket], self.ranks)


def whole_sum(trees: list[TreeSum], ranks: Ranks) -> list[np.ndarray]:
    """The sums over all shards of everybody's trees, one array for each of these trees."""
    parts = [array for _, array in (tree.nodes[min(tree.nodes)] for tree in trees)]  # for their shapes
    if ranks.size == 1:
        return parts
    length, dtype = sum(part.size for part in parts), parts[0].dtype
    piece = -(-length // ranks.size)
    sums = [partial_sums(share, ranks.shards) for share in ranks.shares]  # that each process has
    give = empty((len(sums[ranks.rank]), ranks.size * piece), dtype, parts[0])
    for row, (start, _) in zip(give, sums[ranks.rank]):
        _join([tree.nodes[start][1] for tree in trees], row)
    give = give.reshape(len(give), ranks.size, piece).swapaxes(0, 1)
    counts = [len(there) * piece for there in sums]
    got = ranks.all_to_all(give, counts, empty((sum(counts),), dtype, parts[0])).reshape(-1, piece)
    tree = TreeSum(ranks.shards)
    for ((start, end), array) in zip((node for there in sums for node in there), got):  # in order of start
        tree.put(start, end, array)
    whole = ranks.all_gather(tree.nodes[0][1], empty((ranks.size * piece,), dtype, parts[0]), [piece] * ranks.size)
    return _split(whole, parts)


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


def _uses(output: Tensor) -> Counter:
    """How often each leaf stands in the graph behind a tensor."""
    counts, seen, stack = Counter(), set(), [output.creator]
    while stack:
        function = stack.pop()
        if function not in seen:
            seen.add(function)
            counts.update(source for source in function.sources if isinstance(source, Tensor))
            stack.extend(source for source in function.sources if isinstance(source, Function))
    return counts


def _watcher(found):
    """An observer of operations (see tensor.observers) that calls found(leaf, gradient) after each backward step."""
    def watch(direction, function, call):
        def watched(grad_output):
            grads = call(grad_output)
            for source, grad in zip(function.sources, grads if isinstance(grads, (tuple, list)) else (grads,)):
                if grad is not None and isinstance(source, Tensor):
                    found(source, grad)
            return grads
        return watched if direction == "backward" else call
    return watch


def _zeros(parameter: Tensor) -> np.ndarray:
    return array_module(parameter.data).zeros_like(parameter.data)


def _join(arrays: list[np.ndarray], row: np.ndarray) -> None:
    """Write arrays one after the other into a row, and zeros behind them."""
    start = 0
    for array in arrays:
        row[start : start + array.size] = array.reshape(-1)
        start += array.size
    row[start:] = 0


def _split(row: np.ndarray, like: list[np.ndarray]) -> list[np.ndarray]:
    """Arrays of these shapes out of a row."""
    ends = np.cumsum([array.size for array in like])
    return [row[end - array.size : end].reshape(array.shape) for end, array in zip(ends, like)]
