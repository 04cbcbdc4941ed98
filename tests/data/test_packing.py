"""A pack: the same pictures as the tree, whatever happens while it is written, and a sentence when
it cannot be used."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from picture_files import save

from minialex.cli import pack as command
from minialex.data import Loader, open_data, open_folder, packing, shards, statistics
from minialex.data.packing import Pack, pack
from minialex.errors import UserError

ROOT = Path(__file__).parents[2]


def fill(folder, count, seed=0):
    """`count` small noisy pictures."""
    noise = np.random.default_rng(seed)
    for number in range(count):
        save(folder / f"{number:02d}.png", noise.integers(0, 256, (8, 8, 3), dtype=np.uint8))


@pytest.fixture
def pictures(tmp_path):
    """A tree with given parts, one picture that is damaged, one file that is none, and a class that
    only val/ has."""
    for part, count in (("train", 6), ("val", 3)):
        for seed, name in enumerate(("cat", "Käfer", "z-last")):
            fill(tmp_path / "tree" / part / name, count, seed)
    (tmp_path / "tree/train/cat/03.png").write_bytes(b"damaged")
    (tmp_path / "tree/val/z-last/00.png").write_bytes(b"")
    (tmp_path / "tree/train/cat/notes.txt").write_text("x")
    save(tmp_path / "tree/val/unknown/1.png")
    return tmp_path / "tree"


def quiet_pack(source, target, **options):
    return pack(source, target,
                **{"size": 16, "report": None, "progress": False, "per_shard": 4} | options)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def same_sets(one, other):
    for ours, theirs in zip(one, other, strict=True):
        assert ours.classes == theirs.classes and ours.names == theirs.names and (
            ours.labels == theirs.labels).all()


@pytest.mark.parametrize("options", [{}, {"max_classes": 2}, {"max_images": 2, "seed": 3}])
def test_the_same_sets_as_from_the_tree(pictures, tmp_path, options):
    quiet_pack(pictures, tmp_path / "packed")
    tree = open_folder(pictures, size=16, report=None, **options)
    packed = open_folder(tmp_path / "packed", size=16, report=None, **options)
    same_sets(packed, tree)
    assert [(os.path.relpath(path, tmp_path / "packed"),
             reason.replace(str(tmp_path / "packed"), str(pictures)))
            for path, reason in packed[0].problems] == [(os.path.relpath(p, pictures), r)
                                                        for p, r in tree[0].problems]


@pytest.mark.parametrize("train", [True, False])
def test_the_same_batches_mean_and_problems_as_from_the_tree(pictures, tmp_path, train):
    """The damaged picture's place is taken by the same other one."""
    quiet_pack(pictures, tmp_path / "packed")
    tree = open_folder(pictures, size=16, report=None)[not train]
    packed = open_data(str(tmp_path / "packed"), size=16, report=None)[not train]
    ours, theirs = statistics(packed), statistics(tree)
    assert ours.mean.tobytes() == theirs.mean.tobytes() and ours.std == theirs.std
    loaders = (Loader(part, 4, 9, train, statistics=found)
               for part, found in ((packed, ours), (tree, theirs)))
    for left, right in zip(*loaders, strict=True):
        assert left[0].tobytes() == right[0].tobytes() and (left[1] == right[1]).all()
    assert [reason for _, reason in packed.problems] == [reason for _, reason in tree.problems]


def test_a_tree_without_val_is_divided_as_ever(tmp_path):
    for seed, name in enumerate("ab"):
        fill(tmp_path / "tree" / name, 10, seed)
        fill(tmp_path / "tree" / name / "more", 2, seed)
    quiet_pack(tmp_path / "tree", tmp_path / "packed")
    for options in ({}, {"val_fraction": 0.5}, {"seed": 1}):
        same_sets(open_folder(tmp_path / "packed", size=16, **options),
                  open_folder(tmp_path / "tree", size=16, **options))


def test_any_numpy_reads_it(pictures, tmp_path):
    quiet_pack(pictures, tmp_path / "packed")
    shard = np.load(tmp_path / "packed" / "train-00000.npy", mmap_mode="r")
    assert shard.shape == (4, 3, 16, 16) and shard.dtype == np.uint8
    expected = open_folder(pictures, size=16, report=None)[0].planes(1)
    assert (shard[1] == expected).all()


