"""python -m minialex.explore: the same as `minialex explore`."""
import sys

from ..cli.explore import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
