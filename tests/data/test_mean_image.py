"""The mean image and the spread against the plain formula."""

import numpy as np
import pytest
from picture_files import save

from minialex.data import PictureSet, statistics
from minialex.errors import UserError


def noise_set(folder, count, **options):
    random = np.random.default_rng(count)
    pixels = random.integers(0, 256, (count, 256, 256, 3), dtype=np.uint8)
    pixels[:, :, :, 1] //= 3  # channels that differ in mean and spread
    paths = [save(folder / f"{n}.png", pixels[n], compress_level=0) for n in range(count)]
    return PictureSet(["a"], [0] * count, paths, report=None, **options), pixels.transpose(0, 3, 1,
                                                                                           2)


def test_against_the_formula(tmp_path):
    pictures, pixels = noise_set(tmp_path, 5)
    found = statistics(pictures)
    assert found.mean.dtype == np.float32 and isinstance(found.std, float)
    np.testing.assert_allclose(found.mean, pixels.mean(axis=0), rtol=1e-6)
    assert found.std == pytest.approx((pixels - pixels.mean(axis=0)).std(), rel=1e-9)


def test_scaled_training_pixels_have_variance_one(tmp_path):
    pictures, pixels = noise_set(tmp_path, 4)
    found = statistics(pictures)
    assert ((pixels - found.mean) / found.std).std() == pytest.approx(1, abs=1e-6)


def test_same_bytes_for_any_number_of_workers_and_memory(tmp_path):
    first = statistics(noise_set(tmp_path, 6)[0], workers=1)
    other = statistics(noise_set(tmp_path, 6, cache_bytes=0)[0], workers=4)
    assert first.mean.tobytes() == other.mean.tobytes() and first.std == other.std


def test_limit_takes_every_nth(tmp_path):
    pictures, pixels = noise_set(tmp_path, 6)
    np.testing.assert_allclose(statistics(pictures, limit=3).mean, pixels[::2].mean(axis=0),
                               rtol=1e-6)


def test_broken_pictures_do_not_count(tmp_path):
    pictures, pixels = noise_set(tmp_path, 4)
    pictures.paths[1].write_bytes(b"")
    found = statistics(pictures)
    np.testing.assert_allclose(found.mean, pixels[[0, 2, 3]].mean(axis=0), rtol=1e-6)
    assert len(pictures.problems) == 1


def test_all_the_same_picture(tmp_path):
    path = save(tmp_path / "a.png")
    found = statistics(PictureSet(["a"], [0, 0], [path, path]))
    assert found.std == 1.0 and (found.mean[0] == 200).all()


def test_nothing_readable(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UserError, match="none of the 1 pictures"):
        statistics(PictureSet(["a"], [0], [tmp_path / "a.png"], report=None))
