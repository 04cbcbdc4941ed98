"""Modules: the tree of parameters, saving and loading, modes, and what each layer passes on to its
operation."""
import copy

import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex import nn


class Residual(nn.Module):
    """A module as a student writes one: no call of super().__init__() needed."""

    def __init__(self):
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.body = nn.Sequential(fc=nn.Linear(32, 32), act=nn.ReLU())
        self.scale = nn.Parameter(np.ones(1, np.float32))
        self.constant = ma.Tensor([1.0])

    def forward(self, x):
        x = F.flatten(self.conv(x))
        return x + self.body(x) * self.scale * self.constant


NAMES = ["scale", "conv.weight", "conv.bias", "body.fc.weight", "body.fc.bias"]


def images(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# ----------------------------------------------------------------------------------------- the tree


def test_modules_and_parameters_are_found_by_path():
    module = Residual()
    assert [name for name, _ in module.named_modules()] == ["", "conv", "body", "body.fc",
                                                            "body.act"]
    assert [name for name, _ in module.named_parameters()] == NAMES
    assert [name for name, _ in module.named_children()] == ["conv", "body"]
    assert module.parameters() == [p for _, p in module.named_parameters()]


def test_a_layer_without_bias_has_one_parameter():
    assert [n for n, _ in nn.Conv2d(1, 2, 3, bias=False).named_parameters()] == ["weight"]
    assert nn.Linear(2, 3, bias=False)(np.zeros((1, 2), np.float32)).data.tolist() == [[0, 0, 0]]


def test_a_shared_parameter_is_trained_once():
    """In two places it has two names; listed twice, an optimiser would take two steps at once."""
    model = nn.Sequential(a=nn.Linear(3, 3), b=nn.Linear(3, 3))
    model.b.weight = model.a.weight
    assert len(model.parameters()) == 3
    assert {"a.weight", "b.weight"} <= set(model.state_dict())


def test_zero_grad_forgets_every_gradient():
    module = Residual()
    module(images(1, 2, 4, 4)).sum().backward()
    assert all(p.grad is not None for p in module.parameters())
    module.zero_grad()
    assert all(p.grad is None for p in module.parameters())


def test_a_module_prints_its_layers():
    text = repr(nn.Sequential(conv=nn.Conv2d(3, 96, 11, stride=4), act=nn.ReLU()))
    assert (text == "Sequential(conv=Conv2d(3, 96, kernel_size=(11, 11), stride=(4, 4), "
            "padding=(0, 0), groups=1), act=ReLU())")


def test_a_copy_is_independent():
    module = Residual()
    twin = copy.deepcopy(module)
    twin.conv.weight.data += 1
    assert np.allclose(module.conv.weight.data + 1, twin.conv.weight.data)


# --------------------------------------------------------------------------------------- Sequential


def test_sequential_with_and_without_names():
    named = nn.Sequential(fc=nn.Linear(2, 3), act=nn.ReLU())
    numbered = nn.Sequential(named.fc, named.act)
    assert [n for n, _ in named.named_children()] == ["fc",
                                                      "act"] and named.fc is named[0] is numbered[0]
    assert [n for n, _ in numbered.named_children()] == ["0", "1"]
    assert len(named) == 2 and list(named) == [named.fc, named.act] and named[-1] is named.act
    x = images(4, 2)
    assert np.array_equal(named(x).data, numbered(x).data)
    assert np.allclose(named(x).data,
                       np.maximum(x @ named.fc.weight.data.T + named.fc.bias.data, 0), atol=1e-6)


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ReLU])
@pytest.mark.parametrize("whole_class", [False, True])
def test_another_forward_of_a_convolution_or_a_relu_is_called(kind, whole_class, monkeypatch):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    x, own, called = ma.Tensor(images(1, 1, 5, 5)), kind.forward, []
    expected = network(x).data

    def watched(layer, x):
        called.append(x.shape)
        return own(layer, x)

    layer = next(layer for layer in network if type(layer) is kind)
    monkeypatch.setattr(*(kind, "forward", watched) if whole_class
                        else (layer, "forward", lambda x: watched(layer, x)))
    assert np.array_equal(network(x).data, expected) and len(called) == 1


