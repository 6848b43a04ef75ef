/** What the painter has chosen: tool, class, sizes, what is shown. It is kept from tile to tile. */

import { UNLABELLED } from "./rasters.js";

const BRUSH_SIZES = [1, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 256, 362, 512];

const FIRST = {
  tool: "brush",
  value: 0,
  size: 32,
  tolerance: 12,
  area: 400,
  onlyUnlabelled: false,
  acceptsOnlyUnlabelled: true,
  opacity: 0.55,
  isOutlined: false,
  showsPrediction: false,
  predictionOpacity: 0.45,
  showsUncertainty: false,
  uncertaintyOpacity: 0.6,
};

/** A second reading is independent, until who paints it wants otherwise. */
const BLIND = { showsPrediction: false, showsUncertainty: false };

let kept = null;
const keptLocks = new Set();

/** The choices; whoever shows one listens. */
export class Options {
  /**
   * @param {{width: number, height: number}} size of the tile @param {object} session
   * @param {boolean} [isBlind] whether predictions are hidden at first
   */
  constructor(size, session, isBlind = false) {
    const side = Math.max(size.width, size.height);
    const brush = BRUSH_SIZES.findLast((step) => step <= side / 16 && step <= FIRST.size) ?? 1;
    kept ??= { ...FIRST, size: brush, showsPrediction: session.has_predictions };
    this.isBlind = isBlind;
    this.values = { ...kept, ...(isBlind ? BLIND : {}) };
    /** @type {Set<number>} classes that stay as they are */
    this.locked = keptLocks;
    this.listeners = [];
  }

  get tool() {
    return this.values.tool;
  }

  /** What the tool in hand paints. @returns {number} */
  get paints() {
    return this.values.tool === "eraser" ? UNLABELLED : this.values.value;
  }

  /** @returns {import("./rasters.js").Rules} */
  get rules() {
    return { locked: this.locked, onlyUnlabelled: this.values.onlyUnlabelled };
  }

  /** @param {Partial<typeof FIRST>} values */
  set(values) {
    Object.assign(this.values, values);
    for (const [name, value] of Object.entries(values)) {
      if (!this.isBlind || !(name in BLIND)) kept[name] = value;
    }
    for (const listener of this.listeners) listener(Object.keys(values));
  }

  /** @param {string} name of a choice that is on or off */
  toggle(name) {
    this.set({ [name]: !this.values[name] });
  }

  /** @param {number} value of a class */
  toggleLock(value) {
    if (!this.locked.delete(value)) this.locked.add(value);
    for (const listener of this.listeners) listener(["locked"]);
  }

  /** The next larger or smaller brush. @param {1 | -1} direction */
  resize(direction) {
    const { size } = this.values;
    const larger = BRUSH_SIZES.find((step) => step > size) ?? BRUSH_SIZES.at(-1);
    const smaller = BRUSH_SIZES.findLast((step) => step < size) ?? 1;
    this.set({ size: direction > 0 ? larger : smaller });
  }

  /** @param {(names: string[]) => void} listener called with the names of what changed */
  listen(listener) {
    this.listeners.push(listener);
  }
}
