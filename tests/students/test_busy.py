"""Nothing that is said of a file depends on how busy the machine is."""
import time
from types import SimpleNamespace

import numpy as np
import pytest

from minialex.students import suiting


@pytest.mark.skipif(suiting.CLOCK is time.perf_counter, reason="no precise clock of a thread")
def test_waiting_for_the_machine_costs_nothing():
    def forward(values):
        time.sleep(0.05)
        return values["x"]

    reading = SimpleNamespace(code=SimpleNamespace(run=forward), values={"x": np.ones((4, 5))})
    one, every_entry = suiting.cost(reading)
    assert one < 0.02
    assert every_entry == one * (2 * 20 + suiting.FIXED)
