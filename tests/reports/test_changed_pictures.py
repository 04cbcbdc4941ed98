"""Pictures that have another class now than when a run was trained on them; lists of classes."""

import shutil

import numpy as np
import pytest
from cases import TRAIN, command, contents, refused
from PIL import Image

from minialex import data
from minialex.evaluation import seen
from minialex.folders import names


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with class folders `in`, flat pictures `flat`, labels.csv, and runs on both."""
    place = tmp_path_factory.mktemp("changed")
    random = np.random.default_rng(0)
    rows = []
    (place / "flat").mkdir()
    for name in ("cat", "dog", "owl"):
        (place / "in" / name).mkdir(parents=True)
        for number in range(10):
            pixels = random.integers(0, 255, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / "in" / name / f"{number}.png")
            Image.fromarray(pixels).save(place / "flat" / f"{name[0]}{number}.png")
            rows.append(f"{name[0]}{number}.png,{name}\n")
    (place / "labels.csv").write_text("".join(rows))
    for run, *options in (("tree-run", "in"), ("table-run", "flat", "--labels", "labels.csv")):
        done = command(*TRAIN, "--data", *options, "--out", run, cwd=place)
        assert done.returncode == 0, done.stderr
    return place


def exchange(place):
    """Let cats be dogs, and dogs cats, by the folders and by the table."""
    (place / "in" / "cat").rename(place / "in" / "x")
    (place / "in" / "dog").rename(place / "in" / "cat")
    (place / "in" / "x").rename(place / "in" / "dog")
    text = (place / "labels.csv").read_text()
    text = text.replace(",cat", ",x").replace(",dog", ",cat").replace(",x", ",dog")
    (place / "labels.csv").write_text(text)


@pytest.mark.long
@pytest.mark.parametrize("run", ["tree-run", "table-run"])
def test_classes_that_were_exchanged(trained, tmp_path, run):
    """The report stays, a run does not go on, and evaluate says so; the names are all there."""
    place = tmp_path / "place"
    shutil.copytree(trained, place)
    config = place / run / "config.json"
    config.write_text(config.read_text().replace(str(trained), str(place)))
    before = command("report", run, cwd=place)
    assert before.returncode == 0, before.stderr
    page = contents(place / run)["report.html"]
    exchange(place)
    done = command("report", run, cwd=place)
    assert refused(done) and "4 of the pictures" in done.stderr and "another class" in done.stderr
    assert contents(place / run)["report.html"] == page
    done = command("evaluate", run, cwd=place)
    assert done.returncode == 0 and "4 of these pictures have another class now" in done.stdout
    done = command("train", "--resume", run, "--epochs", "2", cwd=place)
    assert refused(done) and "changed" in done.stderr
    exchange(place)
    assert command("report", run, cwd=place).returncode == 0


@pytest.mark.long
def test_a_run_by_a_table_goes_on_in_a_pack(trained, tmp_path):
    place = tmp_path / "place"
    shutil.copytree(trained, place)
    packed = command("pack", "flat", "pack", "--labels", "labels.csv", "--size", "36", cwd=place)
    assert packed.returncode == 0, packed.stderr
    done = command("train", "--resume", "table-run", "--data", "pack", "--epochs", "2", cwd=place)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.parametrize("change", ["gone", "moved"])
def test_pictures_that_are_no_longer_there(trained, tmp_path, change):
    place = tmp_path / "place"
    shutil.copytree(trained, place)
    config = place / "tree-run" / "config.json"
    config.write_text(config.read_text().replace(str(trained), str(place)))
    shutil.move(place / "in", place / "elsewhere") if change == "moved" else shutil.rmtree(
        place / "in")
    done = command("evaluate", "tree-run", cwd=place)
    assert refused(done) and "tree-run was trained on" in done.stderr and "--data" in done.stderr
    if change == "moved":
        assert command("evaluate", "tree-run", "--data", "elsewhere", cwd=place).returncode == 0


@pytest.mark.long
def test_a_run_without_checkpoints_says_so(trained, tmp_path):
    shutil.copytree(trained / "tree-run", tmp_path / "run")
    for path in (tmp_path / "run").glob("checkpoint-*"):
        path.unlink()
    done = command("train", "--resume", "run", cwd=tmp_path)
    assert refused(done) and "run has lost its checkpoints" in done.stderr


@pytest.mark.long
def test_pictures_of_the_test_part_are_not_new(tmp_path):
    for part in ("train", "val", "test"):
        for label, name in enumerate(("cat", "dog")):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(4):
                pixels = np.full((20, 20, 3), 60 * label + number + 9 * len(part), np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / name / f"{number}.png")
    done = command(*TRAIN, "--data", ".", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    Image.fromarray(np.full((20, 20, 3), 200, np.uint8)).save(tmp_path / "val" / "cat" / "9.png")
    done = command("evaluate", "run", cwd=tmp_path)
    assert "note: 1 pictures are new" in done.stdout, done.stdout


# ------------------------------------------------------------------------------------ at the start


def test_the_same_picture_in_two_classes_is_told(tmp_path):
    for name in ("cat", "dog", "cat - Copy"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(5):
            pixels = np.full((20, 20, 3), number * 9 + (100 if name == "dog" else 0), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / name / f"{number}.png")
    *_, told = seen.write(tmp_path, *data.open_data(tmp_path / "in", report=None), "he")
    assert told.startswith("5 pictures lie in several classes, such as ")


@pytest.mark.parametrize(("found", "told"), [
    (("Cat", "cat", "dog"), "Cat and cat"), (("red fox", "red-fox", "dog"), "red fox and red-fox"),
    (("cat", "dog"), None), (("cat_1", "cat_2"), None)])
def test_classes_that_differ_in_little_are_told(tmp_path, found, told):
    for number in range(4 * len(found)):
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.fromarray(np.full((20, 20, 3), number, np.uint8)).save(
            tmp_path / "in" / f"{number}.png")
    rows = [f'{number}.png,"{found[number % len(found)]}"\n' for number in range(4 * len(found))]
    (tmp_path / "labels.csv").write_text("".join(rows))
    pair = data.open_data(tmp_path / "in", labels=tmp_path / "labels.csv", report=None)
    said = seen.write(tmp_path, *pair, "he")
    assert said == ([f"{told} are 2 classes: if they are one, give them one name"] if told else [])


# ---------------------------------------------------------------------------------------- lists


NUMBERED = {
    "Teachable Machine": "0 Leopards\n1 Motorbikes\n2 airplanes\n",
    "from 1": "1 Leopards\n2 Motorbikes\n3 airplanes\n",
    "colons": "0: Leopards\n1: Motorbikes\n2: airplanes\n",
    "another order": "2,airplanes\n0,Leopards\n1,Motorbikes\n",
    "a header": "id,name\n0,Leopards\n1,Motorbikes\n2,airplanes\n",
    "a header, semicolons": "id;name\n2;airplanes\n0;Leopards\n1;Motorbikes\n",
    "tabs": "0\tLeopards\n1\tMotorbikes\n2\tairplanes\n",
    "class_to_idx": '{"airplanes": 2, "Motorbikes": 1, "Leopards": 0}',
    "class_indices in Python": "{'airplanes': 2, 'Leopards': 0, 'Motorbikes': 1}",
    "the number behind the name": "airplanes,2\nLeopards,0\nMotorbikes,1\n",
    "names with blanks": "0 Leopards\n1 Motorbikes\n2 airplanes\n",
}


@pytest.mark.parametrize("name", NUMBERED)
def test_numbers_in_a_list_of_classes_give_their_order(tmp_path, name):
    (tmp_path / "classes").write_text(NUMBERED[name])
    classes = names.read_classes(tmp_path / "classes")
    assert classes == ["Leopards", "Motorbikes", "airplanes"]
    assert [names.shown(each) for each in classes] == classes


@pytest.mark.parametrize("lines", [
    ["7 up", "8 ball"], ["1 euro", "2 euro"], ["0", "1", "2"], ["10 cent", "1 cent"],
    ["cat", "1 dog"], ["3d", "2d"]])
def test_numbers_that_belong_to_the_names_stay(tmp_path, lines):
    (tmp_path / "classes").write_text("\n".join(lines))
    assert names.read_classes(tmp_path / "classes") == lines
