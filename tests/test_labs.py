"""The experiments behind the lessons: a killed one goes on, what is concluded is computed right,
mistakes are one line."""
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lessons.labs import __main__ as labs  # noqa: E402
from lessons.labs import bench, results  # noqa: E402
from minialex.errors import UserError  # noqa: E402

ARMS = ("without", "with")


@pytest.fixture
def tiny(monkeypatch):
    """A lab that trains nothing: (the module, the seeds that it was asked to measure)."""
    asked = []

    def measure(pictures, seed):
        asked.append((pictures.name, seed))
        for shift, arm in enumerate(ARMS):
            yield {"arm": arm, "train_top1": 1.0, "top1": 10.0 + seed - shift, "top5": 2.0,
                   "loss": 0.5}

    lab = types.SimpleNamespace(__doc__="A lab.", SEEDS=3, SETTING="nothing, for 0 epochs",
                                PAPER="paper: nothing", measure=measure, ARMS=dict.fromkeys(ARMS),
                                COMPARE=[("with", "without", "top1")])
    monkeypatch.setattr(labs, "load", lambda name: lab)
    monkeypatch.setattr(bench, "open_pictures",
                        lambda folder: types.SimpleNamespace(name=folder or "built-in"))
    return lab, asked


def silent(*_, **__):
    pass


def test_a_killed_lab_goes_on_with_what_the_csv_lacks(tiny, tmp_path, monkeypatch):
    lab, asked = tiny
    whole = lab.measure

    def killed(pictures, seed):
        rows = whole(pictures, seed)
        yield next(rows)
        if seed == 1:
            raise KeyboardInterrupt
        yield from rows

    monkeypatch.setattr(lab, "measure", killed)
    with pytest.raises(KeyboardInterrupt):
        labs.run("tiny", out=tmp_path, say=silent)
    # never half a seed
    assert {row["seed"] for row in results.read(tmp_path / "tiny.csv", lab.SETTING)} == {0}
    monkeypatch.setattr(lab, "measure", whole)
    asked.clear()
    rows = labs.run("tiny", out=tmp_path, say=silent)
    assert asked == [("built-in", 1), ("built-in", 2)]
    assert len(rows) == 6 and (tmp_path / "tiny.png").stat().st_size > 5000
    before = (tmp_path / "tiny.csv").read_bytes()
    labs.run("tiny", folder="photographs", seeds=1, out=tmp_path, say=silent)
    after = (tmp_path / "tiny.csv").read_bytes()
    assert after.startswith(before) and b"photographs,0,with" in after


def test_a_csv_of_another_setting_is_not_added_to(tiny, tmp_path):
    lab, _ = tiny
    labs.run("tiny", seeds=1, out=tmp_path, say=silent)
    lab.SETTING = "something else"
    with pytest.raises(UserError, match="measured with another setting .nothing, "
                       "for 0 epochs.*--out"):
        labs.run("tiny", seeds=2, out=tmp_path, say=silent)


def test_the_interval_is_the_textbook_s():
    """Against NumPy's standard deviation and a table of t; pairs, so a seed that is hard for both
    does not widen it."""
    ours, theirs = {0: 9.0, 1: 24.0, 2: 50.0, 3: 2.5}, {0: 10.0, 1: 26.0, 2: 51.5, 3: 3.0, 4: 99.0}
    mean, half = results.paired(ours, theirs)
    differences = np.array([-1.0, -2.0, -1.5, -0.5])
    assert mean == differences.mean() and half == pytest.approx(3.182 * differences.std(ddof=1) / 2)
    assert results.sentence(mean, half) == "lower" and results.sentence(-mean, half) == "higher"
    assert results.sentence(0.5, 0.6) == "no difference could be seen"
    assert results.sentence(*results.paired({0: 1.0}, {0: 2.0})) == "one seed: nothing can be said"


def test_t_values_agree_with_simulation():
    """97.5 % of Student's t with 4 degrees of freedom, from 400,000 samples of five normal
    numbers."""
    x = np.random.default_rng(0).standard_normal((400_000, 5))
    t = x.mean(axis=1) / (x.std(axis=1, ddof=1) / 5**0.5)
    assert np.quantile(np.abs(t), 0.95) == pytest.approx(results.T[3], rel=0.01)


