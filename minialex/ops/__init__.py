"""The operations, one file per family: the formula on top, forward and backward side by side."""
from . import methods  # noqa: F401 (gives Tensor its operators and methods)
from .activation import ReLU, Sigmoid, Tanh
from .convolution import Conv2d
from .dropout import Dropout
from .linear import Linear
from .loss import CrossEntropy, LogSoftmax, MSELoss, Softmax
from .normalization import LocalResponseNorm, MapResponseNorm
from .padding import ZeroPad2d
from .pooling import AvgPool2d, MaxPool2d
from .sgd import sgd_update

__all__ = ["AvgPool2d", "Conv2d", "CrossEntropy", "Dropout", "Linear", "LocalResponseNorm",
           "LogSoftmax", "MSELoss", "MapResponseNorm", "MaxPool2d", "ReLU", "Sigmoid", "Softmax",
           "Tanh", "ZeroPad2d", "sgd_update"]
