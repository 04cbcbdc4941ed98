"""python -m minialex.compare: the same as `minialex compare`."""
import sys

from .cli.compare import main

if __name__ == "__main__":
    sys.exit(main())
