"""What a student's code is called with.

    inputs.py       drawn by the names of arguments    dictionaries.py  key by key
    requests.py     what is asked for                  guesses.py       what may be asked instead
    arrays.py       for a layout's letters; how they are told
    used.py         what arguments whose names say nothing are, by their use
    handed.py       activations and losses as objects, by the methods that are called
    settings.py     a dictionary or an object with several of them in it
"""
