// @ts-check
// A recorded pass, event by event: the graph, the arrays, the gradients on their way back, what is held and freed.
import {bytes, count, element, fact, get, pageData, pixels, shape, times} from "./dom.js";

const {nodes, arrays, events, marks, leftOut} = pageData();
let now = 0;

// ------------------------------------------------------------------------------------------------ words

/** @param {any} node */
const called = (node) => (node.kind === "leaf" ? node.name : node.layer ? `${node.name} in ${node.layer}` : node.name);

/** @param {any} event */
function title(event) {
  if (event.kind === "end") return "The end";
  const node = called(nodes[event.node]);
  return event.kind === "failed"
    ? `${node} stops in ${event.direction}`
    : event.kind === "forward"
      ? `Forward: ${node}`
      : `Backward: ${node}`;
}

/** @param {number} number @param {string} word */
const many = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

/** @param {any} event */
const wrongs = (event) =>
  event.kind === "backward" ? marks.filter((/** @type {any} */ mark) => mark.node === event.node) : [];

/** What is held for backward once this event has happened: nodes. @param {number} at */
function held(at) {
  const holding = new Set();
  for (const event of events.slice(0, at + 1)) {
    for (const node of event.freed) holding.delete(node);
    if (event.kind === "forward" && nodes[event.node].saved.length) holding.add(event.node);
  }
  return holding;
}

/** Bytes of different arrays that these nodes have saved. @param {Set<number>} holding */
function weight(holding) {
  const different = new Set([...holding].flatMap((node) => nodes[node].saved));
  return [...different].reduce((sum, number) => sum + arrays[number].bytes, 0);
}

/** @param {number} node @param {number} place the number of an input */
const inputName = (node, place) => {
  const source = nodes[node].inputs[place];
  return source ? called(nodes[source.node]) : `input ${place}`;
};

// ------------------------------------------------------------------------------------------------ an array

/** @param {string} heading @param {number | null} number */
function card(heading, number) {
  const home = element("div", {class: "card"}, element("h3", {}, heading));
  if (number === null) {
    home.append(element("p", {}, "none: nobody asks for it."));
    return home;
  }
  const array = arrays[number];
  const range = array.values
    ? `, from ${array.min} to ${array.max}, mean ${array.mean}${array.zeros ? `, ${count(array.zeros)} zeros` : ""}`
    : "";
  home.append(
    element(
      "p",
      {},
      `${times(array.shape)} ${array.dtype}, ${count(array.bytes)} bytes${range}${array.bad ? `; ${count(array.bad)} are NaN or infinite` : ""}.`,
    ),
  );
  if (array.thumbnail) {
    const [tiles, height, width] = array.thumbnail.shape,
      values = bytes(array.thumbnail.values),
      list = element("ul", {class: "tiles"});
    for (let tile = 0; tile < tiles; tile++) {
      const words = `a thumbnail of ${heading}${tiles > 1 ? `, map ${tile}` : ""}: black is ${array.thumbnail.low}, white ${array.thumbnail.high}`;
      list.append(
        element(
          "li",
          {},
          pixels(
            values.subarray(tile * height * width, (tile + 1) * height * width),
            height,
            width,
            1,
            Math.max(1, Math.min(12, 88 / Math.max(height, width))),
            words,
          ),
        ),
      );
    }
    home.append(list);
  }
  if (array.values && !array.thumbnail) home.append(element("pre", {tabindex: 0}, numbers(array)));
  return home;
}

/** @param {any} array */
function numbers(array) {
  const total = array.shape.reduce((/** @type {number} */ product, /** @type {number} */ side) => product * side, 1),
    width = array.shape[array.shape.length - 1];
  if (total > array.values.length) return `some of them: ${array.values.join("  ")}`;
  if (array.shape.length < 2) return array.values.join("  ");
  const rows = [];
  for (let start = 0; start < total; start += width) rows.push(array.values.slice(start, start + width).join("  "));
  return rows.join("\n");
}

