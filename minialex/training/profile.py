"""Where a step's time goes, by layer and direction: `python -m minialex.train --profile`.

Every operation is timed while it runs. On a GPU it is waited for, which makes the step slower.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ..tensor import Function, is_grad_enabled, observers
from .callbacks import Callback
from .loop import Trainer

UPDATE = "update of the weights"
Call = Callable[..., Any]


class Profile(Callback):
    """Collects the seconds of training steps, and prints a table of them when the loop is left."""

    def __init__(self) -> None:
        # by operation: forward, backward
        self.seconds: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.steps, self.wall, self.device = 0, 0.0, "cpu"

    def on_begin(self, trainer: Trainer) -> None:
        self.device = trainer.device
        observers.append(self._observe)

    def on_epoch_begin(self, trainer: Trainer) -> None:
        self.last = time.perf_counter()

    def on_gradients(self, trainer: Trainer) -> None:
        self._wait()
        self.before_update = time.perf_counter()

    def on_step(self, trainer: Trainer, images: Any, labels: Any) -> None:
        self._wait()
        now = time.perf_counter()
        self.seconds[UPDATE][0] += now - self.before_update
        self.steps, self.wall, self.last = self.steps + 1, self.wall + now - self.last, now

    def on_close(self, trainer: Trainer) -> None:
        observers.remove(self._observe)
        for line in self.lines():
            trainer.progress.line(line)

    def _observe(self, direction: str, function: Function, call: Call) -> Call:
        def timed(*arrays: Any) -> Any:
            start = time.perf_counter()
            result = call(*arrays)
            if direction == "backward" or is_grad_enabled():  # neither validation nor frozen layers
                self._wait()
                name = f"{function.layer} {function.name}" if function.layer else function.name
                self.seconds[name][direction == "backward"] += time.perf_counter() - start
            return result
        return timed

    def lines(self) -> list[str]:
        """A table: milliseconds per step, forward and backward, and the share of the whole."""
        if not self.steps:
            return ["profile  no step was taken"]
        total = sum(map(sum, self.seconds.values()))
        rows = [f"profile  {self.steps} steps; milliseconds per step",
                f"{'layer':<32}{'forward':>10}{'backward':>10}{'share':>8}"]
        for name, (forward, backward) in self.seconds.items():
            share = (forward + backward) / total
            rows.append(f"{name:<32}{self._ms(forward):>10}{self._ms(backward):>10}{share:8.1%}")
        return [*rows, f"{'all operations':<32}{self._ms(total):>20}{1:8.0%}",
                f"{'pictures, saving, bookkeeping':<32}{self._ms(self.wall - total):>20}"]

    def _ms(self, seconds: float) -> str:
        return f"{1e3 * seconds / self.steps:,.1f}" if seconds else ""

    def _wait(self) -> None:
        """Let a GPU finish what it was asked for."""
        if self.device != "cpu":
            sys.modules["cupy"].cuda.Device().synchronize()
