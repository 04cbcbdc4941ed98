"""The one file that knows that there are two array libraries.

NumPy computes on the CPU, CuPy on a GPU, and CuPy copies NumPy's names. So an operation asks
`array_module(x)` for the library that owns its array and writes the rest once; to read ops/, that
function is enough. Here live the questions that remain: which device an array is on, how to copy
it, which device to choose, and how much it has.
"""
import importlib
import importlib.util
import os
import platform
import re
import sys
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from .aliases import Array
from .errors import UserError
from .utils import machine
from .utils.machine import thread_count

# ---------------------------------------------------------------------------- which library owns it


def loaded_cupy() -> Any:
    """CuPy if it has been imported: a program that never touched a GPU never pays for the
    import."""
    return sys.modules.get("cupy")


def array_module(array: Any) -> Any:
    """The library of `array`: `numpy`, or `cupy` when the array lives on a GPU."""
    if type(array) is np.ndarray:
        return np  # asked a hundred times in a small network's step
    cupy = loaded_cupy()
    return cupy if cupy is not None and isinstance(array, cupy.ndarray) else np


def is_array(value: object) -> TypeGuard[Array]:
    """Is `value` an array of one of the two libraries?"""
    if isinstance(value, np.ndarray):
        return True
    cupy = loaded_cupy()
    return cupy is not None and isinstance(value, cupy.ndarray)


def device_of(array: Any) -> str:
    """`"cpu"`, or `"cuda:0"`, `"cuda:1"`, ... for a CuPy array."""
    return "cpu" if array_module(array) is np else f"cuda:{array.device.id}"


def to_device(array: Array, device: str) -> Array:
    """Copy `array` to `"cpu"`, `"cuda"` or `"cuda:n"`; the same array comes back when it is already
    there."""
    device = canonical(device)
    if device_of(array) == device:
        return array
    if device == "cpu":
        return to_numpy(array)
    try:
        cupy = importlib.import_module("cupy")
        with cupy.cuda.Device(_ordinal(device)):
            return cupy.asarray(array)
    except Exception as error:
        works, reason = _try_cuda(_ordinal(device))
        if works:
            # The device is fine: it was memory that ran out, or a second device that cannot be
            # reached.
            raise
        raise UserError(f"device {device} cannot be used: {reason}; stay on the cpu, or on a "
                        f"machine with an NVIDIA GPU run: {install_command()}.") from error


def beside(array: Array, index: Any) -> Any:
    """`index` with its arrays on the device of `array`: CuPy adds up (add.at) at its own arrays'
    indices only."""
    if isinstance(index, tuple):
        return tuple(beside(array, part) for part in index)
    return to_device(index, device_of(array)) if is_array(index) else index


def is_masked(data: Any) -> bool:
    """Is this a masked array, or a list that holds one? NumPy forgets the mask where it makes a
    plain array."""
    if isinstance(data, (list, tuple)):
        return any(is_masked(part) for part in data)
    return hasattr(data, "filled")


def as_numbers(data: Any) -> Array:
    """`data` as an array of real numbers. Raises TypeError for anything else."""
    array = data
    if is_masked(data):
        raise TypeError("a Tensor has no mask, and a masked array was given: say what counts, by "
                        ".filled(0) or .compressed().")
    # To np.matrix, * means @.
    if not is_array(data) or (isinstance(data, np.ndarray) and type(data) is not np.ndarray):
        try:
            array = np.asarray(data)
        except ValueError:
            raise TypeError("a Tensor needs rows of equal length, got nested lists of different "
                            "lengths.") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a Tensor needs real numbers, got {type(data).__name__} ({array.dtype}).")
    return array


