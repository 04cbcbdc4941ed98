"""Real processes, started by mpiexec: the same bytes for any number of them, and an end instead of
a wait when one fails."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minialex.errors import UserError
from minialex.parallel import ranks
from minialex.parallel.ranks import Ranks
from minialex.parallel.sums import TreeSum, whole_sum

ROOT = Path(__file__).parents[2]
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent),
                                                        os.environ.get("PATH", "")]))
OPTIONS = ("--variant lenet5 --batch-size 10 --lr 0.05 --epochs 2 --shards 4 --save-every "
           "2steps --device cpu".split())


def _mpi4py():
    try:
        import mpi4py
    except ImportError:
        return None
    return mpi4py


needs_mpi = pytest.mark.skipif(MPIEXEC is None or _mpi4py() is None,
                               reason="needs mpiexec and mpi4py: pip install mpi4py mpich")


def start(count, *arguments, runner=("-m", "mpi4py")):
    command = [MPIEXEC, "-n", str(count), sys.executable, *runner, "-m", "minialex.train",
               *map(str, arguments)]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "MINIALEX_THREADS": "1"}
    STARTED.append(subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True,
                                    text=True, encoding="utf-8", stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT))
    return STARTED[-1]


STARTED = []


@pytest.fixture(autouse=True)
def none_is_left():
    yield
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.communicate()


def ended(process, seconds=120):
    """(exit status, the lines that minialex says on stderr)"""
    said, _ = process.communicate(timeout=seconds)
    return process.returncode, [line for line in said.splitlines()
                                if line.startswith("minialex.train: ")], said


def learnt(run):
    """Everything that a run has learnt, as bytes."""
    with np.load(run / "checkpoint-last.npz") as arrays:
        numbers = {name: arrays[name].tobytes() for name in arrays.files
                   if name.startswith(("model/", "velocity/"))}
    return numbers | {"metrics": (run / "metrics.csv").read_bytes()}


def the_one_with(rank, process):
    """The process number of the MPI process `rank` that this mpiexec has started, once its
    checkpoint-last.npz is there."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            session = (folder / "stat").read_text().rpartition(")")[2].split()[3]
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if (f"PMI_RANK={rank}".encode() in environment and b"minialex.train" in command
            and _ancestor(folder, process.pid)):
            return int(folder.name)
    raise AssertionError(f"no process {rank} ({session})")


def _ancestor(folder, wanted):
    number = int(folder.name)
    while number > 1:
        number = int((Path("/proc") / str(number)
                      / "stat").read_text().rpartition(")")[2].split()[1])
        if number == wanted:
            return True
    return False


def wait_for(path, after=0, seconds=100):
    """Until a file has been written, later than at the time `after`."""
    end = time.monotonic() + seconds
    while not path.exists() or path.stat().st_mtime_ns <= after:
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.05)
    return path.stat().st_mtime_ns


@pytest.fixture(scope="module")
def alone(pictures, tmp_path_factory):
    """The folder of a run of one process."""
    out = tmp_path_factory.mktemp("alone") / "run"
    subprocess.run([sys.executable, "-m", "minialex.train", "--data", pictures, *OPTIONS, "--out",
                    out], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return out


@needs_mpi
@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.long)])
def test_any_number_of_processes_ends_with_the_same_bytes(count, alone, pictures, tmp_path):
    status, said, text = ended(start(count, "--data", pictures, *OPTIONS, "--out",
                                     tmp_path / "run"))
    assert status == 0, text
    assert learnt(tmp_path / "run") == learnt(alone)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == sorted(
        path.name for path in alone.iterdir())


HARD = ["--schedule", "plateau", "--class-weights", "1,2,3", "--dropout", "0.3", "--accumulate",
        "2", "--warmup", "3"]


@needs_mpi
@pytest.mark.long
@pytest.mark.parametrize("more", [HARD, [*HARD, "--parallel", "hybrid", "--shards", "3"]],
                         ids=["data", "hybrid"])
