"""The fixed tree: the same bytes for any number of processes, and the sum of the gradients to
within rounding."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minialex.functional as F
from minialex import models, optim
from minialex.parallel.network import SharedNetwork
from minialex.parallel.ranks import Ranks
from minialex.parallel.sums import GradientSum, TreeSum, partial_sums, process_rows, shard_rows
from minialex.tensor import Tensor


class World:
    """As many threads of this program as processes: what Ranks asks of MPI's communicators."""

    def __init__(self, size):
        self.size, self.barrier, self.table = size, threading.Barrier(size, timeout=20), {}

    def run(self, work):
        """[work(ranks) of each process]"""
        results, problems = [None] * self.size, []

        def one(rank):
            try:
                results[rank] = work(_Member(self, rank))
            except BaseException as error:
                problems.append(error)
                self.barrier.abort()

        threads = [threading.Thread(target=one, args=(rank,)) for rank in range(self.size)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        if problems:
            raise problems[0]
        return results


class _Member:
    def __init__(self, world, rank):
        self.world, self.rank = world, rank

    def exchange(self, value):
        self.world.barrier.wait()
        self.world.table[self.rank] = value
        self.world.barrier.wait()
        found = [self.world.table[rank] for rank in range(self.world.size)]
        self.world.barrier.wait()
        return found


class ThreadRanks(Ranks):
    """Ranks whose processes are threads."""

    def __init__(self, shards, member):
        super().__init__(shards)
        self.member, self.rank, self.size, self.speaks = (member, member.rank, member.world.size,
                                                          member.rank == 0)
        self.cut(shards)

    def gather(self, value):
        return self.member.exchange(value)

    def later(self, call, *arguments):
        found = call(*arguments)
        return lambda: found

    def all_to_all(self, give):
        return np.stack([there[self.rank] for there in self.member.exchange(np.array(give))])

    def all_gather(self, give):
        return np.stack(self.member.exchange(np.array(give)))


def pairwise(arrays):
    """The tree by its definition: neighbours 1 apart, then 2, then 4."""
    arrays, step = [array.copy() for array in arrays], 1
    while step < len(arrays):
        for start in range(0, len(arrays) - step, 2 * step):
            arrays[start] = arrays[start] + arrays[start + step]
        step *= 2
    return arrays[0]


@given(st.integers(1, 17), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_tree_is_the_one_of_the_definition(shards, seed):
    arrays = list(np.random.default_rng(seed).standard_normal((shards, 50)).astype(np.float32))
    tree = TreeSum(shards)
    for shard, array in enumerate(arrays):
        tree.put(shard, shard + 1, array.copy())
    (start, end, total), = tree.sums
    assert (start, end) == (0, shards) and total.tobytes() == pairwise(arrays).tobytes()


@given(st.integers(1, 24), st.data())
@settings(max_examples=60, deadline=None)
def test_what_processes_send_covers_every_shard_once(shards, data):
    size = data.draw(st.integers(1, shards))
    ranks = Ranks(shards)
    ranks.size = size
    ranks.cut(shards)
    covered = [n for share in ranks.shares for start, end in partial_sums(share, shards)
               for n in range(start, end)]
    assert covered == list(range(shards)) and all(len(share) for share in ranks.shares)
    rows = shard_rows(shards + 5, shards)
    assert [r for part in process_rows(shards + 5, ranks)
            for r in range(part.start, part.stop)] == list(range(shards + 5))
    assert [r for part in rows for r in range(part.start, part.stop)] == list(range(shards + 5))


def gradients(ranks, parts=1, batch=13):
    """LeNet-5's gradients of a batch, as this process has them after the sum."""
    shards = ranks.shards
    model = models.build("lenet5", 10, 1, "lecun")
    random = np.random.default_rng(3)
    for parameter in model.parameters():
        parameter.data[...] = random.standard_normal(parameter.shape).astype(np.float32) * 0.1
    images = random.standard_normal((batch, 1, 32, 32)).astype(np.float32)
    labels = np.arange(batch) % 10
    total = GradientSum(model.parameters(), ranks)
    for part in (slice(0, batch // 2),
                 slice(batch // 2, batch)) if parts == 2 else (slice(0, batch),):
        for shard in ranks.mine:
            rows = shard_rows(part.stop - part.start, shards)[shard]
            some = slice(part.start + rows.start, part.start + rows.stop)
            loss = F.cross_entropy(model(Tensor(images[some])),
                                   labels[some]) * ((some.stop - some.start) / batch)
            total.backward(shard, loss, None, is_last=part.stop == batch)
    total.finish()
    return [parameter.grad for parameter in model.parameters()]


@pytest.mark.parametrize("shards, parts", [(2, 1), (3, 2), (4, 1), (6, 2)])
def test_any_number_of_processes_has_the_same_bytes(shards, parts):
    alone = gradients(Ranks(shards), parts)
    whole = gradients(Ranks(1))
    for found, expected in zip(alone, whole):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    for size in range(2, shards + 1):
        for grads in World(size).run(lambda member: gradients(ThreadRanks(shards, member), parts)):
            assert [grad.tobytes() for grad in grads] == [grad.tobytes() for grad in alone]


def test_rows_of_different_numbers_are_gathered():
    whole, rows = np.arange(12, dtype=np.float32).reshape(6, 2), [slice(0, 1), slice(1, 4),
                                                                  slice(4, 6)]
    for found in World(3).run(
            lambda member: ThreadRanks(3, member).gather_rows(whole[rows[member.rank]], rows)):
        np.testing.assert_array_equal(found, whole)


def learnt(ranks, hybrid, batch=11):
    """LeNet-5's weights and the optimiser's memory after two steps, as this process has them."""
    model, random = models.build("lenet5", 10, 1, "lecun"), np.random.default_rng(3)
    for parameter in model.parameters():
        parameter.data[...] = random.standard_normal(parameter.shape) * 0.1
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    network = SharedNetwork(model, optimizer, ranks, hybrid)
    for _ in range(2):
        images, labels = random.standard_normal((batch, 1, 32,
                                                 32)).astype(np.float32), np.arange(batch) % 10
        network.narrow()
        network.count = batch
        optimizer.zero_grad()
        F.cross_entropy(network(Tensor(images[process_rows(batch, ranks)[ranks.rank]])),
                        labels).backward()
        network.backward(is_last=True)
        network.sum.finish()
        optimizer.step()
    network.widen()
    return [array for parameter in model.parameters()
            for array in (parameter.data, optimizer.velocity[parameter])]


@pytest.mark.parametrize("hybrid", [False, True])
def test_a_network_learns_the_same_in_any_number_of_processes(hybrid):
    alone = learnt(Ranks(4), hybrid)
    for found, expected in zip(alone, learnt(Ranks(1), False)):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    for size in (2, 3, 4):
        for arrays in World(size).run(lambda member: learnt(ThreadRanks(4, member), hybrid)):
            assert [array.tobytes() for array in arrays] == [array.tobytes() for array in alone]
