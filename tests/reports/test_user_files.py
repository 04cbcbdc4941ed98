"""19, 04: no file of the user's is replaced or removed, and a folder of runs is never a class."""
import errno
import json
import os
import shutil

import pytest
from cases import TRAIN, command, contents, refused

from minialex.cli import compare, evaluate, export, predict, report
from minialex.data import open_data
from minialex.utils import files

# which files are written, not what they show
pytestmark = pytest.mark.usefixtures("blank_pictures")
THEIRS = {"config.json": '{"my": "settings"}', "report.html": "mine",
          "labels.csv.new": "weeks of work", "curves.png": "plot", "timing.csv": "1,2,3",
          "metrics.csv": "a,b"}


@pytest.fixture
def project(tmp_path):
    """A folder with a user's own files, under names that a run has too."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in THEIRS.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_out_with_a_folder_that_is_no_run_is_refused(project, pictures, more):
    before = contents(project)
    done = command(*TRAIN, "--data", pictures, "--out", ".", *more, cwd=project)
    assert refused(done) and "config.json" in done.stderr and "--out" in done.stderr
    assert contents(project) == before and sorted(os.listdir(project)) == sorted(THEIRS)


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--out", "."]])
def test_resume_with_a_folder_that_is_no_run_is_refused(project, more):
    before = contents(project)
    for given in (".", "config.json", "auto") if more == ["--out", "."] else (".", "config.json"):
        done = command(*TRAIN, "--resume", given, *more, cwd=project)
        assert refused(done) and "holds no run" in done.stderr
        assert contents(project) == before


def test_one_file_is_enough_to_refuse(tmp_path, pictures):
    for name in THEIRS:
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_text("mine")
        assert refused(command(*TRAIN, "--data", pictures, "--out", folder))
        assert os.listdir(folder) == [name]


def test_the_data_folder_itself_is_refused(flat):
    before = contents(flat)
    assert refused(command(*TRAIN, "--data", flat, "--out", flat))
    assert refused(command(*TRAIN, "--data", flat, "--out", flat / "leaves"))
    assert contents(flat) == before


def test_a_file_and_links(tmp_path, pictures, project):
    (tmp_path / "link").symlink_to(project)
    (tmp_path / "nothing").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("mine")
    before = contents(project)
    for name in ("link", "nothing", "file", "file/run"):
        assert refused(command(*TRAIN, "--data", pictures, "--out", tmp_path / name)), name
    assert contents(project) == before and (tmp_path / "file").read_text() == "mine"


def test_an_empty_folder_is_taken(tmp_path, pictures):
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / ".gitkeep").write_text("")
    assert command(*TRAIN, "--data", pictures, "--out", folder).returncode == 0
    assert (folder / "metrics.csv").exists() and (folder / ".gitkeep").exists()
    again = command(*TRAIN, "--data", pictures, "--out", folder)
    assert refused(again) and "holds a run already" in again.stderr


# ----------------------------------------------------------------------------------- other commands


@pytest.fixture
def read_only(monkeypatch):
    """A disk on which nothing can be written."""
    def refuse(*arguments):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    monkeypatch.setattr(files, "_open_temporary", refuse)


@pytest.mark.parametrize(("command", "number"), [(evaluate, "top-1"), (compare, "epochs"),
                                                 (predict, "%")])
def test_numbers_that_were_asked_for_are_enough(tiny_run, pictures, tmp_path, monkeypatch, capsys,
                                                read_only, command, number):
    """A picture beside them that cannot be written is a line, but for one that was asked for."""
    monkeypatch.chdir(tmp_path)
    given = [str(tiny_run)] + [a_picture(pictures, tmp_path, "1.png")] * (command is predict)
    assert command.main(given) == 0
    told = capsys.readouterr()
    assert number in told.out and told.err.count("\n") == 1 and "cannot write" in told.err
    assert command.main([*given, "--out", "mine.png"]) == 2
    assert "cannot write mine.png" in capsys.readouterr().err
    if command is evaluate:
        assert evaluate.main([*given, "--csv", "mine.csv"]) == 2
        assert number in capsys.readouterr().out, "numbers come first"
    if command is predict:
        assert predict.main([*given, "--folder", str(tmp_path)]) == 2
        assert predict.main([*given, "--features"]) == 2


def a_picture(pictures, folder, name, number=0):
    """Copy a picture into a folder of the test; returns its path."""
    source = sorted((pictures / "val" / "leaves").iterdir())[number]
    folder.mkdir(parents=True, exist_ok=True)
    return str(shutil.copy(source, folder / name))


@pytest.mark.long
def test_feature_maps_of_two_pictures_of_one_name(tiny_run, pictures, tmp_path, monkeypatch,
                                                  capsys):
    """13. The same command again replaces its own pictures; another one's are kept."""
    monkeypatch.chdir(tmp_path)
    first, second = (a_picture(pictures, tmp_path / name, "1.png", number)
                     for number, name in enumerate("ab"))
    assert predict.main([str(tiny_run), "a/1.png", "b/1.png", "--features"]) == 0
    assert sorted(os.listdir()) == ["1-features-2.png", "1-features.png", "a", "b",
                                    "pictures-prediction.png"]
    told = capsys.readouterr().out
    assert "feature maps: 1-features.png" in told and "feature maps: 1-features-2.png" in told
    before = contents(tmp_path)
    assert before["1-features.png"] != before["1-features-2.png"]
    assert predict.main([str(tiny_run), second, "--features"]) == 0
    assert predict.main([str(tiny_run), first, "--features"]) == 0
    after = contents(tmp_path)
    assert sorted(os.listdir()) == ["1-features-2.png", "1-features.png", "1-prediction-2.png",
                                    "1-prediction.png", "a", "b", "pictures-prediction.png"]
    assert before.items() <= after.items()


