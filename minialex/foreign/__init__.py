"""Other programs' files of weights: how they are written, what in them is the network, and what
must be turned round so that it gives the same numbers here."""
