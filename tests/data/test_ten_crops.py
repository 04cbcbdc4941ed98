"""The paper's ten test views against `prepare`, on the CPU and on the stand-in for a GPU."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minialex.data import ten_crops
from minialex.data.transforms import centre, prepare

sys.path.insert(0, str(Path(__file__).parents[1] / "gpu"))


def batch(size=30, channels=3):
    random = np.random.default_rng(0)
    planes = random.integers(0, 256, (4, channels, size, size), dtype=np.uint8)
    return planes, random.uniform(0, 255, (channels, size, size)).astype(np.float32)


@pytest.mark.parametrize("channels, crop, factor",
                         [(3, 21, 1.0), (3, 30, 0.013), (1, 1, 0.5), (3, 24, 1 / 59.3)])
@pytest.mark.parametrize("with_mean", [True, False])
def test_each_view_is_what_prepare_makes_of_its_corner(channels, crop, factor, with_mean):
    planes, mean = batch(channels=channels)
    mean = mean if with_mean else None
    views = ten_crops(planes, crop, mean, factor)
    assert views.shape == (4, 10, channels, crop, crop) and views.dtype == np.float32
    far, middle = 30 - crop, centre(30, crop)
    corners = [(0, 0), (0, far), (far, 0), (far, far), (middle, middle)]
    expected = np.empty((channels, crop, crop), dtype=np.float32)
    for picture in range(4):
        for view in range(10):
            prepare(planes[picture], *corners[view % 5], view >= 5, mean, factor, out=expected)
            assert np.array_equal(views[picture, view], expected), (picture, view)


def test_views_come_from_where_the_paper_says():
    rows, columns = np.mgrid[0:256, 0:256].astype(np.uint8)
    views = ten_crops(np.stack([rows, columns])[None], 227)[0]
    assert [tuple(view[:, 0, 0]) for view in views[:5]] == [(0, 0), (0, 29), (29, 0), (29, 29),
                                                            (14, 14)]
    assert [tuple(view[:, -1, 0]) for view in views[5:]] == [(226, 226), (226, 255), (255, 226),
                                                             (255, 255), (240, 240)]


def test_on_a_gpu_the_same_bytes(monkeypatch):
    import standin

    cupy = standin.install(monkeypatch)
    planes, mean = batch()
    with standin.no_waiting(cupy):
        views = ten_crops(cupy.asarray(planes), 21, cupy.asarray(mean), 0.01)
    assert views.get().tobytes() == ten_crops(planes, 21, mean, 0.01).tobytes()


@pytest.mark.parametrize("crop", [0, 31])
def test_a_crop_that_does_not_fit_is_a_sentence(crop):
    with pytest.raises(ValueError, match=f"{crop}×{crop} do not fit into pictures of 30×30"):
        ten_crops(batch()[0], crop)
