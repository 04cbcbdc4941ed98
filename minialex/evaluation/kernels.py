"""What the kernels of a first layer have become, in three numbers.

    likeness        |cosine| of the angle between a kernel and its start: 1 is unchanged, 0 has
                    nothing left of it
    low             the part of a kernel's energy Σw² at frequencies below half the Nyquist
                    frequency, a quarter of a period per pixel (in any direction): edges and blobs
                    lie there; of noise it is π/16 = 0.20
    colour          the part of the energy of kernels that is not grey, (w − their mean over R, G,
                    B)²: 2/3 for noise, 0 for kernels that look at brightness alone

All take weight (C_out, C, KH, KW). The paper's Figure 3 shows edges without colour in one tower and
blobs of colour in the other (section 6.1).
"""

import numpy as np

from .. import nn
from ..aliases import Array

HALF_NYQUIST = 0.25  # periods per pixel; the Nyquist frequency is 0.5
# a kernel's spectrum is taken at three times its size, for rings of frequencies that are nearly
# round
FINE = 3


def convolutions(model: nn.Module) -> list[tuple[str, nn.Conv2d]]:
    """[(name, layer)] of the layers that have kernels."""
    return [(name, layer) for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d)]


def likeness(weight: Array, start: Array) -> Array:
    """|cosine| between each kernel and its start, (C_out,); 0 where one of both is 0."""
    now, then = (np.asarray(w, np.float64).reshape(len(w), -1) for w in (weight, start))
    lengths = np.linalg.norm(now, axis=1) * np.linalg.norm(then, axis=1)
    return np.abs((now * then).sum(axis=1)) / np.where(lengths == 0, 1, lengths)


def low(weight: Array) -> float:
    """The part of all kernels' energy below half the Nyquist frequency; 0 where all weights are
    0."""
    sizes = [FINE * size for size in weight.shape[2:]]
    energy = (np.abs(np.fft.fft2(np.asarray(weight, np.float64), sizes)) ** 2).sum(axis=(0, 1))
    down, across = (np.fft.fftfreq(size) for size in sizes)
    return _part(energy[np.hypot(down[:, None], across) <= HALF_NYQUIST].sum(), energy.sum())


def colour(weight: Array, towers: int = 1) -> list[float]:
    """The part of the kernels' energy that is not grey, of each tower; 0 for kernels of one
    channel."""
    weight = np.asarray(weight, np.float64)
    difference = weight - weight.mean(axis=1, keepdims=True)
    return [_part((part ** 2).sum(), (whole ** 2).sum())
            for part, whole in zip(np.split(difference, towers), np.split(weight, towers))]


def _part(some, whole):
    return float(some / whole) if whole else 0.0


def sentence(weight: Array, start: Array | None = None, towers: int = 1) -> str:
    """All three, for people."""
    left = [] if start is None else [f"{(likeness(weight, start) <= 0.5).mean():.0%} have left "
                                     "their start"]
    tinted = (f", {' and '.join(f'{part:.0%}' for part in colour(weight, towers))} colour"
              if weight.shape[1] > 1 else "")
    return "; ".join([*left, f"energy: {low(weight):.0%} below half the Nyquist frequency{tinted}"])
