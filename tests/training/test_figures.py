"""The pictures show what they should: looked at pixel by pixel."""

import numpy as np
import pytest
from PIL import Image

from minialex.evaluation import figures as plots
from minialex.evaluation.plots import RIGHT
from minialex.utils.table import shorten

pytestmark = pytest.mark.drawn


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def count(image, colour, tolerance=12):
    """Pixels of this "#rrggbb"."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((abs(image - wanted).max(axis=2) <= tolerance).sum())


def history(epochs):
    return [(e, 0.02 if e < 4 else 0.002, 2 / e, 1 - 0.9 / e, 2.2 / e, 1 - 0.95 / e, 1 - 0.5 / e)
            for e in range(1, epochs + 1)]


@pytest.mark.parametrize("epochs", [1, 2, 6])
def test_curves_have_a_line_of_each_colour(tmp_path, epochs):
    plots.curves(tmp_path / "curves.png", history(epochs), 10, [True] * epochs)
    image = pixels(tmp_path / "curves.png")
    for colour in (plots.TRAIN, plots.VAL, plots.VAL_LIGHT):
        assert count(image, colour) > 50
    edges = [image[:4], image[-4:], image[:, :4], image[:, -4:]]
    assert all((edge == 255).all() for edge in edges), "something is cut off at the edge"


def test_curves_rise_with_the_accuracy(tmp_path):
    """In the right half the validation line ends higher than it begins, in the left half lower."""
    plots.curves(tmp_path / "curves.png", history(6), 10, [False] * 6)
    image = pixels(tmp_path / "curves.png")
    wanted = [int(plots.TRAIN[i : i + 2], 16) for i in (1, 3, 5)]
    rows, columns = np.nonzero(abs(image - wanted).max(axis=2) <= 12)
    for start, stop, sign in ((0.05, 0.35, 1), (0.5, 0.83, -1)):
        inside = (columns > start * image.shape[1]) & (columns < stop * image.shape[1])
        order = np.argsort(columns[inside])
        heights = rows[inside][order]
        assert sign * (heights[-20:].mean() - heights[:20].mean()) > 30


def test_filters_are_two_blocks_of_48_in_their_own_colours(tmp_path):
    weight = np.zeros((96, 3, 11, 11), np.float32)
    weight[:48, 0], weight[48:, 2] = 1, 1
    plots.filters(tmp_path / "filters.png", weight, towers=2)
    image = pixels(tmp_path / "filters.png")
    rose, blue = count(image, "#ff8080", 3), count(image, "#8080ff", 3)
    assert rose == pytest.approx(blue, rel=0.02) and rose > 0.3 * image.shape[0] * image.shape[1]
    rows = np.nonzero((abs(image - [255, 128, 128]).max(axis=2) <= 3).any(axis=1))[0]
    below = np.nonzero((abs(image - [128, 128, 255]).max(axis=2) <= 3).any(axis=1))[0]
    assert rows.max() < below.min()


def test_each_kernel_is_where_it_belongs():
    weight = np.zeros((20, 3, 2, 2), np.float32)
    weight[17, 1, 0, 1] = 1  # second row, second column; its upper right pixel, green
    mosaic = plots._mosaic(weight, 16)
    assert mosaic.shape == (5, 47, 3)
    bright = np.argwhere((mosaic == [0.5, 1, 0.5]).all(axis=2))
    assert bright.tolist() == [[3, 4]]
    assert (mosaic[3:, 12:] == 1).all() and (mosaic[2] == 1).all()


def test_below_the_kernels_stands_what_training_changed(tmp_path):
    start = np.random.default_rng(1).normal(size=(96, 3, 11, 11)).astype(np.float32)
    weight = start.copy()
    weight[:, 0] += 0.01  # lost in the random numbers, plain in the change
    plots.filters(tmp_path / "filters.png", weight, start, towers=2)
    image = pixels(tmp_path / "filters.png")
    red = np.nonzero((abs(image - [255, 128, 128]).max(axis=2) <= 3).any(axis=1))[0]
    assert red.min() > 0.5 * len(image) and count(image, "#ff8080",
                                                  3) > 0.15 * image.shape[0] * image.shape[1]
    plots.filters(tmp_path / "same.png", start, start, towers=2)
    assert len(pixels(tmp_path / "same.png")) < 0.6 * len(image)


def test_grey_kernels_of_lenet5(tmp_path):
    plots.filters(tmp_path / "filters.png", np.random.default_rng(0).normal(size=(6, 1, 5, 5)),
                  towers=1)
    assert len(np.unique(pixels(tmp_path / "filters.png").reshape(-1, 3), axis=0)) > 50


def test_predictions_show_pictures_and_bars(finished):
    path, _ = finished
    image = pixels(path / "predictions.png")
    assert count(image, RIGHT) > 8 * 0.6 * 0.1 * image.size / 3 / 100  # eight sure and right bars
    for colour in ("#b43c32", "#8cdc78", "#14286e"):  # the three classes
        assert count(image, colour, 60) > 0.03 * image.size / 3
    assert all((edge == 255).all() for edge in (image[:4], image[-4:], image[:, :4], image[:, -4:]))


def test_long_names_are_cut():
    assert shorten("a" * 30, 24) == "a" * 23 + "…" and shorten("short", 24) == "short"
