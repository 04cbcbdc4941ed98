"""Whole networks against PyTorch: loss, every parameter's gradient, and twenty steps of
training."""
from contextlib import nullcontext

import numpy as np
import pytest
from short import first

import minialex as ma
import minialex.functional as F
from minialex import models, nn, optim
from minialex.watching import watching

torch = pytest.importorskip("torch", reason="the oracle: pip install torch to compare whole "
                            "networks with PyTorch")
TF = torch.nn.functional

CLASSES = 10
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}


def relative(ours, theirs):
    """Largest difference, relative to the largest value of that array."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def shared(model):
    """The model's weights as PyTorch tensors in the same memory."""
    return {name: torch.from_numpy(array).requires_grad_()
            for name, array in model.state_dict().items()}


def batch(model, count, dtype, scale=1):
    generator = np.random.default_rng(4)
    images = scale * generator.standard_normal((count, *model.input_shape))
    return images.astype(dtype), generator.integers(0, CLASSES, count)


# ----------------------------------------------------------------------------- the paper, once more


class Decisions:
    """Which values the engine's ReLUs let through and which its pools chose, in the order of the
    layers, while it is entered.

    Of a million values some lie within rounding of 0 or of another one, and what rounding makes of
    them depends on the processor (benchmarks/digits.py counts them). The oracle follows these
    decisions, so that both derive the same smooth function, and refuses any that rounding does not
    explain.
    """

    def __init__(self):
        self.positive, self.chosen = [], []
        self.watch = watching(self._observe)

    def __enter__(self):
        self.watch.__enter__()
        return self

    def __exit__(self, *fault):
        self.watch.__exit__(*fault)

    def _observe(self, direction, function, call):
        def run(*arrays, **options):
            y = call(*arrays, **options)
            if type(function).__name__ == "MaxPool2d":
                self.chosen.append(windows(torch.from_numpy(arrays[0]), 3, 2).argmax(-1))
            elif len(arrays) == 3:  # x, weight, bias: a convolution, with its ReLU or without, fc
                self.positive.append(y > 0)
            return y
        return run if direction == "forward" else call

    def relu(self, z):
        positive = torch.from_numpy(self.positive.pop(0))
        by_itself = z.detach() > 0
        assert_rounding(z.detach()[positive != by_itself], z)
        return z * positive

    def max_pool2d(self, x, size, stride):
        y = windows(x, size, stride).gather(-1, self.chosen.pop(0)[..., None])[..., 0]
        assert_rounding((TF.max_pool2d(x, size, stride) - y).detach(), x)
        return y


def windows(x, size, stride):
    """(N, C, H, W) -> (N, C, OH, OW, size * size)"""
    return x.unfold(2, size, stride).unfold(3, size, stride).flatten(-2)


def assert_rounding(differences, values):
    """A decision may differ from the oracle's where it decides on less than rounding."""
    if differences.numel():
        assert float(differences.abs().max()) <= 1e-5 * float(values.detach().abs().max())


class OwnDecisions:
    """PyTorch decides by itself: in float64 nothing lies within rounding."""
    relu, max_pool2d = staticmethod(TF.relu), staticmethod(TF.max_pool2d)


def paper_in_pytorch(w, x, masks, decide=OwnDecisions):
    """The paper's network in PyTorch's functions, written without a look at models.py. PyTorch
    divides alpha by n = 5."""
    def layer(name, x, **options):
        return decide.relu(TF.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], **options))

    def norm(x):
        return TF.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)

    x = decide.max_pool2d(norm(layer("conv1", x, stride=4)), 3, 2)
    x = decide.max_pool2d(norm(layer("conv2", x, padding=2, groups=2)), 3, 2)
    x = layer("conv3", x, padding=1)
    x = layer("conv4", x, padding=1, groups=2)
    x = decide.max_pool2d(layer("conv5", x, padding=1, groups=2), 3, 2).flatten(1)
    for name, mask in zip(("fc6", "fc7"), masks):
        x = decide.relu(TF.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])) * mask
    return TF.linear(x, w["fc8.weight"], w["fc8.bias"])