def test_with_everything_that_a_run_can_have(more, pictures, tmp_path):
    for count in (1, 3):
        status, said, text = ended(start(count, "--data", pictures, *OPTIONS, *more, "--out",
                                         tmp_path / f"run{count}"))
        assert status == 0, text
    assert learnt(tmp_path / "run1") == learnt(tmp_path / "run3")


@needs_mpi
@pytest.mark.long
def test_a_new_layer_starts_with_the_same_weights(alone, pictures, tmp_path):
    """It is scaled by the first pictures, of which a process has more or less."""
    others = shutil.copytree(pictures, tmp_path / "others")
    for folder in others.rglob("leaves"):
        shutil.rmtree(folder)
    for count in (1, 3):
        run = tmp_path / f"run{count}"
        status, said, text = ended(start(count, "--data", others, "--init", alone, *OPTIONS[2:],
                                         "--out", run))
        assert status == 0 and "it keeps its initial values" in text, text
    assert learnt(tmp_path / "run1") == learnt(tmp_path / "run3")


@needs_mpi
@pytest.mark.long
def test_what_frozen_layers_make_of_pictures_is_shared(alone, pictures, tmp_path):
    for count in (1, 3):
        status, said, text = ended(start(count, "--data", pictures, "--init", alone, "--freeze",
                                         "conv", *OPTIONS[2:], "--out", tmp_path / f"run{count}"))
        assert status == 0, text
    assert learnt(tmp_path / "run1") == learnt(tmp_path / "run3")


ENDLESS = [*OPTIONS, "--schedule", "constant", "--parallel", "hybrid", "--shards", "3", "--epochs",
           "5000"]


@needs_mpi
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes in /proc")
def test_a_run_whose_processes_are_killed_goes_on_with_another_number(pictures, tmp_path):
    run, written = tmp_path / "run", 0
    for count, rank, arguments in (2, 1, ["--data", pictures, *ENDLESS, "--out",
                                          run]), (3, 0, ["--resume", run]):
        process = start(count, *arguments)
        written = wait_for(run / "checkpoint-last.npz", written)
        os.kill(the_one_with(rank, process), signal.SIGKILL)
        status, said, text = ended(process, 30)
        assert status != 0 and len(said) <= 1, text
        # the launcher may kill the others before they can say why (not in test_lifeline.py)
        if said:
            assert f"process {rank} on " in said[0] and "was killed" in said[
                0] and f"--resume {run}" in said[0]
        else:
            assert "signal 9" in text
    goes_on_to_the_same_bytes(tmp_path, 1, pictures)


@needs_mpi
def test_ctrl_c_saves_and_the_run_goes_on(pictures, tmp_path):
    process = start(2, "--data", pictures, *ENDLESS, "--out", tmp_path / "run")
    wait_for(tmp_path / "run" / "metrics.csv")
    process.send_signal(signal.SIGINT)
    status, said, text = ended(process, 60)
    assert status == 130 and len(said) == 1 and "stopped and saved" in said[0], text
    goes_on_to_the_same_bytes(tmp_path, 3, pictures)


def goes_on_to_the_same_bytes(folder, count, pictures):
    """As if it had not been ended: `run` in the folder, which is ENDLESS, goes on to a few more
    epochs than it has."""
    epochs = len((folder / "run" / "metrics.csv").read_text().splitlines()) + 2
    for arguments in ["--resume", folder / "run"], ["--data", pictures, *ENDLESS, "--out",
                                                    folder / "whole"]:
        status, said, text = ended(start(count, *arguments, "--epochs", epochs))
        assert status == 0, text
    assert learnt(folder / "run") == learnt(folder / "whole")


