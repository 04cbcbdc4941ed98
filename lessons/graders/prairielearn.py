"""PrairieLearn: pytest with pytest-prairielearn-grader runs this. The student's file runs in a
process of its own."""
import sys
from pathlib import Path

import pytest  # noqa: F401

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "grader"))

from minialex.grader.grading import assignment_in, grade  # noqa: E402

ASSIGNMENT = assignment_in(HERE / "grader")


def submitted():
    """Where the student's files are: beside the tests on the platform, in a folder of the test's
    name in local runs."""
    for folder in (HERE / "test_student" / "student", HERE / "test_student",
                   HERE.parent / "student", HERE / "student"):
        if folder.is_dir():
            return folder
    return HERE / "student"


def judged(name, feedback):
    """Grade one item and give its points and its words to the platform's feedback."""
    (test,) = grade(ASSIGNMENT, submitted(), HERE / "grader", only=[name])["tests"]
    feedback.add_message(test["feedback"])
    feedback.set_score_final(test["score"] / test["points"] if test["points"] else 1.0)


# one function for each item follows
