/** What is drawn over everything: the brush's ring, crosshair, corners, a superpixel's outline. */

import { make } from "../dom.js";
import { fitCanvas } from "./layers.js";
import { segmentAt } from "./superpixels.js";

const CORNER_PX = 3.5;

/** The top canvas; it also takes the focus and the pointers. */
export class Marks {
  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.canvas = make("canvas", { class: "layer marks", tabindex: "0", role: "application" });
    this.context = this.canvas.getContext("2d");
    this.outline = { key: "", path: null };
    this.frame = 0;
  }

  /** Draws with the next frame. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.drawNow();
    });
  }

  drawNow() {
    const { view, options, cursor } = this.desk;
    fitCanvas(this.canvas, view);
    const { context } = this;
    context.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
    context.clearRect(0, 0, view.screen.width, view.screen.height);
    this.drawCorners();
    if (!cursor.point) return;
    const at = view.toScreen(cursor.point);
    if (options.tool === "superpixel") this.drawPiece(cursor.point);
    if (options.tool === "brush" || options.tool === "eraser") {
      this.ring(at, (options.values.size / 2) * view.scale);
    }
    if (cursor.isKeyboard) this.crosshair(at);
  }

  ring({ x, y }, radius) {
    this.twice(() => {
      this.context.beginPath();
      this.context.arc(x, y, Math.max(radius, 1.5), 0, 2 * Math.PI);
      if (radius > 12) this.context.rect(x - 0.5, y - 0.5, 1, 1);
      this.context.stroke();
    });
  }

  crosshair({ x, y }) {
    const [near, far] = [5, 22];
    this.twice(() => {
      this.context.beginPath();
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ]) {
        this.context.moveTo(x + near * dx, y + near * dy);
        this.context.lineTo(x + far * dx, y + far * dy);
      }
      this.context.stroke();
    });
  }

  drawCorners() {
    const { tools, view, cursor } = this.desk;
    const corners = tools.polygon.corners.map((corner) => view.toScreen(corner));
    if (corners.length === 0) return;
    const line = cursor.point ? [...corners, view.toScreen(cursor.point)] : corners;
    this.twice(() => {
      this.context.beginPath();
      for (const { x, y } of line) this.context.lineTo(x, y);
      if (line.length > 2) this.context.closePath();
      this.context.stroke();
    });
    this.context.fillStyle = "#fff";
    this.context.strokeStyle = "#111";
    this.context.lineWidth = 1.5;
    for (const { x, y } of corners) {
      this.context.beginPath();
      this.context.rect(x - CORNER_PX, y - CORNER_PX, 2 * CORNER_PX, 2 * CORNER_PX);
      this.context.fill();
      this.context.stroke();
    }
  }

  /** The outline of the superpixel under a point; its block is fetched if need be. */
  drawPiece(point) {
    const { desk } = this;
    if (!desk.isInside(point)) return;
    const block = desk.superpixels.at(point);
    if (!block) {
      desk.superpixels.load(point).then(
        () => this.draw(),
        (problem) => desk.complain(problem),
      );
      return;
    }
    const segment = segmentAt(block, point);
    const key = `${desk.superpixels.area}/${block.origin.x}/${block.origin.y}/${segment}`;
    if (key !== this.outline.key) this.outline = { key, path: outlineOf(block, segment) };
    const { view } = desk;
    this.context.save();
    this.twice(() => {
      const path = new Path2D();
      path.addPath(
        this.outline.path,
        new DOMMatrix([
          view.scale,
          0,
          0,
          view.scale,
          -view.left * view.scale,
          -view.top * view.scale,
        ]),
      );
      this.context.stroke(path);
    });
    this.context.restore();
  }

  /** Dark under light, so that a line is seen on every tissue. */
  twice(stroke) {
    for (const [width, colour] of [
      [3.5, "rgb(0 0 0 / .75)"],
      [1.5, "#fff"],
    ]) {
      this.context.lineWidth = width;
      this.context.strokeStyle = colour;
      stroke();
    }
  }
}

/** The sides between a segment's pixels and others, in image coordinates. */
function outlineOf({ segments, size, origin }, segment) {
  const path = new Path2D();
  const { width, height } = size;
  const isIn = (column, row) =>
    column >= 0 &&
    row >= 0 &&
    column < width &&
    row < height &&
    segments[row * width + column] === segment;
  const side = (x0, y0, x1, y1) => {
    path.moveTo(origin.x + x0, origin.y + y0);
    path.lineTo(origin.x + x1, origin.y + y1);
  };
  for (let index = segments.indexOf(segment); index >= 0;) {
    const [x, y] = [index % width, Math.floor(index / width)];
    if (!isIn(x - 1, y)) side(x, y, x, y + 1);
    if (!isIn(x + 1, y)) side(x + 1, y, x + 1, y + 1);
    if (!isIn(x, y - 1)) side(x, y, x + 1, y);
    if (!isIn(x, y + 1)) side(x, y + 1, x + 1, y + 1);
    index = segments.indexOf(segment, index + 1);
  }
  return path;
}
