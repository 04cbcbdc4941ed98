"""Does memory grow? Thousands of steps of the real loop, with the validations and checkpoints that
two hours have.

Two hours of the paper's network on two cores are about 3,400 steps of 128 pictures at 60 images/s
and 12 checkpoints. What could grow in them grows per step, per epoch or per checkpoint, so as many
of those are made with a network of 61,000 parameters, and memory is read after each epoch.
"""

import os
import sys
from unittest import mock

from outcome import Outcome

STEPS_IN_TWO_HOURS = 3_400


def resident():
    """Bytes of memory that this process holds now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def memory_stays(world, epochs, most=8 << 20):
    """The largest reading of the last quarter is at most `most` bytes above the largest of the
    second quarter."""
    row = Outcome(f"soak: {epochs:,} epochs in one process",
                  f"memory of the last quarter within {most >> 20} MB of the second's")
    if sys.platform != "linux":
        row.skipped = "memory is read from /proc"
        return row
    from minialex.training import callbacks, run
    from minialex.utils.progress import Progress

    readings = []

    class Reading(Progress):
        def line(self, text=""):
            if text[:1] == " ":
                readings.append(resident())

    options = {"data": str(world.pictures), "variant": "lenet5", "batch_size": 4, "lr": 0.001,
               "device": "cpu", "epochs": epochs, "save_every": "10min",
               "out": str(world.folder / "soak")}
    with mock.patch.object(callbacks.Figures, "on_end"):
        trainer = run(options, Reading(terminal=False))
    quarter = len(readings) // 4
    growth = max(readings[-quarter:]) - max(readings[quarter : 2 * quarter])
    steps = epochs * len(trainer.loader)
    row.check(growth <= most, f"it grew by {growth / 2**20:.1f} MB, "
              f"from {max(readings[quarter : 2 * quarter]) / 2**20:.1f} MB")
    row.note = (f"{steps:,} steps, as many as in {2 * steps / STEPS_IN_TWO_HOURS:.1f} "
                "hours of the paper's network on two cores; "
                f"{growth / 2**20:+.1f} MB at {readings[-1] / 2**20:.0f} MB")
    return row


