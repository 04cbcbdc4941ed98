"""python -m minialex.compare: the same as `minialex compare`."""
import sys

from .cli.compare import main
from .utils import console

if __name__ == "__main__":
    sys.exit(console.run("minialex.compare", main))
