"""Which pictures evaluate, report and predict --patches take: what a run has learnt from never
counts as validation."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_runs import OPTIONS, Listener, leave_blank

from minialex import data
from minialex.cli import evaluate, predict, report
from minialex.data.packing import pack
from minialex.evaluation import classifier, held_out, seen
from minialex.training import run

pytestmark = pytest.mark.usefixtures("blank_pictures")
CLASSES = {"cat": (180, 60, 50), "dog": (20, 40, 110)}


def draw(folder, numbers, classes=CLASSES, seed=0):
    """Noisy squares folder/class/<number>.png, other ones for another seed."""
    for label, (name, colour) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            random = np.random.default_rng([seed, label, number])
            pixels = random.normal(colour, 30, (36, 36, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def train(out, **options):
    run(OPTIONS | {"epochs": 1, "out": str(out)} | options, Listener())
    return out


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Ten pictures of each class; a run with a fraction of 0.1 of them, one with 0.3, one of 3x5
    without a list."""
    root = tmp_path_factory.mktemp("world")
    draw(root / "pets", range(10))
    with pytest.MonkeyPatch.context() as patch:
        leave_blank(patch)
        train(root / "tenth", data=str(root / "pets"), val_fraction=0.1)
        train(root / "third", data=str(root / "pets"), val_fraction=0.3)
        train(root / "few", data=str(root / "pets"), subset="2x5")
    return root


@pytest.fixture
def copy(world, tmp_path):
    """A copy of all that, which a test may change; the runs' pictures are the copy's."""
    for name in ("pets", "tenth", "third", "few"):
        shutil.copytree(world / name, tmp_path / name)
    for name in ("tenth", "third", "few"):
        path = tmp_path / name / "config.json"
        path.write_text(path.read_text().replace(json.dumps(str(world / "pets"))[1:-1],
                                                 json.dumps(str(tmp_path / "pets"))[1:-1]))
    return tmp_path


def names(run, part):
    with open(run / "pictures.csv", newline="") as file:
        return {row["name"] for row in csv.DictReader(file) if row["part"] == part}


def scored(capsys, *arguments):
    """What evaluate says as JSON, and {run: names of the pictures it was scored by}."""
    table, picture = arguments[0].parent / "scored.csv", arguments[0].parent / "confusion.png"
    arguments = [*map(str, arguments), "--json", "--csv", str(table), "--out", str(picture),
                 "--device", "cpu"]
    assert evaluate.main(arguments) == 0
    found = {}
    with open(table, newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["run"].rpartition("/")[2],
                             set()).add("/".join(row["picture"].split("/")[-2:]))
    return json.loads(capsys.readouterr().out), found


