"""Decoding: any mode, upright, central square; and one clear line for whatever is no picture."""

import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from picture_files import save
from PIL import Image

from minialex.data import PictureSet, UnreadablePicture, decode
from minialex.data import pictures as module


def quarters(size=256):
    """Four colours, one in each quarter: turning or mirroring cannot go unseen."""
    pixels = np.zeros((size, size, 3), dtype=np.uint8)
    half = size // 2
    pixels[:half, :half], pixels[:half, half:] = (255, 0, 0), (0, 255, 0)
    pixels[half:, :half], pixels[half:, half:] = (0, 0, 255), (255, 255, 255)
    return pixels


def corners(pixels):
    return [tuple(int(v > 128) for v in pixels[y, x]) for y in (40, 215) for x in (40, 215)]


@pytest.mark.parametrize("size", [(256, 256), (640, 480), (480, 2000), (30, 17), (1, 1)])
def test_every_size_becomes_256(tmp_path, size):
    pixels = decode(save(tmp_path / "a.png", size=size))
    assert pixels.shape == (256, 256, 3) and pixels.dtype == np.uint8
    assert (pixels == (200, 30, 40)).all()


@pytest.mark.parametrize("wide", [True, False])
def test_takes_the_central_square(tmp_path, wide):
    pixels = np.zeros((256, 768, 3), dtype=np.uint8)
    pixels[:, 256:512] = 200  # the middle third is bright, the rest black
    path = save(tmp_path / "a.png", pixels if wide else pixels.transpose(1, 0, 2).copy())
    assert (decode(path) == 200).all()


