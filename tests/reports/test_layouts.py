"""Trees as people download them: what becomes a class, which part is which, and what is refused
with the folder to give."""

import pytest
from PIL import Image

from minialex import data
from minialex.errors import UserError
from minialex.folders import layout


def build(root, paths, count=3):
    """Folders of `count` small pictures each; a path with an ending is one file, a picture unless
    it is text."""
    for path in paths.split():
        folder = root / path
        if "." in folder.name and not folder.name.startswith((".", "001.", "002.", "found.")):
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.write_text("x")
            continue
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new("RGB", (9, 9), (40 * number, 0, 0)).save(folder / f"{number}.png")
    return root


def each(*parts, inside="cat dog"):
    return " ".join(f"{part}/{name}" for part in parts for name in inside.split())


# name: (folders with pictures, what to open, classes, training pictures, validation pictures); the
# test's part as a fourth
FOUND = {
    "cat-and-dog, Kaggle": (each("training_set/training_set", "test_set/test_set"), "cat dog", 4,
                            2),
    "intel image classification, Kaggle": (
        each("seg_train/seg_train", "seg_test/seg_test") + " seg_pred/seg_pred", "cat dog", 4, 2),
    "Train and Test in capitals": (each("Train", "Test"), "cat dog", 4, 2),
    "TRAIN, VALID": (each("TRAIN", "VALID"), "cat dog", 6, 6),
    "train, valid, test": (each("train", "valid", "test"), "cat dog", 6, 6),
    "train, validation, test": (each("train", "validation", "test"), "cat dog", 6, 6),
    "train and dev": (each("train", "dev"), "cat dog", 6, 6),
    "numbers behind the names": (each("train1", "val1", "test1"), "cat dog", 6, 6),
    "train_images": (each("train_images", "val_images", "test_images"), "cat dog", 6, 6),
    "train-set": (each("train-set", "validation-set"), "cat dog", 6, 6),
    "ImageNet's archives unpacked": (each("ILSVRC2012_img_train", "ILSVRC2012_img_val"), "cat dog",
                                     6, 6),
    "imagenette": (each("train", "val") + " noisy_imagenette.csv", "cat dog", 6, 6),
    "train/train alone": (each("train/train"), "cat dog", 4, 2),
    "train/train and a flat test": (each("train/train") + " test/test", "cat dog", 4, 2),
    "images in each part": (each("train/images", "val/images"), "cat dog", 6, 6),
    "chest_xray, with a copy and what macOS adds": (
        each("train", "val", "test", "chest_xray/train", "chest_xray/val", "__MACOSX/train"),
        "cat dog", 6, 6),
    "cell_images, with a copy inside": ("cat dog " + each("cell_images"), "cat dog", 4, 2),
    "flowers in flowers": ("cat dog owl " + each("flowers", inside="cat dog owl"), "cat dog owl", 6,
                           3),
    "val beside the classes": ("cat dog " + each("val"), "cat dog", 6, 6),
    "test beside the classes": ("cat dog " + each("test"), "cat dog", 4, 2),
    "Tiny ImageNet's training part": (each("train", inside="n01443537/images n01629819/images"),
                                      "n01443537 n01629819", 4, 2),
    "birds, CUB's images": ("001.Auk 002.Albatross", "001.Auk 002.Albatross", 4, 2),
    "ASL alphabet, Kaggle": (each("asl_train/asl_train") + " asl_test/asl_test", "cat dog", 4, 2),
    "a data set's name before the part": (each("stage1_train", "stage1_test"), "cat dog", 4, 2),
    "a data set's name, and validation": (each("Xray_Train", "Xray_Val"), "cat dog", 6, 6),
    "a word behind the part": (each("train_another", "validation_another", "test_another", "test"),
                               "cat dog", 6, 6),
    "Food-11, whose test is called evaluation": (each("training", "validation", "evaluation"),
                                                 "cat dog", 6, 6),
    "trainval": (each("trainval", "test"), "cat dog", 4, 2),
    "GTSRB": (each("Train") + " Test Meta Train.csv", "cat dog", 4, 2),
    "numbered classes": ("label_0 label_1", "label_0 label_1", 4, 2),
    "kinds of a class": ("dog/beagle dog/poodle cat/siamese cat/birman", "cat dog", 10, 2),
    "a class called train": ("bus car train", "bus car train", 6, 3),
    "trains by kind beside other classes": ("bus car freighttrain/a", "bus car freighttrain", 6, 3),
    "photographs and drawings": ("photo drawing", "drawing photo", 4, 2),
    "rubbish": ("trash glass", "glass trash", 4, 2),
}


