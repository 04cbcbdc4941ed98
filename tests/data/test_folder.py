"""Class folders: what is found, how it is divided, and a sentence for each way in which a tree can
be wrong."""

import os
import shutil
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import save

from minialex.data import open_folder
from minialex.data.opening import _split
from minialex.errors import UserError

needs_links = pytest.mark.skipif(sys.platform == "win32",
                                 reason="symbolic links need a privilege on Windows")


def numbers(folder, count):
    return [f"{folder}/{number:02d}.jpg" for number in range(count)]


@pytest.fixture
def flat(tree):
    """dog 10, cat 10, owl 5, without train/ and val/."""
    return tree(*numbers("dog", 10), *numbers("cat", 10), *numbers("owl", 5))


@pytest.fixture
def divided(tree):
    """Two classes with 4 training and 2 validation pictures each."""
    return tree(*(path for part, n in (("train", 4), ("val", 2)) for c in "ab"
                  for path in numbers(f"{part}/{c}", n)))


def quiet(root, **options):
    return open_folder(root, report=None, **options)


def test_given_division(divided):
    train, val = quiet(divided)
    assert train.classes == val.classes == ["a", "b"]
    assert train.labels.tolist() == [0] * 4 + [1] * 4 and val.labels.tolist() == [0, 0, 1, 1]
    assert train.labels.dtype == np.int64
    assert train.names[0] == os.path.join("train", "a", "00.jpg") and len(val) == 2 * 2
    assert train.read(0).shape == (256, 256, 3)
    assert train.problems == val.problems == []


@pytest.mark.parametrize("name", ["valid", "validation"])
def test_other_names_for_val(divided, name):
    (divided / "val").rename(divided / name)
    assert len(quiet(divided)[1]) == 4


def test_train_without_val_is_divided(divided):
    shutil.rmtree(divided / "val")
    train, val = quiet(divided, val_fraction=0.5)
    assert (len(train), len(val)) == (4, 4)


def test_made_division_takes_its_share_of_each_class(flat):
    train, val = quiet(flat)
    assert train.classes == ["cat", "dog", "owl"]
    assert np.bincount(train.labels).tolist() == [8, 8,
                                                  4] and np.bincount(val.labels).tolist() == [2, 2,
                                                                                              1]
    assert not set(train.names) & set(val.names)
    assert len(set(train.names) | set(val.names)) == 25


def test_division_is_the_same_every_time_and_moves_with_the_seed(flat):
    first, again, other = quiet(flat)[1], quiet(flat)[1], quiet(flat, seed=1)[1]
    assert first.names == again.names != other.names


def test_division_of_a_class_does_not_depend_on_other_classes(flat):
    before = [name for name in quiet(flat)[1].names if name.startswith("dog")]
    shutil.rmtree(flat / "cat")
    assert [name for name in quiet(flat)[1].names if name.startswith("dog")] == before


@settings(max_examples=50, deadline=None)
@given(counts=st.lists(st.integers(1, 40), min_size=2, max_size=6), fraction=st.floats(0.01, 0.99))
def test_division_keeps_every_picture_once_and_trains_on_each_class(counts, fraction):
    found = {str(label): [f"{label}/{n}" for n in range(count)]
             for label, count in enumerate(counts)}
    train, val = _split(found, fraction)
    for name, files in found.items():
        assert sorted(train[name] + val[name]) == sorted(files)
        assert train[name] and (val[name] or len(files) == 1)
        assert abs(len(val[name]) - fraction * len(files)) <= 1


def test_subset_of_classes_and_pictures(flat):
    train, val = quiet(flat, max_classes=2, max_images=5)
    assert len(train.classes) == 2 and train.classes == sorted(train.classes)
    assert np.bincount(train.labels).tolist() == [4, 4] and np.bincount(val.labels).tolist() == [1,
                                                                                                 1]
    assert quiet(flat, max_classes=2, max_images=5)[0].names == train.names
    choices = {tuple(quiet(flat, max_classes=2, seed=seed)[0].classes) for seed in range(20)}
    assert len(choices) == 3


