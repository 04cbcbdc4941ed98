#!/usr/bin/env bash
# Gradescope runs this once, when the image is built: Python 3.10 or newer, NumPy and threadpoolctl.
set -euo pipefail
ROOT="${AUTOGRADER_ROOT:-/autograder}"
if ! python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    apt-get update
    apt-get install -y --no-install-recommends python3 python3-pip python3-venv
fi
python3 -m venv "$ROOT/python"
"$ROOT/python/bin/python" -m pip install --quiet -r "$ROOT/source/requirements.txt"
