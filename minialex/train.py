"""python -m minialex.train: the same as `minialex train`."""
import sys

from .cli.train import main

if __name__ == "__main__":
    sys.exit(main())
