/** The tools: what a press, a drag and a release do to the label map. */

import { polygonSpans, strokeSpans } from "./shapes.js";
import { regionSpans, UNLABELLED, union, wandSpans } from "./rasters.js";
import { segmentAt, segmentSpans } from "./superpixels.js";

/** @typedef {import("./rasters.js").Point} Point */
/**
 * @typedef {object} Tool  points are in image coordinates
 * @property {(point: Point) => void} begin @property {(points: Point[]) => void} extend
 * @property {() => void} end @property {() => boolean} cancel whether anything was taken back
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
}

/** A tool that does all its work when it is pressed. */
class Click {
  constructor(desk, act) {
    this.desk = desk;
    this.act = act;
    this.isActive = false;
  }

  begin(point) {
    if (this.desk.isInside(point)) this.act(point);
  }

  extend() {}

  end() {}

  cancel() {
    return false;
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
  }

  get isActive() {
    return this.corners.length > 0;
  }

  begin(point) {
    if (this.corners.length > 2 && this.desk.isNear(point, this.corners[0])) this.close();
    else this.add(point);
  }

  /** @param {Point} corner */
  add(corner) {
    this.corners.push(corner);
    this.desk.drawMarks();
  }

  extend() {}

  end() {}

  /** Paints what is inside. */
  close() {
    const { map, options } = this.desk;
    const { corners } = this;
    this.corners = [];
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
    this.desk.drawMarks();
    return wasActive;
  }
}

/** Superpixels under the pointer's way; those that are still fetched are painted when they come. */
class Pieces {
  constructor(desk) {
    this.desk = desk;
    this.stroke = null;
  }

  get isActive() {
    return this.stroke !== null;
  }

  /** A stroke that still waits for pieces goes on with this one. */
  begin(point) {
    this.stroke ??= { painted: new Set(), coming: [], begun: 0 };
    this.stroke.begun += 1;
    this.last = point;
    this.touch(point);
  }

  extend(points) {
    if (!this.isActive) return;
    for (const point of points) {
      for (const between of steps(this.last, point)) this.touch(between);
      this.last = point;
    }
  }

  touch(point) {
    const { desk } = this;
    if (!desk.isInside(point)) return;
    const block = desk.superpixels.at(point);
    if (block) this.paint(block, point);
    else this.wait(point);
  }

  wait(point) {
    const { stroke, desk } = this;
    const painting = desk.superpixels.load(point).then((block) => {
      if (stroke === this.stroke) this.paint(block, point);
    });
    stroke.coming.push(painting.catch((problem) => desk.complain(problem)));
  }

  paint(block, point) {
    const { map, options } = this.desk;
    const { painted } = this.stroke;
    const segment = segmentAt(block, point);
    const key = `${block.origin.x}/${block.origin.y}/${segment}`;
    if (painted.has(key)) return;
    painted.add(key);
    const spans = segmentSpans(block, segment);
    this.desk.redraw(map.paint(spans, options.values.value, options.rules));
  }

  async end() {
    const { stroke } = this;
    if (!stroke) return;
    const { begun, coming } = stroke;
    // Without waiting when all is here, so that the next stroke cannot begin before this one ends.
    if (coming.length > 0) await Promise.all(coming);
    if (stroke !== this.stroke || begun !== stroke.begun) return;
    this.stroke = null;
    this.desk.commit("superpixel");
  }

  cancel() {
    if (!this.stroke) return false;
    this.stroke = null;
    this.desk.redraw(this.desk.map.cancel());
    return true;
  }
}

/** Points from one to the other, at most two pixels apart. */
function* steps(from, to) {
  const count = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 2));
  for (let k = 1; k <= count; k += 1) {
    const part = k / count;
    yield { x: from.x + part * (to.x - from.x), y: from.y + part * (to.y - from.y) };
  }
}
