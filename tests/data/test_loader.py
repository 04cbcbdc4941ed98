"""Batches: reproducible, whatever the threads do; crops, reflections, mean and scale where they
should be."""

import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picture_files import save

from minialex.data import Loader, PictureSet, Statistics, statistics
from minialex.data.transforms import centre, luminance, prepare
from minialex.errors import UserError
from minialex.utils.ahead import ahead


def epoch(loader):
    """All batches of an iteration as two arrays."""
    batches = list(loader)
    return (np.concatenate([images for images, _ in batches]),
            np.concatenate([labels for _, labels in batches]))


def places(images):
    """Picture number, row and column of the first pixel, and whether reflected, from the colours of
    a numbered set."""
    reflected = images[:, 2, 0, 0] > images[:, 2, 0, -1]
    column = np.minimum(images[:, 2, 0, 0], images[:, 2, 0, -1])
    return images[:, 0, 0, 0].astype(int), images[:, 1, 0,
                                                  0].astype(int), column.astype(int), reflected


def test_shapes_types_and_last_batch(numbered):
    loader = Loader(numbered(10), 4)
    batches = list(loader)
    assert [images.shape for images, _ in batches] == [(4, 3, 227, 227)] * 2 + [(2, 3, 227, 227)]
    assert len(loader) == 3
    assert all(images.dtype == np.float32 and images.flags.c_contiguous for images, _ in batches)
    assert all(labels.dtype == np.int64 for _, labels in batches)
    loader = Loader(numbered(10), 4, drop_last=True)
    assert [len(labels) for _, labels in loader] == [4, 4] and len(loader) == 2


@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_same_batches_for_any_number_of_workers(numbered, cache_bytes):
    pictures = numbered(13, cache_bytes=cache_bytes)
    expected = epoch(Loader(pictures, 4, seed=5, workers=1))
    for workers in (2, 5):
        images, labels = epoch(Loader(pictures, 4, seed=5, workers=workers))
        assert np.array_equal(images, expected[0]) and np.array_equal(labels, expected[1])


def test_same_batches_whichever_picture_is_slow(numbered, monkeypatch):
    pictures = numbered(12)
    expected = epoch(Loader(pictures, 3, seed=1, workers=3))
    planes = pictures.planes
    monkeypatch.setattr(pictures, "planes", lambda index: time.sleep(index % 3 / 100)
                        or planes(index))
    images, labels = epoch(Loader(pictures, 3, seed=1, workers=3))
    assert np.array_equal(images, expected[0]) and np.array_equal(labels, expected[1])


def test_each_picture_once_with_its_own_label(numbered):
    images, labels = epoch(Loader(numbered(11), 4, seed=3))
    numbers = places(images)[0]
    assert sorted(numbers) == list(range(11)) and (labels == numbers % 2).all()


def test_epoch_and_seed_change_order_crops_and_reflections(numbered):
    pictures = numbered(16)
    drawn = {}
    for seed, number in [(0, 0), (0, 1), (1, 0)]:
        loader = Loader(pictures, 16, seed=seed)
        loader.start(number)
        drawn[seed, number] = [tuple(values) for values in places(epoch(loader)[0])]
    for one, other in [((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 1), (1, 0))]:
        assert all(a != b for a, b in zip(drawn[one], drawn[other], strict=True))


def test_goes_on_at_any_batch_without_reading_the_skipped_ones(numbered):
    pictures = numbered(10)
    loader = Loader(pictures, 3, seed=2)
    loader.start(4)
    whole = list(loader)
    fresh = numbered(10)
    resumed = Loader(fresh, 3, seed=2)
    resumed.start(4, 2)
    rest = list(resumed)
    assert len(rest) == 2
    for (images, labels), (expected, expected_labels) in zip(rest, whole[2:], strict=True):
        assert np.array_equal(images, expected) and np.array_equal(labels, expected_labels)
    assert set(fresh._cache) == set(resumed.order[6:].tolist())
    resumed.start(5)
    assert len(list(resumed)) == 4  # the next epoch is whole again


