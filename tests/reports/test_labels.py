"""Labels from a file, for flat folders: the tables that publishers put beside them, and what can be
wrong with one."""

import json

import numpy as np
import pytest
from cases import TRAIN, command, refused
from PIL import Image

from minialex import data
from minialex.data.packing import pack
from minialex.errors import UserError

COUNT = 8  # pictures; the even ones are cats, the odd ones dogs


def classes_of(pictures):
    return {name.replace("\\", "/"): pictures.classes[label]
            for name, label in zip(pictures.names, pictures.labels.tolist())}


def write(path, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(number).normal((60, 90, 200) if number % 2 else (220, 160, 40),
                                                 20, (40, 40, 3))
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(path)


@pytest.fixture
def flat(tmp_path):
    for number in range(COUNT):
        write(tmp_path / "flat" / f"{number:02d}.png", number)
    return tmp_path / "flat"


def table(row, head="", separator="\n"):
    return head + separator.join(row.format(n=f"{n:02d}", c="dog" if n % 2 else "cat")
                                 for n in range(COUNT)) + separator


def shuffled(row, head=""):
    """The same rows in another order; k counts them, d is a class's number."""
    rows = [row.format(k=k, n=f"{n:02d}", c="dog" if n % 2 else "cat", d=n % 2, cat=not n % 2,
                       dog=bool(n % 2)) for k, n in enumerate((3, 1, 4, 0, 5, 7, 2, 6))]
    return "\n".join([head] * bool(head) + rows) + "\n"


TABLES = {
    "picture, class": table("{n}.png,{c}"),
    "Kaggle's dog breeds": table("{n},{c}", "id,breed\n"),
    "semicolons": table("{n}.png;{c}", "file;what it is\n"),
    "Excel's first line": table("{n}.png;{c}", "sep=;\nfile;class\n"),
    "tabs": table("{n}.png\t{c}"),
    "blanks": table("{n}.png {c}"),
    "CRLF": table("{n}.png,{c}", "image,label\r\n", "\r\n"),
    "a byte-order mark": "\ufeff" + table("{n}.png,{c}", "image,label\n"),
    "quotes": table('"{n}.png","{c}"', '"image","label"\n'),
    "blanks around": table(" {n}.png , {c} ", "image, label\n"),
    "the class first": table("{c},{n}.png"),
    "the class first, with names": table("{c},{n}.png", "label,filename\n"),
    "pandas' index": table("1,{n}.png,{c}", ",filename,class\n"),
    "many columns": table("{n}.png,3,4,{c},x", "filename,width,height,class,licence\n"),
    "a column for each class": table("{n}.png,{c}", "filename, cat, dog\n").replace(
    ",cat", ",1,0").replace(",dog", ",0,1"),
    "a column for each class, floats": "image,dog,cat,owl\n" + "".join(
        f"{n:02d},{n % 2}.0,{1 - n % 2}.0,0.0\n" for n in range(COUNT)),
    "traffic signs": table("40,40,{c},flat/{n}.png", "Width,Height,ClassId,Path\n"),
    "lesions": table("HAM_1,{n},{c},histo,80.0", "lesion_id,image_id,dx,dx_type,age\n"),
    "COCO's names": table("1,{n}.png,1,{c}", "index,file_name,category_id,category_name\n"),
    "boxes": table("{n}.png\t{c}\t0\t32\t44\t62"),
    "the folder in front": table("flat/{n}.png,{c}"),
    "another's absolute path": table("/home/author/data/flat/{n}.png,{c}"),
    "a dot and backslashes": table(".\\flat\\{n}.png,{c}"),
    "another ending": table("{n}.JPEG,{c}"),
    "empty lines": "\n" + table("{n}.png,{c}\n"),
    "pandas' index, a count that names pictures, too": shuffled("{k},{n},{c}", ",image,label"),
    "the same, read and written once more": shuffled("{k:02d},{n},{c}", "Unnamed: 0,id,species"),
    "an index without a header": shuffled("{k},{n}.png,{c}"),
    "classes that are numbers of pictures behind them": shuffled("{d},train/{n}.png,{c}",
                                                                 "class id,filepaths,labels"),
    "columns of True and False": shuffled("{n}.png,{cat},{dog}", "image,cat,dog"),
    "columns of 0 and 1 behind an index": shuffled("{k},{n}.png,{cat:d},{dog:d}", ",image,cat,dog"),
    "columns of 0 and 1 in front": shuffled("{cat:d},{dog:d},{n}.png", "cat,dog,image"),
    "columns of 0 and 1 beside others": shuffled("{n}.png,{k}9,{dog:d},{cat:d}",
                                                 "image,age,dog,cat"),
    "bars": shuffled("{n}.png|{c}", "image|label"),
    "a comma within quotes behind a blank": shuffled('{n}.png, "a, b", {c}',
                                                     "image, caption, label"),
    "a line's end within quotes": shuffled('{n}.png,"a\nb",{c}', "image,caption,label"),
    "empty cells": shuffled("{n}.png,{c},,", "image,label,,") + ",,,\n",
    "JSON, a line each": shuffled('{{"file_name": "{n}.png", "label": "{c}"}}'),
    "JSON, a list": "[" + shuffled('{{"id": {k}, "image": '
                                   '"{n}.png", "class": "{c}"}},').rstrip(",\n") + "]",
    "JSON, by picture": "{" + shuffled('"{n}.png": "{c}",').rstrip(",\n") + "}",
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
def test_tables(tmp_path, flat, name, coding):
    (tmp_path / "labels.csv").write_bytes(TABLES[name].encode(coding))
    train, val = data.open_data(flat, labels=tmp_path / "labels.csv", report=None)
    assert train.classes == ["cat", "dog"] and train.problems == []
    assert classes_of(train) | classes_of(val) == {f"{n:02d}.png": "dog" if n % 2 else "cat"
                                                   for n in range(COUNT)}
    assert (len(train), len(val)) == (6, 2)


@pytest.mark.parametrize("text", ["[1, 2]", "[]", "{}",
                                  '{"images": [{"id": 1}], "annotations": []}', '{"a": 1}\n{"b"',
                                  '[{"image": "00.png"}]', "[" * 5000, '00.png,cat\n"01.png,dog\n',
                                  '00.png,"cat" or dog\n', "|\n|\n", '[[["00.png"]]]'])
def test_no_table_is_one_sentence(tmp_path, flat, text):
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(UserError) as caught:
        data.open_data(flat, labels=tmp_path / "labels.json", report=None)
    assert "labels.json" in str(caught.value) and "\n" not in str(caught.value)


def test_names_with_accents_in_either_spelling_are_the_same_picture(tmp_path, flat):
    """macOS writes e and an accent as two code points, a spreadsheet as one."""
    spellings = ("e\u0301", "\u00e9")
    for number in range(COUNT):
        (flat / f"{number:02d}.png").rename(flat / f"{spellings[number // 4]}{number:02d}.png")
    for accent in spellings:
        (tmp_path / "labels.csv").write_text(table(accent + "{n}.png,{c}"), "utf-8")
        train, val = data.open_data(flat, labels=tmp_path / "labels.csv", report=None)
        assert {name[-6:]: label for name, label in (classes_of(train) | classes_of(
            val)).items()} == {f"{n:02d}.png": "dog" if n % 2 else "cat" for n in range(COUNT)}


def test_image_nets_boxes(tmp_path, flat):
    rows = "".join(f"{n:02d},n0175174{8 + n % 2} 44 55 {n} 9 n01751748 1 2 3 4\n"
                   for n in range(COUNT))
    (tmp_path / "LOC.csv").write_text("ImageId,PredictionString\n" + rows)
    assert data.open_data(flat, labels=tmp_path / "LOC.csv",
                          report=None)[0].classes == ["n01751748", "n01751749"]


def problems(flat, text, **options):
    (flat.parent / "labels.csv").write_text(text)
    train, _ = data.open_data(flat, labels=flat.parent / "labels.csv", report=None, **options)
    return train, [(path.rpartition("labels.csv")[2], reason) for path, reason in train.problems]


@pytest.mark.parametrize(("extra", "line", "reason", "stops"), [
    ("99.png,cat", ":9", "there is no picture 99.png in", False),
    ("00.png,cat", ":9", "line 1 names the picture 00.png already", False),
    ("00.png,dog", ":9", "it calls 00.png dog, line 1 calls it cat: the picture is left out", True),
    ("00.png,", ":9", "no picture, or not one class", False),
    (",cat", ":9", "no picture, or not one class", False),
    ("00.png", ":9", "no picture, or not one class", False),
])
def test_a_line_that_cannot_be_used_is_one_line_with_its_number(flat, extra, line, reason, stops):
    train, told = problems(flat, table("{n}.png,{c}") + extra + "\n")
    (where, why), = told
    assert where == line and reason in why
    assert len(train) == (6 if not stops else 5)
    if stops:
        with pytest.raises(UserError, match="--strict: .*labels.csv:9"):
            problems(flat, table("{n}.png,{c}") + extra + "\n", strict=True)


def test_a_class_in_two_spellings_is_one(flat):
    """Letters with accents have one code point or two; no row is lost, and none contradicts the
    other."""
    spellings = ("cat", "K\u00e4fer", "cat", "Ka\u0308fer")
    rows = [f"{number:02d}.png,{spellings[number % 4]}\n" for number in range(COUNT)]
    train, told = problems(flat, "".join([*rows, f"01.png,{spellings[3]}\n"]))
    assert train.classes == ["K\u00e4fer", "cat"] and len(train) == 6
    assert [reason for _, reason in told] == ["line 2 names the picture 01.png already"]


def test_pictures_without_a_label_are_counted_in_one_line(flat):
    _, told = problems(flat,
                       "".join(f"{n:02d}.png,{'dog' if n % 2 else 'cat'}\n" for n in range(5)))
    (_, reason), = told
    assert "names no class for 3 of the pictures" in reason


@pytest.mark.parametrize(("content", "sentence"), [
    (b"", "names no classes: write a picture, a comma and its class"),
    (b"a.png,cat\nb.png,dog\n", "names no picture that lies in .*flat, such as a.png in line 1"),
    (b"\xff\x00\x01\x02", "no text in UTF-8 or UTF-16"),
    (b"00.png,K\xe4fer\n", "no text in UTF-8 or UTF-16"),
    (b"00.png,cat\0\n", "no text in UTF-8 or UTF-16"),
    (b"00.png,cat\n01.png,cat\n", r"names one class only \(cat\)"),
    (None, "cannot read the file .*labels.csv: No such file"),
])
def test_files_that_are_no_labels(flat, content, sentence):
    if content is not None:
        (flat.parent / "labels.csv").write_bytes(content)
    with pytest.raises(UserError, match=sentence) as caught:
        data.open_data(flat, labels=flat.parent / "labels.csv", report=None)
    assert "\n" not in str(caught.value)


def test_labels_belong_to_a_folder(flat):
    with pytest.raises(UserError, match="give their folder with --data"):
        data.open_data(None, "", labels="labels.csv")


def test_one_name_in_two_folders_needs_its_folder(tmp_path):
    for number, name in enumerate(("a/1.png", "a/2.png", "b/1.png", "b/2.png")):
        write(tmp_path / "in" / name, number)
    (tmp_path
     / "labels.csv").write_text("1.png,cat\na/1.png,cat\na/2.png,cat\nb/1.png,dog\nb/2.png,dog\n")
    train, val = data.open_data(tmp_path / "in", labels=tmp_path / "labels.csv", report=None)
    assert classes_of(train) | classes_of(val) == {"a/1.png": "cat", "a/2.png": "cat",
                                                   "b/1.png": "dog", "b/2.png": "dog"}
    assert "may be a/1.png or b/1.png: add the folder" in train.problems[0][1]


def test_train_and_test_with_the_same_names(tmp_path):
    """CIFAR-10 at Kaggle: trainLabels.csv speaks of train/1.png, and test/1.png is another
    picture."""
    for part in ("train", "test"):
        for number in range(COUNT):
            write(tmp_path / part / f"{number:02d}.png", number)
    (tmp_path / "trainLabels.csv").write_text(table("{n},{c}", "id,label\n"))
    train, val = data.open_data(tmp_path, labels=tmp_path / "trainLabels.csv", report=None)
    assert all(name.startswith("train")
               for name in train.names + val.names) and len(train) + len(val) == COUNT


def test_parts_are_divided_by_their_folders(tmp_path):
    for part in ("train", "val"):
        for number in range(COUNT):
            write(tmp_path / part / f"{part}{number:02d}.png", number)
    (tmp_path / "all.csv").write_text(table("train{n}.png,{c}") + table("val/val{n}.png,{c}"))
    train, val = data.open_data(tmp_path, labels=tmp_path / "all.csv", report=None)
    assert (len(train), len(val), train.problems) == (COUNT, COUNT, [])


@pytest.fixture
def tiny_imagenet(tmp_path):
    root, ids = tmp_path / "tiny-imagenet-200", ("n01443537", "n01629819")
    for number in range(COUNT):
        write(root / "train" / ids[number % 2] / "images" / f"{number}.png", number)
        write(root / "val" / "images" / f"val_{number}.png", number)
        write(root / "test" / "images" / f"test_{number}.png", number)
    rows = [f"val_{number}.png\t{ids[number % 2]}\t0\t32\t44\t62\n" for number in range(COUNT)]
    (root / "val" / "val_annotations.txt").write_text("".join(rows))
    (root / "words.txt").write_text("n01443537\tgoldfish, "
                                    "Carassius auratus\nn01629819\tfire salamander\n")
    return root


def test_tiny_imagenet_is_found_as_it_is_published(tiny_imagenet):
    train, val = data.open_data(tiny_imagenet, report=None)
    assert (len(train), len(val)) == (COUNT, COUNT) and train.classes == ["n01443537", "n01629819"]
    assert val.labels.tolist() == [0] * 4 + [1] * 4
    assert [reason for _, reason in train.problems] == ["it lies beside train/ and is not used"]


def test_a_class_of_the_labels_that_train_does_not_have(tiny_imagenet):
    with open(tiny_imagenet / "val" / "val_annotations.txt", "a") as file:
        file.write("val_9.png\tn00000001\t1\t2\t3\t4\n")
    write(tiny_imagenet / "val" / "images" / "val_9.png")
    told = dict(data.open_data(tiny_imagenet, report=None)[0].problems)
    line = str(tiny_imagenet / "val" / "val_annotations.txt") + ":9"
    assert "train has no pictures of this class; its pictures (1) are left out" in told[line]


def test_a_published_table_that_contradicts_itself_is_a_sentence(tiny_imagenet):
    rows = "".join(f"val_{number}.png\t{name}\n" for number in range(COUNT)
                   for name in ("n01443537", "n01629819"))
    (tiny_imagenet / "val" / "val_annotations.txt").write_text(rows)
    with pytest.raises(UserError, match="val_annotations.txt calls every picture by several"):
        data.open_data(tiny_imagenet, report=None)


def test_imagenet_from_kaggle(tmp_path):
    root, ids = tmp_path / "ILSVRC" / "Data" / "CLS-LOC", ("n01440764", "n01443537")
    for number in range(COUNT):
        write(root / "train" / ids[number % 2] / f"{number}.png", number)
        write(root / "val" / f"ILSVRC2012_val_{number:08d}.png", number)
    rows = "".join(f"ILSVRC2012_val_{n:08d},{ids[n % 2]} 1 2 3 4 \n" for n in range(COUNT))
    (tmp_path / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + rows)
    train, val = data.open_data(root, report=None)
    assert (len(train), len(val)) == (COUNT, COUNT) and classes_of(val)[
        "val/ILSVRC2012_val_00000001.png"] == ids[1]


def test_labels_for_the_validation_pictures_alone(tmp_path):
    for number in range(COUNT):
        write(tmp_path / "in" / "train" / ("dog" if number % 2 else "cat") / f"{number}.png",
              number)
        write(tmp_path / "in" / "val" / f"{number:02d}.png", number)
    (tmp_path / "val.csv").write_text(table("{n}.png,{c}"))
    train, val = data.open_data(tmp_path / "in", labels=tmp_path / "val.csv", report=None)
    assert (len(train), len(val), train.problems) == (COUNT, COUNT, [])


def test_packed(tmp_path, flat):
    (tmp_path / "labels.csv").write_text(table("{n}.png,{c}") + "99.png,cat\n")
    pack(flat, tmp_path / "packed", 36, progress=False, report=None, labels=tmp_path / "labels.csv")
    here = data.open_data(flat, labels=tmp_path / "labels.csv", size=36, report=None)
    there = data.open_data(tmp_path / "packed", size=36, report=None)
    assert [classes_of(part) for part in here] == [classes_of(part) for part in there]
    assert here[0].problems == there[0].problems
    (tmp_path / "labels.csv").write_text(table("{n}.png,{c}").replace("00.png,cat", "00.png,dog"))
    with pytest.raises(UserError, match="was packed with other classes"):
        data.open_data(tmp_path / "packed", labels=tmp_path / "labels.csv", size=36)


@pytest.mark.long
def test_commands(tmp_path, flat):
    """train, dry run, evaluate on the run's pictures and on others, resume, pack; then the labels
    change."""
    labels, run = tmp_path / "labels.csv", tmp_path / "run"
    labels.write_text(table("{n},{c}", "id,breed\n"))
    given = ["--data", "flat", "--labels", "labels.csv"]
    done = command(*TRAIN, *given, "--out", "run", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0 and not run.exists()
    done = command(*TRAIN, *given, "--out", "run", cwd=tmp_path)
    assert done.returncode == 0 and "2 classes (cat, dog), 6 pictures to train on, 2 to validate" in done.stdout, done.stderr  # noqa: E501
    assert json.loads((run / "config.json").read_text())["settings"]["labels"] == str(labels)
    done = command("evaluate", run, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["results"][0]["pictures"] == 2
    done = command("evaluate", run, *given, "--part", "all", "--json", cwd=tmp_path)
    assert done.returncode == 0 and json.loads(done.stdout)["results"][0]["pictures"] == COUNT
    assert command("train", "--resume", run).returncode == 0
    assert command("pack", "flat", "packed", "--size", "36", "--labels", "labels.csv",
                   cwd=tmp_path).returncode == 0
    assert refused(command("train", *given[:2], "--variant", "lenet5", cwd=tmp_path))
    labels.write_text(labels.read_text().replace("00,cat", "00,dog"))
    done = command("train", "--resume", run)
    assert refused(done) and "changed" in done.stderr


# rows by number: a column that divides the pictures; what becomes training, validation and test
# pictures
SPLITS = {
    "train, val, test": (["train"] * 4 + ["val", "val", "test", "test"], (4, 2, 2)),
    "other words": (["Training"] * 4 + ["VALID"] * 2 + ["testing"] * 2, (4, 2, 2)),
    "no validation": (["train"] * 6 + ["test"] * 2, (4, 2, 2)),
    "no test": (["train"] * 6 + ["validation"] * 2, (6, 2, 0)),
}


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("head",
                         ["filename,split,class", "id,data set,what it is", "Set,image_id,label"])
def test_a_column_of_parts_divides_the_pictures(tmp_path, flat, name, head):
    column, (train_count, val_count, test_count) = SPLITS[name]
    row = "{1},{0},{2}" if head.startswith("Set") else "{0},{1},{2}"
    rows = [row.format(f"{n:02d}.png", part, "dog" if n % 2 else "cat")
            for n, part in enumerate(column)]
    (tmp_path / "labels.csv").write_text("\n".join([head, *rows]))
    train, val = data.open_data(flat, labels=tmp_path / "labels.csv", report=None)
    assert (len(train), len(val)) == (train_count, val_count) and train.classes == ["cat", "dog"]
    assert [reason for _, reason in train.problems] == ["it calls 2 pictures test; "
                                                        "they are not used"] * (test_count > 0)
    if "val" in "".join(column).lower():
        assert val.names == [f"{n:02d}.png" for n in sorted(range(COUNT), key=lambda n: n % 2)
                             if column[n][:1] in "vV"]
    whole = data.open_whole(flat, labels=tmp_path / "labels.csv", size=9, report=None)
    assert sorted(picture.name for picture in whole if picture.part
                  == "test") == [f"{n:02d}.png" for n in range(COUNT - test_count, COUNT)]
    pack(flat, tmp_path / "packed", 36, progress=False, report=None, labels=tmp_path / "labels.csv")
    packed = data.open_data(tmp_path / "packed", size=36, report=None)
    assert [part.names for part in packed] == [train.names, val.names]


@pytest.mark.parametrize(("cells", "line", "reason"), [
    (["train"] * 5 + ["val", "val", "extra"], ":9", "its split is none of train, val and test; the "
     "picture is left out"), (["train"] * 5 + ["val", "val", ""], ":9",
                              "its split is none of train, val and test; the picture is left out"),
    (["0", "1"] * 4, ":1", "its column split says neither train nor val nor test; it is not used")])
def test_a_column_of_parts_that_is_not_used_is_said(flat, cells, line, reason):
    rows = [f"{n:02d}.png,{'dog' if n % 2 else 'cat'},{cell}\n" for n, cell in enumerate(cells)]
    _, told = problems(flat, "file,class,split\n" + "".join(rows))
    assert told == [(line, reason)]


def test_a_column_called_set_that_names_no_parts_is_one_of_many(flat):
    rows = [f"{n:02d}.png,{n // 4},{'dog' if n % 2 else 'cat'}\n" for n in range(COUNT)]
    train, told = problems(flat, "image,set,class\n" + "".join(rows))
    assert train.classes == ["cat", "dog"] and told == []


def test_a_picture_of_two_parts_is_left_out(flat):
    rows = [f"{n:02d}.png,{'dog' if n % 2 else 'cat'},train\n" for n in range(COUNT)]
    _, told = problems(flat,
                       "file,class,split\n" + "".join(rows) + "00.png,cat,val\n07.png,dog,val\n")
    used = [name for part in data.open_data(flat, labels=flat.parent / "labels.csv", report=None)
            for name in part.names]
    assert sorted(used) == [f"{n:02d}.png" for n in range(1, COUNT - 1)]
    assert told[0] == (":10", "it calls 00.png cat for val, line 2 calls it cat for train: "
                       "the picture is left out")
