"""What classes hand in: files found, loaded, understood, run with limits, and told.

    files.py        a file or notebook, run by statement; errors by the student's own lines
    finding.py      what is there to check in it       inputs.py        with which arrays it is run
    functions.py    functions and derivatives          layers.py        an object,
    forms.py        classes                            objects.py       and its arrays
    networks.py     a network in functions             engines.py       scalar engines, ours too
    trying.py       inputs with which it runs          arrays.py        drawn, and told
    sources.py      what is written in it              checking.py      one thing, checked
    telling.py      in full, in a table, as JSON       class_report.py  a page about a class

One process for each submission, confined or not, which is asked for values:

    sessions.py     one by one, several at once        submission.py    asked for values; answers
    sandbox.py, confine.py   the process, its limits   wire.py          what travels; its two ends:
                                                       remote.py, inside.py

And graders, which trust nobody:

    confirming.py   every comparison, made once more   grading.py       points and feedback
    notebooks.py    what a teacher uploads for nbgrader; for other graders: lessons/graders
"""
