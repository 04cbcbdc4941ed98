"""How the CPU's cores share a batch.

Images are independent, so each core takes whole images: one image's arrays fit its cache. Where
images lie in memory channels last (layout.py) it takes rows of all images, and of a matrix product
rows or columns of the result. A GPU needs none of this: there the same functions make one call with
everything, or as much of a batch as its memory holds.
"""
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..aliases import Array
from ..device import array_module, thread_count

_local = threading.local()

# Numbers in one call of NumPy. Every call waits for the interpreter lock, which the other threads
# want as well, so the blocks that are best are larger than the second-level cache.
_BLOCK = 1 << 17
WORTH_SHARING = 1 << 20  # numbers, or multiply-adds of a product by 32: about a millisecond
# of products: from here on two halves on two cores beat one core, and more pieces than that do not
_WORTH_HALVING = 1 << 17

# NumPy copies operands that are not contiguous through buffers of 8192 items, even where nothing
# has to be converted, when their rows fit in: adding rows of 729 floats takes 233 ns a row with
# that size and 114 ns with this one.
_UFUNC_BUFFER = 512

_pool = {}
_pool_lock = threading.Lock()  # two callers at once would confuse each other's limit on BLAS


def _after_fork() -> None:
    """A forked child has none of its parent's threads, and its copies of the locks may be locked
    for ever."""
    global _pool_lock
    _pool_lock = threading.Lock()
    _pool.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _workers(threads: int) -> tuple[Any, Any]:
    """(executor, BLAS libraries), made at first use and again after a change of the thread
    count."""
    if _pool.get("threads") != threads:
        from concurrent.futures import ThreadPoolExecutor  # brings logging with it: not at import

        from threadpoolctl import ThreadpoolController  # finding the BLAS libraries takes 20 ms

        _pool.update(threads=threads, executor=ThreadPoolExecutor(max(1, threads - 1),
                                                                  thread_name_prefix="minialex"),
                     blas=ThreadpoolController().select(user_api="blas").lib_controllers)
    return _pool["executor"], _pool["blas"]


def parallel_map(function: Callable[..., Any], pieces: Sequence[Any],
                 share: bool = True) -> list[Any]:
    """[function(piece) for piece in pieces], on all cores, with one BLAS thread each while more
    than one is running.

    share=False: on one core, for work of less than a millisecond; there the threads would only wait
    for each other's turn with the interpreter (LeNet-5's step at batch 64 takes 8 ms on one core,
    and 15 ms with all its work in eighths on two).

    Images are independent, so whole images per core beat all cores sharing each product. Results
    come in order, so a sum over them does not depend on which core was faster. The caller works
    too: one thread less to wake, 0.12 instead of 0.16 ms for a call. A call from inside `function`
    runs where it is: its cores have work already.
    """
    if inside():
        return [function(piece) for piece in pieces]
    threads = thread_count()  # asks the environment and the system: once a call
    if share and len(pieces) <= 1 < threads:
        # One image alone: here the cores share each product.
        return [function(piece) for piece in pieces]
    waiting, results = enumerate(pieces), [None] * len(pieces)

    def work() -> None:
        buffer, _local.inside = np.setbufsize(_UFUNC_BUFFER), True  # a thread's own settings
        try:
            # Shared by all threads: each takes the next piece when it is free.
            for index, piece in waiting:
                results[index] = function(piece)
        finally:
            _local.inside = False
            np.setbufsize(buffer)

    with _pool_lock:
        executor, blas = _workers(threads)
        limits = [library.get_num_threads() for library in blas]
        others = []
        try:
            # 2.4 µs with its end; the controller's own context takes 7.
            _limit(blas, [1] * len(blas))
            others += [executor.submit(work)
                       for _ in range(min(threads, len(pieces)) - 1 if share else 0)]
            work()
        finally:
            for other in others:
                other.exception()  # waits for its end, in 0.07 ms less than concurrent.futures.wait
            _limit(blas, limits)
        for other in others:
            other.result()  # raises what went wrong there
    return results


def _limit(libraries: Sequence[Any], threads: Sequence[int]) -> None:
    for library, number in zip(libraries, threads):
        library.set_num_threads(number)


def inside() -> bool:
    """Is this thread at work for parallel_map?"""
    return getattr(_local, "inside", False)


