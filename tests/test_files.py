"""Files are whole or not there, and nothing of the user's is replaced or removed."""
import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from minialex.errors import UserError
from minialex.utils import files, marks

posix = pytest.mark.skipif(os.name != "posix", reason="locks and signals of POSIX")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# ------------------------------------------------------------------------------- whole or not there


def test_a_file_is_replaced_only_when_the_block_ends_well(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), files.replacing(path, "w") as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
        raise ZeroDivisionError
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]
    with files.replacing(path, "w") as file:
        file.write("new")
    assert path.read_text() == "new" and names(tmp_path) == ["a.txt"]


def test_the_users_temporary_names_are_left_alone(tmp_path):
    """x.pth.new, x.pth.part and their like belong to somebody."""
    theirs = ["x.pth.new", "x.pth.part", "x.pth.tmp", "x.pth~", ".x.pth.swp", "tmp", ".minialex",
              "minialex.tmp"]
    for name in theirs:
        (tmp_path / name).write_text("weeks of work")
    with files.replacing(tmp_path / "x.pth") as file:
        file.write(b"weights")
    files.remove_abandoned(tmp_path)
    assert names(tmp_path) == sorted([*theirs, "x.pth"])
    assert all((tmp_path / name).read_text() == "weeks of work" for name in theirs)


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127, "a b\n$.png"])
def test_any_name_that_a_file_may_have(tmp_path, name):
    with files.replacing(tmp_path / name) as file:
        file.write(b"1")
    assert names(tmp_path) == [name]


@posix
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "real")
    with files.replacing(tmp_path / "link", "w") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "there" / "real").read_text() == "new"


