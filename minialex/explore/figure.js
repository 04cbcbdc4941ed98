// @ts-check
// The network as in the paper's Figure 2: blocks of maps, towers one above the other, windows as pyramids.
import {get, shape, times} from "./dom.js";

const SLANT = 0.35; // how far a map's width leans back

/**
 * @param {any} svg @param {any} network @param {number} chosen @param {(layer: number) => void} choose
 */
export function draw(svg, network, chosen, choose) {
  const blocks = blocksOf(network),
    scale = scaleOf(blocks);
  let x = 12;
  for (const block of blocks) {
    // sizes on the page
    const [channels, height, width] = block.shape,
      flat = block.shape.length === 1;
    block.deep = flat ? 16 : Math.max(2, (channels / block.towers) * scale.channel);
    block.tall = flat ? Math.max(6, (channels / block.towers) * scale.neuron) : height * scale.pixel;
    block.lean = flat ? 0 : width * scale.pixel * SLANT;
    block.x = x;
    x += block.deep + block.lean + 74;
  }
  const reach =
    Math.max(...blocks.filter((block) => block.towers > 1).map((block) => block.tall + block.lean), 0) / 2 + 16;
  const middle =
    Math.max(...blocks.map((block) => (block.tall + block.lean) / 2 + (block.towers > 1 ? reach : 0))) + 34;
  const width = x,
    height = 2 * middle + 96,
    parts = [];
  for (const [number, block] of blocks.entries()) {
    const centres = block.towers > 1 ? [middle - reach, middle + reach] : [middle];
    block.centres = centres.map((centre) => centre + block.lean / 2);
    if (number) parts.push(...wires(blocks[number - 1], block));
  }
  for (const block of blocks) parts.push(...bodies(block, chosen, choose, 2 * middle));
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute(
    "aria-label",
    `The network from left to right: ${blocks
      .map((block) => `${block.name} ${times(block.shape)}` + `${block.towers > 1 ? " in two towers" : ""}`)
      .join(", ")}.`,
  );
  svg.replaceChildren(...parts);
  get("scale").textContent =
    `To scale: ${say(scale.pixel)} for a pixel of a map, ${say(scale.channel)} for a channel (depth), ` +
    `${say(scale.neuron)} for a neuron of a fully connected layer.` +
    (blocks.some((block) => block.towers > 1) ? " Dashed lines cross from one tower to the other." : "");
}

/** @param {number} length */
const say = (length) => `${Number(length.toPrecision(3))} points`;

/** What is drawn: the picture, and every layer with weights; the others stand below the one before. @param {any} network */
function blocksOf(network) {
  const split = network.layers.some((/** @type {any} */ layer) => layer.type === "Conv2d" && layer.groups === 2);
  /** @type {any[]} */
  const blocks = [{name: "picture", shape: network.input, towers: 1, layer: -1, after: []}];
  const weighty = network.layers.filter((/** @type {any} */ layer) => layer.parameters > 0),
    last = weighty[weighty.length - 1];
  network.layers.forEach((/** @type {any} */ layer, /** @type {number} */ number) => {
    if (layer.parameters > 0) {
      const halves = split && layer !== last && layer.output[0] % 2 === 0;
      blocks.push({
        name: layer.name,
        shape: layer.output,
        towers: halves ? 2 : 1,
        layer: number,
        window: layer.window,
        reads: layer.input[1],
        groups: layer.groups,
        after: [],
      });
    } else {
      blocks[blocks.length - 1].after.push({name: layer.name, shape: layer.output, layer: number});
    }
  });
  return blocks;
}

/** @param {any[]} blocks */
function scaleOf(blocks) {
  const maps = blocks.filter((block) => block.shape.length === 3),
    flat = blocks.filter((block) => block.shape.length === 1);
  const deepest = Math.max(...maps.map((block) => block.shape[0] / block.towers)),
    longest = Math.max(...flat.map((block) => block.shape[0] / block.towers), 1);
  return {
    pixel: 420 / Math.max(...maps.map((block) => block.shape[1])),
    channel: 84 / deepest,
    neuron: 200 / longest,
  };
}

