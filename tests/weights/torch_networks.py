"""Networks in PyTorch, the oracle: random weights, and what they say to a picture in their own
conventions."""

import numpy as np

SIZES = {  # in_features, out_features or channels, kernel, stride, padding, groups
    "torchvision": [(3, 64, 11, 4, 2, 1), (64, 192, 5, 1, 2, 1), (192, 384, 3, 1, 1, 1),
                    (384, 256, 3, 1, 1, 1),
                    (256, 256, 3, 1, 1, 1)],
    "caffe": [(3, 96, 11, 4, 0, 1), (96, 256, 5, 1, 2, 2), (256, 384, 3, 1, 1, 1),
              (384, 384, 3, 1, 1, 2),
              (384, 256, 3, 1, 1, 2)],
}
CLASSES = 7


def random_arrays(kind, seed=0):
    """{layer.weight, layer.bias: array} in PyTorch's layout, of a size that keeps activations
    alive."""
    random, arrays = np.random.default_rng(seed), {}
    shapes = [(out, into // groups, k, k) for into, out, k, _, _, groups in SIZES[kind]]
    shapes += [(4096, 9216), (4096, 4096), (CLASSES, 4096)]
    for number, shape in enumerate(shapes, 1):
        name = f"{'conv' if number <= 5 else 'fc'}{number}"
        deviation = (2 / np.prod(shape[1:])) ** 0.5 * (0.02 if kind == "caffe" and number == 1
                                                       else 1)
        arrays[f"{name}.weight"] = random.standard_normal(shape, np.float32) * np.float32(deviation)
        arrays[f"{name}.bias"] = random.standard_normal(shape[0], np.float32) * np.float32(0.1)
    return arrays


def torchvision_module(arrays):
    """torchvision's AlexNet, written out here with its names features.N and classifier.N."""
    import torch
    from torch import nn
    layers = [module
              for number, (into, out, k, stride, padding, _) in enumerate(SIZES["torchvision"], 1)
              for module in [nn.Conv2d(into, out, k, stride, padding), nn.ReLU(),
                             *([nn.MaxPool2d(3, 2)] * (number in (1, 2, 5)))]]
    network = nn.Module()
    network.features = nn.Sequential(*layers)
    network.classifier = nn.Sequential(nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(),
                                       nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, CLASSES))
    learning = [module for module in [*network.features, *network.classifier]
                if hasattr(module, "weight")]
    for module, name in zip(learning, dict.fromkeys(key.partition(".")[0] for key in arrays)):
        module.weight.data, module.bias.data = (torch.from_numpy(arrays[f"{name}.{kind}"])
                                                for kind in ("weight", "bias"))
    return network.eval()


def torchvision_answer(network, planes, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)):
    """softmax for a picture, uint8 (3, 256, 256), preprocessed as torchvision documents it."""
    import torch
    kind = next(network.parameters()).dtype
    crop = torch.from_numpy(planes[:, 16:240, 16:240] / 255.0).to(kind)
    mean, std = (torch.tensor(numbers, dtype=kind)[:, None, None] for numbers in (mean, std))
    with torch.no_grad():
        features = network.features(((crop - mean) / std)[None])
        return torch.softmax(network.classifier(features.flatten(1)), 1)[0].numpy()


def caffe_answer(arrays, planes, mean_bgr, k=1.0, alpha=1e-4, pool_first=False):
    """softmax for a picture, uint8 RGB (3, 256, 256), by Caffe's rules: blue first, mean colour,
    LRN with alpha / 5."""
    import torch
    import torch.nn.functional as F
    x = torch.from_numpy(planes[::-1, 14:241, 14:241].astype(np.float32)
                         - np.float32(mean_bgr)[:, None, None])[None]
    w = {name: torch.from_numpy(array) for name, array in arrays.items()}
    for number, (*_, stride, padding, groups) in enumerate(SIZES["caffe"], 1):
        x = F.relu(F.conv2d(x, w[f"conv{number}.weight"], w[f"conv{number}.bias"], stride, padding,
                            1, groups))
        if number in (1, 2) and pool_first:
            x = F.local_response_norm(F.max_pool2d(x, 3, 2), 5, alpha, 0.75, k)
        elif number in (1, 2):
            x = F.max_pool2d(F.local_response_norm(x, 5, alpha, 0.75, k), 3, 2)
    x = F.max_pool2d(x, 3, 2).flatten(1)
    for name in ("fc6", "fc7"):
        x = F.relu(F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"]))
    return torch.softmax(F.linear(x, w["fc8.weight"], w["fc8.bias"]), 1)[0].numpy()
