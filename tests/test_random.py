"""Random numbers: seeds, keys, states."""
import json
import threading

import numpy as np
import pytest

import minialex as ma
import minialex.functional as F
from minialex.random import (
    first_row,
    frozen_randomness,
    host_generator,
    parts_of_batch,
    random_key,
    random_state,
    set_random_state,
)


def test_a_seed_gives_the_same_numbers_again():
    draws = []
    for seed in (1, 1, 2):
        ma.manual_seed(seed)
        draws.append((host_generator().random(3).tolist(), random_key()))
    assert draws[0] == draws[1] != draws[2]


def test_keys_fill_64_bits():
    keys = [random_key() for _ in range(400)]
    assert all(isinstance(key, int) and 0 <= key < 1 << 64
               for key in keys) and len(set(keys)) == 400
    for bit in range(64):
        assert 100 < sum(key >> bit & 1 for key in keys) < 300


@pytest.mark.parametrize("threads", [1, 3])
def test_a_dropout_mask_follows_from_the_seed_alone(monkeypatch, threads):
    monkeypatch.setenv("MINIALEX_THREADS", str(threads))
    ma.manual_seed(3)
    key = random_key()
    drawn = np.random.Generator(np.random.Philox(key=key)).random((300, 501), dtype=np.float32)
    ma.manual_seed(3)
    x = ma.Tensor(np.full((300, 501), 2.0), requires_grad=True)
    y = F.dropout(x, 0.25)
    y.backward(np.full(x.shape, 3.0))
    np.testing.assert_array_equal(y.data, 2 / 0.75 * (drawn >= 0.25))
    np.testing.assert_array_equal(x.grad, 3 / 0.75 * (drawn >= 0.25))


def test_frozen_randomness_repeats_itself_and_leaves_no_trace():
    ma.manual_seed(5)
    expected = [host_generator().random(2).tolist() for _ in range(2)]
    ma.manual_seed(5)
    seen = [host_generator().random(2).tolist()]
    with pytest.raises(ZeroDivisionError):
        with frozen_randomness() as restart:
            inside = [host_generator().random(4).tolist()]
            with frozen_randomness():
                host_generator().random(9)
            restart()
            inside.append(host_generator().random(4).tolist())
            raise ZeroDivisionError
    seen.append(host_generator().random(2).tolist())
    assert inside[0] == inside[1] and seen == expected


def test_the_random_state_goes_through_a_checkpoint():
    state = json.loads(json.dumps(random_state()))
    first = host_generator().random(3).tolist()
    set_random_state(state)
    assert host_generator().random(3).tolist() == first


def test_a_part_belongs_to_the_thread_that_works_on_it():
    inside, looked = threading.Event(), threading.Event()

    def work():
        for _ in parts_of_batch([slice(4, 6)]):
            inside.set()
            assert looked.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    seen = first_row()
    outer = parts_of_batch([slice(1, 2)])
    next(outer)
    looked.set()
    thread.join()
    outer.close()
    assert (seen, first_row()) == (0, 0)


def test_a_seed_forgets_the_part_that_an_error_left():
    left = parts_of_batch([slice(7, 9)])
    next(left)
    assert first_row() == 7
    ma.manual_seed(3)
    assert first_row() == 0
    left.close()