def test_a_slice_is_a_network_of_the_same_layers_under_their_names():
    model = nn.Sequential(fc=nn.Linear(2, 3), act=nn.ReLU(), out=nn.Linear(3, 1))
    head = model[1:]
    assert [n for n, _ in head.named_children()] == ["act", "out"] and head.out is model.out
    assert len(model[:0]) == 0


# ------------------------------------------------------------------------------- saving and loading


def test_a_round_trip_gives_the_same_network():
    first, second = Residual(), Residual()
    x = images(1, 2, 4, 4)
    assert not np.array_equal(first(x).data, second(x).data)
    second.load_state_dict({name: array.copy() for name, array in first.state_dict().items()})
    assert np.array_equal(first(x).data, second(x).data)
    assert list(first.state_dict()) == NAMES


def test_loading_copies_and_keeps_dtype_and_identity():
    layer = nn.Linear(2, 1)
    held = layer.weight.data
    state = {"weight": np.array([[1.0, 2.0]]), "bias": [3]}
    layer.load_state_dict(state)
    assert layer.weight.data is held and held.dtype == np.float32 and held.tolist() == [[1, 2]]
    state["weight"][:] = 9
    assert held.tolist() == [[1, 2]] and layer.bias.data.tolist() == [3]


def test_loading_lists_everything_that_is_wrong_and_changes_nothing():
    module = Residual()
    before = {name: array.copy() for name, array in module.state_dict().items()}
    state = {name: array + 1 for name, array in before.items()}
    del state["conv.bias"], state["scale"]
    state["fc8.weight"] = np.zeros(3)
    state["body.fc.weight"] = np.zeros((4, 9))
    with pytest.raises(ValueError) as error:
        module.load_state_dict(state)
    for part in ("this Residual", "missing conv.bias", "missing scale", "unexpected fc8.weight",
                 "body.fc.weight has shape (4, 9), needs (32, 32)"):
        assert part in str(error.value)
    assert all(np.array_equal(array, before[name]) for name, array in module.state_dict().items())


# --------------------------------------------------------------------------------- modes and places


def test_train_and_eval_reach_every_module():
    model = nn.Sequential(drop=nn.Dropout(0.5), inner=nn.Sequential(drop=nn.Dropout(0.5)))
    assert model.eval() is model and not model.inner.drop.training and not model.training
    x = images(50, 50)
    assert np.array_equal(model(x).data, x)
    assert model.train() is model and model.inner.drop.training
    assert 0.65 < (model(x).data == 0).mean() < 0.85


def test_dropout_keeps_the_expectation_and_gates_the_gradient():
    ma.manual_seed(0)
    x = ma.Tensor(np.ones((400, 250), np.float32), requires_grad=True)
    y = nn.Dropout(0.2)(x)
    assert set(np.unique(y.data)) == {np.float32(0), np.float32(1.25)}
    assert abs((y.data == 0).mean() - 0.2) < 0.01 and abs(y.data.mean() - 1) < 0.01
    y.backward(np.full(x.shape, 2.0))
    assert np.array_equal(x.grad, 2 * y.data)


def test_dropout_of_nothing_is_the_identity():
    x = ma.Tensor(images(3, 3))
    assert F.dropout(x, 0.0) is x and F.dropout(x, 0.9, training=False) is x


def test_every_call_drops_something_else():
    x = images(20, 20)
    drop = nn.Dropout(0.5)
    assert not np.array_equal(drop(x).data, drop(x).data)


def test_to_the_same_device_keeps_arrays_and_returns_the_module():
    module = Residual()
    held = module.conv.weight.data
    assert module.to("cpu") is module and module.conv.weight.data is held


# ----------------------------------------------------------------------- layers and their functions


