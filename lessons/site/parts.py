"""What the pages load: the course and the engine in one archive, and Pyodide, from its CDN or from
a folder."""
import base64
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import shutil
import zipfile
from pathlib import Path

from minialex.errors import UserError

HERE = Path(__file__).resolve().parent
LESSONS = HERE.parent
PINNED = json.loads((HERE / "pyodide.json").read_text(encoding="utf-8"))
CDN = f"https://cdn.jsdelivr.net/pyodide/v{PINNED['version']}/full/"
LEFT_OUT = ("grade.py", "notebooks.py", "__main__.py")  # of the course, in a page


def course(packed: list[str]) -> bytes:
    """The archive that a page unpacks: minialex, the lessons with their checks and figures, and
    these pure Python packages."""
    root = LESSONS.parent
    files = [*(root / "minialex").rglob("*"), *LESSONS.glob("*.py"),
             *LESSONS.rglob("exercises/**/*.py"), HERE / "__init__.py", HERE / "inpage.py",
             *LESSONS.glob("drawings/*.py"), *LESSONS.glob("my_engine/**/*.py"),
             *LESSONS.glob("labs/*.py"), *LESSONS.glob("labs/results/*.csv"),
             *(root / "benchmarks").glob("*.csv")]
    wanted = {file.relative_to(root).as_posix(): file
              for file in files if file.is_file() and "__pycache__" not in file.parts
              and not (file.parent == LESSONS and file.name in LEFT_OUT)
              and file.suffix not in (".cu", ".html", ".proto")}
    for name in packed:
        wanted |= _package(name)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in sorted(wanted):  # dated 1980: the same bytes every time
            archive.writestr(zipfile.ZipInfo(place), wanted[place].read_bytes(),
                             zipfile.ZIP_DEFLATED, compresslevel=9)
    return made.getvalue()


def _package(name):
    """{place in the archive: file} of an installed package, with its licence."""
    found = importlib.metadata.distribution(name)
    return {str(file): Path(found.locate_file(file)) for file in found.files if file.suffix
            in (".py", "") and ".." not in file.parts or "licen" in file.name.lower()}


def runtime(folder: str | Path) -> tuple[dict[str, Path], list[str]]:
    """The files of Pyodide that the site needs, as they lie in `folder`: ({name: path}, the
    packages that are not there but can be taken from this Python). Raises UserError where something
    is missing, or is not what it should be."""
    folder, found, packed, missing = Path(folder), {}, [], []
    wanted = dict(PINNED["files"]) | {entry["file_name"]: entry["sha256"]
                                      for entry in PINNED["lock"]["packages"].values()}
    for name, sha256 in wanted.items():
        path = folder / name
        package = next((key for key, entry in PINNED["lock"]["packages"].items()
                        if entry["file_name"] == name), "")
        if path.is_file():
            if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
                raise UserError(f"{path} is not the file of Pyodide {PINNED['version']}: "
                                "its SHA-256 differs. Take the distribution of this version.")
            found[name] = path
        elif name.endswith("py3-none-any.whl") and importlib.util.find_spec(package):
            packed.append(package)
        else:
            missing.append(name)
    if missing:
        raise UserError(f"{folder} lacks {', '.join(missing)}: "
                        f"give the folder of the full distribution of Pyodide {PINNED['version']}.")
    return found, packed


def hashes() -> dict[str, str]:
    """Of Pyodide's own files, as a browser wants them; those of its packages stand in its lock
    file."""
    return {name: _integrity(sha256) for name, sha256 in PINNED["files"].items()}


def _integrity(sha256):
    return f"sha256-{base64.b64encode(bytes.fromhex(sha256)).decode()}"


def addresses(base: str, packed: list[str]) -> dict[str, str]:
    """Where Python and its packages lie below `base`, each with its hash: what is kept for a visit
    without a network."""
    packages = lock(packed)["packages"].values()
    every = hashes() | {entry["file_name"]: _integrity(entry["sha256"]) for entry in packages}
    return {base + name: integrity for name, integrity in every.items()}


def lock(packed: list[str]) -> dict:
    """Pyodide's lock file, with the packages of the course alone and without these."""
    packages = {name: entry for name, entry in PINNED["lock"]["packages"].items()
                if name not in packed}
    return {"info": PINNED["lock"]["info"], "packages": packages}


def copy(files: dict[str, Path], folder: Path) -> None:
    """Copy these files of Pyodide into a folder of the site."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        shutil.copyfile(path, folder / name)
