"""--freeze: frozen layers stay as they are to the last bit, and what they make of the pictures is
computed once."""

import copy

import numpy as np
import pytest
from small_runs import OPTIONS, Listener

from minialex import models
from minialex.errors import UserError
from minialex.training import checkpoint, finetune, run
from minialex.training.callbacks import Anomaly, Callback


@pytest.fixture
def source(finished):
    return str(finished[0] / "checkpoint-best.npz")


def weights_of(path):
    return checkpoint.load(path / "checkpoint-last.npz")[0]


def test_frozen_layers_get_neither_gradient_nor_decay_nor_velocity(source, train):
    path, listener = train("frozen", init=source, freeze="conv", epochs=2, weight_decay=0.1)
    before, after = checkpoint.load(source)[0], weights_of(path)
    for name in before:
        assert (before[name] == after[name]).all() == name.startswith("conv"), name
    assert set(checkpoint.load(path / "checkpoint-last.npz")[1]) == {name for name in before
                                                                     if name.startswith("fc")}
    assert "conv1 to conv3 stay as they are" in listener.text


def test_kept_features_train_the_same_network_as_features_computed_for_each_batch(source, train,
                                                                                  monkeypatch):
    kept, _ = train("kept", init=source, freeze="conv", epochs=3)
    monkeypatch.setattr(finetune, "MEMORY", 0)
    computed, listener = train("computed", init=source, freeze="conv", epochs=3)
    assert "does not fit into memory" in listener.text
    for name, array in weights_of(kept).items():
        np.testing.assert_allclose(array, weights_of(computed)[name], rtol=2e-4, atol=1e-6)


def test_each_view_is_computed_once(source, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, "VIEWS", 2)
    computed = []
    original = finetune.FeatureLoader._compute
    monkeypatch.setattr(finetune.FeatureLoader, "_compute",
                        lambda self, view: computed.append((self.loader.train, view))
                        or original(self, view))
    run(OPTIONS | {"data": str(pictures), "out": str(tmp_path / "r"), "init": source,
                   "freeze": "conv", "epochs": 5}, Listener())
    assert computed == [(True, 0), (False, 0), (True, 1)]


def test_a_stopped_run_goes_on_to_the_same_bytes(source, train, tmp_path, pictures):
    whole, _ = train("whole", init=source, freeze="conv", epochs=3)

    def stop(steps):
        if steps == 6:
            import signal
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Exception, match="to go on"):
        train("parts", stop, init=source, freeze="conv", epochs=3)
    run({"resume": str(tmp_path / "parts")}, Listener())
    assert (whole / "metrics.csv").read_bytes() == (tmp_path / "parts" / "metrics.csv").read_bytes()
    for name, array in weights_of(whole).items():
        assert (array == weights_of(tmp_path / "parts")[name]).all(), name


@pytest.mark.parametrize("options", [{"freeze": "conv"}, {}])
def test_a_run_stopped_before_its_first_step_draws_its_fresh_layer_as_it_would_have(
        source, train, pictures, tmp_path, options):
    arrays = {name: array for name, array in checkpoint.load(source).weights.items()
              if not name.startswith("fc5")}
    np.savez(tmp_path / "w.npz", **arrays)
    options |= {"init": str(tmp_path / "w.npz"), "epochs": 2}
    whole, _ = train("whole", **options)

    class Killed(Exception):
        pass

    class Kill(Callback):
        def on_epoch_begin(self, trainer):
            raise Killed

    with pytest.raises(Killed):
        run(OPTIONS | {"data": str(pictures), "out": str(tmp_path / "parts")} | options, Listener(),
            [Kill()])
    assert checkpoint.load(tmp_path / "parts" / "checkpoint-last.npz").state["batch"] == 0
    run({"resume": str(tmp_path / "parts")}, Listener())
    assert (whole / "metrics.csv").read_bytes() == (tmp_path / "parts" / "metrics.csv").read_bytes()
    for name, array in weights_of(whole).items():
        assert (array == weights_of(tmp_path / "parts")[name]).all(), name


@pytest.mark.parametrize("variant, until, last",
                         [("caffe", "conv", "pool5"), ("caffe", "conv3", "relu3"),
                          ("caffe", "fc6", "relu6"), ("torchvision", "conv", "flatten"),
                          ("torchvision", "fc6", "relu6"), ("krizhevsky", "conv5", "relu5")])
def test_where_the_cut_is(variant, until, last):
    # without 60 million random numbers
    model = models.alexnet.__globals__["_LAYERS"][variant](3)[2]
    from minialex import nn
    classifier = [("drop6", nn.Dropout()), ("fc6", nn.Linear(2, 2)), ("relu6", nn.ReLU()),
                  ("drop7", nn.Dropout()), ("fc7", nn.Linear(2, 2)), ("relu7", nn.ReLU()),
                  ("fc8", nn.Linear(2, 2))]
    if variant != "torchvision":
        classifier = [classifier[n] for n in (1, 2, 0, 4, 5, 3, 6)]
    network = nn.Sequential(**model, flatten=nn.Flatten(), **dict(classifier))
    names = [name for name, _ in network.named_children()]
    expected = "flatten" if (variant, until) in [("caffe", "conv"),
                                                 ("krizhevsky", "conv5")] else last
    assert names[finetune.cut(network, until) - 1] == expected


@pytest.mark.parametrize("options, said", [
    ({"freeze": "conv"}, "must have learnt something"),
    ({"freeze": "fc5", "init": "{source}"}, "choose conv .* conv1, conv2, conv3, fc4"),
    ({"freeze": "pool1", "init": "{source}"}, "choose conv"),
])
def test_what_cannot_be_frozen_is_a_sentence(train, source, options, said):
    options = {name: value.replace("{source}", source) for name, value in options.items()}
    with pytest.raises(UserError, match=said):
        train("none", **options)


@pytest.mark.long
def test_a_fresh_layer_behind_learnt_ones_is_drawn_for_what_comes_in(source, pictures, tmp_path,
                                                                     monkeypatch):
    """fc4's inputs are made a thousand times smaller: the first loss hardly moves. (The seed is
    another than that of the source, whose convolutions learnt together with the head that its own
    seed draws.)"""
    arrays = {name: array for name, array in checkpoint.load(source)[0].items()
              if name.startswith("conv")}
    first = []
    monkeypatch.setattr(Anomaly, "on_loss",
                        lambda self, trainer, loss, *rest: first.append(loss.item()))
    for factor in (1, 1e-3):
        changed = copy.deepcopy(arrays)
        changed["conv3.weight"] *= factor
        changed["conv3.bias"] *= factor
        np.savez(tmp_path / "w.npz", **changed)
        run(OPTIONS | {"data": str(pictures), "out": str(tmp_path / str(factor)),
                       "init": str(tmp_path / "w.npz"), "freeze": "conv", "epochs": 1, "lr": 1e-9,
                       "seed": 5}, Listener())
    half = len(first) // 2
    assert abs(np.mean(first[half:]) - np.mean(first[:half])) < 0.35 and np.mean(first[half:]) > 0.9
