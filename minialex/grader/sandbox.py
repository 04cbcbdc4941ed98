"""A process for code that nobody trusts: what it may see, write and use up, and that nothing of it is left afterwards.

    with Process(command, visible=[folder], timeout=10, memory=2048) as process: ...       process.channel is its only way out

The strongest of three protections that this system offers is taken; `protection()` says which, in words:

    namespaces   its own file tree (read-only, without the tests, the results and other students' files), its own process
                 numbers, no network, and with administrator's rights an own user, too
    user         an own user without rights, and the limits
    process      an own process and the limits
"""
import collections
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from . import confine

LEVELS = ("namespaces", "user", "process")
CHOSEN = "MINIALEX_PROTECTION"  # names the strongest level that may be used: for tests
DISK = 64 * 2 ** 20  # bytes that may be written
PROCESSES, FILES, ENTRIES = 64, 256, 5000
PRINTED = 2000  # characters kept of what is printed
PACKAGE = Path(__file__).resolve().parents[1]
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store")
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "MPLBACKEND": "Agg",
               "MINIALEX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
               "PYTHONIOENCODING": "utf-8:replace"}
TOLD = {
    ("namespaces", True): "an own user, own file tree, own process numbers, no network, limits of time and memory",
    ("namespaces", False): "an own read-only file tree, own process numbers, no network, limits of time and memory",
    ("user", True): "an own user without rights, limits of time and memory",
    ("process", True): "an own process, limits of time and memory; this system offers no more",
    ("process", False): "an own process, limits of time and memory; this system offers no more"}


