"""Gradescope: run_autograder runs this; it grades ROOT/submission and writes
ROOT/results/results.json, which stays closed."""
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VISIBLE = "visible"


def main(root: Path) -> None:
    """Grade what was handed in below this folder of Gradescope's."""
    from minialex.grader.grading import assignment_in, grade, write

    (root / "results").mkdir(parents=True, exist_ok=True)
    (root / "results").chmod(0o700)
    try:
        written = results(grade(assignment_in(HERE), root / "submission", HERE))
    except Exception as error:  # a fault of ours: the platform shows it, and no points are taken
        written = {"output": f"The grader failed, not your code: {type(error).__name__}: {error}",
                   "visibility": VISIBLE, "stdout_visibility": "hidden"}
    write(root / "results" / "results.json", json.dumps(written, indent=1))


def results(graded: dict) -> dict:
    """The dictionary of results.json."""
    from minialex import __version__

    right = sum(test["passed"] for test in graded["tests"])
    tests = [{"score": test["score"], "max_score": test["points"], "name": test["name"],
              "number": str(number), "output": test["feedback"], "output_format": "text",
              "status": "passed" if test["passed"] else "failed", "tags": test["verdicts"][:10],
              "visibility": VISIBLE} for number, test in enumerate(graded["tests"], 1)]
    return {"score": graded["score"], "execution_time": graded["seconds"],
            "output": f"{right} of {len(tests)} right. Your code ran with {graded['protection']}.",
            "visibility": VISIBLE, "stdout_visibility": "hidden",
            "extra_data": {"protection": graded["protection"], "minialex": __version__},
            "tests": tests, "leaderboard": [{"name": "right", "value": right, "order": "desc"}]}


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main(Path(sys.argv[1]))
