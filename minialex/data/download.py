"""Imagenette: ten easily told classes of ImageNet (9,469 training and 3,925 validation photographs), by fast.ai.

A download is trusted for its checksum alone, and unpacked as if it were hostile: only plain files and folders, only
below the folder they belong in.
"""

import gzip
import hashlib
import os
import shutil
import ssl
import tarfile
import urllib.error
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from minialex.data.bars import hidden
from minialex.data.cache import cache_folder, whole_folder
from minialex.data.folder import open_folder
from minialex.errors import UserError

URL = "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz"
SHA256 = "569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c"  # of 341,663,724 bytes
CLASSES = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}
CHUNK = 2**20
NETWORK_ERRORS = (urllib.error.URLError, ConnectionError, TimeoutError, HTTPException, ssl.SSLError)
MAX_UNPACKED = 4 * 2**30  # the real archive unpacks to 0.35 GB


def imagenette(cache_dir=None, url=URL, sha256=SHA256, progress=True, timeout=30, **options):
    """Imagenette with the shorter side at 320 pixels: (train, val). Downloads 342 MB on first use.

    An interrupted download is continued by the next call. sha256: what the archive must have; None accepts any.
    options: open_folder's. Raises UserError when offline, for a wrong checksum, a full disk or a damaged archive.
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
    return open_folder(root, **options)


def download(url, target, progress=True, timeout=30):
    """Fetch `url` into the file `target`, going on where an earlier attempt stopped. Raises UserError when it fails."""
    start = target.stat().st_size if target.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            if answer.status != 206:  # this server does not do parts: take the whole from the beginning
                start = 0
            length = answer.headers.get("Content-Length")
            total = start + int(length) if length else None
            bar = tqdm(desc="downloading", total=total, initial=start, unit="B", unit_scale=True, disable=hidden(progress))
            with bar, open(target, "ab" if start else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing follows what is here already; whether it is right, the checksum will say
            return
        answer = f"{error.code} {error.reason}"
        raise UserError(f"cannot download {url}: the server answers {answer}; try again later") from error
    except NETWORK_ERRORS as error:
        raise UserError(_offline(url, error)) from error
    received = target.stat().st_size
    if total is not None and received < total:
        raise UserError(f"the download of {url} stopped at {received:,} of {total:,} bytes: run it again to continue")


def _offline(url, error):
    why = getattr(error, "reason", None) or error
    return (
        f"cannot download {url} ({why}): check the network and run it again, "
        "or use the built-in pictures, which need none (--subset without a name)"
    )


def _check(archive, sha256, url):
    digest = hashlib.sha256()
    with open(archive, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if sha256 is not None and digest.hexdigest() != sha256:
        archive.unlink()  # continuing it could never make it right
        raise UserError(
            f"the file from {url} has the SHA-256 {digest.hexdigest()[:16]}... instead of {sha256[:16]}...: "
            "it was deleted; run it again, and if that does not help the file on the server has changed"
        )


def unpack(archive, folder, progress=True):
    """Unpack a .tgz into `folder`: plain files and folders only. Raises UserError for any name that leads elsewhere."""
    written = 0
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tqdm(tar, "unpacking", unit=" files", disable=hidden(progress), leave=False):
                target = _safe_target(member, folder)
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                written += member.size
                if written > MAX_UNPACKED:
                    raise UserError(f"{archive} unpacks to more than {MAX_UNPACKED:,} bytes: it was not used")
                target.parent.mkdir(parents=True, exist_ok=True)
                with tar.extractfile(member) as source, open(target, "xb") as file:
                    shutil.copyfileobj(source, file)
            while stream.read(CHUNK):  # to the end, where gzip compares its own checksum
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, FileExistsError) as error:
        raise UserError(f"the archive {archive} is damaged ({error}): delete it and run it again") from error


def _safe_target(member, folder):
    name = PurePosixPath(member.name)
    outside = name.is_absolute() or ".." in name.parts or "\\" in member.name or ":" in member.name
    if outside or not (member.isfile() or member.isdir()):
        raise UserError(f"the archive holds {member.name!r}, no plain file inside its folder: it was not unpacked")
    return Path(folder, *name.parts)


def _tidy(folder, url):
    """Lift train/ and val/ out of the archive's own folder, and give the classes their names."""
    inner = next((path.parent for path in sorted(folder.glob("*/train"))), None)
    if inner is None:
        raise UserError(f"the archive from {url} holds no folder with train/ in it: it is not Imagenette")
    for part in ("train", "val"):
        if (inner / part).is_dir():
            os.rename(inner / part, folder / part)
            for number, name in CLASSES.items():
                if (folder / part / number).is_dir():
                    os.rename(folder / part / number, folder / part / name)
    shutil.rmtree(inner)
