"""--resume RUN --epochs MORE: a run that was finished, or stopped, goes on to another end."""

import json
import shutil
import signal

import pytest
from short import first
from small_runs import Listener

from minialex.cli import train as command
from minialex.errors import UserError
from minialex.training import Interrupted, run
from minialex.training.checkpoint import load


def outcome(path):
    """What must be the same: the metrics and the weights."""
    return (path / "metrics.csv").read_bytes(), weights(path)


def weights(path):
    return {name: array.tobytes() for name, array in load(path / "checkpoint-last.npz")[0].items()}


@pytest.mark.parametrize("schedule", first(1, [{"milestones": "2,4"}, {"schedule": "constant"},
                                               {"schedule": "plateau"}]))
def test_three_epochs_and_three_more_are_six(train, schedule, tmp_path):
    whole, _ = train("whole", epochs=6, val_images=15, **schedule)
    part, _ = train("part", epochs=3, val_images=15, **schedule)
    run({"resume": str(part), "epochs": 6}, Listener())
    assert outcome(part) == outcome(whole)
    assert json.loads((part / "config.json").read_text())["settings"]["epochs"] == 6
    run({"resume": str(part)}, Listener())  # is finished, and knows it
    assert outcome(part) == outcome(whole)


@pytest.mark.long
def test_where_only_the_last_validation_is_whole_the_old_last_one_stays(train):
    """The weights are the same, and so are the metrics but for the validation of epoch 3, which
    looked at all 15 pictures."""
    whole, _ = train("whole", epochs=6, schedule="constant")
    part, _ = train("part", epochs=3, schedule="constant")
    run({"resume": str(part), "epochs": 6}, Listener())
    assert weights(part) == weights(whole)
    ours, theirs = ((path / "metrics.csv").read_text().splitlines() for path in (part, whole))
    assert [number for number, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b] == [3]
    assert ours[3].split(",")[:4] == theirs[3].split(",")[:4]


def test_a_stop_on_the_longer_way_changes_nothing(train, tmp_path):
    whole, _ = train("whole", epochs=4, schedule="plateau", val_images=15)
    part, _ = train("part", epochs=2, schedule="plateau", val_images=15)
    with pytest.raises(Interrupted):
        run({"resume": str(part), "epochs": 4},
            Listener(lambda done: signal.raise_signal(signal.SIGINT) if done == 6 else None))
    run({"resume": str(part)}, Listener())
    assert outcome(part) == outcome(whole)


@pytest.mark.parametrize("schedule, rates", [
    # the line from 40 % of 6 epochs to 0: 1 - (e + 1/2)/6 over 0.6, e = 3, 4, 5; steps: after 4 and
    # 5 of 6
    ("linear", ["0.0347222", "0.0208333", "0.00694444"]), ("steps", ["0.05", "0.005", "0.0005"])])
def test_parts_of_all_epochs_are_those_of_the_new_number_from_there_on(train, schedule, rates):
    part, _ = train("part", epochs=3, schedule=schedule)
    before = (part / "metrics.csv").read_text().splitlines()
    listener = Listener()
    run({"resume": str(part), "epochs": 6}, listener)
    after = (part / "metrics.csv").read_text().splitlines()
    assert after[:4] == before and [line.split(",")[1] for line in after[4:]] == rates
    said = " ".join(listener.text.split())
    assert (f"the schedule {schedule} is from here on that of 6 epochs instead of 3: "
            "lr goes from" in said)


def test_fewer_epochs_than_are_over_is_a_sentence(train):
    part, _ = train("part", epochs=3)
    kept = (part / "config.json").read_bytes()
    for epochs in (1, 2):
        with pytest.raises(UserError, match="3 epochs behind it: "
                           f"--epochs {epochs} needs a larger number"):
            run({"resume": str(part), "epochs": epochs}, Listener())
    assert (part / "config.json").read_bytes() == kept


def test_a_dry_run_of_it_changes_nothing(train):
    part, _ = train("part", epochs=2)
    kept = {path.name: path.read_bytes() for path in part.iterdir()}
    listener = Listener()
    run({"resume": str(part), "epochs": 5, "dry_run": True}, listener)
    assert "after epoch 2 of 5" in listener.text and {path.name: path.read_bytes()
                                                      for path in part.iterdir()} == kept


@pytest.mark.long
def test_pictures_that_moved_are_found_later_too(train, pictures, tmp_path, capsys):
    import shutil

    from minialex.cli import evaluate
    shutil.copytree(pictures, tmp_path / "old")
    part, _ = train("part", epochs=1, data=str(tmp_path / "old"))
    (tmp_path / "old").rename(tmp_path / "new")
    assert command.main(["--resume", str(part), "--data", str(tmp_path / "new"), "--epochs",
                         "2"]) == 0
    assert evaluate.main([str(part), "--device", "cpu"]) == 0
    assert "15 validation pictures" in capsys.readouterr().out


@pytest.mark.parametrize("name, value", [("epochs", "3"), ("lr", None), ("crop", 1), ("seed", True),
                                         ("batch_size", -8)])
def test_a_setting_that_cannot_be_is_refused(finished, tmp_path, name, value):
    path = shutil.copytree(finished[0], tmp_path / "copy")
    config = json.loads((path / "config.json").read_text("utf-8"))
    config["settings"][name] = value
    (path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(UserError,
                       match=f"config.json is not that of a run: .*{name.replace('_', '.')} "):
        run({"resume": str(path)}, Listener())
