"""The command over files that a test writes."""
import json

import pytest
import warm
from student_files import write

from minialex.gradcheck.__main__ import main
from minialex.grader import sandbox


@pytest.fixture(autouse=True)
def forked(monkeypatch):
    """Most of a short check would be the start of its process."""
    monkeypatch.setattr(sandbox.Process, "_started", warm.started)


@pytest.fixture
def check(tmp_path, capsys, request):
    """Writes files, runs the command: (exit status, results of --json). A test that fails shows
    the results whole."""
    def run(*options, **codes):
        files = [write(tmp_path, name, code) for name, code in codes.items()]
        status = main([*map(str, files), *options, "--json"])
        results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        request.node.add_report_section("call", "results", json.dumps(results, indent=1))
        return status, results
    return run
