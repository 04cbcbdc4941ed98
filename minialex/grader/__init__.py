"""What classes hand in: files found, loaded, understood, run with limits, and told.

    command.py      the command line                     processes.py    one process for each submission, with limits
    submission.py   what runs in that process            telling.py      in full, in a table, as JSON
    files.py        a file or notebook, run by statement finding.py      what is there to check in it
    inputs.py       with which arrays it is called       checking.py     one thing, checked; explaining.py   errors
    forms.py        functions, derivatives, classes      layers.py, objects.py       an object and its arrays
    networks.py     a network in functions               engines.py      scalar engines
    class_report.py a page about a class

And graders, which trust nobody: a submission's process is asked for values only, and can change nothing.

    grading.py      points and feedback for a submission bundles.py, notebooks.py    what a teacher uploads
    here.py         what runs where the grader lives     judges.py, judge.py         the graders' own processes
    sandbox.py, confine.py   a confined process          remote.py, inside.py, wire.py   functions that run in it
"""
