"""Exercise 14: fan-in, and the deviations that keep a signal's size."""
from math import log, log2, log10, sqrt

from checking import call, same


def check(fan_in, deviation_before_relu, deviation_before_tanh, first_loss):
    for channels, kernel, groups in [(384, 3, 2), (96, 5, 2), (3, 11, 1), (256, 3, 1)]:
        right = channels // groups * kernel**2
        hints = [(channels * kernel**2, "with towers a kernel sees only the channels of "
                  "its own tower."), (channels // groups * kernel, "the kernel is square: "
                                      "kernel·kernel numbers for each channel."),
                 (channels // groups, "each channel brings kernel·kernel products."),
                 (right * groups**2, "more towers mean fewer channels for each kernel: divide.")]
        same(f"fan_in{channels, kernel, groups}", call(fan_in, channels, kernel, groups), right,
             hints)
    for n in (1728, 4096, 9216):
        hints = [(2 / n, "that is the variance; the standard deviation is its square root."),
                 (sqrt(1 / n), "ReLU throws half of E[y²] away: the weights must make up for it."),
                 (sqrt(1 / (2 * n)), "half is lost, so σ² must be twice as large, not half."),
                 (sqrt(2) / n, "n·σ² adds up n variances: σ falls with √n, not with n."),
                 (0.01, "that is the paper's σ, whatever n: the signal shrinks by √(n·σ²/2).")]
        same(f"deviation_before_relu({n})", call(deviation_before_relu, n), sqrt(2 / n), hints)
        hints = [(1 / n, "that is the variance; the standard deviation is its square root."),
                 (sqrt(2 / n), "the factor 2 is for ReLU, which loses half. "
                  "Near 0 tanh loses nothing.")]
        same(f"deviation_before_tanh({n})", call(deviation_before_tanh, n), sqrt(1 / n), hints)
    for k in (20, 1000):
        hints = [(1 / k, "that is the probability of each class; the loss is its −ln."),
                 (-log(k), "a loss is positive: −ln(1/K)."),
                 (log10(k), "the natural logarithm, not the one to base 10."),
                 (log2(k), "the natural logarithm, not bits.")]
        same(f"first_loss({k})", call(first_loss, k), log(k), hints)
    return ("conv4 with towers: 3·3·192 = 1728, σ = 0.034 before ReLU, "
            "more than three times the paper's 0.01.")