def test_smaller_subset_is_part_of_the_larger(divided):
    small, large = quiet(divided, max_images=2)[0], quiet(divided, max_images=3)[0]
    assert set(small.names) < set(large.names) and len(small) == 4
    assert [len(part) for part in quiet(divided, max_images=3)] == [6, 4]


def test_subset_leaves_the_classes_of_val_that_were_not_chosen_out(tree):
    root = tree(*(path for part in ("train", "val") for c in "abcd"
                  for path in numbers(f"{part}/{c}", 2)))
    train, val = quiet(root, max_classes=2)
    assert train.classes == val.classes and len(train) == len(val) == 4


def test_names_in_any_script(tree):
    root = tree(*numbers("猫", 2), *numbers("Käfer", 2), *numbers("دب", 2))
    train, _ = quiet(root)
    assert sorted(train.classes) == sorted(["猫", "Käfer", "دب"])
    assert train.read(0).shape == (256, 256, 3)


def test_one_class_in_two_unicode_spellings(tree):
    composed, decomposed = "K\u00e4fer", "Ka\u0308fer"
    root = tree(*numbers(f"train/{composed}", 2), *numbers("train/b", 2),
                *numbers(f"val/{decomposed}", 1))
    train, val = quiet(root)
    assert train.classes == ["K\u00e4fer", "b"][::-1] or train.classes == sorted(["b", composed])
    assert val.labels.tolist() == [train.classes.index(composed)]
    save(root / "train" / decomposed / "x.jpg")
    with pytest.raises(UserError, match="two folders named Käfer"):
        quiet(root)


@pytest.mark.skipif(sys.platform != "linux",
                    reason="only Linux allows file names that are no UTF-8")
def test_name_that_is_no_utf8(tree):
    root = tree(*numbers("a", 3), *numbers("b", 3))
    os.rename(root / "a", os.fsencode(root) + b"/\xff\xfe")
    train, _ = quiet(root)
    assert [name.encode() for name in train.classes] == [b"b", "\ufffd\ufffd".encode()]
    assert "".join(train.names).encode() and train.read(len(train) - 1).shape == (256, 256, 3)


def test_hidden_and_system_files_are_passed_over_in_silence(flat):
    for name in ("dog/.DS_Store", "dog/._00.jpg", "dog/Thumbs.db", ".git/a.jpg", ".hidden.jpg"):
        save(flat / name, format="jpeg")
    train, val = quiet(flat)
    assert len(train) + len(val) == 25 and train.problems == []


def test_what_is_no_picture_is_listed(flat):
    (flat / "dog" / "notes.txt").write_text("x")
    save(flat / "astray.jpg")
    (flat / "empty").mkdir()
    problems = dict(quiet(flat)[0].problems)
    assert len(problems) == 3
    assert "ends in none of" in problems[str(flat / "dog" / "notes.txt")]
    assert "outside the class folders" in problems[str(flat / "astray.jpg")]
    assert "no pictures" in problems[str(flat / "empty")]


def test_class_without_validation_pictures_is_listed(divided):
    shutil.rmtree(divided / "val" / "b")
    train, val = quiet(divided)
    assert train.classes == val.classes == ["a", "b"] and val.labels.tolist() == [0, 0]
    assert train.problems == [(str(divided / "val"), "no picture for validation of the class b")]


def test_endings_in_capitals_and_folders_in_folders(tree):
    train, val = quiet(tree("a/x/1.JPEG", "a/2.PNG", "b/1.Jpg", "b/y/z/2.bmp"), val_fraction=0.5)
    assert len(train) == len(val) == 2


@needs_links
def test_links_are_followed_but_not_in_circles(flat, tmp_path):
    (flat / "dog" / "round").symlink_to(flat / "dog", target_is_directory=True)
    (flat / "dog" / "top").symlink_to(flat, target_is_directory=True)
    (flat / "dog" / "self.jpg").symlink_to("self.jpg")
    (flat / "dog" / "gone.jpg").symlink_to("nowhere.jpg")
    elsewhere = save(tmp_path / "elsewhere" / "more" / "1.jpg").parent
    (flat / "cat" / "more").symlink_to(elsewhere, target_is_directory=True)
    train, val = quiet(flat)
    assert len(train) + len(val) == 26
    problems = dict(train.problems)
    assert set(problems) == {str(flat / "dog" / name)
                             for name in ("round", "top", "self.jpg", "gone.jpg")}
    assert "leads back" in problems[str(flat / "dog" / "top")]


