/** Active time: seconds in which the page was seen and somebody had done something lately. */

const IDLE_AFTER_MS = 60_000;
const REPORT_EVERY_MS = 20_000;
const TICK_MS = 1000;
const INPUTS = ["pointerdown", "pointermove", "keydown", "wheel", "input"];

/** Counts until it is closed; whoever saves a stroke takes the seconds along. */
export class Clock {
  /**
   * @param {(seconds: number) => Promise<unknown>} report called when no stroke took them for long
   * @param {() => void} ticked called every second
   */
  constructor(report, ticked) {
    this.report = report;
    this.ticked = ticked;
    this.seconds = 0;
    this.total = 0;
    this.lastInput = performance.now();
    this.lastTick = this.lastInput;
    this.lastTaken = this.lastInput;
    this.hear = () => (this.lastInput = performance.now());
    for (const name of INPUTS) window.addEventListener(name, this.hear, { passive: true });
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** The seconds since the last report; they count as reported. @returns {number} */
  take() {
    const { seconds } = this;
    this.seconds = 0;
    this.lastTaken = performance.now();
    return Math.round(seconds * 10) / 10;
  }

  /** @param {number} seconds that could not be reported */
  giveBack(seconds) {
    this.seconds += seconds;
  }

  tick() {
    const now = performance.now();
    // A sleeping computer makes one long tick; it is not time at work.
    const passed = Math.min(now - this.lastTick, 2 * TICK_MS);
    this.lastTick = now;
    if (document.visibilityState !== "visible" || now - this.lastInput > IDLE_AFTER_MS) return;
    this.seconds += passed / 1000;
    this.total += passed / 1000;
    this.ticked();
    if (now - this.lastTaken >= REPORT_EVERY_MS && this.seconds >= 1) this.send();
  }

  send() {
    const seconds = this.take();
    return this.report(seconds).catch(() => this.giveBack(seconds));
  }

  /** Stops, and reports the rest. */
  close() {
    clearInterval(this.timer);
    for (const name of INPUTS) window.removeEventListener(name, this.hear);
    if (this.seconds >= 0.5) this.send();
  }
}
