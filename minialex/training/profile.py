"""Where a training step's time goes, by layer and direction: `python -m minialex.train --profile`.

Every operation is timed while it runs. On a GPU it is waited for, which makes the whole step slower than it is without.
"""
import sys
import time
from collections import defaultdict
from contextlib import contextmanager

from ..tensor import observers

UPDATE = "update of the weights"


class Profile:
    """Collects seconds inside `watching()`; `lines()` tells them."""

    def __init__(self, device="cpu"):
        self.device = device
        self.seconds, self.steps, self.wall = defaultdict(lambda: [0.0, 0.0]), 0, 0.0

    @contextmanager
    def watching(self, optimizer):
        """Time every operation, and the optimiser's update, of the steps inside the block."""
        update = optimizer.step

        def timed_update():
            start = time.perf_counter()
            update()
            self._wait()
            self.seconds[UPDATE][0] += time.perf_counter() - start
            self.steps += 1

        observers.append(self._observe)
        optimizer.step, start = timed_update, time.perf_counter()
        try:
            yield
        finally:
            self.wall += time.perf_counter() - start
            observers.remove(self._observe)
            optimizer.step = update

    def _observe(self, direction, function, call):
        def timed(*arrays):
            start = time.perf_counter()
            result = call(*arrays)
            self._wait()
            name = f"{function.layer} {function.name}" if function.layer else function.name
            self.seconds[name][direction == "backward"] += time.perf_counter() - start
            return result
        return timed

    def lines(self):
        """A table: milliseconds per step, forward and backward, and the share of the whole."""
        if not self.steps:
            return ["profile  no step was taken"]
        total = sum(map(sum, self.seconds.values()))
        rows = [f"profile  {self.steps} steps; milliseconds per step",
                f"{'layer':<32}{'forward':>10}{'backward':>10}{'share':>8}"]
        for name, (forward, backward) in self.seconds.items():
            rows.append(f"{name:<32}{self._ms(forward):>10}{self._ms(backward):>10}{(forward + backward) / total:8.1%}")
        besides = self.wall - total
        return [*rows, f"{'all operations':<32}{self._ms(total):>20}{1:8.0%}",
                f"{'pictures, saving, bookkeeping':<32}{self._ms(besides):>20}"]

    def _ms(self, seconds):
        return f"{1e3 * seconds / self.steps:,.1f}" if seconds else ""

    def _wait(self):
        """Let a GPU finish what it was asked for."""
        if self.device != "cpu":
            sys.modules["cupy"].cuda.Device().synchronize()
