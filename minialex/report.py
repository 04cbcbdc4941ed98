"""python -m minialex.report: the same as `minialex report`."""
import sys

from .cli.report import main
from .utils import console

if __name__ == "__main__":
    sys.exit(console.run("minialex.report", main))
