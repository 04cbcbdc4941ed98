"""What classes hand in: files found, loaded, understood, run with limits, and told.

    files.py        a file or notebook, run by statement; errors by the student's own lines
    finding.py      what is there to check in it         inputs.py       with which arrays it is called
    forms.py        functions, derivatives, classes      layers.py, objects.py       an object and its arrays
    networks.py     a network in functions               engines.py      scalar engines, layers of minialex
    trying.py       inputs with which it runs            checking.py     one thing, checked
    telling.py      in full, in a table, as JSON         class_report.py a page about a class

One process for each submission, confined or not, which is asked for values:

    sessions.py     one after the other, several at once submission.py   what it is asked, and answers
    sandbox.py, confine.py   the process and its limits  wire.py         what travels; remote.py, inside.py  its two ends

And graders, which trust nobody:

    confirming.py   every comparison, made once more     grading.py      points and feedback for a submission
    notebooks.py    what a teacher uploads for nbgrader; for other graders: lessons/graders
"""
