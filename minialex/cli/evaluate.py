"""Top-1 and top-5, a table of the classes and a picture of the confusion
matrix. No picture that a run has learnt from is counted, unless you ask for it.

  minialex evaluate runs/RUN                the pictures that the run held out
  minialex evaluate runs/RUN --data DIR     those that it has not learnt from
  minialex evaluate runs/RUN --data DIR --ten-crop     mean over the ten crops
  minialex evaluate runs/A runs/B runs/C --data DIR    each, and their mean
"""
from ..evaluation.evaluate import PARTS, evaluate
from . import FORCE, JSON, LABELS, NETWORK, RUN, Command, device

main = Command("evaluate", "RUN... [--data DIR] [options]", __doc__, evaluate, {"options": [
    ("runs", *RUN[1:], {"nargs": "+"}),
    ("--data", "DIR", "a folder of class folders, also with train/, val/ or test/; without it the "
     "run's own pictures"),
    ("--subset", "SPEC", "as for training: alone, the built-in pictures",
     {"nargs": "?", "const": ""}),
    LABELS,
    ("--part", None, "which pictures to score (val: those that the run held out; in a folder that "
     "it has not seen: all)",
     {"action": "store", "choices": PARTS}),
    ("--train", None, "the same as --part train",
     {"dest": "part", "action": "store_const", "const": "train"}),
    *NETWORK,
    ("--out", "PNG", "where the confusion matrix goes (confusion.png in the run's folder)"),
    ("--csv", "FILE", "write a line for each picture: its class and the five most probable ones; - "
     "for the screen"),
    FORCE, JSON, device("auto")]})
