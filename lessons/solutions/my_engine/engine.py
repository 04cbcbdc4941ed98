"""`from engine import Function, check` in a brick: finds the course, checks the brick, and gives
the pieces of the others.

A piece is your own as soon as its brick is right; until then minialex's stands in.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(next(folder for folder in HERE.parents if (folder / "bricks.py").exists())))

import bricks  # noqa: E402
from bricks import check  # noqa: E402, F401

bricks.FOLDER = HERE


def __getattr__(name):
    return bricks.piece(name)
