"""Trained networks in use: how good they are, what they see in pictures, runs side by side, a run
on one page."""
