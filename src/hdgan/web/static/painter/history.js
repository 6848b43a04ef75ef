/** Undo and redo without limit: changed rectangles, fetched again when they are no longer held. */

const HELD_BYTES = 96 * 2 ** 20;

/**
 * A change that can be taken back; `before` and `after` are null where they must be fetched.
 * @typedef {{kind: string, author: string, rect: import("./rasters.js").Rect,
 *   before: Uint8Array | null, after: Uint8Array | null, revision: number | null,
 *   undone: number | null}} Entry
 */

/** The two stacks; `revision` and `undone` of an entry are known once it is saved. */
export class History {
  constructor() {
    /** @type {Entry[]} */
    this.done = [];
    /** @type {Entry[]} */
    this.undone = [];
  }

  /**
   * The stacks as they were left.
   * @param {{revision: number, kind: string, author: string, undoes: number | null, x: number,
   *   y: number, width: number, height: number}[]} revisions oldest first @returns {History}
   */
  static from(revisions) {
    const history = new History();
    for (const revision of revisions) history.repeat(revision);
    return history;
  }

  repeat({ revision, kind, author, undoes, x, y, width, height }) {
    const last = this.done.at(-1);
    const next = this.undone.at(-1);
    if (kind === "undo" && last && last.revision === undoes) {
      this.moveBack(last).undone = revision;
    } else if (kind === "redo" && next && next.undone === undoes) {
      this.moveForward(next).revision = revision;
    } else {
      this.add({
        kind,
        author,
        rect: { x, y, width, height },
        before: null,
        after: null,
        revision,
        undone: null,
      });
    }
  }

  /** @param {Entry} entry  a new change; what was undone is gone */
  add(entry) {
    this.done.push(entry);
    this.undone = [];
    this.shed();
  }

  /** @param {Entry} entry the last done @returns {Entry} */
  moveBack(entry) {
    this.undone.push(this.done.pop());
    return entry;
  }

  /** @param {Entry} entry the last undone @returns {Entry} */
  moveForward(entry) {
    this.done.push(this.undone.pop());
    return entry;
  }

  /** Lets go of the oldest bytes that are saved, once there are many. */
  shed() {
    let held = 0;
    for (const entry of [...this.done].reverse()) {
      held += (entry.before?.length ?? 0) + (entry.after?.length ?? 0);
      if (held <= HELD_BYTES || entry.revision === null) continue;
      entry.before = null;
      entry.after = null;
    }
  }
}
