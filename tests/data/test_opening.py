"""--data and --subset: every combination is either a set of pictures or a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_files import save

from minialex.data import Subset, open_data, opening, parse_subset
from minialex.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Subset()),
        ("10", Subset(None, 10, None)),
        ("10x100", Subset(None, 10, 100)),
        (" 10X100 ", Subset(None, 10, 100)),
        ("imagenette", Subset("imagenette")),
        ("builtin", Subset("builtin")),
    ],
)
def test_parsing(text, expected):
    assert parse_subset(text) == expected


@pytest.mark.parametrize("text", ["ten", "10x", "x10", "10x10x10", "-5", "1.5", "10 x 10", "²",
                                  "imagenet", "9" * 40])
def test_what_cannot_be_read(text):
    with pytest.raises(UserError, match="none of: 10"):
        parse_subset(text)


@pytest.mark.parametrize("text", ["0", "1", "10x0", "10x1", "0x5"])
def test_too_small(text):
    with pytest.raises(UserError, match="too small"):
        parse_subset(text)


@given(st.text(max_size=12))
def test_any_text_is_understood_or_a_sentence(text):
    try:
        assert isinstance(parse_subset(text), Subset)
    except UserError as error:
        assert str(error).startswith("the subset ")


def test_numbers_limit_a_folder(tmp_path):
    for name in ("a/1", "a/2", "a/3", "b/1", "b/2", "b/3", "c/1", "c/2"):
        save(tmp_path / f"{name}.jpg")
    train, val = open_data(tmp_path, "2x2", report=None)
    assert len(train.classes) == 2 and len(train) == len(val) == 2
    assert len(open_data(tmp_path)[0].classes) == 3


@pytest.mark.parametrize(
    ("data", "subset", "sentence"),
    [
        (None, None, "give --data DIR, or --subset"),
        ("x", "imagenette", "name two sets"),
        ("x", "builtin", "name two sets"),
        ("x", "", "needs a number of classes"),
    ],
)
def test_what_does_not_go_together(data, subset, sentence):
    with pytest.raises(UserError, match=sentence):
        open_data(data, subset)


@pytest.mark.parametrize(
    ("subset", "source", "limits"),
    [
        ("", "builtin", (None, None)),
        ("builtin", "builtin", (None, None)),
        ("5x60", "builtin", (5, 60)),
        ("imagenette", "imagenette", (None, None)),
    ],
)
def test_without_a_folder(monkeypatch, subset, source, limits):
    monkeypatch.setattr(opening, "SOURCES", {name: lambda *where,
                                             name=name: (name, *where) for name in opening.SOURCES})
    monkeypatch.setattr(opening, "open_folder", lambda folder, **options: (folder, options))
    folder, options = open_data(subset=subset, cache_dir="here", seed=3)
    assert folder == (source, "here", True)
    assert options == {"max_classes": limits[0], "max_images": limits[1], "labels": None, "seed": 3}