def test_a_picture_is_not_replaced_by_its_prediction(tiny_run, pictures, tmp_path, capsys):
    picture = a_picture(pictures, tmp_path, "a.png")
    before = contents(tmp_path)
    assert predict.main([str(tiny_run), picture, "--out", picture]) == 2
    assert "--force" in capsys.readouterr().err and contents(tmp_path) == before
    assert predict.main([str(tiny_run), picture, "--out", str(tmp_path / "b.jpg")]) == 0
    assert (tmp_path / "b.jpg").read_bytes()[:2] == b"\xff\xd8", "what is called .jpg is one"
    assert predict.main([str(tiny_run), picture, "--out",
                         str(tmp_path / "b.jpg")]) == 0, "its own work"
    assert predict.main([str(tiny_run), picture, "--out", picture, "--force"]) == 0
    assert predict.main([str(tiny_run), picture, "--out", str(tmp_path / "b.docx")]) == 2
    assert "ends in no format" in capsys.readouterr().err


def commands_that_write(run, picture, folder):
    """(main, arguments, name of the file that the command is told to write)."""
    return [(predict.main, [run, picture, "--out", f"{folder}/p.png"], "p.png"),
            (predict.main, [run, picture, "--csv", f"{folder}/p.csv"], "p.csv"),
            (evaluate.main, [run, "--device", "cpu", "--out", f"{folder}/c.png"], "c.png"),
            (evaluate.main, [run, "--device", "cpu", "--out", f"{folder}/other.png",
                             "--csv", f"{folder}/c.csv"], "c.csv"),
            (compare.main, [run, "--out", f"{folder}/compare.png"], "compare.png"),
            *((export.main, [run, f"{folder}/x{ending}"], f"x{ending}")
              for ending in (".pth", ".npz", ".safetensors")),
            (report.main, [run, "--device", "cpu"], "report.html")]


@pytest.mark.parametrize("number", range(9))
def test_a_command_replaces_only_its_own_work(tiny_run, pictures, tmp_path, capsys, number):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    picture = a_picture(pictures, tmp_path, "photo.png")
    main, arguments, name = commands_that_write(str(run), picture, tmp_path / "out")[number]
    folder = run if name == "report.html" else tmp_path / "out"
    folder.mkdir(exist_ok=True)
    for neighbour in (f"{name}.new", f"{name}.part", f"{name}.tmp"):
        (folder / neighbour).write_text("weeks of work")
    for content in ("mine", "picture,class\n", "PK\x03\x04", "\x89PNG\r\n\x1a\n",
                    "<!DOCTYPE html>\n<html>"):
        (folder / name).write_text(content, newline="")
        before = contents(folder)
        assert main(arguments) == 2, content
        told = capsys.readouterr().err
        assert "--force" in told and name in told and told.count("\n") == 1
        assert contents(folder) == before, content
    assert main([*arguments, "--force"]) == 0
    ours = contents(folder)[name]
    assert len(ours) > 60 and main(arguments) == 0, "its own work, without --force"
    assert all((folder / f"{name}{ending}").read_text() == "weeks of work"
               for ending in (".new", ".part", ".tmp"))
    assert not list(folder.glob(".minialex*"))


