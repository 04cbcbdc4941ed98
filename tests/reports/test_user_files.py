"""19, 04: no file of the user's is replaced or removed, and a folder of runs is never a class."""
import os

import pytest
from cases import TRAIN, command, contents, refused

THEIRS = {"config.json": '{"my": "settings"}', "report.html": "mine", "labels.csv.new": "weeks of work", "curves.png": "plot",
          "timing.csv": "1,2,3", "metrics.csv": "a,b"}


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
