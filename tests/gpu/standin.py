"""A strict stand-in for CuPy, so that the GPU's code paths run where there is no GPU.

Its arrays keep NumPy memory behind a wall. Like CuPy's they refuse to meet a NumPy array in any
operation; stricter than CuPy, NumPy's functions refuse them too, an array on another device than
the current one is an error, fresh memory is NaN and stands between guard bytes that are looked at
after each kernel. It counts what would make the host wait for the device, knows how much memory is
in use, can be short of memory, and remembers which of CuPy's names were used. Kernels run through
g++ (cuda_on_cpu.py).

    cupy = standin.install(monkeypatch)      from then on `import cupy` finds it
"""
import subprocess
import sys
import types
import weakref
from contextlib import contextmanager

import cuda_on_cpu
import numpy as np

GUARD = 64  # bytes before and after every array


class CUDARuntimeError(RuntimeError):
    """The class of CuPy's driver errors."""


class OutOfMemoryError(MemoryError):
    """The class that CuPy raises, with its wording."""


class State:
    """What the pretended machine knows: devices, memory, and what has been asked of it."""

    def __init__(self, devices=2, memory=8 << 30):
        self.devices, self.memory = devices, memory
        self.current = 0
        self.in_use = 0
        self.reserved = []  # (device, bytes) that were asked for at once
        self.waits = []  # operations that make the host wait for the device
        self.names = set()  # CuPy names that were used
        self.launches = []  # names of the kernels that ran
        self.backwards = False  # run the threads of kernels in reverse
        self.sources = ()  # CUDA sources to compile together

    def allocate(self, size):
        if self.in_use + size > self.memory:
            raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes (allocated so far: "
                                   f"{self.in_use:,} bytes).")
        self.in_use += size

    def free(self, size):
        self.in_use -= size


class Buffer:
    """One allocation. `fresh` memory starts as NaN, between two guards; results that NumPy made are
    taken as they are."""

    def __init__(self, state, size, fresh):
        state.allocate(size)
        weakref.finalize(self, state.free, size).atexit = False
        if fresh:
            self.memory = np.full(size + 2 * GUARD, 0xFF, dtype=np.uint8)
            self.inside = self.memory[GUARD:GUARD + size]
            self.guards = self.memory[:GUARD], self.memory[GUARD + size:]
        else:
            self.guards = ()

    def check(self, what):
        assert all((guard == 0xFF).all()
                   for guard in self.guards), f"{what} wrote outside its array"


def _refuse(self, *args, **kwargs):
    raise TypeError("a GPU array was handed to NumPy: use the functions of array_module(x), "
                    "or to_numpy(x) to copy it.")


class ndarray:
    """The stand-in's array."""

    __slots__ = ("raw", "buffer", "device", "_cupy", "__weakref__")

    __array__ = _refuse
    __array_function__ = _refuse

    def __init__(self, cupy, raw, buffer, device):
        self._cupy, self.raw, self.buffer, self.device = cupy, raw, buffer, device

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        # `np.float32(2) * x` arrives here and is legal in CuPy; np.exp(x) and `numpy_array * x` are
        # not what we want.
        if ufunc.nin == 2 and method == "__call__" and isinstance(inputs[0], np.generic):
            return self._cupy.call(ufunc.__name__, ufunc, inputs, kwargs)
        _refuse(self)

    def __getattr__(self, name):
        if name.startswith("__"):  # NumPy looks for doors such as __array_interface__
            raise AttributeError(name)
        value = getattr(self.raw, name)
        self._cupy.state.names.add(f"ndarray.{name}")
        if not callable(value):
            return self._cupy.wrap(value, (self,))
        if name in ("item", "tolist", "nonzero"):
            self._cupy.wait(f"ndarray.{name}")
            return value
        return lambda *args, **kwargs: self._cupy.call(f"ndarray.{name}", value, args, kwargs,
                                                       (self,))

    # without a detour through wrap(): these are asked for in every line
    shape = property(lambda self: self.raw.shape)
    dtype = property(lambda self: self.raw.dtype)
    ndim = property(lambda self: self.raw.ndim)
    size = property(lambda self: self.raw.size)
    strides = property(lambda self: self.raw.strides)
    flags = property(lambda self: self.raw.flags)

    def get(self):
        self._cupy.wait("ndarray.get")
        return self.raw.copy()

    def _to_host(self, convert):
        self._cupy.wait(f"{convert.__name__}(ndarray)")
        return convert(self.raw)

    def __float__(self):
        return self._to_host(float)

    def __int__(self):
        return self._to_host(int)

    def __bool__(self):
        return self._to_host(bool)

    def __index__(self):
        return self._to_host(int)

    def __len__(self):
        return len(self.raw)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"standin({self.raw!r}, device={self.device.id})"

    def __getitem__(self, index):
        if _has_mask(index):
            self._cupy.wait("ndarray[mask]")
        return self._cupy.call("ndarray.__getitem__", self.raw.__getitem__, (index,), {}, (self,))

    def __setitem__(self, index, value):
        if _has_mask(index) and isinstance(value, ndarray) and value.ndim:
            self._cupy.wait("ndarray[mask] = array")
        self._cupy.call("ndarray.__setitem__", self.raw.__setitem__, (index, value), {}, (self,))


