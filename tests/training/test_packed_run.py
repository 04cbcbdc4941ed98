"""A run from a pack gives the same bytes as one from the pictures, and either goes on where the
other stopped."""

import signal

import pytest
from small_runs import Listener

from minialex.data import PictureSet
from minialex.data.packing import pack
from minialex.training import Interrupted, run


@pytest.fixture
def packed(pictures, tmp_path):
    pack(pictures, tmp_path / "packed", size=36, progress=False)
    return str(tmp_path / "packed")


def test_the_same_metrics_and_weights(finished, packed, train):
    path, _ = finished
    ours, _ = train("ours", data=packed, epochs=4)
    assert (ours / "metrics.csv").read_bytes() == (path / "metrics.csv").read_bytes()


def test_a_run_goes_on_from_the_pack(finished, packed, train, tmp_path):
    path, _ = finished
    with pytest.raises(Interrupted):
        train("moved", lambda steps: signal.raise_signal(signal.SIGINT) if steps == 6 else None,
              epochs=4)
    run({"resume": str(tmp_path / "moved"), "data": packed}, Listener())
    assert (tmp_path / "moved" / "metrics.csv").read_bytes() == (path / "metrics.csv").read_bytes()


@pytest.mark.long
def test_who_should_pack_is_told(train, packed, monkeypatch):
    monkeypatch.setattr(PictureSet, "decodes_anew", True)
    for options, told in ({}, True), ({"data": packed}, False):
        _, listener = train(f"run-{told}", epochs=1, **options)
        assert ("python -m minialex.pack PICTURES PACK "
                "does that once" in " ".join(listener.text.split())) == told
