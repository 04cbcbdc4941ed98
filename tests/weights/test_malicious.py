"""Nothing in a file of weights ever runs."""

import pickle
import time
import tracemalloc

import malicious
import numpy as np
import pytest

from minialex import weights
from minialex.errors import UserError
from minialex.foreign import pickles, torch

MEBIBYTE = 2**20
OURS = (pickles.Object, pickles.Later, pickles.Array, pickles.Buffer, pickles.Bytes, pickles.Type,
        torch.Tensor, torch.Storage)
REAL = ("os.system", "builtins.eval", "builtins.exec", "nested reduce", "STACK_GLOBAL", "INST",
        "OBJ", "builtins.open", "dotted name in STACK_GLOBAL", "object array with a call in it")


def test_the_attacks_are_real(tmp_path):
    """Python's own pickle module runs them: a list of harmless files would prove nothing."""
    ran = []
    for number, (name, _) in enumerate(malicious.attacks("CANARY")):
        if name in REAL:
            canary = tmp_path / f"canary-{number}"
            try:
                pickle.loads(dict(malicious.attacks(canary))[name])
            except Exception:  # what it returns may be of no use; that it ran is what counts
                pass
            ran.append((name, canary.exists()))
    assert len(ran) == 10 and all(happened for _, happened in ran), ran


def test_none_runs_in_any_kind_of_file(tmp_path):
    canary = tmp_path / "canary"
    files = malicious.files(canary)
    before = [dict(vars(one)) for one in OURS]
    assert len(malicious.attacks(canary)) >= 50 and len(files) >= 160
    for number, (name, ending, content) in enumerate(files):
        path = tmp_path / f"{number}{ending}"
        path.write_bytes(content)
        began = time.process_time()
        tracemalloc.start()
        try:
            with pytest.raises(UserError) as refused:
                weights.read(path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert "\n" not in str(refused.value), name
        assert not canary.exists(), f"{name} ran"
        assert peak < 32 * MEBIBYTE, f"{name} took {peak / MEBIBYTE:.0f} MiB"
        assert time.process_time() - began < 20, f"{name} took {time.process_time() - began:.0f} seconds"  # noqa: E501
    assert before == [dict(vars(one)) for one in OURS], "a file has changed the reader"


def test_a_name_that_is_not_needed_is_named(tmp_path):
    (tmp_path / "x.npy").write_bytes(
        dict((name, content) for name, _, content in malicious.files("c"))["os.system, .npy"])
    with pytest.raises(UserError, match="asks for os.system, which no file of weights needs: "
                       "refused, nothing of it was run"):
        weights.read(tmp_path / "x.npy")


@pytest.mark.parametrize("protocol", range(2, 6))
def test_what_numpy_pickles_is_read(tmp_path, protocol):
    value = {"f": np.arange(6, dtype=np.float32).reshape(2, 3),
             "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
             "big": np.arange(3, dtype=">f4"), "scalar": np.float64(2.5),
             "list": [1, "ä", None, True, 2.5, 10**20, b"x"],
             "object": np.array([1, "two"], dtype=object)}
    (tmp_path / "x").write_bytes(pickle.dumps(value, protocol))
    with open(tmp_path / "x", "rb") as file:
        found = pickles.load(pickles.mapped(file))
    assert found["list"] == value["list"] and found["object"].objects() == [1, "two"] and not found[
        "scalar"]
    for name in ("f", "fortran", "big"):
        np.testing.assert_array_equal(found[name].array(), value[name])


def test_python_2_wrote_bytes_as_text(tmp_path):
    """A pickle as NumPy under Python 2 wrote it: BINSTRING for the bytes."""
    content = np.float32([1, -2]).tobytes()
    text = (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85cnumpy\ndtype\n"  # noqa: E501
            b"U\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U"
            + bytes([len(content)])
            + content + b"tb.")
    (tmp_path / "x").write_bytes(text)
    with open(tmp_path / "x", "rb") as file:
        np.testing.assert_array_equal(pickles.load(pickles.mapped(file)).array(),
                                      np.float32([1, -2]))