def _has_mask(index):
    return any(isinstance(i, ndarray) and i.dtype == bool
               for i in (index if isinstance(index, tuple) else (index,)))


def _operator(name):
    def operate(self, *others):
        for other in others:
            if not isinstance(other, (ndarray, np.generic, int, float, bool)):
                raise TypeError(f"Unsupported type {type(other)}: "
                                f"a GPU array and a {type(other).__name__} do not mix.")
        return self._cupy.call(f"ndarray.{name}", getattr(np.ndarray, name), (self, *others), {})
    return operate


for _name in ("add sub mul truediv floordiv mod pow matmul lt le gt ge eq ne and or xor neg pos "
              "abs invert radd rsub rmul rtruediv rfloordiv rmod rpow rmatmul iadd isub imul "
              "itruediv ipow iand ior").split():
    setattr(ndarray, f"__{_name}__", _operator(f"__{_name}__"))
ndarray.__hash__ = None


class Function:
    """`cupy.exp`, `cupy.add.at`, `cupy.lib.stride_tricks.as_strided`: NumPy's, behind the wall."""

    def __init__(self, cupy, name, target):
        self._cupy, self._name, self._target = cupy, name, target

    def __call__(self, *args, **kwargs):
        return self._cupy.call(self._name, self._target, args, kwargs)

    def __getattr__(self, name):
        return self._cupy.function(f"{self._name}.{name}", getattr(self._target, name))


class Device:
    """`cupy.cuda.Device(n)`: a context manager; the current device without a number."""

    def __init__(self, cupy, number=None):
        self._cupy, self.id, self._before = (cupy, cupy.state.current if number is None else number,
                                             [])
        if not 0 <= self.id < cupy.state.devices:
            raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")

    def use(self):
        self._cupy.state.current = self.id

    def __enter__(self):
        self._before.append(self._cupy.state.current)
        self.use()
        return self

    def __exit__(self, *error):
        self._cupy.state.current = self._before.pop()

    def __eq__(self, other):
        return isinstance(other, Device) and self.id == other.id

    def synchronize(self):
        self._cupy.wait("Device.synchronize")


class RawKernel:
    """`cupy.RawKernel(code, name)`."""

    def __init__(self, cupy, code, name):
        self._cupy, self._code, self._name = cupy, code, name

    def __call__(self, grid, block, arguments):
        state = self._cupy.state
        arrays = [value for value in arguments if isinstance(value, ndarray)]
        for value in arguments:
            if not isinstance(value, (ndarray, np.generic)):
                raise TypeError(f"{self._name} got a {type(value).__name__}, "
                                "whose size in C is anybody's guess.")
        self._cupy.same_device(self._name, arrays)
        raw = [value.raw if isinstance(value, ndarray) else value for value in arguments]
        sources = state.sources if self._code in state.sources else (self._code,)
        cuda_on_cpu.launch(sources, self._code, self._name, *grid, *block, raw, state.backwards)
        for array in arrays:
            array.buffer.check(self._name)
        state.launches.append(self._name)