@pytest.mark.parametrize("dtype, init, count, by_the_book", first(
    1, [("float64", "paper", 3, False), ("float64", "paper", 4, False),
        ("float32", "paper", 4, False), ("float32", "he", 4, False), ("float32", "he", 3, True)]))
def test_the_paper_s_loss_and_every_gradient(dtype, init, count, by_the_book):
    """float64 in both engines; float32 against PyTorch in float64, which follows the decisions that
    rounding made. The paper's weights expect pixels around ±60: on ±1 all activations are nearly
    their bias, 1, and many of a pooling window's values are equal but for rounding. With 4 images
    the convolutions go by tiles."""
    ma.manual_seed(0)
    model = models.alexnet("paper", CLASSES, init=init)
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(dtype)
    images, labels = batch(model, count, dtype, scale=60 if init == "paper" else 1)
    ma.manual_seed(1)
    masks = [torch.tensor(F.dropout(np.ones((count, 4096))).data) for _ in range(2)]
    ma.manual_seed(1)
    with ma.textbook() if by_the_book else nullcontext(), Decisions() as decisions:
        loss = F.cross_entropy(model(images), labels)
    loss.backward()
    weights = {name: torch.tensor(array, dtype=torch.float64, requires_grad=True)
               for name, array in model.state_dict().items()}
    decide = OwnDecisions if dtype == "float64" else decisions
    expected = TF.cross_entropy(
        paper_in_pytorch(weights, torch.tensor(images, dtype=torch.float64), masks, decide),
        torch.tensor(labels))
    expected.backward()
    kind = getattr(torch, dtype)
    deviations = {"loss": relative(loss.data, expected.to(kind))}
    deviations |= {name: relative(p.grad, weights[name].grad.to(kind))
                   for name, p in model.named_parameters()}
    worst = max(deviations, key=deviations.get)
    print(f"\npaper network, {init}, {dtype}, {count} images: "
          f"largest deviation {deviations[worst]:.1e} ({worst}), loss {deviations['loss']:.1e}")
    assert len(deviations) == 17 and deviations[worst] <= TOLERANCE[dtype], deviations


# ------------------------------------------------------------------------------------- all variants


def in_pytorch(layer, w, name, x):
    """One layer of ours by PyTorch's function."""
    def towers(x):
        return torch.cat([TF.local_response_norm(part, layer.size, layer.alpha * layer.size,
                                                 layer.beta, layer.k)
                          for part in x.chunk(layer.groups, dim=1)], dim=1)

    def within_map(x):
        mean = TF.avg_pool2d(x * x, layer.size, stride=1, padding=layer.size // 2,
                             count_include_pad=True)
        return x / (layer.k + layer.alpha * layer.size ** 2 * mean) ** layer.beta

    return {
        nn.Conv2d: lambda x: TF.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], layer.stride,
                                       layer.padding,
                                       groups=layer.groups),
        nn.Linear: lambda x: TF.linear(x, w[f"{name}.weight"], w[f"{name}.bias"]),
        nn.ReLU: TF.relu, nn.Tanh: torch.tanh, nn.Flatten: lambda x: x.flatten(1),
        nn.Dropout: lambda x: x,
        nn.MaxPool2d: lambda x: TF.max_pool2d(x, layer.kernel_size, layer.stride, layer.padding),
        nn.AvgPool2d: lambda x: TF.avg_pool2d(x, layer.kernel_size, layer.stride),
        nn.LocalResponseNorm: towers, nn.MapResponseNorm: within_map,
        nn.ZeroPad2d: lambda x: TF.pad(x, (layer.left, layer.right, layer.top, layer.bottom)),
    }[type(layer)](x)


@pytest.mark.parametrize("variant", [*models.VARIANTS, "lenet5"])
def test_every_variant_gives_pytorchs_logits(variant):
    ma.manual_seed(0)
    model = models.build(variant, CLASSES, init="he").eval()
    images, _ = batch(model, 2, "float32")
    with ma.no_grad(), torch.no_grad():
        x, weights = torch.tensor(images), shared(model)
        for name, layer in model.named_children():
            x = in_pytorch(layer, weights, name, x)
        deviation = relative(model(images).data, x)
    print(f"\n{variant}: logits {deviation:.1e}")
    assert x.shape == (2, CLASSES) and deviation < 1e-4


