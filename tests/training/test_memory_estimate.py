"""The memory that a run is said to need, beside what was measured (VmHWM, two threads) and what can
be counted."""

from types import SimpleNamespace

import numpy as np
import pytest

from minialex import models
from minialex.training import finetune
from minialex.training import memory_estimate as estimate

pytestmark = pytest.mark.usefixtures("weights_without_random_numbers")


def experiment(variant, batch, classes, train, val, size=256, freeze=None, epochs=10, cache=2**30):
    def pictures(count):
        return type("Pictures", (),
                    {"size": size, "cache_bytes": round(cache * count / (train + val)),
                     "__len__": lambda self: count})()

    model = models.build(variant, classes, 1 if variant == "lenet5" else 3)
    trunk, head = finetune.freeze(model, freeze) if freeze else (None, model)
    views = finetune.views(trunk, model.input_shape, train + val, True) if freeze else 0
    return SimpleNamespace(model=model, trunk=trunk, head=head, views=views,
                           train=pictures(train), val=pictures(val),
                           config=SimpleNamespace(part_size=batch, epochs=epochs))


@pytest.mark.parametrize("variant, batch, train, val, size, measured",
                         [("paper", 32, 136, 44, 256, 1590), ("paper", 128, 136, 44, 256, 1925),
                          ("paper", 128, 576, 144, 256, 2287),
                          ("torchvision", 32, 136, 44, 256, 1568),
                          ("torchvision", 64, 576, 144, 256, 1631),
                          ("keras", 16, 136, 44, 256, 1314), ("lenet5", 64, 136, 44, 36, 183)])
def test_within_a_twentieth_of_what_was_measured(variant, batch, train, val, size, measured):
    assert estimate.memory(experiment(variant, batch, 2, train, val,
                                      size)) / 1e6 == pytest.approx(measured, rel=0.05)


def test_kept_features_are_counted_for_each_view():
    """ImageNette: 9,469 and 3,925 pictures of 256·6·6 numbers each, as many views as 2 GiB hold of
    both."""
    frozen = experiment("caffe", 64, 10, 9469, 3925, freeze="conv")
    assert frozen.views == 4
    head = sum(parameter.data.size for parameter in frozen.head.parameters())
    trunk = sum(parameter.data.size for parameter in frozen.trunk.parameters())
    kept = (4 * 9469 + 3925) * 9216 * 4
    # the frozen layers' batch is larger than the head's
    at_once = 64 * 4 * (3 * 96 * 55 * 55 + 5 * 3 * 227 * 227)
    assert estimate.training(frozen) == pytest.approx(12 * head + 4 * trunk + kept + at_once,
                                                      rel=1e-6)
    once = experiment("caffe", 64, 10, 9469, 3925, freeze="conv", epochs=1)
    assert estimate.training(frozen) - estimate.training(once) == 3 * 9469 * 9216 * 4


def test_what_features_take_is_what_is_said(monkeypatch):
    """One array of the right size is made for a view; nothing twice as large on the way."""
    frozen = experiment("lenet5", 8, 3, 40, 10, size=36, freeze="conv")
    loader = SimpleNamespace(pictures=range(40), train=True, batch_size=8, drop_last=False,
                             order=np.arange(40), start=lambda *given: None)

    class Loader(SimpleNamespace):
        def __iter__(self):
            for start in range(0, 40, 20):
                yield np.zeros((20, 1, 32, 32), np.float32), np.arange(start, start + 20)

    loader = Loader(**vars(loader))
    kept = finetune.FeatureLoader(loader, frozen.trunk, 1, lambda *given: _Quiet())
    made, found = kept._compute(0)
    assert made.nbytes == 40 * estimate.bytes_of_features(frozen) and found.tolist() == list(
        range(40))
    assert made.base is not None and made.base.nbytes == made.nbytes


class _Quiet:
    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def step(self, count):
        pass
