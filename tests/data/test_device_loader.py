"""Batches made on a GPU are the same bytes as on the CPU; here on the strict stand-in of
tests/gpu."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import save
from test_loader import broken_set

from minialex.data import Loader, PictureSet, statistics
from minialex.data.transforms import prepare, prepare_batch

sys.path.insert(0, str(Path(__file__).parents[1] / "gpu"))


@pytest.fixture
def cupy(monkeypatch):
    import standin

    return standin.install(monkeypatch)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), crop=st.integers(1, 20), count=st.integers(1, 5), seed=st.integers(0, 99))
def test_a_batch_at_once_is_picture_by_picture(data, crop, count, seed):
    random = np.random.default_rng(seed)
    channels, factor = data.draw(st.sampled_from([1, 3])), data.draw(st.sampled_from([1.0,
                                                                                      1 / 59.3]))
    planes = random.integers(0, 256, (count, channels, 20, 20), dtype=np.uint8)
    mean = random.uniform(0, 255, (channels, 20,
                                   20)).astype(np.float32) if data.draw(st.booleans()) else None
    shifts = random.normal(0, 9, (count, channels)).astype(np.float32) if data.draw(
        st.booleans()) else None
    offsets, reflections = random.integers(0, 20 - crop, (count, 2),
                                           endpoint=True), random.random(count) < 0.5
    expected = np.empty((count, channels, crop, crop), dtype=np.float32)
    for n in range(count):
        prepare(planes[n], *offsets[n], reflections[n], mean, factor, expected[n],
                None if shifts is None else shifts[n])
    assert prepare_batch(planes, offsets, reflections, mean, factor, crop,
                         shifts).tobytes() == expected.tobytes()


def colourful(folder):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (7, 256, 256, 3), dtype=np.uint8)
    return PictureSet(list("abc"), [n % 3 for n in range(7)],
                      [save(folder / f"{n}.png", p) for n, p in enumerate(pixels)])


@pytest.mark.parametrize("options", [{"colour": 0.1}, {"channels": 1}, {"train": False},
                                     {"scale": False, "reflect": False}])
def test_the_same_batches_on_both_devices(tmp_path, cupy, options):
    pictures = colourful(tmp_path)
    options = options | {"statistics": statistics(pictures, options.get("channels", 3))}
    expected = list(Loader(pictures, 3, 200, **options))
    got = list(Loader(pictures, 3, 200, device="cuda:0", **options))
    for (images, labels), (ours, our_labels) in zip(expected, got, strict=True):
        assert isinstance(ours, cupy.ndarray) and ours.shape == images.shape
        assert ours.get().tobytes() == images.tobytes() and (our_labels.get() == labels).all()


def test_the_host_never_waits_and_sends_bytes(tmp_path, cupy):
    import standin

    pictures = colourful(tmp_path)
    found = statistics(pictures)
    with standin.no_waiting(cupy):
        for images, _ in Loader(pictures, 3, statistics=found, colour=0.1, device="cuda"):
            assert images.dtype == np.float32


@pytest.mark.parametrize("train", [True, False])
def test_pictures_that_cannot_be_read(tmp_path, cupy, train):
    pictures = broken_set(tmp_path, {0, 1, 4}, report=None)
    expected = list(Loader(pictures, 2, train=train))
    got = list(Loader(pictures, 2, train=train, device="cuda"))
    assert [labels.get().tolist() for _, labels in got] == [labels.tolist()
                                                            for _, labels in expected]
    assert all(ours.get().tobytes() == images.tobytes()
               for (ours, _), (images, _) in zip(got, expected, strict=True))


def test_without_statistics_bytes_become_floats(tmp_path, cupy):
    images, _ = next(iter(Loader(colourful(tmp_path), 7, device="cuda")))
    assert images.dtype == np.float32 and images.get().max() > 200
