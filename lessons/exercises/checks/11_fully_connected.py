"""Exercise 11: the order of the numbers decides."""
import numpy as np
from checking import call, same


def check(as_kernels, picture_for):
    W = np.random.default_rng(11).normal(size=(5, 3 * 2 * 4))
    right = W.reshape(5, 3, 2, 4)
    same("as_kernels", call(as_kernels, W, 3, 2, 4), right, [
        (W.reshape(5, 2, 4, 3), "flattened channel by channel: the shape is (out, C, height, "
         "width), channels first."),
        (W.reshape(5, 2, 4, 3).transpose(0, 3, 1, 2),
         "the numbers lie channel by channel: reshape to (out, C, height, width) "
         "at once, nothing is to be turned around."),
        (W.reshape(5, 3, 4, 2).transpose(0, 1, 3, 2),
         "the numbers lie row by row: height before width, no transpose."),
        (W.reshape(5, 3, 4, 2), "height comes before width."),
        (right[:, :, ::-1, ::-1], "do not flip: "
         "this convolution does not flip its kernels either."),
        (W.T.reshape(5, 3, 2, 4), "a row of W is one unit: no transpose."),
    ])
    for n in (1, 2, 5):
        same(f"picture_for({n})", call(picture_for, n), 227 + 32 * (n - 1), [
            (227 + 32 * n, "227 gives 1 already: n - 1 steps."),
            (227 * n, "the windows overlap: one more answer needs only one more step."),
            (227 + 8 * (n - 1), "conv1's stride of 4 counts too: 4·2·2·2 pixels for a step."),
            (227 + 4 * (n - 1), "the three pools double the step three times: 4·2·2·2."),
            (227 + 10 * (n - 1), "strides multiply, they do not add: 4·2·2·2."),
        ])
    return "So 355×355 gives 5×5 answers, for about a tenth of the products that 25 crops take."
