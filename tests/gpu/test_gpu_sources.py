"""Every CUDA source compiles for every GPU from Turing to Blackwell: NVRTC needs no GPU for
that."""
import re

import pytest

ARCHITECTURES = ("sm_75", "sm_80", "sm_90", "sm_120")


@pytest.fixture(scope="module")
def nvrtc():
    """CuPy's door to the CUDA compiler, or a skip that says what is missing."""
    pytest.importorskip("cupy", reason="CuPy is not installed (pip install -r requirements.txt)")
    from cupy_backends.cuda.libs import nvrtc
    try:
        nvrtc.getVersion()
    except Exception as error:  # the class depends on what exactly is missing
        pytest.skip("NVRTC is not installed (pip install nvidia-cuda-nvrtc-cu12): "
                    f"{str(error).splitlines()[0]}")
    return nvrtc


@pytest.fixture(scope="module")
def sources():
    pytest.importorskip("cupy", reason="CuPy is not installed (pip install -r requirements.txt)")
    from minialex.fast import gpu
    return gpu


def compile_to_ptx(nvrtc, source, architecture):
    """(PTX, compiler's remarks)"""
    program = nvrtc.createProgram(source, "kernels.cu", [], [])
    try:
        nvrtc.compileProgram(program, [f"--gpu-architecture={architecture}", "--std=c++17"])
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program))
    ptx = nvrtc.getPTX(program)
    return ptx.decode() if isinstance(ptx,
                                      bytes) else ptx, nvrtc.getProgramLog(program).strip("\0\n ")


@pytest.mark.parametrize("index", ["int", "long long"])
@pytest.mark.parametrize("real", ["float", "double"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_compiles(nvrtc, sources, architecture, real, index):
    ptx, remarks = compile_to_ptx(nvrtc, sources.source(real, index), architecture)
    assert remarks == ""
    assert set(re.findall(r"\.entry (\w+)", ptx)) == set(sources.KERNELS)
    assert not re.search(r"\b(atom|red)\.",
                         ptx), "an atomic operation: the order of additions would depend on luck"
    if real == "float":
        assert ".f64" not in ptx, "double arithmetic in a float kernel: 32 to 64 times slower on most cards"  # noqa: E501


@pytest.mark.parametrize("real", ["float", "double"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tiles_compile(nvrtc, sources, architecture, real):
    from minialex.fast import gpu_winograd, winograd
    for tile in winograd.POINTS:
        ptx, remarks = compile_to_ptx(nvrtc, sources.source(real, "int", gpu_winograd.body(*tile)),
                                      architecture)
        assert remarks == ""
        assert {"winograd_columns", "winograd_pixels",
                "winograd_output"} <= set(re.findall(r"\.entry (\w+)", ptx))
        assert not re.search(r"\b(atom|red)\.", ptx), "an atomic operation"
        assert ".local" not in ptx, f"a tile of {tile} does not stay in registers"
        assert real == "double" or ".f64" not in ptx, "double arithmetic in a float kernel"


def test_a_typo_would_be_found(nvrtc, sources):
    with pytest.raises(pytest.fail.Exception, match="undefined"):
        compile_to_ptx(nvrtc, sources.source("float", "int").replace("sum +=", "summ +=", 1),
                       "sm_90")


def test_the_compiler_gets_ascii(sources):
    assert sources.source("float", "int").isascii()
