// @ts-check
// What a trained network has learnt: filters, feature maps, the strongest patches, the ten crops.
import {bytes, count, element, get, pixels, shape} from "./dom.js";

const COLUMNS = 16; // of a mosaic of kernels

/** The page's last sections: what a network has learnt. */
export class Trained {
  /**
   * @param {any} data @param {any} state what is chosen on the page @param {() => void} again draws it anew
   */
  constructor(data, state, again) {
    this.told = data.trained;
    this.layers = data.network.layers;
    this.state = state;
    this.again = again;
    this.drawn = 0; // how often patches were
    this.offset = Math.floor((this.told.size - this.told.crop) / 2);
    this.photos = this.told.pictures.map((/** @type {any} */ picture) => `data:image/jpeg;base64,${picture.jpeg}`);
    if (!this.told.chosen.length) for (const id of ["maps", "patches", "crops"]) get(id).hidden = true;
    else this.choosePhoto();
  }

  chosen() {
    return this.told.chosen[this.state.photo];
  }

  layer() {
    return this.layers[this.state.layer];
  }

  /** The convolution that the chosen layer belongs to. */
  convolution() {
    const before = this.layers.slice(0, this.state.layer + 1).reverse();
    return before.find((/** @type {any} */ one) => this.told.filters[one.name] || this.told.patches[one.name]);
  }

  /** Draw what follows from the choices above. @param {boolean} another has another layer been chosen? */
  show(another) {
    if (another) this.showMaps();
    this.showFilters();
    this.showPatches();
  }

  choosePhoto() {
    this.told.chosen.forEach((/** @type {any} */ _, /** @type {number} */ number) => {
      const input = element("input", {type: "radio", name: "photo", id: `photo-${number}`});
      input.checked = number === this.state.photo;
      input.addEventListener("change", () => {
        this.state.photo = number;
        this.showMaps();
        this.showCrops();
        this.again();
      });
      const picture = element("img", {src: this.photos[number], alt: "", width: 56, height: 56});
      get("photos").append(element("label", {}, input, picture, " ", named(this.told.pictures[number])));
    });
    this.showCrops();
  }

  // ---------------------------------------------------------------------------------------------- filters

  showFilters() {
    const home = get("filters"),
      of = this.convolution(),
      filters = of && this.told.filters[of.name];
    home.hidden = !of;
    if (!of) return;
    if (!filters) {
      get("filters-words").textContent = `The filters of ${of.name} are too many for this page.`;
      get("filters-drawing").replaceChildren();
      return;
    }
    const [outputs, inputs, height, width] = filters.shape,
      values = bytes(filters.values),
      colour = inputs === 3;
    const channel = Math.min(this.state.channel, outputs - 1),
      [low, high] = filters.ranges[channel],
      whole = colour || inputs === 1;
    const number = whole ? outputs : inputs,
      first = whole ? 0 : channel * inputs;
    /** @param {number} tile @param {number} plane @param {number} place */
    const at = (tile, plane, place) => values[(whole ? tile * inputs + plane : first + tile) * height * width + place];
    const words = whole
      ? `All ${outputs} filters of ${of.name}, ${height}×${width}${colour ? " in colour" : ""}, weights from ${-filters.most} to ${filters.most}. ` +
        `Framed: filter ${channel}, from ${low} to ${high}.`
      : `Filter ${channel} of ${of.name}: its ${inputs} kernels of ${height}×${width}, weights from ${low} to ${high}.`;
    get("filters-drawing").replaceChildren(
      mosaic(number, height, width, colour ? 3 : 1, at, whole ? channel : -1, words),
    );
    get("filters-words").textContent = `${words} Grey is 0.`;
  }

  // ---------------------------------------------------------------------------------------------- maps

