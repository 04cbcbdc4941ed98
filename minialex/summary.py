"""python -m minialex.summary: the same as `minialex summary`."""
import sys

from .cli.summary import main
from .utils import console

if __name__ == "__main__":
    sys.exit(console.run("minialex.summary", main))