def refused(capsys, command, *arguments):
    assert command.main([*map(str, arguments)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Traceback" not in said
    return said


@pytest.mark.parametrize("name, count", [("tenth", 2), ("third", 6), ("few", 2)])
@pytest.mark.parametrize("how", ["alone", "--data", "link", "moved", "packed", "without a list"])
def test_a_run_is_scored_by_the_pictures_that_it_held_out(copy, capsys, monkeypatch, name, count,
                                                          how):
    held_out, where = names(copy / name, "val"), copy / "pets"
    if how == "link":
        where = copy / "link"
        where.symlink_to(copy / "pets")
    elif how == "moved":
        where = copy / "elsewhere"
        (copy / "pets").rename(where)
    elif how == "packed":
        where = copy / "packed"
        pack(copy / "pets", where, size=36, report=None, progress=False)
    elif how == "without a list":
        (copy / name / "pictures.csv").unlink()
    monkeypatch.chdir(copy)
    arguments = [] if how in ("alone", "without a list") else ["--data", where.relative_to(copy)]
    found, by = scored(capsys, copy / name, *arguments)
    assert by == {name: held_out} and len(held_out) == count
    result = found["results"][0]
    assert (result["part"], result["pictures"], result["learnt_from"]) == ("val", count, 0)


def test_the_numbers_are_those_of_training(copy, capsys):
    last = list(csv.DictReader((copy / "third" / "metrics.csv").open()))[-1]
    result = scored(capsys, copy / "third", "--data", copy / "pets")[0]["results"][0]
    assert result["top1"] == pytest.approx(float(last["val_top1"]), abs=1e-6)
    assert result["loss"] == pytest.approx(float(last["val_loss"]), abs=1e-4)


def test_each_of_several_runs_by_its_own_and_their_mean_by_what_none_has_learnt_from(copy, capsys):
    found, by = scored(capsys, copy / "tenth", copy / "third")
    both = names(copy / "tenth", "val") & names(copy / "third", "val")
    assert by == {"tenth": names(copy / "tenth", "val"), "third": names(copy / "third", "val"),
                  "mean of the 2": both} and both
    assert f"the mean is over the {len(both)} pictures" in found["results"][-1]["notes"][0]


def test_no_mean_where_no_picture_is_new_to_all(copy, capsys):
    draw(copy / "others", range(10), seed=3)
    train(copy / "stranger", data=str(copy / "others"))
    found, by = scored(capsys, copy / "tenth", copy / "stranger")
    assert set(by) == {"tenth",
                       "stranger"} and "there is no mean" in found["results"][-1]["notes"][-1]


def test_pictures_added_since_are_told_and_move_nothing_across(copy, capsys):
    held_out = names(copy / "third", "val")
    draw(copy / "pets", range(100, 140))
    found, by = scored(capsys, copy / "third")
    assert by == {"third": held_out} and "80 pictures are new" in found["results"][0]["notes"][0]
    found, by = scored(capsys, copy / "third", "--part", "all")
    assert len(by["third"]) == 100 and found["results"][0]["learnt_from"] == 14
    assert report.main([str(copy / "third")]) == 0


def test_pictures_that_are_gone_are_told(copy, capsys):
    first = sorted(names(copy / "third", "val"))[0]
    (copy / "pets" / first).unlink()
    assert "1 of the 6 pictures" in scored(capsys, copy / "third")[0]["results"][0]["notes"][0]
    page = (copy / "third" / "report.html").read_bytes()
    assert "1 of the pictures" in refused(capsys, report, copy / "third")
    assert (copy / "third" / "report.html").read_bytes() == page


@pytest.mark.parametrize("gone", [0, 1])
def test_a_copy_of_a_picture_that_was_held_out_stands_for_no_other(copy, gone):
    """It made the number of missing pictures -1, and hid one that was gone."""
    before = held_out.of_run(copy / "third", list(CLASSES), 36)
    first, second, third, *_ = map(Path, before.paths)
    shutil.copy(first, first.with_name("00-copy.png"))  # sorts before the picture itself
    second.unlink() if gone else None
    third.rename(third.with_name("renamed.png"))
    after = held_out.of_run(copy / "third", list(CLASSES), 36)
    assert (len(after), after.missing) == (6 - gone, gone)
    assert after.names[0] == before.names[0] and any("1 pictures are new" in note
                                                     for note in after.notes)


@pytest.mark.parametrize("how", ["moved", "divided anew", "with others"])
def test_a_report_finds_pictures_that_have_moved(copy, capsys, how):
    """As evaluate does: by their content, and those that were learnt from never count."""
    (page := copy / "third" / "report.html").unlink()
    where = copy / "elsewhere"
    (copy / "pets").rename(where / "val" if how == "divided anew" and not where.mkdir() else where)
    if how == "divided anew":
        draw(where / "train", range(50, 55))
    elif how == "with others":
        draw(where, range(50, 55))
    assert "say with --data" in refused(capsys, report, copy / "third")
    assert report.main([str(copy / "third"), "--data", str(where), "--device", "cpu"]) == 0
    assert "on 6 pictures" in capsys.readouterr().out and page.exists()


@pytest.mark.parametrize("other", ["smaller", "others", "only what was learnt"])
def test_a_report_takes_no_other_pictures_for_those_that_moved(copy, capsys, other):
    (copy / "pets").rename(where := copy / "elsewhere")
    if other == "others":
        draw(where, range(10), seed=9)
    for name in names(copy / "third", "val"):
        if other == "smaller":
            Image.open(where / name).resize((18, 18)).save(where / name)
        elif other == "only what was learnt":
            (where / name).unlink()
    page = (copy / "third" / "report.html").read_bytes()
    assert "there is no folder" in refused(capsys, report, copy / "third", "--data", copy / "none")
    assert "the 6 pictures that" in refused(capsys, report, copy / "third", "--data", where)
    assert (copy / "third" / "report.html").read_bytes() == page


def test_each_file_is_read_once(copy, monkeypatch):
    """To know which pictures were learnt from, it was read three times."""
    paths, content = [], seen.content
    monkeypatch.setattr(seen, "content", lambda path: paths.append(str(path)) or content(path))
    held_out.of_run(copy / "third", list(CLASSES), 36)
    assert len(paths) == len(set(paths)) == 20


def test_an_old_run_whose_pictures_have_changed_does_not_guess(copy, capsys):
    (copy / "third" / "pictures.csv").unlink()
    draw(copy / "pets", [100])
    assert "keeps no list" in refused(capsys, evaluate, copy / "third")
    assert "keeps no list" in refused(capsys, report, copy / "third")
    result = scored(capsys, copy / "third", "--data", copy / "pets")[0]["results"][0]
    assert result["learnt_from"] is None and "some of these may be among them" in result["notes"][0]


@pytest.mark.parametrize("rename", [False, True])
def test_a_new_division_of_the_same_pictures_does_not_hide_what_was_learnt(copy, capsys, rename):
    learnt, other = names(copy / "third", "train"), copy / "other"
    for part, numbers in (("train", range(5)), ("val", range(5, 10))):
        for name in CLASSES:
            (other / part / name).mkdir(parents=True)
            for number in numbers:
                target = f"x{number + 50}.png" if rename else f"{number}.png"
                shutil.copy(copy / "pets" / name / f"{number}.png", other / part / name / target)
    found, by = scored(capsys, copy / "third", "--data", other)
    held_out = {f"{name.split('/')[0]}/x{int(name.split('/')[1][:-4]) + 50}.png" if rename else name
                for name in names(copy / "third", "val")}
    assert by == {"third": held_out} and len(learnt) == 14


def test_what_was_learnt_stays_out_of_a_collection_of_others(copy, capsys):
    other = draw(copy / "mixed", range(20, 40), seed=1)
    learnt = sorted(names(copy / "third", "train"))[0]
    shutil.copy(copy / "pets" / learnt, other / learnt.split("/")[0] / "again.png")
    found, by = scored(capsys, copy / "third", "--data", other)
    assert len(by["third"]) == 40 and not any("again" in name for name in by["third"])
    assert "1 pictures are left out" in found["results"][0]["notes"][0]
    found, by = scored(capsys, copy / "third", "--data", other, "--part", "all")
    assert len(by["third"]) == 41 and "has learnt from 1 of these" in found["results"][0]["notes"][
        0]


def test_the_same_names_with_other_pictures_are_other_pictures(copy, capsys):
    other = draw(copy / "same-names", range(10), seed=9)
    found, by = scored(capsys, copy / "third", "--data", other)
    assert len(by["third"]) == 20 and found["results"][0]["part"] == "all" and found["results"][0][
        "notes"] == []


@pytest.mark.parametrize("form", ["JPEG", "written anew", "larger"])
def test_what_was_learnt_is_known_in_another_size_and_format(copy, capsys, form):
    other = copy / "other"
    for path in sorted((copy / "pets").rglob("*.png")):
        target = other / path.relative_to(copy / "pets")
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            if form == "JPEG":
                image.save(target.with_suffix(".jpg"), quality=95)
            else:
                size = (72, 72) if form == "larger" else image.size
                image.resize(size).save(target, optimize=True)
    found, by = scored(capsys, copy / "third", "--data", other)
    assert {Path(name).with_suffix(".png").as_posix() for name in by["third"]} == names(
        copy / "third", "val")
    assert found["results"][0]["part"] == "val"


def test_only_what_was_learnt_is_refused_unless_asked_for(copy, capsys):
    only = copy / "learnt"
    for name in names(copy / "third", "train"):
        (only / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(copy / "pets" / name, only / name)
    assert "none is left to score" in refused(capsys, evaluate, copy / "third", "--data", only)
    for option in (["--train"], ["--part", "train"]):
        found, by = scored(capsys, copy / "third", "--data", only, *option)
        assert by["third"] == names(copy / "third",
                                    "train") and found["results"][0]["learnt_from"] == 14


@pytest.mark.parametrize("part, seeds", [(None, (5, 6, 7)), ("train", (5,)), ("val", (6,)),
                                         ("test", (7,)), ("all", (5, 6, 7))])
def test_a_folder_that_the_run_has_not_seen_is_scored_whole_or_by_part(copy, capsys, part, seeds):
    for name, seed in (("Training", 5), ("val", 6), ("test", 7)):
        draw(copy / "unseen" / name, range(seed, seed + 3), seed=seed)
    found, _ = scored(capsys, copy / "third", "--data", copy / "unseen",
                      *(["--part", part] if part else []))
    assert found["results"][0]["pictures"] == 6 * len(seeds) and found["results"][0]["part"] == (
        part or "all")


def test_a_test_folder_alone_one_class_alone_and_one_picture_alone(copy, capsys):
    draw(copy / "a" / "test", range(3), seed=5)
    assert scored(capsys, copy / "third", "--data", copy / "a")[0]["pictures"] == 6
    assert scored(capsys, copy / "third", "--data", copy / "a" / "test")[0]["pictures"] == 6
    assert "no part val" in refused(capsys, evaluate, copy / "third", "--data", copy / "a",
                                    "--part", "val")
    draw(copy / "b", [1], {"dog": CLASSES["dog"]}, seed=5)
    result = scored(capsys, copy / "third", "--data", copy / "b")[0]["results"][0]
    assert result["pictures"] == 1 and [row["pictures"] for row in result["classes"]] == [0, 1]


def test_a_class_that_the_network_does_not_know_is_one_sentence(copy, capsys):
    draw(copy / "c", [1], {"dog": CLASSES["dog"], "zebra": (9, 9, 9)}, seed=5)
    assert "these pictures are of 2 classes (dog, zebra)" in refused(capsys, evaluate,
                                                                     copy / "third", "--data",
                                                                     copy / "c")


def test_labels_are_matched_by_name(copy, capsys):
    """Of a network whose classes stand in another order, as other programs' may."""
    network = classifier.load(copy / "third")
    whole = data.open_whole(copy / "pets", size=network.size)
    chosen = held_out.choose("weights.pth", whole, ["dog", "cat"], None)
    assert chosen.labels.tolist() == [1] * 10 + [0] * 10 and chosen.learnt is None


def test_weights_do_not_say_what_they_learnt_from(copy, capsys):
    from minialex.cli import export
    assert export.main([str(copy / "third"), str(copy / "w.npz")]) == 0
    capsys.readouterr()
    result = scored(capsys, copy / "w.npz", "--data", copy / "pets")[0]["results"][0]
    assert result["pictures"] == 20 and result[
        "learnt_from"] is None and "does not say which" in result["notes"][0]
    inside = scored(capsys, copy / "third" / "checkpoint-last.npz", "--data",
                    copy / "pets")[0]["results"][0]
    assert inside["pictures"] == 6 and inside["learnt_from"] == 0


def test_what_the_initial_weights_have_learnt_from_counts_too(copy, capsys):
    train(copy / "second", data=str(copy / "pets"), val_fraction=0.5, init=str(copy / "third"))
    _, by = scored(capsys, copy / "second")
    assert by["second"] == names(copy / "third", "val") & names(copy / "second", "val")


@pytest.mark.parametrize("change", ["renamed", "added", "removed"])
def test_a_changed_list_of_classes_is_one_sentence_everywhere(copy, capsys, change):
    page = (copy / "third" / "report.html").read_bytes()
    if change == "renamed":
        (copy / "pets" / "cat").rename(copy / "pets" / "zebra")
    elif change == "added":
        draw(copy / "pets", range(10), {"zebra": (9, 9, 9)})
    else:
        draw(copy / "pets", range(10), {"cow": (9, 9, 9)})
        shutil.rmtree(copy / "pets" / "cat")
    from minialex.cli import train as command
    for what, arguments in ((evaluate, ()), (report, ()), (predict, ("--patches", "conv2:1"))):
        assert "have changed since" in refused(capsys, what, copy / "third", *arguments)
    assert "have changed since" in refused(capsys, command, "--resume", copy / "third")
    assert (copy / "third" / "report.html").read_bytes() == page


@pytest.mark.parametrize(("val", "count"), [("link", 8), ("copy", 8), ("some", 2), ("others", 0)])
def test_validation_pictures_that_are_also_learnt_from_are_told(tmp_path, val, count):
    """A val/ that is a link to train/, or a copy of it, makes every figure too good."""
    draw(tmp_path / "pets/train", range(4))
    if val == "link":
        (tmp_path / "pets/val").symlink_to("train")
    elif val == "copy":
        shutil.copytree(tmp_path / "pets/train", tmp_path / "pets/val")
    else:
        draw(tmp_path / "pets/val", range(4, 8))
        if val == "some":
            for name in CLASSES:
                shutil.copy(tmp_path / "pets/train" / name / "1.png",
                            tmp_path / "pets/val" / name / "6.png")
    listener = Listener()
    run(OPTIONS | {"epochs": 1, "out": str(tmp_path / "run"), "data": str(tmp_path / "pets")},
        listener)
    told = " ".join(listener.text.split())
    assert (f"{count} of the 8 validation pictures are also among those "
            "to train on" in told) == bool(count)
    found = held_out.of_run(tmp_path / "run", list(CLASSES), 36)
    assert any(f"{count} of these pictures are also" in note for note in found.notes) == bool(count)


def test_large_files_are_told_apart_by_three_parts(tmp_path):
    random = np.random.default_rng(0).integers(0, 256, 200_000).astype(np.uint8)
    found = set()
    for place in (None, 5, 100_005, 199_999):
        other = random.copy()
        if place is not None:
            other[place] ^= 1
        (tmp_path / "x").write_bytes(other.tobytes())
        found.add(seen.content(tmp_path / "x"))
    assert len(found) == 4 and seen.content(tmp_path / "nothing") == ""
