"""The first lines of a submission's process: what it does not need is taken away."""
import contextlib
import ctypes
import os

PARENT_DIES, NO_NEW_RIGHTS, KILL = 1, 38, 9  # of Linux' prctl, and the signal


def confine(limits: dict[str, int], private: bool, parent: int | None) -> None:
    """Set the limits {"AS": bytes, "CPU": seconds, …}, as far as the system has them. private:
    nobody else reads what is written. parent: the process that this one ends with; None where
    it has been seen to."""
    if os.name != "posix":
        return
    import resource

    for name, value in limits.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):
            number = getattr(resource, f"RLIMIT_{name}")
            most = resource.getrlimit(number)[1]
            value = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.setrlimit(number, (value, value))
    with contextlib.suppress(AttributeError, OSError):  # not Linux
        prctl = ctypes.CDLL(None).prctl
        prctl(NO_NEW_RIGHTS, 1, 0, 0, 0)
        if parent is not None:
            prctl(PARENT_DIES, KILL, 0, 0, 0)
    if parent not in (None, os.getppid()):  # it has ended already
        os._exit(1)
    if private:
        os.umask(0o077)
