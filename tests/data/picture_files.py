"""Writing pictures for the tests."""

from PIL import Image


def save(path, pixels=None, size=(300, 280), colour=(200, 30, 40), **options):
    """Write a picture file (and the folders above it): these pixels, or one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, colour) if pixels is None else Image.fromarray(pixels)
    image.save(path, **options)
    return path
