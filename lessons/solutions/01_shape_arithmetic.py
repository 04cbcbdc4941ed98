"""Exercise 1: a picture for 7×7. Every value more at pool5 costs 2·2·2·4 = 32 pixels: 227 + 32 =
259."""
from course import check

LAYERS = [("conv1", 11, 4, 0), ("pool1", 3, 2, 0), ("conv2", 5, 1, 2), ("pool2", 3, 2, 0),
          ("conv3", 3, 1, 1), ("conv4", 3, 1, 1), ("conv5", 3, 1, 1),
          ("pool5", 3, 2, 0)]  # kernel, stride, padding


def output_size(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride + 1


def input_size(count, kernel, stride, padding):
    return (count - 1) * stride + kernel - 2 * padding


def wanted():
    count = 7
    for _, kernel, stride, padding in reversed(LAYERS):
        count = input_size(count, kernel, stride, padding)
    return count


check(output_size, input_size, wanted)
