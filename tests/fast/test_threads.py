"""A batch over the cores, and products shared among them."""
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minialex.device import thread_count
from minialex.fast import buffers
from minialex.fast.buffers import empty, release_memory
from minialex.fast.linear import matmul
from minialex.fast.threads import (
    batch_pieces,
    for_blocks,
    for_images,
    parallel_map,
    sum_over_images,
)


@pytest.fixture(autouse=True)
def empty_shelf():
    release_memory()
    yield
    release_memory()


@given(st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_pieces_cover_a_batch_once_and_in_order(count):
    pieces = batch_pieces(count)
    assert [i for piece in pieces for i in range(piece.start, piece.stop)] == list(range(count))
    assert len(pieces) <= 8 * -(-thread_count() // 8)
    for size in (1, 3 << 15, 1 << 20):  # numbers per image
        seen = []
        for_images(seen.append, np.broadcast_to(np.float32(0), (count, size)))
        assert sorted(i for images in seen
                      for i in range(images.start, images.stop)) == list(range(count))
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


@pytest.mark.parametrize("rows, inner, columns",
                         [(2, 3, 5), (0, 3, 5), (2, 3, 0), (2, 0, 5), (1, 600, 70000),
                          (24, 1200, 1300), (1100, 24, 1500), (1300, 30, 1001)])
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
"""  # noqa: E501


def test_two_training_steps_give_the_same_bits_on_one_and_two_threads():
    """Work is cut into pieces whose number does not depend on the cores, and each piece has one
    BLAS thread."""
    results = set()
    for threads in ("1", "2", "2"):
        environment = os.environ | {"MINIALEX_THREADS": threads}
        run = subprocess.run([sys.executable, "-c", STEP], env=environment, capture_output=True,
                             text=True, check=True)
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
"""  # noqa: E501


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_computes_while_its_parent_was_busy():
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK_WHILE_BUSY],
                         capture_output=True, text=True, timeout=600)
    assert run.stdout.strip() == "[0, 0, 0, 0]", run.stderr


def test_the_shelf_of_changing_sizes_stays_small():
    release_memory()
    # other tests' arrays may still be held
    held, largest = buffers._bytes["lent"], 700 * 10_000 * 4
    for rows in range(300, 700):
        empty((rows, 10_000), np.float32)
        idle = sum(size * len(blocks) for size, blocks in buffers._shelf.items())
        assert idle == buffers._bytes["idle"] <= (256 << 20) + 0.25 * held + 1.25 * largest
    assert buffers._bytes["lent"] <= held
    release_memory()
