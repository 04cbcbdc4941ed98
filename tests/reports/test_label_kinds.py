"""Tables as other programs write them: forms, missing values, parts, and what is said of it all."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from minialex import data
from minialex.errors import UserError

COUNT = 8


def class_of(number):
    return "dog" if number % 2 else "cat"


def write(root, *folders, name="{:02d}.png"):
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for n in range(COUNT):
            pixels = np.full((9, 9, 3), (number, n, 0), np.uint8)
            Image.fromarray(pixels).save(root / folder / name.format(n))
    return root


def table(row, head="", count=COUNT):
    rows = (row.format(n=n, i=f"{n:02d}", c=class_of(n)) for n in range(count))
    return head + "".join(line + "\n" for line in rows)


def opened(root, text, name="labels.csv"):
    """({file: class} of train, of val, [(line, reason)] of what is left out) by a table."""
    path = root.parent / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    train, val = data.open_data(root, labels=path, report=None)
    parts = [{file.replace("\\", "/"): part.classes[label]
              for file, label in zip(part.names, part.labels.tolist())} for part in (train, val)]
    return *parts, [(each.rpartition(name)[2], reason) for each, reason in train.problems]


ALL = {f"{n:02d}.png": class_of(n) for n in range(COUNT)}
NAMES = list(ALL)
FORMS = {
    "a list of one class": json.dumps({name: [label] for name, label in ALL.items()}),
    "pictures by class": json.dumps({c: [n for n in ALL if ALL[n] == c] for c in ("dog", "cat")}),
    "pairs": json.dumps(list(ALL.items())),
    "columns": json.dumps({"file": NAMES, "label": list(ALL.values())}),
    "columns by number, as pandas writes": json.dumps(
        {"file": dict(enumerate(NAMES)), "label": dict(enumerate(ALL.values()))}),
    "a comma, and a semicolon in each class": table("{i}.png,{c}; x"),
    "a comma, and a tab in each class": table("{i}.png,{c}\tx"),
    "Label Studio": table("/data/upload/1/{i}.png,{n},{c},1", "image,id,choice,annotator\n"),
    "heads of two words": table('"{i}.png","{n}","{c}"', '"File Name","Age","Class Name"\n'),
    "another case of the ending": table("{i}.Png,{c}"),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms(tmp_path, name):
    train, val, told = opened(write(tmp_path / "in", "."), FORMS[name])
    found = {file: re.split(r"[;\\]", label)[0] for file, label in (train | val).items()}
    assert found == ALL and told == [] and len(val) == 2


@pytest.mark.parametrize("names", ["img_{:02d}.jpg", "IMG_{:02d}.jpg"])
def test_names_in_another_case_are_the_same_picture(tmp_path, names):
    train, val, told = opened(write(tmp_path / "in", ".", name=names), table("Img_{i}.JPG,{c}"))
    assert len(train | val) == COUNT and told == []


def test_a_name_in_its_own_case_comes_first(tmp_path):
    root = write(write(tmp_path / "in", ".", name="a{:02d}.png"), ".", name="A{:02d}.png")
    if len(list(root.iterdir())) == COUNT:
        pytest.skip("this file system takes both for one")
    train, val, _ = opened(root, table("a{i}.png,{c}"))
    assert all(name.startswith("a") for name in train | val) and len(train | val) == COUNT


@pytest.mark.parametrize(("odd", "even", "classes"), [
    ("1 1 1", "2 2 1", {"1", "2"}), ("Boeing 707", "Boeing 717", {"Boeing 707", "Boeing 717"}),
    ("n01751748 0 32 44 62", "n01751749 0 2 4 6", {"n01751748", "n01751749"}),
    ("4 of 5", "A 300", {"4 of 5", "A 300"})])
def test_blanks_tell_numbers_apart_and_not_the_words_of_a_class(tmp_path, odd, even, classes):
    """Oxford pets' list.txt has four columns; a class of aircraft has two words."""
    rows = "".join(f"{n:02d} {odd if n % 2 else even}\n" for n in range(COUNT))
    train, *_ = opened(write(tmp_path / "in", "."), "# a remark\n" + rows)
    assert set(train.values()) == classes


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "<NA>", "#N/A", "null"])
def test_a_missing_value_is_no_class(tmp_path, missing):
    text = table("{i}.png,{c}", "file,label\n", 6) + f"06.png,{missing}\n07.png,{missing}\n"
    train, val, told = opened(write(tmp_path / "in", "."), text)
    assert set(train.values()) == {"cat", "dog"} and len(train | val) == 6
    assert [line for line, _ in told[:2]] == [":8", ":9"]


