"""Two machines on one: Linux network namespaces joined by a virtual cable, as root. For
benchmarks/scaling.py and the tests.

Each has its own host name and its own /dev/shm; MPICH is told to use TCP alone, or it would quietly
use shared memory.
"""
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

NAMES, CABLES, ADDRESSES = ("mlx1", "mlx2"), ("mlxv1", "mlxv2"), ("10.77.0.1", "10.77.0.2")
LAUNCHER = """#!/bin/bash
while [ "${1#-}" != "$1" ]; do shift; done  # what is meant for ssh
number=${1##*.}; shift
exec ip netns exec mlx$number unshare -u -i -m bash -c "hostname host$number
mount -t tmpfs none /dev/shm
export UCX_TLS=tcp,self UCX_NET_DEVICES=mlxv$number
export FI_PROVIDER=tcp FI_TCP_IFACE=mlxv$number HYDRA_IFACE=mlxv$number; $*"
"""


def missing() -> str | None:
    """Why there can be no two machines here, or None."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    absent = [name for name in ("ip", "tc", "unshare") if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} is not installed"
    tried = subprocess.run(["ip", "netns", "add", "mlxtry"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", "mlxtry"], capture_output=True)
    return (None if tried.returncode == 0 else "network namespaces are not allowed: "
            f"{tried.stderr.strip()}")


class Hosts:
    """The two machines. `mpiexec(count)` is how to start so many processes, one here and one there
    in turn."""

    def __init__(self, launcher: Path) -> None:
        self.launcher = launcher

    def mpiexec(self, program: str, count: int) -> list[str]:
        return ["ip", "netns", "exec", NAMES[0], program, "-launcher", "ssh", "-launcher-exec",
                str(self.launcher), "-hosts", ",".join(ADDRESSES), "-ppn", "1", "-n", str(count)]

    def throttle(self, rate: str) -> None:
        """Let no more than this through the cable in each direction, such as 1gbit."""
        for name, cable in zip(NAMES, CABLES):
            _run("ip", "netns", "exec", name, "tc", "qdisc", "replace", "dev", cable, "root", "tbf",
                 "rate", rate, "burst", "256kb", "latency", "50ms")

    def cut(self) -> None:
        """Pull the plug."""
        _run("ip", "netns", "exec", NAMES[0], "ip", "link", "set", CABLES[0], "down")

    def bytes_sent(self) -> int:
        """What has gone through the cable in both directions."""
        table = subprocess.run(["ip", "netns", "exec", NAMES[0], "cat", "/proc/net/dev"],
                               capture_output=True, text=True).stdout
        row = next(line for line in table.splitlines()
                   if CABLES[0] in line).partition(":")[2].split()
        return int(row[0]) + int(row[8])


@contextmanager
def two_hosts():
    """Make them, and take them away."""
    folder = Path(tempfile.mkdtemp(prefix="minialex-hosts-"))
    launcher = folder / "launch"
    launcher.write_text(LAUNCHER)
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
    try:
        _remove()
        for name in NAMES:
            _run("ip", "netns", "add", name)
        _run("ip", "link", "add", CABLES[0], "type", "veth", "peer", "name", CABLES[1])
        for name, cable, address in zip(NAMES, CABLES, ADDRESSES):
            _run("ip", "link", "set", cable, "netns", name)
            _run("ip", "netns", "exec", name, "ip", "addr", "add", f"{address}/24", "dev", cable)
            for device in (cable, "lo"):
                _run("ip", "netns", "exec", name, "ip", "link", "set", device, "up")
        yield Hosts(launcher)
    finally:
        _remove()
        shutil.rmtree(folder)


def _remove():
    for name in NAMES:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def _run(*command):
    subprocess.run(command, check=True, capture_output=True)
