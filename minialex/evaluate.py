"""python -m minialex.evaluate: the same as `minialex evaluate`."""
import sys

from .cli.evaluate import main
from .utils import console

if __name__ == "__main__":
    sys.exit(console.run("minialex.evaluate", main))
