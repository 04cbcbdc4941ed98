"""Weights from anywhere: `read` turns a file of another program, or a run, into arrays in this
program's conventions."""

from ..foreign.conventions import Weights, check_numbers
from .formats import read
from .means import FORMS

MEAN_HELP = f"what is subtracted from pixels, for weights that do not bring it: {FORMS}"

__all__ = ["MEAN_HELP", "Weights", "check_numbers", "read"]
