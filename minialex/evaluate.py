"""python -m minialex.evaluate: the same as `minialex evaluate`."""
import sys

from .cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
