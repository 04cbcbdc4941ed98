"""python -m minialex.export: the same as `minialex export`."""
import sys

from .cli.export import main

if __name__ == "__main__":
    sys.exit(main())