@pytest.mark.long
def test_the_names_that_commands_choose_are_free_ones(tiny_run, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, photo = str(tiny_run), a_picture(pictures, tmp_path, "photo.png")
    theirs = ["photo-prediction.png", "photo-features.png", "confusion.png", "compare.png",
              "patches-conv1-0.png"]
    for name in theirs:
        (tmp_path / name).write_text("mine")
    assert export.main([run, "net.npz"]) == 0
    for _ in range(2):
        assert predict.main([run, photo, "--features", "--patches", "conv1:0"]) == 0
        assert evaluate.main(["net.npz", "--data", str(pictures), "--device", "cpu"]) == 0
        assert compare.main([run]) == 0
    assert all((tmp_path / name).read_text() == "mine" for name in theirs)
    assert sorted(os.listdir()) == sorted(["photo.png", "net.npz", *theirs,
                                           *(name.replace(".png", "-2.png") for name in theirs)])


def test_weights_do_not_replace_a_checkpoint(tiny_run, tmp_path, capsys):
    """A run's checkpoint is minialex's, but no export."""
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    before = contents(run)
    assert export.main([str(run),
                        str(run / "checkpoint-best.npz")]) == 2 and contents(run) == before


@pytest.mark.long
def test_pictures_of_somebody_in_a_runs_folder_stay(pictures, tmp_path):
    """A run that goes on says which of its pictures it has not drawn."""
    run = tmp_path / "run"
    assert command(*TRAIN, "--data", pictures, "--out", run).returncode == 0
    for name in ("filters.png", "report.html"):
        (run / name).write_text("mine")
    (run / "curves.png").unlink()
    done = command("train", "--resume", run)
    assert (done.returncode == 0 and "filters.png was not drawn" in done.stdout
            and "report.html" in done.stdout)
    assert (run / "filters.png").read_text() == (run / "report.html").read_text() == "mine" and (
        run / "curves.png").exists()


# ------------------------------------------------------------------------- runs beside the pictures


@pytest.mark.long
def test_runs_beside_the_classes_are_none(flat, tmp_path):
    """04. Whatever their folder is called; --resume, evaluate and report of the first run go on
    working."""
    pets = tmp_path / "pets"
    shutil.copytree(flat, pets)
    classes = sorted(path.name for path in flat.iterdir())
    assert command(*TRAIN, "--data", ".", cwd=pets).returncode == 0
    assert command(*TRAIN, "--data", ".", "--out", "experiments/leaves", cwd=pets).returncode == 0
    assert command(*TRAIN, "--data", ".", "--out", "leaves/deep/one", cwd=pets).returncode == 0
    again = command(*TRAIN, "--data", ".", "--out", "again", cwd=pets)
    assert again.returncode == 0, again.stderr
    assert json.loads((pets / "again" / "config.json").read_text())["classes"] == classes
    (run,) = (path for path in (pets / "runs").iterdir() if path.is_dir())
    for arguments in (["evaluate", run, "--device", "cpu"], ["report", run, "--device", "cpu"],
                      ["train", "--resume", run]):
        done = command(*arguments, cwd=pets)
        assert done.returncode == 0, (arguments, done.stderr)


def test_own_pictures_are_not_learnt_from(flat, tmp_path, tiny_run):
    """A prediction that was drawn in a class's folder, and a run's pictures below one."""
    pets = tmp_path / "pets"
    shutil.copytree(flat, pets)
    photo = sorted((pets / "leaves").iterdir())[0].name
    assert command("predict", tiny_run, photo, "--features", cwd=pets / "leaves").returncode == 0
    assert (pets / "leaves" / f"{photo[:-4]}-prediction.png").exists()
    shutil.copytree(tiny_run, pets / "leaves" / "tries" / "one")
    train, val = open_data(str(pets), val_fraction=0.2, size=36, report=None)
    names = [os.path.basename(name) for name in [*train.names, *val.names]]
    assert len(names) == 30 and all(name[:2].isdecimal() and len(name) == 6 for name in names)
