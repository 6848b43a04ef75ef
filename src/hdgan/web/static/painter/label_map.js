/** A label map while it is painted: what is on the screen, and what the last stroke left. */

import { changedRectangle, countValues, cut, paint, put, union } from "./rasters.js";

/** @typedef {import("./rasters.js").Rect} Rect */
/** @typedef {{rect: Rect, before: Uint8Array, after: Uint8Array}} Change */

/** Two maps of bytes: memory grows with twice the tile. */
export class LabelMap {
  /** @param {import("./rasters.js").Size} size @param {Uint8Array} labels */
  constructor(size, labels) {
    this.size = size;
    this.replace(labels);
  }

  /** @param {Uint8Array} labels  a new map, kept and counted */
  replace(labels) {
    this.labels = labels;
    this.kept = labels.slice();
    this.counts = Float64Array.from(countValues(labels));
    this.touched = null;
  }

  /**
   * Paints a part of a stroke that is not finished yet.
   * @param {import("./rasters.js").Spans} spans @param {number | Uint8Array} value
   * @param {import("./rasters.js").Rules} rules @returns {Rect | null} what changed
   */
  paint(spans, value, rules) {
    const rect = paint(this.labels, this.size.width, spans, value, rules);
    this.touched = union(this.touched, rect);
    return rect;
  }

  /** Takes the unfinished stroke back. @returns {Rect | null} what changed */
  cancel() {
    const rect = this.touched;
    if (rect) put(this.labels, this.size.width, rect, cut(this.kept, this.size.width, rect));
    this.touched = null;
    return rect;
  }

  /** Ends the stroke. @returns {Change | null} null if no pixel changed */
  finish() {
    const { width } = this.size;
    const rect = this.touched && changedRectangle(this.kept, this.labels, width, this.touched);
    this.touched = null;
    if (!rect) return null;
    const before = cut(this.kept, width, rect);
    const after = cut(this.labels, width, rect);
    put(this.kept, width, rect, after);
    this.count(before, after);
    return { rect, before, after };
  }

  /**
   * Writes a rectangle, as one finished change; what is unfinished beside it stays unfinished.
   * @param {Rect} rect @param {Uint8Array} bytes @returns {Change | null}
   */
  write(rect, bytes) {
    const unfinished = this.touched;
    put(this.labels, this.size.width, rect, bytes);
    this.touched = rect;
    const change = this.finish();
    this.touched = unfinished;
    return change;
  }

  count(before, after) {
    const old = countValues(before);
    countValues(after).forEach((count, value) => (this.counts[value] += count - old[value]));
  }

  /** @param {number} value @returns {number} its part of the tile, 0 to 1 */
  share(value) {
    return this.counts[value] / (this.size.width * this.size.height);
  }
}
