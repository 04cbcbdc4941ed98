"""Classroom 50 runs this in the student's checkout. It writes ./result.json; the files beside it stay hidden.

Exit status 0 whenever the grading itself worked, however many tests failed.
"""
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    """Installs what is missing; as the administrator where that is possible, since only he can lock a submission in well."""
    if any(importlib.util.find_spec(name) is None for name in ("numpy", "threadpoolctl")):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-r", str(HERE / "requirements.txt")], check=True)
    if os.name == "posix" and os.getuid() and not os.environ.get("MINIALEX_ALONE") and shutil.which("sudo"):
        user, group = os.getuid(), os.getgid()
        paths = [path for path in sys.path if os.path.isabs(path)]
        code = f"import sys; sys.path[:] = {[str(HERE), *paths]!r}; sys.argv[1:] = {[str(user), str(group)]!r}"
        command = ["sudo", "-n", "--preserve-env", sys.executable, "-B", "-c", f"{code}\nimport autograder; autograder.graded()"]
        if subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0:
            return subprocess.run(command, check=False).returncode
    return graded()


def graded():
    """Grade the student's checkout in this folder and write result.json; 0, whatever the score."""
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
    sys.path.insert(0, str(HERE))
    from minialex.grader import here

    here.classroom50(HERE)
    if len(sys.argv) == 3:  # the files belong to whoever started this
        for name in ("result.json", "release-body.md"):
            os.chown(name, int(sys.argv[1]), int(sys.argv[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
