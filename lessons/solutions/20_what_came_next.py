"""Exercise 20: what a stack sees and what it costs. Every stride makes all later steps longer."""
from course import check


def sees(layers):
    across, jump = 1, 1
    for kernel, stride in layers:
        across += (kernel - 1) * jump
        jump *= stride
    return across


def weights(kernel, count, channels):
    return count * kernel * kernel * channels * channels


def stack_for(kernel):
    return (kernel - 1) // 2


check(sees, weights, stack_for)
