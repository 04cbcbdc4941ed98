"""Writes report.html into the folder of each run: curves, filters, confusion
matrix, best and worst predictions, settings and times on one page, which a
browser shows without any network. Training writes it at its end.

  minialex report runs/RUN
  minialex report runs/RUN --data DIR       its pictures have moved to DIR
"""
from ..evaluation.report import report
from . import FORCE, LABELS, RUNS, Command, device

main = Command("report", "RUN... [options]", __doc__, report, {
    "options": [RUNS, ("--data", "DIR", "where the run's pictures are now, if they have moved"),
                LABELS, device("auto"), FORCE]})