def test_layers_call_their_functions_with_their_options():
    x = ma.Tensor(images(2, 6, 13, 11))
    conv = nn.Conv2d(6, 8, (3, 2), stride=(2, 1), padding=(1, 0), groups=2)
    cases = [
        (conv, F.conv2d(x, conv.weight, conv.bias, (2, 1), (1, 0), 2)),
        (nn.MaxPool2d((3, 2), stride=(2, 1), padding=(1, 0)),
         F.max_pool2d(x, (3, 2), (2, 1), (1, 0))),
        (nn.MaxPool2d(3), F.max_pool2d(x, 3, 3)),
        (nn.AvgPool2d(3, stride=2), F.avg_pool2d(x, 3, 2)),
        (nn.AvgPool2d((2, 3)), F.avg_pool2d(x, (2, 3), (2, 3))),
        (nn.LocalResponseNorm(3, alpha=0.5, beta=0.6, k=1.5, groups=2),
         F.local_response_norm(x, 3, 0.5, 0.6, 1.5, 2)),
        (nn.MapResponseNorm(3, alpha=0.5, beta=0.6, k=1.5),
         F.map_response_norm(x, 3, 0.5, 0.6, 1.5)),
        (nn.ZeroPad2d(left=1, right=2, top=3, bottom=4), F.zero_pad2d(x, 1, 2, 3, 4)),
        (nn.ReLU(), F.relu(x)), (nn.Tanh(), F.tanh(x)), (nn.Sigmoid(), F.sigmoid(x)),
        (nn.Flatten(), F.flatten(x)),
    ]
    for layer, expected in cases:
        y = layer(x)
        assert y.shape == expected.shape and np.array_equal(y.data, expected.data), layer


def test_options_have_the_names_and_types_that_pytorch_gives_them():
    conv, pool = nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2), nn.MaxPool2d(3, 2)
    assert (conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding,
            conv.groups) == (4, 8, (3, 3), (2, 2), (1, 1), 2)
    assert (pool.kernel_size, pool.stride, pool.padding) == ((3, 3), (2, 2), (0, 0))
    assert conv.weight.shape == (8, 2, 3, 3) and conv.bias.shape == (8,)
    assert nn.Linear(3, 5).weight.shape == (5, 3)


def test_the_paper_s_normalisation_is_the_default():
    layer = nn.LocalResponseNorm()
    assert (layer.size, layer.alpha, layer.beta, layer.k, layer.groups) == (5, 1e-4, 0.75, 2.0, 1)


def test_initial_weights_fill_pytorchs_interval_and_are_drawn_from_the_seed():
    ma.manual_seed(3)
    first = nn.Conv2d(8, 64, 5, groups=2)
    bound = (4 * 25) ** -0.5
    assert bound * 0.99 < np.abs(first.weight.data).max() <= bound
    assert abs(first.weight.data.mean()) < bound / 50 and first.weight.dtype == np.float32
    ma.manual_seed(3)
    again = nn.Conv2d(8, 64, 5, groups=2)
    assert np.array_equal(first.weight.data, again.weight.data) and np.array_equal(first.bias.data,
                                                                                   again.bias.data)


# -------------------------------------------------------------------------- the formulas, literally


