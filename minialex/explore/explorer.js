// @ts-check
// One network: its drawing, a layer's numbers, what a unit sees. The numbers are the page's data.
import {count, element, fact, get, pageData, shape, stripes, times} from "./dom.js";
import {fedBy} from "./arithmetic.js";
import {draw} from "./figure.js";
import {line, setArithmetic, slider} from "./sliders.js";
import {Trained} from "./trained.js";

const data = pageData(),
  network = data.network,
  layers = network.layers;
const state = {
  layer: Math.max(
    0,
    layers.findIndex((/** @type {any} */ layer) => layer.window),
  ),
  row: 0,
  column: 0,
  channel: 0,
  photo: 0,
};
/** @type {any} */
const trained = data.trained ? new Trained(data, state, () => showUnit()) : null;
get("trained").hidden = !trained;

// ------------------------------------------------------------------------------------------------ the layer

function showLayer() {
  const layer = layers[state.layer];
  draw(get("drawing"), network, state.layer, choose);
  get("layer-title").textContent = `${layer.name}, ${layer.type}`;
  get("formula").textContent = layer.formula || "every value by itself";
  const facts = [
    ...fact("input", times(layer.input)),
    ...fact("output", times(layer.output)),
    ...fact("parameters", layer.parameterFormula),
    ...fact("multiply–accumulates", layer.macFormula),
    ...fact("memory for a picture", layer.bytes ? `${count(layer.bytes)} bytes` : "none, a view of the input"),
    ...fact("groups", towers(layer)),
  ];
  if (layer.sight) {
    facts.push(
      ...fact(
        "a unit sees",
        `${times(layer.sight.size)} pixels of the picture; its neighbour, ${times(layer.sight.step)} further on`,
      ),
    );
    facts.push(...fact("never read of its input", lost(layer)));
    facts.push(...fact("never seen of the picture", both(layer.unseen, "from any unit of this layer")));
  }
  get("facts").replaceChildren(...facts);
  if (layer.window)
    setArithmetic(layer.input[2], layer.window.kernel[1], layer.window.stride[1], layer.window.padding[1]);
  for (const [side, name] of [
    [1, "row"],
    [2, "column"],
    [0, "channel"],
  ])
    unitSliders[name].limit(0, (layer.output[side] ?? 1) - 1);
  showUnit(true);
}

/** @param {any} layer */
function towers(layer) {
  const feeds = layer.feeds,
    each = feeds.out / feeds.groups;
  if (feeds.kind === "window")
    return `${feeds.across} neighbouring channels${feeds.groups > 1 ? `, within each of ${feeds.groups} towers` : ""}`;
  if (feeds.kind === "own") return "each channel by itself";
  return feeds.kind === "all"
    ? `one: every output sees ${feeds.in === 1 ? "its one channel" : `all ${feeds.in} channels`}`
    : `${feeds.groups} towers: ${each} outputs each, from ${feeds.in / feeds.groups} of the ${feeds.in} channels`;
}

/** @param {any} layer */
function lost(layer) {
  if (!layer.lost.length) return "nothing";
  const [rows, columns] = layer.lost;
  if (!rows.length && !columns.length) return "nothing: the stride leaves nothing over";
  return `${line("row", rows)} and ${line("column", columns)}`;
}

/** @param {number[]} pair @param {string} from */
const both = (pair, from) =>
  pair[0] || pair[1] ? `the last ${pair[0]} rows and ${pair[1]} columns, ${from}` : `nothing, ${from}`;

/** @param {number} number */
function choose(number) {
  state.layer = number;
  [state.row, state.column] = [1, 2].map((side) => Math.floor((layers[number].output[side] ?? 1) / 2));
  get(`layer-${number}`).checked = true;
  showLayer();
}

// ------------------------------------------------------------------------------------------------ the unit

/** @type {Record<string, ReturnType<typeof slider>>} */
const unitSliders = {};
for (const name of /** @type {const} */ (["row", "column", "channel"])) {
  unitSliders[name] = slider(get("unit-sliders"), name, (value) => {
    state[name] = value;
    showUnit();
  });
}

