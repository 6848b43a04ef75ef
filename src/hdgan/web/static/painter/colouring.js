/** Colours of label maps and uncertainty, screen pixel by screen pixel: pure functions. */

import { AMBIGUOUS, UNLABELLED } from "./rasters.js";

const STRIPE_PX = 4;
const [DARK, LIGHT] = [0xff202020, 0xfff4f4f4];
const ALONE = Uint8Array.from({ length: 256 }, (_, value) => value);

/** Regions of all that is labelled: one has no edge to another. */
export const TOGETHER = new Uint8Array(256);
TOGETHER[UNLABELLED] = UNLABELLED;
/** Less uncertainty than this is not worth a full colour. */
const LEAST_TOP = 8;
const NEAREST_TO_FURTHEST = ["#fff7b0", "#fdbb3f", "#e8532b", "#a3105f", "#3b0a57"];

/**
 * Little-endian RGBA of each value; unlabelled is clear.
 * @param {{colour: string}[]} classes @returns {Uint32Array}
 */
export function classColours(classes) {
  const colours = new Uint32Array(256);
  classes.forEach(({ colour }, value) => (colours[value] = packed(channels(colour), 255)));
  return colours;
}

/**
 * From clear (sure) over yellow and red to violet (unsure).
 * @param {number} top value that is violet, as all above it are @returns {Uint32Array}
 */
export function uncertaintyColours(top) {
  const colours = new Uint32Array(256);
  const steps = NEAREST_TO_FURTHEST.map(channels);
  for (let value = 1; value < 256; value += 1) {
    const part = Math.min(1, value / top);
    const at = part * (steps.length - 1);
    const k = Math.min(steps.length - 2, Math.floor(at));
    const mixed = steps[k].map((low, i) => low + (at - k) * (steps[k + 1][i] - low));
    colours[value] = packed(mixed.map(Math.round), Math.round(Math.min(1, part * 3) * 255));
  }
  return colours;
}

/**
 * The value that all but one in a hundred stay below, at least a little.
 * @param {Uint8Array} values @returns {number}
 */
export function topOf(values) {
  const counts = new Uint32Array(256);
  for (const value of values) counts[value] += 1;
  let top = 255;
  let above = counts[255];
  while (top > LEAST_TOP && above < values.length / 100) {
    top -= 1;
    above += counts[top];
  }
  return top;
}

/**
 * For each device pixel along one side the pixel of the image it shows, or -1.
 * @param {number} length of the screen @param {number} start image point at the screen's edge
 * @param {number} scale device pixels an image pixel @param {number} end of the image
 * @returns {Int32Array}
 */
export function sampled(length, start, scale, end) {
  const positions = new Int32Array(length);
  for (let k = 0; k < length; k += 1) {
    const position = Math.floor(start + (k + 0.5) / scale);
    positions[k] = position >= 0 && position < end ? position : -1;
  }
  return positions;
}

/**
 * @typedef {object} Raster  what to colour
 * @property {Uint8Array} map @property {number} width of the map
 * @property {Uint32Array} colours of its values
 * @property {Int32Array} columns @property {Int32Array} rows of the screen, from `sampled`
 * @property {Uint8Array | null} over where this map has labels nothing is drawn
 * @property {boolean} isHatched whether the ambiguous value is striped
 * @property {boolean} isPinstriped whether only every other screen column is drawn
 * @property {Uint8Array} [regions] to which region a value belongs, if not to one of its own
 * @property {boolean} [isDashed] whether edges are dark and light instead of the value's colour
 * @property {{x: number, y: number}} origin device pixel of the image's corner; stripes hang on it
 */

/**
 * Fills each region with its colour.
 * @param {Uint32Array} pixels of the whole screen @param {Raster} raster
 * @param {import("./rasters.js").Rect} rect device pixels to fill
 */
