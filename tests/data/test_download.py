"""The download, against a server on this machine: right, wrong, cut off, hostile, absent."""

import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from minialex.data import imagenette
from minialex.errors import UserError
from minialex.sets.sources import unpack

CLASSES = {"n01440764": "tench", "n02102040": "English springer", "n02979186": "cassette player",
           "n03000684": "chain saw", "n03028079": "church", "n03394916": "French horn",
           "n03417042": "garbage truck", "n03425413": "gas pump", "n03445777": "golf ball",
           "n03888257": "parachute"}
WNIDS = list(CLASSES)


def jpeg():
    file = io.BytesIO()
    Image.new("RGB", (320, 330), (9, 99, 199)).save(file, "jpeg")
    return file.getvalue()


def archive(extra=(), parts=("train", "val"), compression="gz"):
    """A small archive in Imagenette's form, then `extra` members: (TarInfo, content)."""
    file, picture = io.BytesIO(), jpeg()
    with tarfile.open(fileobj=file, mode=f"w:{compression}") as tar:
        members = [(f"imagenette2-320/{part}/{wnid}/{n}.JPEG", picture) for part in parts
                   for wnid in WNIDS for n in (1, 2)]
        members.append(("imagenette2-320/noisy_imagenette.csv", b"path,label"))
        folder = tarfile.TarInfo("imagenette2-320")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member, content in extra:
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


GOOD = archive()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests.append(self.headers.get("Range"))
        if server.status != 200:
            self.send_error(server.status)
            return
        start = 0
        if server.ranges and self.headers.get("Range"):
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        body = server.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.stop_after])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.status, server.ranges, server.stop_after, server.requests = (GOOD, 200,
                                                                                        True, None,
                                                                                        [])
    server.url = f"http://127.0.0.1:{server.server_port}/imagenette2-320.tgz"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(server, cache, content=GOOD, **options):
    sha256 = hashlib.sha256(content).hexdigest()
    return imagenette(cache, url=server.url, sha256=sha256, progress=False, timeout=120,
                      report=None, **options)


def left_over(cache):
    return sorted(path.name for path in cache.iterdir())


def test_good_download(server, tmp_path):
    train, val = fetch(server, tmp_path)
    assert train.classes == val.classes == sorted(CLASSES.values())
    assert (len(train), len(val)) == (20, 20) and train.problems == val.problems == []
    assert train.read(0).shape == (256, 256, 3)
    assert left_over(tmp_path) == ["imagenette2-320"]
    fetch(server, tmp_path)
    assert len(server.requests) == 1  # the second time it is there


def test_subset_options(server, tmp_path):
    train, _ = fetch(server, tmp_path, max_classes=3)
    assert len(train.classes) == 3


def test_wrong_checksum(server, tmp_path):
    with pytest.raises(UserError, match="SHA-256"):
        fetch(server, tmp_path, content=b"other")
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("ranges", [True, False])
def test_interrupted_download_is_continued(server, tmp_path, ranges):
    server.stop_after, server.ranges = 1000, ranges
    with pytest.raises(UserError, match=f"stopped at 1,000 of {len(GOOD):,} bytes: run it again"):
        fetch(server, tmp_path)
    assert left_over(tmp_path) == ["imagenette2-320.tgz.part"]
    server.stop_after = None
    assert len(fetch(server, tmp_path)[0]) == 20
    assert server.requests == [None, "bytes=1000-"] and left_over(tmp_path) == ["imagenette2-320"]


def test_complete_file_that_was_not_unpacked(server, tmp_path):
    (tmp_path / "imagenette2-320.tgz.part").write_bytes(GOOD)
    assert len(fetch(server, tmp_path)[0]) == 20


def test_server_without_the_file(server, tmp_path):
    server.status = 404
    with pytest.raises(UserError, match="the server answers 404"):
        fetch(server, tmp_path)


def test_offline(server, tmp_path):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match="check the network.*built-in") as caught:
        imagenette(tmp_path, url=url, progress=False, timeout=2)
    assert url in str(caught.value) and left_over(tmp_path) == []


def test_unknown_host(tmp_path):
    with pytest.raises(UserError, match="check the network"):
        imagenette(tmp_path, url="http://nowhere.invalid/a.tgz", progress=False, timeout=2)


def hostile(kind, tmp_path):
    member = tarfile.TarInfo("imagenette2-320/train/a.jpg")
    if kind == "up":
        member.name = "imagenette2-320/../../outside.txt"
    elif kind == "absolute":
        member.name = str(tmp_path / "outside.txt")
    elif kind == "windows":
        member.name = "..\\outside.txt"
    elif kind == "drive":
        member.name = "C:outside.txt"
    elif kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, str(tmp_path)
    elif kind == "hard link":
        member.type, member.linkname = tarfile.LNKTYPE, "../../outside.txt"
    elif kind == "device":
        member.type = tarfile.CHRTYPE
    elif kind == "pipe":
        member.type = tarfile.FIFOTYPE
    member.size = 4 if member.isfile() else 0
    return member


@pytest.mark.parametrize("kind", ["up", "absolute", "windows", "drive", "link", "hard link",
                                  "device", "pipe"])
def test_hostile_archive_writes_nothing(server, tmp_path, kind):
    cache = tmp_path / "cache"
    server.content = archive([(hostile(kind, tmp_path), b"evil")])
    with pytest.raises(UserError, match="no plain file inside its folder"):
        fetch(server, cache, content=server.content)
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    assert left_over(cache) == ["imagenette2-320.tgz.part"]


def test_damaged_archives(tmp_path):
    path = tmp_path / "a.tgz"
    half = len(GOOD) // 2
    for content in (GOOD[:half], GOOD[:-6], b"no archive", b"",
                    GOOD[:half] + bytes(50) + GOOD[half + 50 :]):
        path.write_bytes(content)
        (tmp_path / "out").mkdir()
        with pytest.raises(UserError, match="damaged"):
            unpack(path, tmp_path / "out", progress=False)
        import shutil

        shutil.rmtree(tmp_path / "out")


def test_archive_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("minialex.sets.sources.MAX_UNPACKED", 5000)
    (tmp_path / "a.tgz").write_bytes(GOOD)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match="more than 5,000 bytes"):
        unpack(tmp_path / "a.tgz", tmp_path / "out", progress=False)


def test_archive_of_something_else(server, tmp_path):
    server.content = archive(parts=())
    with pytest.raises(UserError, match="not Imagenette"):
        fetch(server, tmp_path, content=server.content)
    assert "imagenette2-320" not in left_over(tmp_path)
