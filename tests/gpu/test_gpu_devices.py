"""Which device is chosen, and what the user is told: without CuPy, without a GPU, with a broken
driver or half a CUDA."""
import os
import subprocess
import sys

import numpy as np
import pytest
import standin

from minialex import device as device_module
from minialex.device import resolve_device, to_device
from minialex.errors import UserError

INSTALL = "pip install -r requirements-gpu.txt"
NO_DRIVER = ("cudaErrorInsufficientDriver: CUDA driver version is insufficient for "
             "CUDA runtime version")


@pytest.fixture
def machine(monkeypatch):
    """machine(cupy, gpu=True): from now on this is what `import cupy` gives, and whether the system
    sees a card."""
    def make(cupy, gpu=False):
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi" if gpu else None)
        monkeypatch.setattr(device_module.os.path, "exists", lambda path: False)
    return make


def fake(**options):
    return standin.Cupy(standin.State(**options))


def raising(error):
    def function(*args, **kwargs):
        raise error
    return function


def without_driver():
    """Today's CuPy on a machine without a GPU: it imports, and the first question to the driver
    fails."""
    cupy = fake()
    cupy.cuda.runtime.getDeviceCount = raising(standin.CUDARuntimeError(NO_DRIVER))
    return cupy


def driver_fails_later():
    """The driver answers, but nothing can be computed: its version is older than the libraries."""
    cupy = fake()
    cupy.call = raising(standin.CUDARuntimeError(NO_DRIVER))
    return cupy


def without_cublas():
    cupy = fake()
    cupy.call = raising(ImportError("libcublas.so.12: cannot open shared object file: "
                                    "No such file or directory\n(more)"))
    return cupy


def wrong_numbers():
    cupy = fake()
    cupy.call = lambda name, *rest: 63.0 if name == "ndarray.sum" else standin.Cupy.call(cupy, name,
                                                                                         *rest)
    return cupy


BROKEN = {
    "CuPy is not installed": (lambda: None, "CuPy is not installed"),  # None in sys.modules makes import fail  # noqa: E501
    "no GPU": (without_driver, f"CuPy is installed but cannot use a GPU: {NO_DRIVER}"),
    "no device": (lambda: fake(devices=0), "CuPy sees 0 GPUs"),
    "old driver": (driver_fails_later, f"CuPy is installed but cannot use a GPU: {NO_DRIVER}"),
    "no cuBLAS": (without_cublas, "cannot use a GPU: libcublas.so.12: "
                  "cannot open shared object file"),
    "wrong numbers": (wrong_numbers, "the GPU computed 63.0 where 64 is right"),
}


@pytest.mark.parametrize("has_gpu", [False, True], ids=["laptop", "with a GPU"])
@pytest.mark.parametrize("case", BROKEN)
def test_auto_falls_back_to_the_cpu_and_says_why(machine, case, has_gpu):
    make, reason = BROKEN[case]
    machine(make(), gpu=has_gpu)
    device = resolve_device("auto")
    assert device.name == "cpu"
    assert device.why.startswith("device: cpu") and "\n" not in device.why
    assert reason in device.why
    assert (INSTALL
            in device.why) == has_gpu, "the command is for machines with a GPU that lies idle"


