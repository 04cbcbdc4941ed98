"""python -m minialex.evaluate, from the command line's arguments to the numbers."""

import json

import numpy as np
import pytest

from minialex import data
from minialex.cli import evaluate
from minialex.data.transforms import ten_crops
from minialex.evaluation import classifier
from minialex.evaluation import evaluate as evaluating
from minialex.evaluation.metrics import Scores, ensemble
from minialex.evaluation.runs import rows_of, settings_of


def report(capsys, *arguments):
    assert evaluate.main([*map(str, arguments), "--json", "--device", "cpu"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_central_crop_gives_what_training_wrote_down(runs, capsys):
    """metrics.csv's last row and this come from two programs."""
    found = report(capsys, runs[0] / "checkpoint-last.npz", "--data",
                   json.loads((runs[0] / "config.json").read_text()) ["settings"]["data"], "--out",
                   runs[0] / "c.png")["results"][0]
    *_, loss, top1, _ = map(float,
                            (runs[0] / "metrics.csv").read_text().splitlines()[-1].split(","))
    assert abs(found["loss"] - loss) < 1e-4 and abs(found["top1"] - top1) < 1e-6
    assert sum(row["right"] for row in found["classes"]) == round(found["top1"] * 15)
    assert np.array(found["confusion"]).sum(axis=1).tolist() == [5, 5, 5]
    assert (runs[0] / "c.png").stat().st_size > 5000


def test_json_names_no_picture_that_could_not_be_drawn(runs, capsys, monkeypatch):
    def fails(*arguments):
        raise OSError(28, "No space left on device")

    assert report(capsys, runs[0])["confusion_matrix"].endswith(".png")
    monkeypatch.setattr(evaluating.plots, "confusion", fails)
    assert report(capsys, runs[0])["confusion_matrix"] is None


def test_ten_crops_are_the_mean_of_ten_softmaxes(runs, pictures):
    network = classifier.load(runs[0])
    _, val = data.open_folder(pictures, size=network.size)
    found = classifier.predict(network, val, ten=True)
    grey = np.stack([network.crops(val.planes(3), ten=True)])[0]
    one_by_one = [network.probabilities(grey[view : view + 1])[0] for view in range(10)]
    np.testing.assert_allclose(found.probabilities[3], np.mean(one_by_one, axis=0), atol=1e-6)
    assert len({view.tobytes() for view in grey}) == 10
    same = ten_crops(data.transforms.luminance(val.planes(3))[None], 32, network.statistics.mean,
                     network.factor)[0]
    np.testing.assert_array_equal(grey, same)


def test_an_ensemble_averages_probabilities(runs, capsys):
    found = report(capsys, *runs)
    assert [part["run"] for part in found["results"]] == [*map(str, runs), "mean of the 2"]
    a, b = np.array([[0.6, 0.4], [0.1, 0.9]]), np.array([[0.1, 0.9], [0.2, 0.8]])
    mean = ensemble([Scores(p, np.array([1, 1]), ["x", "y"], [0, 1]) for p in (a, b)])
    np.testing.assert_allclose(mean.probabilities, [[0.35, 0.65], [0.15, 0.85]])
    assert mean.top(1) == 1.0


def test_scores_by_hand():
    p = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1]])
    scores = Scores(p, np.array([0, 1, 2, 2]), ["a", "b", "c"], [0, 1, 2, 3])
    assert scores.confusion().tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]] and scores.top(
        1) == 0.5 and scores.top(2) == 0.75
    assert scores.loss == pytest.approx(-np.log([0.7, 0.3, 0.8, 0.1]).mean())
    rows = scores.by_class()
    assert rows[0] == {"class": "a", "pictures": 1, "right": 1, "recall": 1.0, "precision": 0.5,
                       "mistaken_for": None}
    assert rows[2]["mistaken_for"] == "b" and rows[1]["precision"] == 0.0
    sure = Scores(np.eye(3)[[0, 0, 0, 1, 2, 0]] * np.array([[0.99, 0.98, 0.97, 0.6, 0.7, 0.96]]).T,
                  np.array([0, 0, 0, 1, 2, 0]), ["a", "b", "c"], list(range(6)))
    right, _ = sure.by_confidence()
    assert sure.of_many_classes(right, 4) == [0, 4, 3, 1] and sure.of_many_classes(right,
                                                                                   9) == [0, 4, 3,
                                                                                          1, 2, 5]
    right, wrong = scores.by_confidence()
    assert right.tolist() == [2, 0] and wrong.tolist() == [3, 1]


def test_the_table_is_for_people(runs, capsys):
    assert evaluate.main([str(runs[0])]) == 0
    said = capsys.readouterr().out
    assert ("15 validation pictures, central crop" in said and "top-5" in said and "Äpfel" in said
            and "confusion matrix: " in said)


@pytest.mark.parametrize("arguments, said", [
    (["{missing}"], "there is no file or run"),
    (["{run}/checkpoint-last.npz"], "give them with --data DIR"),
    (["{run}", "--data", "{other}"], "these pictures are of 2 classes (cat, dog)"),
    (["{run}", "--classes", "{missing}"], "cannot read the class names"),
    (["{run}", "--data", "{missing}"], "there is no folder"),
    (["{run}/metrics.csv"], "in no format known here"),
])
def test_a_users_mistake_is_one_sentence_and_status_2(runs, pictures, tmp_path, capsys, arguments,
                                                      said):
    for name in ("cat", "dog"):
        (tmp_path / "other" / name).mkdir(parents=True)
        for number in range(2):
            source = next((pictures / "val" / "leaves").iterdir())
            (tmp_path / "other" / name / f"{number}.png").write_bytes(source.read_bytes())
    places = {"{missing}": str(tmp_path / "missing"), "{run}": str(runs[0]),
              "{other}": str(tmp_path / "other")}
    for placeholder, path in places.items():
        arguments = [argument.replace(placeholder, path) for argument in arguments]
    assert evaluate.main(arguments) == 2
    message = capsys.readouterr().err
    assert said in message and message.count("\n") == 1


def test_the_mark_that_an_editor_puts_before_a_file_changes_nothing(tmp_path):
    (tmp_path / "config.json").write_text('{"settings": {"seed": 3}}', "utf-8-sig")
    (tmp_path / "timing.csv").write_text(
        "epoch,train_seconds,train_images_per_second,val_seconds\n1,2,3,4\n", "utf-8-sig")
    assert settings_of(tmp_path) == {"seed": 3}
    assert rows_of(tmp_path / "timing.csv")[0]["epoch"] == 1