def batch_pieces(count: int, pieces: int | None = None) -> list[slice]:
    """`count` images cut into eight slices of equal size (more on machines with more cores, fewer
    for few images).

    The number is fixed so that sums over slices, such as a weight gradient, are the same on 1 to 8
    cores.
    """
    pieces = pieces or 8 * -(-thread_count() // 8)
    size = -(-count // pieces)
    return [slice(start, min(start + size, count))
            for start in range(0, count, size)] if count else []


def _share(function: Callable[..., Any], count: int, numbers: int) -> None:
    """function(slice) on slices of `count` things: on all cores, or where there are few numbers in
    all, at once on this one. For functions without matrix products: nobody limits BLAS on one
    core."""
    if numbers >= WORTH_SHARING:
        parallel_map(function, batch_pieces(count))
    elif count:
        function(slice(0, count))


def for_each(function: Callable[..., Any], things: Sequence[Any], numbers: int) -> None:
    """Call `function(thing)` for each thing, on all cores if these work on many numbers: each takes
    the next when it is free."""
    parallel_map(function, things, share=numbers >= WORTH_SHARING and len(things) > 1)


def for_rows(function: Callable[..., Any], *images: Array) -> None:
    """Call `function(*parts)` on matching rows (N, C, W) of images (N, C, H, W), on all cores: for
    what works number by number on images that lie in memory channels last. Where each core has work
    of its own already, as on a GPU, there is one call."""
    if array_module(images[0]) is not np or inside() or images[0].size < WORTH_SHARING:
        function(*images)
    else:
        for_each(lambda h: function(*(array[:, :, h] for array in images)),
                 range(images[0].shape[2]), images[0].size)


def for_images(function: Callable[..., Any], x: Array, at_once: int = _BLOCK) -> None:
    """Call `function(slice)` for slices of a few images of the batch x, on all cores: one large
    image's arrays fit the cache, and of small ones so many go together that NumPy's calls are worth
    their while.

    On a GPU there is one call, for the whole batch: launching work image by image would take longer
    than the work. at_once: the numbers of x that go together.
    """
    if array_module(x) is not np:
        function(slice(0, len(x)))
        return
    at_a_time = max(1, at_once * len(x) // max(1, x.size))

    def some_by_some(piece: slice) -> None:
        for start in range(piece.start, piece.stop, at_a_time):
            function(slice(start, min(start + at_a_time, piece.stop)))

    _share(some_by_some, len(x), x.size)


def for_blocks(function: Callable[..., Any], *arrays: Array, at_a_time: int = _BLOCK) -> None:
    """Call `function(*parts)` on matching parts of arrays of one shape: for what works number by
    number.

    On the CPU the parts have at_a_time numbers and are shared among the cores, if all arrays lie in
    memory in the same order and without gaps; otherwise, for few numbers and on a GPU, there is one
    part, everything.
    """
    several = array_module(arrays[0]) is np and arrays[0].size > at_a_time
    flat = _flat(arrays) if several else None
    if flat is None:
        function(*arrays)
        return

    def blocks(piece: slice) -> None:
        for start in range(piece.start, piece.stop, at_a_time):
            part = slice(start, min(start + at_a_time, piece.stop))
            function(*(array[part] for array in flat))

    count = flat[0].size
    _share(blocks, count, count)


def _flat(arrays: Sequence[Array]) -> list[Array] | None:
    """Each array as one row, in the order in which the numbers of all lie in memory; None where
    there is no such order."""
    if not all(array.flags.c_contiguous for array in arrays):
        order = np.argsort(arrays[0].strides, kind="stable")[::-1]
        arrays = [array.transpose(order) for array in arrays]
        if not all(array.flags.c_contiguous for array in arrays):
            return None
    return [array.reshape(-1) for array in arrays]


def sum_over_images(function: Callable[..., Any], count: int, at_a_time: int, by_image: bool,
                    operations: float) -> Any:
    """Call `function(slice)` on slices of at most `at_a_time` of `count` images and add up the
    arrays it returns.

    `function` returns None or a tuple of arrays and Nones; operations: multiply-adds per image. The
    order of additions does not depend on timing. by_image: each core takes images of its own;
    otherwise `function` itself shares its work.
    """
    def add_up(piece: slice) -> Any:
        total = None
        for start in range(piece.start, piece.stop, at_a_time):
            total = add_parts(total, function(slice(start, min(start + at_a_time, piece.stop))))
        return total

    if not by_image:
        return add_up(slice(0, count))
    work, total = count * operations // 32, None
    pieces = (batch_pieces(count) if work >= WORTH_SHARING
              else batch_pieces(count, 2 if work >= _WORTH_HALVING else 1))
    for part in parallel_map(add_up, pieces, share=len(pieces) > 1 or work >= WORTH_SHARING):
        total = add_parts(total, part)
    return total


def add_parts(total: Any, part: Any) -> Any:
    """total += part, entry by entry, in place: both are sums that nobody else holds."""
    if total is None or part is None:
        return part if total is None else total
    for sum_so_far, more in zip(total, part):
        if more is not None:
            sum_so_far += more
    return total
