"""The colour augmentation of the paper's section 4.1: components, noise, and where it lands."""

import numpy as np
import pytest
from picture_files import save
from test_mean_image import noise_set

from minialex.data import Loader, PictureSet, Statistics, statistics
from minialex.data.transforms import colour_shifts
from minialex.errors import UserError


def tinted_set(folder, count=5):
    """Noise in which red and green go together and blue against them."""
    random = np.random.default_rng(1)
    common = random.integers(0, 200, (count, 256, 256, 1))
    pixels = common * np.array([1, 0.7, -0.4]) + [0, 20, 130] + random.integers(0, 30, (count, 256,
                                                                                        256, 3))
    pixels = pixels.clip(0, 255).astype(np.uint8)
    paths = [save(folder / f"{n}.png", pixels[n], compress_level=0) for n in range(count)]
    return PictureSet(["a", "b"], [n % 2 for n in range(count)], paths, report=None), pixels


def test_components_against_numpys_covariance(tmp_path):
    pictures, pixels = tinted_set(tmp_path)
    covariance = np.cov(pixels.reshape(-1, 3).T / 255, bias=True)
    found = statistics(pictures).components
    assert found.dtype == np.float64
    variances = np.linalg.norm(found, axis=0) / 255
    np.testing.assert_allclose(variances, np.linalg.eigvalsh(covariance), rtol=1e-9)
    axes = found / (255 * variances)
    np.testing.assert_allclose(axes * variances @ axes.T, covariance, rtol=1e-9)
    assert (found.sum(axis=0) > 0).all()


def test_the_noises_covariance_is_what_the_formula_says(tmp_path):
    """Of P·(α₁λ₁, α₂λ₂, α₃λ₃)ᵀ it is σ²·P·diag(λ²)·Pᵀ = σ²·C·C."""
    pictures, pixels = tinted_set(tmp_path)
    covariance = np.cov(pixels.reshape(-1, 3).T / 255, bias=True)
    shifts = colour_shifts(statistics(pictures).components, 0.1, 400_000,
                           np.random.default_rng(0)) / 255
    scale = np.abs(covariance @ covariance).max() * 0.1**2
    np.testing.assert_allclose(np.cov(shifts.T), 0.1**2 * covariance @ covariance,
                               atol=0.01 * scale)
    np.testing.assert_allclose(shifts.mean(axis=0), 0, atol=5 * np.sqrt(scale / 400_000))


def test_grey_pictures_have_one_component_and_keep_their_colours(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (256, 256, 1), dtype=np.uint8).repeat(3,
                                                                                           axis=2)
    found = statistics(PictureSet(["a"], [0], [save(tmp_path / "a.png", grey)])).components
    assert np.linalg.norm(found, axis=0)[:2] == pytest.approx([0, 0], abs=1e-9)
    shifts = colour_shifts(found, 0.1, 10, np.random.default_rng(0))
    assert np.ptp(shifts, axis=1) == pytest.approx(0, abs=1e-5) and np.abs(shifts).min() > 0


def test_the_same_bytes_for_any_number_of_workers_and_pictures_without_colour(tmp_path):
    first = statistics(noise_set(tmp_path, 6)[0], workers=1).components
    assert first.tobytes() == statistics(noise_set(tmp_path, 6, cache_bytes=0)[0],
                                         workers=4).components.tobytes()
    assert statistics(noise_set(tmp_path, 2)[0], channels=1).components is None


def test_each_picture_is_shifted_by_its_draw_in_pixels_before_the_scale(tmp_path):
    pictures, _ = tinted_set(tmp_path)
    found = statistics(pictures)
    options = {"statistics": found, "seed": 4}
    plain, coloured = Loader(pictures, 5, **options), Loader(pictures, 5, colour=0.1, **options)
    plain.start(3), coloured.start(3)
    assert (plain.order == coloured.order).all() and (plain.offsets == coloured.offsets).all()
    (before, labels), (after, same_labels) = next(iter(plain)), next(iter(coloured))
    assert (labels == same_labels).all() and np.abs(coloured.shifts).max() > 1
    expected = (coloured.shifts[coloured.order] / found.std)[:, :, None, None]
    np.testing.assert_allclose(after - before, np.broadcast_to(expected, before.shape), atol=1e-5)


def test_draws_follow_from_seed_and_epoch_alone(tmp_path):
    pictures, _ = tinted_set(tmp_path)
    found = statistics(pictures)

    def shifts(seed, epoch, batch=0):
        loader = Loader(pictures, 2, statistics=found, seed=seed, colour=0.1)
        loader.start(epoch, batch)
        return loader.shifts

    assert (shifts(1, 2) == shifts(1, 2, batch=1)).all()
    assert (shifts(1, 2) != shifts(1, 3)).all() and (shifts(1, 2) != shifts(2, 2)).all()


def test_validation_keeps_its_colours(tmp_path):
    pictures, _ = tinted_set(tmp_path)
    options = {"train": False, "statistics": statistics(pictures)}
    (ours, _), (plain, _) = (next(iter(Loader(pictures, 5, colour=sigma, **options)))
                             for sigma in (0.1, 0))
    assert ours.tobytes() == plain.tobytes()


@pytest.mark.parametrize("found", [None, Statistics(np.zeros((3, 256, 256), np.float32), 1.0)])
def test_without_components_it_is_a_sentence(tmp_path, found):
    with pytest.raises(UserError,
                       match="principal components: that needs colour pictures and statistics"):
        Loader(tinted_set(tmp_path)[0], 2, statistics=found, colour=0.1)
