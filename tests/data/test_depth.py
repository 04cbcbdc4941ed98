"""Pictures of more than 8 bits: the same ramp from black to white, however it was stored; or a
reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from bad_pictures import chunk
from PIL import Image

from minialex.data import UnreadablePicture, decode, open_data
from minialex.data.packing import pack

SIDE = 64
RAMP = np.tile(np.linspace(0, 1, SIDE), (SIDE, 1))


def shown(path):
    """Its middle row, as decoded: uint8 (64, 3)."""
    return decode(path, SIDE)[SIDE // 2].astype(int)


def is_ramp(row, tolerance=1):
    return np.abs(row - np.round(255 * RAMP[0])[:, None]).max() <= tolerance


def tiff(values, bits=None, photometric=1, sample_format=None, samples=1, big=False, more=()):
    """A TIFF file put together by hand: its header may say anything."""
    order = ">" if big else "<"
    data = values if isinstance(values, bytes) else values.astype(
        values.dtype.newbyteorder(order)).tobytes()
    bits = bits or values.dtype.itemsize * 8
    tags = [(256, SIDE), (257, SIDE), (258, bits), (259, 1), (262, photometric),
            (273, 8), (277, samples), (278, SIDE), (279, len(data)),
            *([(339, sample_format)] if sample_format else []), *more]
    offset = 8 + len(data)
    if samples > 1:  # one depth for each sample: behind the pixels
        data += struct.pack(f"{order}{samples}H", *[bits] * samples)
        tags = [(tag, offset if tag == 258 else value) for tag, value in tags]
    entries = b""
    for tag, value in sorted(tags):
        kind = 4 if tag in (273, 279) else 3
        number = samples if tag == 258 else 1
        short = kind == 3 and number * 2 <= 4
        entries += struct.pack(f"{order}HHI", tag, kind, number)
        entries += struct.pack(f"{order}HH", value, 0) if short else struct.pack(f"{order}I", value)
    directory = struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    return (b"MM\0*" if big else b"II*\0") + struct.pack(f"{order}I",
                                                         8 + len(data)) + data + directory


def png16(values, colour):
    """A PNG of 16 bits a channel: values uint16 (H, W, C)."""
    rows = values.astype(">u2").tobytes()
    step = len(rows) // len(values)
    body = zlib.compress(b"".join(b"\0" + rows[at:at + step] for at in range(0, len(rows), step)))
    header = struct.pack(">IIBBBBB", values.shape[1], len(values), 16, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND",
                                                                                        b"")


def ints(top, kind=np.uint16):
    return np.round(RAMP * top).astype(kind)


def saved(array, form="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, form, **options)
    return file.getvalue()


def pgm(top, greatest, magic="P5", channels=1):
    values = np.repeat(ints(top)[..., None], channels, axis=2).astype(">u2")
    return f"{magic} {SIDE} {SIDE} {greatest}\n".encode() + values.tobytes()


def pfm(values):
    return f"Pf\n{SIDE} {SIDE}\n-1.0\n".encode() + values[::-1].astype("<f4").tobytes()


def twelve_packed():
    """Two values of 12 bits in three bytes."""
    a = ints(4095).reshape(-1)
    pairs = np.stack([a[::2] >> 4, (a[::2] & 15) << 4 | a[1::2] >> 8, a[1::2] & 255], axis=1)
    return pairs.astype(np.uint8).tobytes()


def hot(values, *special):
    values = values.copy()
    for column, value in enumerate(special):
        values[0, column] = value
    return values


def with_alpha(values, opaque):
    return np.concatenate([np.repeat(values[..., None], 3, axis=2),
                           np.full((SIDE, SIDE, 1), opaque, np.uint16)], axis=2)


def rgb(values):
    return np.repeat(values[..., None], 3, axis=2)


F32 = np.float32
RAMPS = {
    **{f"PNG of 16 bits, brightest {top}": (saved(ints(top)), "png")
       for top in (255, 256, 300, 511, 1023, 4095, 4096, 16383, 65535)},
    **{f"TIFF of 12 bits in 16, "
       f"packed by, {kind}": (saved(ints(4095), "TIFF", compression=kind), "tif")
       for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits")},
    **{f"TIFF of 16 bits, brightest {top}": (tiff(ints(top)), "tif")
       for top in (255, 256, 1023, 4095, 16383, 65535)},
    "TIFF of 16 bits, the high byte first": (tiff(ints(65535), big=True), "tif"),
    "TIFF of 12 bits in 16, the high byte first": (tiff(ints(4095), big=True), "tif"),
    "TIFF of 12 packed bits": (tiff(twelve_packed(), bits=12), "tif"),
    "TIFF of 16 bits, white is zero": (tiff(65535 - ints(65535), photometric=0), "tif"),
    "TIFF of 12 bits, white is zero": (tiff(4095 - ints(4095), photometric=0), "tif"),
    "TIFF of 16 bits that says its greatest value": (tiff(ints(20_000), more=[(281, 20_000)]),
                                                     "tif"),
    "TIFF of signed 16 bits": (tiff((ints(65535, np.int32) - 32768).astype(np.int16),
                                    sample_format=2), "tif"),
    "TIFF of signed 16 bits above zero": (tiff(ints(32767, np.int16), sample_format=2), "tif"),
    "TIFF of signed 16 bits, Hounsfield": (tiff((ints(4095, np.int32) - 1024).astype(np.int16),
                                                sample_format=2), "tif"),
    "TIFF of 32 bits": (tiff(ints(70_000, np.int32), sample_format=2), "tif"),
    "TIFF of 32 bits, bytes in them": (tiff(ints(255, np.int32), sample_format=2), "tif"),
    "TIFF of 32 bits without a sign": (tiff(np.round(RAMP * (2**32 - 1)).astype(np.uint32),
                                            sample_format=1), "tif"),
    **{f"floats 0..{top}": (saved((RAMP * top).astype(F32), "TIFF"), "tif")
       for top in (1e-6, 0.003, 0.09, 1, 1.0001, 1.05, 1.5, 2, 3, 10, 20, 255, 256, 1000, 4095,
                   65535, 1e6)},
    "floats -1..1": (saved((2 * RAMP - 1).astype(F32), "TIFF"), "tif"),
    "floats -0.5..0.5": (saved((RAMP - 0.5).astype(F32), "TIFF"), "tif"),
    "floats -1024..3071": (saved((4095 * RAMP - 1024).astype(F32), "TIFF"), "tif"),
    "floats a little beyond 0..1 on both sides": (saved(hot(RAMP, -0.003, 1.002).astype(F32),
                                                        "TIFF"), "tif"),
    "floats with NaN and infinity": (saved(hot(RAMP, np.nan, np.inf, -np.inf).astype(F32), "TIFF"),
                                     "tif"),
    "floats -1..1 with infinity": (saved(hot(2 * RAMP - 1, np.inf, -np.inf, np.nan).astype(F32),
                                         "TIFF"), "tif"),
    "floats, white is zero": (tiff((1 - RAMP).astype(F32), photometric=0, sample_format=3), "tif"),
    "PFM": (pfm(RAMP), "pfm"),
    **{f"PGM, greatest {greatest}": (pgm(greatest, greatest), "pgm")
       for greatest in (256, 1023, 4095, 65535)},
    "PGM of 12 bits that says 65535": (pgm(4095, 65535), "pgm"),
    "PPM of 12 bits": (pgm(4095, 4095, "P6", 3), "ppm"),
    **{f"PNG of 16 bits a colour, brightest {top}": (png16(rgb(ints(top)), 2), "png")
       for top in (4095, 16383, 65535)},
    "PNG of 12 bits in 16, with transparency": (png16(with_alpha(ints(4095), 4095), 6), "png"),
    "PNG of 12 bits in 16, opaque": (png16(with_alpha(ints(4095), 65535), 6), "png"),
    "grey PNG of 12 bits in 16, opaque": (png16(np.stack([ints(4095), ints(0) + 4095], axis=-1), 4),
                                          "png"),
    "TIFF of 12 bits in 16 a colour": (tiff(rgb(ints(4095)), photometric=2, samples=3), "tif"),
    "TIFF of 16 bits a colour, the high byte first": (tiff(rgb(ints(65535)), photometric=2,
                                                           samples=3, big=True), "tif"),
    "TIFF of 12 bits in 16 a colour, the high byte first": (tiff(rgb(ints(4095)), photometric=2,
                                                                 samples=3, big=True), "tif"),
}


@pytest.mark.parametrize("name", RAMPS)
def test_the_same_ramp(tmp_path, name):
    content, ending = RAMPS[name]
    (tmp_path / f"a.{ending}").write_bytes(content)
    row = shown(tmp_path / f"a.{ending}")
    assert is_ramp(row, 2), row[::9, 0].tolist()


# A picture that is not bright keeps its place where the file or its numbers say how bright white
# would be.
LEVELS = {
    "16 bits at 40,000": (tiff(ints(0) + 40_000), "tif", 156),
    "16 bits at 0x8000": (saved(ints(0) + 0x8000), "png", 128),
    "16 bits at 200": (saved(ints(0) + 200), "png", 200),
    "12 bits at 3,000": (saved(ints(0) + 3000), "png", 187),
    "12 packed bits at 1,024": (tiff(b"\x40\x04\x00" * (SIDE * SIDE // 2), bits=12), "tif", 64),
    "PGM of 4095 at 1,000": (pgm(0, 4095).replace(b"\0\0", struct.pack(">H", 1000)), "pgm", 62),
    "16 bits at 26": (saved(ints(0) + 26), "png", 26),
    "16 bits at 1, such as a mask": (saved(ints(0) + 1), "png", 255),
    "floats at 0.11": (saved(np.full((SIDE, SIDE), 0.11, F32), "TIFF"), "tif", 28),
    "floats at 0.5": (saved(np.full((SIDE, SIDE), 0.5, F32), "TIFF"), "tif", 128),
    "floats at 100": (saved(np.full((SIDE, SIDE), 100, F32), "TIFF"), "tif", 100),
    "floats at -1 of 1": (saved(np.full((SIDE, SIDE), -1, F32), "TIFF"), "tif", 0),
    "zero": (saved(ints(0)), "png", 0),
    "a colour of 16 bits at 0x8000": (png16(rgb(ints(0) + 0x8000), 2), "png", 128),
}


@pytest.mark.parametrize("name", LEVELS)
def test_level(tmp_path, name):
    content, ending, level = LEVELS[name]
    (tmp_path / f"a.{ending}").write_bytes(content)
    assert set(shown(tmp_path / f"a.{ending}").ravel().tolist()) == {level}


REFUSED = {
    "nothing but NaN": (saved(np.full((SIDE, SIDE), np.nan, F32), "TIFF"), "no numbers but NaN"),
    "nothing but -5": (tiff(np.full((SIDE, SIDE), -5, np.int16), sample_format=2),
                       "all its values are -5"),
    "one value of 1e30 among small ones": (saved(hot(RAMP, 1e30).astype(F32), "TIFF"),
                                           "would be black; scale them"),
    "signed bytes": (tiff((RAMP * 255 - 128).astype(np.int8), sample_format=2), "signed bytes"),
    "colours of 12 bits in a PPM that says 65535": (pgm(4095, 65535, "P6", 3),
                                                    "at most 12, which would be black"),
    "half floats": (tiff(RAMP.astype(np.float16), sample_format=3), "damaged|not a picture"),
    "double floats": (tiff(RAMP.astype(np.float64), sample_format=3), "damaged|not a picture"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_reason(tmp_path, name):
    content, reason = REFUSED[name]
    path = tmp_path / ("a.ppm" if content[:1] == b"P" else "a.tif")
    path.write_bytes(content)
    with pytest.raises(UnreadablePicture, match=reason):
        decode(path)


def test_bright_colours_of_16_bits_are_pillows_own(tmp_path):
    values = np.random.default_rng(3).integers(0, 65536, (SIDE, SIDE, 3), dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(png16(values, 2))
    assert (decode(tmp_path / "a.png", SIDE) == values >> 8).all()


def test_dark_colours_that_are_no_12_bits_are_pillows_own(tmp_path):
    """Of 16 bits per channel that the file's own format scales to 8, none is left to be found."""
    pixels = np.full((9, 9, 3), 20000, ">u2").tobytes()
    (tmp_path / "a.ppm").write_bytes(b"P6 9 9 65535\n" + pixels)
    assert set(decode(tmp_path / "a.ppm", 9).reshape(-1).tolist()) == {78}


