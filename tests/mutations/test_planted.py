"""The list of planted errors fits the files that it changes, and names every claim. Planting them
takes minutes: run.py."""
from pathlib import Path

import pytest
from planted import PLANTED

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = {f"{letter}{number}" for letter, count in {"S": 11, "O": 5, "C": 7, "T": 12}.items()
          for number in range(1, count + 1)}


def test_every_claim_has_one():
    assert {claim for claim, *_ in PLANTED} - {"–"} == CLAIMS


@pytest.mark.parametrize("claim, what, file, right, wrong, lesson", PLANTED,
                         ids=lambda value: str(value)[:24])
def test_what_is_to_be_changed_stands_there(claim, what, file, right, wrong, lesson):
    assert right in (ROOT / file).read_text(encoding="utf-8")
    assert right != wrong and len(list((ROOT / "lessons").glob(f"{lesson}_*.py"))) == 1


def test_the_results_list_them_all():
    text = (ROOT / "tests" / "mutations" / "RESULTS.md").read_text(encoding="utf-8")
    assert f"{len(PLANTED)} of {len(PLANTED)} planted errors" in text and "not noticed" not in text
    assert all(f"| {claim} | {what} |" in text for claim, what, *_ in PLANTED)
