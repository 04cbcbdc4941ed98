"""A student's forward and backward, called with inputs that are moved, as gradcheck asks for it.

    check.py        ma.check_backward, and the same for any form
    numpy_code.py   two functions, or one, and their inputs
    binding.py      who gets what: the inputs of forward, those of backward
    gradients.py    what came back: one gradient for each input
    report.py       how a mean over the examples is told
    small.py        the small numbers of a file
"""
