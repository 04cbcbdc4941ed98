"""python -m minialex.pack: the same as `minialex pack`."""
import sys

from .cli.pack import main
from .utils import console

if __name__ == "__main__":
    sys.exit(console.run("minialex.pack", main))