def test_epochs_to_the_goal():
    rows = [{"arm": "relu", "seed": seed, "epoch": epoch, "train_top1": error}
            for seed, errors in enumerate([[60, 25, 30, 20], [60, 50, 40, 30]])
            for epoch, error in enumerate(errors, 1)]
    assert results.epochs_to(rows, 25.0, 4) == {"relu": {0: 2, 1: 5}}


def test_errors_by_hand():
    answers = np.array([[0.5, 0.2, 0.1, 0.1, 0.06, 0.04], [0.04, 0.06, 0.1, 0.1, 0.2, 0.5],
                        [0.1, 0.3, 0.2, 0.2, 0.15, 0.05]])
    found = bench.errors(answers, np.array([0, 0, 2]))
    assert found["top1"] == pytest.approx(200 / 3) and found["top5"] == pytest.approx(100 / 3)
    assert found["loss"] == pytest.approx(-np.log([0.5, 0.04, 0.2]).mean())


def test_crops_are_crops_and_a_seed_is_the_same_training_twice():
    pictures = bench.draw_pictures(4, 2, classes=6)
    images, labels, val, val_labels, _ = pictures.choose(seed=1, per_class=3)
    assert images.shape == (18, 3, 35, 35) and np.bincount(labels).tolist() == [3] * 6 and abs(
        images.std() - 1) < 1e-3
    one = bench.crops(images[:1], np.random.default_rng(0))[0]
    windows = [images[0, :, r:r + 31, c:c + 31] for r in range(5) for c in range(5)]
    assert any(np.array_equal(one, view) for window in windows
               for view in (window, window[:, :, ::-1]))

    def trained():
        bench.ma.manual_seed(1)
        return bench.probabilities(bench.train(bench.network(6), images, labels, 1, epochs=1), val)

    assert np.array_equal(trained(), trained())


def test_after_each_step_a_training_may_be_looked_at_and_stopped():
    pictures = bench.draw_pictures(8, 1, classes=6)
    images, labels, *_ = pictures.choose(seed=0, per_class=8)
    seen = []
    bench.train(bench.network(6, convolutions=bench.PAPERS), images, labels, 0, epochs=9,
                after_step=lambda step, net: seen.append(step) or step == 3)
    assert seen == [1, 2, 3]


def test_a_seed_draws_its_own_pictures(monkeypatch):
    """Other pictures for each seed, not the same ones in another order, and the same again for the
    same seed."""
    asked, draw_pictures = [], bench.draw_pictures
    monkeypatch.setattr(bench, "draw_pictures", lambda *args,
                        seed: asked.append(seed) or draw_pictures(*args, seed=seed))
    fresh = bench.FreshPictures(val_per_class=1)
    one, again, other = (fresh.choose(seed, per_class=2) for seed in (0, 0, 1))
    assert asked[0] == asked[1] != asked[2]
    assert np.array_equal(one[0], again[0]) and np.array_equal(one[2], again[2])
    assert not np.array_equal(one[0], other[0]) and not np.array_equal(one[2], other[2])


def test_a_ratio_and_its_interval_are_symmetrical():
    """Half and twice are equally far from once, and the interval of the inverse is the inverse of
    the interval."""
    ours, theirs = {0: 10.0, 1: 40.0, 2: 30.0}, {0: 20.0, 1: 20.0, 2: 30.0}
    times, low, high = results.ratio(ours, theirs)
    assert times == pytest.approx(1) and low * high == pytest.approx(1) and low < 0.5
    back = results.ratio({0: 6.0, 1: 5.0}, {0: 3.0, 1: 2.0})
    assert results.ratio({0: 3.0, 1: 2.0},
                         {0: 6.0, 1: 5.0}) == pytest.approx((1 / back[0], 1 / back[2], 1 / back[1]))


def test_the_sign_test_counts_coins():
    """Against all falls of eight coins; ties count for neither side."""
    falls = np.array([bin(number).count("1") for number in range(2**8)])
    for lower in range(9):
        as_uneven = np.mean(np.abs(falls - 4) >= abs(lower - 4))
        assert results.sign_test(lower, 8 - lower) == pytest.approx(as_uneven)
    assert results.signs({0: 1, 1: 2, 2: 5},
                         {0: 2, 1: 3, 2: 5}) == "lower in 2 seeds, higher in 0, sign test p = 0.5"


