"""The last thing that runs before a submission does: takes away what it does not need, then becomes its Python.

    python -I -S confine.py '{"level": …, "user": …, "visible": […], "limits": {…}, "command": […], …}'

Started by sandbox.py. Needs nothing but the standard library, and Linux for all that is not a plain limit. Level "namespaces"
builds a new, empty file tree in memory, with read-only views of what Python needs, without a network and with process numbers
of its own. Level "user" gives up the rights of the administrator. Levels "process" and "open" set the
limits only.
"""
import ctypes
import json
import os
import signal
import sys

NEW_MOUNTS, NEW_NAMES, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
NO_SETUID, NO_DEVICES, READ_ONLY, REMOUNT, BIND, RECURSIVE, PRIVATE = 2, 4, 1, 32, 4096, 16384, 1 << 18
DETACH = 2
PARENT_DIES, NO_NEW_RIGHTS = 1, 38  # of prctl
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


def main():
    config = json.loads(sys.argv[1])
    with_parent(config["parent"], signal.SIGKILL)
    if config["level"] == "namespaces":
        in_namespaces(config)
    limit(config["limits"])
    if config["level"] == "user":
        become(config["user"])
    start(config)


def start(config):
    """Becomes the submission's process."""
    control(NO_NEW_RIGHTS, 1)
    control(PARENT_DIES, signal.SIGKILL)
    if config["level"] != "open":
        os.umask(0o077)
    try:
        os.chdir(config["folder"])
    except OSError:
        os.chdir("/")
    os.execve(config["command"][0], config["command"], config["environment"])


def limit(limits):
    """{"AS": bytes, "CPU": seconds, …}, as far as the system has them."""
    import resource

    for name, value in limits.items():
        try:
            number = getattr(resource, f"RLIMIT_{name}")
            most = resource.getrlimit(number)[1]
            value = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.setrlimit(number, (value, value))
        except (AttributeError, ValueError, OSError):
            pass


def become(user):
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


# ------------------------------------------------------------------------------------------------ namespaces


def in_namespaces(config):
    """Returns in the first process of new namespaces; the old process waits, and ends as that one ends."""
    administrator, group = os.getuid() == 0, os.getgid()
    user = os.getuid()
    parts = NEW_MOUNTS | NEW_PIDS | NEW_NETWORK | NEW_IPC | NEW_NAMES
    call("unshare", parts if administrator else parts | NEW_USER)
    if not administrator:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"{user} {user} 1")
        write("/proc/self/gid_map", f"{group} {group} 1")
    report, told = os.pipe()
    first = os.fork()
    if first:
        os.close(told)
        wait(first, report, config["parent"])
    control(PARENT_DIES, signal.SIGKILL)
    os.close(report)
    new_root(config)
    submission = os.fork()  # signals mean nothing to the first process of a namespace
    if submission:
        only(told)
        _, status = os.waitpid(submission, 0)
        os.write(told, str(status).encode())
        os._exit(0)  # and everything in the namespace ends
    os.close(told)
    if administrator:
        limit(config["limits"])
        become(config["user"])


def wait(first, report, parent):
    """Ends when the submission does, and the same way; takes it along when told to end, or when the grader is gone."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
    with_parent(parent, signal.SIGTERM)
    only(report)
    _, status = os.waitpid(first, 0)
    told = os.read(report, 20)
    status = int(told) if told else status
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        limit({"CORE": 0})
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def only(kept):
    """Closes all descriptors but `kept` and the first three: the channel is the submission's alone."""
    for descriptor in range(3, 256):
        if descriptor != kept:
            try:
                os.close(descriptor)
            except OSError:
                pass


def new_root(config):
    """A file tree in memory that shows `visible`, read-only, and lets nothing be written but in /tmp."""
    root = config["root"]
    os.mkdir(root)
    mount(None, "/", None, RECURSIVE | PRIVATE)
    mount("tmpfs", root, "tmpfs", NO_SETUID | NO_DEVICES, f"size={config['disk']},mode=0755")
    for path, place in config["visible"]:
        show(path, root, place)
    for folder in ("/tmp", "/dev/shm"):
        os.makedirs(root + folder, exist_ok=True)
        os.chmod(root + folder, 0o1777)
    for path in DEVICES:
        show(path, root, path, writable=True)
    os.makedirs(root + "/proc", exist_ok=True)
    try:
        mount("proc", root + "/proc", "proc", NO_SETUID | NO_DEVICES)
    except OSError:  # where the system hides parts of /proc it must stay out
        pass
    os.chdir(root)
    number = PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError("no number of pivot_root for this machine")
    checked("pivot_root", library().syscall(number, b".", b"."))
    checked("umount2", library().umount2(b".", DETACH))
    os.chdir("/")


def show(path, root, place, writable=False):
    """The file, folder or link `path`, at `place` below root."""
    target = root + place
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    if os.path.islink(path):
        if not os.path.lexists(target):
            os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, mode=0o755, exist_ok=True)
    elif not os.path.exists(target):
        os.close(os.open(target, os.O_CREAT, 0o644))
    mount(path, target, None, BIND | RECURSIVE)
    if not writable:
        kept = os.statvfs(target).f_flag & (NO_SETUID | NO_DEVICES | 8 | 1024 | 2048)  # what the owner has locked
        kept |= (1 << 21) if os.statvfs(target).f_flag & 4096 else 0  # relatime
        mount(None, target, None, BIND | REMOUNT | READ_ONLY | kept)


# ------------------------------------------------------------------------------------------------ the system


def library():
    return ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    checked(name, getattr(library(), name)(*arguments))


def checked(name, result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source, target, kind, flags, options=None):
    encoded = [None if text is None else text.encode() for text in (source, target, kind, options)]
    call("mount", *encoded[:3], ctypes.c_ulong(flags), encoded[3])


def control(*arguments):
    """prctl, where there is one."""
    try:
        library().prctl(*arguments, 0, 0, 0)
    except (AttributeError, OSError):
        pass


def with_parent(parent, number):
    """Asks for a signal when the grader ends."""
    control(PARENT_DIES, number)
    if os.getppid() != parent:  # it has ended already
        os.kill(os.getpid(), number)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    main()
