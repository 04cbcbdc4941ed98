"""Labs in several processes leave the program that starts them as it was."""

import concurrent.futures
import os
from types import SimpleNamespace

from lessons.labs import seeds


class Pool:
    """Of processes that are this one: what each would be given."""

    def __init__(self, count, context, prepare, arguments):
        self.prepared = prepare, arguments

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, measure, numbers):
        return [(number, os.environ.get("MINIALEX_THREADS")) for number in numbers]


def test_only_the_new_processes_have_one_thread(monkeypatch):
    monkeypatch.delenv("MINIALEX_THREADS", raising=False)
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", Pool)
    lab = SimpleNamespace(__name__="lessons.labs.lab")
    assert list(seeds.measured(lab, None, None, False, [4, 5], 2)) == [(4, None), (5, None)]
    monkeypatch.setattr(seeds.importlib, "import_module",
                        lambda name: SimpleNamespace(open_pictures=lambda folder: folder))
    monkeypatch.setenv("MINIALEX_THREADS", "7")  # put back when the test ends
    monkeypatch.setattr(seeds, "_there", {})
    seeds._prepare("lab", "pictures")
    assert os.environ["MINIALEX_THREADS"] == "1" and seeds._there["pictures"] == "pictures"
