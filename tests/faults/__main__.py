"""python -m tests.faults: everything that was thought of to lose or spoil a run, tried, with
counts. --fast: a part of it.

Exit status 0 when everything ended as it should, 1 when something did not.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import suite  # noqa: E402
from outcome import table  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="a small part, as the tests do it")
    fast = parser.parse_args().fast
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        outcomes = []
        start = time.process_time()
        for outcome in suite.everything(Path(folder), fast):
            outcomes.append(outcome)
            print(f"{outcome.what}: {outcome.skipped or f'{outcome.tried:,} tried'}", flush=True)
        print(f"\n{table(outcomes)}\n")
        wrong = sum(len(outcome.wrong) for outcome in outcomes)
        print(f"{sum(outcome.tried for outcome in outcomes):,} cases, {wrong} ended otherwise than "
              f"they should; {time.process_time() - start:.0f} s of CPU time, "
              "that of the killed runs not counted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