@pytest.mark.parametrize("has_gpu", [False, True], ids=["laptop", "with a GPU"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_gpu_that_was_asked_for_and_cannot_be_had_is_an_error(machine, case, has_gpu):
    make, reason = BROKEN[case]
    machine(make(), gpu=has_gpu)
    with pytest.raises(UserError) as caught:
        resolve_device("cuda")
    assert reason in str(caught.value) and INSTALL in str(caught.value) and "\n" not in str(
        caught.value)


def test_a_cupy_that_does_not_import_is_not_a_crash(machine, monkeypatch):
    machine(None)
    monkeypatch.setattr(device_module.importlib, "import_module",
                        raising(OSError("libcuda.so.1: file too short\nmore")))
    assert "CuPy cannot be imported: libcuda.so.1: file too short" in resolve_device("auto").why


def test_a_gpu_that_computes_is_chosen(machine):
    machine(fake())
    for asked in ("auto", "cuda", "cuda:0"):
        device = resolve_device(asked)
        assert device.name == "cuda:0"
        assert device.why == "device: cuda:0, Stand-in GPU"


def test_tf32_is_off_unless_asked_for(machine, monkeypatch):
    machine(fake())
    monkeypatch.setenv("CUPY_TF32", "0")
    monkeypatch.delenv("CUPY_TF32")
    assert "TF32" not in resolve_device("cuda").why
    assert "matrix products in TF32" in resolve_device("cuda", tf32=True).why
    assert os.environ["CUPY_TF32"] == "1"
    assert "TF32" not in resolve_device("cuda", tf32=False).why
    assert os.environ["CUPY_TF32"] == "0"


def test_tf32_is_set_before_the_first_matrix_product(machine, monkeypatch):
    """CuPy reads it then and never again."""
    cupy, seen = fake(), []
    machine(cupy)
    monkeypatch.setenv("CUPY_TF32", "0")
    monkeypatch.setattr(cupy, "call",
                        lambda name, *rest: seen.append((name, os.environ["CUPY_TF32"]))
                        or standin.Cupy.call(cupy, name, *rest))
    resolve_device("cuda", tf32=True)
    assert [value for name, value in seen if name == "ndarray.__matmul__"] == ["1"]


def test_the_chosen_gpu_is_the_current_one(machine):
    cupy = fake(devices=2)
    machine(cupy)
    assert resolve_device("cuda:1").name == "cuda:1"
    assert cupy.zeros(1).device.id == 1


def test_a_gpu_that_is_not_there(machine):
    machine(fake(devices=2), gpu=True)
    with pytest.raises(UserError, match="cuda:7.*CuPy sees 2 GPUs"):
        resolve_device("cuda:7")


def test_cpu_never_touches_cupy(machine, monkeypatch):
    machine(None, gpu=True)
    monkeypatch.setattr(device_module.importlib, "import_module",
                        raising(AssertionError("CuPy was imported")))
    assert resolve_device("cpu").name == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "CUDA", ""])
def test_unknown_names(machine, name):
    machine(fake())
    with pytest.raises(UserError, match="choose auto, cpu, cuda or cuda:n"):
        resolve_device(name)


@pytest.mark.parametrize("tool, driver, present", [("/usr/bin/nvidia-smi", False, True),
                                                   (None, True, True), (None, False, False)])
def test_how_a_gpu_is_noticed(machine, monkeypatch, tool, driver, present):
    machine(None)
    monkeypatch.setattr("shutil.which", lambda name: tool if name == "nvidia-smi" else None)
    monkeypatch.setattr(device_module.os.path, "exists",
                        lambda path: driver and path.startswith("/proc/driver/nvidia"))
    assert (INSTALL in resolve_device("auto").why) == present


def test_the_real_cupy_without_a_gpu(device):
    """Not a stand-in: CuPy as pip installs it, on a machine without a GPU."""
    cupy = pytest.importorskip("cupy",
                               reason="CuPy is not installed (pip install -r requirements.txt)")
    try:
        cupy.zeros(1)
    except Exception:  # what is raised is not the point
        pass
    else:
        pytest.skip("this machine has a GPU that works")
    chosen = resolve_device("auto")
    assert chosen.name == "cpu" and "CuPy is installed but cannot use a GPU" in chosen.why
    assert np.asarray(to_device(np.ones(2), "cpu")).sum() == 2


def test_importing_minialex_does_not_import_cupy():
    code = "import sys, minialex; sys.exit('cupy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """wheels("cupy-cuda13x", ...): from now on CuPy is installed by these names and no others."""
    def install(*names):
        for name in names:
            folder = tmp_path / f"{name.replace('-', '_')}-14.0.0.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: "
                                             "14.0.0\n")
        monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return install


@pytest.mark.parametrize("name", ["cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x"])
def test_any_cupy_that_works_is_used(machine, wheels, name):
    machine(fake(), gpu=True)
    wheels(name)
    assert resolve_device("auto").why.startswith(
        "device: cuda:0") and "side by side" not in resolve_device("auto").why


def test_another_cupy_that_does_not_work_is_removed_first(machine, wheels):
    machine(without_driver(), gpu=True)
    wheels("cupy-cuda13x")
    assert f"pip uninstall -y cupy-cuda13x && {INSTALL}" in resolve_device("auto").why


@pytest.mark.parametrize("make", [fake, without_driver])
def test_two_wheels_side_by_side_are_named(machine, wheels, make):
    machine(make(), gpu=True)
    wheels("cupy-cuda13x", "cupy-cuda12x")
    why = resolve_device("auto").why
    assert why.count("cupy-cuda12x and cupy-cuda13x are installed side by side and "
                     "break each other") == 1
    assert why.count(f"pip uninstall -y cupy-cuda12x cupy-cuda13x && {INSTALL}") == 1
