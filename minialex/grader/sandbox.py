"""A process for a student's code: what it may see, write and use up; nothing of it is left.

    process = Process(files, timeout=10, memory=2048)        process.channel is its only way out

For code that nobody trusts, the strongest of three protections that this system offers is taken;
`protection()` says which:

    namespaces   its own file tree (read-only, without the tests, the results and other students'
                 files), its own process numbers, no network, and with administrator's rights an own
                 user, too
    user         an own user without rights, and the limits
    process      an own process and the limits
    open         for one's own code: the limits of time and memory only, in the present folder
"""
import contextlib
import functools
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from ..errors import UserError

LEVELS = ("namespaces", "user", "process")
COPIED = ("namespaces", "user")
OPEN = "open"
CHOSEN = "MINIALEX_PROTECTION"  # names the strongest level that may be used: for tests
DISK = 64 * 2 ** 20  # bytes that may be written
PROCESSES, FILES, ENTRIES = 64, 256, 5000
PRINTED = 2000  # characters kept of what is printed
PACKAGE = Path(__file__).resolve().parents[1]
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache",
          "/etc/alternatives", "/nix/store")
QUIET = {"MPLBACKEND": "Agg", "MINIALEX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
         "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
ENVIRONMENT = {**QUIET, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}
NAMESPACES = Path(__file__).with_name("templates") / "namespaces.sh"
TOLD = {
    "namespaces": "an own file tree, own process numbers, no network, limits of time and memory",
    "user": "an own user without rights, limits of time and memory",
    "process": "an own process, limits of time and memory; this system offers no more"}


class Process:
    """A process of its own, confined as far as `level` says, that does what `channel`, a socket,
    asks for: see inside.py.

    files: what was handed in, a file or a folder, and what else it may read; a confined process
    gets copies, besides Python, its packages and minialex.
    """

    alive: set["Process"] = set()

    def __init__(self, files: list[str | os.PathLike] = (), timeout: float = 10.0,
                 memory: int = 4096, level: str | None = None) -> None:
        self.level, self.user = level or best_level(), _free_user()
        self.files = list(map(os.path.abspath, files))
        self.root = tempfile.mkdtemp(prefix="minialex-")
        self.copies = os.path.join(self.root, "files")  # each at the end of its own path
        if self.level in COPIED:
            for path in self.files:
                _copy(path, self.copies + path)
            _open_to_all(self.root)
        self.channel, theirs = socket.socketpair()
        self.kept = bytearray()
        self.running = self._started(_python(self.level, timeout, memory), theirs)
        theirs.close()
        self.alive.add(self)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        threading.Thread(target=self._close_when_ended, daemon=True).start()

    def _started(self, command, theirs):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "env": ENVIRONMENT,
                   "start_new_session": True}
        if self.level == OPEN or os.name != "posix":
            options["env"] = {**os.environ, **QUIET}
        if os.name != "posix":
            running = subprocess.Popen(command, stdin=subprocess.PIPE, **options)
            with running.stdin:
                running.stdin.write(theirs.share(running.pid))
            return running
        folder = next(filter(os.path.isdir, self.files), "/")
        if self.level == "namespaces":
            command, options["cwd"] = self._namespaces(command, folder), self.root
        elif self.level != OPEN:
            options["cwd"] = self.place(folder)
        if self.level == "user":
            options.update(user=self.user, group=self.user, extra_groups=[])
        return subprocess.Popen(command, stdin=theirs, **options)

    def _namespaces(self, command, folder):
        """The command that runs `command` in new namespaces, with a view of what it needs: see
        namespaces.sh."""
        os.mkdir(os.path.join(self.root, "tree"))
        own, user = ["--user", "--map-root-user"], ""
        if _is_administrator():
            own, user = [], str(self.user)
        shown = {path: path for path in _seen()}
        shown |= {path: self.copies + path for path in self.files}
        for path in _seen():  # a virtual environment among the files, say
            if any(path.startswith(file + os.sep) for file in self.files):
                os.makedirs(self.copies + path, exist_ok=True)
        return ["setpriv", "--pdeathsig", "KILL", "unshare", *own, "--mount", "--pid", "--net",
                "--ipc", "--uts", "--fork", "--kill-child",
                "sh", "-c", NAMESPACES.read_text("utf-8"), "sh", str(DISK), user, folder,
                *(part for path in sorted(shown) for part in (shown[path], path)), "--", *command]

    def place(self, path: str | os.PathLike) -> str:
        """Where the process finds what is `path` here."""
        path = os.path.abspath(path)
        is_copy = self.level == "user" and os.path.lexists(self.copies + path)
        return self.copies + path if is_copy else path

    def _read(self):
        """To the end, or a million lines would stop it; the first few are kept."""
        with self.running.stdout as pipe:
            while chunk := pipe.read1(2 ** 16):
                self.kept += chunk[:max(0, 4 * PRINTED - len(self.kept))]

    def _close_when_ended(self):
        """A process that it has left behind may hold the channel: nobody waits for that one."""
        self.running.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Whoever waits for an answer gets the end of the channel; what has arrived can still be
        read."""
        with contextlib.suppress(OSError):  # it is closed
            self.channel.shutdown(socket.SHUT_RDWR)

    def printed(self) -> str:
        """The first characters that it printed."""
        text = bytes(self.kept).decode("utf-8", errors="replace")
        return text if len(text) <= PRINTED else text[:PRINTED] + "…"

    def status(self, seconds: float = 0.0) -> int | None:
        """The exit status (minus a signal's number), or None while it runs."""
        try:
            status = self.running.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        by_shell = self.level == "namespaces" and status > 128
        return 128 - status if by_shell else status

    def end(self) -> None:
        """Ends it and all that it has started."""
        self.alive.discard(self)
        self.running.kill()  # the process that holds the namespaces, and so all in them
        with contextlib.suppress(AttributeError, ProcessLookupError, PermissionError):
            os.killpg(self.running.pid, signal.SIGKILL)
        if self.level == "user":  # also the processes that have left the group
            code = f"import os; os.setresuid(*[{self.user}] * 3); os.kill(-1, 9)"
            subprocess.run([sys.executable, "-I", "-S", "-c", code], stderr=subprocess.DEVNULL,
                           check=False)
        self.running.wait()
        self.reader.join(1)
        self.channel.close()
        shutil.rmtree(self.root, ignore_errors=True)


def _python(level, timeout, memory):
    """Python with this Python's packages, and with nothing from the present folder."""
    not_there = (os.getcwd(), str(PACKAGE.parent))
    paths = [entry for entry in sys.path if os.path.isabs(entry) and entry not in not_there]
    parent = os.getpid() if level != "namespaces" else None
    arguments = float(timeout), _limits(level, timeout, memory), level != OPEN, parent
    code = (f"import sys; sys.path[:] = {[str(PACKAGE.parent), *paths]!r}\n"
            f"from minialex.grader.inside import main\nmain(*{arguments!r})")
    return [sys.executable, "-I", "-u", "-X", "utf8", "-c", code]


@functools.lru_cache
def best_level() -> str:
    """The strongest level with which a process starts here and finds its packages. Raises
    UserError where code would run with administrator's rights: it could end every process."""
    strongest = os.environ.get(CHOSEN, LEVELS[0])
    for level in LEVELS[LEVELS.index(strongest) if strongest in LEVELS else 0:]:
        if level == LEVELS[-1] != strongest and _is_administrator():
            raise UserError("nothing keeps a submission from this machine: it has no namespaces, "
                            f"and a user without rights cannot run {sys.executable}. Install "
                            "Python where everybody may read it, or grade as another user.")
        if _works(level):
            return level
    return LEVELS[-1]


def protection() -> str:
    """What stands between a submission and everything else, in words."""
    own_user = best_level() == "namespaces" and _is_administrator()
    return ("an own user, " if own_user else "") + TOLD[best_level()]


def _works(level):
    needs = {"namespaces": sys.platform == "linux", "user": _is_administrator()}
    if os.name != "posix" or not needs.get(level, True):
        return False
    try:
        process = Process(timeout=30, level=level)
    except OSError:
        return False
    process.hang_up()
    status = process.status(600)  # its computing time ends it: a busy machine weakens no protection
    process.end()
    return status == 0


def _is_administrator():
    return os.name == "posix" and os.getuid() == 0


def _free_user():
    """A user id that is nobody's: what ends one submission's processes ends those of its user."""
    taken = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            taken.add(process.stat().st_uid)
    while (user := 20000 + secrets.randbelow(40000)) in taken:
        pass
    return user


def _limits(level, timeout, memory):
    """By the names that `resource` has for them. Computing time ends a few seconds after the
    watchdog, which can say more."""
    limits = {"AS": memory * 2 ** 20, "CPU": int(timeout) + 5, "CORE": 0}
    if level != OPEN:
        limits.update(FSIZE=DISK, NOFILE=FILES)
    if level in COPIED and _is_administrator():  # else it would count all of this user's processes
        limits["NPROC"] = PROCESSES
    return limits


def _copy(source, target):
    """Copy regular files, near ones first, as many as an honest submission has."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isfile(source):
        shutil.copyfile(source, target)
    entries, left = ENTRIES, DISK // 2
    for base, folders, names in os.walk(source):
        there = target + base[len(source):]
        os.makedirs(there, exist_ok=True)
        for name in sorted(names)[:entries]:
            found = os.lstat(os.path.join(base, name))
            if stat.S_ISREG(found.st_mode) and found.st_size <= min(left, DISK // 16):
                left -= found.st_size
                shutil.copyfile(os.path.join(base, name), os.path.join(there, name))
        entries = max(0, entries - len(names))
        shown = (name for name in folders if not name.startswith((".", "__pycache__")))
        folders[:] = sorted(shown)[:entries]
        entries -= len(folders)


def _open_to_all(folder):
    """Every user may read it, whatever the umask."""
    for base, _, names in os.walk(folder):
        os.chmod(base, 0o755)
        for name in names:
            os.chmod(os.path.join(base, name), 0o644)


def _seen():
    """Python, its packages and minialex."""
    import numpy

    wanted = [*SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix, PACKAGE]
    wanted += [Path(file).resolve().parents[1] for file in (sys.executable, numpy.__file__)]
    wanted += [entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
    return {os.path.abspath(path) for path in wanted if os.path.exists(path)} - {"/"}
