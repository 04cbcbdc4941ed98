"""How much is tried: `python -m pytest` tries what a change is likely to break, `--all` everything
(conftest.py says which).

A test that takes long and fails rarely by itself is marked `@pytest.mark.long`; of many like cases
`first(2, cases)` leaves two, and inside a test or fixture `some(2, things)` does.
"""
import pytest

chosen = {"all": False}


def first(count, cases):
    """Cases for parametrize, of which all but the first `count` are marked long."""
    return [case if number < count
            else pytest.param(*(case if isinstance(case, tuple) else (case,)),
                              marks=pytest.mark.long) for number, case in enumerate(cases)]


def some(count, things):
    """The first `count` of `things`; all of them with --all."""
    return list(things) if chosen["all"] else list(things)[:count]