@needs_links
def test_links_that_double_at_every_step_end(tmp_path, flat):
    """Each of 30 folders holds two links to the next one: 2**29 ways lead to the last."""
    maze = [tmp_path / "maze" / f"{number:02d}" for number in range(30)]
    for folder in maze:
        folder.mkdir(parents=True)
    for folder, following in zip(maze[:-1], maze[1:], strict=True):
        (folder / "left").symlink_to(following, target_is_directory=True)
        (folder / "right").symlink_to(following, target_is_directory=True)
    save(maze[-1] / "1.jpg")
    (flat / "dog" / "maze").symlink_to(maze[0], target_is_directory=True)
    train, val = quiet(flat)
    assert len(train) + len(val) == 26 and len(train.problems) == 29
    assert all("has already" in reason for _, reason in train.problems)


def test_class_of_val_that_train_does_not_have(divided):
    save(divided / "val" / "zebra" / "1.jpg")
    train, val = quiet(divided)
    assert train.classes == val.classes == ["a", "b"] and len(val) == 4
    assert train.problems == [(str(divided / "val" / "zebra"),
                               f"{divided / 'train'} has no pictures of this class; "
                               "its pictures (1) are left out of validation")]
    with pytest.raises(UserError, match="--strict: .*zebra"):
        quiet(divided, strict=True)


@needs_links
def test_a_folder_that_contains_only_a_link_to_itself(tmp_path):
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "in").symlink_to(tmp_path / "loop", target_is_directory=True)
    with pytest.raises(UserError, match="no pictures"):
        quiet(tmp_path / "loop")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_block(flat):
    os.mkfifo(flat / "dog" / "pipe.jpg")
    assert str(flat / "dog" / "pipe.jpg") in dict(quiet(flat)[0].problems)


def wrong_trees(tree):
    """Name of the case -> (what to open, what the sentence says)."""
    base = tree(*numbers("cases/nested/inner/real/a", 2), *numbers("cases/nested/inner/real/b", 2))
    cases = base / "cases"
    for path in (
        *numbers("one/only", 3),
        *numbers("outer/imagenet/train/a", 1),
        *numbers("outer/imagenet/train/b", 1),
        *numbers("loose", 3),
        *numbers("extra/train/a", 2),
        *numbers("extra/train/b", 2),
        *numbers("extra/val/c", 2),
        *numbers("val-only/val/a", 2),
        *numbers("single/a", 1),
        *numbers("single/b", 1),
        *numbers("empty-train/val/a", 1),
    ):
        save(cases / path)
    for name in ("nothing", "hollow/a", "hollow/b", "empty-train/train"):
        (cases / name).mkdir(parents=True)
    inner = cases / "nested" / "inner" / "real"
    return {
        "absent": (cases / "absent", "there is no folder .*absent"),
        "a file": (cases / "loose" / "00.jpg", "is a file"),
        "nested": (cases / "nested", f"nothing but a folder.*give {inner}$"),
        "nested train": (cases / "outer", "give .*imagenet$"),
        "one class": (cases / "one", r"one class only \(only\)"),
        "no classes": (cases / "loose", "3 pictures but no class folders"),
        "empty": (cases / "nothing", "holds no class folders"),
        "empty classes": (cases / "hollow", "hold no pictures"),
        "unknown class": (cases / "extra", "val leaves no picture for validation: "
                          "it has none of the classes of .*train .a, b."),
        "val only": (cases / "val-only", "no train/"),
        "too few": (cases / "single", "at least two pictures"),
        "empty train": (cases / "empty-train", "train holds no class folders"),
    }


CASES = ("absent, a file, nested, nested train, one class, no classes, empty, empty classes, "
         "unknown class, val only, too few, empty train")


@pytest.mark.parametrize("case", CASES.split(", "))
def test_wrong_tree_is_one_sentence_with_its_path(tree, case):
    root, sentence = wrong_trees(tree)[case]
    with pytest.raises(UserError, match=sentence) as caught:
        quiet(root)
    assert str(root) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0,
                    reason="the superuser may read everything")
