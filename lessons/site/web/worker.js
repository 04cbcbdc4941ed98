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

/** Fetch only what has the hash that the site was built with. @param {Record<string, string>} hashes by address */
function checkHashes(hashes) {
  const plain = self.fetch;
  self.fetch = (what, options = {}) => {
    const hash = hashes[String(what instanceof Request ? what.url : what)];
    return plain(what, hash ? { ...options, integrity: hash } : options);
  };
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

/** @param {Extract<ToWorker, {do: "start"}>} how */
async function start({ name, known, runtime }) {
  checkHashes(runtime.hashes);
  const archive = fetch(runtime.course).then((found) => found.arrayBuffer());
  say({ say: "status", text: "loading Python" });
  const { loadPyodide } = await importChecked(`${runtime.base}pyodide.mjs`);
  await importChecked(`${runtime.base}pyodide.asm.js`);
  const python = await loadPyodide({
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
    turn = turn.then(() => lesson.warm()); // while the student reads
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
  if (/draw|picture|save\(|matplotlib/.test("source" in message ? message.source : "")) await drawing;
  if (message.do === "run") well = await lesson.run(message.cell, message.source);
  if (message.do === "check") well = lesson.check(message.name, message.source);
  say({ say: "done", well, seconds: (performance.now() - begun) / 1000 });
}

self.onmessage = ({ data }) => {
  /** @type {ToWorker} */
  const message = data;
  if (message.do === "answer") {
    answer?.(message.typed);
    return;
  }
  turn = turn.then(() => obey(message)).catch((problem) => say({ say: "failed", text: String(problem) }));
};
