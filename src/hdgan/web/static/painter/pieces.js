/** The superpixel tool: its pieces may still be on their way when the pointer is let go. */

import { segmentAt, segmentSpans } from "./superpixels.js";

/** @typedef {import("./rasters.js").Point} Point */

/** Superpixels under the pointer's way; those that are still fetched are painted when they come. */
export class Pieces {
  constructor(desk) {
    this.desk = desk;
    this.stroke = null;
    /** Resolves when the stroke that was let go last is painted. */
    this.ended = Promise.resolve();
  }

  get isActive() {
    return this.stroke !== null;
  }

  /** A stroke that still waits for pieces goes on with this one. */
  begin(point) {
    this.stroke ??= { painted: new Set(), coming: [], begun: 0 };
    this.stroke.begun += 1;
    const { options } = this.desk;
    const { locked, onlyUnlabelled } = options.rules;
    // What is chosen while pieces are fetched is for the next stroke.
    this.brush = {
      value: options.values.value,
      rules: { locked: new Set(locked), onlyUnlabelled },
    };
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
    if (block) this.paint(block, point, this.brush);
    else this.wait(point);
  }

  wait(point) {
    const { stroke, brush, desk } = this;
    const painting = desk.superpixels.load(point).then((block) => {
      if (stroke === this.stroke) this.paint(block, point, brush);
    });
    stroke.coming.push(painting.catch((problem) => desk.complain(problem)));
  }

  paint(block, point, { value, rules }) {
    const { painted } = this.stroke;
    const segment = segmentAt(block, point);
    const key = `${block.origin.x}/${block.origin.y}/${segment}/${value}`;
    if (painted.has(key)) return;
    painted.add(key);
    const spans = segmentSpans(block, segment);
    this.desk.redraw(this.desk.map.paint(spans, value, rules));
  }

  end() {
    this.ended = this.finish();
    return this.ended;
  }

  async finish() {
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

  interrupt() {
    this.cancel();
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
