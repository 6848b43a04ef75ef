/** The tools: what a press, a drag and a release do to the label map. */

import { Pieces } from "./pieces.js";
import { regionSpans, UNLABELLED, union, wandSpans } from "./rasters.js";
import { polygonSpans, strokeSpans } from "./shapes.js";

/** @typedef {import("./rasters.js").Point} Point */
/**
 * @typedef {object} Tool  points are in image coordinates
 * @property {(point: Point) => void} begin @property {(points: Point[]) => void} extend
 * @property {() => void} end @property {() => boolean} cancel whether anything was taken back
 * @property {() => void} interrupt the press was none, as of a finger that begins a pinch
 * @property {boolean} isActive between begin and end
 */

/** In the order of the tool bar. */
export const TOOLS = [
  {
    id: "move",
    name: "Move",
    key: "M",
    hint: "Drag the image. Also: hold Space, or the middle button.",
  },
  { id: "brush", name: "Brush", key: "B", hint: "Drag to paint." },
  { id: "eraser", name: "Eraser", key: "E", hint: "Drag to make pixels unlabelled again." },
  {
    id: "polygon",
    name: "Polygon",
    key: "P",
    hint: "Click the corners; double click or Enter closes. Backspace takes one back, Escape all.",
  },
  { id: "wand", name: "Wand", key: "W", hint: "Click: joined pixels of a similar colour." },
  {
    id: "superpixel",
    name: "Superpixel",
    key: "S",
    hint: "Click or drag over the outlined pieces.",
  },
  { id: "fill", name: "Fill", key: "F", hint: "Click a region: it becomes the class in hand." },
  { id: "accept", name: "Accept", key: "R", hint: "Click a predicted region to take it over." },
];

/**
 * One of each, by id.
 * @param {import("./desk.js").Desk} desk
 */
export function makeTools(desk) {
  return {
    move: new Click(desk, () => {}),
    brush: new Brush(desk, "brush"),
    eraser: new Brush(desk, "erase"),
    polygon: new Polygon(desk),
    wand: new Click(desk, (point) => wand(desk, point)),
    superpixel: new Pieces(desk),
    fill: new Click(desk, (point) => fill(desk, point)),
    accept: new Click(desk, (point) => desk.acceptRegion(point)),
  };
}

class Brush {
  constructor(desk, kind) {
    this.desk = desk;
    this.kind = kind;
    this.isActive = false;
  }

  begin(point) {
    this.isActive = true;
    this.last = point;
    this.desk.redraw(this.paint([point]));
  }

  extend(points) {
    if (!this.isActive) return;
    let changed = null;
    for (const point of points) {
      changed = union(changed, this.paint([this.last, point]));
      this.last = point;
    }
    this.desk.redraw(changed);
  }

  paint(points) {
    const { map, options } = this.desk;
    const value = this.kind === "erase" ? UNLABELLED : options.values.value;
    return map.paint(strokeSpans(map.size, points, options.values.size), value, options.rules);
  }

  end() {
    if (!this.isActive) return;
    this.isActive = false;
    this.desk.commit(this.kind);
  }

  cancel() {
    if (!this.isActive) return false;
    this.isActive = false;
    this.desk.redraw(this.desk.map.cancel());
    return true;
  }

  interrupt() {
    this.cancel();
  }
}

/** A tool that does all its work at the point of the press, once that is let go. */
class Click {
  constructor(desk, act) {
    this.desk = desk;
    this.act = act;
    this.isInstant = true;
    this.point = null;
  }

  get isActive() {
    return this.point !== null;
  }

  begin(point) {
    this.point = this.desk.isInside(point) ? point : null;
  }

  extend() {}

  end() {
    const { point } = this;
    this.point = null;
    if (point) this.act(point);
  }

  cancel() {
    const wasActive = this.isActive;
    this.point = null;
    return wasActive;
  }

  interrupt() {
    this.cancel();
  }
}

function wand(desk, point) {
  const { map, options } = desk;
  const [column, row] = [Math.floor(point.x), Math.floor(point.y)];
  const { tolerance, value } = options.values;
  const spans = wandSpans(desk.pixels(), map.size, column, row, tolerance);
  desk.redraw(map.paint(spans, value, options.rules));
  desk.commit("wand");
}

function fill(desk, point) {
  const { map, options } = desk;
  const spans = regionSpans(map.labels, map.size, Math.floor(point.x), Math.floor(point.y));
  desk.redraw(map.paint(spans, options.values.value, options.rules));
  desk.commit("fill");
}

/** Corners stay until the polygon is closed; it paints only then. */
class Polygon {
  constructor(desk) {
    this.desk = desk;
    /** @type {Point[]} */
    this.corners = [];
    this.isClosing = false;
  }

  get isActive() {
    return this.corners.length > 0;
  }

  begin(point) {
    this.isClosing = this.corners.length > 2 && this.desk.isNear(point, this.corners[0]);
    if (!this.isClosing) this.add(point);
  }

  /** @param {Point} corner */
  add(corner) {
    this.corners.push(corner);
    this.desk.drawMarks();
  }

  extend() {}

  end() {
    if (this.isClosing) this.close();
  }

  /** Paints what is inside. */
  close() {
    const { map, options } = this.desk;
    const { corners } = this;
    this.corners = [];
    this.isClosing = false;
    this.desk.drawMarks();
    if (corners.length < 3) return;
    const spans = polygonSpans(map.size, corners);
    this.desk.redraw(map.paint(spans, options.values.value, options.rules));
    this.desk.commit("polygon");
  }

  removeLast() {
    this.corners.pop();
    this.desk.drawMarks();
  }

  cancel() {
    const wasActive = this.isActive;
    this.corners = [];
    this.isClosing = false;
    this.desk.drawMarks();
    return wasActive;
  }

  /** Only the corner of this press goes. */
  interrupt() {
    if (!this.isClosing) this.removeLast();
    this.isClosing = false;
  }
}
