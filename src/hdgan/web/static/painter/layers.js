/** The canvases, each as large as the screen and no larger: image, maps over it, marks on top. */

import { make } from "../dom.js";
import { fillColours, outlineColours, sampled } from "./colouring.js";

const SMALLEST_LEVEL_PX = 256;
const RIM_PX = 4;

/**
 * The image with halved copies, so that a small view of a large tile costs little.
 */
export class ImageLayer {
  /** @param {ImageBitmap} bitmap */
  constructor(bitmap) {
    this.size = { width: bitmap.width, height: bitmap.height };
    this.canvas = make("canvas", { class: "layer", "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.levels = [bitmap];
    this.bytes = null;
  }

  /** @param {import("./view.js").View} view */
  draw(view) {
    fitCanvas(this.canvas, view);
    const { context } = this;
    const scale = view.scale * view.ratio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = getComputedStyle(this.canvas).getPropertyValue("--surround") || "#55585c";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.imageSmoothingEnabled = scale < 2;
    context.setTransform(scale, 0, 0, scale, -view.left * scale, -view.top * scale);
    context.drawImage(this.levelFor(scale), 0, 0, this.size.width, this.size.height);
  }

  /** The smallest copy that is still as fine as the screen. */
  levelFor(scale) {
    let k = 0;
    while (scale * 2 ** (k + 1) <= 1 && this.hasLevel(k + 1)) k += 1;
    return this.levels[k];
  }

  hasLevel(k) {
    const before = this.levels[k - 1];
    if (this.levels[k]) return true;
    if (Math.min(before.width, before.height) < 2 * SMALLEST_LEVEL_PX) return false;
    const level = new OffscreenCanvas(Math.ceil(before.width / 2), Math.ceil(before.height / 2));
    level.getContext("2d", { alpha: false }).drawImage(before, 0, 0, level.width, level.height);
    this.levels.push(level.transferToImageBitmap());
    return true;
  }

  /** The pixels as RGBA; read once, when a tool first asks. @returns {Uint8ClampedArray} */
  pixels() {
    if (!this.bytes) {
      const { width, height } = this.size;
      const context = new OffscreenCanvas(width, height).getContext("2d", {
        willReadFrequently: true,
      });
      context.drawImage(this.levels[0], 0, 0);
      this.bytes = context.getImageData(0, 0, width, height).data;
    }
    return this.bytes;
  }

  /** Gives the copies' memory back. */
  close() {
    for (const level of this.levels) level.close();
    this.bytes = null;
  }
}

/** A map of bytes drawn by nearest neighbour; only the pixels that changed are drawn again. */
export class MapLayer {
  /**
   * @param {Uint32Array} colours of the values
   * @param {{isHatched?: boolean, isPinstriped?: boolean, isDashed?: boolean,
   *   regions?: Uint8Array}} [options]
   */
  constructor(colours, { isHatched = false, isPinstriped = false, ...edges } = {}) {
    this.canvas = make("canvas", { class: "layer", "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.raster = { map: null, width: 0, colours, over: null, isHatched, isPinstriped, ...edges };
    this.isOutlined = false;
    this.image = null;
  }

  /**
   * @param {Uint8Array | null} map @param {number} width
   * @param {Uint8Array | null} [over] where this map has labels the layer is clear
   */
  show(map, width, over = null) {
    Object.assign(this.raster, { map, width, over });
  }

  /** @param {import("./view.js").View} view  draws all of it */
  draw(view) {
    const { width, height } = view.deviceSize();
    fitCanvas(this.canvas, view);
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    const scale = view.scale * view.ratio;
    const { raster } = this;
    raster.columns = sampled(width, view.left, scale, view.size.width);
    raster.rows = sampled(height, view.top, scale, view.size.height);
    raster.origin = { x: Math.round(-view.left * scale), y: Math.round(-view.top * scale) };
    this.paint(view, view.everything());
  }

  /**
   * @param {import("./view.js").View} view
   * @param {import("./rasters.js").Rect} rect of the image
   */
  drawPart(view, rect) {
    if (this.image) this.paint(view, view.deviceRect(rect, RIM_PX * Math.ceil(view.ratio)));
  }

  paint(view, rect) {
    if (rect.width <= 0 || rect.height <= 0 || !this.raster.map) return;
    const reach = Math.round(2 * view.ratio);
    if (this.isOutlined) outlineColours(this.pixels, this.raster, rect, reach);
    else fillColours(this.pixels, this.raster, rect);
    this.context.putImageData(this.image, 0, 0, rect.x, rect.y, rect.width, rect.height);
  }
}

/** @param {HTMLCanvasElement} canvas @param {import("./view.js").View} view */
export function fitCanvas(canvas, view) {
  const { width, height } = view.deviceSize();
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}
