"""python -m minialex.summary: the same as `minialex summary`."""
import sys

from .cli.summary import main

if __name__ == "__main__":
    sys.exit(main())
