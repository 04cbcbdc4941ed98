"""Single picture files: damaged ones, odd ones that are pictures all the same, and files that never
were pictures."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, PngImagePlugin


def noise(width=60, height=50, mode="RGB"):
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(5).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels if channels > 1 else pixels[..., 0],
                           mode if channels != 4 or mode == "RGBA" else None)


def encoded(image=None, form="JPEG", **options):
    """The bytes of a picture file."""
    file = io.BytesIO()
    (image or noise()).save(file, form, **options)
    return file.getvalue()


def chunk(kind, content):
    """One chunk of a PNG file with its checksum."""
    return struct.pack(">I",
                       len(content)) + kind + content + struct.pack(">I",
                                                                    zlib.crc32(kind + content))


def png(width=8, height=8, depth=8, colour=2, body=None, extra=b""):
    """A PNG file put together by hand, whose header may say anything."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(8 * 25))) if body is None else body
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + body + chunk(b"IEND", b"")


def flipped(content, place):
    content = bytearray(content)
    content[place] ^= 0xFF
    return bytes(content)


def bomb(side=9_600):
    """A whole and valid PNG file of a few kilobytes whose picture has side² black pixels of one
    bit."""
    rows = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    body = b"".join(rows.compress(row) for _ in range(side)) + rows.flush()
    return png(side, side, 1, 0, chunk(b"IDAT", body))


