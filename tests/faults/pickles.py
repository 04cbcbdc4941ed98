"""Files that run a program when an ordinary reader opens them. Each would write into a file; none
may."""

import io
import pickle
import sys
import tarfile
import zipfile

import numpy as np
from damage import command
from outcome import Outcome


class Trap:
    """Pickles as a call of `function`, the way such files are made."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call

    def __call__(self):
        """So that the result of one trap can be the function of another."""


def traps(mark):
    """(name, object): each pickled form would leave the file `mark`."""
    import builtins
    import functools
    import importlib
    import operator
    import os
    import runpy
    import subprocess

    write = f"open({str(mark)!r}, 'w').close()"
    shell = f"touch '{mark}'"
    program = mark.with_suffix(".py")
    program.write_text(write)
    yield "os.system", Trap(os.system, shell)
    yield "os.popen", Trap(os.popen, shell)
    yield "subprocess.Popen", Trap(subprocess.Popen, ["touch", str(mark)])
    yield "subprocess.check_output", Trap(subprocess.check_output, ["touch", str(mark)])
    yield "eval", Trap(builtins.eval, f"__import__('os').system({shell!r})")
    yield "exec", Trap(builtins.exec, write)
    yield "open", Trap(builtins.open, str(mark), "w")
    yield "getattr of a module", Trap(Trap(builtins.getattr, Trap(importlib.import_module, "os"),
                                           "system"), shell)
    yield "functools.partial", Trap(functools.partial(os.system, shell))
    yield "operator.methodcaller", Trap(operator.methodcaller("system", shell),
                                        Trap(importlib.import_module, "os"))
    yield "runpy.run_path", Trap(runpy.run_path, str(program))
    yield "numpy.memmap", Trap(np.memmap, str(mark), np.dtype("u1"), "w+", 0, (1,))
    yield "map over os.system", Trap(list, Trap(map, os.system, [shell]))
    yield "beside good weights", {"conv1.weight": np.zeros(3, np.float32),
                                  "extra": Trap(os.system, shell)}


def containers(content, folder):
    """The ways in which files carry pickles: (name, path)."""
    for protocol in (0, 2, 4):
        text = pickle.dumps(content, protocol)
        for ending in ("npz", "npy", "pth", "pkl", "caffemodel", "safetensors"):
            if ending in ("npz", "npy", "pth") or protocol == 2:
                yield f"pickle {protocol} as .{ending}", _file(folder / f"raw{protocol}.{ending}",
                                                               text)
    array = np.empty(1, dtype=object)
    array[0] = content
    np.save(folder / "object.npy", array, allow_pickle=True)
    yield "array of objects", folder / "object.npy"
    np.savez(folder / "object.npz", mean=np.zeros(3), state=array)
    yield "array of objects in an .npz", folder / "object.npz"
    magic = pickle.dumps(0x1950A86A20F9469CFC6C,
                         2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    yield "torch's older form", _file(folder / "older.pth",
                                      magic + pickle.dumps(content, 2) + pickle.dumps([], 2))
    with zipfile.ZipFile(folder / "zip.pth", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, 2))
        archive.writestr("archive/version", "3\n")
    yield "torch's zip form", folder / "zip.pth"
    with tarfile.open(folder / "tar.pth", "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            data = pickle.dumps(content, 2)
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    yield "torch's oldest form, a tar", folder / "tar.pth"


def _file(path, content):
    path.write_bytes(content)
    return path


def none_runs(world, most=None):
    """Each file is given to --init, and as a checkpoint to --resume."""
    row = Outcome("pickle that would run a program", "refused with a sentence; nothing ran")
    folder, mark = world.folder / "pickles", world.folder / "it-ran"
    folder.mkdir()
    sys.setrecursionlimit(5000)
    cases = [(f"{trap}, {form}", path.read_bytes(), path.suffix) for trap, content in traps(mark)
             for form, path in containers(content, folder)]
    for name, content, ending in cases[:: max(1, len(cases) // most) if most else 1]:
        path = _file(folder / f"weights{ending}", content)
        for arguments in (["--data", str(world.pictures), "--variant", "lenet5", "--device", "cpu",
                           "--init", str(path), "--out", str(folder / "run")],
                          ["--resume", str(_as_checkpoint(world, content))]):
            status, said = command(arguments)
            ran = mark.exists()
            row.check(status == 2 and said.count("\n") == 1 and not ran,
                      f"{name}: {'IT RAN' if ran else status} {said[-200:]}")
            mark.unlink(missing_ok=True)
    row.note = (f"{len(list(traps(mark)))} traps in {len(list(containers(0, folder)))} kinds of "
                "files, by --init and --resume")
    return row


def _as_checkpoint(world, content):
    run = world.folder / "trapped"
    run.mkdir(exist_ok=True)
    _file(run / "config.json", (world.whole / "config.json").read_bytes())
    _file(run / "checkpoint-last.npz", content)
    return run
