/** The desk: one tile, its label map on the screen, and the tools that work on it. */

import { classColours, uncertaintyColours } from "./colouring.js";
import { ImageLayer, MapLayer } from "./layers.js";
import { Marks } from "./marks.js";
import { Options } from "./options.js";
import { AMBIGUOUS, countValues, UNLABELLED } from "./rasters.js";
import { Superpixels } from "./superpixels.js";
import { makeTools, TOOLS } from "./tools.js";
import { View } from "./view.js";

/** @typedef {import("./rasters.js").Point} Point */
/** @typedef {import("./rasters.js").Rect} Rect */

const NEAR_PX = 9;
const COMPLAIN_AGAIN_MS = 5000;
const FINISHED = "The annotation set is written: nothing can be changed here any more.";

/**
 * Tells (as events): "labels" a stroke ended, "cursor" the keyboard moved the crosshair, "saving",
 * "prediction", "preview", "said", "finished".
 */
export class Desk extends EventTarget {
  /**
   * @param {import("./painter.js").Context} context
   * @param {import("./painter.js").Loaded} loaded
   */
  constructor(context, { record, bitmap, map }) {
    super();
    this.api = context.api;
    this.session = context.session;
    this.tile = context.tile;
    this.reading = context.reading;
    this.author = context.author;
    this.toast = context.toast;
    this.confirmChoice = context.confirmChoice;
    /** @type {import("./journal.js").Journal} set by `openPainter`, as is the assistant */
    this.journal = null;
    /** @type {import("./assistant.js").Assistant} */
    this.assistant = null;
    /** @type {{minutes: () => number, hear: (minutes: number) => void}} active time on the tile */
    this.time = null;
    this.record = record;
    this.size = { width: bitmap.width, height: bitmap.height };
    this.options = new Options(this.size, this.session, this.reading > 1 || record.split === "test");
    this.view = new View(this.size);
    this.map = map;
    this.image = new ImageLayer(bitmap);
    this.labelLayer = new MapLayer(classColours(this.session.classes), { isHatched: true });
    this.labelLayer.show(this.map.labels, this.size.width);
    this.colours = {
      prediction: this.labelLayer.raster.colours,
      uncertainty: uncertaintyColours(255),
    };
    this.superpixels = new Superpixels((...block) => this.api.superpixels(this.tile, ...block));
    this.superpixels.resize(this.options.values.area);
    this.painting = "brush";
    this.cursor = { point: null, isKeyboard: false };
    this.preview = null;
    /** Why nothing can be painted, once that is so. */
    this.finishedWords = FINISHED;
    this.isClosed = false;
    this.tools = makeTools(this);
    this.marks = new Marks(this);
    this.frame = 0;
    this.complainedAt = -COMPLAIN_AGAIN_MS;
  }

  /** @param {string} name of the event */
  tell(name) {
    this.dispatchEvent(new Event(name));
  }

  /** @param {string} text for screen readers */
  say(text) {
    this.said = text;
    this.tell("said");
  }

  /** Shows what a call could not do; the same trouble is not shown with every movement. */
  complain(problem) {
    if (problem.name !== "ApiError") throw problem;
    if (performance.now() - this.complainedAt < COMPLAIN_AGAIN_MS) return;
    this.complainedAt = performance.now();
    this.toast(problem.message, { kind: "error" });
  }

  /** @param {number} value @returns {string} */
  nameOf(value) {
    if (value === UNLABELLED) return "unlabelled";
    return value === AMBIGUOUS
      ? "ambiguous"
      : (this.session.classes[value]?.name ?? `class ${value}`);
  }

  /** @param {Point} point */
  isInside({ x, y }) {
    return x >= 0 && y >= 0 && x < this.size.width && y < this.size.height;
  }

  /** Whether one click hits both. @param {Point} a @param {Point} b of the image */
  isNear(a, b) {
    return Math.hypot(a.x - b.x, a.y - b.y) * this.view.scale <= NEAR_PX;
  }

  /** The image as RGBA. */
  pixels() {
    return this.image.pixels();
  }

  /** Whether a tool may begin now; if not, it is said why. */
  mayPaint() {
    if (!this.mayChange()) return false;
    if (this.preview) {
      this.toast("You look at an older revision. Restore it, or go back to the newest, to paint.");
    }
    return !this.preview;
  }

  /** Whether the label map may become another one; if not, it is said why. */
  mayChange() {
    if (this.session.finished) this.toast(this.finishedWords);
    return !this.session.finished;
  }

  /** Nothing can be painted from now on. @param {string} [words] why */
  finish(words = FINISHED) {
    this.session.finished = true;
    this.finishedWords = words;
    this.cancelTool();
    this.tell("finished");
  }

  /** Ends a stroke. @param {string} kind */
  commit(kind) {
    if (this.mayChange()) this.journal.commit(kind);
    else this.redraw(this.map.cancel());
  }

