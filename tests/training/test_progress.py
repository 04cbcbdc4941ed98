"""A bar on a terminal, few lines in a file."""

import io

import pytest

from minialex.utils import progress
from minialex.utils.progress import Progress, duration


@pytest.mark.parametrize("seconds, text",
                         [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (310, "5 min 10 s"),
                          (3600 * 3 + 1200, "3 h 20 min"), (86400 * 4 + 3 * 3600, "4 days 3 h")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_file_gets_a_line_a_minute(monkeypatch):
    clock = iter(range(0, 10_000, 25))  # each look at the clock takes 25 seconds
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(clock))
    file = io.StringIO()
    with Progress(file=file).phase("epoch 1", 100) as bar:
        for _ in range(10):
            bar.step(10, lambda: (1.25, 0.5, 0.9))
    lines = file.getvalue().splitlines()
    assert (len(lines) == 3 and lines[0] == "epoch 1: 30 of 100, loss 1.250, top-1 50.0%, "
            "0.4 images/s, 2 min 55 s left")


def test_a_terminal_gets_a_bar_that_vanishes():
    file = io.StringIO()
    with Progress(terminal=True, file=file).phase("epoch 1", 100) as bar:
        for _ in range(10):
            bar.step(10, lambda: (1.25, 0.5, 0.9))
        bar.bar.refresh()
    said = file.getvalue()
    assert ("\r" in said and "loss 1.250, top-1 50.0%" in said and "images/s" in said
            and said.rsplit("\r", 2)[1].strip() == "")


def test_numbers_are_not_asked_for_at_every_step():
    """Asking makes a GPU wait."""
    asked = []
    with Progress(terminal=True, file=io.StringIO()).phase("epoch 1", 1000) as bar:
        for _ in range(1000):
            bar.step(1, lambda: asked.append(1) or (1.0, 0.5, 0.9))
    assert 1 <= len(asked) < 100
