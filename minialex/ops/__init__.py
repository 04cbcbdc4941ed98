"""The operations, one file per family: the formula on top, forward and backward next to each other."""
from . import activation, arithmetic, convolution, dropout, linear, loss, normalization, pooling  # noqa: F401
