"""What kernels have become: known kernels have known numbers."""

import numpy as np
import pytest

from minialex.evaluation.kernels import colour, likeness, low, sentence

GRID = np.arange(11) - 5


def waves(frequency, angle=0.0):
    """A grating under a Gaussian, (1, 1, 11, 11)."""
    along = np.cos(angle) * GRID[:, None] + np.sin(angle) * GRID
    return (np.cos(2 * np.pi * frequency * along)
            * np.exp(-(GRID[:, None] ** 2 + GRID ** 2) / 12))[None, None]


def test_noise():
    noise = np.random.default_rng(0).normal(size=(2000, 3, 11, 11))
    assert low(noise) == pytest.approx(np.pi / 16, abs=0.01)
    assert colour(noise, 2) == pytest.approx([2 / 3, 2 / 3], abs=0.01)
    assert likeness(noise, np.random.default_rng(1).normal(size=noise.shape)).mean() < 0.06


@pytest.mark.parametrize("angle", np.linspace(0, np.pi, 7))
@pytest.mark.parametrize("frequency, part", [(0.05, 1.0), (0.12, 1.0), (0.38, 0.0), (0.45, 0.0)])
def test_gratings_lie_where_their_frequency_is(frequency, part, angle):
    if frequency > 0.3 and frequency * max(abs(np.cos(angle)), abs(np.sin(angle))) > 0.5:
        pytest.skip("beyond Nyquist")
    assert low(waves(frequency, angle)) == pytest.approx(part, abs=0.08)


def test_parseval():
    """Over all frequencies the energy is Σw²·size: what is low and what is high add up to it."""
    noise = np.random.default_rng(2).normal(size=(3, 2, 5, 7))
    spectrum = np.abs(np.fft.fft2(noise, (15, 21))) ** 2
    assert spectrum.sum() == pytest.approx((noise ** 2).sum() * 15 * 21)
    down, across = np.meshgrid(np.fft.fftfreq(15), np.fft.fftfreq(21), indexing="ij")
    by_hand = sum(spectrum[:, :, i, j].sum() for i in range(15)
                  for j in range(21) if down[i, j]**2 + across[i, j]**2 <= 1 / 16)
    assert low(noise) == pytest.approx(by_hand / spectrum.sum())


def test_colour_and_grey():
    grey, red_green = np.zeros((2, 3, 4, 4)), np.zeros((2, 3, 4, 4))
    grey[:] = np.random.default_rng(3).normal(size=(2, 1, 4, 4))
    red_green[:, 0], red_green[:, 1] = 1, -1
    assert colour(np.concatenate([grey, red_green]), 2) == pytest.approx([0, 1])
    assert colour(grey[:, :1]) == [0]


def test_likeness():
    start = np.random.default_rng(4).normal(size=(3, 3, 5, 5))
    assert likeness(-2 * start, start) == pytest.approx(1)
    other = start.copy()
    other[1] = 0
    assert likeness(other, start) == pytest.approx([1, 0, 1])


def test_nothing_divides_by_nothing():
    with np.errstate(all="raise"):
        assert sentence(np.zeros((4, 3, 5, 5)),
                        towers=2) == "energy: 0% below half the Nyquist frequency, 0% and 0% colour"


def test_the_sentence():
    start = np.random.default_rng(5).normal(size=(4, 1, 5, 5))
    now = start.copy()
    now[0] = 100
    assert sentence(now, start).startswith("25% have left their start; "
                                           "energy: ") and "colour" not in sentence(now, start)
