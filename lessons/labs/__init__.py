"""Experiments behind the lessons: the paper's claims about training, tried on networks that train
within seconds."""
