"""Packs that are written again, and a pack whose reader has gone."""
import json
import os
import subprocess
import sys
from pathlib import Path

from test_packing import content, pictures, quiet_pack  # noqa: F401


def test_a_record_that_is_no_record_is_written_again(pictures, tmp_path):  # noqa: F811
    quiet_pack(pictures, tmp_path / "packed")
    good = content(tmp_path / "packed")
    for wrong in ("", "[]", "{}", json.dumps({"checksums": [1], "source": "x", "unreadable": {}}),
                  "\xff"):
        (tmp_path / "packed" / "train-00001.json").write_text(wrong)
        quiet_pack(pictures, tmp_path / "packed")
        assert content(tmp_path / "packed") == good


def test_a_reader_that_has_gone_is_no_mistake(pictures, tmp_path):  # noqa: F811
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([sys.executable, "-m", "minialex.pack", str(pictures),
                            str(tmp_path / "pack")], stdout=writer, stderr=subprocess.PIPE,
                           cwd=Path(__file__).parents[2])
    os.close(writer)
    assert ended.returncode == 141 and b"output cannot be written" not in ended.stderr
