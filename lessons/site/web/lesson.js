// A lesson's page: its programs, its exercise, and the worker that runs them.
import { Output } from "./output.js";
import * as progress from "./progress.js";
import { makeEditor } from "./vendor/editor.js";

/** @typedef {import("./messages.js").FromWorker} FromWorker */
/** @typedef {import("./messages.js").ToWorker} ToWorker */
/** @typedef {{label: string, output: Output, mark: (state: string) => void, message: ToWorker, end: (well: boolean) => void}} Job */

const settings = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("settings")).textContent ?? "");
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const stop = /** @type {HTMLButtonElement} */ (document.getElementById("stop"));
const build = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=build]")).content;
const local = (/** @type {string} */ path) => new URL(path, document.baseURI).href;

// ------------------------------------------------------------------------------------------------ the worker

/** @type {Worker | null} */
let worker = null;
/** @type {Job[]} the first one is running */
let jobs = [];
let begun = 0;

function begin() {
  begun = performance.now();
  worker = new Worker(local("assets/worker.js"), { type: "module" });
  worker.onmessage = ({ data }) => hear(data);
  worker.onerror = (event) => hear({ say: "failed", text: event.message || "the worker could not be started" });
  const { base, files, ...rest } = settings.runtime;
  const hashes = Object.fromEntries(Object.entries(files).map(([name, hash]) => [local(base + name), hash]));
  send({ do: "start", name: settings.name, known: JSON.stringify(progress.load()),
    runtime: { ...rest, build, base: local(base), lock: local(rest.lock), course: local(rest.course), hashes } });
  show("Python: starting");
}

/** @param {ToWorker} message */
const send = (message) => worker?.postMessage(message);

/** @param {string} text */
function show(text) {
  status.textContent = text;
}

/** @param {FromWorker} message */
function hear(message) {
  const job = jobs[0];
  if (message.say === "ready") {
    document.documentElement.dataset.ready = ((performance.now() - begun) / 1000).toFixed(2);
    show(job ? `Python: running ${job.label}` : "Python: ready");
    navigator.serviceWorker?.ready.then((found) => found.active?.postMessage("keep"));
  } else if (message.say === "status") show(`Python: ${message.text}`);
  else if (message.say === "failed") {
    for (const waiting of jobs) waiting.output.error(`Python could not be started. ${message.text}`);
    finish(false);
    show(`Python could not be started. ${message.text}`);
  } else if (message.say === "progress") progress.add(JSON.parse(message.known));
  else if (message.say === "ask") {
    show("Python: waits for your prediction");
    job?.output.ask(message.question, message.problem, (typed) => {
      show(`Python: running ${job.label}`);
      send({ do: "answer", typed });
    });
  } else if (message.say === "out") job?.output.line(message.text);
  else if (message.say === "error") job?.output.error(message.text);
  else if (message.say === "trace") job?.output.trace(message.text);
  else if (message.say === "picture") job?.output.picture(message.bytes, message.caption, message.words);
  else if (message.say === "done" && job) {
    jobs.shift();
    job.mark(message.well ? `done in ${message.seconds.toFixed(1)} s` : "stopped");
    job.end(message.well);
    if (!message.well) drop("not run: the program before it stopped");
    else next();
  }
}

/** @param {Job} job */
function enqueue(job) {
  jobs.push(job);
  job.mark(jobs.length > 1 ? "waits" : "runs");
  if (!worker) begin();
  if (jobs.length === 1) next();
}

function next() {
  const job = jobs[0];
  if (!job && document.activeElement === stop) status.focus(); // it is switched off, and a keyboard keeps its place
  stop.disabled = !job;
  if (!job) {
    show("Python: ready");
    return;
  }
  job.mark("runs");
  job.output.clear();
  if (document.documentElement.dataset.ready) show(`Python: running ${job.label}`);
  send(job.message);
}

/** What waits is not run. @param {string} why */
function drop(why) {
  for (const job of jobs) {
    job.mark(why);
    job.end(false);
  }
  jobs = [];
  next();
}

/** @param {boolean} again start another worker at once */
function finish(again) {
  worker?.terminate();
  worker = null;
  delete document.documentElement.dataset.ready;
  for (const cell of cells) cell.fresh = true;
  drop("stopped");
  if (again) begin();
}

// ------------------------------------------------------------------------------------------------ the programs

/** A program with its editor, its button, its state and its output. */
class Program {
  /** @param {HTMLElement} section @param {string} place where its text is kept */
  constructor(section, place) {
    const source = /** @type {HTMLElement} */ (section.querySelector(".source"));
    this.section = section;
    this.original = source.textContent ?? "";
    this.label = section.dataset.label ?? "";
    this.output = new Output(/** @type {HTMLElement} */ (section.querySelector(".output")));
    this.run = /** @type {HTMLButtonElement} */ (section.querySelector(".run"));
    this.undo = /** @type {HTMLButtonElement} */ (section.querySelector(".undo"));
    this.halt = /** @type {HTMLButtonElement} */ (section.querySelector(".halt"));
    this.halt.onclick = () => finish(true);
    this.place = place;
    const host = document.createElement("div");
    host.className = "editor";
    source.replaceWith(host);
    this.editor = makeEditor(host, progress.text(place) ?? this.original, this.label, () => this.changed(), () => this.run.click());
    Object.assign(host, { editor: this.editor });
    this.undo.onclick = () => {
      this.editor.value = this.original;
      this.editor.focus();
    };
    this.undo.hidden = this.editor.value === this.original;
    this.fresh = true;
  }

  changed() {
    const text = this.editor.value;
    progress.keepText(this.place, text === this.original ? null : text);
    this.undo.hidden = text === this.original;
  }

  /** @param {string} state */
  mark(state) {
    /** @type {HTMLElement} */ (this.section.querySelector(".state")).textContent = state;
    this.section.dataset.state = state.split(" ")[0];
    if (document.activeElement === this.halt) this.run.focus(); // it goes, and a keyboard keeps its place
    this.halt.hidden = state !== "runs";
  }
}

const cells = [...document.querySelectorAll(".cell")].map((section, number) =>
  Object.assign(new Program(/** @type {HTMLElement} */ (section), `${settings.name}.${number}`), { number }));

/** @param {typeof cells[number]} cell */
function runCell(cell) {
  cell.fresh = false;
  enqueue({ label: cell.label, output: cell.output, mark: (state) => cell.mark(state),
    message: { do: "run", cell: cell.number, source: cell.editor.value },
    end: (well) => { cell.fresh ||= !well; } });
}

/** Run this one, and before it those that have not been run. @param {typeof cells[number]} last */
function runUpTo(last) {
  for (const cell of cells.slice(0, last.number)) if (cell.fresh) runCell(cell);
  runCell(last);
}

for (const cell of cells) cell.run.onclick = () => runUpTo(cell);
stop.onclick = () => finish(true);
/** @type {HTMLElement} */ (document.getElementById("all")).onclick = () => {
  finish(true);
  for (const cell of cells) runCell(cell);
};

// ------------------------------------------------------------------------------------------------ the exercise

for (const section of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".exercise"))) {
  const { file = "", place = "" } = section.dataset;
  const exercise = new Program(section, place);
  exercise.run.onclick = () => enqueue({ label: exercise.label, output: exercise.output,
    mark: (state) => exercise.mark(state.replace(/^done.*/, "right").replace("stopped", "not yet")),
    message: { do: "check", file, source: exercise.editor.value }, end: () => {} });
}

begin();
