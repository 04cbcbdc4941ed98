"""python -m minialex.predict: the same as `minialex predict`."""
import sys

from .cli.predict import main

if __name__ == "__main__":
    sys.exit(main())
