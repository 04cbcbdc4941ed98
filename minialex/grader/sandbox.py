"""A process for a student's code: what it may see, write and use up, and that nothing of it is left afterwards.

    process = Process(command, folder, timeout=10, memory=2048)        process.channel is its only way out

For code that nobody trusts, the strongest of three protections that this system offers is taken; `protection()` says which:

    namespaces   its own file tree (read-only, without the tests, the results and other students' files), its own process
                 numbers, no network, and with administrator's rights an own user, too
    user         an own user without rights, and the limits
    process      an own process and the limits
    open         for one's own code: the limits of time and memory only, in the present folder
"""
import collections
import contextlib
import functools
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

LEVELS = ("namespaces", "user", "process")
COPIED = ("namespaces", "user")
OPEN = "open"
CHOSEN = "MINIALEX_PROTECTION"  # names the strongest level that may be used: for tests
DISK = 64 * 2 ** 20  # bytes that may be written
PROCESSES, FILES, ENTRIES = 64, 256, 5000
PRINTED = 2000  # characters kept of what is printed
PACKAGE = Path(__file__).resolve().parents[1]
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store")
QUIET = {"MPLBACKEND": "Agg", "MINIALEX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
         "MKL_NUM_THREADS": "1"}
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
NEWLINE = "\n"
ENVIRONMENT = {**QUIET, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp",
               "LANG": "C.UTF-8"}
TOLD = {
    "namespaces": "an own file tree, own process numbers, no network, limits of time and memory",
    "user": "an own user without rights, limits of time and memory",
    "process": "an own process, limits of time and memory; this system offers no more"}


class Process:
    """Python code in a process of its own, confined as far as `level` says; its standard input is its end of `channel`, a socket.

    files: what was handed in, a file or a folder, and what else it may read; a confined process gets copies, besides Python, its
    packages and minialex.
    """

    alive: set["Process"] = set()

    def __init__(self, code: str, files: list[str | os.PathLike] = (), timeout: float = 10.0, memory: int = 4096,
                 level: str | None = None) -> None:
        self.level, self.user = level or best_level(), _free_user()
        self.root = tempfile.mkdtemp(prefix="minialex-")
        self.copies = {}
        if self.level in COPIED:
            os.chmod(self.root, 0o755)
            for number, path in enumerate(map(os.path.abspath, files)):
                self.copies[path] = os.path.join(self.root, f"files{number}", os.path.basename(path))
                _copy(path, self.copies[path])
        self.folder = next((path for path in map(os.path.abspath, files) if os.path.isdir(path)), "/")
        self.channel, theirs = socket.socketpair()
        self.kept = bytearray()
        self.running = self._started(_python(code, self.level, _limits(self.level, timeout, memory)), theirs)
        theirs.close()
        self.alive.add(self)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        threading.Thread(target=self._close_when_ended, daemon=True).start()

    def _started(self, command, theirs):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True, "env": ENVIRONMENT}
        if self.level == OPEN or os.name != "posix":
            options.update(env={**os.environ, **QUIET})
        if os.name != "posix":
            running = subprocess.Popen(command, stdin=subprocess.PIPE, **options)
            with running.stdin:
                running.stdin.write(theirs.share(running.pid))
            return running
        if self.level == "namespaces":
            os.mkdir(os.path.join(self.root, "tree"))
            return subprocess.Popen(self._namespaces(command), stdin=theirs, cwd=self.root, **options)
        if self.level == "user":
            options.update(user=self.user, group=self.user, extra_groups=[])
        return subprocess.Popen(command, stdin=theirs, cwd=None if self.level == OPEN else self._folder(), **options)

    def _folder(self):
        """Where it starts: among the files, if it may."""
        return self.place(self.folder) if os.access(self.place(self.folder), os.X_OK) else "/"

    def _namespaces(self, command):
        """The command that runs `command` in new namespaces, in a file tree in memory that shows what it needs, read-only, and
        lets nothing be written but in /tmp. The first process there must be another one: signals mean nothing to it."""
        shown = [(path, path) for path in _seen()] + [(copy, path) for path, copy in self.copies.items()]
        links = [path for path, _ in shown if os.path.islink(path)]
        folders = [place for path, place in shown if os.path.isdir(path) and path not in links]
        files = [place for path, place in shown if os.path.isfile(path) and path not in links]

        def inside(paths):
            return shlex.join("tree" + path for path in paths)

        parents = [os.path.dirname(path) for path in [*files, *links]]
        become = f"--reuid {self.user} --regid {self.user} --clear-groups" if _is_administrator() else ""
        script = f"""set -e
umask 022
mount -t tmpfs -o nosuid,nodev,size={DISK},mode=755 tmpfs tree
mkdir -p {inside([*folders, *parents, "/tmp", "/dev/shm", "/proc"])}
touch {inside([*files, *DEVICES])}
chmod 1777 tree/tmp
mount --bind tree/tmp tree/dev/shm
{NEWLINE.join(shlex.join(["ln", "-sfn", os.readlink(link), "tree" + link]) for link in links)}
{NEWLINE.join(shlex.join(["mount", "-o", "rbind,ro", path, "tree" + place]) for path, place in shown if path not in links)}
{NEWLINE.join(f"mount --bind {device} tree{device}" for device in DEVICES)}
mount -t proc -o nosuid,nodev proc tree/proc 2>&- || :
cd tree
pivot_root . .
umount -l .
cd {shlex.quote(self.folder)}
umask 077
exec 3<&0 <&-
setpriv {become} --bounding-set=-all --inh-caps=-all --no-new-privs {shlex.join(command)} <&3 3<&- &
exec 3<&-
wait $!"""
        own = [] if _is_administrator() else ["--user", "--map-root-user"]
        return ["setpriv", "--pdeathsig", "KILL", "unshare", *own, "--mount", "--pid", "--net", "--ipc", "--uts", "--fork",
                "--kill-child", "sh", "-c", script]

    def place(self, path: str | os.PathLike) -> str:
        """Where the process finds what is `path` here."""
        path = os.path.abspath(path)
        for shown, copy in self.copies.items() if self.level == "user" else ():
            if path == shown or path.startswith(shown + os.sep):
                return copy + path[len(shown):]
        return path

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
        """Whoever waits for an answer gets the end of the channel; what has arrived can still be read."""
        try:
            self.channel.shutdown(socket.SHUT_RDWR)
        except OSError:  # it is closed
            pass

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
        return 128 - status if self.level == "namespaces" and status > 128 else status  # as a shell says it

    def end(self) -> None:
        """Ends it and all that it has started."""
        self.alive.discard(self)
        self.running.kill()  # in namespaces this ends the process that holds them, and so all in them
        self._end_group()
        if self.level == "user":  # whatever runs under its user id: processes that have left the group, too
            code = f"import os; os.setresuid(*[{self.user}] * 3); os.kill(-1, 9)"
            subprocess.run([sys.executable, "-I", "-S", "-c", code], stderr=subprocess.DEVNULL, check=False)
        self.running.wait()
        self.reader.join(1)
        self.channel.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def _end_group(self):
        try:
            os.killpg(self.running.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError, PermissionError):
            pass


