"""python -m minialex.report: the same as `minialex report`."""
import sys

from .cli.report import main

if __name__ == "__main__":
    sys.exit(main())
