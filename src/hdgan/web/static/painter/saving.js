/** Strokes are saved one by one in order; while the server is away they wait. */

const RETRY_MS = 1000;

/**
 * @typedef {object} Waiting  a stroke to save
 * @property {string} kind @property {import("./rasters.js").Rect} rect @property {Uint8Array} bytes
 * @property {number} [seconds] active time that is reported with it
 * @property {() => number | null} [undoes] asked when it is sent
 * @property {(revision: number) => void} [saved]
 */

/** @typedef {"saved" | "saving" | "away" | "conflict" | "refused"} SavingState */

/** The queue; `revision` is the newest one that the server and this page agree on. */
export class Saving {
  /**
   * @param {object} parts
   * @param {(stroke: object) => Promise<{revision: number, minutes: number}>} parts.send
   * @param {(revision: number, stroke: Waiting) => Promise<boolean>} parts.isSaved
   *   whether a revision is this very stroke
   * @param {{take: () => number, giveBack: (seconds: number) => void}} parts.clock
   * @param {() => void} parts.changed the state is another one
   * @param {(answer: {revision: number, minutes: number}) => void} parts.saved one more is saved
   * @param {(body: object) => void} parts.conflicted somebody else saved meanwhile
   * @param {number} revision
   */
  constructor(parts, revision) {
    this.parts = parts;
    this.revision = revision;
    /** @type {Waiting[]} */
    this.waiting = [];
    /** @type {SavingState} */
    this.state = "saved";
    this.trouble = "";
    this.isSending = false;
    this.warn = (event) => {
      if (this.waiting.length > 0) event.preventDefault();
    };
    this.retry = () => this.run();
    window.addEventListener("beforeunload", this.warn);
    window.addEventListener("online", this.retry);
  }

  /** @param {Waiting} stroke */
  add(stroke) {
    this.waiting.push(stroke);
    if (this.state === "saved") this.become("saving");
    else this.parts.changed();
    if (this.state === "saving") this.run();
  }

  /** Goes on from another revision; what waited is dropped. @param {number} revision */
  restart(revision) {
    for (const stroke of this.waiting) this.parts.clock.giveBack(stroke.seconds ?? 0);
    this.waiting = [];
    this.revision = revision;
    this.become("saved");
  }

  /** Sends what waits, until nothing waits or something is wrong. */
  async run() {
    clearTimeout(this.timer);
    if (this.isSending || this.state === "conflict") return;
    this.isSending = true;
    try {
      while (this.waiting.length > 0 && (await this.sendFirst()));
    } finally {
      this.isSending = false;
    }
  }

  /** @returns {Promise<boolean>} whether to go on */
  async sendFirst() {
    const [stroke] = this.waiting;
    stroke.seconds ??= this.parts.clock.take();
    try {
      const { kind, rect, bytes, seconds } = stroke;
      const undoes = stroke.undoes?.() ?? undefined;
      const base = this.revision;
      this.accept(stroke, await this.parts.send({ base, kind, rect, bytes, seconds, undoes }));
      return true;
    } catch (problem) {
      if (problem.name !== "ApiError") throw problem;
      return this.react(stroke, problem);
    }
  }

  accept(stroke, answer) {
    if (this.waiting[0] !== stroke) return;
    this.waiting.shift();
    this.revision = answer.revision;
    stroke.saved?.(answer.revision);
    this.become(this.waiting.length > 0 ? "saving" : "saved");
    this.parts.saved(answer);
  }

  async react(stroke, problem) {
    if (this.waiting[0] !== stroke) return this.waiting.length > 0;
    if (problem.status === 412) return this.settle(stroke, problem.body);
    this.trouble = problem.message;
    const isAway = problem.status === 0 || problem.status >= 500;
    this.become(isAway ? "away" : "refused");
    this.timer = setTimeout(this.retry, isAway ? RETRY_MS : 10 * RETRY_MS);
    return false;
  }

  /** An answer that was lost on its way looks like somebody else's stroke: look before asking. */
  async settle(stroke, body) {
    const mayBeMine = body.revision === this.revision + 1 && body.kind === stroke.kind;
    if (mayBeMine && (await this.parts.isSaved(body.revision, stroke).catch(() => false))) {
      this.accept(stroke, { revision: body.revision, minutes: null });
      return true;
    }
    this.become("conflict");
    this.parts.conflicted(body);
    return false;
  }

  become(state) {
    this.state = state;
    this.parts.changed();
    if (this.isClosing && this.waiting.length === 0) this.close();
  }

  /** Resolves when nothing waits, or after so long. @param {number} milliseconds */
  async settled(milliseconds) {
    const end = performance.now() + milliseconds;
    while (this.waiting.length > 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return this.waiting.length === 0;
  }

  /** Drops what waits. */
  abandon() {
    this.waiting = [];
  }

  /** Ends once nothing waits any more: strokes are not lost because their tile is left. */
  close() {
    this.isClosing = true;
    if (this.waiting.length > 0) return;
    clearTimeout(this.timer);
    window.removeEventListener("beforeunload", this.warn);
    window.removeEventListener("online", this.retry);
  }
}
