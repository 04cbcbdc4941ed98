// @ts-check
// What a trained network has learnt: filters, feature maps, the strongest patches, the ten crops.
import { bytes, count, element, get, pixels, shape } from "./dom.js";

const COLUMNS = 16; // of a mosaic of kernels

/**
 * Fills the page's last sections; what it returns draws them anew.
 * @param {any} data @param {any} state @param {() => void} again when another picture is chosen @returns {any}
 */
export function showTrained(data, state, again) {
  const told = data.trained, layers = data.network.layers, offset = Math.floor((told.size - told.crop) / 2);
  const photos = told.pictures.map((/** @type {any} */ picture) => `data:image/jpeg;base64,${picture.jpeg}`);
  const chosen = () => told.chosen[state.photo], layer = () => layers[state.layer];
  /** The convolution that this layer belongs to. */
  const convolution = () => layers.slice(0, state.layer + 1).reverse().find((/** @type {any} */ one) => told.filters[one.name] || told.patches[one.name]);
  if (!told.chosen.length) for (const id of ["maps", "patches", "crops"]) get(id).hidden = true;
  else choosePhoto();

  function choosePhoto() {
    told.chosen.forEach((/** @type {any} */ _, /** @type {number} */ number) => {
      const input = element("input", {type: "radio", name: "photo", id: `photo-${number}`});
      input.checked = number === state.photo;
      input.addEventListener("change", () => { state.photo = number; showMaps(); showCrops(); again(); });
      const picture = element("img", {src: photos[number], alt: "", width: 56, height: 56});
      get("photos").append(element("label", {}, input, picture, " ", named(told.pictures[number])));
    });
    showCrops();
  }

  // ---------------------------------------------------------------------------------------------- filters

  function showFilters() {
    const home = get("filters"), of = convolution(), filters = of && told.filters[of.name];
    home.hidden = !of;
    if (!of) return;
    if (!filters) { get("filters-words").textContent = `The filters of ${of.name} are too many for this page.`; get("filters-drawing").replaceChildren(); return; }
    const [outputs, inputs, height, width] = filters.shape, values = bytes(filters.values), colour = inputs === 3;
    const channel = Math.min(state.channel, outputs - 1), [low, high] = filters.ranges[channel], whole = colour || inputs === 1;
    const number = whole ? outputs : inputs, first = whole ? 0 : channel * inputs;
    /** @param {number} tile @param {number} plane @param {number} place */
    const at = (tile, plane, place) => values[((whole ? tile * inputs + plane : first + tile)) * height * width + place];
    const words = whole ? `All ${outputs} filters of ${of.name}, ${height}×${width}${colour ? " in colour" : ""}, weights from ${-filters.most} to ${filters.most}. ` +
      `Framed: filter ${channel}, from ${low} to ${high}.` : `Filter ${channel} of ${of.name}: its ${inputs} kernels of ${height}×${width}, weights from ${low} to ${high}.`;
    get("filters-drawing").replaceChildren(mosaic(number, height, width, colour ? 3 : 1, at, whole ? channel : -1, words));
    get("filters-words").textContent = `${words} Grey is 0.`;
  }

  // ---------------------------------------------------------------------------------------------- maps

  function showMaps() {
    const maps = told.chosen.length ? chosen().maps[layer().name] : null;
    get("maps-tiles").replaceChildren();
    if (!told.chosen.length) return;
    get("maps-words").textContent = maps ? `The ${maps.channels.length} maps of ${layer().name} that answer most to this picture; black is ${maps.low}, white ${maps.high}.`
      : `${layer().name} has no maps.`;
    if (!maps) return;
    const [, height, width] = layer().output, values = bytes(maps.values);
    maps.channels.forEach((/** @type {number} */ channel, /** @type {number} */ number) => {
      const [largest, row, column] = maps.largest[number], words = `channel ${channel}: at most ${largest}, in row ${row}, column ${column}`;
      const canvas = pixels(values.subarray(number * height * width, (number + 1) * height * width), height, width, 1, 110 / width, words);
      const button = element("button", {type: "button", class: "tile", "aria-label": `Look at ${words}`}, canvas);
      button.addEventListener("click", () => { [state.channel, state.row, state.column] = [channel, row, column]; again(); });
      get("maps-tiles").append(element("li", {}, button, `channel ${channel}`, element("br"), `most: ${largest}`));
    });
  }

  /** The chosen channel's map as an image below the frame of the unit. @param {number} width @param {number} height */
  function mapImage(width, height) {
    const maps = told.chosen.length ? chosen().maps[layer().name] : null, number = maps ? maps.channels.indexOf(state.channel) : -1;
    if (number < 0) return [];
    const canvas = pixels(bytes(maps.values).subarray(number * height * width, (number + 1) * height * width), height, width, 1, 1, "");
    return [shape("image", {href: canvas.toDataURL(), width, height, style: "image-rendering: pixelated"})];
  }

  /** The chosen picture's crop below the frame of what a unit sees. @param {number} width @param {number} height */
  function photo(width, height) {
    if (!told.chosen.length) return [];
    const inside = shape("svg", {width, height, viewBox: `${offset} ${offset} ${width} ${height}`});
    inside.append(shape("image", {href: photos[state.photo], width: told.size, height: told.size}));
    return [inside];
  }

  // ---------------------------------------------------------------------------------------------- patches

  let drawn = 0;
  async function showPatches() {
    const of = convolution(), mine = ++drawn, home = get("patches-tiles");
    const strongest = of && told.patches[of.name] ? told.patches[of.name][Math.min(state.channel, of.output[0] - 1)] : [];
    get("patches").hidden = !strongest || !strongest.length;
    if (get("patches").hidden) return;
    const {size, step, start} = of.sight, tiles = [];
    get("patches-words").textContent = `What excites filter ${Math.min(state.channel, of.output[0] - 1)} of ${of.name} most, in ${count(told.pictures.length)} pictures: ` +
      `it sees ${size[0]}×${size[1]} pixels; plain grey lies outside of the picture.`;
    for (const [value, picture, row, column] of strongest) {
      const canvas = element("canvas", {width: size[1], height: size[0], class: "photo", role: "img",
        "aria-label": `answer ${value}, row ${row}, column ${column} of ${named(told.pictures[picture])}`});
      canvas.style.width = "110px";
      const context = canvas.getContext("2d"), image = new Image();
      image.src = photos[picture];
      await image.decode();
      if (mine !== drawn) return; // another filter was chosen meanwhile
      context.fillStyle = "#808080";
      context.fillRect(0, 0, size[1], size[0]);
      const left = start[1] + column * step[1], top = start[0] + row * step[0];
      const x = Math.max(0, left), y = Math.max(0, top), right = Math.min(told.crop, left + size[1]), bottom = Math.min(told.crop, top + size[0]);
      if (right > x && bottom > y) context.drawImage(image, x + offset, y + offset, right - x, bottom - y, x - left, y - top, right - x, bottom - y);
      tiles.push(element("li", {}, canvas, `${value}`, element("br"), named(told.pictures[picture])));
    }
    home.replaceChildren(...tiles);
  }

  // ---------------------------------------------------------------------------------------------- ten crops

  function showCrops() {
    const room = told.size - told.crop, middle = offset, svg = get("crops-drawing"), {ten, mean} = chosen();
    const places = [[0, 0], [0, room], [room, 0], [room, room], [middle, middle]];
    svg.setAttribute("viewBox", `-2 -2 ${told.size + 4} ${told.size + 4}`);
    svg.setAttribute("aria-label", `${named(told.pictures[state.photo])} and the ${told.crop}×${told.crop} crops in its ${told.size}×${told.size} pixels, at rows and columns ` +
      places.map((place) => place.join(", ")).join("; "));
    const unit = told.size / 256;
    const marks = places.flatMap(([row, column], number) => {
      const x = column + (number === 4 ? told.crop / 2 - 14 * unit : number % 2 ? told.crop - 42 * unit : 8 * unit);
      const y = row + (number === 4 ? told.crop / 2 : number > 1 ? told.crop - 10 * unit : 20 * unit);
      return [shape("rect", {x: column, y: row, width: told.crop, height: told.crop, fill: "none", stroke: number === 4 ? "var(--red)" : "var(--blue)", "stroke-width": 1.6 * unit}),
        shape("text", {x, y, style: `font-size: ${15 * unit}px; paint-order: stroke; stroke: var(--paper); stroke-width: ${4 * unit}px`}, `${number}, ${number + 5}`)];
    });
    svg.replaceChildren(shape("image", {href: photos[state.photo], width: told.size, height: told.size, opacity: 0.75}), ...marks);
    /** @param {string} name @param {[string, number][]} guesses */
    const line = (name, guesses) => element("tr", {}, element("th", {scope: "row"}, name), element("td", {class: "text"}, guesses[0][0]), element("td", {}, percent(guesses[0][1])));
    get("crops-table").replaceChildren(
      element("thead", {}, element("tr", {}, ...["crop", "most probable", ""].map((text) => text ? element("th", {scope: "col", class: "text"}, text) : element("td")))),
      element("tbody", {}, ...ten.map((/** @type {any} */ guesses, /** @type {number} */ number) => line(`${number}${number > 4 ? `, ${number - 5} reflected` : ""}`, guesses)), line("mean of ten", mean)));
    get("crops-words").textContent = `The mean: ${mean.map((/** @type {[string, number]} */ [name, p]) => `${name} ${percent(p)}`).join(", ")}.`;
  }

  return {
    layer() { showMaps(); },
    unit() { showFilters(); showPatches(); },
    mapImage, photo,
  };
}

