"""Ten patterns as functions of the plane: (x, y) -> height 0..1, from which a picture is made.

x, y: float32 arrays, in units in which the pattern repeats about once (a brick, a cell, a ring);
softness: the width of an edge in the same units; random: np Generator for what may vary. No
function knows colours or positions. No pattern has a handedness that matters: the mirror image of a
spiral is a spiral.
"""

import numpy as np

from ..aliases import Array

Plane = Array
Random = np.random.Generator


def edge(distance: Plane, softness: float) -> Plane:
    """1 inside (distance < 0), 0 outside, with an edge as wide as `softness`: drawing without
    jagged lines."""
    return np.clip(0.5 - distance / softness, 0, 1)


def _cell(value: Plane) -> tuple[Plane, Plane]:
    """Position inside the repeated cell, -0.5..0.5, and the cell's number."""
    number = np.floor(value)
    return value - number - np.float32(0.5), number


def _hash(a: Plane, b: Plane, seed: float) -> Plane:
    """A number in 0..1 for each cell (a, b): scattered, but the same wherever the cell is asked
    for."""
    mixed = np.sin(a * np.float32(12.9898) + b * np.float32(78.233)
                   + np.float32(seed)) * np.float32(437.585)
    return mixed - np.floor(mixed)


def bricks(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Courses of bricks, each shifted by half a brick."""
    y = y * 2
    _, course = _cell(y)
    across, _ = _cell(x + 0.5 * (course % 2))
    up, _ = _cell(y)
    mortar = random.uniform(0.05, 0.10)
    return edge(np.maximum(np.abs(across) - 0.5 + mortar / 2, (np.abs(up) - 0.5 + mortar) / 2),
                softness)


def checkerboard(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Squares, bright and dark by turns."""
    x, y, softness = x * 0.9, y * 0.9, softness * 0.9
    (a, i), (b, j) = _cell(x), _cell(y)
    to_border = np.minimum(0.5 - np.abs(a), 0.5 - np.abs(b))
    sign = 1 - 2 * ((i + j) % 2)
    return edge(to_border * sign, softness)


def dots(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Discs in shifted rows."""
    x, y, softness = x * 1.2, y * 1.2, softness * 1.2
    (_, row) = _cell(y)
    (a, _), (b, _) = _cell(x + 0.5 * (row % 2)), _cell(y)
    return edge(np.hypot(a, b) - random.uniform(0.24, 0.34), softness)


def honeycomb(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Hexagons with walls between them."""
    tall = np.float32(np.sqrt(3))
    first = _cell(x)[0], _cell(y / tall)[0] * tall
    second = _cell(x + 0.5)[0], _cell(y / tall + 0.5)[0] * tall
    nearer = np.hypot(*first) < np.hypot(*second)
    a, b = (np.abs(np.where(nearer, p, q)) for p, q in zip(first, second, strict=True))
    to_wall = np.maximum(a, a * 0.5 + b * tall / 2)
    return edge(to_wall - 0.5 + random.uniform(0.05, 0.09), softness)


def rings(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Rings around one centre."""
    radius = np.hypot(x, y)
    a, _ = _cell(radius + random.uniform())
    return edge(np.abs(a) - random.uniform(0.2, 0.3), softness)


def scales(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Scales like a fish's, each row over the next."""
    x, y, softness = x * 0.8, y * 0.8, softness * 0.8
    radius, row_height = 0.56, 0.46
    _, row = _cell(y / row_height)
    height = np.zeros_like(x)
    # Each scale hides the top of those in the row below, as roof tiles do, so the upper rows are
    # drawn last.
    for below in (2, 1, 0, -1):
        line = row + below
        a, _ = _cell(x + 0.5 * (line % 2))
        distance = np.hypot(a, y - line * row_height)
        inside = edge(distance - radius, softness)
        height += inside * ((1 - distance / radius).clip(0, 1) - height)
    return height


def spirals(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Arms that wind out of one centre."""
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    arms = random.integers(3, 6)
    turn = random.uniform(2.2, 3.2)
    phase = (angle + turn * np.log(radius + 0.05)) * arms / (2 * np.pi)
    a, _ = _cell(phase)
    width = 2 * np.pi * radius / (arms * np.sqrt(1 + turn**2))
    return edge((np.abs(a) - 0.25) * width, softness)


def stars(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Five-pointed stars, each turned its own way."""
    x, y, softness = x * 0.55, y * 0.55, softness * 0.55
    (a, i), (b, j) = _cell(x), _cell(y)
    seed = random.uniform(0, 100)
    turn = _hash(i, j, seed) * np.float32(2 * np.pi)
    angle, radius = np.arctan2(b, a) + turn, np.hypot(a, b)
    # A five-pointed star is the same line, from a point to a notch, ten times over.
    wedge = np.abs((angle / (2 * np.pi / 5)) % 1 - 0.5) * np.float32(2 * np.pi / 5)
    px, py = radius * np.cos(wedge), radius * np.sin(wedge)
    outer = 0.44 * (0.85 + 0.15 * _hash(j, i, seed))
    inner = outer * random.uniform(0.36, 0.45)
    nx, ny = inner * np.cos(np.pi / 5), inner * np.sin(np.pi / 5)
    length = np.hypot(nx - outer, ny)
    return edge(((px - outer) * ny - py * (nx - outer)) / length, softness)


def waves(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Wavy stripes."""
    swing = random.uniform(0.25, 0.4)
    a, _ = _cell(y + swing * np.sin(2 * np.pi * x * 0.55))
    return edge((np.abs(a) - random.uniform(0.2, 0.3)) * 0.7, softness)


def weave(x: Plane, y: Plane, softness: float, random: Random) -> Plane:
    """Straps that go over and under each other."""
    x, y, softness = x * 0.6, y * 0.6, softness * 0.6
    (a, i), (b, j) = _cell(x), _cell(y)
    over = (i + j) % 2 == 0
    across, along = np.where(over, b, a), np.where(over, a, b)
    strap = edge(np.abs(across) - random.uniform(0.36, 0.42), softness)
    return strap * (0.35 + 0.65 * np.cos(np.pi * along) * np.cos(0.8 * np.pi * across))


PATTERNS = {pattern.__name__: pattern for pattern in (bricks, checkerboard, dots, honeycomb, rings,
                                                      scales, spirals, stars, waves, weave)}
