#!/usr/bin/env bash
# Rebuilds what is taken from npm, and checks the types of our own modules: bash lessons/site/web/rebuild.sh
#   vendor/editor.js          CodeMirror, with vendor/LICENSES.txt
#   ../pyodide.json           the pinned Pyodide: its version and the SHA-256 of each of its files and packages
# Needs node. Python alone writes the site: python -m lessons.site OUT.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --no-audit --no-fund --ignore-scripts
npx esbuild codemirror.js --bundle --minify --format=esm --target=es2022 --legal-comments=none --outfile=vendor/editor.js
node licences.mjs > vendor/LICENSES.txt
node pyodide.mjs > ../pyodide.json
npx tsc --project jsconfig.json