def same_dtype(name: str, x: Array, weight: Array, bias: Array | None) -> None:
    """Raises TypeError unless input, weight and bias have one dtype: float64 images would turn a
    whole network to float64."""
    for what, array in (("weight", weight), ("bias", bias)):
        if array is not None and array.dtype != x.dtype:
            raise TypeError(f"{name}: the input is {x.dtype}, the {what} is {array.dtype}: they "
                            "must be equal. To train in float32, convert the input with "
                            ".astype(np.float32).")


def to_numpy(array: Any) -> NDArray[Any]:
    """The same values as a NumPy array (copied from the GPU if need be)."""
    return np.asarray(array) if array_module(array) is np else array.get()


def gpu_memory() -> tuple[int, int]:
    """(bytes that an array on the current GPU can have, bytes in use): CuPy keeps what is freed,
    for reuse."""
    cupy = loaded_cupy()
    pool = cupy.get_default_memory_pool()
    return cupy.cuda.runtime.memGetInfo()[0] + pool.free_bytes(), pool.used_bytes()


def reserve_memory(device: str, count: int) -> None:
    """Ask a GPU's driver once for the bytes that a run will take, and leave them to CuPy's pool:
    its first steps then do not stop for the driver, and its arrays lie in one piece of memory.
    Nothing happens on the CPU, or where there is not so much."""
    if canonical(device) == "cpu" or count > (memory_free(device) or 0):
        return
    cupy = loaded_cupy()
    with cupy.cuda.Device(_ordinal(canonical(device))):
        cupy.cuda.alloc(count)  # nobody keeps it, so it goes back to the pool


def bytes_asked_for(shortage: str) -> int:
    """How much memory was asked for, from CuPy's words: "Out of memory allocating 1,024 bytes
    (...)"; 0 for other words."""
    found = re.match(r"Out of memory allocating ([\d,]+) bytes", shortage)
    return int(found[1].replace(",", "")) if found else 0


# ---------------------------------------------------------------------------- choosing a device


class Device(NamedTuple):
    name: str  # "cpu", "cuda:0", ...
    why: str  # one line for the user


def canonical(device: str) -> str:
    """`"cpu"` or `"cuda:n"` for any accepted spelling. Raises UserError for another."""
    name = str(device)
    if name in ("cpu", "cuda"):
        return "cpu" if name == "cpu" else "cuda:0"
    if name.startswith("cuda:") and name[5:].isascii() and name[5:].isdecimal():
        return name
    raise UserError(f"unknown device '{device}': choose auto, cpu, cuda or cuda:n with a number n, "
                    "such as cuda:0.")


def _ordinal(device: str) -> int:
    return int(device.partition(":")[2] or 0)


# Every one of them installs the same package `cupy`.
_WHEELS = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x",
           "cupy-rocm-4-3", "cupy-rocm-5-0", "cupy-rocm-7-0")


def install_command() -> str:
    """The command that makes CuPy usable on a machine with an NVIDIA GPU; it removes another CuPy,
    which would break it."""
    found = cupy_wheels()
    remove = f"pip uninstall -y {' '.join(found)} && " if set(found) - {"cupy-cuda12x"} else ""
    return f"{remove}pip install -r requirements-gpu.txt"


def cupy_wheels() -> list[str]:
    """The names under which CuPy is installed: more than one break each other, since their files
    have the same places."""
    from importlib.metadata import distributions  # half as long as all other imports together

    return [name for name in _WHEELS if any(True for _ in distributions(name=name))]


def _side_by_side() -> str:
    """A sentence about several CuPys, or ""."""
    found = cupy_wheels()
    if len(found) < 2:
        return ""
    names = " and ".join(found)
    return f"; {names} are installed side by side and break each other: {install_command()}"


def _gpu_is_present() -> bool:
    """Does the operating system see an NVIDIA card, whatever Python can do with it?"""
    import shutil  # brings compression with it

    return shutil.which("nvidia-smi") is not None or os.path.exists("/proc/driver/nvidia/version")


