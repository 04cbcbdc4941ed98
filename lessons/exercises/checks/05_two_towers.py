"""Exercise 5: groups, against the engine's."""
import numpy as np
from checking import call, same

import minialex.functional as F


def check(grouped):
    generator = np.random.default_rng(5)
    for groups in (2, 3, 1):
        x, weight = generator.normal(size=(2, 6, 5, 5)), generator.normal(size=(12, 6 // groups, 3,
                                                                                3))
        bias = generator.normal(size=12)
        right = F.conv2d(x, weight, bias, groups=groups).data
        parts = [right[:, i * (12 // groups):(i + 1) * (12 // groups)] for i in range(groups)]
        interleaved = np.concatenate([x[:, i::groups] for i in range(groups)], axis=1)
        first_only = np.concatenate([x[:, :6 // groups]] * groups, axis=1)
        first_kernels, first_biases = (np.concatenate([a[:12 // groups]] * groups)
                                       for a in (weight, bias))
        one_bias = F.conv2d(x, weight, first_biases, groups=groups).data
        hints = [
            (F.conv2d(interleaved, weight, bias, groups=groups).data,
             "a group sees neighbouring channels, 0 to C/groups - 1, "
             "not every second one."),
            (F.conv2d(first_only, weight, bias, groups=groups).data,
             "every group saw the first channels: each has its own."),
            (F.conv2d(x, first_kernels, bias, groups=groups).data,
             "every group used the first kernels: each has its own."),
            (one_bias, "every group used the first biases: each has its own."),
            (F.conv2d(x, weight, groups=groups).data, "the biases are missing."),
            (sum(parts), "maps of different groups stand side by side; they are not added."),
            (np.stack(parts, axis=2).reshape(right.shape),
             "the maps are shuffled: first all of group 0, then all of group 1."),
            (np.concatenate(parts[::-1], axis=1), "the groups come in their order: "
             "group 0's maps first."),
        ]
        same(f"grouped with groups = {groups}", call(grouped, x, weight, bias, groups), right,
             hints)
    return "That is conv2, conv4 and conv5 of the paper: half of the weights, half of the products."
