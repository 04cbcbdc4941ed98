"""`import minialex` brings the engine and nothing that a program may never use."""
import subprocess
import sys

import pytest

import minialex


def test_importing_the_engine_leaves_the_rest_alone():
    program = """
import sys
import minialex
late = {"matplotlib", "cupy", "threadpoolctl", "PIL", "tqdm", "minialex.gradcheck.check", "minialex.training", "minialex.data"}
assert not late & set(sys.modules), late & set(sys.modules)
from minialex.gradcheck import Report
assert isinstance(minialex.gradcheck(lambda x: x * x, [2.0]), Report)
assert "minialex.gradcheck.check" in sys.modules and minialex.check_backward is minialex.gradcheck.check_backward
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error():
    for holder in (minialex, minialex.gradcheck):
        with pytest.raises(AttributeError, match="no_such_name"):
            getattr(holder, "no_such" + "_name")