class Process:
    """Python code in a confined process.

    command: arguments of Python; "{channel}" in them becomes the number of the channel's descriptor. files: what was handed in,
    a file or a folder; the process gets a copy, besides Python, its packages and minialex. channel: a socket to it.
    """

    def __init__(self, command, files=None, timeout=10.0, memory=4096, level=None):
        self.level = level or best_level()
        self.root = tempfile.mkdtemp(prefix="minialex-")
        self.files = os.path.abspath(files) if files is not None else None
        self.copy = os.path.join(self.root, "files", os.path.basename(self.files)) if self.files else None
        if self.files and self.level != "process":
            os.chmod(self.root, 0o755)
            _copy(self.files, self.copy)
        ours, theirs = socket.socketpair()
        self.channel, self.kept, self.user = ours, bytearray(), _free_user()
        command = [sys.executable, *(text.format(channel=theirs.fileno()) for text in command)]
        environment = ENVIRONMENT if os.name == "posix" else {**os.environ, **ENVIRONMENT}
        if os.name == "posix":
            shown = [[path, path] for path in _seen()] + ([[self.copy, self.files]] if self.files else [])
            config = {"level": self.level, "parent": os.getpid(), "user": self.user, "disk": DISK,
                      "root": os.path.join(self.root, "tree"),
                      "folder": self.place(self.files if self.files and os.path.isdir(self.files) else "/"), "visible": shown,
                      "limits": _limits(self.level, timeout, memory), "command": command,
                      "environment": ENVIRONMENT}
            command = [sys.executable, "-I", "-S", confine.__file__, json.dumps(config)]
        self.running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        pass_fds=[theirs.fileno()] if os.name == "posix" else (), env=environment,
                                        start_new_session=True, cwd="/" if os.name == "posix" else None)
        theirs.close()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def place(self, path):
        """Where the process finds what is `path` here."""
        path = os.path.abspath(path)
        inside = self.files and (path == self.files or path.startswith(self.files + os.sep))
        return self.copy + path[len(self.files):] if inside and self.level == "user" else path

    def _read(self):
        """To the end, or a million lines would stop it; the first few are kept."""
        with self.running.stdout as pipe:
            while chunk := pipe.read1(2 ** 16):
                self.kept += chunk[:max(0, 4 * PRINTED - len(self.kept))]

    def printed(self):
        text = bytes(self.kept).decode("utf-8", errors="replace")
        return text if len(text) <= PRINTED else text[:PRINTED] + "…"

    def status(self, seconds=0.0):
        """The exit status (minus a signal's number), or None while it runs."""
        try:
            return self.running.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self):
        """Ends it and all that it has started. Returns the exit status that it had before, or None."""
        before = self.status()
        self.running.terminate()  # in namespaces this ends the process that holds them, and so all in them
        if self.status(2.0 if self.level == "namespaces" else 0.0) is None:
            self.running.kill()
        for clean in (self._end_group, self._end_user):
            clean()
        self.running.wait()
        self.channel.close()
        self.reader.join(1)
        shutil.rmtree(self.root, ignore_errors=True)
        return before

    def _end_group(self):
        try:
            os.killpg(self.running.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError, PermissionError):
            pass

    def _end_user(self):
        """Whatever runs under its user id: processes that have left the group, too."""
        if self.level == "user":
            code = f"import os; os.setresuid(*[{self.user}] * 3); os.kill(-1, 9)"
            subprocess.run([sys.executable, "-I", "-S", "-c", code], stderr=subprocess.DEVNULL, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def python_code(code):
    """The arguments of Python that run `code` with this Python's packages, and with nothing from the present folder."""
    paths = [entry for entry in sys.path if entry and os.path.isabs(entry) and Path(entry) != PACKAGE.parent]
    return ["-I", "-u", "-c", f"import sys; sys.path[:] = {[str(PACKAGE.parent), *paths]!r}\n{code}"]


@functools.lru_cache
def best_level():
    """The strongest level with which a process starts here and finds its packages."""
    strongest = os.environ.get(CHOSEN, LEVELS[0])
    for level in LEVELS[LEVELS.index(strongest) if strongest in LEVELS else 0:]:
        if _works(level):
            return level
    return LEVELS[-1]


def protection(level=None):
    """What stands between a submission and everything else, in words."""
    level = level or best_level()
    return TOLD[level, _is_administrator() or level == "user"]


def _works(level):
    if os.name != "posix" or sys.platform != "linux" and level == "namespaces" or level == "user" and not _is_administrator():
        return False
    try:
        command = python_code("import numpy, minialex.tensor, os; os._exit(7)")
        with Process([text.replace("{", "{{").replace("}", "}}") for text in command], timeout=30, level=level) as process:
            return process.status(60) == 7
    except OSError:
        return False


def _is_administrator():
    return os.name == "posix" and os.getuid() == 0


def _free_user():
    """A user id that is nobody's, another one for each process that is started."""
    _free_user.last = getattr(_free_user, "last", 0) + 1
    return 20000 + (7 * os.getpid() + _free_user.last) % 40000


def _limits(level, timeout, memory):
    limits = {"AS": memory * 2 ** 20, "CPU": int(timeout) + 5, "CORE": 0, "FSIZE": DISK, "NOFILE": FILES}
    if level != "process" and _is_administrator():  # else it would count all of this user's processes
        limits["NPROC"] = PROCESSES
    return limits


def _copy(source, target):
    """A copy that every user may read: regular files, near ones first, as many as an honest submission has."""
    os.makedirs(os.path.dirname(target), mode=0o755)
    if os.path.isfile(source):
        shutil.copyfile(source, target)
        os.chmod(target, 0o644)
        return
    os.mkdir(target, 0o755)
    folders, entries, left = collections.deque([(source, target)]), 0, DISK // 2
    while folders and entries < ENTRIES:
        here, there = folders.popleft()
        for entry in sorted(os.scandir(here), key=lambda entry: entry.name)[:ENTRIES]:
            entries += 1
            new = os.path.join(there, entry.name)
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "__pycache__")):
                os.mkdir(new, 0o755)
                folders.append((entry.path, new))
            elif entry.is_file(follow_symlinks=False) and entry.stat().st_size <= min(left, DISK // 16):
                left -= entry.stat().st_size
                shutil.copyfile(entry.path, new)
                os.chmod(new, 0o644)


def _seen():
    """Python, its packages and minialex: absolute, outer folders first, none twice."""
    import numpy

    packages = Path(numpy.__file__).resolve().parents[1]
    executable = Path(sys.executable)
    wanted = [*SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix, executable.resolve().parents[1], packages, PACKAGE]
    wanted += [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    found = []
    for path in dict.fromkeys(os.path.abspath(path) for path in wanted):
        if os.path.exists(path) and path != "/" and not any(_within(path, other) for other in found):
            found.append(path)
    return found


def _within(path, folder):
    return not os.path.islink(folder) and path.startswith(folder + os.sep)


def wait_for(condition, seconds):
    """Whether `condition()` came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
