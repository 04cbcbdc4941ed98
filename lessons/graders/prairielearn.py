"""PrairieLearn: pytest with pytest-prairielearn-grader runs this. The student's file runs in a
process of its own."""
import sys
from pathlib import Path

import pytest  # noqa: F401

HERE = Path(__file__).resolve().parent
# the platform moves all other files of tests/ there, and what was handed in beside them
HOME = next(HERE / name for name in ("test_student", ".") if (HERE / name / "grader").is_dir())
sys.path.insert(0, str(HOME / "grader"))

from minialex.grader.grading import assignment_in, grade  # noqa: E402

ASSIGNMENT = assignment_in(HOME / "grader")


def judged(name, feedback):
    """Grade one item and give its points and its words to the platform's feedback."""
    (test,) = grade(ASSIGNMENT, HOME / "student", HOME / "grader", only=[name])["tests"]
    feedback.add_message(test["feedback"])
    feedback.set_score_final(test["score"] / test["points"] if test["points"] else 1.0)


# one function for each item follows
