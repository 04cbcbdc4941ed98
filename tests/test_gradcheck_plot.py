"""The picture of a check: that its slopes are those of the theory, and that it shows the entries
that are wrong."""
import numpy as np
import pytest
from PIL import Image

import minialex as ma
import minialex.functional as F
from minialex.gradcheck import curves, plot

random = np.random.default_rng(3)


def sweep_of(f, x, derivative):
    steps = 10.0 ** curves.EXPONENTS
    errors = np.array([abs((f(x + h) - f(x - h)) / (2 * h) - derivative) for h in steps])
    return curves.Sweep("x", (0,), steps, errors, derivative, derivative)


@pytest.mark.parametrize("f, x, first, third",
                         [(np.sin, 1.0, np.cos(1.0), -np.cos(1.0)),
                          (np.exp, 0.5, np.exp(0.5), np.exp(0.5)), (np.log, 2.0, 0.5, 0.25)])
def test_the_truncation_slope_is_a_sixth_of_the_third_derivative(f, x, first, third):
    a, b, best = curves.slopes(sweep_of(f, x, first))
    assert a == pytest.approx(abs(third) / 6, rel=0.05)
    assert 1e-18 < b < 1e-15, "rounding: about ε·|f|"
    assert best == pytest.approx((b / (2 * a)) ** (1 / 3)) and 1e-6 < best < 1e-4


def test_a_straight_line_has_no_truncation():
    a, b, _ = curves.slopes(sweep_of(lambda x: 3.3 * x, 0.7, 3.3))
    assert a is None and b > 0


@pytest.mark.parametrize("f, x, derivative",
                         [(np.sin, 1.0, np.cos(1.0)), (np.tanh, 0.3, 1 - np.tanh(0.3) ** 2),
                          (lambda x: x ** 5, 2.0, 80.0)])
def test_ridders_extrapolates_to_the_derivative(f, x, derivative):
    assert curves.ridders(lambda h: (f(x + h) - f(x - h)) / (2 * h),
                          0.03) == pytest.approx(derivative, rel=1e-11)


def test_tiles_put_pictures_side_by_side():
    array = np.arange(2 * 3 * 2 * 2, dtype=float).reshape(2, 3, 2, 2)
    picture = plot.tiles(array)
    assert picture.shape == (2 * 3 - 1, 3 * 3 - 1) and np.isnan(picture[2]).all()
    assert np.array_equal(picture[3:5, 6:8], array[1, 2])
    assert plot.tiles(np.ones((3, 4, 5))).shape == (4, 3 * 6 - 1)
    assert plot.tiles(np.ones((6, 7))).shape == (6, 7)
    assert np.isfinite(plot.tiles(np.ones(95))).sum() == 95
    assert plot.tiles(np.ones(())).shape == (1, 1)


@pytest.mark.parametrize("value, text",
                         [(1e-5, "10⁻⁵"), (3e-6, "3·10⁻⁶"), (9.7e-4, "10⁻³"), (1.0, "10⁰")])
def test_powers_of_ten_in_letters(value, text):
    assert plot.power(value) == text


def test_the_map_is_red_where_the_gradient_is_wrong(tmp_path):
    def backward(dy, x):
        dx = 3 * dy * x ** 2
        dx[:, :, 0] *= 2
        return dx
    report = ma.check_backward(lambda x: x ** 3, backward, random.uniform(0.5, 2, (2, 2, 4, 5)))
    sweep, (found,) = report._curves()
    off = plot.relative_errors(found)
    assert (off[:, :, 0] > 1e-4).all() and (off[:, :, 1:] == plot.RIGHT).all()
    assert abs(sweep.analytic / sweep.numeric - 2) < 1e-6 or abs(sweep.analytic / sweep.numeric
                                                                 - 1) < 1e-6
    figure = report.plot(tmp_path / "wrong.png")
    assert len(figure.subfigs) == 2
    pixels = np.asarray(Image.open(tmp_path / "wrong.png").convert("RGB")).astype(int)
    assert pixels.shape[1] > 1500 and ((pixels[..., 0] > 120) & (pixels[..., 1] < 90)
                                       & (pixels[..., 2] < 90)).mean() > 0.01


@pytest.mark.parametrize("report", [
    lambda: ma.gradcheck(F.tanh, [random.normal(size=(3, 4))]),
    lambda: ma.gradcheck(lambda x, w, b: F.conv2d(x, w, b),
                         [random.normal(size=s) for s in ((1, 2, 5, 5), (2, 2, 3, 3), (2,))]),
    lambda: ma.gradcheck(lambda x: x * 2, [random.normal(size=9000)], samples=20),
    lambda: ma.check_backward(lambda x, b: x + b, lambda dy, x, b: (dy, dy),
                              [random.normal(size=(3, 4)), random.normal(size=4)]),
    lambda: ma.check_backward(np.square, lambda dy, x: 0 * x, np.array(2.0)),
    lambda: ma.check_backward(lambda x: np.square(x).sum(), lambda dout, x: 0 * x, np.zeros(3)),
])
def test_every_report_can_be_drawn(report, tmp_path):
    report().plot(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


def test_what_could_not_be_compared_cannot_be_drawn():
    report = ma.check_backward(lambda x: x * np.random.default_rng().random(4), lambda dy, x: dy,
                               np.ones(4))
    with pytest.raises(ValueError, match="nothing to draw"):
        report.plot()