class Cupy(types.ModuleType):
    """The module that `import cupy` finds."""

    def __init__(self, state):
        super().__init__("cupy")
        self.state = state
        self.ndarray, self.__version__ = ndarray, "standin"
        self.RawKernel = lambda code, name: RawKernel(self, code, name)
        self.asnumpy = lambda array: array.get()
        self.get_default_memory_pool = lambda: types.SimpleNamespace(
            used_bytes=lambda: state.in_use, free_bytes=lambda: 0, total_bytes=lambda: state.in_use,
            free_all_blocks=lambda: None)
        runtime = types.SimpleNamespace(
            CUDARuntimeError=CUDARuntimeError, getDeviceCount=lambda: state.devices,
            memGetInfo=lambda: (state.memory - state.in_use, state.memory),
            getDeviceProperties=lambda number: {"name": b"Stand-in GPU"})
        self.cuda = types.SimpleNamespace(
            Device=lambda number=None: Device(self, number), runtime=runtime,
            alloc=lambda size: state.reserved.append((state.current, size)),
            memory=types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.function(name, getattr(np, name))

    def function(self, name, target):
        self.state.names.add(name)
        is_plain = isinstance(target, type) or not (callable(target)
                                                    or isinstance(target, types.ModuleType))
        return target if is_plain else Function(self, name, target)

    def wait(self, why):
        self.state.waits.append(why)

    def same_device(self, name, arrays):
        for array in arrays:
            if array.device.id != self.state.current:
                raise RuntimeError(f"{name}: an array on device {array.device.id} while device "
                                   f"{self.state.current} is current")

    def call(self, name, target, args, kwargs, owners=()):
        """target(*args) on the raw memory; what comes out is wrapped again."""
        inputs = list(owners)
        raw_args = self.unwrap(name, tuple(args), inputs)
        raw_kwargs = {key: self.unwrap(name, value, inputs) for key, value in kwargs.items()}
        if name in ("where", "nonzero", "flatnonzero", "argwhere", "unique") and len(args) == 1:
            self.wait(name)
        with np.errstate(all="ignore"):  # a GPU does not warn
            result = target(*raw_args, **raw_kwargs)
        self.state.names.add(name)
        if name in ("empty", "empty_like", "zeros", "zeros_like"):
            array = self.fresh(result.shape, result.dtype)
            if name.startswith("zeros"):
                array.raw.fill(0)
            return array
        return self.wrap(result, inputs, name)

    def unwrap(self, name, value, inputs):
        """The raw memory of an argument; the stand-in's arrays in it are added to the list
        `inputs`."""
        if isinstance(value, ndarray):
            inputs.append(value)
            return value.raw
        if isinstance(value, np.ndarray):
            if name not in ("array", "asarray", "ascontiguousarray"):
                raise TypeError(f"Unsupported type {type(value)}: "
                                f"cupy.{name} was given a NumPy array.")
            return value.copy()
        if isinstance(value, (tuple, list)):
            return type(value)(self.unwrap(name, item, inputs) for item in value)
        return value

    def wrap(self, value, inputs, name="attribute"):
        if isinstance(value, (tuple, list)) and any(isinstance(item, np.ndarray) for item in value):
            return type(value)(self.wrap(item, inputs, name) for item in value)
        if not isinstance(value, (np.ndarray, np.generic)):
            return value
        for array in inputs:
            if value is array.raw:
                return array
            if isinstance(value, np.ndarray) and value.size and np.may_share_memory(value,
                                                                                    array.raw):
                return ndarray(self, value, array.buffer, array.device)
        self.same_device(name, inputs)
        value = np.asarray(value)
        owned = value if value.flags.owndata else value.copy()
        return ndarray(self, owned, Buffer(self.state, owned.nbytes, fresh=False), Device(self))

    def fresh(self, shape, dtype):
        """New memory on the current device."""
        dtype = np.dtype(dtype)
        buffer = Buffer(self.state, int(np.prod(shape, dtype=np.int64)) * dtype.itemsize,
                        fresh=True)
        return ndarray(self, buffer.inside.view(dtype).reshape(shape), buffer, Device(self))


def install(patch, **options):
    """Make `import cupy` find a new stand-in, through pytest's monkeypatch `patch`. Returns the
    module."""
    cupy = Cupy(State(**options))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("cupy", "cupyx")]:
        patch.delitem(sys.modules, name)
    patch.setitem(sys.modules, "cupy", cupy)
    from minialex import random as random_module
    from minialex.fast import gpu
    patch.setattr(random_module, "_random", dict(random_module._random))
    patch.setattr(gpu, "_slice_sizes", {})  # a machine of its own: what others remember is not its
    cupy.state.sources = tuple(gpu.source(real, index) for real in gpu.REALS.values()
                               for index in gpu.INDICES.values())
    return cupy


def unknown_to_cupy(names):
    """Those of the names that CuPy, asked in a process of its own, does not have; None where it is
    not installed. The stand-in forwards whatever NumPy has; CuPy has less."""
    ask = ("import sys, functools\ntry: import cupy\nexcept ImportError: "
           "sys.exit(3)\nfor path in sys.argv[1:]:\n    if functools.reduce(lambda o, name: "
           "getattr(o, name, None), path.split('.'), cupy) is None: print(path)")
    answer = subprocess.run([sys.executable, "-c", ask, *sorted(names)], capture_output=True,
                            text=True)
    if answer.returncode == 3:
        return None
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()


@contextmanager
def no_waiting(cupy):
    """Fails when anything in the block makes the host wait for the device."""
    before = len(cupy.state.waits)
    yield
    assert cupy.state.waits[before:] == [], "the host waits for the device"