def _python(code, level, limits):
    """Python that runs `code` with this Python's packages, and with nothing from the present folder; first it takes away what
    the code does not need."""
    paths = [entry for entry in sys.path if os.path.isabs(entry) and entry not in (os.getcwd(), str(PACKAGE.parent))]
    start = (f"import sys; sys.path[:] = {[str(PACKAGE.parent), *paths]!r}\nfrom minialex.grader.confine import confine\n"
             f"confine({limits!r}, {level != OPEN}, {os.getpid() if level != 'namespaces' else None})\n")
    return [sys.executable, "-I", "-u", "-X", "utf8", "-c", start + code]


@functools.lru_cache
def best_level() -> str:
    """The strongest level with which a process starts here and finds its packages."""
    strongest = os.environ.get(CHOSEN, LEVELS[0])
    for level in LEVELS[LEVELS.index(strongest) if strongest in LEVELS else 0:]:
        if _works(level):
            return level
    return LEVELS[-1]


def protection() -> str:
    """What stands between a submission and everything else, in words."""
    return ("an own user, " if best_level() == "namespaces" and _is_administrator() else "") + TOLD[best_level()]


def _works(level):
    if os.name != "posix" or sys.platform != "linux" and level == "namespaces" or level == "user" and not _is_administrator():
        return False
    try:
        process = Process("import numpy, minialex.tensor, os; os._exit(7)", timeout=30, level=level)
    except OSError:
        return False
    status = process.status(600)  # ended by its computing time long before: a busy machine weakens no protection
    process.end()
    return status == 7


def _is_administrator():
    return os.name == "posix" and os.getuid() == 0


def _free_user():
    """A user id that is nobody's: what ends one submission's processes ends those of its user."""
    taken = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            taken.add(process.stat().st_uid)
    return next(user for user in iter(lambda: 20000 + secrets.randbelow(40000), None) if user not in taken)


def _limits(level, timeout, memory):
    """By the names that `resource` has for them. Computing time ends a few seconds after the watchdog, which can say more."""
    limits = {"AS": memory * 2 ** 20, "CPU": int(timeout) + 5, "CORE": 0}
    if level != OPEN:
        limits.update(FSIZE=DISK, NOFILE=FILES)
    if level in COPIED and _is_administrator():  # else it would count all of this user's processes
        limits["NPROC"] = PROCESSES
    return limits


def _copy(source, target):
    """A copy that every user may read: regular files, near ones first, as many as an honest submission has."""
    _open_folder(os.path.dirname(target))
    if os.path.isfile(source):
        shutil.copyfile(source, target)
        os.chmod(target, 0o644)
        return
    _open_folder(target)
    folders, entries, left = collections.deque([(source, target)]), 0, DISK // 2
    while folders and entries < ENTRIES:
        here, there = folders.popleft()
        for entry in sorted(os.scandir(here), key=lambda entry: entry.name)[:ENTRIES]:
            entries += 1
            new = os.path.join(there, entry.name)
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".", "__pycache__")):
                _open_folder(new)
                folders.append((entry.path, new))
            elif entry.is_file(follow_symlinks=False) and entry.stat().st_size <= min(left, DISK // 16):
                left -= entry.stat().st_size
                shutil.copyfile(entry.path, new)
                os.chmod(new, 0o644)


def _open_folder(path):
    """One that every user may read, whatever the umask."""
    os.mkdir(path)
    os.chmod(path, 0o755)


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
