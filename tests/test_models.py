"""The AlexNet family: layers, shapes, parameter counts, initial weights, and what an untrained
network says."""
import numpy as np
import pytest
from short import first

import minialex as ma
import minialex.functional as F
from minialex import models, nn
from minialex.fast.buffers import release_memory

PARAMETERS = {"paper": 60_965_224, "caffenet": 60_965_224, "caffe": 60_965_224,
              "single-tower": 62_378_344, "keras": 50_844_008, "torchvision": 61_100_840,
              "krizhevsky": 60_965_224}

CONVOLUTIONS = {  # layer shapes up to pool5: (channels, size) after each named layer
    "paper": "conv1 96x55 norm1 96x55 pool1 96x27 conv2 256x27 norm2 256x27 pool2 256x13 conv3 "
             "384x13 conv4 384x13 "
             "conv5 256x13 pool5 256x6",
    "caffenet": "conv1 96x55 pool1 96x27 norm1 96x27 conv2 256x27 pool2 256x13 norm2 256x13 conv3 "
                "384x13 conv4 384x13 "
                "conv5 256x13 pool5 256x6",
    "caffe": "conv1 96x55 norm1 96x55 pool1 96x27 conv2 256x27 norm2 256x27 pool2 256x13 conv3 "
             "384x13 conv4 384x13 "
             "conv5 256x13 pool5 256x6",
    "single-tower": "conv1 96x55 norm1 96x55 pool1 96x27 conv2 256x27 norm2 256x27 pool2 256x13 "
                    "conv3 384x13 conv4 384x13 "
                    "conv5 256x13 pool5 256x6",
    "keras": "conv1 96x54 pool1 96x26 conv2 256x26 pool2 256x12 conv3 384x12 conv4 384x12 conv5 "
             "256x12 pool5 256x5",
    "torchvision": "conv1 64x55 pool1 64x27 conv2 192x27 pool2 192x13 conv3 384x13 conv4 256x13 "
                   "conv5 256x13 pool5 256x6",
    "krizhevsky": "pad1 3x227 conv1 96x55 norm1 96x55 pool1 96x27 conv2 256x27 norm2 256x27 "
                  "mapnorm2 256x27 pool2 256x13 "
                  "conv3 384x13 conv4 384x13 conv5 256x13 pool5 256x6",
}


@pytest.fixture(scope="module")
def paper():
    """The paper's network as it is drawn; 61 million weights take a second."""
    ma.manual_seed(0)
    yield models.alexnet("paper").eval()
    release_memory()


