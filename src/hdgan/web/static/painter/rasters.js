/**
 * Label maps as bytes: connected regions as spans, and what painting changes. Pure functions.
 *
 * Maps are row-major; "joined" means by sides, not by corners.
 *
 * @typedef {import("./shapes.js").Size} Size
 * @typedef {import("./shapes.js").Point} Point
 * @typedef {import("./shapes.js").Spans} Spans
 * @typedef {{x: number, y: number, width: number, height: number}} Rect  whole pixels
 * @typedef {{locked: Iterable<number>, onlyUnlabelled: boolean}} Rules  which pixels stay
 */

import { SpanList } from "./shapes.js";

export const UNLABELLED = 255;
export const AMBIGUOUS = 254;

/**
 * Pixels joined to the given one by sides, each channel at most `tolerance` from its colour.
 * @param {Uint8Array | Uint8ClampedArray} rgba @param {Size} size
 * @param {number} column @param {number} row @param {number} tolerance @returns {Spans}
 */
export function wandSpans(rgba, size, column, row, tolerance) {
  const start = 4 * (row * size.width + column);
  const [red, green, blue] = rgba.subarray(start, start + 3);
  return flood(size, column, row, (index) => {
    const at = 4 * index;
    return (
      Math.abs(rgba[at] - red) <= tolerance &&
      Math.abs(rgba[at + 1] - green) <= tolerance &&
      Math.abs(rgba[at + 2] - blue) <= tolerance
    );
  });
}

/**
 * Pixels joined to the given one by sides that have its value.
 * @param {Uint8Array} map @param {Size} size @param {number} column @param {number} row
 * @returns {Spans}
 */
export function regionSpans(map, size, column, row) {
  const value = map[row * size.width + column];
  return flood(size, column, row, (index) => map[index] === value);
}

/**
 * All pixels of a value; of every value if none is given.
 * @param {Uint8Array | Uint16Array} map @param {Size} size @param {number} [value]
 * @param {Point} [origin] where the map's first pixel lies @returns {Spans}
 */
export function valueSpans(map, size, value, origin = { x: 0, y: 0 }) {
  const spans = new SpanList();
  const { width, height } = size;
  for (let row = 0; row < height; row += 1) {
    const base = row * width;
    for (let column = 0; column < width; column += 1) {
      if (value !== undefined && map[base + column] !== value) continue;
      const first = column;
      while (column < width && (value === undefined || map[base + column] === value)) column += 1;
      spans.add(origin.y + row, origin.x + first, origin.x + column);
    }
  }
  return spans.done();
}

/**
 * Paints in place; returns the smallest rectangle around the changed pixels, or null.
 * @param {Uint8Array} labels @param {number} width @param {Spans} spans
 * @param {number | Uint8Array} value one for all, or a map to take each pixel's value from
 * @param {Rules} rules @returns {Rect | null}
 */
export function paint(labels, width, spans, value, rules) {
  const open = changeable(rules);
  const source = typeof value === "number" ? null : value;
  const box = new Box();
  for (let k = 0; k < spans.length; k += 3) {
    const base = spans[k] * width;
    let first = -1;
    let last = -1;
    for (let index = base + spans[k + 1]; index < base + spans[k + 2]; index += 1) {
      const next = source ? source[index] : value;
      if (!open[labels[index]] || labels[index] === next) continue;
      labels[index] = next;
      if (first < 0) first = index;
      last = index;
    }
    if (first >= 0) box.add(spans[k], first - base, last - base + 1);
  }
  return box.rect();
}

/**
 * The smallest rectangle within the given one outside which two maps are equal, or null.
 * @param {Uint8Array} before @param {Uint8Array} after @param {number} width @param {Rect} within
 * @returns {Rect | null}
 */
export function changedRectangle(before, after, width, within) {
  const box = new Box();
  for (let row = within.y; row < within.y + within.height; row += 1) {
    const start = row * width + within.x;
    let first = start;
    let last = start + within.width - 1;
    while (first <= last && before[first] === after[first]) first += 1;
    while (last > first && before[last] === after[last]) last -= 1;
    if (first <= last) box.add(row, first - row * width, last - row * width + 1);
  }
  return box.rect();
}