// ------------------------------------------------------------------------------------------------ the graph

const WIDE = 128,
  TALL = 86;
const places = layout();

function layout() {
  const depth = nodes.map(() => 0),
    rows = new Map();
  /** @type {{x: number, y: number}[]} */
  const found = [];
  for (let again = 0; again < nodes.length; again++) {
    // operations from before the block may stand after those that use them
    let moved = false;
    nodes.forEach((/** @type {any} */ node, /** @type {number} */ number) => {
      for (const source of node.inputs)
        if (depth[number] <= depth[source.node]) {
          depth[number] = depth[source.node] + 1;
          moved = true;
        }
    });
    if (!moved) break;
  }
  nodes.forEach((/** @type {any} */ node, /** @type {number} */ number) => {
    // a leaf stands just before what uses it first
    const users = nodes.flatMap((/** @type {any} */ user, /** @type {number} */ place) =>
      user.inputs.some((/** @type {any} */ source) => source.node === number) ? [depth[place]] : [],
    );
    if (node.kind === "leaf" && users.length) depth[number] = Math.min(...users) - 1;
  });
  for (const kind of ["operation", "leaf"]) {
    nodes.forEach((/** @type {any} */ node, /** @type {number} */ number) => {
      if (node.kind !== kind) return;
      const row = rows.get(depth[number]) ?? 0;
      rows.set(depth[number], row + 1);
      found[number] = {x: 12 + depth[number] * WIDE, y: 26 + row * TALL};
    });
  }
  return found;
}

function drawGraph() {
  /** @type {Element[]} */
  const parts = [];
  const event = events[now],
    holding = held(now),
    past = events.slice(0, now + 1);
  nodes.forEach((/** @type {any} */ node, /** @type {number} */ number) => {
    node.inputs.forEach((/** @type {any} */ source, /** @type {number} */ input) => {
      const from = places[source.node],
        to = places[number],
        back = past.some(
          (/** @type {any} */ one) => one.kind === "backward" && one.node === number && one.gradients[input] !== null,
        );
      const bad = back && marks.some((/** @type {any} */ mark) => mark.node === number && mark.input === input),
        straight = from.y === to.y;
      const path = straight
        ? `M${from.x + 96} ${from.y + 17} H${to.x}`
        : `M${from.x + 96} ${from.y + 17} C${from.x + 112} ${from.y + 17} ${to.x - 18} ${to.y + 17} ${to.x} ${to.y + 17}`;
      parts.push(
        shape("path", {
          d: path,
          fill: "none",
          stroke: bad ? "var(--red)" : back ? "var(--amber)" : "var(--quiet)",
          "stroke-width": back ? 3 : 1,
          "stroke-dasharray": bad ? "6 3" : "none",
        }),
      );
    });
  });
  nodes.forEach((/** @type {any} */ node, /** @type {number} */ number) => {
    const {x, y} = places[number],
      current = event.node === number,
      leaf = node.kind === "leaf";
    const forward = past.some((/** @type {any} */ one) => one.kind === "forward" && one.node === number),
      back = past.some((/** @type {any} */ one) => one.kind === "backward" && one.node === number);
    const bad = back && marks.some((/** @type {any} */ mark) => mark.node === number),
      state = `${forward ? "→" : ""}${back ? " ←" : ""}${bad ? " ✗ wrong" : ""}`;
    const group = shape("g", {});
    group.append(
      shape("rect", {
        x,
        y,
        width: 96,
        height: 34,
        rx: leaf ? 17 : 4,
        fill: current ? "var(--sand)" : leaf ? "var(--panel)" : forward ? "var(--pale)" : "var(--paper)",
        stroke: bad ? "var(--red)" : current ? "var(--amber)" : "var(--line)",
        "stroke-width": current || bad ? 2.5 : 1,
      }),
    );
    group.append(
      shape(
        "text",
        {x: x + 48, y: y + 15, "text-anchor": "middle", "font-weight": current ? 700 : 400},
        short(node.name, 15),
      ),
    );
    group.append(
      shape(
        "text",
        {x: x + 48, y: y + 28, "text-anchor": "middle", class: "small"},
        short(leaf || !node.layer ? (node.output === null ? "" : times(arrays[node.output].shape)) : node.layer, 16),
      ),
    );
    group.append(shape("text", {x: x + 2, y: y - 4, class: "small"}, state));
    if (holding.has(number))
      group.append(shape("text", {x: x + 2, y: y + 46, class: "small"}, `holds ${node.saved.length}`));
    else if (!leaf && forward && node.saved.length)
      group.append(shape("text", {x: x + 2, y: y + 46, class: "small"}, "freed"));
    group.append(shape("title", {}, called(node)));
    parts.push(group);
  });
  const svg = get("graph"),
    width = Math.max(...places.map((place) => place.x)) + 120,
    height = Math.max(...places.map((place) => place.y)) + 60;
  svg.setAttribute("width", String(width));
  svg.setAttribute("height", String(height));
  svg.setAttribute(
    "aria-label",
    `The graph: ${nodes
      .filter((/** @type {any} */ node) => node.kind === "operation")
      .map(called)
      .join(", ")}. Now: ${title(event)}. Held for backward: ${holding.size}.`,
  );
  svg.replaceChildren(...parts);
  if (event.node !== undefined) {
    const home = get("graph-home"),
      {x} = places[event.node];
    if (x < home.scrollLeft || x + 130 > home.scrollLeft + home.clientWidth) home.scrollLeft = x - home.clientWidth / 2;
  }
}