  /** Who paints a tile on which nothing was decided keeps it, as finishing does. */
  async keepTile() {
    const { api, tile, record } = this;
    if (this.reading > 1 || record.verdict !== null || this.map.share(UNLABELLED) === 1) return;
    record.verdict = "keep";
    try {
      if ((await api.tile(tile)).verdict !== null) return;
      await api.mark(tile, { verdict: "keep" });
      this.toast(`${tile} is kept, since it is painted.`);
    } catch (problem) {
      this.complain(problem);
    }
  }

  /** @param {number} value @returns {number} its part of the map that is shown, 0 to 1 */
  share(value) {
    const { width, height } = this.size;
    if (!this.preview) return this.map.share(value);
    return this.preview.counts[value] / (width * height);
  }

  /** @param {Point} point */
  acceptRegion(point) {
    this.assistant.acceptRegion(point);
  }

  /** Takes a tool in hand. @param {string} id */
  take(id) {
    if (id === this.options.tool) return;
    this.finishTool();
    if (!["move", "eraser", "accept"].includes(id)) this.painting = id;
    this.options.set({ tool: id });
    this.say(`${TOOLS.find((tool) => tool.id === id).name}, ${this.nameOf(this.options.paints)}`);
  }

  /** Takes a class in hand, and a tool that paints. @param {number} value */
  takeClass(value) {
    if (["move", "eraser", "accept"].includes(this.options.tool)) {
      this.finishTool();
      this.options.set({ tool: this.painting });
    }
    this.options.set({ value });
    this.say(`Class ${this.nameOf(value)}`);
  }

  /** @param {number} value of a class */
  toggleLock(value) {
    this.options.toggleLock(value);
    this.say(`${this.nameOf(value)} ${this.options.locked.has(value) ? "locked" : "unlocked"}`);
  }

  /** Takes back what is unfinished, or goes back to the newest revision. */
  escape() {
    if (this.cancelTool()) this.say("Taken back.");
    else if (this.preview) this.showInstead(null);
  }

  /** The tool in hand. @returns {import("./tools.js").Tool} */
  get tool() {
    return this.tools[this.options.tool];
  }

  /** Another tool is taken: a stroke ends here, a polygon is dropped. */
  finishTool() {
    if (this.tool !== this.tools.polygon && this.tool.isActive) this.tool.end();
    else this.cancelTool();
  }

  /** Takes an unfinished stroke or polygon back. @returns {boolean} */
  cancelTool() {
    return Object.values(this.tools)
      .map((tool) => tool.cancel())
      .some(Boolean);
  }

  /** @param {Rect | null} rect of the label map that changed */
  redraw(rect) {
    if (!rect) return;
    this.labelLayer.drawPart(this.view, rect);
    this.assistant.redraw(rect);
  }

  /** Draws everything with the next frame. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  drawNow() {
    if (this.isClosed) return;
    const { view, marks } = this;
    this.image.draw(view);
    this.labelLayer.isOutlined = this.options.values.isOutlined;
    this.labelLayer.draw(view);
    this.assistant.draw();
    marks.drawNow();
    const { scale, left, top } = view;
    Object.assign(marks.canvas.dataset, { scale, left, top });
    this.tell("view");
  }

  drawMarks() {
    this.marks.draw();
  }

  /** @param {number} dx CSS pixels @param {number} dy */
  pan(dx, dy) {
    this.view.panBy(dx, dy);
    this.draw();
  }

  /** @param {number} factor @param {Point} [at] on the screen; the cursor's place, or the middle */
  zoom(factor, at) {
    const { width, height } = this.view.screen;
    const middle = { x: width / 2, y: height / 2 };
    const { x, y } = at ?? (this.cursor.point ? this.view.toScreen(this.cursor.point) : middle);
    this.view.zoomAt(x, y, factor);
    this.draw();
  }

  /** Shows the whole tile. */
  fit() {
    this.view.fit();
    this.draw();
  }

  /** The pointer is somewhere else, or away (null). @param {Point | null} point */
  moveCursor(point) {
    this.cursor = { point, isKeyboard: false };
    this.drawMarks();
  }

  /** Shows another map instead of the newest one; null goes back. */
  showInstead(preview) {
    this.cancelTool();
    this.preview = preview && { ...preview, counts: countValues(preview.labels) };
    this.labelLayer.show(preview?.labels ?? this.map.labels, this.size.width);
    this.draw();
    this.tell("preview");
  }

  /** A map from elsewhere takes the place of this one. @param {Uint8Array} labels */
  replaceLabels(labels) {
    this.cancelTool();
    this.map.replace(labels);
    this.showInstead(null);
    this.tell("labels");
  }

  /** Gives the image's memory back. */
  close() {
    this.isClosed = true;
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.marks.frame);
    this.image.close();
  }
}
