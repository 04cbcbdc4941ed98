"""The benchmarks' GPU paths on the stand-in: what they would do on a card, without its speed."""
import json
import sys
import types
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark(fake_cupy, monkeypatch):
    """benchmark("floors"): the module of that name."""
    monkeypatch.setenv("CUPY_TF32", "0")
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name):
        for each in ("floors", "sides", "step", "gpu"):
            monkeypatch.delitem(sys.modules, each, raising=False)
        return __import__(name)
    return load


def test_floors_of_a_gpu(benchmark, fake_cupy, monkeypatch):
    floors = benchmark("floors")
    monkeypatch.setattr(floors, "COPIED", 1 << 16)
    monkeypatch.setattr(floors, "MEASURE", 1e-4)
    options = types.SimpleNamespace(variant="lenet5", batch=3, classes=10, device="cuda", rounds=1,
                                    tf32=True)
    before = len(fake_cupy.state.waits)
    result = floors.run(options)
    assert len(fake_cupy.state.waits) > before + 20, "a GPU's layers are timed one by one: each has to be waited for"  # noqa: E501
    assert result["device"] == "cuda:0, Stand-in GPU, matrix products in TF32"
    text = floors.report(result)
    assert "TF32 on" in text and "90 epochs of ImageNet" in text
    json.dumps(result)


def test_a_side_measures_the_gpus_memory(benchmark, fake_cupy):
    sides = benchmark("sides")
    side = sides.Minialex({"batch": 2, "variant": "lenet5", "classes": 10, "device": "cuda",
                           "tf32": False, "forward": False, "channels": 1, "input": 32})
    side.step()
    side.wait()
    assert side.peak_bytes() == fake_cupy.state.in_use > 3 * 4 * 61_706, "weights, gradients and velocities at least"  # noqa: E501
    assert side.describe() == "minialex, CuPy standin, cuda, float32, no TF32"


def test_the_file_of_results_keeps_what_worked_and_names_what_failed(benchmark, fake_cupy,
                                                                     monkeypatch, tmp_path, capsys):
    gpu, commands = benchmark("gpu"), []
    results = [{"description": who, "images_per_second": speed,
                "seconds": 128 / speed, "spread": 0.01, "peak_GB": memory}
               for who, speed, memory in (("minialex", 6000, 3.0), ("PyTorch", 5000, 2.5))]

    def run(*command):
        commands.append(command)
        if "floors.py" in command[0]:
            raise gpu.Failed("something broke")
        return "....\n12 passed in 3.00s\n" if "pytest" in command else json.dumps(
            {"results": results})

    monkeypatch.setattr(gpu, "run", run)
    monkeypatch.setattr(fake_cupy.cuda.runtime, "runtimeGetVersion", lambda: 12090, raising=False)
    monkeypatch.setattr(gpu.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--out", str(tmp_path / "results.md")])
    assert gpu.main() == 1
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    for words in ("CuPy standin with CUDA 12.9", "`python -m pytest --device cuda`: 12 passed",
                  "## A training step, TF32 off", "## A training step, TF32 on",
                  "**1.20 x in speed, 1.20 x in memory.**", "something broke"):
        assert words in text, words
    assert [("--tf32" in c) for c in commands if "step.py" in c[0]] == [False, True]
    assert all("--device" in c and "cuda" in c for c in commands)
    assert "2 of its parts failed" in capsys.readouterr().out
