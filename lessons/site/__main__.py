"""python -m lessons.site OUT: write the course as static pages that run in a browser."""
import argparse
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

from lessons.__main__ import lessons
from lessons.site import pages, parts
from minialex.errors import UserError
from minialex.utils import console

WEB = Path(__file__).resolve().parent / "web"
OURS = ("assets/files.json", "sw.js", "index.html")  # by these a folder is known as a site of ours
FIRST, LATER = ["numpy", "pillow", "threadpoolctl", "tqdm"], ["matplotlib"]


def build(folder: Path, runtime: str | None) -> None:
    """Write the site into this empty folder. runtime: a folder with Pyodide, which is copied; None:
    its CDN, at view time."""
    found, packed = parts.runtime(runtime) if runtime else ({}, [])
    base = "runtime/" if runtime else parts.CDN
    assets = folder / "assets"
    shutil.copytree(WEB / "vendor", assets / "vendor", ignore=shutil.ignore_patterns("*.d.ts"))
    for file in [*WEB.glob("*.js"), *WEB.glob("*.css"), *WEB.glob("*.svg")]:
        if file.name != "codemirror.js":
            shutil.copyfile(file, (folder if file.name == "sw.js" else assets) / file.name)
    (assets / "course.zip").write_bytes(parts.course(packed))
    (assets / "pyodide-lock.json").write_text(json.dumps(parts.lock(packed)), encoding="utf-8")
    if runtime:
        parts.copy(found, folder / "runtime")
    how = {"base": base, "files": parts.hashes(), "lock": "assets/pyodide-lock.json",
           "course": "assets/course.zip", "later": LATER,
           "first": [name for name in FIRST if name not in packed]}
    mark, course = _mark(folder), lessons()
    paths = [None, *(path for path, _ in course), None]
    for before, path, after in zip(paths, paths[1:], paths[2:]):
        page = pages.lesson(path, (before, after), how, mark)
        (folder / f"{path.stem}.html").write_text(page, encoding="utf-8")
    (folder / "index.html").write_text(pages.index(course, mark), encoding="utf-8")
    (folder / "words.html").write_text(pages.glossary(mark), encoding="utf-8")
    places = sorted(file.relative_to(folder).as_posix()
                    for file in folder.rglob("*") if file.is_file())
    pages_too = [place for place in places if not place.startswith("runtime/") and place != "sw.js"]
    (assets / "files.json").write_text(json.dumps({"pages": [*pages_too, "assets/files.json"],
                                                   "runtime": parts.addresses(base, packed)}),
                                       encoding="utf-8")


def _mark(folder):
    """Names this build: other files or other lessons, another mark."""
    sources = [*folder.rglob("*"), *parts.LESSONS.glob("*.py"), *WEB.parent.glob("*.py")]
    digest = hashlib.sha256()
    for file in sorted(file for file in sources if file.is_file()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def write(folder: str, runtime: str | None = None) -> None:
    """Write the site to `folder`, whole or not at all; an older site of ours there is replaced.
    Raises UserError."""
    target = Path(folder).resolve()
    ours = all((target / name).exists() for name in OURS)
    if target.exists() and not (ours or target.is_dir() and not any(target.iterdir())):
        raise UserError(f"{folder} exists and is no site that this command wrote: "
                        "give another folder, or remove it.")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        build(draft, runtime)
        if target.exists():
            shutil.rmtree(target)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m lessons.site",
                                     description="The course as static pages whose programs run in "
                                     "the browser. Look at them with: python -m http.server -d OUT")
    parser.add_argument("out", metavar="OUT", help="the folder to write")
    parser.add_argument("--runtime", metavar="DIR", help="take Pyodide from this folder into the "
                        "site, which then needs no other server (version "
                        f"{parts.PINNED['version']}); without it, browsers load it from its CDN")
    options = parser.parse_args(arguments)
    write(options.out, options.runtime)
    size = sum(file.stat().st_size for file in Path(options.out).rglob("*") if file.is_file())
    print(f"{options.out}: {size / 1e6:.1f} MB; look at it with: "
          f"python -m http.server -d {options.out}")


if __name__ == "__main__":
    sys.exit(console.run("lessons.site", main))
