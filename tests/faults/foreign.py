"""Weight files of other programs: of other networks, and hostile ones of every kind that is
read."""

import sys
from pathlib import Path

from damage import command
from outcome import Outcome

sys.path.append(str(Path(__file__).resolve().parents[1] / "weights"))


def other_networks(folder, most=None):
    """.caffemodel files with AlexNet's names and shapes, each with one layer that computes
    otherwise, given to --init."""
    import caffe_files
    from test_caffe_layers import CONV1, NETWORKS

    row = Outcome("weights of another network", "refused by the first layer that differs")
    kinds = list(NETWORKS.items())
    for name, (change, _) in kinds[:: max(1, len(kinds) // most) if most else 1]:
        layers = caffe_files.layers(CONV1)
        change(layers)
        _refused(row, folder / "other.caffemodel", caffe_files.file(layers), name,
                 "another network than AlexNet")
    return row


def hostile(folder, most=None):
    """tests/weights/malicious.py's files, given to --init."""
    import malicious

    row = Outcome("weights that take memory, time or a program",
                  "refused with a sentence; nothing ran")
    canary = folder / "hostile-ran"
    files = malicious.files(canary)
    for name, ending, content in files[:: max(1, len(files) // most) if most else 1]:
        _refused(row, folder / f"hostile{ending}", content, name)
        row.check(not canary.exists(), f"{name} ran")
    return row


def _refused(row, path, content, name, said=""):
    path.write_bytes(content)
    status, text = command(["--subset", "--device", "cpu", "--init", str(path), "--out",
                            str(path.parent / "foreign-run")])
    row.check(status == 2 and text.count("\n") == 1 and said in text,
              f"{name}: {status} {text[-200:]}")
