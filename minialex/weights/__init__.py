"""Weights from anywhere: `read` turns a file of another program, or a run, into arrays in this program's conventions."""

from .conventions import Weights
from .formats import read

__all__ = ["Weights", "read"]