WRITER = """
import sys, time
from minialex.utils import files
with files.replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


@posix
def test_only_what_a_dead_program_left_is_removed(tmp_path):
    path = tmp_path / "x"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    try:
        assert writer.stdout.readline() == b"writing\n"
        (half,) = names(tmp_path)
        files.remove_abandoned(tmp_path)
        assert names(tmp_path) == [half]  # it is at work
        with files.replacing(path) as file:  # another program may write the same file meanwhile
            file.write(b"ours")
        assert names(tmp_path) == sorted([half, "x"])
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    assert names(tmp_path) == sorted([half, "x"])
    with files.replacing(tmp_path / "other") as file:  # another name: not its business
        file.write(b"1")
    assert half in names(tmp_path)
    with files.replacing(path) as file:
        file.write(b"again")
    assert names(tmp_path) == ["other", "x"]


def test_a_second_name_is_kept(tmp_path):
    (tmp_path / "last").write_text("one")
    (tmp_path / "best.new").write_text("theirs")
    files.keep_as(tmp_path / "last", tmp_path / "best")
    with files.replacing(tmp_path / "last", "w") as file:
        file.write("two")
    assert (tmp_path / "best").read_text() == "one" and (tmp_path
                                                         / "best.new").read_text() == "theirs"
    assert names(tmp_path) == ["best", "best.new", "last"]


# ----------------------------------------------------------------------------- what a user is given


def marked(path, kind, of=""):
    path.write_text(f"<html>{files.mark(kind, of)}")
    return path


def test_a_command_replaces_its_own_work_and_nothing_else(tmp_path):
    def write(**options):
        with files.replacing(files.Output(path, "report", **options), "w") as file:
            file.write(files.mark("report") + options.get("of", ""))

    path = tmp_path / "page.html"
    write()
    write(of="other inputs")
    assert path.read_text().endswith("other inputs")
    for content in ("mine", files.mark("picture"), "minialex-wrote-this", ""):
        path.write_text(content)
        with pytest.raises(UserError, match="page.html is there already.*--force"):
            write()
        assert path.read_text() == content and names(tmp_path) == ["page.html"]
    write(force=True)
    assert files.found_mark(path)[0] == "report"


def test_the_mark_is_found_at_both_ends_of_a_large_file(tmp_path):
    path = tmp_path / "x"
    for before, after in ((0, 300_000), (300_000, 0), (10, 10), (60_000, 5_000)):
        path.write_bytes(b"-" * before + files.mark("weights", "a").encode() + b"-" * after)
        assert files.found_mark(path) == ("weights", files.mark("weights", "a")[-16:])


def test_a_sign_of_the_format_does_as_well(tmp_path):
    path = tmp_path / "a.csv"
    output = files.Output(path, "table", signs=(b"picture,class\n",))
    path.write_text("picture,class\n1.jpg,cat\n")
    output.check()
    path.write_text("picture;class\n1.jpg;cat\n")
    with pytest.raises(UserError, match="--force"):
        output.check()


@posix
def test_what_cannot_be_a_file_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="is a folder: name a file"):
        files.Output(tmp_path, "report").check()
    with pytest.raises(UserError, match="there is no folder"):
        files.Output(tmp_path / "no" / "a.html", "report").check()
    # a device is written to
    with files.replacing(files.Output("/dev/null", "report"), "w") as file:
        file.write("1")


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(UserError, match="--force"), files.replacing(files.Output(path, "report"),
                                                                    "w") as file:
        file.write("ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs" and names(tmp_path) == ["a"]


def test_names_that_nobody_gave_are_free_ones(tmp_path):
    def name(of, force=False):
        return files.unused(tmp_path, "1-features", ".png", "features", of, force).path.name

    assert name("a/1.jpg") == "1-features.png"
    marked(tmp_path / "1-features.png", "features", "a/1.jpg")
    assert name("a/1.jpg") == "1-features.png"  # the same again
    assert name("b/1.jpg") == "1-features-2.png"
    (tmp_path / "1-features-2.png").write_text("a user's")
    assert name("b/1.jpg") == "1-features-3.png"
    assert name("b/1.jpg", force=True) == "1-features-2.png"
    marked(tmp_path / "1-features-3.png", "features", "b/1.jpg")
    assert (name("a/1.jpg"), name("b/1.jpg"),
            name("c/1.jpg")) == ("1-features.png", "1-features-3.png", "1-features-4.png")


# ------------------------------------------------------------------------------------ what is a run


CONFIG = ('{"settings": {}, "classes": ["a"], "train_pictures": 1, "val_pictures": 1, '
          '"versions": {"minialex": "0.1.0"}}')


def run_folder(path, config=CONFIG):
    path.mkdir(parents=True)
    (path / "config.json").write_text(config)
    return path


@pytest.mark.parametrize("config", ['{"my": "settings"}', "[]", "null", "17",
                                    '"settings classes train_pictures val_pictures versions"', "",
                                    "{", "[" * 100_000, CONFIG.replace("minialex", "numpy"),
                                    CONFIG.replace("train_pictures", "x"),
                                    CONFIG.replace('{"minialex": "0.1.0"}', "3"), CONFIG[:-1]])
def test_a_config_of_somebody_else_makes_no_run(tmp_path, config):
    assert marks.is_run(run_folder(tmp_path / "run"))
    assert not marks.is_run(run_folder(tmp_path / "theirs", config))


def test_a_sealed_checkpoint_makes_a_run(tmp_path):
    from minialex.training import checkpoint

    checkpoint.save(tmp_path / "checkpoint-best.npz", checkpoint.Saved({}, {}, np.zeros(3), {}))
    assert marks.is_run(tmp_path)
    np.savez(tmp_path / "checkpoint-best.npz", a=1)
    assert not marks.is_run(tmp_path)
    with zipfile.ZipFile(tmp_path / "checkpoint-best.npz", "w") as archive:
        archive.comment = b"sha256:" + b"x" * 64
    assert not marks.is_run(tmp_path)
    (tmp_path / "checkpoint-best.npz").write_bytes(b"short")
    assert not marks.is_run(tmp_path) and not marks.is_run(tmp_path / "nowhere")


def test_folders_of_runs_are_no_classes(tmp_path):
    endings = (".jpg", ".png")
    run_folder(tmp_path / "experiments" / "one")
    run_folder(tmp_path / "experiments" / "two")
    (tmp_path / "experiments" / "notes.txt").write_text("3")
    assert marks.is_no_class(tmp_path / "experiments", endings)
    assert marks.is_no_class(tmp_path / "experiments" / "one", endings)
    # a class beside whose pictures somebody trained
    (tmp_path / "experiments" / "cat.jpg").write_bytes(b"3")
    assert not marks.is_no_class(tmp_path / "experiments", endings)
    (tmp_path / "experiments" / "cat.jpg").unlink()
    (tmp_path / "experiments" / "cats").mkdir()
    assert not marks.is_no_class(tmp_path / "experiments", endings)
    assert not marks.is_no_class(tmp_path / "nowhere", endings)


def test_own_pictures_are_known_by_name_and_mark(tmp_path):
    assert marks.is_own_picture(marked(tmp_path / "cat-prediction.png", "prediction"))
    assert marks.is_own_picture(marked(tmp_path / "1-features-2.png", "features"))
    assert not marks.is_own_picture(marked(tmp_path / "cat.png", "prediction"))
    (tmp_path / "confusion.png").write_bytes(b"a user's")
    assert not marks.is_own_picture(tmp_path / "confusion.png")


def test_what_follows_a_mark_is_no_part_of_it(tmp_path):
    """In a PNG a checksum follows the text; its first byte may be a digit of a digest's."""
    path = tmp_path / "a.png"
    for of in ("", "photo.jpg"):
        mark = files.mark("features", of)
        for after in (b"", b"a7f0", b"\x00z"):
            path.write_bytes(b"PNG" + mark.encode() + after)
            assert files.found_mark(path) == ("features", mark.rpartition(":")[2])
