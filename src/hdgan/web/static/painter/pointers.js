/** Mouse, pen and fingers: who paints, who moves the image. */

const WHEEL_STEP = 0.0016;
const LINE_PX = 16;
const ERASER_END = 5;
const KEPT_MEASURES = 2000;

/** Listens on the top canvas. */
export class Pointers {
  /** @param {HTMLCanvasElement} canvas @param {import("./desk.js").Desk} desk */
  constructor(canvas, desk) {
    this.canvas = canvas;
    this.desk = desk;
    this.down = new Map();
    this.mode = "none";
    this.isSpaceHeld = false;
    this.penWasSeen = false;
    this.measures = 0;
    const on = (name, act) => canvas.addEventListener(name, act, { passive: false });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.release(event, { isCancelled: true }));
    on("pointerleave", () => this.leave());
    on("wheel", (event) => this.turnWheel(event));
    on("dblclick", () => this.desk.options.tool === "polygon" && this.desk.tools.polygon.close());
    on("contextmenu", (event) => event.preventDefault());
  }

  press(event) {
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.penWasSeen ||= event.pointerType === "pen";
    this.down.set(event.pointerId, this.screenPoint(event));
    if (this.down.size === 2 && event.pointerType === "touch") this.startPinch();
    else if (this.down.size === 1) this.startOne(event);
  }

  startOne(event) {
    const isPalm = this.penWasSeen && event.pointerType === "touch";
    const pans = this.isSpaceHeld || event.button === 1 || this.desk.options.tool === "move";
    if (isPalm || pans) this.become("pan");
    else if (event.button === 0 || event.button === ERASER_END) {
      const { tools, options } = this.desk;
      this.tool = event.button === ERASER_END ? tools.eraser : tools[options.tool];
      if (!this.desk.mayPaint()) return;
      this.become("tool");
      const point = this.imagePoint(event);
      this.desk.moveCursor(point);
      this.tool.begin(point);
    }
  }

  startPinch() {
    if (this.mode === "tool") this.tool.interrupt();
    this.become("pinch");
  }

  move(event) {
    const before = this.down.get(event.pointerId);
    const now = this.screenPoint(event);
    if (before) this.down.set(event.pointerId, now);
    if (this.mode === "pinch" && before) this.pinch(event.pointerId, before, now);
    else if (this.mode === "pan" && before) this.desk.pan(now.x - before.x, now.y - before.y);
    else this.paintTo(event, Boolean(before));
  }

  paintTo(event, isDown) {
    const { desk } = this;
    desk.moveCursor(this.imagePoint(event));
    if (this.mode !== "tool" || !isDown) return;
    const all = event.getCoalescedEvents?.() ?? [];
    const points = (all.length > 0 ? all : [event]).map((one) => this.imagePoint(one));
    this.tool.extend(points);
    this.measure(event.timeStamp);
  }

  /** From the event to the drawn labels; old entries are dropped. */
  measure(start) {
    if ((this.measures += 1) % KEPT_MEASURES === 0) performance.clearMeasures("brush-step");
    performance.measure("brush-step", { start, end: performance.now() });
  }

  pinch(moved, before, now) {
    const other = [...this.down].find(([id]) => id !== moved)?.[1];
    if (!other) return;
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.desk.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    const factor = distance(now, other) / Math.max(1, distance(before, other));
    this.desk.zoom(factor, middle);
  }

  release(event, { isCancelled = false } = {}) {
    if (!this.down.delete(event.pointerId)) return;
    if (this.mode === "tool") {
      if (isCancelled) this.tool.interrupt();
      else this.tool.end();
    }
    // The finger that is left after a pinch moves the image: it was not set down to paint.
    this.become(this.mode === "pinch" && this.down.size === 1 ? "pan" : "none");
  }

  leave() {
    if (this.mode === "none" && !this.desk.cursor.isKeyboard) this.desk.moveCursor(null);
  }

  turnWheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? LINE_PX : 1);
    // A pinch on a trackpad comes as a wheel with Ctrl, in much smaller steps.
    const strength = event.ctrlKey ? 6 : 1;
    this.desk.zoom(Math.exp(-pixels * WHEEL_STEP * strength), this.screenPoint(event));
  }

  /** @param {boolean} isHeld */
  holdSpace(isHeld) {
    this.isSpaceHeld = isHeld;
    this.become(this.mode);
  }

  become(mode) {
    this.mode = mode;
    const pans = mode === "pan" || mode === "pinch";
    const couldPan = this.isSpaceHeld || this.desk.options.tool === "move";
    this.canvas.dataset.pointer = pans ? "panning" : couldPan ? "could-pan" : "tool";
  }

  screenPoint(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  imagePoint(event) {
    return this.desk.view.toImage(this.screenPoint(event));
  }
}

const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
