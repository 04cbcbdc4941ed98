"""--like: what a class hands in is compared with what its teacher's file holds."""
from student_files import write

TEACHER = """
    import numpy as np

    def squash(x):
        return x / (1 + np.abs(x))

    def squash_backward(dout, x):
        return dout / (1 + np.abs(x)) ** 2
"""


def asked(check, tmp_path, code):
    teacher = write(tmp_path, "teacher", TEACHER)
    _, (result,) = check("--like", str(teacher), mine=code)
    return result


def test_of_a_backward_alone_the_forward_is_the_teachers(check, tmp_path):
    right = "def squash_backward(dout, x):\n    return dout / (1 + abs(x)) ** 2"
    assert asked(check, tmp_path, right)["status"] == "correct"
    wrong = right.replace("** 2", "** 3")
    assert asked(check, tmp_path, wrong)["status"] == "wrong"


def test_what_the_teacher_has_and_nobody_wrote_is_missing(check, tmp_path):
    result = asked(check, tmp_path, "def squash(x):\n    return x / (1 + abs(x))")
    (found,) = result["checks"]
    assert found["error"]["kind"] == "missing" and "squash_backward" in found["error"]["message"]