@pytest.mark.parametrize("name", FOUND)
def test_found(tmp_path, name):
    paths, classes, train_count, val_count = FOUND[name]
    train, val = data.open_folder(build(tmp_path, paths), report=None)
    assert train.classes == val.classes == classes.split()
    assert (len(train), len(val)) == (train_count, val_count)
    assert not set(train.paths) & set(val.paths)


# name: (folders with pictures, what to open below the root, what the sentence says; {} is the root)
REFUSED = {
    "dogs-vs-cats, Kaggle": ("train test1",
                             "{}/train holds 3 pictures but no class folders: .*--labels FILE"),
    "dogs-vs-cats beside a table": ("train test1 sampleSubmission.csv",
                                    "{}/train holds 3 pictures but no class folders"),
    "cassava": ("train_images test_images train.csv",
                "{}/train_images holds 3 pictures but no class folders: .*--labels"),
    "one folder of pictures": ("images", r"one class only \(images\).*--labels FILE"),
    "Oxford pets": ("images annotations/trimaps annotations/list.txt",
                    "annotations, images, which are no classes.*--labels"),
    "an archive's folder": (each("archive/train", "archive/test"), "give {}/archive$"),
    "an archive's folder around the classes": (each("archive/raw-img"), "give {}/archive/raw-img$"),
    "flowers/flowers": (each("flowers/flowers"), "give {}/flowers/flowers$"),
    "PetImages beside a licence": (each("PetImages") + " readme.txt", "give {}/PetImages$"),
    "caltech-101": (each("caltech-101/101_ObjectCategories") + " caltech-101/Annotations/cat/a.mat",
                    "give {}/caltech-101/101_ObjectCategories$"),
    "CUB_200_2011": ("CUB/images/001.Auk CUB/images/002.Albatross CUB/parts/parts.txt",
                     "give {}/CUB/images$"),
    "images/train": (each("images/train", "images/val") + " labels/train/a.txt", "give {}/images$"),
    "dataset/train": (each("dataset/train") + " models/a.h5", "give {}/dataset$"),
    "data deep below": (each("a/b/data/train", "a/b/data/test"), "give {}/a/b/data$"),
    "ImageNet from Kaggle": (
        each("ILSVRC/Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/val")
        + " ILSVRC/Annotations/CLS-LOC/train/cat/a.xml "
        "ILSVRC/Annotations/CLS-LOC/val/a.xml ILSVRC/ImageSets/CLS-LOC/train.txt",
        "give {}/ILSVRC/Data/CLS-LOC$"),
    "the same in one part only": (each("train/train", "val"),
                                  "{}/train holds nothing but train/ with the class folders: move"),
    "each class divided": ("cat/train cat/test dog/train dog/test",
                           "divide each class: move its pictures into train/CLASS"),
    "two divided sets": (each("one/train", "one/test", "two/train", "two/test"), "give {}/one$"),
    "a class with folders in it": ("train/cat train/cat/a train/cat/b val/cat",
                                   r"one class only \(cat\)"),
    "cars_train and cars_test, flat": ("cars_train/cars_train cars_test/cars_test",
                                       "one class only.*--labels FILE"),
    "each class divided by its name": ("cat_train cat_test dog_train dog_test",
                                       "which divide each class: move"),
    "Google Drive's pieces": ("data-20240101T000000Z-001/data/cat "
                              "data-20240101T000000Z-002/data/dog", "are no classes: put"),
    "HAM10000": ("HAM10000_images_part_1 HAM10000_images_part_2 HAM10000.csv",
                 "are no classes: .*--labels FILE"),
    "NIH chest": ("images_001/images images_002/images Data.csv",
                  "are no classes: .*--labels FILE"),
    "parts in a folder of its own name, beside a test": (each("X/X/train", "X/X/valid")
                                                         + " test/test", "give {}/X/X$"),
    "parts deep in one of several folders": (each("data/x/train", "data/x/val") + " docs/figures",
                                             "give {}/data/x$"),
    "a repository with pictures of its own": (each("data") + " assets docs", "give {}/data$"),
    "Office-31": (each("amazon/images", "dslr/images", "webcam/images"), "all hold cat, dog"),
    "train twice": (each("train1", "train2"), "train1 and train2, which mean the same"),
    "no training part": (each("test", "val"), "has test/, val/ but no train/"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path, name):
    paths, sentence = REFUSED[name]
    with pytest.raises(UserError, match=sentence.format(tmp_path)) as caught:
        data.open_folder(build(tmp_path, paths), report=None)
    assert "\n" not in str(caught.value)


BINS = ("@eaDir", "#recycle", "#snapshot", ".@__thumb", "@Recycle", "@Recently-Snapshot",
        "lost+found", "$RECYCLE.BIN", "RECYCLER", "System Volume Information", ".Trash-1000",
        ".Trashes", "__MACOSX", "__pycache__", ".ipynb_checkpoints", ".thumbnails", "FOUND.000",
        ".git", ".AppleDouble", "Network Trash Folder", "LOST.DIR", "_gsdata_", "_vti_cnf",
        "Previews.lrdata", "wandb", "lightning_logs", "mlruns", "node_modules")


@pytest.mark.parametrize("name", BINS)
@pytest.mark.parametrize("root", [each(""), each("train", "val"), each("train")])
def test_what_systems_add_is_passed_over_in_silence(tmp_path, name, root):
    build(tmp_path, " ".join(path.strip("/") for path in root.split()))
    expected = [part.names for part in data.open_folder(tmp_path, report=None)]
    folders = [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]
    for folder in folders:
        build(folder / name, "cat x @eaDir")
        (folder / name / "0.png").write_bytes(b"")
        (folder / "._0.png").write_bytes(b"\0\5\x16\7")
    train, val = data.open_folder(tmp_path, report=None)
    assert [train.names, val.names] == expected
    assert train.classes == ["cat", "dog"] and train.problems == val.problems == []


@pytest.mark.parametrize("sign", ["pyvenv.cfg", "conda-meta/history"])
def test_an_environment_of_python_is_no_class_whatever_its_name(tmp_path, sign):
    build(tmp_path, "cat dog mine/lib/python3.12/site-packages/matplotlib/mpl-data/images")
    (tmp_path / "mine" / sign).parent.mkdir(exist_ok=True)
    (tmp_path / "mine" / sign).write_text("home = /usr/bin")
    train, _ = data.open_folder(tmp_path, report=None)
    assert train.classes == ["cat", "dog"] and train.problems == []


def test_a_folder_called_runs_is_no_class_and_said_so(tmp_path):
    train, _ = data.open_folder(build(tmp_path, "cat dog runs"), report=None)
    assert train.classes == ["cat", "dog"]
    assert [path for path, _ in train.problems] == [str(tmp_path / "runs")]


@pytest.mark.parametrize(("name", "doubtful"),
                         [("train", True), ("Test1", True), ("seg_pred", True), ("val", True),
                          ("images", True), ("data", True), ("dataset", True),
                          ("annotations", True), ("cat", False), ("freight train", False),
                          ("trainer", False), ("contest", False), ("valley", False),
                          ("database", False), ("evaluation", True), ("strain", False),
                          ("image", True), ("猫train", False)])
def test_names_that_are_rarely_classes(name, doubtful):
    assert layout.is_doubtful(name) == doubtful


def counts(root):
    pictures = data.open_whole(root, size=9, report=None)
    return {part: sum(picture.part == part for picture in pictures)
            for part in {picture.part for picture in pictures}}


@pytest.mark.parametrize(("paths", "expected"), [
    (each("train", "val", "test") + " test/owl", {"train": 6, "val": 6, "test": 9}),
    (each("seg_train/seg_train", "seg_test/seg_test") + " seg_pred/seg_pred",
     {"train": 6, "test": 6}),
    ("train/cat train/dog test", {"train": 6}),
    ("cat dog " + each("test"), {"train": 6, "test": 6}),
    ("test/cat test/dog val/cat", {"test": 6, "val": 3}),
    ("cat", {"all": 3}),
])
def test_every_part_of_a_tree_can_be_scored(tmp_path, paths, expected):
    assert counts(build(tmp_path, paths)) == expected