@pytest.mark.parametrize("form", [dict, list])
@pytest.mark.parametrize("missing", [None, float("nan"), {}, {"name": "cat"}, [["cat"]]])
def test_null_in_json_is_no_class(tmp_path, form, missing):
    labels = ALL | dict.fromkeys(NAMES[6:], missing)
    rows = labels if form is dict else [{"file": n, "label": c} for n, c in labels.items()]
    train, val, told = opened(write(tmp_path / "in", "."), json.dumps(rows), "labels.json")
    assert set(train.values()) == {"cat", "dog"} and len(train | val) == 6
    assert told[0][1] == "it names no picture, or not one class"


@pytest.mark.parametrize("form", [
    {"images": [{"id": 1, "file_name": "00.png"}], "annotations": [{"image_id": 1}]},
    {"00.png1": {"filename": "00.png", "file_attributes": {"label": "cat"}}},
    {"data": [{"file": "00.png", "label": "cat"}]}])
def test_nested_json_is_told_what_to_write(tmp_path, form):
    with pytest.raises(UserError, match="labels.json .*write a picture, a comma and its class"):
        opened(write(tmp_path / "in", "."), json.dumps(form), "labels.json")


# ---------------------------------------------------------------------------------------- parts


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_split_says_which_of_two_pictures_of_one_name_is_meant(tmp_path, part):
    """train/00.png and val/00.png, a table with a split and no folders."""
    rows = "".join(table("{i}.png,{c}," + each) for each in ("train", part))
    train, val, told = opened(write(tmp_path / "in", "train", part), "file,label,split\n" + rows)
    inside = [name for name in train | val if name.startswith("train/")]
    assert len(inside) == COUNT and len(val) == (COUNT if part == "val" else 2)
    assert all(label == ALL[name.rpartition("/")[2]] for name, label in (train | val).items())
    assert [reason for _, reason in told] == (
        [] if part == "val" else ["it calls 8 pictures test; they are not used"])


def test_a_part_that_the_table_does_not_name_is_told(tmp_path):
    _, val, told = opened(write(tmp_path / "in", "train", "val"), table("train/{i}.png,{c}"))
    assert len(val) == 2 and [reason for _, reason in told] == [
        "nothing says of which classes its pictures are; they are left out"]


@pytest.mark.parametrize("head", ["is_valid", "is_val", "is_test", "isTrain", "train"])
def test_a_column_that_says_yes_to_a_part_is_told(tmp_path, head):
    rows = "".join(f"{n:02d}.png,{class_of(n)},{n > 5}\n" for n in range(COUNT))
    *_, told = opened(write(tmp_path / "in", "."), f"file,label,{head}\n{rows}")
    (line, reason), = told
    assert line == ":1" and f"its column {head} divides the pictures" in reason


PUBLISHED = {
    "_classes.csv": "filename, cat, dog\n" + "".join(
        f"{n:02d}.png, {1 - n % 2}, {n % 2}\n" for n in range(COUNT)),
    "metadata.csv": table("{i}.png,{c}", "file_name,label\n"),
    "metadata.jsonl": "".join(
        json.dumps({"file_name": name, "label": label}) + "\n" for name, label in ALL.items())}


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("parts", ["train valid test", "train valid", "."])
def test_tables_that_lie_in_each_part_are_found(tmp_path, name, parts):
    """Roboflow's and Hugging Face's."""
    parts = parts.split()
    write(tmp_path / "in", *parts)
    for part in parts:
        (tmp_path / "in" / part / name).write_text(PUBLISHED[name])
    train, val = data.open_data(tmp_path / "in", report=None)
    assert train.classes == ["cat", "dog"]
    assert (len(train), len(val)) == ((COUNT, COUNT) if len(parts) > 1 else (6, 2))
    assert all(path.endswith("test") for path, _ in train.problems)
    whole = data.open_whole(tmp_path / "in", size=9, report=None)
    assert len(whole) == COUNT * len(parts) and {each.label for each in whole} == {"cat", "dog"}


# ---------------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(("text", "said"), [
    (table("{n}.jpeg,{c}"), "such as 0.jpeg in line 1; one there is called 00.png"),
    (table("{i}.png,cat") + table("{i}.png,dog"),
     "calls every picture by several classes, such as 00.png in lines 1 and 9"),
    (table("{i}.png,{n}.5", "file,age\n"), "gives each picture a class of its own, such as 0.5"),
    (table('{i}.png,"photo {n}"', "file_name,text\n"), "a class of its own, such as photo 0"),
    (table("{i}.png,1,1", "file,cat,dog\n"), "labels.csv:2 gives a picture several classes"),
    (table("{i}.png,1,-1", "file,cat,dog\n"), r"one class only \(cat\)"),
    (b"PK\3\4\0\0", "labels.csv: it is no text"),
])
def test_a_table_that_gives_no_classes_says_why(tmp_path, text, said):
    with pytest.raises(UserError, match=said) as caught:
        opened(write(tmp_path / "in", "."), text)
    assert "\n" not in str(caught.value)