def test_forbidden_folder(flat):
    (flat / "dog").chmod(0)
    try:
        with pytest.raises(UserError, match="cannot look into .*dog: Permission denied"):
            quiet(flat)
    finally:
        (flat / "dog").chmod(0o755)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"val_fraction": 0}, "between 0 and 1"),
        ({"val_fraction": 1.5}, "between 0 and 1"),
        ({"max_classes": 4}, "asks for 4 classes, but .* holds 3"),
        ({"max_classes": 1}, "at least 2 classes"),
        ({"max_images": 1}, "at least 2 pictures"),
    ],
)
def test_wrong_numbers_are_sentences(flat, options, sentence):
    with pytest.raises(UserError, match=sentence):
        quiet(flat, **options)


def test_memory_is_shared_by_both_sets(flat):
    train, val = quiet(flat, cache_bytes=1000)
    assert (train.cache_bytes, val.cache_bytes) == (800, 200)


def test_other_sizes(flat):
    assert quiet(flat, size=36)[0].read(0).shape == (36, 36, 3)


@pytest.mark.parametrize(("train_name", "val_name"),
                         [("Train", "Val"), ("training", "validation"), ("TRAIN", "Valid")])
def test_other_names_for_both_parts(divided, train_name, val_name):
    (divided / "train").rename(divided / train_name)
    (divided / "val").rename(divided / val_name)
    train, val = quiet(divided)
    assert train.classes == ["a", "b"] and (len(train), len(val)) == (8, 4)


def test_two_folders_for_one_part(divided):
    shutil.copytree(divided / "val", divided / "validation")
    with pytest.raises(UserError, match="val and validation, which mean the same"):
        quiet(divided)


def test_what_lies_beside_train_is_listed(divided):
    save(divided / "test" / "a" / "1.jpg")
    assert quiet(divided)[0].problems == [(str(divided / "test"),
                                           "it lies beside train/ and is not used")]


def test_parts_without_train(tree):
    with pytest.raises(UserError, match="has test/, val/ but no train/"):
        quiet(tree(*numbers("val/a", 2), *numbers("val/b", 2), *numbers("test/a", 2),
                   *numbers("test/b", 2)))


@pytest.mark.parametrize("parts", [("learn", "check"), ("fold1", "fold2", "fold3")])
def test_parts_with_names_of_their_own_are_not_taken_for_classes(tree, parts):
    root = tree(*(path for part in parts for c in "ab" for path in numbers(f"{part}/{c}", 2)))
    with pytest.raises(UserError, match=f"the folders {', '.join(sorted(parts))} in .* all hold a, "
                       "b: if these are the classes"):
        quiet(root)


def test_classes_with_one_folder_inside_are_classes(tree):
    train, _ = quiet(tree(*numbers("cat/images", 3), *numbers("dog/images", 3)))
    assert train.classes == ["cat", "dog"]


def test_a_class_called_train(tree):
    train, val = quiet(tree(*numbers("bus", 4), *numbers("car", 4), *numbers("train", 4)),
                       val_fraction=0.25)
    assert train.classes == ["bus", "car", "train"] and (len(train), len(val)) == (9, 3)


def test_pictures_in_train_without_classes_are_no_class(tree):
    with pytest.raises(UserError, match="train holds 3 pictures but no class folders"):
        quiet(tree(*numbers("train", 3), *numbers("test", 3)))


def test_many_files_that_are_no_pictures_are_counted(flat):
    for number in range(40):
        (flat / "dog" / f"{number}.xml").write_text("x")
    said = []
    train, _ = open_folder(flat, report=lambda *problem: said.append(problem))
    assert len(said) == 11 and len(train.problems) == 40
    assert said[-1] == (str(flat), "30 more files or folders in it that cannot be used")


def test_strict_stops_at_damaged_pictures_alone(flat):
    (flat / "dog" / "notes.xml").write_text("x")
    train, _ = quiet(flat, strict=True)
    with open(train.paths[0], "wb") as file:
        file.write(b"damaged")
    with pytest.raises(UserError, match="--strict: .*content is not a picture"):
        train.planes_or_next(0)
