"""Two machines, joined by a cable: the same bytes over it, and an end when it is cut."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from test_ranks import MPIEXEC, OPTIONS, ROOT, learnt, needs_mpi

sys.path.append(str(ROOT / "benchmarks"))
import namespaces  # noqa: E402

pytestmark = [needs_mpi, pytest.mark.long]


@pytest.fixture
def hosts():
    why = namespaces.missing()
    if why:
        pytest.skip(why)
    with namespaces.two_hosts() as found:
        yield found


def command(hosts, pictures, out, *more):
    return [*hosts.mpiexec(MPIEXEC, 2), sys.executable, "-m", "mpi4py", "-m", "minialex.train",
            "--data", str(pictures), *OPTIONS, "--out", str(out), *more]


def test_bytes_are_equal_and_gradients_go_through_the_cable(hosts, pictures, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MINIALEX_THREADS": "1"}
    subprocess.run([sys.executable, "-m", "minialex.train", "--data", str(pictures), *OPTIONS,
                    "--out", str(tmp_path / "one")], cwd=ROOT, env=environment, check=True,
                   capture_output=True)
    done = subprocess.run(command(hosts, pictures, tmp_path / "two"), cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "2 processes on 2 machines" in done.stdout, done.stdout + done.stderr  # noqa: E501
    assert learnt(tmp_path / "two") == learnt(tmp_path / "one")
    # LeNet-5 with three classes; each process gives half of 2 gradients
    steps, numbers = 2 * (36 // 10), 61_111
    assert hosts.bytes_sent() > 2 * steps * numbers * 4


def running(path):
    """The numbers of the processes that were started with this path."""
    lines = {file.parent.name: file for file in Path("/proc").glob("[0-9]*/cmdline")}
    found = []
    for pid, file in lines.items():
        with contextlib.suppress(OSError):  # one that has ended meanwhile
            found += [int(pid)] * (os.fsencode(path) in file.read_bytes())
    return found


def test_a_cut_cable_ends_the_run(hosts, pictures, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MINIALEX_THREADS": "1"}
    process = subprocess.Popen(command(hosts, pictures, tmp_path / "run", "--epochs", "2000"),
                               cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 60
    while not (tmp_path / "run" / "metrics.csv").exists() and time.monotonic() < end:
        time.sleep(0.1)
    threading.Timer(2, hosts.cut).start()
    said, _ = process.communicate(timeout=90)
    assert process.returncode != 0
    assert "process 1 on host2 has given no sign of life" in said and f"--resume {tmp_path / 'run'}" in said, said  # noqa: E501
    end = time.monotonic() + 30
    while (left := running(tmp_path / "run")) and time.monotonic() < end:
        time.sleep(0.2)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "the process behind the cut cable does not end"
    shutil.rmtree(Path(tmp_path / "run"))