/** @param {string} text @param {number} most */
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// ------------------------------------------------------------------------------------------------ one event

function show() {
  const event = events[now],
    node = nodes[event.node],
    holding = held(now),
    cards = [],
    facts = [];
  get("at").value = String(now);
  get("at").setAttribute("aria-valuetext", title(event));
  get("at-shown").textContent = `${now + 1} of ${events.length}`;
  // not `disabled`, which would take the focus from who steps with a key; `go` stays at the ends anyway
  for (const id of ["first", "back"]) get(id).setAttribute("aria-disabled", String(now === 0));
  for (const id of ["next", "last"]) get(id).setAttribute("aria-disabled", String(now === events.length - 1));
  get("now-title").textContent = title(event);
  get("now-words").textContent = words(event);
  if (node) facts.push(...fact("its program", node.where));
  if (node)
    for (const [name, value] of Object.entries(node.options))
      facts.push(...fact(name, Array.isArray(value) ? `(${value.join(", ")})` : String(value)));
  if (event.freed.length)
    facts.push(
      ...fact("freed before it", event.freed.map((/** @type {number} */ number) => called(nodes[number])).join(", ")),
    );
  facts.push(
    ...fact(
      "held for backward",
      `${many(
        [...holding].reduce((sum, number) => sum + nodes[number].saved.length, 0),
        "array",
      )} of ${many(holding.size, "operation")}, ${count(weight(holding))} bytes`,
    ),
  );
  if (event.kind === "forward") {
    node.inputs.forEach((/** @type {any} */ source, /** @type {number} */ place) =>
      cards.push(card(`input ${place}: ${inputName(event.node, place)}`, source.array)),
    );
    cards.push(card("output", node.output));
    node.saved.forEach((/** @type {number} */ number, /** @type {number} */ place) =>
      cards.push(savedCard(node, number, place)),
    );
  }
  if (event.kind === "backward") {
    cards.push(card("the gradient that comes in, dL/d(output)", event.gradient));
    event.gradients.forEach((/** @type {number | null} */ number, /** @type {number} */ place) => {
      const wrong = wrongs(event).some((/** @type {any} */ mark) => mark.input === place);
      cards.push(card(`dL/d(${inputName(event.node, place)})${wrong ? " ✗ wrong" : ""}`, number));
    });
  }
  if (event.kind === "end")
    for (const [leaf, number] of event.leaves) cards.push(card(`${nodes[leaf].name}.grad`, number));
  get("now-wrong").replaceChildren(
    ...wrongs(event).map((/** @type {any} */ mark) =>
      element(
        "p",
        {class: "wrong"},
        `✗ The gradient checker: dL/d(${inputName(mark.node, mark.input)}) ` +
          (mark.sure
            ? `is wrong here. ${mark.words}`
            : `may be what is wrong: it arises here, or at another step marked so. ${mark.words}`),
      ),
    ),
  );
  get("now-facts").replaceChildren(...facts);
  get("now-arrays").replaceChildren(...cards);
  drawGraph();
}