/** @param {any} block @param {number} chosen @param {(layer: number) => void} choose @param {number} bottom */
function bodies(block, chosen, choose, bottom) {
  const mine = block.layer === chosen,
    look = {
      fill: mine ? "var(--sand)" : "var(--pale)",
      stroke: mine ? "var(--amber)" : "var(--blue)",
      "stroke-width": mine ? 2.5 : 1,
    };
  /** @type {Element[]} */
  const parts = [];
  block.centres.forEach((/** @type {number} */ centre, /** @type {number} */ tower) => {
    const {x, deep, tall, lean} = block,
      top = centre - tall / 2,
      group = shape("g", look);
    if (tower && look.fill === "var(--pale)") group.setAttribute("fill", "var(--panel)");
    if (lean) {
      group.append(
        shape("path", {d: `M${x} ${top} l${lean} ${-lean} h${deep} l${-lean} ${lean} z`}),
        shape("path", {d: `M${x + deep} ${top} l${lean} ${-lean} v${tall} l${-lean} ${lean} z`}),
      );
    }
    group.append(shape("rect", {x, y: top, width: deep, height: tall}));
    group.append(shape("title", {}, block.name));
    if (block.layer >= 0) {
      group.style.cursor = "pointer";
      group.addEventListener("click", () => choose(block.layer));
    }
    const [channels, height, width] = block.shape,
      each = channels / block.towers;
    const label = block.shape.length === 1 ? `${each}` : `${each} · ${height}×${width}`;
    parts.push(group, shape("text", {x: x + deep / 2 + lean / 2, y: top - lean - 6, "text-anchor": "middle"}, label));
  });
  const names = [{name: block.name, layer: block.layer, shape: null}, ...block.after];
  names.forEach((/** @type {any} */ line, /** @type {number} */ place) => {
    const size =
      line.shape && line.shape.length === 3 && line.name.startsWith("pool") ? ` ${line.shape[1]}×${line.shape[2]}` : "";
    const text = shape(
      "text",
      {
        x: block.x,
        y: bottom + 6 + 15 * place,
        "font-weight": line.layer === chosen ? 700 : place ? 400 : 600,
        "text-decoration": line.layer === chosen ? "underline" : "none",
      },
      line.name + size,
    );
    if (line.layer >= 0) {
      text.style.cursor = "pointer";
      text.addEventListener("click", () => choose(line.layer));
    }
    parts.push(text);
  });
  return parts;
}

/** A window on the block before and its way to the next; a plain line where there is no window. @param {any} before @param {any} block */
function wires(before, block) {
  const parts = [];
  for (const [from, start] of before.centres.entries()) {
    for (const [to, end] of block.centres.entries()) {
      const across = before.towers > 1 && block.towers > 1 && from !== to;
      if (across && block.groups > 1) continue;
      const look = {stroke: "var(--quiet)", fill: "none", "stroke-dasharray": across ? "4 4" : "none"};
      const edge = before.x + before.deep + before.lean / 2,
        target = {x: block.x, y: end};
      if (!block.window || before.shape.length === 1) {
        parts.push(shape("line", {x1: edge + 4, y1: start, x2: target.x - 2, y2: target.y, ...look}));
        continue;
      }
      const tall = (block.window.kernel[0] / block.reads) * before.tall,
        wide = tall * SLANT;
      const y = start - before.lean / 2;
      parts.push(
        shape("path", {
          d: `M${edge - wide / 2} ${y - tall / 2 + wide / 2} l${wide} ${-wide} v${tall} l${-wide} ${wide} z`,
          ...look,
          stroke: "var(--ink)",
        }),
      );
      for (const side of [-1, 1])
        parts.push(
          shape("line", {
            x1: edge + wide / 2,
            y1: y - wide / 2 + (side * tall) / 2,
            x2: target.x,
            y2: target.y,
            ...look,
          }),
        );
    }
  }
  return parts;
}
