"""Memory that is used again, the batch over the cores, random numbers. (Devices: tests/gpu.)"""
import gc
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, rule

import minialex as ma
import minialex.functional as F
from minialex.device import thread_count
from minialex.fast import buffers
from minialex.fast.buffers import empty, release_memory
from minialex.fast.linear import matmul
from minialex.fast.threads import batch_pieces, for_blocks, for_images, parallel_map, sum_over_images
from minialex.random import frozen_randomness, host_generator, random_key, random_state, set_random_state

BIG = 1 << 18  # float32 numbers in a block of 1 MB, the smallest that is recycled


@pytest.fixture(autouse=True)
def empty_shelf():
    release_memory()
    yield
    release_memory()


# ------------------------------------------------------------------------------------------------ recycled memory


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
    "slice": lambda a: a[1:-1], "reshape": lambda a: a.reshape(2, -1), "transpose of reshape": lambda a: a.reshape(4, -1).T,
    "other dtype": lambda a: a.view(np.uint8), "view of view of view": lambda a: a[2:][::2].reshape(-1)[3:4],
    "strided": lambda a: np.lib.stride_tricks.as_strided(a, (3, 3), (4, 4)), "memoryview": lambda a: memoryview(a),
    "from buffer": lambda a: np.frombuffer(a, np.int32), "broadcast": lambda a: np.broadcast_to(a, (2, a.size)),
    "iterator": lambda a: a.flat, "real part": lambda a: a.real, "interface": lambda a: np.asarray(Wrapper(a)),
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
    """Allocate, take views of views, drop: every array that is still held keeps the number that was written into it."""

    arrays = Bundle("arrays")

    def __init__(self):
        super().__init__()
        self.next = 0

    @rule(target=arrays, rows=st.sampled_from([1, 2, 64]), dtype=st.sampled_from([np.float32, np.int32, np.float64]))
    def allocate(self, rows, dtype):
        array = empty((rows, BIG * 4 // np.dtype(dtype).itemsize // rows), dtype)
        self.next += 1
        array[...] = self.next
        return array, self.next

    @rule(target=arrays, held=arrays, how=st.sampled_from(["slice", "transpose", "flat", "every other"]))
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
"""


def test_a_block_that_dies_while_the_shelf_is_in_use_does_not_wait_for_itself():
    """The garbage collector may free an array at any moment, also in the thread that holds the shelf's lock."""
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


# ------------------------------------------------------------------------------------------------ a batch over the cores


@given(st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_pieces_cover_a_batch_once_and_in_order(count):
    pieces = batch_pieces(count)
    assert [i for piece in pieces for i in range(piece.start, piece.stop)] == list(range(count))
    assert len(pieces) <= 8 * -(-thread_count() // 8)
    for size in (1, 3 << 15, 1 << 20):  # numbers per image
        seen = []
        for_images(seen.append, np.broadcast_to(np.float32(0), (count, size)))
        assert sorted(i for images in seen for i in range(images.start, images.stop)) == list(range(count))
        assert all((images.stop - images.start) * size <= max(size, 1 << 17) for images in seen)


@pytest.mark.parametrize("threads", ["1", "2", "8"])
def test_parallel_map_keeps_the_order_and_passes_errors_on(monkeypatch, threads):
    monkeypatch.setenv("MINIALEX_THREADS", threads)
    assert thread_count() == int(threads)
    assert parallel_map(lambda n: n * n, list(range(20))) == [n * n for n in range(20)]
    with pytest.raises(ZeroDivisionError):
        parallel_map(lambda n: 1 / n, [2, 1, 0])


def test_blas_gets_its_threads_back():
    from threadpoolctl import threadpool_info

    before = [library["num_threads"] for library in threadpool_info()]
    parallel_map(lambda n: n, [1, 2, 3])
    assert [library["num_threads"] for library in threadpool_info()] == before


@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, (1 << 15) + 7)])
def test_blocks_reach_every_number_once(shape):
    array, other = np.zeros(shape), np.ones(shape)

    def add(a, b):
        a += b

    for_blocks(add, array, other)
    assert np.array_equal(array, other)


@pytest.mark.parametrize("rows, inner, columns", [(2, 3, 5), (0, 3, 5), (2, 3, 0), (2, 0, 5), (1, 600, 70000), (24, 1200, 1300),
                                                  (1100, 24, 1500), (1300, 30, 1001)])
@pytest.mark.parametrize("layout", "CF")
def test_products_do_not_depend_on_layout_or_threads(monkeypatch, rows, inner, columns, layout):
    generator = np.random.default_rng(0)
    a = generator.standard_normal((rows, inner), dtype=np.float32)
    b = np.asarray(generator.standard_normal((inner, columns), dtype=np.float32), order=layout)
    results = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("MINIALEX_THREADS", threads)
        results.append(matmul(a, b))
        assert results[-1].flags.c_contiguous
        np.testing.assert_allclose(results[-1], a @ b, rtol=1e-4, atol=1e-4)
        assert np.array_equal(results[-1], results[0])


def test_sums_over_images_skip_what_is_none():
    def some_images(images):
        return None, np.full(2, images.stop - images.start, float)

    for by_image in (True, False):
        nothing, total = sum_over_images(some_images, 21, 2, by_image, operations=1 << 30)
        assert nothing is None and total.tolist() == [21, 21]


STEP = """
import hashlib, sys
import numpy as np
import minialex as ma
from minialex import nn, optim
import minialex.functional as F

ma.manual_seed(0)
model = nn.Sequential(nn.Conv2d(3, 24, 7, stride=2), nn.ReLU(), nn.LocalResponseNorm(groups=2), nn.MaxPool2d(3, 2),
                      nn.Conv2d(24, 32, 3, padding=1, groups=2), nn.ReLU(), nn.MapResponseNorm(), nn.AvgPool2d(2), nn.Flatten(),
                      nn.Linear(32 * 6 * 6, 300), nn.Tanh(), nn.Dropout(), nn.Linear(300, 10))
optimizer = optim.SGD(model.parameters(), lr=0.01)
images = np.random.default_rng(1).standard_normal((21, 3, 57, 57)).astype(np.float32)
for step in range(2):
    model.zero_grad()
    F.cross_entropy(model(images), np.arange(21) % 10).backward()
    optimizer.step()
print(hashlib.sha256(b"".join(p.data.tobytes() for p in model.parameters())).hexdigest())
"""


def test_two_training_steps_give_the_same_bits_on_one_and_two_threads():
    """Work is cut into pieces whose number does not depend on the cores, and each piece has one BLAS thread."""
    results = set()
    for threads in ("1", "2", "2"):
        environment = os.environ | {"MINIALEX_THREADS": threads}
        run = subprocess.run([sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, check=True)
        results.add(run.stdout)
    assert len(results) == 1


FORK_WHILE_BUSY = """
import os, threading, time
import numpy as np
from minialex.fast.buffers import empty, release_memory
from minialex.device import thread_count
from minialex.fast.linear import matmul
from minialex.fast.threads import batch_pieces, for_blocks, for_images, parallel_map, sum_over_images
from minialex.fast import buffers
stop = threading.Event()
def work():
    while not stop.is_set():
        parallel_map(lambda n: np.ones(200_000).sum(), list(range(8)))
thread = threading.Thread(target=work)
thread.start()
time.sleep(0.2)
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        os._exit(0 if parallel_map(lambda n: n + 1, [1, 2, 3]) == [2, 3, 4] else 1)
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
stop.set()
thread.join()
print(codes)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_computes_while_its_parent_was_busy():
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK_WHILE_BUSY], capture_output=True, text=True, timeout=600)
    assert run.stdout.strip() == "[0, 0, 0, 0]", run.stderr


def test_the_shelf_of_changing_sizes_stays_small():
    release_memory()
    held, largest = buffers._bytes["lent"], 700 * 10_000 * 4  # other tests' arrays may still be held
    for rows in range(300, 700):
        empty((rows, 10_000), np.float32)
        idle = sum(size * len(blocks) for size, blocks in buffers._shelf.items())
        assert idle == buffers._bytes["idle"] <= (256 << 20) + 0.25 * held + 1.25 * largest
    assert buffers._bytes["lent"] <= held
    release_memory()


# ------------------------------------------------------------------------------------------------ random numbers


def test_a_seed_gives_the_same_numbers_again():
    draws = []
    for seed in (1, 1, 2):
        ma.manual_seed(seed)
        draws.append((host_generator().random(3).tolist(), random_key()))
    assert draws[0] == draws[1] != draws[2]


def test_keys_fill_64_bits():
    keys = [random_key() for _ in range(400)]
    assert all(isinstance(key, int) and 0 <= key < 1 << 64 for key in keys) and len(set(keys)) == 400
    for bit in range(64):
        assert 100 < sum(key >> bit & 1 for key in keys) < 300


@pytest.mark.parametrize("threads", [1, 3])
def test_a_dropout_mask_follows_from_the_seed_alone(monkeypatch, threads):
    monkeypatch.setenv("MINIALEX_THREADS", str(threads))
    ma.manual_seed(3)
    key = random_key()
    drawn = np.random.Generator(np.random.Philox(key=key)).random((300, 501), dtype=np.float32)
    ma.manual_seed(3)
    x = ma.Tensor(np.full((300, 501), 2.0), requires_grad=True)
    y = F.dropout(x, 0.25)
    y.backward(np.full(x.shape, 3.0))
    np.testing.assert_array_equal(y.data, 2 / 0.75 * (drawn >= 0.25))
    np.testing.assert_array_equal(x.grad, 3 / 0.75 * (drawn >= 0.25))


def test_frozen_randomness_repeats_itself_and_leaves_no_trace():
    ma.manual_seed(5)
    expected = [host_generator().random(2).tolist() for _ in range(2)]
    ma.manual_seed(5)
    seen = [host_generator().random(2).tolist()]
    with pytest.raises(ZeroDivisionError):
        with frozen_randomness() as restart:
            inside = [host_generator().random(4).tolist()]
            with frozen_randomness():
                host_generator().random(9)
            restart()
            inside.append(host_generator().random(4).tolist())
            raise ZeroDivisionError
    seen.append(host_generator().random(2).tolist())
    assert inside[0] == inside[1] and seen == expected


def test_the_random_state_goes_through_a_checkpoint():
    state = json.loads(json.dumps(random_state()))
    first = host_generator().random(3).tolist()
    set_random_state(state)
    assert host_generator().random(3).tolist() == first
