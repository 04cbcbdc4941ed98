"""Memory that is used again."""
import gc
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule

import minialex as ma
from minialex.fast import buffers
from minialex.fast.buffers import empty, release_memory

BIG = 1 << 18  # float32 numbers in a block of 1 MB, the smallest that is recycled


@pytest.fixture(autouse=True)
def empty_shelf():
    release_memory()
    yield
    release_memory()


def address(array):
    return array.__array_interface__["data"][0]


def test_a_block_comes_back_when_its_array_has_died():
    first = empty((BIG,), np.float32)
    where = address(first)
    assert address(empty((BIG,), np.float32)) != where
    del first
    again = [empty((BIG // 4, 4), np.float32), empty((BIG,), np.float32)]
    assert where in map(address, again)


def test_small_arrays_are_not_recycled():
    empty((10,), np.float32)
    assert not buffers._shelf


VIEWS = {
    "slice": lambda a: a[1:-1], "reshape": lambda a: a.reshape(2, -1),
    "transpose of reshape": lambda a: a.reshape(4, -1).T,
    "other dtype": lambda a: a.view(np.uint8),
    "view of view of view": lambda a: a[2:][::2].reshape(-1)[3:4],
    "strided": lambda a: np.lib.stride_tricks.as_strided(a, (3, 3), (4, 4)),
    "memoryview": lambda a: memoryview(a),
    "from buffer": lambda a: np.frombuffer(a, np.int32),
    "broadcast": lambda a: np.broadcast_to(a, (2, a.size)),
    "iterator": lambda a: a.flat, "real part": lambda a: a.real,
    "interface": lambda a: np.asarray(Wrapper(a)),
    "tensor": lambda a: ma.Tensor(a)[5:].reshape(-1).detach(),
}


class Wrapper:
    """Hands its array on through NumPy's interface, as other libraries do."""

    def __init__(self, array):
        self.array, self.__array_interface__ = array, array.__array_interface__


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_block_is_not_handed_out_while_any_view_of_it_lives(view):
    array = empty((BIG,), np.float32)
    where = address(array)
    kept = view(array)
    del array
    gc.collect()
    others = [empty((BIG,), np.float32) for _ in range(2)]
    assert where not in map(address, others)
    del kept
    gc.collect()
    assert where in map(address, [empty((BIG,), np.float32) for _ in range(2)])


class Recycling(RuleBasedStateMachine):
    """Allocate, take views of views, drop: every array that is still held keeps the number that was
    written into it."""

    arrays = Bundle("arrays")

    def __init__(self):
        super().__init__()
        self.next = 0

    @rule(target=arrays, rows=st.sampled_from([1, 2, 64]),
          dtype=st.sampled_from([np.float32, np.int32, np.float64]))
    def allocate(self, rows, dtype):
        array = empty((rows, BIG * 4 // np.dtype(dtype).itemsize // rows), dtype)
        self.next += 1
        array[...] = self.next
        return array, self.next

    @rule(target=arrays, held=arrays,
          how=st.sampled_from(["slice", "transpose", "flat", "every other"]))
    def view(self, held, how):
        array, number = held
        return {"slice": array[..., 1:] if array.shape[-1] > 1 else array, "transpose": array.T,
                "flat": array.reshape(-1), "every other": array[..., ::2]}[how], number

    @rule(held=consumes(arrays), other=arrays)
    def drop(self, held, other):
        del held
        self.look(other)

    @rule(held=arrays)
    def look(self, held):
        array, number = held
        assert (array == number).all()

    def teardown(self):
        release_memory()


TestRecycling = Recycling.TestCase
TestRecycling.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


DIE_INSIDE = """
import numpy as np
from minialex.fast.buffers import empty, release_memory
from minialex.device import thread_count
from minialex.fast.linear import matmul
from minialex.fast.threads import batch_pieces, for_blocks, for_images, parallel_map, sum_over_images
from minialex.fast import buffers
array = empty((1 << 18,), np.float32)
with buffers._shelf_lock:
    del array
"""  # noqa: E501


def test_a_block_that_dies_while_the_shelf_is_in_use_does_not_wait_for_itself():
    """The garbage collector may free an array at any moment, also in the thread that holds the
    shelf's lock."""
    subprocess.run([sys.executable, "-c", DIE_INSIDE], timeout=600, check=True)


def test_threads_never_share_a_block():
    wrong = []

    def work(number):
        for _ in range(200):
            array = empty((BIG,), np.float32)
            array[::4096] = number
            if (array[::4096] != number).any():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
