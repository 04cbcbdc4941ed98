"""Cores and memory that this process may use: made-up /proc and /sys trees, and real limits of a
shell."""
import os
import subprocess
import sys

import pytest

from minialex import device
from minialex.errors import UserError
from minialex.utils import console, machine

GB = 1 << 30
NO_LIMIT_V1 = "9223372036854771712"


def tree(root, files):
    """Write {path: text} below root; proc/meminfo says that 8 GB are available unless it is
    given."""
    for path, text in ({"proc/meminfo": "MemTotal: 16777216 kB\nMemAvailable: "
                        f"{8 * GB // 1024} kB\n"} | files).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return root


@pytest.fixture
def many_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)


V2_MEMORY = {
    "proc/self/cgroup": "0::/box/job\n",
    "sys/fs/cgroup/box/job/memory.max": f"{3 * GB}\n",
    "sys/fs/cgroup/box/job/memory.current": f"{GB}\n",
    "sys/fs/cgroup/box/job/memory.stat": f"anon 5\ninactive_file {GB // 4}\nactive_file 9\n",
}
V1_MEMORY = {
    "proc/self/cgroup": "5:cpu,cpuacct:/box\n4:memory:/box\n0::/\n",
    "sys/fs/cgroup/memory/box/memory.limit_in_bytes": f"{2 * GB}\n",
    "sys/fs/cgroup/memory/box/memory.usage_in_bytes": f"{GB // 2}\n",
    "sys/fs/cgroup/memory/box/memory.stat": f"inactive_file 7\ntotal_inactive_file {GB // 8}\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": NO_LIMIT_V1,
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{5 * GB}",
}


@pytest.mark.parametrize("files, free", [
    ({}, 8 * GB),
    (V2_MEMORY, 2 * GB + GB // 4),
    (V2_MEMORY | {"sys/fs/cgroup/box/job/memory.max": "max"}, 8 * GB),
    # a group further out has less left
    (V2_MEMORY | {"sys/fs/cgroup/box/memory.max": f"{4 * GB}",
                  "sys/fs/cgroup/box/memory.current": f"{4 * GB - 10}"}, 10),
    # the group holds more than its limit, which was lowered meanwhile
    (V2_MEMORY | {"sys/fs/cgroup/box/job/memory.max": f"{GB // 2}"}, 0),
    (V1_MEMORY, GB + GB // 2 + GB // 8),
    # a container of version 1: the path is the host's, the container's own group is the top of what
    # it sees
    ({"proc/self/cgroup": "4:memory:/docker/0123abcd\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GB}",
      "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GB}"}, GB),
    # both versions at once, memory in the second
    ({"proc/self/cgroup": "1:name=systemd:/\n0::/box\n",
      "sys/fs/cgroup/unified/box/memory.max": f"{GB}",
      "sys/fs/cgroup/unified/box/memory.current": "0"}, GB),
    ({"proc/meminfo": "MemAvailable: 1000 kB\n"} | {k: v for k, v in V2_MEMORY.items()}, 1024000),
    # what cannot be read limits nothing
    (V2_MEMORY | {"sys/fs/cgroup/box/job/memory.max": "\x00garbage"}, 8 * GB),
    ({"proc/self/cgroup": "nonsense\n::::\n0::/../../..\n"}, 8 * GB),
])
def test_free_memory_is_what_is_left_of_the_groups(tmp_path, files, free):
    assert machine.memory_free(tree(tmp_path, files)) == free


def test_nobody_knows_without_proc(tmp_path):
    assert machine.memory_free(tmp_path) is None


@pytest.mark.parametrize("files, cores", [
    ({}, 16),
    ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "150000 100000"}, 2),
    ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "300000 100000"}, 3),
    ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "5000 100000"}, 1),
    ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "max 100000"}, 16),
    ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "9900000 100000"}, 16),
    ({"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/cpu.max": "200000 100000",
      "sys/fs/cgroup/a/b/cpu.max": "max 100000"}, 2),
    ({"proc/self/cgroup": "3:cpuset:/\n2:cpu,cpuacct:/box",
      "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "250000",
      "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000"}, 3),
    ({"proc/self/cgroup": "2:cpu,cpuacct:/gone", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 4),
    ({"proc/self/cgroup": "2:cpu:/", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 16),
])
def test_threads_follow_the_quota_of_time(tmp_path, many_cores, files, cores):
    assert machine.cores(tree(tmp_path, files)) == cores


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of Linux")
@pytest.mark.parametrize("limit", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_the_limit_of_a_shell_counts(limit):
    """ulimit -v, ulimit -d: an array of what is said to be free fits, but for a little; a larger
    one does not."""
    code = f"""
import resource
import numpy as np
from minialex.utils import machine
resource.setrlimit(resource.{limit}, (3 << 30, 3 << 30))
free = machine.memory_free()
assert 0 < free < 3 << 30, free
held = np.empty(free - (64 << 20), np.uint8)
assert machine.memory_free() < 65 << 20
del held
try:
    np.empty(free + (64 << 20), np.uint8)
except MemoryError:
    print("as said")
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "MINIALEX_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=environment)
    assert done.stdout == "as said\n", done.stderr


@pytest.mark.parametrize("value", ["0", "many", "-3", "2.5", "1e3", "२", "9" * 5000, "0x2"])
def test_a_thread_count_that_is_no_whole_number_is_a_sentence(monkeypatch, capsys, value):
    monkeypatch.setenv("MINIALEX_THREADS", value)
    with pytest.raises(UserError, match="MINIALEX_THREADS.*whole number of at least 1"):
        machine.thread_count()
    assert console.run("minialex.train", lambda: 0) == 2
    said = capsys.readouterr().err
    assert said.startswith("minialex.train: MINIALEX_THREADS is") and said.count("\n") == 1


@pytest.mark.parametrize("value, count", [("3", 3), (" 2 ", 2), ("1", 1), ("64", 64)])
def test_a_thread_count_is_taken(monkeypatch, value, count):
    monkeypatch.setenv("MINIALEX_THREADS", value)
    assert machine.thread_count() == count


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_thread_count_means_all_cores(monkeypatch, value):
    monkeypatch.setenv("MINIALEX_THREADS", value)
    assert machine.thread_count() == machine.cores()


def test_the_engine_asks_the_machine(monkeypatch):
    monkeypatch.setattr(machine, "memory_free", lambda: 123)
    monkeypatch.setattr(machine, "memory_used", lambda: 45)
    assert (device.memory_free("cpu"), device.memory_used("cpu")) == (123, 45)
