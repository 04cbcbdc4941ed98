"""SGD as section 5 of the paper writes it, parameter groups, schedules, saving and going on."""
import json

import numpy as np
import pytest

from minialex import nn, optim
from minialex.fast.sgd import sgd_update


def parameter(values, grad):
    p = nn.Parameter(np.array(values, np.float64))
    p.grad = np.array(grad, np.float64)
    return p


def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    """v ← 0.9·v − 0.0005·ε·w − ε·g;  w ← w + v"""
    v = momentum * v - decay * lr * w - lr * g
    return w + v, v


def test_two_steps_by_hand():
    p = parameter([10.0], [2.0])
    optimizer = optim.SGD([p], lr=0.1, momentum=0.5, weight_decay=0.01)
    optimizer.step()  # v = −0.1·(2 + 0.01·10) = −0.21
    assert np.allclose(optimizer.velocity[p], [-0.21]) and np.allclose(p.data, [9.79])
    optimizer.step()  # v = −0.105 − 0.1·(2 + 0.0979) = −0.31479
    assert np.allclose(optimizer.velocity[p], [-0.31479]) and np.allclose(p.data, [9.47521])


def test_many_steps_follow_the_paper():
    generator = np.random.default_rng(0)
    p = nn.Parameter(generator.standard_normal((7, 5)))
    w, v = p.data.copy(), np.zeros((7, 5))
    optimizer = optim.SGD([p], lr=0.01)
    for step in range(12):
        optimizer.param_groups[0]["lr"] = lr = 0.01 if step < 6 else 0.001
        p.grad = generator.standard_normal((7, 5))
        w, v = paper_step(w, p.grad, v, lr)
        optimizer.step()
    assert np.allclose(p.data, w, rtol=1e-13) and np.allclose(optimizer.velocity[p], v, rtol=1e-13)


def test_velocity_keeps_its_size_when_the_learning_rate_falls():
    """The paper's rule and the common one (v ← 0.9·v + g, w ← w − ε·v) part here: a step made at ε
    = 1 lives on."""
    p = parameter([0.0], [1.0])
    optimizer = optim.SGD([p], lr=1.0, momentum=0.5, weight_decay=0)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert p.data.tolist() == [-1.5]  # the common rule would stay at −1


@pytest.mark.parametrize("size", [1, (1 << 15) - 1, (1 << 15) + 1, 300_001])
def test_the_update_in_blocks_reaches_every_number_once(size):
    generator = np.random.default_rng(size)
    weight, grad, velocity = (generator.standard_normal(size) for _ in range(3))
    w, v = paper_step(weight, grad, velocity, 0.1)
    sgd_update(weight, grad, velocity, 0.1, 0.9, 0.0005)
    assert np.allclose(weight, w, rtol=1e-13) and np.allclose(velocity, v, rtol=1e-13)


def test_the_update_of_an_array_that_is_not_contiguous():
    base = np.arange(12.0).reshape(3, 4)
    p = nn.Parameter(base.T)
    p.grad = np.ones((4, 3))
    optim.SGD([p], lr=1, momentum=0, weight_decay=0).step()
    assert np.array_equal(base, np.arange(12.0).reshape(3, 4) - 1)


def test_weights_change_in_place_and_gradients_stay():
    p = parameter([1.0, 2.0], [1.0, 1.0])
    held = p.data
    optim.SGD([p], lr=1, momentum=0, weight_decay=0).step()
    assert p.data is held and held.tolist() == [0, 1] and p.grad.tolist() == [1, 1]


def test_parameters_without_a_gradient_stay_where_they_are():
    frozen, trained = parameter([1.0], [0.0]), parameter([1.0], [1.0])
    frozen.grad = None
    optimizer = optim.SGD([frozen, trained], lr=1)
    optimizer.step()
    assert frozen.data.tolist() == [1] and trained.data[
        0] < 0.1 and frozen not in optimizer.velocity
    optimizer.zero_grad()
    assert trained.grad is None


def test_groups_have_their_own_options():
    slow, fast = parameter([1.0], [1.0]), parameter([1.0], [1.0])
    optimizer = optim.SGD([{"params": [slow]}, {"params": [fast], "lr": 0.2, "weight_decay": 1.0,
                                                "momentum": 0.0}], lr=0.1, weight_decay=0)
    optimizer.step()
    assert np.allclose([slow.data, fast.data], [[0.9], [0.6]])
    assert [g["momentum"] for g in optimizer.param_groups] == [0.9, 0.0]


def test_caffe_gives_biases_twice_the_rate_and_no_decay():
    model = nn.Sequential(conv=nn.Conv2d(1, 2, 3), fc=nn.Linear(2, 2, bias=False))
    weights, biases = optim.SGD(optim.caffe_groups(model, lr=0.01), lr=99).param_groups
    assert weights["params"] == [model.conv.weight,
                                 model.fc.weight] and biases["params"] == [model.conv.bias]
    assert (weights["lr"], weights["weight_decay"], biases["lr"],
            biases["weight_decay"]) == (0.01, 5e-4, 0.02, 0)


def test_a_generator_of_parameters_serves_more_than_one_step():
    p = parameter([1.0], [1.0])
    optimizer = optim.SGD((q for q in [p]), lr=1, momentum=0, weight_decay=0)
    optimizer.step()
    optimizer.step()
    assert p.data.tolist() == [-1]


