"""The command over files that a test writes."""
import json

import pytest
from student_files import write

from minialex.gradcheck.__main__ import main


@pytest.fixture
def check(tmp_path, capsys):
    """Writes files, runs the command: (exit status, results of --json)."""
    def run(*options, **codes):
        files = [write(tmp_path, name, code) for name, code in codes.items()]
        status = main([*map(str, files), *options, "--json"])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return run
