"""python -m minialex.pack: the same as `minialex pack`."""
import sys

from .cli.pack import main

if __name__ == "__main__":
    sys.exit(main())
