// The list of lessons: how far the student is; the progress as a file.
import * as progress from "./progress.js";

const said = /** @type {HTMLElement} */ (document.getElementById("said"));

function show() {
  const known = progress.load();
  const rows = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-lesson]"));
  let read = 0;
  let solved = 0;
  for (const row of rows) {
    const name = row.dataset.lesson ?? "";
    read += name in known.lessons ? 1 : 0;
    solved += known.exercises[name] === "solved" ? 1 : 0;
    /** @type {HTMLElement} */ (row.querySelector(".state")).textContent = progress.describe(known, name) || "not begun";
  }
  /** @type {HTMLElement} */ (document.getElementById("sum")).textContent =
    `${read} of ${rows.length} lessons read, ${solved} exercises solved`;
}

/** @param {string} id @param {() => void} act */
function onClick(id, act) {
  /** @type {HTMLElement} */ (document.getElementById(id)).onclick = act;
}

onClick("export", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([progress.exported()], { type: "application/json" }));
  link.download = "course.json";
  link.click();
  said.textContent = "Written: course.json, among your downloads.";
});

const file = /** @type {HTMLInputElement} */ (document.getElementById("file"));
onClick("import", () => file.click());
file.onchange = async () => {
  try {
    progress.imported(await /** @type {File} */ (file.files?.[0]).text());
    said.textContent = "Taken in.";
  } catch {
    said.textContent = "That file holds no progress: choose a course.json that was exported here.";
  }
  file.value = "";
  show();
};

onClick("forget", () => {
  if (!confirm("Forget your progress and everything that you have typed in this browser?")) return;
  progress.forget();
  said.textContent = "Forgotten.";
  show();
});

show();