@pytest.fixture
def blank(monkeypatch):
    """blank(variant, num_classes=1000, ...): a network of full size whose weights are 0, for all
    that they do not decide."""
    def build(*arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(nn, "_uniform", lambda shape, fan_in: np.zeros(shape, np.float32))
            patch.setattr(models, "initialise", lambda model, how: model)
            return models.alexnet(*arguments, **options)
    return build


def pictures(model, count=1, scale=1.0):
    return np.random.default_rng(0).standard_normal((count, *model.input_shape)).astype(
        np.float32) * np.float32(scale)


def names(model):
    return [name for name, _ in model.named_children()]


# ------------------------------------------------------------------------------------- the variants


@pytest.mark.parametrize("variant", models.VARIANTS)
def test_parameter_counts_and_the_shape_after_every_layer(blank, variant):
    model = blank(variant)
    assert sum(p.size for p in model.parameters()) == PARAMETERS[variant]
    x, shapes = ma.Tensor(pictures(model)), []
    with ma.no_grad():
        for name, layer in model.eval().named_children():
            x = layer(x)
            shapes.append(f"{name} {x.shape[1]}x{x.shape[2]}" if x.ndim == 4
                          else f"{name} {x.shape[1]}")
            assert x.ndim == 2 or x.shape[2] == x.shape[3]
    spatial = [shape for shape in shapes if "x" in shape.split()[1]
               and not shape.startswith("relu")]
    assert " ".join(spatial) == CONVOLUTIONS[variant]
    features = 6400 if variant == "keras" else 9216
    assert {f"flatten {features}", "fc6 4096", "fc7 4096", "fc8 1000"} <= set(shapes)
    assert x.dtype == np.float32


def test_every_variant_is_described():
    assert set(models.VARIANTS) == set(PARAMETERS) and all(models.VARIANTS.values())


def test_the_paper_s_layers_in_order(blank):
    assert names(blank("paper")) == ("conv1 relu1 norm1 pool1 conv2 relu2 norm2 pool2 conv3 relu3 "
                                     "conv4 relu4 conv5 relu5 pool5 flatten fc6 relu6 drop6 fc7 "
                                     "relu7 drop7 fc8").split()


def test_the_paper_s_options(blank):
    model = blank("paper")
    convolutions = [layer for layer in model if isinstance(layer, nn.Conv2d)]
    assert [(layer.kernel_size, layer.stride, layer.padding, layer.groups)
            for layer in convolutions] == [((11, 11), (4, 4), (0, 0), 1),
                                           ((5, 5), (1, 1), (2, 2), 2), ((3, 3), (1, 1), (1, 1), 1),
                                           ((3, 3), (1, 1), (1, 1), 2), ((3, 3), (1, 1), (1, 1), 2)]
    for norm in (model.norm1, model.norm2):
        assert (norm.size, norm.alpha, norm.beta, norm.k, norm.groups) == (5, 1e-4, 0.75, 2.0, 1)
    assert all((p.kernel_size, p.stride, p.padding) == ((3, 3), (2, 2), (0, 0))
               for p in (model.pool1, model.pool2, model.pool5))
    assert model.drop6.p == model.drop7.p == 0.5
    assert (model.variant, model.num_classes, model.input_shape) == ("paper", 1000, (3, 227, 227))


def test_caffe_differs_in_its_normalisation_only(blank):
    norm = blank("caffe", 2).norm2
    assert (norm.size, norm.beta, norm.k) == (5, 0.75, 1.0) and np.isclose(norm.alpha, 2e-5)


def test_torchvision_drops_before_its_layers(blank):
    order = names(blank("torchvision", 2))
    assert order[-7:] == "drop6 fc6 relu6 drop7 fc7 relu7 fc8".split() and not [name
                                                                                for name in order
                                                                                if "norm" in name]


def test_krizhevsky_ran_pool_before_relu_norms_per_tower_and_three_rows_of_zeros(blank):
    model = blank("krizhevsky", 2)
    order = names(model)
    assert order[:5] == "pad1 conv1 norm1 pool1 relu1".split()
    assert order[5:10] == "conv2 relu2 norm2 mapnorm2 pool2".split()
    assert order[-8:] == "flatten fc6 relu6 drop6 fc7 relu7 drop7 fc8".split()
    assert order[order.index("conv5"):order.index("flatten")] == "conv5 pool5 relu5".split()
    assert model.input_shape == (3, 224, 224)
    for norm in (model.norm1, model.norm2):
        assert (norm.size, norm.k, norm.groups) == (5, 2.0, 2) and np.isclose(norm.alpha, 1e-4 / 5)
    inner = model.mapnorm2
    assert (inner.size, inner.beta, inner.k) == (5, 0.75, 1.0) and np.isclose(inner.alpha,
                                                                              0.001 / 25)
    padded = model.pad1(np.ones((1, 3, 224, 224), np.float32)).data
    assert padded.shape == (1, 3, 227, 227) and padded[0, :, :224, :224].all()
    assert not padded[0, :, 224:].any() and not padded[0, :, :, 224:].any()


def test_gray_pictures_save_the_weights_of_two_channels(blank):
    model = blank("keras", 1000, in_channels=1)
    assert sum(p.size for p in model.parameters()) == 50_820_776 and model.input_shape == (1, 224,
                                                                                           224)


def test_caffenet_has_the_paper_s_shapes_and_other_values(paper, blank):
    caffenet = blank("caffenet", 1000)
    weights = paper.state_dict()
    assert {n: w.shape for n, w in weights.items()} == {n: w.shape
                                                        for n, w in caffenet.state_dict().items()}
    caffenet.eval().load_state_dict(weights)
    # pixels with the mean subtracted: LRN only bites on large activations
    x = pictures(paper, scale=60)
    with ma.no_grad():
        a, b = paper[:8](x).data, caffenet[:8](x).data
    assert a.shape == b.shape and 1e-3 < np.abs(a - b).max() / np.abs(a).max() < 0.5


# ------------------------------------------------------------------------------------------ LeNet-5


def test_lenet5():
    model = models.lenet5()
    assert sum(p.size for p in model.parameters()) == 61_706 and model.input_shape == (1, 32, 32)
    x, sizes = ma.Tensor(pictures(model, 2)), []
    for name, layer in model.named_children():
        x = layer(x)
        sizes.append(f"{name} {'x'.join(map(str, x.shape[1:]))}")
    assert [s for s in sizes if "tanh" not in s] == ["conv1 6x28x28", "pool1 6x14x14",
                                                     "conv2 16x10x10", "pool2 16x5x5",
                                                     "conv3 120x1x1", "flatten 120", "fc4 84",
                                                     "fc5 10"]


def test_build_knows_every_name():
    assert models.build("lenet5", 7, 1)(np.zeros((1, 1, 32, 32), np.float32)).shape == (1, 7)
    model = models.build("keras", 4, 1, init="he")
    assert (model.variant, model.num_classes, model.input_shape) == ("keras", 4, (1, 224, 224))


# ---------------------------------------------------------------------------------- initial weights

LAYERS = "conv1 conv2 conv3 conv4 conv5 fc6 fc7 fc8".split()
FAN_IN = dict(zip(LAYERS, (363, 48 * 25, 256 * 9, 192 * 9, 192 * 9, 9216, 4096, 4096)))
WIDE = {"conv3": 0.03, "conv4": 0.03, "conv5": 0.03}
DEVIATION = {"paper": lambda layer: 0.01, "released": lambda layer: WIDE.get(layer, 0.01),
             "he": lambda layer: (2 / FAN_IN[layer]) ** 0.5 / (10 if layer == "fc8" else 1),
             "lecun": lambda layer: (1 / FAN_IN[layer]) ** 0.5}


@pytest.mark.parametrize("init", first(1, DEVIATION))
def test_initial_weights_have_the_spread_and_biases_that_the_source_gives(paper, blank, init):
    model = paper if init == "paper" else models.initialise(blank("paper"), init)
    for layer in LAYERS:
        weight, bias = getattr(model, layer).weight.data, getattr(model, layer).bias.data
        expected, n = DEVIATION[init](layer), weight.size
        assert abs(weight.std() / expected - 1) < 5 / (2 * n) ** 0.5, layer  # five standard errors
        assert abs(weight.mean()) < 5 * expected / n ** 0.5, layer
        # 4.55 % of a normal distribution
        assert 0.04 < (np.abs(weight) > 2 * expected).mean() < 0.05, layer
        ones = init in ("paper", "released") and layer in ("conv2", "conv4", "conv5", "fc6", "fc7")
        assert np.all(bias == ones), layer


def test_the_same_seed_draws_the_same_network_and_another_seed_another():
    def first_weights(seed):
        ma.manual_seed(seed)
        return models.lenet5().conv1.weight.data

    assert np.array_equal(first_weights(3),
                          first_weights(3)) and not np.array_equal(first_weights(3),
                                                                   first_weights(4))


def test_an_untrained_network_is_undecided(paper):
    """ln 1000 = 6.908: what guessing costs. The logits of the paper's own weights spread by about
    1/2 around their mean, which adds half their variance."""
    with ma.no_grad():
        logits = paper(pictures(paper, 2)).data
        over_all_labels = [F.cross_entropy(np.repeat(row[None], 1000, axis=0),
                                           np.arange(1000)).item() for row in logits]
    assert all(0 < loss - np.log(1000) < 0.5 for loss in over_all_labels)


def test_dropout_of_the_classifier_is_an_argument(blank):
    assert blank("keras", 2, dropout=0.25).drop6.p == 0.25
