/** Superpixels, fetched block by block when a pointer first comes there. */

import { valueSpans } from "./rasters.js";

export const BLOCK = 512;
const AGAIN_MS = 3000;

/**
 * @typedef {{segments: Uint16Array, size: import("./rasters.js").Size,
 *   origin: import("./rasters.js").Point}} Block
 */

/** Blocks of one tile at one size of superpixel; 512 kB a block. */
export class Superpixels {
  /** @param {(column: number, row: number, area: number) => Promise<object>} fetchBlock */
  constructor(fetchBlock) {
    this.fetchBlock = fetchBlock;
    this.area = 0;
    this.promises = new Map();
    this.blocks = new Map();
  }

  /** @param {number} area of one superpixel in px; what was fetched for another is dropped */
  resize(area) {
    if (area === this.area) return;
    this.area = area;
    this.promises.clear();
    this.blocks.clear();
  }

  /** @param {import("./rasters.js").Point} point @returns {Promise<Block>} */
  load(point) {
    const { area } = this;
    const [column, row, key] = addressOf(point);
    if (!this.promises.has(key)) {
      const coming = this.fetchBlock(column, row, area).then((answer) => {
        const origin = { x: column * BLOCK, y: row * BLOCK };
        const size = { width: answer.width, height: answer.height };
        const block = { segments: answer.segments, size, origin };
        if (area === this.area) this.blocks.set(key, block);
        return block;
      });
      this.promises.set(key, coming);
      // Not at once: a server that is away would be asked with every movement.
      coming.catch(() => setTimeout(() => this.promises.delete(key), AGAIN_MS));
    }
    return this.promises.get(key);
  }

  /** The block if it is here. @param {import("./rasters.js").Point} point @returns {?Block} */
  at(point) {
    return this.blocks.get(addressOf(point)[2]) ?? null;
  }
}

/** The segment of a point. @param {Block} block @param {import("./rasters.js").Point} point */
export function segmentAt({ segments, size, origin }, point) {
  const column = Math.floor(point.x) - origin.x;
  const row = Math.floor(point.y) - origin.y;
  return segments[row * size.width + column];
}

/** @param {Block} block @param {number} segment @returns {import("./shapes.js").Spans} */
export function segmentSpans({ segments, size, origin }, segment) {
  return valueSpans(segments, size, segment, origin);
}

function addressOf({ x, y }) {
  const column = Math.floor(x / BLOCK);
  const row = Math.floor(y / BLOCK);
  return [column, row, `${column}/${row}`];
}