# ------------------------------------------------------------------------------------- twenty steps


def small_network(dtype):
    """Every kind of layer that the paper's network has, for pictures of 3 x 19 x 19."""
    ma.manual_seed(2)
    model = nn.Sequential(conv1=nn.Conv2d(3, 16, 5, stride=2), relu1=nn.ReLU(),
                          norm1=nn.LocalResponseNorm(alpha=0.05), pool1=nn.MaxPool2d(3, 2),
                          conv2=nn.Conv2d(16, 24, 3, padding=1, groups=2), relu2=nn.ReLU(),
                          flatten=nn.Flatten(), fc6=nn.Linear(24 * 9, 40), relu6=nn.ReLU(),
                          fc8=nn.Linear(40, 5))
    models.initialise(model, "he")
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(dtype)
    return model


def batches(dtype):
    generator = np.random.default_rng(6)
    return [(generator.standard_normal((16, 3, 19, 19)).astype(dtype), generator.integers(0, 5, 16))
            for _ in range(4)] * 5


def train(model, data, rates):
    optimizer, losses = optim.SGD(model.parameters(), lr=rates[0], weight_decay=0.01), []
    for (images, labels), lr in zip(data, rates):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def torch_loss(model, weights, images, labels):
    x = torch.tensor(images)
    for name, layer in model.named_children():
        x = in_pytorch(layer, weights, name, x)
    return TF.cross_entropy(x, torch.tensor(labels))


def train_in_pytorch(model, data, rates, rule):
    weights = {name: torch.tensor(array, requires_grad=True)
               for name, array in model.state_dict().items()}
    step, losses = rule(list(weights.values())), []
    for (images, labels), lr in zip(data, rates):
        loss = torch_loss(model, weights, images, labels)
        for w in weights.values():
            w.grad = None
        loss.backward()
        step(lr)
        losses.append(loss.item())
    return weights, losses


def paper_rule(weights):
    """v ← 0.9·v − 0.01·ε·w − ε·g;  w ← w + v"""
    velocity = [torch.zeros_like(w) for w in weights]

    def step(lr):
        with torch.no_grad():
            for w, v in zip(weights, velocity):
                v.mul_(0.9).sub_(0.01 * lr * w).sub_(lr * w.grad)
                w.add_(v)
    return step


def common_rule(weights):
    """PyTorch's own: v ← 0.9·v + g + 0.01·w;  w ← w − ε·v"""
    optimizer = torch.optim.SGD(weights, lr=1, momentum=0.9, weight_decay=0.01)

    def step(lr):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
    return step


CONSTANT, FALLING = [0.05] * 20, [0.05] * 10 + [0.005] * 10


def part(model, weights):
    return max(relative(p.data, weights[name]) for name, p in model.named_parameters())


@pytest.mark.parametrize("dtype, tolerance", first(1, [("float64", 1e-10), ("float32", 1e-4)]))
@pytest.mark.parametrize("rule, rates",
                         [(paper_rule, CONSTANT), (paper_rule, FALLING), (common_rule, CONSTANT)])
def test_twenty_steps_stay_on_pytorchs_trajectory(rule, rates, dtype, tolerance):
    model, data = small_network(dtype), batches(dtype)
    start = torch.tensor(model.conv1.weight.data)
    weights, expected = train_in_pytorch(model, data, rates, rule)
    losses = train(model, data, rates)
    print(f"\ntwenty steps, {rule.__name__}, {dtype}: weights {part(model, weights):.1e}")
    moved = relative(model.conv1.weight.data, start)
    assert moved > 0.01 and losses[-1] < losses[
        0] - 0.05, "little was learnt: the comparison would prove little"
    assert np.allclose(losses, expected, rtol=tolerance, atol=0)
    assert part(model, weights) <= tolerance


def test_the_two_rules_part_when_the_learning_rate_falls():
    """Their ε stands outside v: all earlier steps shrink with it at once. The paper's keep the size
    that they had."""
    model, data = small_network("float64"), batches("float64")
    weights, _ = train_in_pytorch(model, data, FALLING, common_rule)
    train(model, data, FALLING)
    assert part(model, weights) > 0.01
