"""Training: from the user's options to a run folder with everything that was learnt."""

from .callbacks import Callback
from .loop import Diverged, Interrupted
from .run import run

__all__ = ["Callback", "Diverged", "Interrupted", "run"]
