"""Top-1 and top-5."""

import numpy as np
import pytest

from minialex.evaluation.metrics import Tally, rank


def test_rank_is_the_place_in_the_sorted_list():
    random = np.random.default_rng(0)
    # with many ties
    logits, labels = random.integers(0, 4, (200, 7)).astype(np.float32), random.integers(0, 7, 200)
    order = np.argsort(-logits, axis=1, kind="stable")
    assert (rank(logits, labels) == (order == labels[:, None]).argmax(axis=1)).all()


def test_equal_outputs_are_right_only_for_the_first_class():
    assert rank(np.zeros((3, 3), np.float32), np.arange(3)).tolist() == [0, 1, 2]


def test_nan_is_never_right():
    logits = np.array([[np.nan, 0, 1], [0, np.nan, 1], [np.nan] * 3], np.float32)
    assert (rank(logits, np.array([0, 2, 0])) > 0).tolist() == [True, True, True]


def test_tally_weighs_batches_by_their_pictures():
    tally = Tally()
    tally.add(np.float32(1.0), np.eye(6, dtype=np.float32), np.arange(6))  # six hits
    # one in the top 5
    tally.add(np.float32(4.0), np.array([[5, 4, 3, 2, 1, 0]] * 2, np.float32), np.array([4, 5]))
    assert tally.fetch() == pytest.approx(((6 * 1 + 2 * 4) / 8, 6 / 8, 7 / 8))


def test_tally_goes_on_from_its_state():
    whole, first = Tally(), Tally()
    random = np.random.default_rng(0)
    batches = [(np.float32(0.1 * i), random.random((4, 3), np.float32), np.array([0, 1, 2, 0]))
               for i in range(5)]
    for batch in batches:
        whole.add(*batch)
    for batch in batches[:2]:
        first.add(*batch)
    second = Tally(**first.state())
    for batch in batches[2:]:
        second.add(*batch)
    assert second.state() == whole.state()
