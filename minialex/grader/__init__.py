"""What classes hand in: files found, loaded, understood, run with limits, and told.

    command.py      the command line                     processes.py    one process for each submission, with limits
    submission.py   what runs in that process            telling.py      in full, in a table, as JSON
    finding.py      what is there to check in a file     inputs.py       with which arrays it is called
"""