/** @param {any} picture */
const named = (picture) => picture.label ? `${picture.label} (${picture.name.split("/").pop()})` : picture.name;

/** @param {number} p */
const percent = (p) => `${(100 * p).toFixed(1)} %`;

/**
 * Kernels side by side on one canvas.
 * @param {number} number @param {number} height @param {number} width @param {number} planes 3 for colour
 * @param {(tile: number, plane: number, place: number) => number} at @param {number} framed @param {string} words
 */
function mosaic(number, height, width, planes, at, framed, words) {
  const columns = Math.min(COLUMNS, number), rows = Math.ceil(number / columns), wide = columns * (width + 1) + 1, tall = rows * (height + 1) + 1;
  const values = new Uint8Array(wide * tall * planes).fill(255);
  for (let tile = 0; tile < number; tile++) {
    const top = Math.floor(tile / columns) * (height + 1) + 1, left = tile % columns * (width + 1) + 1;
    for (let place = 0; place < height * width; place++) {
      const target = ((top + Math.floor(place / width)) * wide + left + place % width) * planes;
      for (let plane = 0; plane < planes; plane++) values[target + plane] = at(tile, plane, place);
    }
  }
  const scale = Math.max(2, Math.min(8, Math.floor(720 / wide))), canvas = pixels(values, tall, wide, planes, scale, words);
  if (framed >= 0) {
    const context = canvas.getContext("2d");
    context.strokeStyle = "#d00000";
    context.strokeRect(framed % columns * (width + 1) + 0.5, Math.floor(framed / columns) * (height + 1) + 0.5, width + 1, height + 1);
  }
  return canvas;
}
