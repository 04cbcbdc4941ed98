"""Training: from the user's options to a run folder with everything that was learnt."""

from .interrupt import Interrupted
from .run import run
from .trouble import Diverged

__all__ = ["Diverged", "Interrupted", "run"]