/**
 * A copy of the rectangle's bytes, row by row.
 * @param {Uint8Array} map @param {number} width @param {Rect} rect @returns {Uint8Array}
 */
export function cut(map, width, rect) {
  const bytes = new Uint8Array(rect.width * rect.height);
  for (let row = 0; row < rect.height; row += 1) {
    const start = (rect.y + row) * width + rect.x;
    bytes.set(map.subarray(start, start + rect.width), row * rect.width);
  }
  return bytes;
}

/**
 * Writes bytes into the rectangle, in place.
 * @param {Uint8Array} map @param {number} width @param {Rect} rect @param {Uint8Array} bytes
 */
export function put(map, width, rect, bytes) {
  for (let row = 0; row < rect.height; row += 1) {
    const line = bytes.subarray(row * rect.width, (row + 1) * rect.width);
    map.set(line, (rect.y + row) * width + rect.x);
  }
}

/**
 * The smallest rectangle around both; either may be null.
 * @param {Rect | null} a @param {Rect | null} b @returns {Rect | null}
 */
export function union(a, b) {
  if (!a || !b) return a ?? b;
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  const right = Math.max(a.x + a.width, b.x + b.width);
  const bottom = Math.max(a.y + a.height, b.y + b.height);
  return { x, y, width: right - x, height: bottom - y };
}

/**
 * How often each value occurs. @param {Uint8Array} bytes @returns {Uint32Array} 256 counts
 */
export function countValues(bytes) {
  const counts = new Uint32Array(256);
  for (let index = 0; index < bytes.length; index += 1) counts[bytes[index]] += 1;
  return counts;
}

class Box {
  constructor() {
    this.left = Infinity;
    this.top = Infinity;
    this.right = -1;
    this.bottom = -1;
  }

  add(row, first, end) {
    this.left = Math.min(this.left, first);
    this.right = Math.max(this.right, end);
    this.top = Math.min(this.top, row);
    this.bottom = Math.max(this.bottom, row + 1);
  }

  rect() {
    if (this.right < 0) return null;
    const { left: x, top: y } = this;
    return { x, y, width: this.right - x, height: this.bottom - y };
  }
}

function changeable({ locked, onlyUnlabelled }) {
  const open = new Uint8Array(256).fill(onlyUnlabelled ? 0 : 1);
  open[UNLABELLED] = 1;
  for (const value of locked) open[value] = 0;
  return open;
}

function flood({ width, height }, column, row, matches) {
  const seen = new Uint8Array(width * height);
  const spans = new SpanList();
  const waiting = [column, row];
  while (waiting.length > 0) {
    const y = waiting.pop();
    const x = waiting.pop();
    const base = y * width;
    if (seen[base + x]) continue;
    let first = x;
    while (first > 0 && matches(base + first - 1)) first -= 1;
    let end = x + 1;
    while (end < width && matches(base + end)) end += 1;
    seen.fill(1, base + first, base + end);
    spans.add(y, first, end);
    if (y > 0) addRuns(waiting, seen, matches, y - 1, width, first, end);
    if (y + 1 < height) addRuns(waiting, seen, matches, y + 1, width, first, end);
  }
  return spans.done();
}

function addRuns(waiting, seen, matches, row, width, first, end) {
  const base = row * width;
  let inRun = false;
  for (let column = first; column < end; column += 1) {
    const open = !seen[base + column] && matches(base + column);
    if (open && !inRun) waiting.push(column, row);
    inRun = open;
  }
}

/**
 * Their map with the pixels over it that I changed.
 * @param {Uint8Array} theirs @param {Uint8Array} base what both began with @param {Uint8Array} mine
 * @returns {Uint8Array}
 */
export function laidOver(theirs, base, mine) {
  return theirs.map((value, k) => (mine[k] === base[k] ? value : mine[k]));
}
