"""Every kind of bad input of bad_inputs.py: opened and loaded, strictly too, packed, and through
the command line."""

import os
import re
from contextlib import nullcontext

import pytest
from bad_inputs import KINDS, NAMES, REFUSED, SKIPPED, USED, forbidden, lacking

from minialex.cli import pack as pack_command
from minialex.data import Loader, open_data, statistics
from minialex.data.packing import pack
from minialex.errors import UserError

SIZE = 20


def load(root, **options):
    """Read everything as an epoch of training does. Returns (number of training pictures,
    problems)."""
    said = []
    train, val = open_data(root, size=SIZE, report=lambda *problem: said.append(problem), **options)
    found = statistics(train)
    count = sum(len(labels) for _, labels in Loader(train, 4, 16, statistics=found))
    assert sum(len(labels) for _, labels in Loader(val, 4, 16, train=False, statistics=found)) > 0
    assert said == train.problems + val.problems
    return count, said


@pytest.fixture(params=KINDS, ids=NAMES)
def kind(request):
    reason = lacking(request.param.needs)
    if reason:
        pytest.skip(reason)
    return request.param


@pytest.fixture
def built(kind, tmp_path):
    """What to open; while the test lasts, what is `denied` cannot be read."""
    root = os.path.abspath(kind.make(tmp_path / "in"))
    with forbidden(os.path.join(root, kind.denied)) if kind.denied else nullcontext():
        yield root


def in_one_line(sentence):
    return len(sentence.splitlines()) == 1 and "Traceback" not in sentence


def is_the_one_line(problems, kind, root):
    (path, reason), *others = problems
    assert not others and in_one_line(f"{path}: {reason}")
    expected = os.path.join(root, *kind.path.split("/"))
    assert path == expected or kind.path.endswith("...") and path.startswith(expected[:-3]), path
    assert re.search(kind.says, reason), reason


def test_loaded(kind, built):
    if kind.outcome == REFUSED:
        with pytest.raises(UserError, match=kind.says) as refused:
            load(built)
        assert in_one_line(str(refused.value))
        return
    count, problems = load(built)
    assert count >= 12
    if kind.outcome == USED:
        assert problems == []
    else:
        is_the_one_line(problems, kind, built)


def test_strict(kind, built):
    if kind.outcome == USED or kind.outcome == SKIPPED and not kind.stops:
        load(built, strict=True)
        return
    name = re.escape(os.path.basename(kind.path))
    expected = f"{name}.*({kind.says})" if kind.outcome == SKIPPED else f"{kind.says}|--strict: .*"
    with pytest.raises(UserError, match=expected) as refused:
        load(built, strict=True)
    assert in_one_line(str(refused.value))


def test_packed(kind, built, tmp_path):
    """The same from a pack: each file is skipped when it is packed, and named again when the pack
    is used."""
    said = []
    if kind.outcome == REFUSED:
        with pytest.raises(UserError, match=kind.says):
            pack(built, tmp_path / "packed", SIZE, report=None, progress=False)
            load(str(tmp_path / "packed"))
        return
    done = pack(built, tmp_path / "packed", SIZE, report=lambda *problem: said.append(problem),
                progress=False)
    assert said == done.skipped
    count, problems = load(str(tmp_path / "packed"))
    assert count == load(built)[0]
    if kind.outcome == USED:
        assert said == problems == []
    elif kind.path != "val":  # which names a class that is not there, so no file
        is_the_one_line(said, kind, built)
        is_the_one_line(problems, kind, str(tmp_path / "packed"))


@pytest.mark.long
def test_from_the_command_line(kind, built, tmp_path, capsys):
    status = pack_command.main([built, str(tmp_path / "packed"), "--size", str(SIZE)])
    out, error = capsys.readouterr()
    assert "Traceback" not in out + error
    if (kind.outcome == REFUSED and "none of the" not in kind.says
        and "none of the classes" not in kind.says):
        assert status == 2 and error.count("\n") == 1 and error.startswith("minialex.pack: ")
    else:
        assert status == 0
        if kind.outcome == SKIPPED and kind.path != "val":
            assert error.count("\n") == 1 and error.startswith(
                "skipped ") and "skipped  1 files or folders" in out