def test_what_is_skipped_is_said_and_counted(pictures, tmp_path):
    said = []
    done = quiet_pack(pictures, tmp_path / "packed", report=lambda *problem: said.append(problem))
    names = [os.path.relpath(path, pictures).replace(os.sep, "/") for path, _ in said]
    assert names == ["train/cat/notes.txt", "val/unknown", "train/cat/03.png", "val/z-last/00.png"]
    assert said[3][1] == "the file is empty" and len(
        done.skipped) == 4 and done.decoded == 18 + 9 - 2
    again = quiet_pack(pictures, tmp_path / "packed")
    assert again.decoded == 0 and again.skipped == done.skipped


def test_strict_stops_at_the_first(pictures, tmp_path):
    with pytest.raises(UserError, match="--strict: .*unknown"):
        quiet_pack(pictures, tmp_path / "packed", strict=True)
    shutil.rmtree(pictures / "val" / "unknown")
    for _ in range(2):  # also when the shard is there
        with pytest.raises(UserError, match="--strict: .*03.png: its content is not a picture"):
            quiet_pack(pictures, tmp_path / "packed", strict=True)
        quiet_pack(pictures, tmp_path / "packed")


def test_only_what_has_changed_is_packed_anew(pictures, tmp_path):
    quiet_pack(pictures, tmp_path / "packed")
    before = content(tmp_path / "packed")
    save(pictures / "train/cat/03.png", colour=(1, 2, 3))
    assert quiet_pack(pictures, tmp_path / "packed").decoded == 4  # its shard
    changed = {name for name, bytes_ in content(tmp_path / "packed").items()
               if before[name] != bytes_}
    assert changed == {"train-00002.npy", "train-00002.json", "index.npz"}
    assert (open_folder(tmp_path / "packed",
                        size=16)[0].planes(open_folder(pictures, size=16)[0].names.index(
        os.path.join("train", "cat", "03.png"))) == np.array([1, 2, 3]).reshape(3, 1, 1)).all()


def test_a_picture_that_vanishes_while_it_is_packed_is_left_out_and_looked_for_again(tmp_path,
                                                                                     monkeypatch):
    for seed, name in enumerate("ab"):
        fill(tmp_path / "tree" / name, 4, seed)
    found = packing.scan(tmp_path / "tree")
    monkeypatch.setattr(packing, "scan", lambda *given, **options: found)
    content = (tmp_path / "tree/a/01.png").read_bytes()
    (tmp_path / "tree/a/01.png").unlink()
    (_, reason), = quiet_pack(tmp_path / "tree", tmp_path / "packed").skipped
    assert reason == "No such file or directory"
    assert quiet_pack(tmp_path / "tree", tmp_path / "packed").decoded == 0
    (tmp_path / "tree/a/01.png").write_bytes(content)
    done = quiet_pack(tmp_path / "tree", tmp_path / "packed")
    assert done.decoded == 4 and done.skipped == []


def test_a_tree_that_shrank_leaves_nothing_behind(pictures, tmp_path):
    quiet_pack(pictures, tmp_path / "packed")
    shutil.rmtree(pictures / "train" / "z-last")
    quiet_pack(pictures, tmp_path / "packed")
    quiet_pack(pictures, tmp_path / "fresh")
    assert content(tmp_path / "packed") == content(tmp_path / "fresh")


