"""--profile: every operation of a step is in the table, and the shares add up."""
import re
from types import SimpleNamespace

import numpy as np

import minialex as ma
import minialex.functional as F
from minialex import nn, optim
from minialex.training.profile import UPDATE, Profile


def test_a_step_is_timed_layer_by_layer():
    ma.manual_seed(0)
    net = nn.Sequential(conv1=nn.Conv2d(1, 2, 3), relu1=nn.ReLU(), flatten=nn.Flatten(),
                        fc=nn.Linear(2 * 4, 3))
    optimizer, profile, told = optim.SGD(net.parameters(), lr=0.1), Profile(), []
    trainer = SimpleNamespace(device="cpu", progress=SimpleNamespace(line=told.append))
    before, images, labels = list(ma.tensor.observers), np.ones((2, 1, 4, 4),
                                                                np.float32), np.array([0, 2])
    profile.on_begin(trainer)
    profile.on_epoch_begin(trainer)
    for _ in range(2):
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        profile.on_gradients(trainer)
        optimizer.step()
        profile.on_step(trainer, images, labels)
    with ma.no_grad():  # a validation does not count
        F.softmax(net(images))
    profile.on_close(trainer)
    assert ma.tensor.observers == before and told == profile.lines()
    assert profile.steps == 2
    assert list(profile.seconds) == ["conv1 Conv2dReLU", "flatten Reshape", "fc Linear",
                                     "CrossEntropy", UPDATE]
    assert all(forward > 0 for forward, _ in profile.seconds.values())
    assert all(backward > 0 for name, (_, backward) in profile.seconds.items() if name != UPDATE)
    assert sum(map(sum, profile.seconds.values())) <= profile.wall
    shares = [float(share) for line in profile.lines()[2:-2]
              for share in re.findall(r"([\d.]+)%$", line)]
    assert len(shares) == 5 and abs(sum(shares) - 100) <= 0.5


def test_no_step_says_so():
    assert Profile().lines() == ["profile  no step was taken"]
