"""A picture in words: they are made of the figure, so they hold the numbers that it draws."""
import numpy as np
import pytest

from minialex.utils import drawing, in_words

pytest.importorskip("matplotlib")


@pytest.fixture
def figure():
    return drawing.Canvas({}).figure(figsize=(4, 3))


def test_titles_axes_lines_bars_and_texts_are_said(figure):
    figure.text(0.1, 0.9, "Above all")
    left, right = figure.subplots(1, 2)
    left.set_title("Loss", loc="left")
    left.set_xlabel("epoch")
    left.plot([1, 2, 3], [2.5, 1.25, 1 / 3], label="training")
    left.plot(np.arange(50), np.arange(50) ** 2.0)
    left.axhline(0.7)
    left.text(1, 1, "ln 20\n= 2.996")
    right.bar([0, 1], [3, 44], tick_label=["cat", "dog"])
    right.barh([5], [6], label="lying")
    right.scatter([0, 1, 2], [7, 8, 9.5], label="runs")
    assert in_words.of(figure) == ("Above all. Loss: across: epoch; training at (1, 2.5), (2, "
                                   "1.25), (3, 0.3333); line of 50 points from (0, 0) to (49, "
                                   "2401), 0 to 2401; ln 20 = 2.996. marked cat, dog; bars: 3, 44; "
                                   "lying: 6; runs: 3 places, across from 0 to 2, "
                                   "up from 7 to 9.5.")


def test_images_maps_and_much_of_something(figure):
    photo, map_, many = figure.subplots(1, 3)
    photo.imshow(np.zeros((4, 5, 3)))
    map_.imshow(np.linspace(-1, 2, 12).reshape(3, 4))
    map_.contour(np.arange(9.0).reshape(3, 3), levels=[2, 5])
    for number in range(15):
        many.plot([number], [number], "o")
    many.plot([], [])
    many.plot([np.nan, 1], [1, np.nan])
    words = in_words.of(figure)
    assert "a picture of 4×5. a map of 3×4 from -1 to 2; contours at 2, 5." in words
    assert "line at (11, 11); and 3 more." in words and "nan" not in words


def test_what_only_a_drawing_needs_is_left_out(figure):
    axes, plain, logarithmic = figure.subplots(1, 3)
    axes.plot([0, 3], [1, 2])
    axes.set_axis_off()
    axes.text(0, 0, "conv1: 55")
    plain.bar([0], [3])
    plain.bar([1], [4])
    plain.contour(np.arange(9.0).reshape(3, 3), levels=[5])
    logarithmic.loglog([1, 1e6], [1, 1e-3])
    assert (in_words.of(figure) == "conv1: 55. bars: 3, 4; contours at 5. line at (1, "
            "1), (1e+06, 0.001).")


def test_numbers_in_a_table_are_said_with_their_row_and_column(figure):
    axes = figure.subplots()
    axes.imshow(np.eye(2))
    axes.set_xticks([0, 1], ["cat", "dog"])
    axes.set_yticks([0, 1], ["cat", "dog"])
    axes.text(1, 0, "7")
    assert in_words.of(figure) == "marked cat, dog; a map of 2×2 from 0 to 1; cat, dog: 7."


def test_a_png_carries_its_words(tmp_path):
    path = tmp_path / "drawn.png"
    with drawing.figure(path, 3, 2, {}) as canvas:
        canvas.text(0.1, 0.5, "η = 0.01 für Äpfel, " + "much " * 2000)
    assert in_words.read(path).startswith("η = 0.01 für Äpfel, "
                                          "much much") and len(in_words.read(path)) > 9000
    (tmp_path / "none.png").write_bytes(b"no picture")
    assert in_words.read(tmp_path / "none.png") == in_words.read(tmp_path / "missing.png") == ""
