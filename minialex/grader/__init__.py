"""One process for each submission, which is asked for values, and what is told of it.

    command.py      `minialex gradcheck`               telling.py       in full, in a table, as JSON
    sessions.py     one by one, several at once        class_report.py  a page about a class
    sandbox.py, confine.py   the process, its limits   wire.py          what travels; its two ends:
    submission.py   what it is asked for               remote.py, inside.py

And graders, which trust nobody:

    confirming.py   every comparison, made once more   grading.py       points and feedback

What a teacher uploads is made in lessons/graders. What is read and understood in a submission
stands in minialex/students.
"""