SEVERAL = {  # {c}: cat or dog, {m}: for some both
    "a bar": ("{i}.png,{m}\n", "file,label\n", "cat|dog"),
    "a bar, never alone": ("{i}.png,{c}|x\n", "file,label\n", "cat|x"),
    "a semicolon": ("{i}.png,{m}\n", "file,label\n", "cat;dog"),
    "a comma": ('{i}.png,"{m}"\n', "file,label\n", "cat, dog"),
    "a blank": ("{i}.png,{m}\n", "file,label\n", "cat dog"),
    "Python's lists": ('{i}.png,"[\'{m}\']"\n', "file,label\n", "cat', 'dog"),
    "numbers": ("{i},{m}\n", "Id,Target\n", "16 0"),
    "Label Studio": ('{i}.png,"{{""choices"": [""cat"", ""dog""]}}"\n', "image,choice\n",
                     'choices": ["cat", "dog'),
    "columns": ("{i}.png,1,{b},{d}\n", "file,cat,dog,owl\n", "cat|owl"),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_classes_of_a_picture_are_told(tmp_path, name):
    """They became classes of their own without a word, or their pictures were left out."""
    row, text, both = SEVERAL[name]
    for n in range(COUNT):
        one = both.split()[n % 2] if name == "numbers" else class_of(n)
        text += row.format(i=f"{n:02d}", c=class_of(n), b=n % 2, d=1 - n % 2,
                           m=both if n % 3 == 0 else one)
    with pytest.raises(UserError, match=r"labels.csv:\d+ gives a picture several classes, "
                       fr"[\['\"{{]*{re.escape(both)}.* lines do, but a network") as caught:
        opened(write(tmp_path / "in", "."), text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("head, row", [
    ("Path,Sex,Age,No Finding,Edema,Fracture", "{i}.png,{c},{n},{b},-1.0,1.0"),
    ("image,age,cyst,stone,tumour,mass", "{i}.png,{c},{b},{d},0,1"),
])
def test_findings_behind_other_columns_are_told(tmp_path, head, row):
    """The first column beside the picture, such as the sex, was learnt instead."""
    text = head + "\n" + "".join(row.format(i=f"{n:02d}", n=n, b=float(n % 2), d=1 - n % 2,
                                            c=class_of(n)) + "\n"
                                 for n in range(COUNT))
    with pytest.raises(UserError, match=r"labels.csv:1 has columns that say yes or no, .*, .*, .*"
                       "none called label, .*: write it into a column called label"):
        opened(write(tmp_path / "in", "."), text)
    train, val, _ = opened(write(tmp_path / "b", "."), text.replace("Sex", "label").replace(
        "age", "label"))
    assert len(train | val) == COUNT


@pytest.mark.parametrize("form", [dict, list])
def test_several_classes_in_json_are_told(tmp_path, form):
    several = {name: [label, "owl"][:1 + n % 2] for n, (name, label) in enumerate(ALL.items())}
    rows = several if form is dict else [{"file": n, "labels": c} for n, c in several.items()]
    with pytest.raises(UserError, match=r"several classes, dog\|owl, as 4 of 8 lines do"):
        opened(write(tmp_path / "in", "."), json.dumps(rows), "labels.json")


@pytest.mark.parametrize("classes", [
    ("tench, Tinca tinca", "goldfish, Carassius auratus"), ("red car", "blue car"),
    ("cat; x", "dog; x"), ("St. Bernard", "Great Dane"), ("crane, bird", "crane, machine"),
    ("0.0", "1.0"), ("[cat]", "[dog]"), ("A 300", "A 310"), ("cat cat", "dog dog"),
    ("{cat}", "{dog}"), ("0 2", "4 6"), ("(0, 2)", "(0, 6)"), ("T shirt, top", "T shirt, long"),
    ("Tomato, healthy", "Potato, healthy")])
def test_a_class_of_several_words_is_one(tmp_path, classes):
    text = table("{i}.png,{c}", "file;label\n").replace(",", ";")
    text = text.replace("cat", f'"{classes[0]}"').replace("dog", f'"{classes[1]}"')
    train, val, told = opened(write(tmp_path / "in", "."), text)
    assert set(train.values()) == set(classes) and len(train | val) == COUNT and told == []


def test_a_class_may_be_called_as_two_others_together(tmp_path):
    """A few labels that are made of others are no sign that pictures have several classes."""
    names = ["sea", "lion", "sea lion", "hot", "owl", "dog", "cat"]
    text = "file,label\n" + "".join(f"{n:02d}.png,{names[n % 7]}\n" for n in range(COUNT))
    train, val, told = opened(write(tmp_path / "in", "."), text)
    assert {*train.values(), *val.values()} == set(names)
    assert not any("several" in said for _, said in told)


def test_a_column_of_flags_beside_one_hot_columns_leaves_its_rows_out_and_says_so(tmp_path):
    text = "file,cat,dog,blurred\n" + "".join(
        f"{n:02d}.png,{n % 2},{1 - n % 2},{int(n == 2)}\n" for n in range(COUNT))
    train, val, told = opened(write(tmp_path / "in", "."), text)
    assert len(train | val) == COUNT - 1
    assert told[0] == (":4", "it names no picture, or not one class")


OTHERS = {  # what says otherwise what is in pictures
    "COCO": (json.dumps({"info": {}, "images": [{"id": 1, "file_name": "00.png"}],
                         "annotations": [{"image_id": 1, "category_id": 3}], "categories": []}),
             "COCO's list of objects, several in a picture"),
    "ImageNet's devkit": ("490\n361\n171\n", "a number on each line, .* LOC_val_solution.csv"),
    "the same on Windows": ("490\r\n361\r\n171", "a number on each line"),
    "CVAT": ('<?xml version="1.0"?>\n<annotations><image name="00.png"/></annotations>', "XML"),
    "YOLO": ("0 0.5 0.51 .1 0.1\n1 0.5 0.5 1.0 0.1\n", "YOLO's boxes"),
    "Label Studio, all of it": (json.dumps([{"id": 1, "annotations": [{"id": 3, "result": [{}]}],
                                             "data": {"image": "00.png"}}]),
                                "Label Studio's JSON, which it also exports as CSV"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_table_of_classes_is_named(tmp_path, name):
    text, what = OTHERS[name]
    with pytest.raises(UserError, match=f"labels.csv is no table but {what}.*: write a picture, "
                       "a comma and its class on each line"):
        opened(write(tmp_path / "in", "."), text)


PLACES = {  # (what to open, folder of the pictures, the table, what it calls them)
    "around train": (".", "train", "train.csv", "{i}"), "with folders": (".", "train",
                                                                         "metadata.csv",
                                                                         "train/{i}.png"),
    "around the folder": ("train", "train", "labels.csv", "{i}.png"),
    "beside one folder": (".", "images", "list.json", "{i}.png"),
    "among the pictures": (".", ".", "annotations.tsv", "{i}.png"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_table_that_lies_beside_is_proposed(tmp_path, name):
    """And is right: with it the pictures can be learnt from."""
    root, folder, file, called = PLACES[name]
    write(tmp_path / "in", folder)
    rows = {called.format(i=f"{n:02d}"): class_of(n) for n in range(COUNT)}
    text = "file\tlabel\n" + "".join(f"{key}\t{label}\n" for key, label in rows.items())
    (tmp_path / "in" / file).write_text(json.dumps(rows) if file.endswith("json") else text)
    (tmp_path / "in" / "sample_submission.csv").write_text("file,label\nx.png,cat\ny.png,cat\n")
    (tmp_path / "in" / "readme.txt").write_text("Photographs of cats and dogs.\n")
    with pytest.raises(UserError, match=rf"\(--labels .*{re.escape(file)}\)") as caught:
        data.open_data(tmp_path / "in" / root, report=None)
    proposed = re.search(r"--labels (.*)\)", str(caught.value))[1]
    train, val = data.open_data(tmp_path / "in" / root, labels=proposed, report=None)
    assert (len(train), len(val), train.classes) == (6, 2, ["cat", "dog"])


def test_names_that_several_folders_have_are_told(tmp_path):
    with pytest.raises(UserError, match="labels.csv:1: 00.png may be a/00.png or b/00.png: add"):
        opened(write(tmp_path / "in", "a", "b"), table("{i}.png,{c}"))


@pytest.mark.parametrize(("name", "what"), [
    ("labels.xlsx", "a spreadsheet"), ("labels.parquet", "a table that holds"),
    ("x.mat", "a file of MATLAB"), ("x.pkl", "a pickle")])
def test_a_table_in_another_form_is_named(tmp_path, name, what):
    with pytest.raises(UserError, match=f"{name}: it is {what}.*save it as .*CSV.* in UTF-8"):
        opened(write(tmp_path / "in", "."), b"PK\3\4\0\0\xff", name)


def test_a_class_that_was_guessed_is_told(tmp_path):
    """Of several columns, none of which is called like a class."""
    rows = table("{i}.png,{c},x", "name,what,who\n")
    *_, ((line, reason),) = opened(write(tmp_path / "in", "."), rows)
    assert line == ":1" and "its column what is taken for the class" in reason
