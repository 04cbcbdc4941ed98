"""Weights from anywhere: `read` turns a file of another program, or a run, into arrays in this program's conventions."""

from .conventions import Weights, check_numbers
from .formats import read

MEAN_HELP = ("what is subtracted from pixels, for weights that do not bring it: Caffe's mean.binaryproto, an .npy of it, a .json "
             "with mean and std, or numbers for red, green, blue, such as 0.485,0.456,0.406/0.229,0.224,0.225")

__all__ = ["MEAN_HELP", "Weights", "check_numbers", "read"]
