"""Every kind of bad picture and folder that the tests of the data know, given to the train command,
which has to get on."""

import os
import re
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from damage import command
from outcome import Outcome

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from bad_inputs import KINDS, REFUSED, SKIPPED, USED, forbidden, lacking  # noqa: E402

OPTIONS = ["--variant", "lenet5", "--epochs", "1", "--batch-size", "4", "--device", "cpu",
           "--workers", "1"]


def got_over(world, every=1):
    """One epoch on each, and again with --strict."""
    row = Outcome("bad picture or folder, given to training",
                  "one line each and training goes on, or status 2 with one line")
    counts = {USED: 0, SKIPPED: 0, REFUSED: 0}
    for kind in [kind for kind in KINDS if not lacking(kind.needs)][::every]:
        counts[kind.outcome] += 1
        with tempfile.TemporaryDirectory(dir=world.folder) as folder:
            root = os.path.abspath(kind.make(Path(folder) / "in"))
            with forbidden(os.path.join(root, kind.denied)) if kind.denied else nullcontext():
                for strict in (False, True):
                    status, said = command(["--data", root, *OPTIONS, "--out",
                                            f"{folder}/run-{strict}",
                                            *(["--strict"] if strict else [])])
                    row.check(_is_right(kind, strict, status, said),
                              f"{kind.name}{' --strict' * strict}: {status} {said[-300:]}")
    row.note = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    return row


def _is_right(kind, strict, status, said):
    lines = said.splitlines()
    if kind.outcome == REFUSED or strict and kind.outcome == SKIPPED and kind.stops:
        return status == 2 and lines[-1:] and lines[-1].startswith(
            "minialex.train: ") and "Traceback" not in said
    if kind.outcome == SKIPPED:
        name = os.path.basename(kind.path.removesuffix("..."))
        return status == 0 and len(lines) == 1 and name in said and re.search(kind.says, said)
    return status == 0 and not lines