def test_going_on_from_a_saved_state_gives_the_same_numbers():
    def train(steps, weights=None, state=None):
        p = parameter([1.0, -1.0], [1.0, 2.0])
        optimizer = optim.SGD([p], lr=0.1)
        if state:
            p.data[...] = weights
            optimizer.load_state_dict(state)
        for _ in range(steps):
            optimizer.step()
        return p.data.copy(), optimizer.state_dict()

    straight, _ = train(5)
    weights, saved = train(2)
    assert np.array_equal(train(3, weights, saved)[0], straight)
    json.dumps(saved["groups"])


def test_loading_copies_and_restores_options():
    p = parameter([1.0], [1.0])
    optimizer = optim.SGD([p], lr=0.1)
    optimizer.step()
    state = optimizer.state_dict()
    other = optim.SGD([p], lr=5)
    other.load_state_dict(state)
    assert other.param_groups[0]["lr"] == 0.1 and other.param_groups[0]["params"] == [p]
    assert not np.shares_memory(other.velocity[p], state["velocity"][0])


def test_a_refused_state_changes_nothing():
    p = parameter([1.0], [1.0])
    optimizer = optim.SGD([p], lr=0.1)
    optimizer.step()
    before = optimizer.velocity[p].copy()
    with pytest.raises(ValueError, match=r"velocity \(2,\) does not fit weight \(1,\)"):
        optimizer.load_state_dict({"velocity": [np.zeros(2)], "groups": [{"lr": 7}]})
    assert np.array_equal(optimizer.velocity[p], before) and optimizer.param_groups[0]["lr"] == 0.1


# ---------------------------------------------------------------------------------------- schedules


def two_groups():
    return optim.SGD([{"params": [parameter([1.0], [1.0])]},
                      {"params": [parameter([1.0], [1.0])], "lr": 2.0}], lr=1.0)


def rates(optimizer, schedule, epochs, *metrics):
    history = []
    for epoch in range(epochs):
        schedule.step(*[metric[epoch] for metric in metrics])
        history.append(tuple(group["lr"] for group in optimizer.param_groups))
    return history


def test_step_lr():
    optimizer = two_groups()
    history = rates(optimizer, optim.StepLR(optimizer, 2, gamma=0.5), 5)
    assert history == [(1, 2), (0.5, 1), (0.5, 1), (0.25, 0.5), (0.25, 0.5)]


def test_multi_step_lr_in_any_order():
    optimizer = two_groups()
    history = rates(optimizer, optim.MultiStepLR(optimizer, [4, 2], gamma=0.5), 5)
    assert history == [(1, 2), (0.5, 1), (0.5, 1), (0.25, 0.5), (0.25, 0.5)]


def test_reduce_on_plateau_three_times_at_most():
    optimizer = two_groups()
    schedule = optim.ReduceOnPlateau(optimizer, factor=0.5, patience=2, max_reductions=2)
    errors = [9, 8, 8, 9, 7, 7, 7, 7, 7, 7]
    assert [rate for rate, _ in rates(optimizer, schedule, 10, errors)] == [1, 1, 1, .5, .5, .5,
                                                                            .25, .25, .25, .25]


def test_an_error_that_is_nan_counts_as_no_improvement():
    optimizer = two_groups()
    rates(optimizer, optim.ReduceOnPlateau(optimizer, factor=0.5, patience=2), 2,
          [float("nan")] * 2)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_linear_decay_keeps_the_rate_and_then_aims_at_zero():
    optimizer = two_groups()
    history = [rate for rate, _ in rates(optimizer, optim.LinearDecay(optimizer, 10, flat=0.4), 10)]
    # From 40 % on, a line from 1 to 0 at the end of epoch 10, read in the middle of each epoch:
    # 5.5/6, 4.5/6, ...
    assert history == pytest.approx([1, 1, 1, 5.5 / 6, 4.5 / 6, 3.5 / 6, 2.5 / 6, 1.5 / 6, 0.5 / 6,
                                     0])


@pytest.mark.parametrize("make", [lambda o: optim.StepLR(o, 3, 0.5),
                                  lambda o: optim.MultiStepLR(o, [2, 5], 0.5),
                                  lambda o: optim.LinearDecay(o, 8)])
def test_a_schedule_goes_on_where_it_was(make):
    straight = two_groups()
    expected = rates(straight, make(straight), 8)
    first = two_groups()
    schedule = make(first)
    rates(first, schedule, 3)
    second = two_groups()
    second.load_state_dict(first.state_dict())
    resumed = make(second)
    resumed.load_state_dict(json.loads(json.dumps(schedule.state_dict())))
    assert rates(second, resumed, 5) == expected[3:]


def test_a_plateau_goes_on_where_it_was():
    optimizer = two_groups()
    schedule = optim.ReduceOnPlateau(optimizer, factor=0.5, patience=3)
    rates(optimizer, schedule, 3, [5, 5, 5])
    resumed = optim.ReduceOnPlateau(optimizer, factor=0.5, patience=3)
    resumed.load_state_dict(schedule.state_dict())
    assert rates(optimizer, resumed, 1, [6])[0][0] == 0.5
