"""Exercise 13: a kernel sees C_in/groups channels; each of its weights is used at every place."""
from course import check


def parameters(layer):
    if layer[0] == "fc":
        _, inputs, outputs = layer
        return outputs * (inputs + 1)
    _, C_in, C_out, K, groups, _ = layer
    return C_out * (C_in // groups * K * K + 1)


def products(layer):
    if layer[0] == "fc":
        _, inputs, outputs = layer
        return inputs * outputs
    _, C_in, C_out, K, groups, width = layer
    return C_out * (C_in // groups) * K * K * width * width


def neurons(layers):
    total = 0
    for layer in layers:
        total += layer[2] if layer[0] == "fc" else layer[2] * layer[5] ** 2
    return total


check(parameters, products, neurons)