def test_convolution_is_the_sum_that_the_textbook_writes():
    x, w, b = images(2, 4, 7, 6), images(6, 2, 3, 2, seed=1), images(6, seed=2)
    (SH, SW), (PH, PW), groups = (2, 1), (1, 2), 2
    y = F.conv2d(x, w, b, (SH, SW), (PH, PW), groups).data
    padded = np.pad(x, [(0, 0), (0, 0), (PH, PH), (PW, PW)])
    for n, c, h, v in np.ndindex(y.shape):
        tower = slice(2 * (c // 3), 2 * (c // 3) + 2)
        window = padded[n, tower, SH * h:SH * h + 3, SW * v:SW * v + 2]
        assert np.isclose(y[n, c, h, v], (window * w[c]).sum() + b[c], atol=1e-5)


def test_response_norm_is_equation_section_3_3():
    a = images(2, 6, 2, 3).astype(np.float64)
    for groups in (1, 2, 3):
        b = F.local_response_norm(a, 4, alpha=0.3, beta=0.75, k=2.0, groups=groups).data
        tower = 6 // groups
        for i in range(6):
            first, last = i // tower * tower, (i // tower + 1) * tower - 1
            window = a[:, max(first, i - 2):min(last, i + 1) + 1]
            assert np.allclose(b[:, i], a[:, i] / (2 + 0.3 * (window ** 2).sum(axis=1)) ** 0.75,
                               rtol=1e-13)


def test_map_response_norm_sums_over_pixels_of_one_channel():
    a = images(1, 2, 6, 5).astype(np.float64)
    b = F.map_response_norm(a, 3, alpha=0.3, beta=0.6, k=1.0).data
    for _, c, h, w in np.ndindex(a.shape):
        window = a[0, c, max(0, h - 1):h + 2, max(0, w - 1):w + 2]
        assert np.isclose(b[0, c, h, w], a[0, c, h, w] / (1 + 0.3 * (window ** 2).sum()) ** 0.6,
                          rtol=1e-13)


def test_max_pooling_pads_with_minus_infinity_and_breaks_ties_in_reading_order():
    x = ma.Tensor(np.full((1, 1, 3, 3), -5.0), requires_grad=True)
    y = F.max_pool2d(x, 2, 2, padding=1)
    assert np.all(y.data == -5)
    y.backward(np.array([[[[1.0, 2.0], [4.0, 8.0]]]]))
    assert x.grad.tolist() == [[[[1, 2, 0], [4, 8, 0], [0, 0, 0]]]]


def test_a_pixel_that_wins_two_windows_gets_both_gradients():
    x = ma.Tensor(np.array([0.0, 0, 9, 0, 0]).reshape(1, 1, 1, 5), requires_grad=True)
    F.max_pool2d(x, (1, 3), stride=(1, 2)).backward(np.array([[[[1.0, 10.0]]]]))
    assert x.grad.ravel().tolist() == [0, 0, 11, 0, 0]


def test_max_pooling_passes_nan_on():
    x = np.zeros((1, 1, 2, 4), np.float32)
    x[0, 0, 1, 2] = np.nan
    assert np.isnan(F.max_pool2d(x, 2).data).ravel().tolist() == [False, True]


def test_cross_entropy_of_equal_logits_is_ln_k_and_of_huge_ones_is_finite():
    assert np.isclose(F.cross_entropy(np.zeros((4, 1000)), [0, 1, 2, 999]).item(), np.log(1000))
    x = ma.Tensor(np.array([[1e4, -1e4, 0.0]]), requires_grad=True)
    loss = F.cross_entropy(x, [1])
    loss.backward()
    assert loss.item() == 2e4 and np.allclose(x.grad, [[1, -1, 0]])


def test_cross_entropy_averages_over_the_batch():
    x = ma.Tensor(np.zeros((4, 2)), requires_grad=True)
    F.cross_entropy(x, [0, 0, 1, 1]).backward()
    assert np.allclose(x.grad, [[-1 / 8, 1 / 8]] * 2 + [[1 / 8, -1 / 8]] * 2)


@pytest.mark.parametrize("labels",
                         [[1, 0], (1, 0), np.array([1, 0], np.uint8), np.array([1, 0], np.int32)])
def test_labels_may_be_any_kind_of_whole_numbers(labels):
    x = images(2, 3)
    assert F.cross_entropy(x, labels).item() == F.cross_entropy(x, np.array([1, 0])).item()


def test_extreme_activations_do_not_overflow():
    x = ma.Tensor(np.array([-1000.0, 0.0, 1000.0], np.float32), requires_grad=True)
    with np.errstate(all="raise", under="ignore"):
        assert F.sigmoid(x).data.tolist() == [0, 0.5, 1] and F.tanh(x).data.tolist() == [-1, 0, 1]
        assert F.softmax(x).data.tolist() == [0, 0, 1] and F.log_softmax(x).data.tolist() == [-2000,
                                                                                              -1000,
                                                                                              0]


def test_relu_has_slope_0_at_0():
    x = ma.Tensor(np.array([-1.0, 0.0, 1e-30]), requires_grad=True)
    F.relu(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 1]


def test_im2col_and_col2im_are_transposes_and_lay_out_windows_as_columns():
    x = np.arange(2 * 2 * 4 * 5, dtype=float).reshape(2, 2, 4, 5)
    columns = F.im2col(x, (2, 3), stride=(2, 1), padding=(1, 0))
    assert columns.shape == (2, 2 * 2 * 3, 3 * 3)
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1), (0, 0)])
    # window (h, w) = (1, 1) is column 1·3 + 1
    assert np.array_equal(columns[1, :, 4], padded[1, :, 2:4, 1:4].ravel())
    g = images(*columns.shape).astype(float)
    assert np.isclose((columns * g).sum(), (x * F.col2im(g, x.shape, (2, 3), (2, 1), (1, 0))).sum())


def test_flatten_keeps_the_batch_even_when_it_is_empty():
    assert F.flatten(np.zeros((2, 3, 4))).shape == (2, 12) and F.flatten(
        np.zeros((0, 3, 4))).shape == (0, 12)
