"""Results of several runs in one table, the settings in which they differ, and
their curves in one picture.

  minialex compare runs/*
"""
from ..evaluation.compare import compare
from . import FORCE, JSON, RUNS, Command

main = Command("compare", "RUN... [options]", __doc__, compare, {"options": [
    RUNS,
    ("--out", "PNG", "where the curves go (compare.png)"),
    FORCE, JSON]})
