"""The one file that knows that there are two array libraries.

NumPy computes on the CPU, CuPy on a GPU, and CuPy copies NumPy's names. So an operation asks `array_module(x)` for the
library that owns its array and writes the rest once. Here live the questions that remain: which device an array is on,
how to copy it, which device to choose, where random numbers come from, and how the CPU's cores share a batch.
"""
import importlib
import importlib.util
import os
import platform
import shutil
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from .errors import UserError

# ------------------------------------------------------------------------------------------------ which library owns it


def _cupy():
    """CuPy if it has been imported: a program that never touched a GPU never pays for the import."""
    return sys.modules.get("cupy")


def array_module(array):
    """The library of `array`: `numpy`, or `cupy` when the array lives on a GPU."""
    cupy = _cupy()
    return cupy if cupy is not None and isinstance(array, cupy.ndarray) else np


def is_array(value):
    """Is `value` an array of one of the two libraries?"""
    cupy = _cupy()
    return isinstance(value, np.ndarray) or (cupy is not None and isinstance(value, cupy.ndarray))


def kernels(array):
    """The module with the hot loops for this array's device: `kernels.cpu` or `kernels.gpu`, same names in both."""
    return importlib.import_module("minialex.kernels.cpu" if array_module(array) is np else "minialex.kernels.gpu")


def device_of(array):
    """`"cpu"`, or `"cuda:0"`, `"cuda:1"`, ... for a CuPy array."""
    return "cpu" if array_module(array) is np else f"cuda:{array.device.id}"


def to_device(array, device):
    """Copy `array` to `"cpu"`, `"cuda"` or `"cuda:n"`; the same array comes back when it is already there."""
    device = canonical(device)
    if device_of(array) == device:
        return array
    if device == "cpu":
        return to_numpy(array)
    cupy = importlib.import_module("cupy")
    with cupy.cuda.Device(_ordinal(device)):
        return cupy.asarray(array)


def to_numpy(array):
    """The same values as a NumPy array (copied from the GPU if need be)."""
    return np.asarray(array) if array_module(array) is np else array.get()


# ------------------------------------------------------------------------------------------------ choosing a device


class Device(NamedTuple):
    name: str  # "cpu", "cuda:0", ...
    why: str  # one line for the user


def canonical(device):
    """`"cpu"` or `"cuda:n"` for any accepted spelling. Raises UserError for another."""
    name = str(device)
    if name in ("cpu", "cuda"):
        return "cpu" if name == "cpu" else "cuda:0"
    if name.startswith("cuda:") and name[5:].isdigit():
        return name
    raise UserError(f"unknown device '{device}': choose auto, cpu, cuda or cuda:n with a number n, such as cuda:0.")


def _ordinal(device):
    return int(device.partition(":")[2] or 0)


def install_command():
    """The command that makes CuPy usable on a machine with an NVIDIA GPU."""
    return "pip install -r requirements-gpu.txt"


def _gpu_is_present():
    """Does the operating system see an NVIDIA card, whatever Python can do with it?"""
    return shutil.which("nvidia-smi") is not None or os.path.exists("/proc/driver/nvidia/version")


def _try_cuda(ordinal):
    """Run a real operation on the GPU. Returns (works, description or reason).

    `import cupy` succeeds without a GPU and without a driver; only a computation tells. The kernel is compiled, the
    matrix product needs cuBLAS and the random draw needs cuRAND, which CuPy's bare wheel does not bring.
    """
    try:
        cupy = importlib.import_module("cupy")
    except ImportError:
        return False, "CuPy is not installed"
    except Exception as error:  # a broken CuPy install raises anything from OSError to RuntimeError
        return False, f"CuPy cannot be imported: {_first_line(error)}"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
        if ordinal >= count:
            return False, f"there is no cuda:{ordinal}, CuPy sees {count} GPU{'s' if count != 1 else ''}"
        with cupy.cuda.Device(ordinal):
            probe = cupy.random.RandomState(0).random_sample((8, 8)).astype(cupy.float32)
            value = float(((probe @ probe) * 0 + 1).sum())
            if value != 64.0:
                return False, f"the GPU computed {value} where 64 is right"
            name = cupy.cuda.runtime.getDeviceProperties(ordinal)["name"]
        return True, name.decode() if isinstance(name, bytes) else str(name)
    except Exception as error:  # CuPy's errors share no base class: driver, NVRTC, cuBLAS and cuRAND each have theirs
        return False, f"CuPy is installed but cannot use a GPU: {_first_line(error)}"


def _first_line(error):
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


