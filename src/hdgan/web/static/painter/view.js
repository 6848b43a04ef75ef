/** Which part of the image the screen shows, and how large. */

/** @typedef {import("./rasters.js").Point} Point */
/** @typedef {import("./rasters.js").Rect} Rect */

const LARGEST_SCALE = 64;
const MARGIN_PX = 24;

/**
 * `scale` is CSS pixels an image pixel; `left`, `top` the image point in the screen's corner.
 * Screen points are CSS pixels from the stage's corner; device pixels are `ratio` times as many.
 */
export class View {
  /** @param {import("./rasters.js").Size} size of the image */
  constructor(size) {
    this.size = size;
    this.screen = { width: 1, height: 1 };
    this.ratio = 1;
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.isFitted = true;
  }

  /**
   * @param {number} width @param {number} height
   * @param {number} ratio device pixels a CSS pixel
   */
  resize(width, height, ratio) {
    const middle = this.toImage({ x: this.screen.width / 2, y: this.screen.height / 2 });
    this.screen = { width, height };
    this.ratio = ratio;
    if (this.isFitted) this.fit();
    else this.centre(middle);
  }

  /** The scale at which the whole image is seen. @returns {number} */
  fittingScale() {
    const across = (this.screen.width - MARGIN_PX) / this.size.width;
    const down = (this.screen.height - MARGIN_PX) / this.size.height;
    return Math.min(LARGEST_SCALE, Math.max(0.001, Math.min(across, down)));
  }

  /** Shows the whole image. */
  fit() {
    this.scale = this.fittingScale();
    this.centre({ x: this.size.width / 2, y: this.size.height / 2 });
    this.isFitted = true;
  }

  /** @param {Point} point of the image, to the middle of the screen */
  centre(point) {
    this.left = point.x - this.screen.width / 2 / this.scale;
    this.top = point.y - this.screen.height / 2 / this.scale;
    this.hold();
  }

  /**
   * @param {number} x of the screen point that stays where it is @param {number} y
   * @param {number} factor
   */
  zoomAt(x, y, factor) {
    const fixed = this.toImage({ x, y });
    const smallest = Math.min(1, this.fittingScale()) / 2;
    this.scale = Math.min(LARGEST_SCALE, Math.max(smallest, this.scale * factor));
    this.left = fixed.x - x / this.scale;
    this.top = fixed.y - y / this.scale;
    this.isFitted = false;
    this.hold();
  }

  /** @param {number} dx CSS pixels that the image moves by @param {number} dy */
  panBy(dx, dy) {
    this.left -= dx / this.scale;
    this.top -= dy / this.scale;
    this.isFitted = false;
    this.hold();
  }

  /** Pans as little as is needed to show an image point. @returns {boolean} whether it panned */
  reveal(point) {
    const { x, y } = this.toScreen(point);
    const dx = overhang(x, this.screen.width);
    const dy = overhang(y, this.screen.height);
    if (dx !== 0 || dy !== 0) this.panBy(-dx, -dy);
    return dx !== 0 || dy !== 0;
  }

  /** @param {Point} point of the screen @returns {Point} of the image */
  toImage({ x, y }) {
    return { x: this.left + x / this.scale, y: this.top + y / this.scale };
  }

  /** @param {Point} point of the image @returns {Point} of the screen */
  toScreen({ x, y }) {
    return { x: (x - this.left) * this.scale, y: (y - this.top) * this.scale };
  }

  /** The size of the canvases. @returns {import("./rasters.js").Size} */
  deviceSize() {
    const { width, height } = this.screen;
    return { width: Math.round(width * this.ratio), height: Math.round(height * this.ratio) };
  }

  /** The whole screen in device pixels. @returns {import("./rasters.js").Rect} */
  everything() {
    return { x: 0, y: 0, ...this.deviceSize() };
  }

  /**
   * The device pixels that show a rectangle of the image, with a rim, cut at the screen.
   * @param {Rect} rect @param {number} rim for outlines @returns {Rect}
   */
  deviceRect(rect, rim) {
    const whole = this.deviceSize();
    const scale = this.scale * this.ratio;
    const x = clamp(Math.floor((rect.x - this.left) * scale) - rim, whole.width);
    const y = clamp(Math.floor((rect.y - this.top) * scale) - rim, whole.height);
    const right = clamp(Math.ceil((rect.x + rect.width - this.left) * scale) + rim, whole.width);
    const bottom = clamp(Math.ceil((rect.y + rect.height - this.top) * scale) + rim, whole.height);
    return { x, y, width: right - x, height: bottom - y };
  }

  /** Keeps a part of the image on the screen. */
  hold() {
    const { width, height } = this.screen;
    const kept = 64 / this.scale;
    this.left = between(this.left, kept - width / this.scale, this.size.width - kept);
    this.top = between(this.top, kept - height / this.scale, this.size.height - kept);
  }
}

const clamp = (value, end) => Math.min(end, Math.max(0, value));

function between(value, low, high) {
  return low > high ? (low + high) / 2 : Math.min(high, Math.max(low, value));
}

function overhang(position, length) {
  const rim = Math.min(40, length / 4);
  if (position < rim) return position - rim;
  return position > length - rim ? position - length + rim : 0;
}
