"""When the GPU is short of memory a convolution works on fewer images at a time; when even one is
too much, it says so."""
import gc

import numpy as np
import pytest

import minialex.functional as F
from minialex.device import to_device, to_numpy
from minialex.fast import gpu as module
from minialex.tensor import Tensor


@pytest.fixture
def gpu(fake_cupy, monkeypatch):
    """`minialex.fast.gpu`, without what earlier tests found out about memory, or left in it."""
    gc.collect()
    monkeypatch.setattr(module, "_slice_sizes", {})
    return module


@pytest.fixture
def slices(gpu, monkeypatch):
    """The numbers of images of every slice that was tried."""
    sizes, im2col = [], gpu.im2col
    noted = staticmethod(lambda x, *rest, **options: sizes.append(len(x))
                         or im2col(x, *rest, **options))
    monkeypatch.setattr(gpu.GpuIm2col, "im2col", noted)
    return sizes


def convolve(device, images=12):
    """Output and gradients of one convolution; an image's columns take 16·25·64·4 = 102,400
    bytes."""
    generator = np.random.default_rng(0)
    x, w, b = (Tensor(to_device(generator.standard_normal(shape).astype(np.float32), device),
                      requires_grad=True) for shape in [(images, 16, 8, 8), (4, 16, 5, 5), (4,)])
    y = F.conv2d(x, w, b, padding=2)
    y.backward(to_device(generator.standard_normal(y.shape).astype(np.float32), device))
    return [y.numpy(), *[to_numpy(tensor.grad) for tensor in (x, w, b)]]


def test_slices_follow_the_free_memory(fake_cupy, gpu, monkeypatch):
    monkeypatch.setattr(fake_cupy.state, "memory", fake_cupy.state.in_use + 4_000_000)
    assert gpu.images_at_a_time(100_000) == 10
    monkeypatch.setattr(fake_cupy.state, "memory", fake_cupy.state.in_use + 40_000)
    assert gpu.images_at_a_time(100_000) == 10, "asked for once, remembered afterwards"
    assert gpu.images_at_a_time(200_000) == 1
    monkeypatch.setattr(fake_cupy.state, "memory", 80 << 30)
    assert gpu.images_at_a_time(1 << 20) == 256


@pytest.mark.parametrize("room, largest",
                         [(50_000_000, 12), (1_200_000, 6), (600_000, 3), (300_000, 1)])
def test_short_memory_halves_the_slice_and_changes_nothing_else(fake_cupy, gpu, slices, monkeypatch,
                                                                room, largest):
    expected = convolve("cpu")
    monkeypatch.setattr(gpu, "images_at_a_time", lambda column_bytes: 12)
    monkeypatch.setattr(fake_cupy.state, "memory", fake_cupy.state.in_use + room)
    for value, reference in zip(convolve("cuda:0"), expected):
        np.testing.assert_allclose(value, reference, rtol=0, atol=1e-5 * np.abs(reference).max())
    assert slices[-1] <= largest and (slices[0] == 12) == (largest == 12)

    slices.clear()
    convolve("cuda:0")
    assert max(slices) <= largest, "the next step ran out of memory again instead of remembering"


def test_one_image_too_many_says_what_would_fit(fake_cupy, gpu, monkeypatch):
    kept = fake_cupy.zeros(1_000_000, dtype=np.float32)
    x, w = (Tensor(fake_cupy.zeros(shape, dtype=np.float32))
            for shape in [(12, 16, 8, 8), (4, 16, 5, 5)])
    in_use = fake_cupy.state.in_use
    monkeypatch.setattr(fake_cupy.state, "memory", in_use + 60_000)
    with pytest.raises(MemoryError) as caught:
        F.conv2d(x, w, padding=2)
    message = str(caught.value)
    assert "one of these 12 images: 102,400 bytes were needed" in message
    assert "a batch of about 11 would fit" in message
    taken = 4 * 12 * 4 * 8 * 8  # the output
    assert f"{60_000 - taken:,} are free and {in_use + taken:,} in use" in message
    assert kept.size == 1_000_000


def test_what_cannot_fit_at_all_names_no_batch(fake_cupy, gpu, monkeypatch):
    x, w = (Tensor(fake_cupy.zeros(shape, dtype=np.float32))
            for shape in [(2, 16, 8, 8), (4, 16, 5, 5)])
    monkeypatch.setattr(fake_cupy.state, "memory", fake_cupy.state.in_use + 3_000)
    with pytest.raises(MemoryError, match="smaller images or a smaller network, "
                       "or run with --device cpu"):
        F.conv2d(x, w, padding=2)


def test_another_error_is_not_taken_for_a_lack_of_memory(gpu):
    def fails(images):
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        gpu.sum_over_images(fails, 4, 2)


def test_sums_add_slices_in_order(fake_cupy, gpu):
    seen = []

    def part(images):
        seen.append((images.start, images.stop))
        return fake_cupy.full(2, float(images.stop - images.start)), None
    total, nothing = gpu.sum_over_images(part, 7, 3)
    assert seen == [(0, 3), (3, 6), (6, 7)] and nothing is None
    np.testing.assert_array_equal(total.get(), [7, 7])
    assert gpu.sum_over_images(part, 0, 3) is None
