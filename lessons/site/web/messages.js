// What a page and its worker say to each other; types only.

/**
 * @typedef {object} Runtime where Python comes from
 * @property {string} base the folder of Pyodide
 * @property {string} build names the site as it was built
 * @property {string} lock its list of packages
 * @property {string} course the archive of the course
 * @property {Record<string, string>} hashes of what lies there, by address: "sha256-..."
 * @property {string[]} first packages that a lesson needs before it can begin
 * @property {string[]} later packages that it needs to draw
 */

/** @typedef {{do: "start", name: string, known: string, runtime: Runtime}
 *   | {do: "run", cell: number, source: string}
 *   | {do: "check", file: string, source: string}
 *   | {do: "answer", typed: string | null}} ToWorker */

/** @typedef {{say: "status" | "out" | "error" | "trace" | "failed", text: string}
 *   | {say: "ready"}
 *   | {say: "ask", question: string, problem: string}
 *   | {say: "picture", caption: string, bytes: Uint8Array, words: string}
 *   | {say: "progress", known: string}
 *   | {say: "done", well: boolean, seconds: number}} FromWorker */

export {};
