"""python -m minialex.predict: the same as `minialex predict`."""
import sys

from .cli.predict import main
from .utils import console

if __name__ == "__main__":
    sys.exit(console.run("minialex.predict", main))