def test_changing_the_epoch_leaves_a_running_iteration_alone(numbered):
    pictures = numbered(9)
    expected = epoch(Loader(pictures, 2, seed=1))[0]
    loader = Loader(pictures, 2, seed=1)
    got = []
    for images, _ in loader:
        got.append(images)
        loader.start(7)
    assert np.array_equal(np.concatenate(got), expected)


def test_validation_is_never_augmented(numbered):
    loader = Loader(numbered(7), 3, train=False, random_crop=True, reflect=True)
    for number in (0, 1):
        loader.start(number)
        images, labels = epoch(loader)
        numbers, rows, columns, reflected = places(images)
        assert numbers.tolist() == list(range(7)) and (labels == numbers % 2).all()
        assert (rows == 14).all() and (columns == 14).all() and not reflected.any()


def test_crops_cover_all_offsets_and_half_are_reflected(numbered):
    loader = Loader(numbered(2), 2, seed=0)
    rows, columns, reflected = [], [], []
    for number in range(400):
        loader.start(number)
        rows += loader.offsets[:, 0].tolist()
        columns += loader.offsets[:, 1].tolist()
        reflected += loader.reflections.tolist()
    assert set(rows) == set(columns) == set(range(30))
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.15
    assert 0.42 < np.mean(reflected) < 0.58
    # and what is drawn is what is done
    numbers, found_rows, found_columns, found_reflected = places(epoch(loader)[0])
    assert (loader.offsets[numbers] == np.stack([found_rows, found_columns], axis=1)).all()
    assert (loader.reflections[numbers] == found_reflected).all()


def test_switches(numbered):
    pictures = numbered(8)
    _, rows, columns, reflected = places(epoch(Loader(pictures, 8, random_crop=False))[0])
    assert (rows == 14).all() and (columns == 14).all() and reflected.any()
    _, rows, _, reflected = places(epoch(Loader(pictures, 8, reflect=False))[0])
    assert len(set(rows)) > 2 and not reflected.any()


@settings(max_examples=60, deadline=None)
@given(data=st.data(), crop=st.integers(1, 20), reflect=st.booleans(), factor=st.floats(0.01, 2),
       seed=st.integers(0, 99))
def test_prepare_against_the_obvious(data, crop, reflect, factor, seed):
    size = 20
    row, column = (data.draw(st.integers(0, size - crop)) for _ in range(2))
    random = np.random.default_rng(seed)
    planes = random.integers(0, 256, (3, size, size), dtype=np.uint8)
    mean = random.uniform(0, 255, (3, size, size)).astype(np.float32)
    out = np.full((3, crop, crop), np.nan, dtype=np.float32)
    prepare(planes, row, column, reflect, mean, factor, out)
    expected = (planes.astype(np.float64) - mean) * factor
    expected = expected[:, row : row + crop, column : column + crop]
    np.testing.assert_allclose(out, expected[:, :, ::-1] if reflect else expected, rtol=1e-5,
                               atol=1e-4)


def test_mean_and_scale(numbered):
    pictures = numbered(6)
    found = statistics(pictures)
    images, _ = epoch(Loader(pictures, 4, train=False, statistics=found))
    raw, _ = epoch(Loader(pictures, 4, train=False))
    centred, _ = epoch(Loader(pictures, 4, train=False, statistics=found, scale=False))
    window = found.mean[:, 14:241, 14:241]
    np.testing.assert_array_equal(centred, raw - window)
    np.testing.assert_allclose(images, (raw - window) / found.std, rtol=1e-6)
    assert images.dtype == centred.dtype == np.float32


def test_brightness_only(numbered):
    pictures = numbered(3)
    found = statistics(pictures, channels=1)
    assert found.mean.shape == (1, 256, 256)
    images, _ = epoch(Loader(pictures, 3, train=False, channels=1))
    colour, _ = epoch(Loader(pictures, 3, train=False))
    assert images.shape == (3, 1, 227, 227)
    expected = 0.299 * colour[:, 0] + 0.587 * colour[:, 1] + 0.114 * colour[:, 2]
    np.testing.assert_allclose(images[:, 0], expected, atol=0.51)
    assert luminance(np.full((3, 2, 2), 255, dtype=np.uint8)).tolist() == [[[255, 255], [255, 255]]]