/** @param {boolean} [another] has another layer been chosen? */
function showUnit(another = false) {
  const layer = layers[state.layer],
    [channels, height, width] = layer.output;
  state.channel = Math.min(state.channel, channels - 1);
  state.row = Math.min(state.row, (height ?? 1) - 1);
  state.column = Math.min(state.column, (width ?? 1) - 1);
  for (const name of /** @type {const} */ (["row", "column", "channel"])) unitSliders[name].set(state[name]);
  get("unit-words").textContent = unitWords(layer);
  get("unit-drawings").hidden = !layer.sight;
  if (layer.sight) {
    drawMap(layer);
    drawPicture(layer);
  }
  if (trained) trained.show(another);
}

/** @param {any} layer */
function unitWords(layer) {
  const [first, last] = fedBy(layer.feeds, state.channel),
    from = state.layer ? layers[state.layer - 1].name : "the picture";
  const channels = first === last ? `channel ${first}` : `channels ${first} to ${last}`;
  const split =
    layer.feeds.groups > 1
      ? `, in tower ${Math.floor(state.channel / (layer.feeds.out / layer.feeds.groups)) + 1} of ${layer.feeds.groups},`
      : "";
  const fed = `Channel ${state.channel} of ${layer.name}${split} is fed by ${channels} of ${from}.`;
  if (!layer.sight) return `${fed} It sees the whole picture, as far as the layers before it do.`;
  const rows = layer.sight.spans[0][state.row],
    columns = layer.sight.spans[1][state.column],
    unit = `The unit in row ${state.row}, column ${state.column}`;
  if (!rows || !columns) return `${fed} ${unit} sees nothing of the picture, only padding.`;
  const across = rows[1] - rows[0] + 1,
    down = columns[1] - columns[0] + 1,
    all = layer.sight.size[0] * layer.sight.size[1];
  return (
    `${fed} ${unit} sees rows ${rows[0]} to ${rows[1]} and columns ${columns[0]} to ${columns[1]} of the picture, ` +
    (across * down === all
      ? `${times(layer.sight.size)} pixels.`
      : `${count(across * down)} of ${times(layer.sight.size)} = ${count(all)} places; the others lie on padding.`)
  );
}

/** The window's own frame, padding and all: [first, length]. @param {any} layer @param {number} side @param {number} index */
const frame = (layer, side, index) => [
  layer.sight.start[side] + index * layer.sight.step[side],
  layer.sight.size[side],
];

/** @param {any} layer */
function drawMap(layer) {
  const [, height, width] = layer.output,
    svg = get("map"),
    {row, column} = state;
  const words = `${height}×${width} units; chosen: row ${row}, column ${column}`;
  svg.setAttribute("viewBox", `-0.5 -0.5 ${width + 1} ${height + 1}`);
  svg.setAttribute("aria-label", `One map of ${layer.name}: ${words}`);
  const cell = Math.max(1, width / 60);
  svg.replaceChildren(
    shape("rect", {width, height, fill: "var(--panel)", stroke: "var(--line)", "stroke-width": width / 200}),
    ...(trained ? trained.mapImage(width, height) : []),
    shape("rect", {
      x: column + 0.5 - cell / 2,
      y: row + 0.5 - cell / 2,
      width: cell,
      height: cell,
      fill: "none",
      stroke: "var(--red)",
      "stroke-width": width / 90,
    }),
  );
  get("map-words").textContent = `One map of ${layer.name}, ${words}. Point at it, or use the sliders.`;
}

get("map").addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
  const layer = layers[state.layer],
    svg = get("map"),
    place = svg.getBoundingClientRect(),
    [, height, width] = layer.output;
  /** @param {number} part @param {number} most */
  const index = (part, most) => Math.min(most - 1, Math.max(0, Math.floor(part * (most + 1) - 0.5)));
  state.column = index((event.clientX - place.left) / place.width, width);
  state.row = index((event.clientY - place.top) / place.height, height);
  showUnit();
});

