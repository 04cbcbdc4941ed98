"""python -m minialex.gradcheck: is every gradient right, of the engine, or of a student's file?
Exit status 0: yes, 1: no."""
import sys

from ..cli.gradcheck import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
