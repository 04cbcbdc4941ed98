"""One generated photograph: a patterned thing in front of clutter, in some light.

Everything but the pattern is drawn without a look at the class: hues, outline, position, rotation,
bending, clutter, light, grain, and the scale within a factor of 1.5. So what tells the classes
apart is the pattern. It is always the brighter of its two colours: with patterns of either sign a
network needs several times as many pictures.
"""

import colorsys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from ..aliases import Array
from .patterns import Plane, Random, edge


def draw(pattern: Callable[..., Plane], random: Random, size: int = 256) -> Array:
    """A picture of a pattern (a function of minialex.sets.patterns): uint8 (size, size, 3). random:
    np Generator."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - np.float32(0.5)
    height = _pattern_height(pattern, x, y, random, size)
    dark, bright = _two_colours(random)
    uneven = _smooth_noise(random, size, 6)[..., None] * np.float32(0.10)
    thing = dark + (bright - dark) * height[..., None] + uneven
    thing *= _relief(height, random)[..., None]
    scene = _background(x, y, random, size)
    outline = _outline(x, y, random)
    shadow = edge(np.roll(outline, random.integers(3, 9, size=2), axis=(0, 1)), 0.08)
    scene *= 1 - np.float32(0.55) * shadow[..., None]
    scene += (thing - scene) * edge(outline, 1.5 / size)[..., None]
    scene *= _light(x, y, random)[..., None]
    scene += random.standard_normal((size, size, 1),
                                    dtype=np.float32) * np.float32(random.uniform(0.005, 0.03))
    return (scene.clip(0, 1) * 255).astype(np.uint8)


def _pattern_height(pattern: Callable[..., Plane], x: Plane, y: Plane, random: Random,
                    size: int) -> Plane:
    """The pattern's height in picture coordinates that were shifted, bent, tilted, turned and
    scaled."""
    repeats = np.exp(random.uniform(np.log(8.0), np.log(10.5)))
    bend = random.uniform(0, 0.012, 2).astype(np.float32)
    phase, waves = random.uniform(0, 6.28,
                                  2).astype(np.float32), random.uniform(5, 10, 2).astype(np.float32)
    bent_x = x - random.uniform(-0.3, 0.3) + bend[0] * np.sin(waves[0] * y + phase[0])
    bent_y = y - random.uniform(-0.3, 0.3) + bend[1] * np.sin(waves[1] * x + phase[1])
    tilt = random.uniform(-0.15, 0.15, 2).astype(np.float32)
    depth = 1 + tilt[0] * x + tilt[1] * y
    angle = random.uniform(-0.25, 0.25)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    stretch = np.float32(np.exp(random.uniform(-0.1, 0.1)))
    u, v = (cos * bent_x - sin * bent_y) / depth, (sin * bent_x + cos * bent_y) / depth
    repeats = np.float32(repeats)
    return pattern(u * repeats * stretch, v * repeats / stretch, 1.6 * repeats / size,
                   random).astype(np.float32)


def _colour(random: Random, value: float) -> Array:
    """A colour of any hue; value: how bright its brightest channel is, 0..1."""
    return np.array(colorsys.hsv_to_rgb(random.uniform(), random.uniform(0.2, 0.95), value),
                    dtype=np.float32)


def _two_colours(random: Random) -> tuple[Array, Array]:
    """A dark and a brighter colour of any two hues."""
    low = random.uniform(0.05, 0.3)
    return _colour(random, low), _colour(random, low + random.uniform(0.5, 0.7))


def _smooth_noise(random: Random, size: int, cells: Any) -> Plane:
    """Noise in -1..1 whose bumps are size/cells wide: float32 (size, size)."""
    coarse = random.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))


def _relief(height: Plane, random: Random) -> Plane:
    """Brightness of a surface with these heights under a lamp from one side."""
    angle, strength = random.uniform(0, 2 * np.pi), random.uniform(0.0, 0.5)
    slope = np.zeros_like(height)
    slope[1:-1, 1:-1] = (height[1:-1, 2:] - height[1:-1, :-2]) * np.float32(np.cos(angle))
    slope[1:-1, 1:-1] += (height[2:, 1:-1] - height[:-2, 1:-1]) * np.float32(np.sin(angle))
    return 1 + np.float32(strength) * slope


def _outline(x: Plane, y: Plane, random: Random) -> Plane:
    """Signed distance to the border of a rounded blob (negative inside): a pebble, a shield, a
    cushion."""
    centre = random.uniform(-0.1, 0.1, 2).astype(np.float32)
    radius = random.uniform(0.55, 0.85)
    dx, dy = x - centre[0], y - centre[1]
    angle = np.arctan2(dy, dx)
    power = random.uniform(2, 5)  # 2 is round, 5 nearly square
    distance = (np.abs(dx) ** power + np.abs(dy) ** power) ** np.float32(1 / power)
    wobble = sum(random.uniform(-0.05, 0.05) * np.cos(k * angle + random.uniform(0, 6.28))
                 for k in (2, 3, 5))
    return distance - np.float32(radius) * (1 + wobble.astype(np.float32))


def _background(x: Plane, y: Plane, random: Random, size: int) -> Array:
    """Soft colours with plain discs and bars lying about, out of focus: drawn at half the size,
    then enlarged."""
    x, y, half = x[::2, ::2], y[::2, ::2], (size + 1) // 2
    scene = np.empty((half, half, 3), dtype=np.float32)
    scene[...] = _colour(random, random.uniform(0.2, 0.9))
    other = _colour(random, random.uniform(0.2, 0.9))
    scene += (other - scene) * (0.5 + 0.5 * _smooth_noise(random, half,
                                                          random.integers(3, 9)))[..., None]
    for _ in range(random.integers(3, 8)):
        cx, cy = random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5)
        angle = random.uniform(0, np.pi)
        cos, sin = float(np.cos(angle)), float(np.sin(angle))
        long, short = random.uniform(0.04, 0.3), random.uniform(0.02, 0.12)
        u, v = np.abs(cos * (x - cx) + sin * (y - cy)), np.abs(cos * (y - cy) - sin * (x - cx))
        disc = random.uniform() < 0.5
        distance = (np.hypot(u / long, v / short) - 1) * short if disc else np.maximum(u - long,
                                                                                       v - short)
        scene += (_colour(random, random.uniform(0.15, 0.95)) - scene) * edge(distance,
                                                                              3 / size)[..., None]
    coarse = Image.fromarray((scene.clip(0, 1) * 255).astype(np.uint8))
    fine = coarse.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(fine, dtype=np.float32) / 255


def _light(x: Plane, y: Plane, random: Random) -> Plane:
    """Brightness of the whole scene: one side darker, and the lens darker at its rim."""
    angle = random.uniform(0, 2 * np.pi)
    slope = random.uniform(0, 0.5) * (x * np.cos(angle) + y * np.sin(angle))
    rim = random.uniform(0, 0.5) * (x * x + y * y)
    return (random.uniform(0.85, 1.2) * (1 + slope - rim)).astype(np.float32)
