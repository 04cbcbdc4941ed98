"""A student's file, read.

    files.py        a file or notebook, run by statement; errors by the student's own lines
    folders.py      which files of a folder are code
    mending.py      text that Python 3 does not parse     rewriting.py   what newer NumPy refuses
    sources.py      what is written in it              older.py         what newer NumPy has dropped
    absent.py       stand-ins for modules not here     usual.py         what every course has
    changes.py      what statements change and read    watching.py     how far it comes
    usage.py        how it calls its own things        kinds.py        what it does with arguments
    plainer.py      training without loops             lookups.py      what stands in W[i]
    pairs.py        examples in a list, taken apart
"""