export function fillColours(pixels, raster, rect) {
  const { map, over, colours, columns, isHatched, isPinstriped, origin } = raster;
  eachRow(pixels, raster, rect, 0, (y, base, first, end) => {
    const line = y * columns.length;
    let stripes = 0;
    for (let x = first; x < end; x += 1) {
      const index = base + columns[x];
      const isClear =
        (over !== null && over[index] !== UNLABELLED) ||
        (isPinstriped && ((x - origin.x) & 1) === 0);
      const value = isClear ? UNLABELLED : map[index];
      if (isHatched && value === AMBIGUOUS) {
        pixels[line + x] = stripe(raster, x, y);
        stripes += 1;
      } else pixels[line + x] = colours[value];
    }
    return stripes > 0;
  });
}

/**
 * Draws the inner edge of each region in its colour, as wide on the screen at every scale.
 * @param {Uint32Array} pixels @param {Raster} raster @param {import("./rasters.js").Rect} rect
 * @param {number} reach width of an edge in device pixels
 */
export function outlineColours(pixels, raster, rect, reach) {
  const { map, width, colours, columns, rows, regions = ALONE, isDashed = false } = raster;
  const [left, right] = inside(columns, 0, columns.length);
  const [top, bottom] = inside(rows, 0, rows.length);
  eachRow(pixels, raster, rect, reach, (y, base, first, end) => {
    const line = y * columns.length;
    const above = rows[Math.max(top, y - reach)] * width;
    const below = rows[Math.min(bottom - 1, y + reach)] * width;
    let stripes = 0;
    for (let x = first; x < end; x += 1) {
      const column = columns[x];
      const value = map[base + column];
      const region = regions[value];
      const isEdge =
        region !== UNLABELLED &&
        (regions[map[above + column]] !== region ||
          regions[map[below + column]] !== region ||
          regions[map[base + columns[Math.max(left, x - reach)]]] !== region ||
          regions[map[base + columns[Math.min(right - 1, x + reach)]]] !== region);
      if (isEdge && (isDashed || value === AMBIGUOUS)) {
        pixels[line + x] = stripe(raster, x, y);
        stripes += 1;
      } else pixels[line + x] = isEdge ? colours[value] : 0;
    }
    return stripes > 0;
  });
}

/**
 * Calls `colourRow` for the screen rows on the image and clears the rest; a row that shows the same
 * as the one before, as most do in a large view, is copied. `colourRow` tells if it has stripes.
 */
function eachRow(pixels, { columns, rows, width }, rect, reach, colourRow) {
  const across = columns.length;
  const right = rect.x + rect.width;
  const [first, end] = inside(columns, rect.x, right);
  let mayCopy = false;
  for (let y = rect.y; y < rect.y + rect.height; y += 1) {
    const line = y * across;
    if (rows[y] < 0) pixels.fill(0, line + rect.x, line + right);
    else if (mayCopy && showsSame(rows, y, reach)) {
      pixels.copyWithin(line + rect.x, line - across + rect.x, line - across + right);
    } else {
      pixels.fill(0, line + rect.x, line + first);
      pixels.fill(0, line + end, line + right);
      mayCopy = !colourRow(y, rows[y] * width, first, end);
    }
  }
}

function showsSame(rows, y, reach) {
  const at = (place) => rows[Math.min(rows.length - 1, Math.max(0, place))];
  if (rows[y] !== rows[y - 1]) return false;
  return at(y - reach) === at(y - reach - 1) && at(y + reach) === at(y + reach - 1);
}

/** The part of a stretch of the screen that lies on the image. */
function inside(positions, start, stop) {
  let first = start;
  let end = stop;
  while (first < end && positions[first] < 0) first += 1;
  while (end > first && positions[end - 1] < 0) end -= 1;
  return [first, end];
}

function stripe({ origin }, x, y) {
  const along = x - origin.x + (y - origin.y);
  return ((along % (2 * STRIPE_PX)) + 2 * STRIPE_PX) % (2 * STRIPE_PX) < STRIPE_PX ? DARK : LIGHT;
}

/** @param {string} colour #rrggbb @returns {number[]} */
function channels(colour) {
  return [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
}

function packed([red, green, blue], alpha) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
