"""Exercise 13: AlexNet, counted with the student's functions."""
from checking import call, same

LAYERS = [("conv", 3, 96, 11, 1, 55), ("conv", 96, 256, 5, 2, 27), ("conv", 256, 384, 3, 1, 13),
          ("conv", 384, 384, 3, 2, 13), ("conv", 384, 256, 3, 2, 13), ("fc", 9216, 4096),
          ("fc", 4096, 4096), ("fc", 4096, 1000)]


def check(parameters, products, neurons):
    for layer in LAYERS:
        if layer[0] == "conv":
            _, C_in, C_out, K, groups, width = layer
            weights, places, seen = C_out * (C_in
                                             // groups) * K * K, width * width, C_in * C_out * K * K
        else:
            _, C_in, C_out = layer
            weights, places, seen = C_in * C_out, 1, C_in * C_out
        same(f"parameters({layer})", call(parameters, layer), weights + C_out,
             [(weights, "the biases are missing, one for each output map or unit."),
              (seen + C_out, "with groups a kernel sees only C_in/groups channels."),
              (weights + C_in, "one bias for each output, not for each input."),
              ((weights + C_out) * places, "a kernel's weights are the same at every place: "
               "they count once."), (weights + 1, "one bias for each output map or unit.")])
        same(f"products({layer})", call(products, layer), weights * places, [
            (weights, "every weight is used at every place of the output map: times width·width."),
            (weights * layer[-1], "the map is as high as it is wide: times width·width."),
            (seen * places, "with groups a kernel sees only C_in/groups channels."),
            (places * (weights + C_out), "biases are added, not multiplied: do not count them."),
        ])
    same("neurons of AlexNet", call(neurons, LAYERS), 659_272, [
        (622_312, "conv1 puts out 55·55·96, not 55·48·96 as in the paper's figure."),
        (659_272 + 154_587, "the picture itself is not made of neurons."),
        (659_272 + 150_528, "the picture itself is not made of neurons."),
        (650_080, "the fully connected layers have neurons too."),
        (sum(layer[2] for layer in LAYERS), "a map has width·width neurons."),
        (1_000, "all layers together, not the last one."),
    ])
    total = sum(parameters(layer) for layer in LAYERS)
    return (f"AlexNet by your count: {total:,} parameters, "
            f"{sum(map(products, LAYERS)):,} products, {neurons(LAYERS):,} neurons.")
