// The pinned Pyodide as JSON: {version, python, files: {name: SHA-256}, packages: {name: {file, sha256, depends}}}.
// The packages are those that the course loads; the hashes of the packages come from Pyodide's own lock file.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const WANTED = ["numpy", "pillow", "matplotlib", "threadpoolctl", "tqdm"];
const at = "node_modules/pyodide/";
const lock = JSON.parse(readFileSync(`${at}pyodide-lock.json`, "utf8"));
const files = Object.fromEntries(
  ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"].map((name) =>
    [name, createHash("sha256").update(readFileSync(at + name)).digest("hex")]));
const packages = {};
const SKIPPED = ["fonttools", "matplotlib-pyodide", "pytz"]; // matplotlib draws a PNG without them
const wanted = [...WANTED];
for (const name of wanted) {
  if (packages[name]) continue;
  const found = { ...lock.packages[name], depends: lock.packages[name].depends.filter((other) => !SKIPPED.includes(other)) };
  packages[name] = found;
  wanted.push(...found.depends);
}
const sorted = Object.fromEntries(Object.keys(packages).sort().map((name) => [name, packages[name]]));
console.log(JSON.stringify({ version: lock.info.version, files, lock: { info: lock.info, packages: sorted } }, null, 1));
