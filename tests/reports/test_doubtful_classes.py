"""The announcement warns of a class whose name is rarely one."""

import numpy as np
import pytest
from PIL import Image

from minialex.cli import train


@pytest.mark.parametrize(("names", "warned"),
                         [(("cat", "dog", "test"), ["test"]),
                          (("cat", "Images", "train"), ["Images", "train"]), (("cat", "dog"), [])])
def test_note(tmp_path, capsys, names, warned):
    for label, name in enumerate(names):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(4):
            pixels = np.full((20, 20, 3), 60 * label + number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / name / f"{number}.png")
    assert train.main(["--data", str(tmp_path / "in"), "--variant", "lenet5", "--epochs", "1",
                       "--batch-size", "4", "--device", "cpu", "--dry-run", "--out",
                       str(tmp_path / "run")]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines()
             if "rarely the name of a class" in line]
    assert len(notes) == bool(warned)
    assert not warned or ", ".join(warned) in notes[0]
