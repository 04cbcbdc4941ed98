"""python -m minialex.train: the same as `minialex train`."""
import sys

from .cli.train import main
from .utils import console

if __name__ == "__main__":
    sys.exit(console.run("minialex.train", main))