/** @param {any} node @param {number} number @param {number} place */
function savedCard(node, number, place) {
  const same = node.inputs.findIndex((/** @type {any} */ source) => source.array === number);
  const which =
    same >= 0 ? `, input ${same} itself, no copy` : number === node.output ? ", the output itself, no copy" : "";
  return card(`saved for backward, ${place}${which}`, number);
}

/** @param {any} event */
function words(event) {
  if (event.kind === "failed") return event.error;
  if (event.kind === "end")
    return event.leaves.length ? "What the leaves have collected in .grad:" : "No leaf has a gradient.";
  const node = nodes[event.node];
  if (event.kind === "backward") return "It takes the gradient of its output, and gives each input's.";
  if (!node.asked) return "Nobody asks for a gradient of it, so it keeps nothing.";
  return node.saved.length
    ? `It keeps ${node.saved.length === 1 ? "an array" : `${node.saved.length} arrays`} for backward.`
    : "It keeps nothing for backward.";
}

/** @param {number} at */
function go(at) {
  now = Math.max(0, Math.min(events.length - 1, at));
  show();
}

get("at").max = String(events.length - 1);
get("at").addEventListener("input", () => go(Number(get("at").value)));
get("first").addEventListener("click", () => go(0));
get("back").addEventListener("click", () => go(now - 1));
get("next").addEventListener("click", () => go(now + 1));
get("last").addEventListener("click", () => go(events.length - 1));
const bad = events.flatMap((/** @type {any} */ event, /** @type {number} */ number) =>
  wrongs(event).length ? [number] : [],
);
get("wrong").hidden = !bad.length;
get("wrong").addEventListener("click", () => go(bad.find((/** @type {number} */ number) => number > now) ?? bad[0]));
get("left-out").textContent = leftOut ? `The recording was longer: ${count(leftOut)} more calls are not shown.` : "";

get("all").append(
  element(
    "thead",
    {},
    element(
      "tr",
      {},
      ...["event", "what", "shape", ""].map((text) =>
        text ? element("th", {scope: "col", class: "text"}, text) : element("td"),
      ),
    ),
  ),
  element(
    "tbody",
    {},
    ...events.map((/** @type {any} */ event, /** @type {number} */ number) => {
      const button = element("button", {type: "button"}, `${number + 1}`),
        array = event.kind === "backward" ? event.gradient : event.kind === "forward" ? nodes[event.node].output : null;
      button.addEventListener("click", () => {
        go(number);
        get("now-title").focus(); // and Tab goes on from there, not from the row that is out of sight now
        get("now-title").scrollIntoView();
      });
      return element(
        "tr",
        {},
        element("td", {}, button),
        element("td", {class: "text"}, title(event)),
        element("td", {class: "text"}, array === null ? "" : times(arrays[array].shape)),
        element(
          "td",
          {class: "text wrong"},
          wrongs(event).length ? "✗ wrong" : event.kind === "failed" ? "✗ stops" : "",
        ),
      );
    }),
  ),
);
show();
