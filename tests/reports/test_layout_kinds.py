"""Trees of public data sets whose folders are no classes, and files that are no pictures of one."""

import numpy as np
import pytest
from PIL import Image

from minialex import data
from minialex.errors import UserError

COUNT = 4


def build(root, folders, name="{}.png"):
    for folder in folders.split():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number in range(COUNT):
            Image.new("RGB", (9, 9)).save(root / folder / name.format(number))
    return root


def each(parts, inside="cat dog"):
    return " ".join(f"{part}/{name}" for part in parts.split() for name in inside.split())


REFUSED = {
    "VOC": ("JPEGImages SegmentationClass", "JPEGImages, SegmentationClass, which are no classes"),
    "VOC with objects": ("JPEGImages SegmentationClass SegmentationObject", "are no classes"),
    "CUB with its masks": (each("CUB/images segmentations"), "give {}/CUB/images$"),
    "pictures and masks of each class": (each("images masks"), "give {}/images$"),
    "each class divided": (each("cat dog", "train val"), "divide each class: move .*train/CLASS"),
    "each class divided in three": (each("cat dog", "train val test"), "move .* train/CLASS"),
    "folds": (each("fold1 fold2 fold3"), "give one of them, such as {}/fold1"),
    "PlantVillage": (each("color grayscale segmented"), "give one of them, such as {}/color"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    folders, said = REFUSED[name]
    with pytest.raises(UserError, match=said.format(tmp_path)) as caught:
        data.open_folder(build(tmp_path, folders), report=None)
    assert "\n" not in str(caught.value)


MASKS = ("{}_mask.png", "{}_mask_1.png", "{}_segmentation.png", "{}-mask.png", "{}_superpixels.png",
         "{}_thumb.png", "{}_MASK.tif", "{}.mask.png")


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("root", ["cat dog", each("train val")])
def test_masks_beside_the_pictures_are_left_out_and_told(tmp_path, name, root):
    """BUSI: benign (1).png and benign (1)_mask.png."""
    expected = [len(part) for part in data.open_folder(build(tmp_path, root), report=None)]
    build(tmp_path, root, name)
    train, val = data.open_folder(tmp_path, report=None)
    assert [len(train), len(val)] == expected and train.classes == ["cat", "dog"]
    assert len(train.problems) == COUNT * len(root.split())
    assert all("it belongs to" in reason for _, reason in train.problems)


@pytest.mark.parametrize("aside", ["masks", "Mask", "thumbs", "thumbnails", "labels"])
def test_a_folder_of_masks_in_each_class_is_left_out_and_told(tmp_path, aside):
    """COVID-19 Radiography: COVID/images and COVID/masks."""
    build(tmp_path, each("cat dog", f"images {aside}"))
    train, val = data.open_folder(tmp_path, report=None)
    assert train.classes == ["cat", "dog"] and len(train) + len(val) == 2 * COUNT
    assert all("images" in name for name in train.names + val.names)
    assert len(train.problems) == 2 * COUNT


@pytest.mark.parametrize("names", ["{}_mask.png", "face_mask_{}.png", "mask.{}.png", "seg {}.png"])
def test_pictures_of_masks_are_used(tmp_path, names):
    """Of which no picture without the word lies beside them."""
    train, val = data.open_folder(build(tmp_path, "mask bare", names), report=None)
    assert len(train) + len(val) == 2 * COUNT and train.problems == []


def test_what_windows_leaves_beside_a_download_is_passed_over(tmp_path):
    build(tmp_path, "cat dog")
    for number in range(COUNT):
        (tmp_path / "cat" / f"{number}.png:Zone.Identifier").write_text("[ZoneTransfer]")
    assert data.open_folder(tmp_path, report=None)[0].problems == []


def test_classes_of_a_pack_and_its_table_agree_or_not(tmp_path):
    """A run that began with --labels can go on in a pack of its pictures."""
    flat = tmp_path / "flat"
    flat.mkdir()
    for n in range(8):
        Image.fromarray(np.full((9, 9, 3), n, np.uint8)).save(flat / f"{n}.png")
    rows = [f"{n}.png,{'dog' if n % 2 else 'cat'}\n" for n in range(8)]
    table = tmp_path / "labels.csv"
    table.write_text("".join(rows))
    data.packing.pack(flat, tmp_path / "pack", 36, labels=table, progress=False, report=None)
    of_tree = data.open_data(flat, labels=table, size=36, report=None)
    of_pack = data.open_data(tmp_path / "pack", labels=table, size=36, report=None)
    for there, here in zip(of_tree, of_pack):
        assert (there.names, there.labels.tolist()) == (here.names, here.labels.tolist())
    for wrong in (["0.png,dog\n", *rows[1:]], ["0.png,owl\n", *rows[1:]]):
        table.write_text("".join(wrong))
        with pytest.raises(UserError, match="was packed with other classes .*cat for 0.png"):
            data.open_data(tmp_path / "pack", labels=table, size=36, report=None)
