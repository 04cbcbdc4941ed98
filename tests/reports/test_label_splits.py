"""Tables whose column split divides the pictures: rows that lack it, a folder of test pictures, and
what a pack says of them."""

import json
import os

import pytest
from test_labels import COUNT, write

from minialex import data
from minialex.data.packing import pack
from minialex.errors import UserError

PARTS = ["train"] * 4 + ["val"] * 2 + ["test"] * 2
LEFT_OUT = "its split is none of train, val and test; the picture is left out"
TEST = "it calls 2 pictures test; they are not used"


def class_of(number):
    return "dog" if number % 2 else "cat"


@pytest.fixture
def flat(tmp_path):
    for number in range(COUNT):
        write(tmp_path / "flat" / f"{number:02d}.png", number)
    return tmp_path / "flat"


def opened(root, text, name="labels.csv"):
    """Names of training and validation pictures, and what is left out."""
    (root.parent / name).write_text(text)
    train, val = data.open_data(root, labels=root.parent / name, report=None)
    return train.names, val.names, [(path.rpartition(name)[2], reason)
                                    for path, reason in train.problems]


ROWS = {  # a head, a row, and the same row without its last cells
    "the part last": ("file,label,split", "{n}.png,{c},{p}", "{n}.png,{c}"),
    "the part and more": ("file,label,split,licence", "{n}.png,{c},{p},free", "{n}.png,{c}"),
    "an unknown head of the class": ("file,what,split", "{n}.png,{c},{p}", "{n}.png,{c}"),
    "a column for each class": ("file,cat,dog,split", "{n}.png,{cat},{dog},{p}",
                                "{n}.png,{cat},{dog}"),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("number", [0, 2, COUNT - 1])
def test_a_row_without_its_last_cells_leaves_them_to_the_others(flat, name, number):
    head, row, short = ROWS[name]
    cells = [{"n": f"{n:02d}", "c": class_of(n), "p": part, "cat": 1 - n % 2, "dog": n % 2}
             for n, part in enumerate(PARTS)]
    text = "\n".join([head, *((short if n == number else row).format(**each)
                              for n, each in enumerate(cells))])
    train, val, told = opened(flat, text)
    expected = {part: {f"{n:02d}.png" for n in range(COUNT) if PARTS[n] == part and n != number}
                for part in PARTS}
    assert (set(train), set(val)) == (expected["train"], expected["val"])
    assert told[0] == (f":{number + 2}", LEFT_OUT) and len(told) == 2


@pytest.mark.parametrize("head", ["file,cat,dog", "cat,dog,file"])
def test_a_short_row_of_a_column_for_each_class(flat, head):
    """Its class is where the 1 is; a row that ends before its 1 names no class, or no picture."""
    names = head.split(",")
    cells = [{"file": f"{n:02d}.png", "cat": 1 - n % 2, "dog": n % 2} for n in range(COUNT)]
    rows = [[str(each[name]) for name in names] for each in cells]
    rows[3] = rows[3][:2]
    train, val, told = opened(flat, "\n".join(map(",".join, [names, *rows])))
    assert set(train + val) == {f"{n:02d}.png" for n in range(COUNT) if n != 3}
    assert told[0] == (":5", "it names no picture, or not one class")


@pytest.mark.parametrize("form", ["list", "lines"])
@pytest.mark.parametrize("without", [0, 3])
def test_a_record_of_json_without_a_part_leaves_it_to_the_others(flat, form, without):
    records = [{"file": f"{n:02d}.png", "label": class_of(n), "split": part}
               for n, part in enumerate(PARTS)]
    del records[without]["split"]
    text = json.dumps(records) if form == "list" else "\n".join(map(json.dumps, records))
    train, val, told = opened(flat, text, "labels.json")
    assert (len(train), len(val)) == (3, 2)
    assert told == [(f":{without + 1}", LEFT_OUT), ("", TEST)]


def test_without_a_header_the_columns_are_those_that_all_rows_have(flat):
    rows = [f"{n:02d}.png,{class_of(n)}" + f",{n},x" * (n != 4) for n in range(COUNT)]
    train, val, told = opened(flat, "\n".join(rows))
    assert (len(train), len(val), told) == (6, 2, [])


@pytest.fixture(params=["train test", "train/train test/test", "train val test"])
def divided(tmp_path, request):
    """Pictures by turns in several folders, and the rows that name them."""
    folders = request.param.split()
    names = [f"{folders[n % len(folders)]}/{n:02d}.png" for n in range(COUNT)]
    for number, name in enumerate(names):
        write(tmp_path / "in" / name, number)
    return tmp_path / "in", names


def test_a_split_counts_for_the_pictures_in_the_folder_test(divided):
    root, names = divided
    rows = [f"{name},{class_of(n)},{PARTS[n]}" for n, name in enumerate(names)]
    train, val, told = opened(root, "\n".join(["file,label,split", *rows]))
    assert (set(train), set(val), told) == (set(names[:4]), set(names[4:6]), [("", TEST)])


def test_pictures_in_the_folder_test_that_no_row_names_are_told(divided):
    root, names = divided
    used = [name for name in names if not name.startswith("test")]
    rows = [f"{name},{class_of(n)},{'val' if n > 2 else 'train'}" for n, name in enumerate(used)]
    train, val, told = opened(root, "\n".join(["file,label,split", *rows]))
    assert set(train + val) == set(used)
    assert "it lies beside train/ and is not used" in [reason for _, reason in told]


@pytest.mark.parametrize("parts",
                         [["test"] * 8, ["val"] * 8, ["val", "test"] * 4, ["test"] * 7 + ["x"]])
def test_a_table_that_calls_no_picture_train(flat, parts):
    rows = [f"{n:02d}.png,{class_of(n)},{part}" for n, part in enumerate(parts)]
    with pytest.raises(UserError, match="labels.csv calls none of the pictures in .*flat train: "
                       "write train in its split"):
        opened(flat, "\n".join(["file,label,split", *rows]))


def test_a_table_that_names_no_picture_to_learn_from(tmp_path):
    for number in range(COUNT):
        write(tmp_path / "in" / ("val" if number > 3 else "train") / f"{number:02d}.png", number)
    with pytest.raises(UserError, match="labels.csv names none of the pictures in .*in to learn "
                       "from: write their classes"):
        opened(tmp_path / "in", "\n".join(f"{n:02d}.png,{class_of(n)}" for n in range(4, COUNT)))


@pytest.mark.parametrize("name", ["labels.csv", "flat/labels.csv", "./labels.csv"])
def test_a_pack_names_the_table_where_it_lies(tmp_path, flat, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    rows = [f"{n:02d}.png,{class_of(n)},{part}" for n, part in enumerate(PARTS)]
    (tmp_path / name).write_text("\n".join(["file,label,split", *rows, "99.png,cat,train"]))
    (flat / "00.png").rename(flat / "link.png")
    (flat / "00.png").mkdir()
    pack("flat", "packed", 36, progress=False, report=None, labels=name)
    told = data.open_data("packed", size=36, report=None)[0].problems
    table = str((tmp_path / name).resolve())
    assert [path for path, _ in told if "labels" in path] == [f"{table}:2", f"{table}:10", table,
                                                              table]
    assert [path for path, _ in told if "labels" not in path] == [os.path.join("packed", "00.png")]


def test_what_cannot_be_used_in_the_folder_test_is_told(tmp_path):
    root = tmp_path / "in"
    for number in range(COUNT):
        write(root / ("test" if number % 3 else "train") / f"{number:02d}.png", number)
    (root / "test" / "again").symlink_to(root / "test")
    rows = [f"{n:02d}.png,{class_of(n)},{part}" for n, part in enumerate(PARTS)]
    train, val, told = opened(root, "\n".join(["file,label,split", *rows]))
    assert (len(train), len(val)) == (4, 2)
    assert [reason for _, reason in told] == ["this link leads back to a folder that contains it",
                                              TEST]


@pytest.mark.parametrize("head", [None, "file,label,phase", "file,label,fold,split"])
def test_parts_in_a_column_of_another_name_are_told(flat, head):
    rows = [",".join([f"{n:02d}.png", class_of(n), PARTS[n],
                      "1"][:(head or "a,b,c").count(",") + 1]) for n in range(COUNT)]
    train, val, problems = opened(flat, "\n".join([head, *rows] if head else rows))
    assert len(train) + len(val) == COUNT
    assert ("its column 3 says train, val or test, but is not called split, so it is not used: "
            "call it so in the first line, as in file,label,split") in [reason
                                                                        for _, reason in problems]


def test_a_column_of_parts_counts_before_the_folders(tmp_path):
    """The pictures that lie in train/ are divided once more; those of val/ without a row are left
    out, as of any folder."""
    for part in ("train", "val"):
        for number in range(COUNT):
            write(tmp_path / part / f"{part}{number:02d}.png", number)
    rows = [f"train{n:02d}.png,{'dog' if n % 2 else 'cat'},{'val' if n > 5 else 'train'}\n"
            for n in range(COUNT)]
    (tmp_path / "labels.csv").write_text("file,class,split\n" + "".join(rows))
    train, val = data.open_data(tmp_path, labels=tmp_path / "labels.csv", report=None)
    assert (len(train), len(val)) == (6, 2)
    assert [reason for _, reason in train.problems] == ["it names no class for 8 of the pictures "
                                                        f"in {tmp_path} that lie beside the "
                                                        "others; they are left out"]
