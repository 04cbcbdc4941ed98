// @ts-check
// Sliders, and the arithmetic of one layer that they redo.
import {columnsNeverRead, explain, outputSize, windowStarts} from "./arithmetic.js";
import {element, get, pageData, shape, stripes} from "./dom.js";

/** A range with its name and value. @param {Element} home @param {string} name @param {(value: number) => void} changed */
export function slider(home, name, changed) {
  const id = `${home.id}-${name.replace(/ /g, "-")}`,
    input = element("input", {type: "range", id, min: 0, max: 0, value: 0});
  const shown = element("output", {for: id}, "0");
  home.append(element("label", {for: id}, `${name} `, shown, input));
  input.addEventListener("input", () => {
    shown.textContent = input.value;
    changed(Number(input.value));
  });
  return {
    /** @param {number} value */
    set(value) {
      if (value > Number(input.max)) input.max = String(value); // a network of one's own may have more
      input.value = String(value);
      shown.textContent = input.value;
    },
    /** @param {number} low @param {number} high */
    limit(low, high) {
      input.min = String(low);
      input.max = String(high);
      input.disabled = low === high;
    },
    get value() {
      return Number(input.value);
    },
  };
}

/** @param {string} word @param {number[]} numbers */
export const line = (word, numbers) =>
  numbers.length === 0
    ? `no ${word}`
    : numbers.length === 1
      ? `${word} ${numbers[0]}`
      : `${word}s ${numbers[0]} to ${numbers[numbers.length - 1]}`;

/** @type {Record<string, ReturnType<typeof slider>>} */
const numbers = {};
for (const [name, low, high] of /** @type {[string, number, number][]} */ ([
  ["input size", 1, 256],
  ["kernel", 1, 15],
  ["stride", 1, 8],
  ["padding", 0, 7],
])) {
  numbers[name] = slider(get("arithmetic-sliders"), name, showArithmetic);
  numbers[name].limit(low, high);
}
for (const [text, ...values] of /** @type {[string, number, number, number, number][]} */ (pageData().presets)) {
  const button = element("button", {type: "button"}, text);
  button.addEventListener("click", () => setArithmetic(...values));
  get("presets").append(button);
}

/** @param {number} size @param {number} kernel @param {number} stride @param {number} padding */
export function setArithmetic(size, kernel, stride, padding) {
  for (const [name, value] of Object.entries({"input size": size, kernel, stride, padding})) numbers[name].set(value);
  showArithmetic();
}

function showArithmetic() {
  const [size, kernel, stride, padding] = ["input size", "kernel", "stride", "padding"].map(
    (name) => numbers[name].value,
  );
  const starts = windowStarts(size, kernel, stride, padding),
    lost = columnsNeverRead(size, kernel, stride, padding);
  get("arithmetic-formula").textContent = explain(size, kernel, stride, padding);
  const cell = Math.max(4, Math.min(16, 1100 / (size + 2 * padding))),
    rows = Math.min(starts.length, Math.ceil(kernel / stride) + 1);
  const width = (size + 2 * padding) * cell + 2,
    height = 44 + 7 * rows,
    svg = get("strip");
  const parts = [stripes("lost", "var(--red)")];
  for (let column = -padding; column < size + padding; column++) {
    const x = (column + padding) * cell + 1,
      pad = column < 0 || column >= size;
    parts.push(
      shape("rect", {
        x,
        y: 4,
        width: cell,
        height: 18,
        fill: pad ? "none" : "var(--pale)",
        stroke: "var(--line)",
        "stroke-dasharray": pad ? "2 2" : "none",
      }),
    );
    if (lost.includes(column))
      parts.push(shape("rect", {x, y: 4, width: cell, height: 18, fill: "url(#lost)", stroke: "var(--red)"}));
  }
  starts.forEach((start, number) => {
    const x = (start + padding) * cell + 2,
      y = 30 + 7 * (number % rows);
    parts.push(
      shape("line", {
        x1: x,
        x2: x + kernel * cell - 2,
        y1: y,
        y2: y,
        stroke: "var(--blue)",
        "stroke-width": 3,
      }),
    );
  });
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  const words =
    `${size} pixels${padding ? ` and ${padding} of padding on each side (dashed)` : ""}, ${outputSize(size, kernel, stride, padding)} windows of ${kernel}, ` +
    (lost.length ? `${line("column", lost)} never read (striped).` : "every column read.");
  svg.setAttribute("aria-label", words);
  svg.replaceChildren(...parts);
  get("strip-words").textContent = `Each line is a window: ${words}`;
}
