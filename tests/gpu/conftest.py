"""Fixtures for the tests of the GPU's code: on a GPU with `--device cuda`, otherwise on the
stand-in of standin.py."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import cuda_on_cpu  # noqa: E402
import standin  # noqa: E402


@pytest.fixture(scope="module")
def fake_cupy():
    """The stand-in, as the `cupy` that minialex finds, until the end of the test module."""
    if cuda_on_cpu.gpp() is None:
        pytest.skip("running CUDA kernels on the CPU needs g++")
    with pytest.MonkeyPatch.context() as patch:
        yield standin.install(patch)


@pytest.fixture(scope="module")
def cupy(device, request):
    """The real CuPy with `--device cuda`, the stand-in without."""
    if device == "cpu":
        return request.getfixturevalue("fake_cupy")
    return pytest.importorskip("cupy")


@pytest.fixture(scope="module")
def gpu(cupy):
    """The module under test, `minialex.fast.gpu`."""
    from minialex.fast import gpu
    return gpu


@pytest.fixture(scope="module")
def on_gpu(cupy, gpu):
    """Call a kernel with NumPy arrays: they are copied there, and what comes back is copied
    here."""
    import numpy as np

    def run(name, *arguments, **keywords):
        arguments = [cupy.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
        result = getattr(gpu, name)(*arguments, **keywords)
        return tuple(array.get() for array in result) if isinstance(result, tuple) else result.get()
    return run


@pytest.fixture(scope="module")
def cuda(cupy, device):
    """The name of the GPU under test."""
    return "cuda:0" if device == "cpu" else device
