"""What classes are called: ImageNet's ids have names, and a list of classes may be in any coding
and order."""

import json
import pickle
import re

import numpy as np
import pytest
from cases import TRAIN, command, refused
from PIL import Image

from minialex.errors import UserError
from minialex.folders import names

IDS = ["n01440764", "n02012849", "n03126707"]  # a tench and two cranes, a bird and a machine


def shown(classes):
    return [names.shown(name) for name in classes]


def test_an_id_is_shown_by_its_name_and_stays_the_class():
    classes = names.named(IDS)
    assert classes == IDS and json.dumps(classes) == json.dumps(IDS)
    assert shown(classes) == ["tench", "crane (n02012849)", "crane (n03126707)"]
    assert shown(pickle.loads(pickle.dumps(classes))) == shown(classes)
    assert names.differing(classes) == dict(zip(IDS, shown(classes)))


def test_other_classes_are_shown_as_they_are():
    assert shown(names.named(["cat", "n0144", "dog"])) == [
        "cat", "n0144", "dog"] and names.differing(names.named(["cat"])) == {}


def test_the_thousand_of_imagenet():
    thousand = names.read_classes("imagenet")
    assert len(set(thousand)) == len(set(shown(thousand))) == 1000 and thousand == sorted(thousand)
    assert [shown(thousand)[number] for number in (0, 207, 281, 999)] == ["tench",
                                                                          "golden retriever",
                                                                          "tabby", "toilet tissue"]
    licence = (names.Path(names.__file__).with_name("WORDNET-LICENSE.txt")).read_text()
    assert ("WordNet 3.0 Copyright 2006 by Princeton University" in licence
            and "THIS SOFTWARE AND DATABASE IS PROVIDED" in licence)


