// One lesson's Python. The page starts it, and ends it to stop a loop; see messages.js for what they say to each other.
/** @typedef {import("./messages.js").ToWorker} ToWorker */
/** @typedef {import("./messages.js").FromWorker} FromWorker */

/** @type {(message: FromWorker) => void} */
const say = (message) => postMessage(message);
/** @type {((typed: string | null) => void) | undefined} */
let answer;
/** @type {any} */
let lesson;
/** @type {Promise<unknown>} */
let drawing = Promise.resolve();
/** @type {Promise<unknown>} one thing after the other */
let turn = Promise.resolve();

/** Why a file did not come, in words: what Pyodide says of it helps nobody. */
let trouble = "";

/** Fetch only what has the hash that the site was built with. @param {Record<string, string>} hashes by address */
function checkHashes(hashes) {
  const plain = self.fetch;
  self.fetch = async (what, options = {}) => {
    const address = String(what instanceof Request ? what.url : what);
    const integrity = options.integrity || hashes[address];
    try {
      return await plain(what, integrity ? { ...options, integrity } : options);
    } catch (problem) {
      trouble ||= await why(plain(address).catch(() => undefined), new URL(address));
      if (!lesson) say({ say: "failed", text: trouble }); // without its WebAssembly, Pyodide would wait for ever
      throw problem;
    }
  };
}

/** @param {Promise<Response | undefined>} again the same without its hash @param {URL} address */
async function why(again, { host, pathname }) {
  const answer = await again;
  const name = pathname.replace(/.*\//, "");
  if (!answer) return `${host} cannot be reached: look whether this computer is online, and reload the page.`;
  if (!answer.ok) return `${host} has no ${name}: it answers ${answer.status}.`;
  return `${name} from ${host} is not the file that this course was built with, so it was not used. Reload the page; if that ` +
    "does not help, tell whoever runs this site.";
}

/** Import a module whose text has been checked. @param {string} address */
async function importChecked(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  const local = URL.createObjectURL(new Blob([await answer.text()], { type: "text/javascript" }));
  try {
    return await import(local);
  } finally {
    URL.revokeObjectURL(local);
  }
}

// What the course imports of Python's own library: it is in memory, too, when Python's memory is kept.
const IMPORTS = "import argparse, csv, dataclasses, decimal, fractions, hashlib, json, linecache, logging, pathlib, pickle, platform, " +
  "tempfile, textwrap, traceback, zipfile";

/**
 * Python, from its memory as it was after an earlier start, where this browser has kept that: half of a start is Python's own.
 * @param {(options: object) => Promise<any>} loadPyodide
 * @param {string} build the site that keeps it
 * @param {object} options
 */
async function begun(loadPyodide, build, options) {
  const cache = await self.caches?.open(`minialex-${build}`).catch(() => undefined); // plain http has none
  const place = new URL("memory", location.href).href;
  const kept = await cache?.match(place);
  const memory = await kept?.arrayBuffer();
  if (memory && kept?.headers.get("hash") === (await sha256(memory))) return loadPyodide({ ...options, _loadSnapshot: memory });
  const python = await loadPyodide({ ...options, _makeSnapshot: Boolean(cache) });
  python.runPython(IMPORTS);
  if (cache) keep(cache, place, python.makeMemorySnapshot()).catch(() => {}); // no room: the next start is as this one
  return python;
}

/** @param {Cache} cache @param {string} place @param {Uint8Array<ArrayBuffer>} memory */
async function keep(cache, place, memory) {
  await cache.put(place, new Response(memory, { headers: { hash: await sha256(memory) } }));
}

/** @param {BufferSource} bytes */
async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).join();
}

/** @param {Extract<ToWorker, {do: "start"}>} how */
async function start({ name, known, runtime }) {
  checkHashes(runtime.hashes);
  const archive = fetch(runtime.course).then((found) => found.arrayBuffer());
  say({ say: "status", text: "loading Python" });
  const { loadPyodide } = await importChecked(`${runtime.base}pyodide.mjs`);
  await importChecked(`${runtime.base}pyodide.asm.js`);
  const python = await begun(loadPyodide, runtime.build, {
    indexURL: runtime.base, lockFileURL: runtime.lock,
    stdout: (/** @type {string} */ text) => say({ say: "out", text }),
    stderr: (/** @type {string} */ text) => say({ say: "out", text }),
  });
  const quiet = { messageCallback: () => {}, errorCallback: (/** @type {string} */ text) => say({ say: "out", text }) };
  say({ say: "status", text: "loading NumPy and the course" });
  await python.loadPackage(runtime.first, quiet);
  python.unpackArchive(await archive, "zip", { extractDir: "/course" });
  python.runPython("import sys; sys.path.insert(0, '/course')");
  const ask = (/** @type {string} */ question, /** @type {string} */ problem) =>
    new Promise((resolve) => {
      answer = resolve;
      say({ say: "ask", question, problem });
    });
  lesson = python.pyimport("lessons.site.inpage").Lesson(name, known, tell, ask);
  say({ say: "ready" });
  drawing = python.loadPackage(runtime.later, quiet).then(() => {
    if (!trouble) turn = turn.then(() => lesson.warm()); // while the student reads
  });
}

/** What Python tells the page. @param {string} kind @param {string} text @param {any} [bytes] @param {string} [words] */
function tell(kind, text, bytes, words) {
  if (kind === "picture") say({ say: "picture", caption: text, bytes: bytes.toJs(), words: words ?? "" });
  else if (kind === "progress") say({ say: "progress", known: text });
  else if (kind === "error" || kind === "trace") say({ say: kind, text });
}

/** @param {ToWorker} message */
async function obey(message) {
  const begun = performance.now();
  if (message.do === "start") return start(message);
  let well = false;
  const draws = /draw|picture|save\(|matplotlib/.test("source" in message ? message.source : "");
  if (draws) await drawing;
  if (message.do === "run") well = await lesson.run(message.cell, message.source);
  if (message.do === "check") well = lesson.check(message.file, message.source);
  if (draws && trouble && !well) say({ say: "error", text: `Nothing can be drawn. ${trouble}` });
  say({ say: "done", well, seconds: (performance.now() - begun) / 1000 });
}

self.onmessage = ({ data }) => {
  /** @type {ToWorker} */
  const message = data;
  if (message.do === "answer") {
    answer?.(message.typed);
    return;
  }
  turn = turn.then(() => obey(message)).catch((problem) => say({ say: "failed", text: trouble || String(problem) }));
};