  showMaps() {
    const maps = this.told.chosen.length ? this.chosen().maps[this.layer().name] : null;
    get("maps-tiles").replaceChildren();
    if (!this.told.chosen.length) return;
    get("maps-words").textContent = maps
      ? `The ${maps.channels.length} maps of ${this.layer().name} that answer most to this picture; black is ${maps.low}, white ${maps.high}.`
      : `${this.layer().name} has no maps.`;
    if (!maps) return;
    const [, height, width] = this.layer().output,
      values = bytes(maps.values);
    maps.channels.forEach((/** @type {number} */ channel, /** @type {number} */ number) => {
      const [largest, row, column] = maps.largest[number],
        words = `channel ${channel}: at most ${largest}, in row ${row}, column ${column}`;
      const canvas = pixels(
        values.subarray(number * height * width, (number + 1) * height * width),
        height,
        width,
        1,
        110 / width,
        words,
      );
      const button = element("button", {type: "button", class: "tile", "aria-label": `Look at ${words}`}, canvas);
      button.addEventListener("click", () => {
        [this.state.channel, this.state.row, this.state.column] = [channel, row, column];
        this.again();
      });
      get("maps-tiles").append(element("li", {}, button, `channel ${channel}`, element("br"), `most: ${largest}`));
    });
  }

  /** The chosen channel's map as an image below the frame of the unit. @param {number} width @param {number} height */
  mapImage(width, height) {
    const maps = this.told.chosen.length ? this.chosen().maps[this.layer().name] : null,
      number = maps ? maps.channels.indexOf(this.state.channel) : -1;
    if (number < 0) return [];
    const canvas = pixels(
      bytes(maps.values).subarray(number * height * width, (number + 1) * height * width),
      height,
      width,
      1,
      1,
      "",
    );
    return [shape("image", {href: canvas.toDataURL(), width, height, style: "image-rendering: pixelated"})];
  }

  /** The chosen picture's crop below the frame of what a unit sees. @param {number} width @param {number} height */
  photo(width, height) {
    if (!this.told.chosen.length) return [];
    const inside = shape("svg", {width, height, viewBox: `${this.offset} ${this.offset} ${width} ${height}`});
    inside.append(shape("image", {href: this.photos[this.state.photo], width: this.told.size, height: this.told.size}));
    return [inside];
  }

  // ---------------------------------------------------------------------------------------------- patches

  async showPatches() {
    const of = this.convolution(),
      mine = ++this.drawn,
      home = get("patches-tiles");
    const strongest =
      of && this.told.patches[of.name]
        ? this.told.patches[of.name][Math.min(this.state.channel, of.output[0] - 1)]
        : [];
    get("patches").hidden = !strongest || !strongest.length;
    if (get("patches").hidden) return;
    const {size, step, start} = of.sight,
      tiles = [];
    get("patches-words").textContent =
      `What excites filter ${Math.min(this.state.channel, of.output[0] - 1)} of ${of.name} most, in ${count(this.told.pictures.length)} pictures: ` +
      `it sees ${size[0]}×${size[1]} pixels; plain grey lies outside of the picture.`;
    for (const [value, picture, row, column] of strongest) {
      const label = `answer ${value}, row ${row}, column ${column} of ${named(this.told.pictures[picture])}`;
      const canvas = await this.patch(picture, start[1] + column * step[1], start[0] + row * step[0], size, label);
      if (mine !== this.drawn) return; // another filter was chosen meanwhile
      tiles.push(element("li", {}, canvas, `${value}`, element("br"), named(this.told.pictures[picture])));
    }
    home.replaceChildren(...tiles);
  }

  /**
   * A part of a picture's crop, plain grey where it ends.
   * @param {number} picture @param {number} left @param {number} top @param {number[]} size @param {string} label
   */
  async patch(picture, left, top, [height, width], label) {
    const canvas = element("canvas", {width, height, class: "photo", role: "img", "aria-label": label});
    canvas.style.width = "110px";
    const context = canvas.getContext("2d"),
      image = new Image();
    image.src = this.photos[picture];
    await image.decode();
    context.fillStyle = "#808080";
    context.fillRect(0, 0, width, height);
    const x = Math.max(0, left),
      y = Math.max(0, top);
    const wide = Math.min(this.told.crop, left + width) - x,
      tall = Math.min(this.told.crop, top + height) - y;
    if (wide > 0 && tall > 0) {
      context.drawImage(image, x + this.offset, y + this.offset, wide, tall, x - left, y - top, wide, tall);
    }
    return canvas;
  }

  // ---------------------------------------------------------------------------------------------- ten crops

