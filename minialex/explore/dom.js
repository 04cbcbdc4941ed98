// @ts-check
// What both pages build with.

/** @param {string} id @returns {any} */
export const get = (id) => document.getElementById(id);

/** @returns {any} */
export const pageData = () => JSON.parse(get("data").textContent);

/** @param {number} number */
export const count = (number) => number.toLocaleString("en");

/** @param {number[]} shape */
export const times = (shape) => (shape.length ? shape.join("×") : "one number");

/**
 * An element with attributes and children.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string)} children @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string)} children @returns {any} */
export function shape(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** @param {Element} made @param {Record<string, any>} attributes @param {(Node | string)[]} children */
function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A term and what it is, for a dl. @param {string} term @param {string | Node} text */
export const fact = (term, text) => [element("dt", {}, term), element("dd", {}, text)];

/** Stripes, so that what is lost is seen without colour. @param {string} name @param {string} colour @param {number} [every] */
export function stripes(name, colour, every = 6) {
  const turned = {patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)"};
  const pattern = shape("pattern", {id: name, width: every, height: every, ...turned});
  pattern.append(shape("line", {y2: every, stroke: colour, "stroke-width": every / 2}));
  return shape("defs", {}, pattern);
}

/** @param {string} base64 */
export const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/**
 * One channel of numbers 0..255, or three, as a small picture; `scale` screen pixels for each.
 * @param {Uint8Array} values @param {number} height @param {number} width @param {number} channels (H, W, channels) in order
 * @param {number} scale @param {string} words
 */
export function pixels(values, height, width, channels, scale, words) {
  const canvas = element("canvas", {width, height, role: "img", "aria-label": words});
  canvas.style.width = `${Math.round(width * scale)}px`;
  const context = canvas.getContext("2d"),
    image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place++) {
    for (let colour = 0; colour < 3; colour++)
      image.data[4 * place + colour] = values[place * channels + (channels === 3 ? colour : 0)];
    image.data[4 * place + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
