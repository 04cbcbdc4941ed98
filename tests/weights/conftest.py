"""Random weights, made once."""

import numpy as np
import pytest
from torch_networks import random_arrays


@pytest.fixture(scope="session")
def planes():
    """A picture, uint8 (3, 256, 256), whose colours differ."""
    random = np.random.default_rng(5)
    blocks = random.integers(0, 256, (3, 16, 16)) * np.array([1.0, 0.6, 0.3])[:, None, None]
    return blocks.repeat(16, 1).repeat(16, 2).astype(np.uint8)


@pytest.fixture(scope="session")
def torchvision_arrays():
    return random_arrays("torchvision")


@pytest.fixture(scope="session")
def caffe_arrays():
    return random_arrays("caffe")