def _try_cuda(ordinal: int) -> tuple[bool, str]:
    """Run a real operation on the GPU. Returns (works, description or reason).

    `import cupy` succeeds without a GPU and without a driver; only a computation tells. The kernel
    is compiled by NVRTC, and the matrix product needs cuBLAS, which CuPy's bare wheel does not
    bring.
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
            gpus = "1 GPU" if count == 1 else f"{count} GPUs"
            return False, f"there is no cuda:{ordinal}, CuPy sees {gpus}"
        with cupy.cuda.Device(ordinal):
            probe = cupy.arange(64, dtype=cupy.float32).reshape(8, 8)
            value = float(((probe @ probe) * 0 + 1).sum())
            if value != 64.0:
                return False, f"the GPU computed {value} where 64 is right"
            name = cupy.cuda.runtime.getDeviceProperties(ordinal)["name"]
        return True, name.decode() if isinstance(name, bytes) else str(name)
    except Exception as error:  # driver, NVRTC, cuBLAS and cuRAND each have errors of their own
        return False, f"CuPy is installed but cannot use a GPU: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


def resolve_device(spec: str = "auto", tf32: bool | None = None) -> Device:
    """Choose the device by running a real operation on it.

    `spec`: `"auto"`, `"cpu"`, `"cuda"` or `"cuda:n"`. Returns a `Device` whose `why` is one line to
    print. `tf32`: may a GPU's float32 matrix products round what they multiply to TF32, 10 bits of
    mantissa instead of 23? From Ampere on they are then several times as fast. CuPy's setting for
    it (CUPY_TF32, off where nobody sets it) holds for the whole process and is read at the first
    product; None leaves it alone. Raises UserError when a GPU was asked for by name and cannot
    compute; `"auto"` falls back to the CPU and says why.
    """
    if tf32 is not None:
        os.environ["CUPY_TF32"] = str(int(tf32))
    if spec == "cpu":
        return Device("cpu", "device: cpu (asked for), " + _describe_cpu())
    wanted = "cuda:0" if spec == "auto" else canonical(spec)
    works, reason = _try_cuda(_ordinal(wanted))
    if works:
        # CuPy puts new arrays on the device that is current.
        sys.modules["cupy"].cuda.Device(_ordinal(wanted)).use()
        tf32_is_on = os.environ.get("CUPY_TF32", "0").strip() not in ("", "0")
        rounded = ", matrix products in TF32" if tf32_is_on else ""
        return Device(wanted, f"device: {wanted}, {reason}{rounded}{_side_by_side()}")
    remedy = _side_by_side()
    if not remedy and _gpu_is_present():
        remedy = f"; this machine has an NVIDIA GPU, to use it run: {install_command()}"
    if spec == "auto":
        return Device("cpu", f"device: cpu, {_describe_cpu()} ({reason}{remedy})")
    otherwise = f"; run with --device cpu, or on a machine with an NVIDIA GPU: {install_command()}"
    raise UserError(f"device {wanted} cannot be used: {reason}{remedy or otherwise}.")


def _describe_cpu() -> str:
    threads = "1 thread" if thread_count() == 1 else f"{thread_count()} threads"
    return f"{threads} of {platform.machine()}, NumPy {np.__version__}"


# ---------------------------------------------------------------------------- memory


def memory_used(device: str) -> int | None:
    """The most bytes that this program has held so far: of main memory, or on a GPU of its own.
    None where nobody knows."""
    if canonical(device) != "cpu":
        pool = getattr(loaded_cupy(), "get_default_memory_pool", None)
        return pool().total_bytes() if pool else None
    return machine.memory_used()


def memory_free(device: str) -> int | None:
    """Bytes that are free for this program on the device, or None where nobody knows."""
    if canonical(device) != "cpu":
        cuda = getattr(loaded_cupy(), "cuda", None)
        ask = getattr(getattr(cuda, "runtime", None), "memGetInfo", None)
        return ask()[0] if ask else None
    return machine.memory_free()