/** @param {any} layer */
function drawPicture(layer) {
  const [, height, width] = network.input,
    svg = get("picture");
  const [top, tall] = frame(layer, 0, state.row),
    [left, wide] = frame(layer, 1, state.column);
  const rows = layer.sight.spans[0][state.row] ?? [0, -1],
    columns = layer.sight.spans[1][state.column] ?? [0, -1];
  const thick = width / 100,
    [unseenRows, unseenColumns] = layer.unseen,
    beyond = [height - top - tall, width - left - wide, top, left];
  const margin = Math.ceil(3 + Math.max(width / 40, -Math.min(...beyond)));
  const words = `rows ${rows[0]} to ${rows[1]}, columns ${columns[0]} to ${columns[1]} of ${height}×${width} pixels`;
  const real = {
    x: columns[0],
    y: rows[0],
    width: columns[1] - columns[0] + 1,
    height: rows[1] - rows[0] + 1,
    fill: "none",
  };
  svg.setAttribute("viewBox", `${-margin} ${-margin} ${width + 2 * margin} ${height + 2 * margin}`);
  svg.setAttribute("aria-label", `The picture and what the unit sees of it: ${words}`);
  svg.replaceChildren(
    stripes("unseen", "var(--red)", width / 40),
    shape("rect", {width, height, fill: "var(--pale)", stroke: "var(--line)", "stroke-width": thick / 2}),
    ...(trained ? trained.photo(width, height) : []),
    shape("rect", {x: width - unseenColumns, width: unseenColumns, height, fill: "url(#unseen)"}),
    shape("rect", {y: height - unseenRows, width, height: unseenRows, fill: "url(#unseen)"}),
    shape("rect", {
      x: left,
      y: top,
      width: wide,
      height: tall,
      fill: "none",
      stroke: "var(--red)",
      "stroke-width": thick / 2,
      "stroke-dasharray": `${2 * thick} ${thick}`,
    }),
    shape("rect", {...real, stroke: "var(--paper)", "stroke-width": 2 * thick}),
    shape("rect", {...real, stroke: "var(--red)", "stroke-width": thick}),
  );
  const never =
    unseenRows || unseenColumns
      ? ` Striped: the last ${unseenRows} rows and ${unseenColumns} columns, which no unit of this layer sees.`
      : "";
  get("picture-words").textContent =
    `The picture; framed: ${words}.${tall * wide > real.width * real.height ? " Dashed: the window with its padding." : ""}${never}`;
}

// ------------------------------------------------------------------------------------------------ start

function showTable() {
  const head = ["layer", "type", "formula", "output", "groups", "parameters", "MACs", "bytes"];
  get("table").append(
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...head.map((name, place) => element("th", {scope: "col", class: place < 3 ? "text" : ""}, name)),
      ),
    ),
  );
  const rows = layers.map((/** @type {any} */ layer) =>
    element(
      "tr",
      {},
      element("th", {scope: "row"}, layer.name),
      ...[
        layer.type,
        layer.formula,
        times(layer.output),
        count(layer.groups),
        count(layer.parameters),
        layer.macs === null ? "?" : count(layer.macs),
        count(layer.bytes),
      ].map((text, place) => element("td", {class: place < 2 ? "text" : ""}, text)),
    ),
  );
  const totals = network.totals,
    sums = [count(totals.parameters), count(totals.macs), count(totals.activation_bytes)];
  rows.push(
    element(
      "tr",
      {},
      element("th", {scope: "row"}, "total"),
      element("td", {colspan: 4}),
      ...sums.map((text) => element("td", {}, text)),
    ),
  );
  get("table").append(element("tbody", {}, ...rows));
}

layers.forEach((/** @type {any} */ layer, /** @type {number} */ number) => {
  const input = element("input", {type: "radio", name: "layer", id: `layer-${number}`, value: number});
  input.checked = number === state.layer;
  input.addEventListener("change", () => choose(number));
  get("layers").append(element("label", {}, input, layer.name));
});
showTable();
choose(state.layer);
