"""The teacher's forward beside a student's."""
import copy
from pathlib import Path
from typing import Any

import numpy as np

from . import finding, status
from .called.numpy_code import Functions


def compare(check: Any, values: dict) -> None:
    """Does forward give what the teacher's gives? Not asked for inputs that were drawn, nor
    where one is not written."""
    theirs = next((item for item in finding.everything(check.reference)
                   if item.name == check.found.name), None) if check.reference else None
    if (check.result["drawn"] or not theirs or theirs.kind not in ("pair", "loss")
        or check.found.kind != theirs.kind):
        return
    finding.begin(theirs)
    outputs = []
    for item in (theirs, check.found):
        np.random.seed(check.request.seed)
        try:
            outputs.append(np.asarray(
                Functions(item.forward, item.backward).run(copy.deepcopy(values)).outputs[0]))
        except NotImplementedError:
            return
    if differs := status.differing(*outputs, Path(check.job["like"]).name):
        check.failed("forward differs", differs)
        check.result["status"] = "wrong"