LISTS = {
    "plain": "Leopards\nMotorbikes\nairplanes\n",
    "a byte-order mark and CRLF": "\ufeffLeopards\r\nMotorbikes\r\nairplanes\r\n",
    "blanks and empty lines": "  Leopards \n\nMotorbikes\t\nairplanes\n\n",
    "no end of line": "Leopards\nMotorbikes\nairplanes",
    "old Mac": "Leopards\rMotorbikes\rairplanes\r",
    "JSON list": '["Leopards", "Motorbikes", "airplanes"]',
    "JSON by number": '{"2": "airplanes", "0": "Leopards", "1": "Motorbikes"}',
    "Python dictionary": "{0: 'Leopards',\n 1: 'Motorbikes',\n 2: 'airplanes'}",
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_lists_of_classes(tmp_path, name, coding):
    (tmp_path / "names.txt").write_bytes(
        LISTS[name].removeprefix("\ufeff" * (coding == "utf-16")).encode(coding))
    assert names.read_classes(tmp_path / "names.txt") == ["Leopards", "Motorbikes", "airplanes"]


MAPPINGS = {
    "LOC_synset_mapping.txt": "n01440764 tench, Tinca tinca\nn02012849 crane\n",
    "words.txt": "n00001740\tentity\nn01440764\ttench, Tinca tinca\nn02012849\tcrane\n",
    "CSV": "id,name\nn01440764,tench\nn02012849,crane\n",
    "CSV in quotes": '"n01440764","tench, Tinca tinca"\n"n02012849","crane"\n',
    "semicolons": "n01440764;tench\nn02012849;crane\n",
    "JSON": '{"n01440764": "tench", "n02012849": "crane"}',
    "imagenet_class_index.json": '{"0": ["n01440764", "tench"], "134": ["n02012849", "crane"]}',
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_mappings(tmp_path, name):
    (tmp_path / "names").write_text("\ufeff" + MAPPINGS[name], encoding="utf-8")
    assert names.read_mapping(tmp_path / "names", IDS) == {"n01440764": "tench",
                                                           "n02012849": "crane"}
    assert names.read_classes(tmp_path / "names")[-1] == "n02012849" or name == "CSV"


def test_a_file_names_classes_of_any_kind(tmp_path):
    (tmp_path / "names.csv").write_text("0,Egyptian cat\n1,Labrador\n")
    assert shown(names.of_data(None, ["0", "1", "2"], tmp_path / "names.csv")) == ["Egyptian cat",
                                                                                   "Labrador", "2"]


@pytest.mark.parametrize("up", range(4))
def test_names_that_lie_beside_the_pictures(tmp_path, up):
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    place = [folder, *folder.parents][up]
    (place / "words.txt").write_text("n01440764\tSchleie\n")
    (tmp_path / "a" / "b" / "synset_words.txt").write_text("no ids in here\n")
    assert shown(names.of_data(folder, IDS))[0] == "Schleie"
    (tmp_path / "mine").write_text("n01440764 tanche\n")
    assert shown(names.of_data(folder, IDS, tmp_path / "mine"))[0] == "tanche"


def test_a_file_called_words_that_is_another_programs(tmp_path):
    (tmp_path / "words.txt").write_bytes(b"\xff\xfe\x00")
    assert shown(names.of_data(tmp_path, IDS))[0] == "tench"


@pytest.mark.parametrize(("content", "sentence"),
                         [(b"", "names none of the classes"),
                          (b"n99999999 nothing\n", r"names none of the classes \(n01440764, "
                           r"n02012849"), (b"{broken", "begins like JSON and is none"),
                          (b"\xff\xfe\x00", "no text in UTF-8 or UTF-16"), (None, "No such file")])
def test_files_that_name_nothing(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "names").write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        names.read_mapping(tmp_path / "names", IDS)


@pytest.fixture(scope="module")
def birds(tmp_path_factory):
    """A run on pictures of the three classes, and the folder in which they lie with a mapping."""
    place = tmp_path_factory.mktemp("names")
    for label, name in enumerate(IDS):
        for number in range(6):
            folder = place / "in" / name
            folder.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(number).normal(80 * label + 30, 15, (40, 40, 3))
            Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    (place / "words.txt").write_text("n01440764\tSchleie\n")
    done = command(*TRAIN, "--data", "in", "--out", "run", cwd=place)
    assert done.returncode == 0, done.stderr
    return place, done.stdout


def test_a_run_shows_names_and_keeps_ids(birds):
    place, said = birds
    config = json.loads((place / "run" / "config.json").read_text())
    assert config["classes"] == IDS and config["class_names"]["n01440764"] == "Schleie"
    assert "3 classes (Schleie, crane (n02012849), crane" in re.sub(r"\s+", " ", said)
    page = (place / "run" / "report.html").read_text()
    assert ">Schleie<" in page and ">n01440764<" not in page


@pytest.mark.long
def test_commands_show_names_and_json_has_both(birds):
    place, _ = birds
    said = command("evaluate", "run", cwd=place).stdout
    assert "\nSchleie " in said and "\nn01440764" not in said
    found = json.loads(command("evaluate", "run", "--json", cwd=place).stdout)
    assert [row["class"] for row in found["results"][0]["classes"]] == IDS and found["class_names"][
        "n01440764"] == "Schleie"
    assert "Schleie" in command("predict", "run", "in/n01440764/0.png", cwd=place).stdout
    (first, *_), = [entry["predictions"] for entry in json.loads(
        command("predict", "run", "in/n01440764/0.png", "--json", cwd=place).stdout)]
    assert first["class"] in IDS and first["name"] in ("Schleie", "crane (n02012849)",
                                                       "crane (n03126707)")
    head, row = command("predict", "run", "in/n01440764/0.png", "--csv", "-",
                        cwd=place).stdout.splitlines()[:2]
    assert head.endswith("name_1,name_2,name_3") and "Schleie" in row
    (place / "mine.txt").write_text("n01440764 tanche\n")
    assert "\ntanche " in command("evaluate", "run", "--class-names", "mine.txt", cwd=place).stdout
    assert refused(command("evaluate", "run", "--class-names", "nowhere.txt", cwd=place))


@pytest.mark.long
def test_a_list_in_another_order_or_coding_gives_the_same_result(birds):
    place, _ = birds
    assert command("export", "run", "w.npz", cwd=place).returncode == 0
    results = []
    for content in (None, "\ufeff" + "\r\n".join(IDS), "\n".join(IDS[::-1]),
                    "\n".join(f"{name} fish" for name in IDS[::-1])):
        if content:
            (place / "classes.txt").write_text(content, encoding="utf-8")
        done = command("evaluate", "w.npz", "--data", "in", "--json", "--out", "c.png", "--force",
                       *(["--classes", "classes.txt"] if content else []), cwd=place)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)["results"][0]
        results.append((found["top1"], found["loss"], [row["class"] for row in found["classes"]]))
    assert all(result == results[0] for result in results) and results[0][2] == IDS


def test_a_run_in_a_pack_has_the_names_of_its_pictures(birds):
    place, _ = birds
    assert command("pack", "in", "packed", "--size", "36", cwd=place).returncode == 0
    said = command(*TRAIN, "--data", "packed", "--out", "from-pack", "--dry-run", cwd=place).stdout
    assert "3 classes (Schleie, " in re.sub(r"\s+", " ", said)