def test_what_is_detectable_is_found_four_times_in_five():
    """Simulated: eight differences of normal numbers whose true mean is as large as `detectable`
    says."""
    random = np.random.default_rng(0)
    truth = results.detectable(results.T[6] / 8**0.5)
    x = random.standard_normal((40_000, 8)) + truth
    found = np.abs(x.mean(axis=1)) > results.T[6] * x.std(axis=1, ddof=1) / 8**0.5
    assert found.mean() == pytest.approx(0.8, abs=0.05)


def test_several_processes_measure_what_one_does(tmp_path):
    """The same bytes in the CSV, the seeds in their order. The lab is a module of its own, as those
    are."""
    (tmp_path / "tiny_lab.py").write_text('"""Tiny."""\n' "from lessons.labs import race\nfrom "
                                          "lessons.labs.race import *\nrace.PER_CLASS, race.MOST, "
                                          "race.EVERY = 6, 4, 2\n")
    program = ("import sys; from lessons.labs import __main__ as labs; import tiny_lab; "
               "labs.load = lambda name: tiny_lab\nsys.exit(labs.main(['race', '--seeds', "
               "'2', '--processes', *sys.argv[1:]]))")
    written = []
    for count in ("1", "2"):
        done = subprocess.run([sys.executable, "-c", program, count, "--out",
                               str(tmp_path / count)], cwd=ROOT,
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"})
        assert done.returncode == 0, done.stderr
        written.append((tmp_path / count / "race.csv").read_bytes())
    assert written[0] == written[1] and written[0].count(b"\n") == 2 + 2 * 2 * 2


@pytest.mark.parametrize("name", [name for name in labs.LABS if hasattr(labs.load(name), "grid")])
def test_the_rates_that_count_were_the_best_on_other_seeds(name):
    lab = labs.load(name)
    rows = results.read(results.FOLDER / f"{name}-rates.csv", lab.SETTING)
    assert not set(lab.GRID_SEEDS) & set(range(lab.SEEDS))
    for pictures in lab.SETS:
        here = [row for row in rows if row["pictures"] == pictures]
        assert {row["seed"] for row in here} == set(lab.GRID_SEEDS)
        assert lab.best_rates(here) == lab.RATES
    counted = results.read(results.FOLDER / f"{name}.csv")
    assert {(row["arm"], row["lr"]) for row in counted} == set(lab.RATES.items())


@pytest.mark.parametrize("name", labs.LABS)
def test_every_committed_result_belongs_to_its_lab(name):
    """The CSV was measured with the setting that the lab has now, all seeds of it, and the README
    quotes its figures."""
    lab = labs.load(name)
    rows = results.read(results.FOLDER / f"{name}.csv", lab.SETTING)
    readme = (results.FOLDER.parent / "README.md").read_text(encoding="utf-8")
    for pictures in getattr(lab, "SETS", ("built-in", "caltech20")):
        here = [row for row in rows if row["pictures"] == pictures]
        assert {row["seed"] for row in here} == set(range(lab.SEEDS)), pictures
        assert {row["arm"] for row in here} == set(lab.ARMS)
        for ours, theirs, error in getattr(lab, "COMPARE", ()):
            mean, half = results.paired(*(results.by_arm(here, error)[arm]
                                          for arm in (ours, theirs)))
            assert f"{mean:+.2f} ± {half:.2f}".replace("-", "−") in readme, (pictures, ours, error)
        for goal in lab.GOALS if hasattr(lab, "SETS") and hasattr(lab, "GOALS") else ():
            found = results.epochs_to(here, goal, lab.MOST, lab.UNIT)
            times, low, high = results.ratio(found["tanh"], found["relu"])
            assert f"{times:.2f} ({low:.2f} to {high:.2f})" in readme, (pictures, goal)
    assert (results.FOLDER / f"{name}.png").exists()


def test_a_wrong_name_is_one_line_and_status_2(capsys):
    assert labs.main(["colour"]) == 2
    assert capsys.readouterr().err.startswith("python -m lessons.labs: there is no lab 'colour': "
                                              "choose one of activations")
    assert labs.main([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in labs.LABS)