def test_same_picture_as_the_papers_order_of_steps(tmp_path):
    """Rescale the shorter side, then crop: only the outermost pixels may differ, where the filter
    reaches outside."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    whole = Image.fromarray(noise).resize((600, 400), Image.Resampling.BICUBIC)
    path = save(tmp_path / "a.png", np.asarray(whole))
    expected = np.asarray(whole.resize((384, 256), Image.Resampling.BICUBIC))[:, 64:320]
    difference = np.abs(decode(path).astype(int) - expected)
    assert difference[:, 4:-4].max() <= 2


def test_large_jpeg_decoded_in_part_looks_the_same(tmp_path):
    whole = Image.fromarray(quarters(64)).resize((2048, 2048), Image.Resampling.BICUBIC)
    path = save(tmp_path / "a.jpg", np.asarray(whole), quality=95)
    expected = np.asarray(whole.resize((256, 256), Image.Resampling.BICUBIC), dtype=int)
    assert np.abs(decode(path) - expected).mean() < 3


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 77, (77, 77, 77)),
        ("LA", (77, 255), (77, 77, 77)),
        ("LA", (77, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("I;16", 0x8000, (128, 128, 128)),
    ],
)
def test_modes_of_png(tmp_path, mode, value, expected):
    path = tmp_path / "a.png"
    Image.new(mode, (300, 280), value).save(path)
    assert decode(path)[128, 128].tolist() == list(expected)


def test_palette_with_transparency(tmp_path):
    image = Image.new("P", (300, 280), 1)
    image.putpalette([9, 9, 9, 200, 0, 0, 0, 0, 200])
    image.paste(2, (150, 0, 300, 280))
    image.save(tmp_path / "a.png", transparency=2)
    pixels = decode(tmp_path / "a.png")
    assert pixels[128, 40].tolist() == [200, 0, 0] and pixels[128, 215].tolist() == [255, 255, 255]


def test_cmyk_jpeg(tmp_path):
    Image.new("CMYK", (300, 280), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = decode(tmp_path / "a.jpg")[128, 128].tolist()
    assert red > 230 and green < 60 and blue < 60


@pytest.mark.parametrize(
    ("values", "expected"),
    [(np.float32(0.5), 128), (np.float32(100), 100), (np.int32(40_000), 156), (np.int32(200), 200)],
)
def test_tiff_with_numbers_of_many_bits(tmp_path, values, expected):
    pixels = np.full((300, 280), values)
    # full scale is judged by the brightest pixel
    pixels[:4] = np.float32(1) if values == np.float32(0.5) else values
    path = save(tmp_path / "a.tiff", pixels)
    assert decode(path)[200, 128].tolist() == [expected] * 3


@pytest.mark.parametrize("ending", ["jpg", "tiff", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation, ending):
    upright = Image.fromarray(quarters())
    undo = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    stored = upright if undo == 1 else upright.transpose(module.UPRIGHT[undo])
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / f"a.{ending}", exif=exif)
    assert corners(decode(tmp_path / f"a.{ending}")) == corners(quarters())


def test_damaged_orientation_is_ignored(tmp_path):
    path = save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert decode(path).shape == (256, 256, 3)


def test_an_orientation_that_is_no_number_is_ignored(tmp_path):
    # one tag, whose value is a text
    entry = struct.pack("<HHHI4s", 1, 0x0112, 2, 2, b"x") + bytes(4)
    Image.fromarray(quarters()).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0" + entry)
    assert corners(decode(tmp_path / "a.jpg")) == corners(quarters())


def photo(path):
    pixels = np.random.default_rng(0).integers(0, 256, (300, 280, 3), dtype=np.uint8)
    return save(path, pixels)


@pytest.mark.parametrize("ending", ["jpg", "png", "gif", "bmp", "tiff", "webp"])
def test_every_cut_off_file_is_refused_with_path_and_reason(tmp_path, ending):
    path = photo(tmp_path / f"a.{ending}")
    content = path.read_bytes()
    for part in (0.001, 0.1, 0.5, 0.9):
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises(UnreadablePicture) as caught:
            decode(path)
        assert str(path) in str(caught.value) and len(caught.value.reason) > 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"not a picture at all", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture"),
    ],
)
def test_what_is_no_picture(tmp_path, content, reason):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadablePicture, match=reason):
        decode(tmp_path / "a.jpg")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(UnreadablePicture, match="No such file"):
        decode(tmp_path / "a.jpg")
    with pytest.raises(UnreadablePicture, match="directory"):
        decode(tmp_path)


@pytest.mark.parametrize("side", [9_600, 60_000])
def test_decompression_bomb(tmp_path, side):
    save(tmp_path / "a.png", size=(8, 8))
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[16:24] = side.to_bytes(4, "big") * 2  # width and height in the header
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadablePicture, match="more than 90,000,000 pixels"):
        decode(tmp_path / "a.png")


def test_pillows_own_warnings_do_not_reach_the_terminal(tmp_path):
    path = save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    code = f"from minialex.data.pictures import decode; decode({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stderr) == (0, "")


def test_flipped_bytes_never_raise_anything_else(tmp_path):
    path = photo(tmp_path / "a.jpg")
    content = path.read_bytes()
    random = np.random.default_rng(1)
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(content)
        for place in random.integers(0, 700, 4):  # the headers
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            outcomes.add(decode(path).shape)
        except UnreadablePicture:
            outcomes.add("refused")
    assert outcomes == {(256, 256, 3), "refused"}


def test_set_reads_keeps_and_protects(tmp_path):
    path = save(tmp_path / "a.png")
    pictures = PictureSet(["a"], [0], [path], report=None)
    first = pictures.read(0)
    path.unlink()
    assert first.shape == (256, 256, 3) and (pictures.read(0) == first).all()  # from memory
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0, 0] = 1


def test_memory_limit(numbered):
    pictures = numbered(4, cache_bytes=2 * 3 * 256 * 256)
    for index in range(4):
        pictures.read(index)
    for path in pictures.paths:
        os.unlink(path)
    kept = [index for index in range(4) if index in pictures._cache]
    assert kept == [0, 1]
    with pytest.raises(UnreadablePicture):
        pictures.read(2)
    assert pictures.decodes_anew and not numbered(2, cache_bytes=2 * 3 * 256 * 256).decodes_anew


def test_problem_is_reported_once_from_many_threads(tmp_path):
    bad = tmp_path / "kaputt-é.jpg"
    bad.write_bytes(b"\xff\xd8nothing")
    seen = []
    pictures = PictureSet(["a"], [0, 0], [bad, save(tmp_path / "b.jpg")],
                          report=lambda *problem: seen.append(problem))

    def read():
        with pytest.raises(UnreadablePicture):
            pictures.read(0)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1 and seen == pictures.problems and seen[0][0] == str(bad)


def test_report_prints_one_line(tmp_path, capsys):
    (tmp_path / "a.jpg").write_bytes(b"")
    pictures = PictureSet(["a"], [0], [tmp_path / "a.jpg"])
    with pytest.raises(UnreadablePicture):
        pictures.read(0)
    assert capsys.readouterr().err == f"skipped {tmp_path / 'a.jpg'}: the file is empty\n"


def test_too_little_memory_is_a_reason(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png")
    monkeypatch.setattr(module, "_as_colours", lambda image: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(UnreadablePicture, match="too large for the memory"):
        decode(path)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_only_the_small_square_is_laid_on_white(tmp_path, monkeypatch, mode):
    """Laying a large picture on white takes several times its own memory."""
    laid, compose = [], Image.alpha_composite
    monkeypatch.setattr(Image, "alpha_composite",
                        lambda *images: laid.append(images[1].size) or compose(*images))
    Image.new(mode, (900, 700), (0,) * (len(mode) - 1) + (128,)).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png")[128, 128].tolist() == [127] * 3
    assert laid == [(256, 256)]