def test_every_value_of_12_bits_has_its_own_level(tmp_path):
    """Pillow keeps the upper 8 of 16 bits: the other 8 are read too."""
    values = (np.arange(SIDE * SIDE, dtype=np.uint16) % 4096).reshape(SIDE, SIDE)
    (tmp_path / "a.png").write_bytes(png16(rgb(values), 2))
    assert (decode(tmp_path / "a.png", SIDE)[..., 0] == np.round(values * (255 / 4095))).all()


def test_the_same_from_a_pack(tmp_path):
    for number, name in enumerate(RAMPS):
        content, ending = RAMPS[name]
        folder = tmp_path / "in" / ("even" if number % 2 else "odd")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:03d}.{ending}").write_bytes(content)
    pack(tmp_path / "in", tmp_path / "packed", SIDE, progress=False)
    for here, there in zip(open_data(tmp_path / "in", size=SIDE),
                           open_data(tmp_path / "packed", size=SIDE)):
        assert len(here) == len(there) > 10 and not here.problems and not there.problems
        assert all((here.planes(index) == there.planes(index)).all() for index in range(len(here)))


@pytest.mark.parametrize(("ending", "form", "mode"),
                         [(".jfif", "JPEG", "RGB"), (".jpe", "JPEG", "RGB"), (".jfi", "JPEG", "L"),
                          (".jif", "JPEG", "RGB"), (".pnm", "PPM", "RGB"),
                          (".pjpeg", "JPEG", "RGB"), (".pnm", "PPM", "L"), (".pbm", "PPM", "1"),
                          (".dib", "BMP", "RGB"), (".dib", "DIB", "RGB"), (".apng", "PNG", "RGB"),
                          (".JFIF", "JPEG", "RGB"), (".mpo", "MPO", "RGB"),
                          (".avif", "AVIF", "RGB")])
def test_endings(tmp_path, ending, form, mode):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.new(mode, (40, 40), 1 if mode == "1"
                      else "white").save(tmp_path / name / f"{number}{ending}", form)
    train, _ = open_data(tmp_path, size=SIDE, report=None)
    assert len(train) == 2 and train.read(0).min() > 250 and not train.problems
