"""benchmarks/step.py: every side computes what minialex computes, and one that does not, or is not
there, is left out."""
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from short import first

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
OPTIONS = {"batch": 2, "variant": "lenet5", "classes": 10, "device": "cpu", "forward": False,
           "threads": 1, "input": 32, "channels": 1, "tf32": False}
PAPER = OPTIONS | {"batch": 1, "variant": "paper", "input": 227, "channels": 3}
LIBRARIES = {"torch": "torch", "tensorflow": "tensorflow", "jax": "jax"}


@pytest.fixture
def step(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import step

    yield step
    for name in ("step", "sides"):
        sys.modules.pop(name, None)


def losses(step, name, options):
    side = step.Side(name, options)
    side.close()
    assert side.unavailable is None
    return side.losses


@pytest.mark.parametrize("peer, options",
                         first(1, [("torch", OPTIONS), ("torch-channels-last", OPTIONS),
                                   ("torch-norm", PAPER), ("tensorflow", PAPER), ("jax", PAPER)]))
def test_three_steps_of_a_peer_are_minialexs(step, peer, options):
    library = LIBRARIES[peer.partition("-")[0]]
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    ours = losses(step, "minialex", options)
    assert max(ours) - min(ours) > 1e-3 * max(
        ours), "nothing was learnt: equal losses would prove little"
    np.testing.assert_allclose(losses(step, peer, options), ours, rtol=1e-4)


def test_a_peer_that_computes_something_else_is_left_out(step, monkeypatch):
    """Two other learning rates: the first loss agrees, the others do not."""
    monkeypatch.setattr(step.Side, "read", answer := (lambda side: {"description": side.name,
                                                                    "losses": [2.3, 2.2, 2.1]}))
    ours = step.Side("minialex", OPTIONS)
    monkeypatch.setattr(step.Side, "read",
                        lambda side: answer(side) | {"losses": [2.3, 2.2, 2.1003]})
    wrong = step.Side("minialex", OPTIONS)
    wrong.check(ours)
    assert wrong.unavailable == ("its losses [2.3, 2.2, 2.1003] are not minialex's [2.3, 2.2, "
                                 "2.1]: it computes something else.")
    assert wrong.process.poll() is not None, "its process has ended"
    ours.check(ours)
    assert ours.unavailable is None
    ours.close()


def test_a_peer_that_is_not_installed_is_left_out_with_the_reason(step, monkeypatch):
    import sides

    monkeypatch.setitem(sides.SIDES, "other", ("surely_not_installed", "Side", {}))
    with pytest.raises(sides.Unavailable, match="surely_not_installed is not installed: "
                       "pip install surely_not_installed"):
        sides.make("other", OPTIONS)
    with pytest.raises(sides.Unavailable, match="only compared on the CPU"):
        sides.make("jax", OPTIONS | {"device": "cuda"})


def test_a_peer_that_lacks_a_layer_is_left_out_with_the_reason(step):
    pytest.importorskip("torch")
    side = step.Side("torch", PAPER | {"variant": "krizhevsky", "input": 224})
    assert side.unavailable.startswith("PyTorch's side has no LocalResponseNorm by towers, "
                                       "MapResponseNorm, ZeroPad2d")


def test_peers_are_named(step, capsys, monkeypatch):
    assert step.peer_names("none") == [] and step.peer_names("torch,jax") == ["torch", "jax"]
    assert set(step.peer_names("all")) == set(step.SIDES) - {"minialex"}
    monkeypatch.setattr(sys, "argv", ["step.py", "--peers", "torch,caffe"])
    with pytest.raises(SystemExit) as stopped:
        step.main()
    assert stopped.value.code == 2 and "there is no peer caffe" in capsys.readouterr().err


def test_the_table_has_a_line_for_every_side(step, monkeypatch, capsys):
    monkeypatch.setattr(step, "product_seconds", lambda *args: 0.001)
    monkeypatch.setattr(sys, "argv",
                        ["step.py", "--variant", "lenet5", "--batch", "2", "--rounds", "1",
                         "--steps", "1", "--threads", "1", "--peers", "none", "--json"])
    step.main()
    answer = json.loads(capsys.readouterr().out)
    assert [r["side"] for r in answer["results"]] == ["minialex"] and answer["left_out"] == {}
    assert answer["results"][0]["images_per_second"] > 0 and len(
        answer["results"][0]["losses"]) == 3
