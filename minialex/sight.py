"""What the values of a layer see of the picture: its receptive field, and the pixels that are
really there.

    sight = Sight.of_picture((3, 227, 227))
    for layer in model:
        sight = sight.after(layer)

With each window of kernel k, stride s, padding p:  start − p·step,  size + (k − 1)·step,  step·s.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import nn, shapes
from .aliases import Shape

Pair = tuple[int, int]  # for (height, width)
# for each value along one side: the first and last pixel it sees, None where only padding
Spans = list[Pair | None]


class Sight(NamedTuple):
    """What the values of a layer see of the picture, each pair for (height, width).

    size, step: pixels across, and from one value to its neighbour; start: the first pixel of value
    0, below 0 on padding. They follow the windows alone. spans: the pixels there really are behind
    each value: fewer at the edges, where windows of later layers lie on padding, which shows
    nothing of the picture.
    """

    size: Pair
    step: Pair
    start: Pair
    spans: tuple[Spans, Spans]

    @classmethod
    def of_picture(cls, shape: Shape) -> Sight:
        """Every pixel of a picture (C, H, W) sees itself."""
        height, width = ([(pixel, pixel) for pixel in range(size)] for size in shape[1:])
        return cls((1, 1), (1, 1), (0, 0), (height, width))

    def after(self, layer: nn.Module) -> Sight:
        """The sight of a layer's values, which see these."""
        if isinstance(layer, nn.ZeroPad2d):
            return self._padded(layer)
        window = window_of(layer)
        # A neighbourhood in place of a window: as many values come out as went in.
        if isinstance(layer, nn.MapResponseNorm):
            window = {"kernel": [layer.size] * 2, "stride": [1, 1],
                      "padding": [layer.size // 2] * 2}
        return self._through(**window) if window else self

    def _through(self, kernel: list[int], stride: list[int], padding: list[int]) -> Sight:
        return Sight(tuple(size + (k - 1) * step
                           for size, k, step in zip(self.size, kernel, self.step)),
                     tuple(step * s for step, s in zip(self.step, stride)),
                     tuple(start - p * step
                           for start, p, step in zip(self.start, padding, self.step)),
                     tuple(_slid(*side) for side in zip(self.spans, kernel, stride, padding)))

    def _padded(self, layer: nn.ZeroPad2d) -> Sight:
        sides = (layer.top, layer.bottom), (layer.left, layer.right)
        return self._replace(start=tuple(at - before * step
                                         for at, (before, _), step in zip(self.start, sides,
                                                                          self.step)),
                             spans=tuple([None] * before + spans + [None] * after
                                         for spans, (before, after) in zip(self.spans, sides)))

    def unseen(self, picture: Shape) -> list[int]:
        """How many of the last rows and columns of the picture no value sees."""
        return [size - 1 - max((span[1] for span in spans if span), default=-1)
                for size, spans in zip(picture[1:], self.spans)]


def _slid(spans: Spans, kernel: int, stride: int, padding: int) -> Spans:
    found: Spans = []
    for start in shapes.window_starts(len(spans), kernel, stride, padding):
        seen = [span for span in spans[max(0, start):max(0, start + kernel)] if span]
        found.append((min(first for first, _ in seen), max(last for _, last in seen)) if seen
                     else None)
    return found


def window_of(layer: Any) -> dict[str, list[int]] | None:
    """The window that a layer slides over its maps, as pairs (height, width); None where it slides
    none."""
    if not hasattr(layer, "kernel_size"):
        return None
    return {"kernel": list(layer.kernel_size), "stride": list(layer.stride),
            "padding": list(layer.padding)}
