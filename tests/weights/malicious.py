"""Files that try to run code, or to take all memory, when they are read as weights. The fault suite
uses the list too.

`attacks(canary)` gives (name, bytes of a pickle); each would create the file `canary` if it ran.
`files(canary)` gives (name, ending, bytes of a file): each pickle as .npy, as both forms of .pth,
and what only files can do.
"""

import io
import pickle
import struct
import tarfile
import zipfile

import numpy as np


class _Call:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def _text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def _global(module, name):
    return f"c{module}\n{name}\n".encode()


def _objects(items):
    """An array of two objects, as NumPy pickles it."""
    return (_global("numpy.core.multiarray", "_reconstruct") + _global("numpy", "ndarray")
            + b"K\x00\x85C\x01b\x87R" + b"(K\x01K\x02\x85" + _global("numpy", "dtype") + _text("O8")
            + b"\x85R\x89](" + items + b"etb")


def attacks(canary):
    """[(name, pickle)], each of which would create the file `canary`, or allocate without end."""
    shell, code = f"touch '{canary}'", f"open({str(canary)!r}, 'w').close()"
    call = b"\x85R."  # a tuple of one argument, call, stop
    return [
        ("os.system", b"\x80\x02" + _global("os", "system") + _text(shell) + call),
        ("posix.system", b"\x80\x02" + _global("posix", "system") + _text(shell) + call),
        ("subprocess.Popen",
         b"\x80\x02" + _global("subprocess", "Popen") + b"](X" + struct.pack("<I", 5) + b"touch"
         + _text(str(canary)) + b"e" + call),
        ("builtins.eval", b"\x80\x02" + _global("builtins", "eval") + _text(code) + call),
        ("builtins.exec", b"\x80\x02" + _global("builtins", "exec") + _text(code) + call),
        ("__builtin__.eval, Python 2",
         b"\x80\x02" + _global("__builtin__", "eval") + _text(code) + call),
        ("builtins.open",
         b"\x80\x02" + _global("builtins", "open") + _text(str(canary)) + _text("w") + b"\x86R."),
        ("getattr chain", b"\x80\x02" + _global("builtins", "getattr") + _global("os", "path")
         + _text("os") + b"\x86R0"
         + _global("builtins", "getattr") + _global("posixpath", "os") + _text("system") + b"\x86R"
         + _text(shell) + call),
        ("dotted name in STACK_GLOBAL",
         b"\x80\x04" + _text("posixpath") + _text("os.system") + b"\x93" + _text(shell) + call),
        ("STACK_GLOBAL",
         b"\x80\x04" + _text("os") + _text("system") + b"\x93" + _text(shell) + call),
        ("STACK_GLOBAL from the memo",
         b"\x80\x04" + _text("os") + b"\x94" + _text("system") + b"\x940h\x00h\x01\x93"
         + _text(shell) + call),
        ("nested reduce", pickle.dumps([{"a": (1, [_Call(eval, code)])}])),
        ("reduce in a dictionary's key", pickle.dumps({_Call(eval, code): 1})),
        ("NEWOBJ", b"\x80\x02" + _global("subprocess", "Popen") + _text(shell) + b"\x85\x81."),
        ("NEWOBJ_EX", b"\x80\x04" + _global("subprocess", "Popen") + b"]" + _text("touch")
         + _text(str(canary)) + b"e\x85}\x92."),
        ("INST", b"(" + f"S'{shell}'\n".encode() + b"ios\nsystem\n."),
        ("OBJ", b"(" + _global("os", "system") + f"S'{shell}'\n".encode() + b"o."),
        ("BUILD that calls __setstate__",
         b"\x80\x02" + _global("os", "system") + b"}" + _text("__setstate__")
         + _global("os", "system") + b"sb" + _text(shell) + b"b."),
        ("BUILD on a name that is allowed",
         b"\x80\x02" + _global("numpy", "ndarray") + b"}" + _text("x")
         + _global("os", "system") + b"sb."),
        ("persistent identifier",
         b"\x80\x02" + _global("os", "system") + _text(shell) + b"\x85RQ."),
        ("persistent identifier as text", f"P{shell}\n.".encode()),
        ("extension registry", b"\x80\x02\x82\x01."),
        ("numpy.load", b"\x80\x02" + _global("numpy", "load") + _text(str(canary)) + call),
        ("numpy.testing's exec", b"\x80\x02" + _global("numpy.testing._private.utils", "runstring")
         + _text(code) + b"}\x86R."),
        ("numpy f2py's exec",
         b"\x80\x02" + _global("numpy.f2py.crackfortran", "myeval") + _text(code) + call),
        ("_reconstruct with another class",
         b"\x80\x02" + _global("numpy.core.multiarray", "_reconstruct")
         + _global("subprocess", "Popen") + b"K\x00\x85C\x01b\x87R."),
        ("object array with a call in it",
         pickle.dumps(np.array([_Call(eval, code)], dtype=object))),
        ("torch.load", b"\x80\x02" + _global("torch", "load") + _text(str(canary)) + call),
        ("functools.partial",
         b"\x80\x02" + _global("functools", "partial") + _global("os", "system") + _text(shell)
         + b"\x86R)R."),
        ("operator.attrgetter",
         b"\x80\x02" + _global("operator", "attrgetter") + _text("system") + b"\x85R"
         + _global("posix", "__dict__") + call),
        ("importlib",
         b"\x80\x02" + _global("importlib", "import_module") + _text("antigravity") + call),
        ("code in the second of two pickles",
         pickle.dumps({}) + b"\x80\x02" + _global("os", "system") + _text(shell) + call),
        ("huge array", b"\x80\x02" + _global("numpy.core.multiarray", "_reconstruct")
         + _global("numpy", "ndarray")
         + b"\x8a\x06" + (10**13).to_bytes(6, "little") + b"\x85C\x01b\x87R."),
        ("huge shape in BUILD",
         pickle.dumps(np.zeros(3, np.float32), 2).replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85")),
        ("huge text", b"\x80\x04\x8d" + (2**62).to_bytes(8, "little") + b"x."),
        ("huge bytes", b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"x."),
        ("huge integer", b"\x80\x02\x8b" + (2**31 - 1).to_bytes(4, "little") + b"x."),
        ("huge memo index", b"\x80\x02]r\xff\xff\xff\x7f."),
        ("lists that double", b"\x80\x02]q\x00"
         + b"".join(b"](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1])
                                                            for n in range(200)) + b"."),
        ("a list in itself", b"\x80\x02]q\x00h\x00a."),
        ("deep nesting", b"\x80\x02" + b"]" * 50_000 + b"a" * 49_999 + b"."),
        ("tuples that double, as a key", b"\x80\x02}N\x85q\x00" + b"".join(
            b"0h" + bytes([n]) + b"h" + bytes([n]) + b"\x86q" + bytes([n + 1]) for n in range(200))
         + b"Ns."),
        ("tuples that double, in a set", b"\x80\x04\x8f(N\x85\x94" + b"".join(
            b"0h" + bytes([n]) + b"h" + bytes([n]) + b"\x86\x94" for n in range(200)) + b"\x90."),
        ("a long tuple as a key again and again",
         b"\x80\x02}(" + b"N" * 50_000 + b"tq\x00" + b"0" + b"h\x00Ns" * 50_000 + b"."),
        ("a long text encoded again and again",
         b"\x80\x02" + _global("_codecs", "encode") + b"q\x00" + _text("x" * 2**20)
         + b"q\x01X\x06\x00\x00\x00latin1q\x02" + b"h\x00h\x01h\x02\x86Rh\x00h\x01h\x02\x86R" * 500
         + b"N."),
        ("object arrays that double", b"\x80\x02" + _objects(b"NN") + b"q\x00" + b"".join(
            _objects(b"h" + bytes([n]) + b"h" + bytes([n])) + b"q" + bytes([n + 1])
            for n in range(60)) + b"."),
        ("attributes of a class",
         b"\x80\x02" + _global("argparse", "Namespace") + b"N}" + _text("__init__")
         + _global("numpy", "dtype") + b"s\x86b."),
        ("attributes of a function",
         b"\x80\x02" + _global("numpy", "dtype") + b"N}" + _text("make") + b"Ns\x86b."),
        ("a frame longer than the file", b"\x80\x04\x95" + (2**60).to_bytes(8, "little") + b"N."),
        ("a memo with gaps", b"\x80\x02Nr" + (10**8).to_bytes(4, "little") + b"."),
        ("an array of a type that is none",
         b"\x80\x02" + _global("numpy", "dtype") + _text("(1000000000,)f8") + b"\x85R."),
        ("a stack that is empty", b"\x80\x02R."),
        ("a mark that is missing", b"\x80\x02]e."),
        ("a future protocol", b"\x80\x63]."),
    ]


def files(canary):
    """[(name, ending, bytes)]: every attack in every kind of file that holds a pickle, and archives
    that are attacks."""
    found = []
    for name, attack in attacks(canary):
        found += [(f"{name}, .npy", ".npy", _npy(attack)),
                  (f"{name}, .pth zip", ".pth", _zip(attack)),
                  (f"{name}, .pth legacy", ".pth", _legacy(attack)),
                  (f"{name}, .npz", ".npz", _npz(attack))]
    found.append(("compressed bomb, .pth", ".pth",
                  _zip(b"\x80\x02]" + bytes(2**20), zipfile.ZIP_DEFLATED)))
    found.append(("bomb, .npz", ".npz", _bomb()))
    found.append(("header that calls, .npy", ".npy",
                  _npy(b"", f"__import__('os').system({f'touch {canary}'!r})".encode())))
    found.append(("huge header, .safetensors", ".safetensors",
                  struct.pack("<Q", 99_999_999) + b'{"a": 1}'))
    found.append(("holes of a terabyte, .pth tar", ".pth", _sparse_tar()))
    found.append(("bare pickle", ".pkl", attacks(canary)[0][1]))
    return found


def _npy(pickled, header=b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"):
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickled


def _zip(pickled, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


def _legacy(pickled):
    start = [0x1950A86A20F9469CFC6C, 1001,
             {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]
    return b"".join(pickle.dumps(part, 2) for part in start) + pickled + pickle.dumps([], 2)


def _npz(pickled):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model/conv1.weight.npy", _npy(pickled))
    return file.getvalue()


def _sparse_tar():
    """PyTorch's form of 2016 whose storage is a hole: GNU's sparse member, with 2^40 bytes and none
    of them in the file."""
    storages = pickle.dumps(1, 2) + b"\x80\x02(" + _text("1") + _text("cpu") + _global(
        "torch", "FloatStorage") + b"t."
    storages += struct.pack("<q", 2**38)
    members = {"sys_info": pickle.dumps({}, 2), "pickle": b"\x80\x02}.",
               "tensors": pickle.dumps(0, 2), "storages": storages}
    blocks = []
    for name, content in members.items():
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        header = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
        if name == "storages":
            header[156:157] = b"S"
            header[386:410] = b"%011o\0%011o\0" % (0, len(content))  # where the only part is
            header[483:495] = b"\x80" + (2**40).to_bytes(11, "big")
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        blocks += [bytes(header), content, bytes(-len(content) % 512)]
    return b"".join(blocks) + bytes(1024)


def _bomb():
    """An .npz whose directory says that 32 GiB are in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", bytes(64))
    content = bytearray(file.getvalue())
    at = content.index(b"PK\x01\x02") + 24  # the directory's uncompressed size
    content[at : at + 4] = b"\xfe\xff\xff\xff"
    return bytes(content)
