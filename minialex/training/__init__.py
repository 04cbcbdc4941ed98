"""Training: from the user's options to a run folder with everything that was learnt."""

from .run import run

__all__ = ["run"]