def damaged():
    """(name, bytes, what is said, ending)"""
    jpeg, whole_png, gif = encoded(), encoded(form="PNG"), encoded(form="GIF")
    bmp, tiff, webp, ppm = (encoded(form=form) for form in ("BMP", "TIFF", "WEBP", "PPM"))
    lossless = encoded(form="WEBP", lossless=True)
    big, broken, none = ("more than 90,000,000 pixels", "damaged or cut off",
                         "not a picture in a known format")
    either = f"{broken}|{none}"
    random = np.random.default_rng(6).integers(0, 256, 5000, dtype=np.uint8).tobytes()
    yield "an empty file", b"", "the file is empty", ".jpg"
    yield "one byte", b"\xff", none, ".jpg"
    yield "zeros, as after a crash of the file system", bytes(4096), none, ".jpg"
    yield "random bytes", random, none, ".png"
    yield "text named jpg", b"not a picture at all\n", none, ".jpg"
    yield ("an error page saved as jpg", b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
           none, ".jpg")
    yield ("PostScript named jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
           none, ".jpg")
    yield ("SVG named png", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", none,
           ".png")
    yield "PDF named jpg", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF", none, ".jpg"
    yield "video named jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + random, none, ".jpg"
    yield "HEIC named jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + random, none, ".jpg"
    yield "a zip named png", b"PK\x03\x04" + random, none, ".png"
    yield "a gzip named jpg", b"\x1f\x8b\x08" + random, none, ".jpg"
    yield "a pickle named jpg", b"\x80\x04cos\nsystem\n(X\x04\0\0\0exittR.", none, ".jpg"
    yield "an ELF program named jpg", b"\x7fELF\x02\x01\x01" + random, none, ".jpg"
    yield "an icon named png", encoded(noise(32, 32), "ICO"), none, ".png"
    yield "JPEG cut after its first bytes", jpeg[:10], either, ".jpg"
    yield "JPEG cut in its tables", jpeg[:200], either, ".jpg"
    yield "JPEG cut in half", jpeg[:len(jpeg) // 2], broken, ".jpg"
    yield "JPEG without its last tenth", jpeg[:len(jpeg) * 9 // 10], broken, ".jpg"
    yield "JPEG whose first byte is wrong", flipped(jpeg, 0), none, ".jpg"
    yield "JPEG whose table has a wrong length", flipped(jpeg, 22), either, ".jpg"
    yield "JPEG of zero height", jpeg.replace(struct.pack(">HH", 50, 60), struct.pack(">HH", 0, 60),
                                              1), either, ".jpg"
    yield "progressive JPEG cut off", encoded(progressive=True)[:1500], broken, ".jpg"
    yield "PNG cut in half", whole_png[:len(whole_png) // 2], broken, ".png"
    yield "PNG whose header has a wrong checksum", flipped(whole_png, 30), either, ".png"
    yield "PNG whose pixels have a wrong checksum", flipped(whole_png, 500), broken, ".png"
    yield "PNG without pixels", png(body=b""), either, ".png"
    yield "PNG with too few pixels", png(body=chunk(b"IDAT",
                                                    zlib.compress(bytes(20)))), broken, ".png"
    yield "PNG of zero width", png(width=0), either, ".png"
    yield "PNG of a bit depth that there is not", png(depth=5), either, ".png"
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(90_000_000), 9))
    yield "PNG with text that unpacks to 90 MB", png(extra=text), either, ".png"
    yield "PNG that says it has 60,000 × 60,000 pixels", png(60_000, 60_000), big, ".png"
    yield "PNG that says it has 2³¹ − 1 pixels a side", png(2**31 - 1, 2**31 - 1), big, ".png"
    yield "PNG of a few kilobytes with 92 million pixels", bomb(), big, ".png"
    yield "GIF cut in half", gif[:len(gif) // 2], broken, ".gif"
    yield "GIF that ends after its header", gif[:13], either, ".gif"
    yield "GIF that says it has 65,535 × 65,535 pixels", gif[:6] + b"\xff\xff\xff\xff" + gif[
        10:], big, ".gif"
    yield "BMP cut in half", bmp[:len(bmp) // 2], broken, ".bmp"
    yield "BMP that says it is 30,000 pixels high", bmp[:18] + struct.pack(
        "<ii", 30_000, 30_000) + bmp[26:], big, ".bmp"
    yield "BMP of a compression that there is not", bmp[:30] + b"\x63" + bmp[31:], either, ".bmp"
    yield "TIFF cut in half", tiff[:len(tiff) // 2], either, ".tiff"
    yield "TIFF whose directory lies behind its end", tiff[:4] + b"\xff\xff\xff\x7f" + tiff[
        8:], either, ".tiff"
    yield "TIFF that is its header alone", b"II*\0\x08\0\0\0", either, ".tif"
    yield "WebP cut in half", webp[:len(webp) // 2], either, ".webp"
    yield "lossless WebP cut in half", lossless[:len(lossless) // 2], either, ".webp"
    yield "WebP that is its header alone", webp[:12], either, ".webp"
    yield "PPM cut in half", ppm[:len(ppm) // 2], broken, ".ppm"
    yield "PPM with words for numbers", b"P6\nten ten\n255\n" + bytes(300), either, ".ppm"
    yield "PPM of zero width", b"P6\n0 10\n255\n", either, ".ppm"
    yield "PPM that says it has 10¹⁰ pixels", b"P6\n100000 100000\n255\n", big, ".ppm"


def _animated(form, **options):
    return encoded(noise(), form, save_all=True,
                   append_images=[noise().rotate(90 * n) for n in (1, 2)], duration=50, **options)


def _palette_with_transparency():
    image = noise(mode="L").convert("P")
    return encoded(image, "PNG", transparency=3)


def _with_orientation(number):
    exif = Image.Exif()
    exif[0x0112] = number
    return encoded(exif=exif)


def _with_text():
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "ü" * 1000)
    return encoded(form="PNG", pnginfo=text)


def odd():
    """(name, bytes, ending)"""
    yield "PNG named jpg", encoded(form="PNG"), ".jpg"
    yield "JPEG named png", encoded(), ".png"
    yield "GIF named jpg", encoded(form="GIF"), ".jpg"
    yield "WebP named jpeg", encoded(form="WEBP"), ".jpeg"
    yield "BMP named png", encoded(form="BMP"), ".png"
    yield "an ending in capitals", encoded(), ".JPG"
    yield "animated GIF", _animated("GIF"), ".gif"
    yield "animated PNG", _animated("PNG"), ".png"
    yield "animated WebP", _animated("WEBP"), ".webp"
    gif = encoded(form="GIF")
    yield "GIF whose header says zero size and whose picture does not", gif[:6] + bytes(4) + gif[
        10:], ".gif"
    yield "TIFF of three pages", encoded(noise(), "TIFF", save_all=True,
                                         append_images=[noise(), noise()]), ".tiff"
    yield "stereo JPEG (MPO)", encoded(noise(), "MPO", save_all=True,
                                       append_images=[noise()]), ".jpg"
    yield "CMYK JPEG", encoded(noise().convert("CMYK")), ".jpg"
    yield "CMYK TIFF", encoded(noise().convert("CMYK"), "TIFF"), ".tif"
    yield "grey JPEG", encoded(noise(mode="L")), ".jpg"
    yield "progressive JPEG", encoded(progressive=True), ".jpg"
    yield "JPEG with bytes behind its end", encoded() + b"appended by a camera" * 99, ".jpg"
    yield "JPEG with a comment of 60,000 bytes", encoded(comment=b"x" * 60_000), ".jpg"
    yield "JPEG with a colour profile that is none", encoded(icc_profile=b"nonsense" * 20), ".jpg"
    yield "JPEG with a damaged orientation", encoded(exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"), ".jpg"
    yield "JPEG with an orientation that there is not", _with_orientation(77), ".jpg"
    yield "JPEG lying on its side", _with_orientation(6), ".jpg"
    yield "grey PNG of 16 bits", encoded(
        Image.fromarray(np.arange(3000, dtype=np.uint16).reshape(50, 60) * 20), "PNG"), ".png"
    yield "PNG of 1 bit", encoded(noise(mode="L").convert("1"), "PNG"), ".png"
    yield "grey PNG with transparency", encoded(noise(mode="LA"), "PNG"), ".png"
    yield "PNG with transparency", encoded(noise(mode="RGBA"), "PNG"), ".png"
    yield "palette PNG with transparency", _palette_with_transparency(), ".png"
    yield "wholly transparent PNG", encoded(Image.new("RGBA", (50, 40)), "PNG"), ".png"
    yield "PNG with long text", _with_text(), ".png"
    yield "GIF with a transparent colour", encoded(noise(mode="L").convert("P"), "GIF",
                                                   transparency=1), ".gif"
    yield "TIFF of floating-point numbers", encoded(
        Image.fromarray(np.full((50, 60), 0.3, dtype=np.float32)), "TIFF"), ".tiff"
    nan = np.where(np.eye(50, 60) > 0, np.nan, 1e30).astype(np.float32)
    yield "TIFF with NaN and 1e30", encoded(Image.fromarray(nan), "TIFF"), ".tiff"
    yield "TIFF of 32 bits", encoded(Image.fromarray(np.full((50, 60), 70_000, dtype=np.int32)),
                                     "TIFF"), ".tiff"
    yield "PGM", encoded(noise(mode="L"), "PPM"), ".pgm"
    yield "one pixel", encoded(noise(1, 1), "PNG"), ".png"
    yield "one row of 60,000 pixels", encoded(noise(60_000, 1), "PNG"), ".png"
    yield "one column of 60,000 pixels", encoded(noise(1, 60_000), "PNG"), ".png"
    yield "a banner of 2 × 30,000 JPEG pixels", encoded(noise(30_000, 2)), ".jpg"
    yield "black all over", encoded(Image.new("RGB", (50, 40))), ".jpg"


def no_pictures():
    """(name, bytes, what is said, ending)"""
    says = "its name ends in none of"
    yield "notes.txt", b"to do: sort these\n", says, ".txt"
    yield "annotations", b"<annotation/>", says, ".xml"
    yield "a file without an ending", encoded(), says, ""
    yield "a download that is not finished", encoded()[:99], says, ".jpg.part"
    yield "a picture in a format that is not read", b"\0\0\0\x18ftypheic", says, ".heic"
    yield "an array", b"\x93NUMPY", says, ".npy"
