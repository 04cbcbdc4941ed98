"""Training on a GPU, or on the strict stand-in for one: every array stays where it belongs, and no
step waits for the device."""

import gc
import json
import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from short import first
from small_runs import OPTIONS, Listener

from minialex import models, nn
from minialex.cli import train as command
from minialex.errors import OutOfMemory, UserError
from minialex.training import Interrupted, run
from minialex.training.checkpoint import load
from minialex.training.memory_estimate import memory
from minialex.utils import console

sys.path.insert(0, str(Path(__file__).parents[1] / "gpu"))


@pytest.fixture
def cupy(monkeypatch):
    import cuda_on_cpu
    import standin

    if cuda_on_cpu.gpp() is None:
        pytest.skip("running CUDA kernels on the CPU needs g++")
    return standin.install(monkeypatch)


def test_a_run_on_the_gpu_learns_what_the_cpu_learns(cupy, finished, pictures, tmp_path):
    path, _ = finished
    listener = Listener()
    trainer = run(OPTIONS | {"data": str(pictures), "epochs": 4, "device": "cuda",
                             "out": str(tmp_path / "gpu")}, listener)
    assert trainer.device == "cuda:0" and "device   cuda:0" in listener.text
    assert cupy.state.reserved == [(0, memory(trainer.experiment))]  # the driver is asked once
    ours, theirs = load(path / "checkpoint-last.npz")[0], load(tmp_path / "gpu"
                                                               / "checkpoint-last.npz")[0]
    for name, array in ours.items():
        assert theirs[name] == pytest.approx(array, abs=1e-3), name


def test_no_step_waits_for_the_device(cupy, pictures, tmp_path):
    """The first step looks at its loss, and one in twenty."""
    waits = []
    listener = Listener(lambda steps: waits.append(len(cupy.state.waits)))
    run(OPTIONS | {"data": str(pictures), "batch_size": 4, "epochs": 1, "device": "cuda",
                   "out": str(tmp_path / "gpu")}, listener)
    assert len(waits) == 9 and np.diff(waits).tolist() == [0] * 8


def test_a_run_on_the_gpu_goes_on_where_it_stopped(cupy, pictures, tmp_path):
    def die(steps):
        if steps == 6:
            raise MemoryError

    options = OPTIONS | {"data": str(pictures), "epochs": 2, "device": "cuda"}
    run(options | {"out": str(tmp_path / "whole")}, Listener())
    with pytest.raises(MemoryError):
        run(options | {"out": str(tmp_path / "killed")}, Listener(die))
    run({"resume": str(tmp_path / "killed")}, Listener())
    assert (tmp_path / "killed" / "metrics.csv").read_bytes() == (tmp_path / "whole"
                                                                  / "metrics.csv").read_bytes()
    whole, killed = (load(tmp_path / name / "checkpoint-last.npz")[0]
                     for name in ("whole", "killed"))
    assert all((whole[name] == killed[name]).all() for name in whole)


@pytest.mark.long
def test_tf32_is_a_setting_of_the_run(cupy, pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("CUPY_TF32", "0")
    options = OPTIONS | {"data": str(pictures), "epochs": 1, "device": "cuda"}
    listener = Listener()
    run(options | {"tf32": True, "out": str(tmp_path / "fast")}, listener)
    assert "matrix products in TF32" in " ".join(listener.text.split())
    assert json.loads((tmp_path / "fast" / "config.json").read_text())["settings"]["tf32"] is True
    run(options | {"out": str(tmp_path / "exact")}, Listener())
    assert os.environ["CUPY_TF32"] == "0"
    run({"resume": str(tmp_path / "fast")}, Listener())
    assert os.environ["CUPY_TF32"] == "1"
    with pytest.raises(UserError, match="tf32 False, not True"):
        run({"resume": str(tmp_path / "exact"), "tf32": True}, Listener())


@pytest.mark.long
def test_dropout_goes_on_in_mid_epoch_with_the_same_masks(cupy, pictures, tmp_path, monkeypatch):
    """LeNet-5 has no dropout, so a layer of it is put in here."""
    original = models.build

    def with_dropout(*arguments, **options):
        model = original(*arguments, **options)
        model.tanh4 = nn.Sequential(nn.Tanh(), nn.Dropout(0.5))
        return model

    def stop(steps):
        if steps == 6:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(models, "build", with_dropout)
    options = OPTIONS | {"data": str(pictures), "epochs": 2, "device": "cuda"}
    run(options | {"out": str(tmp_path / "whole")}, Listener())
    with pytest.raises(Interrupted):
        run(options | {"out": str(tmp_path / "stopped")}, Listener(stop))
    run({"resume": str(tmp_path / "stopped")}, Listener())
    whole, stopped = (load(tmp_path / name / "checkpoint-last.npz")[0]
                      for name in ("whole", "stopped"))
    assert all((whole[name] == stopped[name]).all() for name in whole)


# -------------------------------------------------------------------------------- too large a batch


def train_within(cupy, pictures, out, room, batch_size, capsys):
    """(exit status, what was said on stderr) of the training command with this much GPU memory."""
    gc.collect()
    cupy.state.memory = cupy.state.in_use + room
    capsys.readouterr()
    status = command.main(["--data", str(pictures), "--variant", "lenet5", "--device", "cuda",
                           "--epochs", "1", "--val-images", "1", "--batch-size", str(batch_size),
                           "--out", str(out)])
    return status, capsys.readouterr().err


@pytest.mark.parametrize("room", first(1, [1_200_000, 1_800_000, 2_600_000]))
def test_the_batch_that_is_said_to_fit_fits(cupy, pictures, tmp_path, capsys, room):
    status, said = train_within(cupy, pictures, tmp_path / "large", room, 36, capsys)
    assert status == 2 and said.startswith("minialex.train: the GPU's memory is too small for a "
                                           "batch of 36: ")
    assert said.count("\n") == 1 and "Traceback" not in said
    needed, free, in_use = (int(n.replace(",", ""))
                            for n in re.findall(r"([\d,]+) (?:bytes|are|in use)", said))
    assert free < needed and free + in_use == cupy.state.memory
    fits = int(re.search(r"a batch of about (\d+) would fit \(--batch-size \1\)", said)[1])
    assert 1 <= fits < 36
    assert train_within(cupy, pictures, tmp_path / "right", room, fits, capsys) == (0, "")
    status, _ = train_within(cupy, pictures, tmp_path / "twice", room, 2 * fits + 2, capsys)
    assert status == 2, "twice as many fit as well: the advice wastes half the memory"


def test_a_gpu_too_small_for_one_picture(cupy, pictures, tmp_path, capsys):
    status, said = train_within(cupy, pictures, tmp_path / "run", 760_000, 8, capsys)
    assert status == 2 and "not even one picture fits, or run with --device cpu" in said


def test_a_command_without_memory_says_so_in_one_line(capsys):
    def fails(error):
        raise error
    assert console.run("minialex.x", lambda: fails(MemoryError("Unable to allocate 9 GiB"))) == 2
    assert console.run("minialex.x", lambda: fails(OutOfMemory("the GPU has no room"))) == 2
    assert capsys.readouterr().err == ("minialex.x: the memory is too small: Unable to allocate 9 "
                                       "GiB.\nminialex.x: the GPU has no room.\n")
