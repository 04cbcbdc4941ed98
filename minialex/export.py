"""python -m minialex.export: the same as `minialex export`."""
import sys

from .cli.export import main
from .utils import console

if __name__ == "__main__":
    sys.exit(console.run("minialex.export", main))
