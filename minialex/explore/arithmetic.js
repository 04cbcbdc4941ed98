// @ts-check
// shapes.py once more, for what the sliders redo. tests/explore hold every function here to its namesake there.

/** How many window positions fit. @param {number} size @param {number} kernel @param {number} stride @param {number} padding */
export function outputSize(size, kernel, stride, padding) {
  const span = size - kernel + 2 * padding;
  return span < 0 ? 0 : Math.floor(span / stride) + 1;
}

/** The formula with its numbers, and what a remainder means. @param {number} size @param {number} kernel @param {number} stride @param {number} padding */
export function explain(size, kernel, stride, padding) {
  const span = size - kernel + 2 * padding,
    count = outputSize(size, kernel, stride, padding),
    unread = span % stride;
  if (span < 0) {
    return (
      `a kernel of ${kernel} does not fit into ${size} + 2·${padding} = ${size + 2 * padding} pixels: ` +
      `use an input of at least ${kernel - 2 * padding}, a smaller kernel or more padding.`
    );
  }
  const formula = `(${size} - ${kernel} + 2·${padding})/${stride} + 1`;
  if (!unread) return `${formula} = ${span}/${stride} + 1 = ${count}`;
  const missing = stride - unread,
    one = missing === 1;
  return (
    `${formula} = ${decimal(span + stride, stride)} → ${count}, ${neverRead(unread, padding)}; ` +
    `${size + missing} or ${missing} more ${one ? "pixel makes" : "pixels make"} it whole`
  );
}

/** @param {number} unread @param {number} padding */
function neverRead(unread, padding) {
  const last = unread === 1 ? "the last column" : `the last ${unread} columns`,
    verb = unread === 1 ? "is" : "are";
  if (unread <= padding) return `${last} ${verb} never read, padding only`;
  if (padding === 0) return `${last} of pixels ${verb} never read`;
  return `${last} are never read, ${padding} of padding and ${unread - padding} of pixels`;
}

/** @param {number} numerator @param {number} denominator */
function decimal(numerator, denominator) {
  if ((numerator * 10000) % denominator === 0) return (numerator / denominator).toFixed(4).replace(/\.?0+$/, "");
  return (Math.floor((numerator * 100) / denominator) / 100).toFixed(2) + "…";
}

/** The first column of every window; below 0 is padding. @param {number} size @param {number} kernel @param {number} stride @param {number} padding */
export function windowStarts(size, kernel, stride, padding) {
  return Array.from({length: outputSize(size, kernel, stride, padding)}, (_, number) => number * stride - padding);
}

/** Columns of the padded picture that no window covers. @param {number} size @param {number} kernel @param {number} stride @param {number} padding */
export function columnsNeverRead(size, kernel, stride, padding) {
  const read = new Set();
  for (const start of windowStarts(size, kernel, stride, padding))
    for (let at = 0; at < kernel; at++) read.add(start + at);
  return Array.from({length: size + 2 * padding}, (_, number) => number - padding).filter(
    (column) => !read.has(column),
  );
}

/**
 * The first and last channel of the input that a channel of the output sees.
 * @param {{kind: string, across: number, groups: number, in: number, out: number}} feeds @param {number} channel @returns {[number, number]}
 */
export function fedBy(feeds, channel) {
  if (feeds.kind === "own") return [channel, channel];
  const each = feeds.in / feeds.groups,
    tower = Math.floor(channel / (feeds.out / feeds.groups));
  const first = tower * each,
    last = first + each - 1,
    half = Math.floor(feeds.across / 2);
  if (feeds.kind === "window")
    return [Math.max(first, channel - half), Math.min(last, channel + feeds.across - 1 - half)];
  return [first, last];
}