KILLED = """
import time
from minialex.data import packing, shards
write = shards.replacing
# 150 files: it never ends before the blow comes
shards.replacing = lambda path: time.sleep(0.02) or write(path)
packing.pack({!r}, {!r}, 16, 2, report=None, per_shard=4)
print('done')
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_killed_at_any_moment_it_goes_on_and_ends_with_the_same_bytes(tmp_path):
    for seed, name in enumerate("abcde"):
        fill(tmp_path / "tree" / name, 60, seed)
    quiet_pack(tmp_path / "tree", tmp_path / "whole")
    code = KILLED.format(str(tmp_path / "tree"), str(tmp_path / "killed"))
    kills, moments = 0, random.Random(1)
    while True:
        begun = set(os.listdir(tmp_path / "killed")) if (tmp_path / "killed").exists() else set()
        process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for_more(tmp_path / "killed", begun, process)
        time.sleep(moments.uniform(0, 0.02))
        if kills < 12:
            process.kill()
        out, error = process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -9 and error == ""
        kills += 1
        with pytest.raises(UserError,
                           match="not packed to the end|is a file|no folder|holds no class"):
            open_data(str(tmp_path / "killed"), size=16)
    assert kills >= 5 and out == "done\n"
    assert content(tmp_path / "killed") == content(tmp_path / "whole") and Pack(
        tmp_path / "killed").verify(progress=False) == []


def wait_for_more(folder, begun, process):
    """Until the process has written a new file, or ended."""
    while process.poll() is None:
        if folder.exists() and set(os.listdir(folder)) - begun:
            return
        time.sleep(0.001)


@pytest.mark.parametrize("place", [-1, -300, 200])
def test_changed_pixels_are_found_when_read_and_by_verify_and_mended(pictures, tmp_path, place):
    quiet_pack(pictures, tmp_path / "packed")
    good = content(tmp_path / "packed")
    shard = bytearray(good["train-00001.npy"])
    shard[place] ^= 4
    (tmp_path / "packed" / "train-00001.npy").write_bytes(shard)
    said = []
    train, _ = open_folder(tmp_path / "packed", size=16,
                           report=lambda path, reason: said.append(reason))
    for number in range(len(train)):
        train.planes_or_next(number)
    assert [reason for reason in said if "have changed since they were packed" in reason]
    wrong = Pack(tmp_path / "packed").verify(progress=False)
    assert len(wrong) == 1 and "train-00001.npy have changed" in wrong[0][1]
    quiet_pack(pictures, tmp_path / "packed", verify=True)
    assert content(tmp_path / "packed") == good


@pytest.mark.parametrize("name", ["train-00001.npy", "index.npz", "pack.json"])
def test_every_cut_or_flipped_file_is_refused_or_harmless(pictures, tmp_path, name):
    quiet_pack(pictures, tmp_path / "packed")
    good = content(tmp_path / "packed")
    expected = [planes.tobytes() for planes in readable(tmp_path / "packed")]
    places, refused = random.Random(2), 0
    for attempt in range(40):
        damaged = bytearray(good[name])
        place = places.randrange(len(damaged))
        if attempt % 2:
            damaged = damaged[:place]
        else:
            damaged[place] ^= 1 << places.randrange(8)
        (tmp_path / "packed" / name).write_bytes(damaged)
        try:
            got = [planes.tobytes() for planes in readable(tmp_path / "packed")]
            assert set(got) <= set(expected)  # what can be read is right
            refused += got != expected
        except UserError as error:
            assert "\n" not in str(error) and str(tmp_path / "packed") in str(error)
            refused += 1
    assert refused >= 20  # each cut one at least
    (tmp_path / "packed" / name).write_bytes(good[name])
    assert [planes.tobytes() for planes in readable(tmp_path / "packed")] == expected


def test_a_shard_that_is_another_file_of_numpys_is_refused(pictures, tmp_path):
    quiet_pack(pictures, tmp_path / "packed")
    shutil.copy(tmp_path / "packed" / "index.npz", tmp_path / "packed" / "train-00001.npy")
    with pytest.raises(UserError, match="train-00001.npy is missing or damaged"):
        open_folder(tmp_path / "packed", size=16)
    assert quiet_pack(pictures, tmp_path / "packed").decoded == 4


def readable(folder):
    for part in open_folder(folder, size=16, report=None):
        for number in range(len(part)):
            try:
                yield part.planes(number)
            except UserError:
                continue


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_a_full_disk_is_a_sentence_and_what_is_finished_stays(pictures, tmp_path, monkeypatch):
    write = shards.replacing

    def full(path):
        return write("/dev/full" if path.endswith("train-00002.npy") else path)

    monkeypatch.setattr(shards, "replacing", full)
    with pytest.raises(UserError, match="No space left on device; what is packed so far stays"):
        quiet_pack(pictures, tmp_path / "packed")
    monkeypatch.undo()
    assert (tmp_path / "packed" / "train-00001.json").exists()
    assert quiet_pack(pictures, tmp_path / "packed").decoded == 18 - 8 - 1 + 9 - 1


def test_too_little_room_is_said_before_the_work_begins(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(packing.shutil, "disk_usage",
                        lambda folder: shutil._ntuple_diskusage(100, 90, 10))
    with pytest.raises(UserError, match=r"packing needs [0-9.]+ MB and .* has 0\.0 MB free"):
        quiet_pack(pictures, tmp_path / "packed")


def wrong_places(pictures, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    for name, file, text in (("lock", "lock", "my key"),
                             ("manifest", "pack.json", '{"name": "texture pack"}'),
                             ("unfinished", "pack.json.part", "x")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(text)
    quiet_pack(pictures, tmp_path / "packed")
    return {
        "inside": (pictures, pictures / "packed", "lie in one another"),
        "itself": (pictures, pictures, "lie in one another"),
        "above": (pictures / "train", pictures, "lie in one another"),
        "packed": (tmp_path / "packed", tmp_path / "new", "is packed already"),
        "file": (pictures, tmp_path / "full" / "thesis.tex", "is a file"),
        "other files": (pictures, tmp_path / "full", "holds other files"),
        "lock": (pictures, tmp_path / "lock", "holds other files"),
        "manifest": (pictures, tmp_path / "manifest", "holds other files"),
        "unfinished": (pictures, tmp_path / "unfinished", "holds other files"),
        "absent": (tmp_path / "absent", tmp_path / "new", "there is no folder"),
    }


@pytest.mark.parametrize("case", ["inside", "itself", "above", "packed", "file", "other files",
                                  "lock", "manifest", "unfinished", "absent"])
def test_wrong_places_are_sentences(pictures, tmp_path, case, capsys):
    source, target, sentence = wrong_places(pictures, tmp_path)[case]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=sentence):
        quiet_pack(source, target)
    assert command.main([str(source), str(target)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_another_size_is_a_sentence(pictures, tmp_path):
    quiet_pack(pictures, tmp_path / "packed")
    with pytest.raises(UserError, match="holds pictures of 16×16, not 20×20"):
        quiet_pack(pictures, tmp_path / "packed", size=20)
    with pytest.raises(UserError, match="holds pictures of 16×16, "
                       "this network needs 256×256: .* --size 256"):
        open_folder(tmp_path / "packed")


@pytest.mark.skipif(sys.platform == "win32", reason="needs flock")
def test_two_packers_do_not_meet(pictures, tmp_path):
    with packing._alone_in(str(tmp_path / "packed"), 16, 4):
        with pytest.raises(UserError, match="another program is packing into"):
            quiet_pack(pictures, tmp_path / "packed")


def test_the_command(pictures, tmp_path, capsys):
    packed = str(tmp_path / "packed")
    assert command.main([str(pictures), packed, "--size", "16"]) == 0
    out, error = capsys.readouterr()
    assert ("3 classes, 18 for train, 9 for val, 16×16; "
            "25 decoded now" in out and "skipped  4 files" in out)
    assert f"--data {packed}" in out and error.count("skipped ") == 4
    assert command.main(["--verify",
                         packed]) == 0 and "every checksum is right" in capsys.readouterr().out
    path = tmp_path / "packed" / "val-00000.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    assert (command.main(["--verify", packed]) == 1
            and "1 pictures are not what was packed" in capsys.readouterr().out)
    assert command.main([str(pictures), packed, "--size", "16", "--verify"]) == 0
    assert command.main(["--verify", str(pictures)]) == 2
    for wrong in ([], [packed], [packed] * 3, [packed, "--size", "0"], [packed, "--size", "x"]):
        assert command.main(wrong) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")
@pytest.mark.parametrize("hard, outcome", [(4096, "40 5\n"), (30, "UserError")])
def test_more_shards_than_files_may_be_open(tmp_path, hard, outcome):
    """ImageNet's 326 are more than macOS lets a program open, 256, without being asked."""
    for name in "abcde":
        fill(tmp_path / "tree" / name, 9)
    quiet_pack(tmp_path / "tree", tmp_path / "packed", per_shard=1)
    code = (f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (30, {hard}))\n"
            f"from minialex.data import open_folder\n"
            f"train, val = open_folder({str(tmp_path / 'packed')!r}, 0.1, size=16)\n"
            "print(sum(1 for n in range(len(train)) if train.planes(n) is not None), len(val))")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout == outcome if hard > 100
            else "raise the number with ulimit -n" in done.stderr.splitlines()[-1])


def test_a_pack_goes_on_with_the_shards_it_was_begun_with(pictures, tmp_path):
    quiet_pack(pictures, tmp_path / "packed", per_shard=3)
    assert quiet_pack(pictures, tmp_path / "packed", per_shard=7).decoded == 0


def test_names_of_any_bytes(tmp_path):
    for seed, name in enumerate("ab"):
        fill(tmp_path / "tree" / name, 3, seed)
    try:
        os.rename(tmp_path / "tree/a/00.png", os.fsencode(tmp_path) + b"/tree/a/\xff\n\xfe.png")
    except OSError:
        pytest.skip("this system has no such names")
    quiet_pack(tmp_path / "tree", tmp_path / "packed")
    same_sets(open_folder(tmp_path / "packed", size=16), open_folder(tmp_path / "tree", size=16))