@needs_mpi
@pytest.mark.parametrize("count, arguments, said", [
    (3, ["--shards", "2"], "--shards 2 gives work to 2 of the 3 processes"),
    (2, ["--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
    (2, ["--data", "nowhere"], "there is no folder nowhere"),
    pytest.param(2, ["--batch-size", "3"], "--shards 4 cannot cut a batch of 3 pictures",
                 marks=pytest.mark.long),
    pytest.param(2, ["--dry-run"], "--dry-run tries out one process", marks=pytest.mark.long),
    pytest.param(2, ["--parallel", "hybrid"],
                 "hybrid cuts fully connected layers into 4 groups of units, and one has 3",
                 marks=pytest.mark.long),
])
def test_a_mistake_is_said_once(count, arguments, said, pictures, tmp_path):
    status, lines, text = ended(start(count, "--data", pictures, *OPTIONS, "--out",
                                      tmp_path / "run", *arguments))
    assert status == 2 and len(lines) == 1 and said in lines[0], text


@needs_mpi
def test_without_the_runner_it_says_how_to_start(pictures, tmp_path):
    status, lines, text = ended(start(2, "--data", pictures, *OPTIONS, "--out", tmp_path / "run",
                                      runner=()))
    assert status == 2 and len(
        lines) == 1 and "mpiexec -n 2 python -m mpi4py -m minialex.train" in lines[0], text


def test_one_process_imports_nothing_of_mpi():
    code = ("import sys, minialex.training; from minialex.parallel.ranks import world; assert "
            "world() is None; assert not any(name.startswith('mpi4py') for name in sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_without_mpi4py_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "4")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(UserError, match=r"4 processes, and mpi4py is missing: "
                       r"pip install 'minialex\[mpi\]'"):
        ranks.world()


@needs_mpi
@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 1])
def test_what_fails_in_one_process_ends_all_with_its_sentence(rank, pictures, tmp_path):
    status, said, text = ended(start(2, "--data", pictures, *OPTIONS, "--out", tmp_path / "run",
                                     runner=("-c", FAILING.format(rank=rank), "-m", "mpi4py")))
    assert status == 2 and len(said) == 1 and f"process {rank} on " in said[
        0] and "No space left on device" in said[0], text


FAILING = """
import runpy, sys
from minialex.training.loop import Trainer

def step(trainer, *batch):
    if trainer.batch == 1 and trainer.ranks.rank == {rank}:
        raise OSError(28, "No space left on device", "pictures")
    return before(trainer, *batch)

from minialex.training.shared import SharedTrainer as Shared
before, Shared.step = Shared.step, step
sys.argv = sys.argv[2:]
runpy.run_module("mpi4py", run_name="__main__", alter_sys=True)
"""


@needs_mpi
@pytest.mark.long
def test_other_commands_are_for_one_process(alone):
    process = subprocess.run([MPIEXEC, "-n", "2", sys.executable, "-m", "minialex.evaluate", alone],
                             cwd=ROOT, text=True, capture_output=True)
    said = [line for line in process.stderr.splitlines() if line.startswith("minialex")]
    assert process.returncode == 2 and said == ["minialex.evaluate: evaluate is work for one "
                                                "process: leave out mpiexec."]


class Cards:
    """NCCL of two processes that have the same to give: this one is process 0."""

    def all_to_all(self, sent, received):
        received[...] = sent[0]

    def all_gather(self, sent, received, count):
        assert count == sent.size
        received[...] = sent


def test_arrays_of_a_gpu_go_through_nccl(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tests" / "gpu")
    import standin

    cupy, ranks = standin.install(monkeypatch), Ranks(2)
    ranks.size, ranks.cards = 2, Cards()
    ranks.cut(2)
    mine = cupy.asarray(np.arange(6, dtype=np.float32).reshape(3, 2))
    assert ranks.gather_rows(mine, [slice(0, 3), slice(3, 5)]).get().tolist() == [[0, 1], [2, 3],
                                                                                  [4, 5], [0, 1],
                                                                                  [2, 3]]
    tree = TreeSum(2)
    tree.put(0, 1, mine)
    # its first half, twice, from both
    assert whole_sum(tree, ranks).get().tolist() == [[0, 2], [4, 0], [2, 4]]
    assert ranks.bytes_sent == 24 + 12 + 12


def test_a_mistake_is_raised_as_it_is_when_alone():
    with pytest.raises(UserError, match="^wrong$"), Ranks().together():
        raise UserError("wrong")
