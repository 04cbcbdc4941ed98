"""The whole engine on a GPU, or on the stand-in: the same numbers as on the CPU, and no array that
crosses by itself."""
import gc
import json

import numpy as np
import pytest
import standin

import minialex as ma
import minialex.functional as F
from minialex import models, nn, optim
from minialex.device import device_of, to_device, to_numpy
from minialex.fast import gpu
from minialex.random import random_state, set_random_state
from minialex.tensor import Tensor


def normal(seed, *shape, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


OPERATIONS = {
    "add": lambda x, w: x + w[0, 0, 0, 0],
    "arithmetic": lambda x, w: (2 * x - w[0, 0, 0, :1]) / (3 + x * x) ** 0.5 + (-x) ** 2,
    "exp_log": lambda x, w: (x.exp() + 1).log(),
    "sum_mean_max": lambda x, w: x.sum(axis=(2, 3)).mean(axis=1) + x.max(axis=(1, 2, 3)),
    "shape": lambda x, w: x.reshape(2, -1).transpose()[3:40:5],
    "matmul": lambda x, w: x @ w.reshape(-1, 6).transpose(),
    "conv2d":
        lambda x, w: F.conv2d(x, w, w.sum(axis=(1, 2, 3)), stride=(2, 1), padding=(1, 2), groups=2),
    "conv2d_without_bias": lambda x, w: F.conv2d(x, w.reshape(4, 4, 3, 3)),
    "linear": lambda x, w: F.linear(x.reshape(32, -1), w.reshape(16, 9), w[:, :, 0, 0].reshape(16)),
    "max_pool2d": lambda x, w: F.max_pool2d(x, 3, stride=2, padding=1),
    "avg_pool2d": lambda x, w: F.avg_pool2d(x, (2, 3)),
    "local_response_norm":
        lambda x, w: F.local_response_norm(x, 5, alpha=0.1, beta=0.75, k=2.0, groups=2),
    "map_response_norm": lambda x, w: F.map_response_norm(x, 3, 0.1, 0.75, 1.0),
    "relu": lambda x, w: F.relu(x),
    "tanh": lambda x, w: F.tanh(x),
    "sigmoid": lambda x, w: F.sigmoid(x),
    "softmax": lambda x, w: F.softmax(x.reshape(6, -1)),
    "log_softmax": lambda x, w: F.log_softmax(x.reshape(6, -1)),
    "cross_entropy": lambda x, w: F.cross_entropy(x.reshape(6, -1), np.arange(6)),
    "cross_entropy with weights":
        lambda x, w: F.cross_entropy(x.reshape(6, -1), np.arange(6), np.arange(x.size // 6) + 1.0),
    "mse_loss": lambda x, w: F.mse_loss(x, w[0, 0, 0, 0] * x),
    "zero_pad2d": lambda x, w: F.zero_pad2d(x, 0, 1, 2, 3),
    "flatten": lambda x, w: F.flatten(x),
}


def run(operation, device, dtype):
    """The output and both gradients, as NumPy arrays."""
    x, w = (Tensor(to_device(normal(seed, *shape, dtype=dtype), device), requires_grad=True)
            for seed, shape in enumerate([(2, 4, 6, 6), (8, 2, 3, 3)]))
    y = operation(x, w)
    assert y.device == device and y.dtype == dtype
    y.backward(to_device(normal(2, *y.shape, dtype=dtype), device))
    for tensor in (x, w):
        assert tensor.grad is None or (device_of(tensor.grad), tensor.grad.dtype) == (device, dtype)
    return [y.numpy(), *[to_numpy(t.grad) for t in (x, w) if t.grad is not None]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_gives_what_the_cpu_gives(cuda, name, dtype):
    tolerance = 2e-5 if dtype == np.float32 else 1e-11
    here, there = run(OPERATIONS[name], "cpu", dtype), run(OPERATIONS[name], cuda, dtype)
    assert len(here) == len(there)
    for on_cpu, on_gpu in zip(here, there):
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=tolerance, atol=tolerance)


# ----------------------------------------------------------------------------------------- training


def train(model, device, batches, size, lr=0.01, accumulate=1):
    """(losses, weights after the last step) of a few SGD steps on random pictures, as NumPy
    arrays."""
    model.to(device)
    optimizer = optim.SGD(optim.caffe_groups(model, lr), lr)
    losses = []
    for step in range(batches):
        if step % accumulate == 0:
            optimizer.zero_grad()
        x = Tensor(normal(step, size, *model.input_shape, dtype=np.float32)).to(device)
        loss = F.cross_entropy(model(x), to_device(np.arange(size) % model.num_classes, device))
        loss.backward()
        losses.append(loss)
        if (step + 1) % accumulate == 0:
            optimizer.step()
    assert all(p.grad.dtype == p.dtype == np.float32 and p.device == device
               for p in model.parameters())
    weights = {name: to_numpy(array).copy() for name, array in model.state_dict().items()}
    return np.array([loss.item() for loss in losses]), weights


class Small(nn.Sequential):
    """Every layer of the AlexNet family, a few channels each."""

    input_shape, num_classes = (3, 35, 35), 5

    def __init__(self):
        super().__init__(nn.ZeroPad2d(right=1, bottom=1), nn.Conv2d(3, 8, 5, stride=2), nn.ReLU(),
                         nn.LocalResponseNorm(alpha=1e-2), nn.MaxPool2d(3, 2),
                         nn.Conv2d(8, 8, 3, padding=1, groups=2), nn.ReLU(),
                         nn.MapResponseNorm(3, 0.1), nn.LocalResponseNorm(groups=2),
                         nn.MaxPool2d(3, 2), nn.AvgPool2d(3), nn.Flatten(), nn.Dropout(0.5),
                         nn.Linear(8, 16), nn.Tanh(), nn.Dropout(0.5),
                         nn.Linear(16, self.num_classes))


def lenet5():
    model = models.lenet5(num_classes=5)
    model.input_shape, model.num_classes = (1, 32, 32), 5
    return model


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_runs_by_the_book(cuda, name, dtype):
    """On a GPU too exactly the lines of ops/, with the same result."""
    tolerance = 2e-5 if dtype == np.float32 else 1e-11
    with ma.textbook():
        there = run(OPERATIONS[name], cuda, dtype)
    for on_cpu, on_gpu in zip(run(OPERATIONS[name], "cpu", dtype), there):
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("network", [Small, lenet5])
def test_training_by_the_book_follows_the_fast_cpu(cuda, network):
    ma.manual_seed(3)
    losses, weights = train(network(), "cpu", batches=3, size=6)
    ma.manual_seed(3)
    with ma.textbook():
        there, its_weights = train(network(), cuda, batches=3, size=6)
    np.testing.assert_allclose(there, losses, rtol=1e-5)
    for name, weight in weights.items():
        np.testing.assert_allclose(its_weights[name], weight, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("network", [Small, lenet5])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_training_follows_the_cpu(cuda, network, accumulate):
    results = []
    for device in ("cpu", cuda):
        ma.manual_seed(3)  # the same weights, and the same dropout masks on both devices
        results.append(train(network(), device, batches=4, size=6, accumulate=accumulate))
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-5)
    for name, weight in results[0][1].items():
        np.testing.assert_allclose(results[1][1][name], weight, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.long
def test_one_step_of_the_whole_paper_network(cuda):
    """Loss, all 58 million gradients, and the update (looked at outside fc6 and fc7, to save
    time)."""
    ma.manual_seed(0)
    model = models.alexnet(num_classes=10, init="he")
    x = Tensor(normal(0, 2, *model.input_shape, dtype=np.float32))
    losses, gradients = [], []
    for device in ("cpu", cuda):
        ma.manual_seed(1)
        model.to(device).zero_grad()
        loss = F.cross_entropy(model(x.to(device)), to_device(np.array([3, 7]), device))
        loss.backward()
        losses.append(loss.item())
        gradients.append({name: to_numpy(p.grad) for name, p in model.named_parameters()})
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    for name, expected in gradients[0].items():
        worst = np.abs(gradients[1][name] - expected).max()
        assert worst <= 1e-5 * np.abs(expected).max(), f"{name}: off by {worst}"

    small = {name: p for name, p in model.named_parameters() if p.size < 1_000_000}
    before = {name: p.numpy() for name, p in small.items()}
    optim.SGD(model.parameters(), lr=0.1).step()
    for name, p in small.items():
        step = 0.1 * (gradients[1][name] + np.float32(5e-4) * before[name])
        np.testing.assert_allclose(p.numpy(), before[name] - step, rtol=1e-5, atol=1e-7,
                                   err_msg=name)


# -------------------------------------------------------------------------- no waiting, no crossing


def step_of(model, device, size):
    """A function that runs one training step on data that is already on the device."""
    model.to(device)
    optimizer = optim.SGD(model.parameters(), 0.01)
    x = Tensor(to_device(normal(0, size, *model.input_shape, dtype=np.float32), device))
    labels = to_device(np.arange(size) % model.num_classes, device)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss
    return step


@pytest.mark.parametrize("network", [Small, lenet5])
def test_a_step_never_waits_for_the_device(fake_cupy, network):
    step = step_of(network(), "cuda:0", 4)
    with standin.no_waiting(fake_cupy):
        step()
        loss = step()
    before = len(fake_cupy.state.waits)
    assert loss.item() > 0
    assert len(fake_cupy.state.waits) == before + 1, "the stand-in did not notice that item() waits"


@pytest.mark.parametrize("network", [Small, lenet5])
def test_a_larger_batch_needs_no_more_launches(fake_cupy, monkeypatch, network):
    calls, counts, call = [], [], fake_cupy.call
    monkeypatch.setattr(fake_cupy, "call", lambda name, *rest: calls.append(name)
                        or call(name, *rest))
    for size in (2, 16):
        step = step_of(network(), "cuda:0", size)
        step()
        calls.clear()
        step()
        counts.append(len(calls))
    assert counts[0] == counts[1], "something works image by image: on a GPU that is all overhead"


@pytest.mark.parametrize("network", [Small, lenet5])
def test_a_step_frees_its_memory_at_once(fake_cupy, network):
    """A cycle of references would hold activations until Python's garbage collector happens to
    run."""
    step = step_of(network(), "cuda:0", 4)
    step()
    gc.collect()
    gc.disable()
    try:
        before = fake_cupy.state.in_use
        step()
        assert fake_cupy.state.in_use == before
    finally:
        gc.enable()


def test_everything_stays_on_its_own_device(fake_cupy):
    """The second GPU is never touched by work for the first, and the other way round (a stand-in
    array on another device than the current one is an error)."""
    for device in ("cuda:0", "cuda:1"):
        with fake_cupy.cuda.Device(int(device[-1])):
            loss = step_of(Small(), device, 2)()
            assert loss.device == device
            assert loss.to("cpu").device == "cpu"
            assert Tensor([1.0, 2.0]).to(device).device == device


def test_kernels_run_where_their_array_is(fake_cupy):
    with fake_cupy.cuda.Device(1):
        x = fake_cupy.asarray(normal(0, 1, 2, 5, 5))
    assert gpu.max_pool_forward(x, (3, 3), (2, 2), (0, 0))[0].device.id == 1
    assert fake_cupy.cuda.Device().id == 0


def test_mixing_devices_is_an_error_that_names_them(cuda, cupy):
    here, there = Tensor([1.0, 2.0]), Tensor([1.0, 2.0]).to(cuda)
    with pytest.raises(ValueError, match=f"(?s)cpu.*{cuda}|{cuda}.*cpu"):
        here + there
    with pytest.raises((ValueError, TypeError)):
        there * np.array([1.0, 2.0])
    with pytest.raises(ValueError, match="one device"):
        F.linear(there.reshape(1, 2), Tensor(np.ones((3, 2), np.float32)))


def test_scalars_and_lists_follow_the_tensor(cuda, cupy):
    x = Tensor([1.0, 2.0]).to(cuda)
    for y in (2 * x, x / np.float32(2), x + 1, [3.0, 4.0] * x, x**2, 1 - x):
        assert (y.device, y.dtype) == (cuda, np.float32)


def test_gradients_travel_back_through_to(cuda, cupy):
    x = Tensor([1.0, 2.0], requires_grad=True)
    (x.to(cuda) * 3).sum().backward()
    assert isinstance(x.grad, np.ndarray)
    np.testing.assert_array_equal(x.grad, [3, 3])


# ------------------------------------------------------------------------------ weights, randomness


def test_weights_travel(cuda, cupy):
    ma.manual_seed(1)
    on_cpu, on_gpu = Small(), Small().to(cuda)
    on_gpu.load_state_dict(on_cpu.state_dict())
    assert all(isinstance(array, cupy.ndarray) for array in on_gpu.state_dict().values())
    x = normal(0, 2, *Small.input_shape, dtype=np.float32)
    there = on_gpu.eval()(Tensor(x).to(cuda))
    np.testing.assert_allclose(there.numpy(), on_cpu.eval()(Tensor(x)).numpy(), rtol=1e-5,
                               atol=1e-6)

    another = Small()
    another.load_state_dict(on_gpu.state_dict())
    assert all(isinstance(array, np.ndarray) for array in another.state_dict().values())
    for name, array in another.state_dict().items():
        np.testing.assert_array_equal(array, on_cpu.state_dict()[name])
    assert on_gpu.to("cpu").parameters()[0].device == "cpu"


def test_optimiser_state_travels(cuda, cupy):
    """Velocities from a checkpoint, which holds NumPy arrays, land on the parameters' device."""
    model = lenet5()
    step_of(model, cuda, 2)
    optimizer = optim.SGD(model.parameters(), 0.1)
    velocity = [np.ones(p.shape, np.float32) for p in model.parameters()]
    optimizer.load_state_dict({"velocity": velocity, "groups": optimizer.state_dict()["groups"]})
    assert all(isinstance(v, cupy.ndarray) for v in optimizer.state_dict()["velocity"])
    optimizer = optim.SGD(lenet5().parameters(), 0.1)
    velocity = [cupy.asarray(v) for v in velocity]
    optimizer.load_state_dict({"velocity": velocity, "groups": optimizer.state_dict()["groups"]})
    assert all(isinstance(v, np.ndarray) for v in optimizer.state_dict()["velocity"])


def test_dropout_masks_are_the_cpus_and_can_be_drawn_again(cuda, cupy):
    x = np.ones((200, 300), np.float32)
    draws = []
    for device in ("cpu", cuda, cuda):
        ma.manual_seed(7)
        there = Tensor(x, requires_grad=True).to(device)
        first, state = F.dropout(there, 0.3).numpy(), random_state()
        draws.append((first, F.dropout(there, 0.3).numpy()))
        set_random_state(json.loads(json.dumps(state)))
        np.testing.assert_array_equal(F.dropout(there, 0.3).numpy(), draws[-1][1],
                                      "a checkpoint's state goes on elsewhere")
    for first, second in draws:
        np.testing.assert_array_equal(first, draws[0][0])
        np.testing.assert_array_equal(second, draws[0][1])
        assert (first != second).any()
    assert first.dtype == np.float32 and set(np.unique(first)) == {0, np.float32(1 / 0.7)}
    assert (first == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_array_equal(F.dropout(there, 0.3, training=False).numpy(), x)


def test_dropouts_backward_pass_has_the_forward_passes_mask(cuda, cupy):
    x = Tensor(normal(0, 50, 70)).to(cuda).detach()
    x.requires_grad = True
    y = F.dropout(x, 0.5)
    y.backward(cupy.ones(x.shape))
    np.testing.assert_array_equal(y.numpy(), x.numpy() * x.grad.get())


def test_anomalies_are_found_on_the_device(cuda, cupy):
    with ma.detect_anomaly(), pytest.raises(FloatingPointError, match="Log"):
        Tensor([1.0, -1.0]).to(cuda).log()


def test_printing_a_tensor_says_where_it_is(cuda, cupy):
    assert repr(Tensor([1.0, 2.0]).to(cuda)) == f"Tensor([1., 2.], dtype=float32, device={cuda})"


# ------------------------------------------------------------------------------ the stand-in itself


def test_the_stand_in_is_strict(fake_cupy):
    x, host = fake_cupy.ones(3), np.ones(3)
    for crossing in (lambda: x + host, lambda: host + x, lambda: np.exp(x), lambda: np.asarray(x),
                     lambda: np.stack([x, x]), lambda: fake_cupy.add(x, host),
                     lambda: fake_cupy.stack([x, host]), lambda: x.dot(host),
                     lambda: x.__setitem__(0, host[0:1])):
        with pytest.raises(TypeError):
            crossing()
    with pytest.raises(RuntimeError, match="device 0 while device 1"), fake_cupy.cuda.Device(1):
        x + 1
    assert isinstance(np.float64(2) * x, fake_cupy.ndarray)
    assert isinstance(x.sum(), fake_cupy.ndarray) and x.sum().shape == ()
    assert np.isnan(fake_cupy.empty(3).get()).all()
    view = x[1:]
    view += 1
    np.testing.assert_array_equal(x.get(), [1, 2, 2])


def test_a_kernel_that_writes_outside_its_array_is_caught(fake_cupy):
    code = 'typedef float real;\nextern "C" __global__ void spill(real* x) { x[3] = 1; }'
    with pytest.raises(AssertionError, match="spill wrote outside"):
        fake_cupy.RawKernel(code, "spill")((1,), (1,), (fake_cupy.zeros(3, dtype=np.float32),))


def test_cupy_has_every_name_that_was_used(fake_cupy):
    for network in (Small, lenet5):
        step_of(network(), "cuda:0", 2)()
    for operation in OPERATIONS.values():
        run(operation, "cuda:0", np.float32)
    assert {"matmul", "maximum", "ndarray.swapaxes"} <= fake_cupy.state.names
    unknown = standin.unknown_to_cupy(fake_cupy.state.names)
    if unknown is None:
        pytest.skip("CuPy is not installed (pip install -r requirements.txt)")
    assert not unknown
    assert standin.unknown_to_cupy(["matmul", "spacing_out", "ndarray.swapaxes"]) == ["spacing_out"]
