/** Active time: seconds in which the page was seen and somebody had done something lately. */

import { isAway } from "./saving.js";

const IDLE_AFTER_MS = 60_000;
const REPORT_EVERY_MS = 20_000;
const TICK_MS = 1000;
const INPUTS = ["pointerdown", "pointermove", "keydown", "wheel", "input"];

/**
 * Seconds on their way to the server, which counts a report once however often it comes.
 * @typedef {{seconds: number, report: string}} Report
 */

/** Counts until it is closed; whoever saves a stroke takes the seconds along. */
export class Clock {
  /**
   * @param {(report: Report) => Promise<unknown>} report called when no stroke took them for long
   * @param {() => void} ticked called every second
   */
  constructor(report, ticked) {
    this.report = report;
    this.ticked = ticked;
    this.seconds = 0;
    /** @type {Report[]} sent, and not acknowledged */
    this.reports = [];
    this.isClosed = false;
    this.lastInput = performance.now();
    this.lastTick = this.lastInput;
    this.lastTaken = this.lastInput;
    this.hear = () => (this.lastInput = performance.now());
    for (const name of INPUTS) window.addEventListener(name, this.hear, { passive: true });
    this.hide = () => this.flush();
    window.addEventListener("pagehide", this.hide);
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** The seconds that the server does not know of yet. @returns {number} */
  get unreported() {
    return this.reports.reduce((sum, { seconds }) => sum + seconds, this.seconds);
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
    this.ticked();
    if (now - this.lastTaken < REPORT_EVERY_MS || this.unreported < 1) return;
    // A report whose answer was lost comes again as it was; the seconds since then wait for it.
    if (this.reports.length === 0) this.flush();
    else {
      this.lastTaken = now;
      this.deliver();
    }
  }

  /** Reports all seconds at once. */
  flush() {
    const seconds = this.take();
    if (seconds > 0) this.reports.push({ seconds, report: crypto.randomUUID() });
    return this.deliver();
  }

  async deliver() {
    await Promise.all(this.reports.map((one) => this.deliverOne(one)));
    if (this.isClosed && this.reports.length > 0) {
      setTimeout(() => this.deliver(), REPORT_EVERY_MS);
    }
  }

  async deliverOne(report) {
    try {
      await this.report(report);
    } catch (problem) {
      if (problem.name !== "ApiError") throw problem;
      if (isAway(problem) || problem.status === 401) return;
    }
    this.reports = this.reports.filter((one) => one !== report);
  }

  /** Stops, and reports the rest. */
  close() {
    this.isClosed = true;
    clearInterval(this.timer);
    window.removeEventListener("pagehide", this.hide);
    for (const name of INPUTS) window.removeEventListener(name, this.hear);
    this.flush();
  }
}