def broken_set(tmp_path, broken, count=7, **options):
    """A set of one-coloured pictures, red = 10 × number, of which some are broken."""
    paths = [save(tmp_path / f"{number}.png", colour=(10 * number, 0, 0))
             for number in range(count)]
    for number in broken:
        paths[number].write_bytes(paths[number].read_bytes()[:100])
    return PictureSet(list("abcdefg"), range(count), paths, **options)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_broken_picture_is_replaced_by_the_next_and_reported_once(tmp_path, workers, cache_bytes):
    seen = []
    pictures = broken_set(tmp_path, {2, 5, 6}, cache_bytes=cache_bytes,
                          report=lambda path, reason: seen.append(path))
    loader = Loader(pictures, 2, workers=workers)
    for number in range(3):
        loader.start(number)
        images, labels = epoch(loader)
        replaced = {2: 3, 5: 0, 6: 0}
        assert labels.tolist() == [replaced.get(index, index) for index in loader.order.tolist()]
        assert (images[:, 0, 0, 0] == 10 * labels).all()
    assert sorted(seen) == sorted(str(pictures.paths[number]) for number in (2, 5, 6))


def test_broken_picture_is_left_out_of_validation(tmp_path):
    pictures = broken_set(tmp_path, {0, 1, 4}, report=None)
    batches = [labels.tolist() for _, labels in Loader(pictures, 2, train=False)]
    assert batches == [[2, 3], [5], [6]]


def test_nothing_readable_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="none of the 7 pictures can be read.*0.png"):
        list(Loader(broken_set(tmp_path, range(7), report=None), 2))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"crop": 257}, "257×257 does not fit into pictures of 256×256"),
        ({"crop": 0}, "0×0 does not fit"),
        ({"batch_size": 0}, "at least 1, not 0"),
        ({"workers": 0}, "at least 1"),
        ({"channels": 2}, "3 channels, or 1"),
        (
            {"channels": 1, "statistics": Statistics(np.zeros((3, 256, 256)), 1.0)},
            r"shape \(3, 256, 256\).*\(1, 256, 256\)",
        ),
    ],
)
def test_wrong_settings_are_sentences(numbered, options, sentence):
    with pytest.raises(UserError, match=sentence):
        Loader(numbered(2), **{"batch_size": 2, **options})


def test_empty_set_is_a_sentence():
    with pytest.raises(UserError, match="empty"):
        Loader(PictureSet([], [], []), 2)


def data_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("minialex-data")]


def test_no_thread_outlives_the_loop(numbered):
    loader = Loader(numbered(12), 2, workers=3)
    for _ in loader:
        assert data_threads()
        break
    assert not data_threads()
    with pytest.raises(KeyboardInterrupt):
        interrupt(loader)
    assert not data_threads()
    list(loader)
    assert not data_threads()


def interrupt(loader):
    for _ in loader:
        raise KeyboardInterrupt


def test_reading_ahead_is_bounded():
    begun = []
    results = ahead(lambda item: begun.append(item) or item, range(100), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    time.sleep(0.05)
    assert len(begun) <= 3 + 2
    results.close()


def test_error_in_a_worker_reaches_the_caller():
    def fail(item):
        if item == 3:
            raise UserError("third")
        return item

    results = ahead(fail, range(10), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(UserError, match="third"):
        next(results)


def test_centre():
    assert [centre(256, 227), centre(256, 224), centre(256, 256)] == [14, 16, 0]


@settings(max_examples=20, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 9), batch_size=st.integers(1, 10), start=st.integers(0, 10),
       seed=st.integers(0, 2**32))
def test_batches_make_up_the_epoch(numbered, count, batch_size, start, seed):
    loader = Loader(numbered(count), batch_size, crop=8, seed=seed)
    loader.start(0, start)
    labels = [label for _, batch in loader for label in batch.tolist()]
    assert labels == [index % 2 for index in loader.order[start * batch_size :].tolist()]