def resolve_device(spec="auto"):
    """Choose the device by running a real operation on it.

    `spec`: `"auto"`, `"cpu"`, `"cuda"` or `"cuda:n"`. Returns a `Device` whose `why` is one line to print.
    Raises UserError when a GPU was asked for by name and cannot compute; `"auto"` falls back to the CPU and says why.
    """
    if spec == "cpu":
        return Device("cpu", "device: cpu (asked for), " + _describe_cpu())
    wanted = "cuda:0" if spec == "auto" else canonical(spec)
    works, reason = _try_cuda(_ordinal(wanted))
    if works:
        sys.modules["cupy"].cuda.Device(_ordinal(wanted)).use()  # CuPy puts new arrays on the device that is current
        return Device(wanted, f"device: {wanted}, {reason}")
    remedy = f"; this machine has an NVIDIA GPU, to use it run: {install_command()}" if _gpu_is_present() else ""
    if spec == "auto":
        return Device("cpu", f"device: cpu, {_describe_cpu()} ({reason}{remedy})")
    remedy = remedy or f"; run with --device cpu, or on a machine with an NVIDIA GPU: {install_command()}"
    raise UserError(f"device {wanted} cannot be used: {reason}{remedy}.")


def _describe_cpu():
    return f"{thread_count()} thread{'s' if thread_count() != 1 else ''} of {platform.machine()}, NumPy {np.__version__}"


# ------------------------------------------------------------------------------------------------ random numbers

_random = {"host": np.random.default_rng()}


def manual_seed(seed):
    """Seed every random number that the engine draws: initial weights and dropout masks, on the CPU and on GPUs."""
    _random.clear()
    _random["seed"] = seed
    _random["host"] = np.random.default_rng(seed)


def host_generator():
    """The NumPy generator behind weight initialisation and the CPU's dropout."""
    return _random["host"]


def random_uniform(shape, like):
    """float32 numbers in [0, 1) on the device of `like`, drawn there."""
    xp = array_module(like)
    if xp is np:
        return _random["host"].random(shape, dtype=np.float32)
    device = device_of(like)
    if device not in _random:
        seed = _random.get("seed")
        _random[device] = xp.random.RandomState(None if seed is None else seed + like.device.id)
    return _random[device].random_sample(shape, dtype=xp.float32)


@contextmanager
def frozen_randomness():
    """Inside the block, every run draws the same numbers again each time `restart()` is called; afterwards the
    generators go on as if nothing had been drawn. Gradient checking needs a dropout mask that stands still."""
    before = dict(_random)

    def restart():
        manual_seed(0)

    restart()
    try:
        yield restart
    finally:
        _random.clear()
        _random.update(before)


def random_state():
    """The state of the host generator, as plain JSON-able values, for checkpoints."""
    return _random["host"].bit_generator.state


def set_random_state(state):
    """Put back what `random_state` returned."""
    _random["host"].bit_generator.state = state


# ------------------------------------------------------------------------------------------------ memory that is used again

# A fresh 150 MB array costs 37,000 page faults, as much time as filling it twice. A training step asks for the same
# sizes again and again, so blocks above this size go back to a shelf when their last view dies.
_RECYCLED_FROM = 1 << 20
_shelf = {}
_shelf_lock = threading.RLock()  # not Lock: a collection inside the block may end an array, whose end locks again


def empty(shape, dtype, like=None):
    """An uninitialised array on the device of `like` (CPU without it). Large CPU blocks are recycled."""
    xp = np if like is None else array_module(like)
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if xp is not np or size < _RECYCLED_FROM:
        return xp.empty(shape, dtype=dtype)
    with _shelf_lock:
        blocks = _shelf.get(size)
        block = blocks.pop() if blocks else None
    if block is None:
        block = np.empty(size, dtype=np.uint8)
    # The memoryview keeps NumPy from collapsing the chain of bases: every view of `flat` holds `flat` alive.
    flat = np.frombuffer(memoryview(block), dtype=dtype)
    weakref.finalize(flat, _put_back, size, block).atexit = False
    return flat.reshape(shape)


def _put_back(size, block):
    with _shelf_lock:
        _shelf.setdefault(size, []).append(block)


def release_memory():
    """Give all recycled blocks back to the operating system (after a change of batch size, say)."""
    with _shelf_lock:
        _shelf.clear()


# ------------------------------------------------------------------------------------------------ a batch over the cores


