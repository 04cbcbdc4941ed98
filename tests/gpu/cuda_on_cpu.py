"""Runs CUDA sources on the CPU: g++ compiles them behind a shim header, all of them in one library.

The text that a GPU would get is the text that runs here, on NumPy memory. What cannot be seen this
way: speed, races between threads that really run at once (running the threads backwards shows those
that depend on their order), and the last bits of pow and of fused multiply-adds.
"""
import ctypes
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

SHIM = Path(__file__).with_name("cuda_shim.h")
C_TYPES = {"float": np.float32, "double": np.float64, "int": np.int32, "long long": np.int64,
           "unsigned char": np.uint8, "unsigned long long": np.uint64}


def gpp():
    """The path of g++, or None."""
    return shutil.which("g++")


def parameters(source):
    """{kernel name: [(NumPy type, is a pointer), ...]} of every `extern "C" __global__` function in
    `source`."""
    typedefs = {name: meaning for meaning, name in re.findall(r"typedef ([\w ]+) (\w+);", source)}
    found = {}
    for name, text in re.findall(r'extern "C" __global__ void (\w+)\(([^)]*)\)', source):
        found[name] = []
        for parameter in text.split(","):
            kind = parameter.replace("const", "").replace("*", "").rsplit(None, 1)[0].strip()
            found[name].append((C_TYPES[typedefs.get(kind, kind)], "*" in parameter))
    return found


def _launchers(source, space):
    """C functions `space_kernel(grid, block, backwards, arguments)`: every argument through a
    pointer, as a CUDA launch has it. They return 0, or 1 when some threads of a block waited for
    others that had ended."""
    names = {kind: name for name, kind in C_TYPES.items()}
    for name, kinds in parameters(source).items():
        types = [names[kind] + "*" * pointer for kind, pointer in kinds]
        arguments = ", ".join(f"*({kind}*)a[{i}]" for i, kind in enumerate(types))
        body = source.partition(f"void {name}(")[2].partition('extern "C"')[0]
        run = "run_together" if "__shared__" in body else "run_one_by_one"
        yield (f'extern "C" int {space}_{name}(unsigned grid, unsigned block, '
               'int backwards, void** a)\n' f"{{ return {run}(grid, block, backwards, "
               f"[&] {{ {space}::{name}({arguments}); }}); }}\n")


@cache
def _compiler():
    """The command, which has read the shim already: that is most of the work for one kernel."""
    folder = tempfile.TemporaryDirectory(prefix="minialex-cuda-")
    header = shutil.copy(SHIM, folder.name)
    command = [gpp(), "-O1", "-std=c++17", "-shared", "-fPIC", "-ffp-contract=off", "-Wall",
               "-Wextra", "-Werror"]
    subprocess.run([*command, "-x", "c++-header", header], check=True)
    return folder, [*command, "-include", header]


@cache
def library(sources):
    """Compile the tuple of CUDA sources, each in a namespace of its own (s0, s1, ...). Returns the
    loaded library."""
    folder = Path(tempfile.mkdtemp(prefix="minialex-cuda-"))
    text = []
    for number, source in enumerate(sources):
        body = source.replace('extern "C" __global__', "__global__")
        text.append(f"namespace s{number} {{\n{body}\n}}\n"
                    + "".join(_launchers(source, f"s{number}")))
    (folder / "kernels.cpp").write_text("\n".join(text))
    built = subprocess.run([*_compiler()[1], "kernels.cpp", "-o", "kernels.so"], cwd=folder,
                           capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    loaded = ctypes.CDLL(str(folder / "kernels.so"))
    shutil.rmtree(folder)
    return loaded


def launch(sources, source, name, grid, block, arguments, backwards=False):
    """Run one kernel. `arguments`: NumPy arrays for pointers, NumPy scalars for the rest, of the
    declared types."""
    kinds = parameters(source)[name]
    if len(kinds) != len(arguments):
        raise TypeError(f"{name} has {len(kinds)} parameters, got {len(arguments)}.")
    cells, pointers = [], []
    for position, ((kind, is_pointer), value) in enumerate(zip(kinds, arguments)):
        if isinstance(value, np.ndarray) != is_pointer or value.dtype != kind:
            raise TypeError(f"{name}: parameter {position} is {np.dtype(kind)}{' *' * is_pointer}, "
                            f"got {type(value).__name__} of {value.dtype}.")
        cell = ctypes.c_void_p(value.ctypes.data) if is_pointer else np.ctypeslib.as_ctypes_type(
            kind)(value)
        cells.append(cell)
        pointers.append(ctypes.cast(ctypes.byref(cell), ctypes.c_void_p))
    function = getattr(library(sources), f"s{sources.index(source)}_{name}")
    parted = function(grid, block, int(backwards), (ctypes.c_void_p * len(pointers))(*pointers))
    assert not parted, f"{name}: some threads of a block wait at a __syncthreads() that others never reach"  # noqa: E501
