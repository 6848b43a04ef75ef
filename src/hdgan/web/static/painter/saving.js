/** Strokes are saved one by one in order; while the server is away they wait. */

const RETRY_MS = 1000;
const FINISHED = 409;

/** Those of every tile from which strokes may still wait. */
const open = new Set();

/** @param {Error} problem @returns {boolean} whether the server may answer later */
export function isAway({ status }) {
  return status === 0 || status >= 500;
}

/**
 * Waits for the strokes of all tiles that are on their way.
 * @param {number} milliseconds at most @returns {Promise<number>} how many wait still
 */
export async function settledEverywhere(milliseconds) {
  const all = [...open];
  await Promise.all(all.map((one) => one.settled(one.state === "saving" ? milliseconds : 0)));
  return all.reduce((sum, { waiting }) => sum + waiting.length, 0);
}

/**
 * @typedef {object} Waiting  a stroke to save
 * @property {string} kind @property {import("./rasters.js").Rect} rect @property {Uint8Array} bytes
 * @property {number} [seconds] active time that is reported with it
 * @property {() => number | null} [undoes] asked when it is sent
 * @property {(revision: number) => void} [saved]
 */

/** @typedef {"saved" | "saving" | "away" | "conflict" | "refused" | "finished"} SavingState */

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
   * @param {(message: string, lost: number) => void} parts.finished nothing is saved any more
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
    open.add(this);
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
    if (this.isSending || this.state === "conflict" || this.state === "finished") return;
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
    if (problem.status === FINISHED) this.end(problem.message);
    else this.wait(problem);
    return false;
  }

  /** Tries again after a while. */
  wait(problem) {
    this.trouble = problem.message;
    this.become(isAway(problem) ? "away" : "refused");
    this.timer = setTimeout(this.retry, isAway(problem) ? RETRY_MS : 10 * RETRY_MS);
  }

  /** The annotation set is written: what waits is not a part of it. */
  end(message) {
    const lost = this.waiting.length;
    this.waiting = [];
    this.become("finished");
    this.parts.finished(message, lost);
  }

  /** An answer that was lost on its way looks like somebody else's stroke: look before asking. */
  async settle(stroke, body) {
    const next = this.revision + 1;
    try {
      if (await this.parts.isSaved(next, stroke)) {
        this.accept(stroke, { revision: next, minutes: null });
        return true;
      }
    } catch (problem) {
      if (problem.name !== "ApiError") throw problem;
      this.wait(problem);
      return false;
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
    open.delete(this);
    clearTimeout(this.timer);
    window.removeEventListener("beforeunload", this.warn);
    window.removeEventListener("online", this.retry);
  }
}
