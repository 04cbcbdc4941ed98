"""The sets that need no --data: `builtin`, drawn on first use, and `imagenette`, downloaded on
first use.

Both become class folders below the cache folder, so they can be looked at, copied, and opened with
--data like any others. They get there whole or not at all. A download is trusted for its checksum
alone, and unpacked as if it were hostile: only plain files and folders, only below the folder they
belong in.
"""

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
from PIL import Image

from ..errors import UserError, require
from ..folders import names
from ..utils.ahead import ahead, bar
from ..utils.cache import cache_folder, whole_folder
from ..utils.files import Place
from .patterns import PATTERNS
from .scene import draw

# -------------------------------------------------------------------------------------------- drawn

VERSION = 2
SEED = 2012
PER_CLASS = {"train": 120, "val": 40}


def drawn(cache_dir: Place | None = None, progress: bool = True) -> Path:
    """Name the folder of the built-in set, drawn once, in seconds: train/ and val/ with the
    PATTERNS as classes.

    cache_dir: where the pictures are kept (see cache_folder); progress: show a bar while they are
    drawn. Raises UserError if they cannot be written.
    """
    root = cache_folder(cache_dir) / f"builtin-v{VERSION}"
    if not root.exists():
        with whole_folder(root) as folder:
            generate(folder, PER_CLASS, progress)
    for place in [root / part / name for part in PER_CLASS for name in PATTERNS]:
        require(len(list(place.glob("*.jpg"))) >= (count := PER_CLASS[place.parent.name]),
                f"the built-in pictures are damaged, {place} has fewer than {count}: "
                f"delete {root}, and they are drawn again")
    return root


def generate(folder: Place, per_class: dict[str, int], progress: bool = False,
             workers: int | None = None) -> None:
    """Draw per_class["train"] and per_class["val"] pictures of each class into class folders below
    `folder`."""
    def save(job: tuple[str, int, str, int]) -> None:
        part, label, name, number = job
        # Each picture has its own random numbers, so it does not matter which thread draws it, or
        # when.
        random = np.random.default_rng([SEED, VERSION, ("train", "val").index(part), label, number])
        picture = Image.fromarray(draw(PATTERNS[name], random))
        picture.save(os.path.join(folder, part, name, f"{name}_{number:04d}.jpg"), quality=92)

    jobs = [(part, label, name, number) for part, count in per_class.items()
            for label, name in enumerate(PATTERNS) for number in range(count)]
    for part in per_class:
        for name in PATTERNS:
            os.makedirs(os.path.join(folder, part, name))
    saved = ahead(save, jobs, workers or min(8, os.cpu_count() or 1))
    for _ in bar("drawing the pictures", progress, saved, total=len(jobs), leave=False):
        pass


# --------------------------------------------------------------------------------------- downloaded

URL = "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz"
SHA256 = "569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c"  # of 341,663,724 bytes
CHUNK = 2**20
MAX_UNPACKED = 4 * 2**30  # the real archive unpacks to 0.35 GB


def downloaded(cache_dir: Place | None = None, progress: bool = True, url: str = URL,
               sha256: str | None = SHA256, timeout: float = 30) -> Path:
    """Name the folder of Imagenette, which is downloaded on first use: train/ and val/ with
    ImageNet's names as classes.

    An interrupted download is continued by the next call. sha256: what the archive must have; None
    accepts any. Raises UserError when offline, for a wrong checksum, a full disk or a damaged
    archive.
    """
    root = cache_folder(cache_dir) / "imagenette2-320"
    if not root.exists():
        archive = root.with_suffix(".tgz.part")
        with whole_folder(root) as folder:
            download(url, archive, progress, timeout)
            _check(archive, sha256, url)
            unpack(archive, folder, progress)
            _tidy(folder, url)
        archive.unlink(missing_ok=True)
    return root


def download(url: str, target: Path, progress: bool = True, timeout: float = 30) -> None:
    """Fetch `url` into the file `target`, going on where an earlier attempt stopped. Raises
    UserError when it fails."""
    import ssl  # here, because Python in a browser has none

    start = target.stat().st_size if target.exists() else 0
    try:
        with urlopen(Request(url, headers={"Range": f"bytes={start}-"} if start else {}),
                     timeout=timeout) as answer:
            # else this server does not do parts: take the whole from the beginning
            start = start if answer.status == 206 else 0
            length = answer.headers.get("Content-Length")
            total = start + int(length) if length else None
            shown = bar("downloading", progress, unit="B", unit_scale=True, total=total,
                        initial=start)
            with shown, open(target, "ab" if start else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    shown.update(len(chunk))
    except HTTPError as error:
        # nothing follows what is here already; whether it is right, the checksum will say
        if error.code == 416:
            return
        raise UserError(f"cannot download {url}: the server answers {error.code} {error.reason}; "
                        "try again later") from error
    except (URLError, ConnectionError, TimeoutError, HTTPException, ssl.SSLError) as error:
        # and no OSError of the disk
        why = getattr(error, "reason", None) or error
        raise UserError(f"cannot download {url} ({why}): "
                        "check the network and run it again, or use the built-in pictures, "
                        "which need none (--subset without a name)") from error
    if total is not None and (received := target.stat().st_size) < total:
        raise UserError(f"the download of {url} stopped at {received:,} of {total:,} bytes: "
                        "run it again to continue")


def _check(archive: Path, sha256: str | None, url: str) -> None:
    digest = hashlib.sha256()
    with open(archive, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if sha256 is not None and digest.hexdigest() != sha256:
        archive.unlink()  # continuing it could never make it right
        raise UserError(f"the file from {url} has the SHA-256 {digest.hexdigest()[:16]}... "
                        f"instead of {sha256[:16]}...: it was deleted; run it again, "
                        "and if that does not help the file on the server has changed")


def unpack(archive: Path, folder: Place, progress: bool = True) -> None:
    """Unpack a .tgz into `folder`: plain files and folders only. Raises UserError for any name that
    leads elsewhere."""
    written = 0
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in bar("unpacking", progress, tar, unit=" files", leave=False):
                target = _safe_target(member, folder)
                if member.isdir():  # made when a file in it is
                    continue
                written += member.size
                require(written <= MAX_UNPACKED,
                        f"{archive} unpacks to more than {MAX_UNPACKED:,} bytes: it was not used")
                target.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as source, open(target, "xb") as file:
                    shutil.copyfileobj(source, file)
            while stream.read(CHUNK):  # to the end, where gzip compares its own checksum
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, FileExistsError) as error:
        raise UserError(f"the archive {archive} is damaged ({error}): "
                        "delete it and run it again") from error


def _safe_target(member: tarfile.TarInfo, folder: Place) -> Path:
    name = PurePosixPath(member.name)
    outside = name.is_absolute() or ".." in name.parts or "\\" in member.name or ":" in member.name
    require(not outside and (member.isfile() or member.isdir()), "the archive holds "
            f"{member.name!r}, no plain file inside its folder: it was not unpacked")
    return Path(folder, *name.parts)


def _tidy(folder: Path, url: str) -> None:
    """Lift train/ and val/ out of the archive's own folder, and give the classes ImageNet's names
    for their ids."""
    inner = next((path.parent for path in sorted(folder.glob("*/train"))), None)
    if inner is None:
        raise UserError(f"the archive from {url} holds no folder with train/ in it: "
                        "it is not Imagenette")
    called = names.thousand()
    for place in [path for part in ("train", "val") for path in inner.glob(f"{part}/*")]:
        (folder / place.parent.name).mkdir(exist_ok=True)
        os.rename(place, folder / place.parent.name / called.get(place.name, place.name))
    shutil.rmtree(inner)
