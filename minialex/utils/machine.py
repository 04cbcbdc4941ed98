"""What this process may use of the machine: cores and main memory, as the operating system limits
them.

A container may be given half of a core and a tenth of the memory (cgroups, `docker --cpus 1.5 -m
2g`), a shell may limit its programs (`ulimit -v`), and a scheduler may bind them to some of the
cores. What is free is the least of all of these. Every function takes `root`, the folder that holds
proc/ and sys/, for tests.
"""
import _thread
import functools
import os
import sys
from typing import Any

from ..errors import UserError

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

THREADS = "MINIALEX_THREADS"

# What mpiexec (MPICH's, Open MPI's, one that speaks PMIx) tells a process, by what `launched` calls
# it.
_LAUNCHED = {"size": ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_SIZE"),
             "rank": ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK"),
             "local size": ("MPI_LOCALNRANKS", "OMPI_COMM_WORLD_LOCAL_SIZE"),
             "local rank": ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK")}


def launched(what: str) -> int:
    """Of the processes that mpiexec has started: their number ("size"), that of this one ("rank"),
    and both among those on this machine ("local size", "local rank"). Without mpiexec: 1 and 0."""
    told = [int(os.environ[name]) for name in _LAUNCHED[what]
            if os.environ.get(name, "").isdecimal()]
    return max(told, default=int(what.endswith("size")))

# ---------------------------------------------------------------------------- cores


def thread_count() -> int:
    """How many threads the CPU's kernels use: MINIALEX_THREADS, or the cores that this process may
    use; 1 where no thread starts.

    Raises UserError when MINIALEX_THREADS is no whole number of at least 1.
    """
    asked = os.environ.get(THREADS, "").strip()
    wanted = _whole(asked) if asked else cores()
    return wanted if wanted == 1 or threads_start() else 1


@functools.cache
def threads_start() -> bool:
    """Whether Python can start a thread: in a browser it cannot, nor where the system's limit is
    reached."""
    try:
        _thread.start_new_thread(int, ())
    except RuntimeError:
        return False
    return True


def blas() -> str:
    """Which library computes matrix products here, and for which CPU: products of another have
    other last digits."""
    from threadpoolctl import threadpool_info

    return ", ".join(f"{found['internal_api']} {found['version']} for "
                     f"{found.get('architecture', 'any CPU')}"
                     for found in threadpool_info() if found["user_api"] == "blas")


@functools.lru_cache(8)
def _whole(text):
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise UserError(f"{THREADS} is {text!r}: set it to a whole number of at least 1, "
                        "or unset it to use all cores.")
    return int(text)


def cores(root: Any = "/") -> int:
    """Cores that this process may run on: those it is bound to, and a quota of time rounded up (1.5
    cores keep 2 threads busy three quarters of the time)."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os,
                                                    "sched_getaffinity") else (os.cpu_count() or 1)
    quota = _quota(root)
    return bound if quota is None else max(1, min(bound, -int(-quota // 1)))


@functools.lru_cache(8)
def _quota(root):
    """Cores' worth of time that the process's groups may take, or None without a limit. Read once:
    every operation asks."""
    found = []
    for folder in _groups(root, "cpu"):
        whole, _, period = (_read(folder / "cpu.max") or "max").partition(" ")
        found.append(_ratio(whole, period or "100000"))
        found.append(_ratio(_read(folder / "cpu.cfs_quota_us"),
                            _read(folder / "cpu.cfs_period_us")))
    return min((quota for quota in found if quota), default=None)


def _ratio(time, period):
    time, period = _number(time), _number(period)
    return time / period if time and period else None


def _path(*parts):
    from pathlib import Path  # takes longer to import than this file

    return Path(*parts)


def processes_start() -> bool:
    """Whether this system has processes at all: Python in a browser is alone."""
    return sys.platform not in ("emscripten", "wasi")


# ---------------------------------------------------------------------------- memory


def memory_free(root: Any = "/") -> int | None:
    """Bytes of main memory that this process can still take, or None where nobody knows."""
    available = _available(root)
    rooms = [*([] if available is None else [available]), *_group_room(root), *_limit_room(root)]
    return max(0, min(rooms)) if rooms else None


def _available(root):
    for line in (_read(_path(root, "proc/meminfo")) or "").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable" and rest.split():
            return _number(rest.split()[0], 1024)
    return None


def _group_room(root):
    """What each group around the process has left. Its cache of files that were not used lately
    counts as free."""
    for folder in _groups(root, "memory"):
        for limit, used, cache in (("memory.max", "memory.current", "inactive_file"),
                                   ("memory.limit_in_bytes", "memory.usage_in_bytes",
                                    "total_inactive_file")):
            most, taken = _number(_read(folder / limit)), _number(_read(folder / used))
            if most is not None and taken is not None:
                rows = dict(line.partition(" ")[::2]
                            for line in (_read(folder / "memory.stat") or "").splitlines())
                yield most - taken + min(taken, _number(rows.get(cache)) or 0)


def _limit_room(root):
    """What the limits of a shell leave (ulimit -v, ulimit -d)."""
    sizes = (_read(_path(root, "proc/self/statm")) or "").split()
    if resource is None or len(sizes) < 6 or sys.platform != "linux":
        return
    page = resource.getpagesize()
    for kind, taken in ((resource.RLIMIT_AS, sizes[0]), (resource.RLIMIT_DATA, sizes[5])):
        most = resource.getrlimit(kind)[0]
        if most != resource.RLIM_INFINITY:
            yield most - _number(taken, page)


def memory_used() -> int | None:
    """The most bytes of main memory that this process has held so far, or None where nobody
    knows."""
    if resource is None:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


# ---------------------------------------------------------------------------- cgroups


def _groups(root, controller):
    """The folders of the groups that the process is in, of a controller such as "memory", innermost
    first.

    /proc/self/cgroup names a group by its path: "0::/a/b" (version 2) or "4:memory:/a/b" (version
    1). A container often sees its own group as the top of the tree, whatever the path says, so the
    top is always one of them.
    """
    for line in (_read(_path(root, "proc/self/cgroup")) or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            tops = ("sys/fs/cgroup", "sys/fs/cgroup/unified")
        elif controller in controllers.split(","):
            tops = (f"sys/fs/cgroup/{controllers}", f"sys/fs/cgroup/{controller}")
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for top in dict.fromkeys(tops):
            for length in range(len(parts), -1, -1):
                yield _path(root, top, *parts[:length])


def _read(path):
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return None


def _number(text, unit=1):
    """A whole number of at least 0, times its unit; None for anything else, such as "max" or
    "-1"."""
    return int(text) * unit if text and text.isascii() and text.isdecimal() else None
