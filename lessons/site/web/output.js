// What a program puts out: lines, predictions to type, pictures, errors.

const MOST = 2000; // lines; what comes after is dropped
const KINDS = /** @type {const} */ ([
  ["fact", /^\s*✓/], ["verdict", /^\s*⇒/], ["formula-line", /^\s*formula:/], ["claim", /^\S+ · .* says?: “/],
  ["claim", /^(Heard in class|\S+ · as one hears)/], ["turned-out", /^\s*it is .*: (as you said|you said)/],
]);

export class Output {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.lines = 0;
  }

  clear() {
    this.place.replaceChildren();
    this.lines = 0;
  }

  /** @param {string} text */
  line(text) {
    this.lines += 1;
    if (this.lines > MOST) {
      if (this.lines === MOST + 1) this.#add("p", "error", `more than ${MOST} lines: the rest is not shown`);
      return;
    }
    const kind = KINDS.find(([, looks]) => looks.test(text))?.[0];
    const last = this.place.lastElementChild;
    if (kind) this.#add("p", kind, text.trim());
    else if (last?.className === "plain") last.textContent += `\n${text}`;
    else if (text.trim()) this.#add("pre", "plain", text);
  }

  /** @param {string} text */
  error(text) {
    const [head, ...rest] = text.split("\n");
    this.#add("p", "error", head).prepend(Object.assign(document.createElement("strong"), { textContent: "✗ " }));
    for (const line of rest) this.#add("p", "error", line.trim());
  }

  /** Python's own words, behind a click. @param {string} text */
  trace(text) {
    const details = this.#add("details", "", "");
    details.append(Object.assign(document.createElement("summary"), { textContent: "Python's own words" }),
      Object.assign(document.createElement("pre"), { textContent: text }));
  }

  /** @param {Uint8Array} bytes a PNG @param {string} caption what is to be seen in it @param {string} words the picture in words */
  picture(bytes, caption, words) {
    const figure = this.#add("figure", "", "");
    const image = document.createElement("img");
    image.src = URL.createObjectURL(new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)], { type: "image/png" }));
    image.alt = words || caption || "The lesson's picture";
    const large = Object.assign(document.createElement("a"), { href: image.src, target: "_blank", title: "Open it in its full size" });
    large.append(image);
    figure.append(large);
    if (caption) figure.append(Object.assign(document.createElement("figcaption"), { textContent: caption }));
  }

  /**
   * A prediction: answered(null) skips it.
   * @param {string} question @param {string} problem with what was typed before, or ""
   * @param {(typed: string | null) => void} answered
   */
  ask(question, problem, answered) {
    const form = /** @type {HTMLFormElement} */ (this.#add("form", "prediction", ""));
    const label = document.createElement("label");
    const field = Object.assign(document.createElement("input"), { type: "text", autocomplete: "off", size: 14 });
    const skip = Object.assign(document.createElement("button"), { type: "button", textContent: "Skip", className: "quiet" });
    label.append(`Your prediction: ${question}`, field);
    form.append(label, Object.assign(document.createElement("button"), { textContent: "Predict" }), skip);
    if (problem) form.prepend(Object.assign(document.createElement("p"), { textContent: problem, className: "error" }));
    const end = (/** @type {string | null} */ typed) => {
      const said = Object.assign(document.createElement("p"), { className: "asked", tabIndex: -1 });
      said.textContent = `? ${question} ${typed === null ? "(skipped)" : `You say: ${typed}`}`;
      const here = form.contains(document.activeElement);
      form.replaceWith(said);
      if (here) said.focus({ preventScroll: true }); // the next Tab goes on from here, not from the top of the page
      answered(typed);
    };
    form.onsubmit = (event) => {
      event.preventDefault();
      end(field.value.trim() || null);
    };
    skip.onclick = () => end(null);
    field.focus({ preventScroll: true });
    form.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} tag @param {string} className @param {string} text */
  #add(tag, className, text) {
    const part = Object.assign(document.createElement(tag), { className, textContent: text });
    this.place.append(part);
    return part;
  }
}
