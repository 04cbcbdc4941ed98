"""What classes hand in: read, understood, made ready to be asked, and checked.

    reading/        a file: loaded by statement, with stand-ins for what is not here
    dialects.txt    what courses call things; a word more is a dialect more
    names.py, dialects.py    what they mean: of arguments and gradients, and all others
    finding.py, found.py, valued.py    what there is to check in a file; losses with a gradient
    pairing.py, guessing.py    which forward and backward: by names, by what they do
    unseen.py, instead.py    gradients in no form that is checked; a step of what trains with them
    forms/          what can be found, one file each: functions, layers, networks, steps, engines …
    classes.py      a class, in each way in which it may be meant
    trainers.py     an object that trains, with layers and a loss of the file
    observing.py    training, run as it is
    drawn/          inputs, by the names of arguments
    called/         forward and backward, called with them
    trying.py, suiting.py    inputs with which code runs, and whether they say anything
    elsewhere.py    what functions read at the top level and is not there
    searching.py, restricted.py    those that no name tells; square pictures alone
    others.py       those where other mistakes show, or for which wrong code is meant
    checking.py, status.py    one thing, checked, and what that comes to
    accepted.py     a mean, a sum or clipped gradients that a course means
    reference.py    a teacher's forward beside the student's

Nothing here starts a process or trusts one: see minialex/grader. What is right, and what a mistake
is called, is decided in minialex/gradcheck.
"""