def thread_count():
    """How many threads the CPU's kernels use: MINIALEX_THREADS, or the cores that this process may run on."""
    asked = os.environ.get("MINIALEX_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


_pool = {}


def _workers():
    """(executor, BLAS controller), made at first use and again after a change of the thread count."""
    threads = thread_count()
    if _pool.get("threads") != threads:
        from threadpoolctl import ThreadpoolController  # finding the BLAS libraries takes 20 ms: not at import

        _pool.update(threads=threads, executor=ThreadPoolExecutor(threads, thread_name_prefix="minialex"),
                     blas=ThreadpoolController().select(user_api="blas"))
    return _pool["executor"], _pool["blas"]


def parallel_map(function, pieces):
    """[function(piece) for piece in pieces], on all cores, with one BLAS thread each while more than one is running.

    Images are independent, so whole images per core beat all cores sharing each product. Results come in order, so a
    sum over them does not depend on which core was faster.
    """
    if len(pieces) <= 1 or thread_count() == 1:
        return [function(piece) for piece in pieces]
    executor, blas = _workers()
    with blas.limit(limits=1):
        return list(executor.map(function, pieces))


def batch_pieces(count):
    """`count` images cut into eight slices of equal size (more on machines with more cores, fewer for few images).

    The number is fixed so that sums over slices, such as a weight gradient, are the same on 1 to 8 cores.
    """
    pieces = 8 * -(-thread_count() // 8)
    size = -(-count // pieces)
    return [slice(start, min(start + size, count)) for start in range(0, count, size)] if count else []


def for_images(function, x):
    """Call `function(slice)` for every single image of the batch x, on all cores: one image's arrays fit the cache.

    On a GPU there is one call, for the whole batch: launching work image by image would take longer than the work.
    """
    if array_module(x) is not np:
        function(slice(0, len(x)))
        return

    def one_by_one(piece):
        for image in range(piece.start, piece.stop):
            function(slice(image, image + 1))

    parallel_map(one_by_one, batch_pieces(len(x)))


_BLOCK = 1 << 15  # numbers per block: four float32 arrays of this size fit a 1 MB second-level cache


def for_blocks(function, *arrays):
    """Call `function(*parts)` on matching parts of contiguous arrays of one size: for what works number by number.

    On the CPU the parts are cache-sized and shared among the cores; on a GPU there is one part, everything.
    """
    if array_module(arrays[0]) is not np or not all(array.flags.c_contiguous for array in arrays):
        function(*arrays)
        return
    flat = [array.reshape(-1) for array in arrays]

    def blocks(piece):
        for start in range(piece.start, piece.stop, _BLOCK):
            part = slice(start, min(start + _BLOCK, piece.stop))
            function(*(array[part] for array in flat))

    count = flat[0].size
    parallel_map(blocks, batch_pieces(count) if count > _BLOCK else [slice(0, count)])


def images_at_a_time(positions, column_bytes, like):
    """How many images share one buffer of columns, when one image has `positions` windows in `column_bytes` bytes.

    CPU: enough for 512 columns, since a matrix product of 169 (one image of conv3-5) runs 10-15 % slower, and for 1 MB.
    GPU: as the memory allows.
    """
    if array_module(like) is np:
        return max(1, -(-512 // positions), (1 << 20) // column_bytes)
    return kernels(like).images_at_a_time(column_bytes)


def matmul(a, b):
    """a @ b for two matrices, shared among the cores by rows or columns of the result.

    BLAS could share it too, but its threads go on spinning for 20 ms after every product, in the way of the layer that
    comes next: conv5's backward pass, right after fc6's, took 1.7 times as long (measured at batch 32 on two cores).
    """
    out = empty((a.shape[0], b.shape[1]), np.result_type(a.dtype, b.dtype), like=a)
    xp = array_module(a)
    if xp is not np:
        return xp.matmul(a, b, out=out)
    by_rows = a.shape[0] >= b.shape[1]

    def part(piece):
        if by_rows:
            np.matmul(a[piece], b, out=out[piece])
        else:
            np.matmul(a, b[:, piece], out=out[:, piece])

    parallel_map(part, batch_pieces(max(out.shape)))
    return out


def sum_over_images(function, count, at_a_time, like):
    """Call `function(slice)` on slices of at most `at_a_time` of `count` images and add up the arrays that it returns.

    `function` returns None or a tuple of arrays and Nones. The order of additions does not depend on timing.
    """
    if array_module(like) is not np:
        return kernels(like).sum_over_images(function, count, at_a_time)

    def add_up(piece):
        total = None
        for start in range(piece.start, piece.stop, at_a_time):
            total = add_parts(total, function(slice(start, min(start + at_a_time, piece.stop))))
        return total

    total = None
    for part in parallel_map(add_up, batch_pieces(count)):
        total = add_parts(total, part)
    return total


def add_parts(total, part):
    """total += part, entry by entry, in place: both are sums that nobody else holds."""
    if total is None or part is None:
        return part if total is None else total
    for sum_so_far, more in zip(total, part):
        if more is not None:
            sum_so_far += more
    return total
