"""Exercise 1: a picture for 7×7

AlexNet's pool5 gives 6×6. Which width makes it 7×7, with no division rounded down on the way? Write
both functions, without minialex.shapes, and run this file: it says whether they are right, and if
not, why.
"""
from course import check

LAYERS = [("conv1", 11, 4, 0), ("pool1", 3, 2, 0), ("conv2", 5, 1, 2), ("pool2", 3, 2, 0),
          ("conv3", 3, 1, 1), ("conv4", 3, 1, 1), ("conv5", 3, 1, 1),
          ("pool5", 3, 2, 0)]  # kernel, stride, padding


def output_size(size, kernel, stride, padding):
    """How many windows fit into a row of `size` pixels with `padding` zeros at each end. A
    remainder is rounded down."""
    ...


def input_size(count, kernel, stride, padding):
    """The other way round: the width whose `count` windows leave no remainder."""
    ...


def wanted():
    """The width of the picture for which pool5 gives 7."""
    ...


check(output_size, input_size, wanted)