  showCrops() {
    const room = this.told.size - this.told.crop,
      middle = this.offset,
      svg = get("crops-drawing"),
      {ten, mean} = this.chosen();
    const places = [
      [0, 0],
      [0, room],
      [room, 0],
      [room, room],
      [middle, middle],
    ];
    svg.setAttribute("viewBox", `-2 -2 ${this.told.size + 4} ${this.told.size + 4}`);
    svg.setAttribute(
      "aria-label",
      `${named(this.told.pictures[this.state.photo])} and the ${this.told.crop}×${this.told.crop} crops in its ${this.told.size}×${this.told.size} pixels, at rows and columns ` +
        places.map((place) => place.join(", ")).join("; "),
    );
    const unit = this.told.size / 256;
    const marks = places.flatMap(([row, column], number) => {
      const x =
        column + (number === 4 ? this.told.crop / 2 - 14 * unit : number % 2 ? this.told.crop - 42 * unit : 8 * unit);
      const y = row + (number === 4 ? this.told.crop / 2 : number > 1 ? this.told.crop - 10 * unit : 20 * unit);
      return [
        shape("rect", {
          x: column,
          y: row,
          width: this.told.crop,
          height: this.told.crop,
          fill: "none",
          stroke: number === 4 ? "var(--red)" : "var(--blue)",
          "stroke-width": 1.6 * unit,
        }),
        shape(
          "text",
          {
            x,
            y,
            style: `font-size: ${15 * unit}px; paint-order: stroke; stroke: var(--paper); stroke-width: ${4 * unit}px`,
          },
          `${number}, ${number + 5}`,
        ),
      ];
    });
    svg.replaceChildren(
      shape("image", {
        href: this.photos[this.state.photo],
        width: this.told.size,
        height: this.told.size,
        opacity: 0.75,
      }),
      ...marks,
    );
    this.showGuesses(ten, mean);
  }

  /** @param {[string, number][][]} ten @param {[string, number][]} mean the five most probable classes of each crop, and of all */
  showGuesses(ten, mean) {
    /** @param {string} name @param {[string, number][]} guesses */
    const line = (name, guesses) =>
      element(
        "tr",
        {},
        element("th", {scope: "row"}, name),
        element("td", {class: "text"}, guesses[0][0]),
        element("td", {}, percent(guesses[0][1])),
      );
    get("crops-table").replaceChildren(
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...["crop", "most probable", ""].map((text) =>
            text ? element("th", {scope: "col", class: "text"}, text) : element("td"),
          ),
        ),
      ),
      element(
        "tbody",
        {},
        ...ten.map((/** @type {any} */ guesses, /** @type {number} */ number) =>
          line(`${number}${number > 4 ? `, ${number - 5} reflected` : ""}`, guesses),
        ),
        line("mean of ten", mean),
      ),
    );
    get("crops-words").textContent =
      `The mean: ${mean.map((/** @type {[string, number]} */ [name, p]) => `${name} ${percent(p)}`).join(", ")}.`;
  }
}

/** @param {any} picture */
const named = (picture) => (picture.label ? `${picture.label} (${picture.name.split("/").pop()})` : picture.name);

/** @param {number} p */
const percent = (p) => `${(100 * p).toFixed(1)} %`;

/**
 * Kernels side by side on one canvas.
 * @param {number} number @param {number} height @param {number} width @param {number} planes 3 for colour
 * @param {(tile: number, plane: number, place: number) => number} at @param {number} framed @param {string} words
 */
function mosaic(number, height, width, planes, at, framed, words) {
  const columns = Math.min(COLUMNS, number),
    rows = Math.ceil(number / columns),
    wide = columns * (width + 1) + 1,
    tall = rows * (height + 1) + 1;
  const values = new Uint8Array(wide * tall * planes).fill(255);
  for (let tile = 0; tile < number; tile++) {
    const top = Math.floor(tile / columns) * (height + 1) + 1,
      left = (tile % columns) * (width + 1) + 1;
    for (let place = 0; place < height * width; place++) {
      const target = ((top + Math.floor(place / width)) * wide + left + (place % width)) * planes;
      for (let plane = 0; plane < planes; plane++) values[target + plane] = at(tile, plane, place);
    }
  }
  const scale = Math.max(2, Math.min(8, Math.floor(720 / wide))),
    canvas = pixels(values, tall, wide, planes, scale, words);
  if (framed >= 0) {
    const context = canvas.getContext("2d");
    context.strokeStyle = "#d00000";
    context.strokeRect(
      (framed % columns) * (width + 1) + 0.5,
      Math.floor(framed / columns) * (height + 1) + 0.5,
      width + 1,
      height + 1,
    );
  }
  return canvas;
}
