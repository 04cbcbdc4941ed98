"""Data in other forms than picture files is named, with what its owner can do."""

import pytest
from cases import command, refused
from PIL import Image

from minialex import data
from minialex.data import decode
from minialex.errors import UserError

# name: (files below the root, what the sentence says)
FOLDERS = {
    "CIFAR-10": ("data_batch_1 data_batch_2 test_batch batches.meta readme.html", "CIFAR"),
    "CIFAR-10, one folder up": ("cifar-10-batches-py/data_batch_1", "CIFAR"),
    "CIFAR-10 in binary": ("data_batch_1.bin test_batch.bin batches.meta.txt", "CIFAR"),
    "CIFAR-100": ("train test meta file.txt~", "CIFAR"),
    "STL-10": ("stl10_binary/train_X.bin stl10_binary/class_names.txt", "STL-10"),
    "MNIST": ("train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz", "MNIST"),
    "MNIST of torchvision": ("MNIST/raw/train-images-idx3-ubyte", "MNIST"),
    "MNIST as tables": ("mnist_train.csv mnist_test.csv", "a table or a text"),
    "SVHN": ("train_32x32.mat test_32x32.mat", "MATLAB"),
    "arrays": ("x_train.npy y_train.npy", "NumPy"),
    "arrays by class": ("cat/0.npy dog/0.npy", "NumPy"),
    "HDF5": ("train.h5 README.md", "HDF5"),
    "LMDB": ("train_lmdb/data.mdb train_lmdb/lock.mdb val_lmdb/data.mdb", "LMDB"),
    "parquet": ("data/train-00000-of-00001.parquet README.md", "Hugging Face"),
    "arrow": ("train/data-00000-of-00001.arrow train/state.json dataset_dict.json", "Hugging Face"),
    "TFRecords": ("train-00000-of-00002.tfrecord val.tfrecord", "TensorFlow"),
    "TensorFlow Datasets": ("cifar10/3.0.2/cifar10-train.tfrecord-00000-of-00001", "TensorFlow"),
    "WebDataset": ("shard-000000.tar shard-000001.tar", "unpack it"),
    "archives of classes": ("n01440764.tar n01443537.tar", "unpack it"),
    "archives of parts": ("train.zip test1.zip sampleSubmission.csv", "unpack it"),
    "HEIC": ("cat/IMG_1.HEIC cat/IMG_1.MOV cat/IMG_2.HEIC dog/IMG_3.heic", "HEIC.*convert each"),
    "raw": ("cat/1.CR2 dog/1.NEF", "raw file: convert each"),
    "medical": ("ill/1.dcm well/1.dcm", "medical.*convert each"),
    "videos": ("run/1.avi jump/1.mp4", "frames"),
    "packed pictures": ("cat/1.png.gz dog/1.png.gz", "unpack it"),
    "drawings": ("cat/1.svg dog/1.svg", "convert each"),
    "no endings": ("cat/a1 dog/a2", "let its name end in"),
    "classes of parts": ("train/cat/1.npy train/dog/1.npy val/cat/1.npy", "NumPy"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_other_files_names_them(tmp_path, name):
    files, said = FOLDERS[name]
    for each in files.split():
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_bytes(b"x")
    with pytest.raises(UserError, match=f"^{tmp_path}.* holds no pictures but .*{said}") as caught:
        data.open_folder(tmp_path, report=None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "said"), [
    ("cifar-10-python.tar.gz", "is an archive: unpack it"), ("pets.ZIP", "is an archive"),
    ("data.npz", "is a file of NumPy's arrays: write"), ("x.parquet", "as Hugging Face keeps them"),
    ("train.h5", "is an HDF5 file"), ("photo.png", "is a file: give the folder")])
def test_a_file_is_named(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UserError, match=f"{name} .*{said}"):
        data.open_folder(tmp_path / name)


def test_a_folder_of_pictures_among_other_files_is_used(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (9, 9)).save(tmp_path / name / f"{number}.png")
            (tmp_path / name / f"{number}.heic").write_bytes(b"x")
    (tmp_path / "arrays.npz").write_bytes(b"x")
    assert len(data.open_folder(tmp_path, report=None)[0]) == 4


@pytest.mark.parametrize(("content", "said"), [
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    (b"<!DOCTYPE html>\n<html>", "the download has failed"), (b"\n<HTML>", "the download has"),
    (b"\0\0\0\x18ftypheic\0\0\0\0", "convert it"), (b"\0\0\0\x18ftypmif1", "convert it")])
def test_what_is_called_a_picture_and_is_none(tmp_path, content, said):
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(UserError, match=f"x.jpg: .*not a picture in a known format.*{said}"):
        decode(tmp_path / "x.jpg")


def test_commands(tiny_run, tmp_path):
    (tmp_path / "in" / "cat").mkdir(parents=True)
    (tmp_path / "in" / "cat" / "1.heic").write_bytes(b"x")
    for name, *more in (("evaluate", tiny_run, "--data", "in"), ("predict", tiny_run, "in"),
                        ("pack", "in", "packed"), ("train", "--data", "in")):
        done = command(name, *more, cwd=tmp_path)
        assert refused(done) and "cat/1.heic, a HEIC photograph: convert" in done.stderr, name
