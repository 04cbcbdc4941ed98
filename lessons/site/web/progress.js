// How far the student is, in this browser: the same JSON as the course.json of `python -m lessons`, with the texts beside it.

const KEY = "minialex.course";
const TEXTS = "minialex.text.";

/** @typedef {{lessons: Record<string, unknown>, exercises: Record<string, string>, bricks: Record<string, string>}} Known */

/** @returns {Known} */
export function load() {
  /** @type {Known} */
  const known = { lessons: {}, exercises: {}, bricks: {} };
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    for (const kind of /** @type {const} */ (["lessons", "exercises", "bricks"])) {
      if (found?.[kind] && typeof found[kind] === "object") Object.assign(known[kind], found[kind]);
    }
  } catch { /* nothing kept, or not ours: a beginner */ }
  return known;
}

/** Add what is new; a solved exercise stays solved. @param {any} news */
export function add(news) {
  const known = load();
  Object.assign(known.lessons, news.lessons);
  Object.assign(known.bricks, news.bricks);
  for (const [name, state] of Object.entries(news.exercises ?? {})) {
    if (known.exercises[name] !== "solved") known.exercises[name] = String(state);
  }
  keep(KEY, JSON.stringify(known));
}

/** The text that the student has typed at this place, or null. @param {string} place */
export function text(place) {
  try {
    return localStorage.getItem(TEXTS + place);
  } catch {
    return null;
  }
}

/** @param {string} place @param {string | null} typed null forgets it */
export function keepText(place, typed) {
  keep(TEXTS + place, typed);
}

/** @param {string} key @param {string | null} value */
function keep(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch { /* a browser that keeps nothing: the course goes on without */ }
}

/** Everything as one file's text. */
export function exported() {
  /** @type {Record<string, string>} */
  const texts = {};
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(TEXTS)) texts[key.slice(TEXTS.length)] = localStorage.getItem(key) ?? "";
  }
  return JSON.stringify({ ...load(), texts }, null, 1);
}

/** Take in such a file. Throws for a text that is none. @param {string} content */
export function imported(content) {
  const found = JSON.parse(content);
  if (!found?.lessons || typeof found.lessons !== "object") throw new Error("no progress in it");
  add(found);
  for (const [place, typed] of Object.entries(found.texts ?? {})) keepText(place, String(typed));
}

/** Forget everything. */
export function forget() {
  for (const key of Object.keys(localStorage)) {
    if (key === KEY || key.startsWith(TEXTS)) localStorage.removeItem(key);
  }
}

/** One lesson's state in words, "" for one that was not begun. @param {Known} known @param {string} name */
export function describe(known, name) {
  const words = [];
  const scored = known.lessons[name];
  if (scored) words.push(Array.isArray(scored) && scored[1] ? `read, ${scored[0]} of ${scored[1]} predictions right` : "read");
  if (known.exercises[name]) words.push(`exercise ${known.exercises[name]}`);
  return words.join(", ");
}
