"""A small run, the one that was never hurt, and the question whether another ended with the same
bytes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

from small_runs import write_pictures  # noqa: E402

from minialex.training.checkpoint import load  # noqa: E402

EPOCHS, STEPS = 4, 4
OPTIONS = ["--variant", "lenet5", "--batch-size", "8", "--lr", "0.05", "--device", "cpu",
           "--epochs", str(EPOCHS), "--save-every", "1step", "--workers", "1"]


class World:
    """A folder with pictures, a victim, and the run `whole` that nothing happened to."""

    def __init__(self, folder, victim):
        self.folder, self.victim = Path(folder), victim
        self.pictures = write_pictures(self.folder / "pictures", {"train": 12, "val": 5})
        self.log = self.folder / "log.txt"
        self.whole = self.folder / "whole"
        assert self.start(self.whole) == 0, self.said()
        self.result = result(self.whole)

    def begin(self, run):
        """The arguments that start a run in this folder."""
        return ["--data", self.pictures, *OPTIONS, "--out", run]

    def start(self, run, **faults):
        self.log.write_text("")
        return self.victim.run(self.begin(run), self.log, **faults)

    def go_on(self, run, **faults):
        """Resume, or start anew what was killed before it had made its folder; returns the exit
        status."""
        self.log.write_text("")
        arguments = ["--resume", run] if (run / "config.json").exists() else self.begin(run)
        return self.victim.run(arguments, self.log, **faults)

    def said(self):
        return self.log.read_text("utf-8")

    def difference(self, run):
        """What tells a run from the one that was never hurt, or "" for nothing."""
        ours = result(run)
        names = [name for name in self.result if ours.get(name) != self.result[name]]
        rubbish = sorted(path.name for path in run.glob(".minialex-*.tmp"))
        return ", ".join(names + rubbish)


def result(run):
    """All bytes that a run ends with, by what they are."""
    found = {"metrics.csv": (run / "metrics.csv").read_bytes()}
    for name in ("last", "best"):
        weights, velocity, mean, state, _ = load(run / f"checkpoint-{name}.npz")
        found[f"{name} epoch"] = state["epoch"]
        for kind, arrays in (("weight", weights), ("velocity", velocity),
                             ("image", {"mean": mean})):
            found |= {f"{name} {kind} {key}": array.tobytes() for key, array in arrays.items()}
    return found
