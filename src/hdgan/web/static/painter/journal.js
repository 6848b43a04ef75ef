/** Every finished change: remembered for undo, saved in order, settled when others saved too. */

import { settle } from "./conflict.js";
import { History } from "./history.js";
import { UNLABELLED } from "./rasters.js";
import { loadReading } from "./reading.js";
import { Saving } from "./saving.js";
import { percentWords, strokesWords, strokeWords } from "./words.js";

const SAVED_WITHIN_MS = 5000;
const RESULTS = {
  undo: "undone",
  redo: "done again",
  accept: "prediction accepted",
  restore: "revision restored",
};

/** The revisions of one reading, and what is on its way to become one. */
export class Journal {
  /**
   * @param {import("./desk.js").Desk} desk @param {import("./clock.js").Clock} clock
   * @param {{revision: number, revisions: object[]}} loaded
   */
  constructor(desk, clock, { revision, revisions }) {
    this.desk = desk;
    const { api, tile, reading } = desk;
    this.saving = new Saving(
      {
        send: (stroke) => api.saveRevision(tile, reading, stroke),
        isSaved: (number, stroke) => this.isSaved(number, stroke),
        clock,
        changed: () => desk.tell("saving"),
        saved: ({ minutes }) => this.heardSaved(minutes),
        conflicted: (body) => settle(this, body),
        finished: (message, lost) => this.end(message, lost),
      },
      revision,
    );
    this.restart(revisions);
    this.steps = Promise.resolve();
  }

  /** Whether a revision on the server is this stroke: same hand, same place, same pixels. */
  async isSaved(number, { kind, rect, bytes }) {
    const { api, tile, reading, author } = this.desk;
    const revisions = await api.revisions(tile, reading);
    const found = revisions.find(({ revision }) => revision === number);
    const isSame = (side) => found[side] === rect[side];
    if (found?.author !== author || found.kind !== kind) return false;
    if (!["x", "y", "width", "height"].every(isSame)) return false;
    const after = await api.after(tile, reading, number);
    return after.length === bytes.length && after.every((byte, k) => byte === bytes[k]);
  }

  restart(revisions) {
    /** @type {object[]} oldest first */
    this.revisions = revisions;
    this.history = History.from(revisions);
  }

  heardSaved(minutes) {
    if (minutes !== null) this.desk.time.hear(minutes);
    this.desk.tell("revisions");
    this.desk.keepTile();
    if (this.saving.waiting.length === 0) this.desk.assistant.ask(this.saving.revision);
  }

  /** Ends the stroke on the desk. @param {string} kind */
  commit(kind) {
    const change = this.desk.map.finish();
    if (!change) this.explainNothing();
    else this.record(kind, change);
  }

  record(kind, change) {
    const { rect, after } = change;
    const { author } = this.desk;
    const entry = { ...change, kind, author, revision: null, undone: null };
    this.history.add(entry);
    this.save({ kind, rect, bytes: after }, (revision) => (entry.revision = revision));
    this.desk.tell("labels");
    this.sayResult(RESULTS[kind] ?? this.desk.nameOf(this.desk.options.paints));
  }

  sayResult(what) {
    const share = percentWords(1 - this.desk.map.share(UNLABELLED));
    this.desk.say(`${what}, ${share} labelled`);
  }

  save({ kind, rect, bytes, undoes }, saved) {
    const { author } = this.desk;
    this.saving.add({
      kind,
      rect,
      bytes,
      undoes,
      saved: (revision) => {
        saved(revision);
        const at = new Date().toISOString();
        this.revisions.push({ revision, kind, undoes: undoes?.() ?? null, author, at, ...rect });
      },
    });
  }

  explainNothing() {
    const { options } = this.desk;
    if (options.values.onlyUnlabelled) {
      this.desk.toast("Nothing changed: “only unlabelled” is on (U turns it off).");
    } else if (options.locked.size > 0) {
      this.desk.toast("Nothing changed: locked classes stay as they are (L unlocks).");
    }
    this.desk.say("Nothing changed.");
  }

  /** Takes the last change back, once those before it in the queue are done. */
  undo() {
    return this.step(() => this.undoNow());
  }

  /** Takes the last undo back. */
  redo() {
    return this.step(() => this.redoNow());
  }

  step(act) {
    if (!this.desk.mayChange()) return this.steps;
    this.steps = this.steps.then(act).catch((problem) => this.desk.complain(problem));
    return this.steps;
  }

  async undoNow() {
    await this.desk.tools.superpixel.ended;
    const entry = this.history.done.at(-1);
    if (!entry || this.isBusy()) return;
    entry.before ??= await this.fetched("before", entry);
    if (entry !== this.history.done.at(-1) || this.isBusy()) return;
    this.history.moveBack(entry);
    const saved = (revision) => (entry.undone = revision);
    this.apply("undo", entry, entry.before, () => entry.revision, saved);
  }

  async redoNow() {
    await this.desk.tools.superpixel.ended;
    const entry = this.history.undone.at(-1);
    if (!entry || this.isBusy()) return;
    entry.after ??= await this.fetched("after", entry);
    if (entry !== this.history.undone.at(-1) || this.isBusy()) return;
    this.history.moveForward(entry);
    const saved = (revision) => (entry.revision = revision);
    this.apply("redo", entry, entry.after, () => entry.undone, saved);
  }

  /** Also with a tool that was put down before all that it paints was there. */
  isBusy() {
    const { tools, preview } = this.desk;
    return Object.values(tools).some(({ isActive }) => isActive) || preview !== null;
  }

  async fetched(side, entry) {
    const { api, tile, reading } = this.desk;
    if (entry.revision === null) await this.saving.settled(SAVED_WITHIN_MS);
    return api[side](tile, reading, entry.revision);
  }

  apply(kind, entry, bytes, undoes, saved) {
    const { rect } = entry;
    this.desk.map.write(rect, bytes);
    this.desk.redraw(rect);
    this.save({ kind, rect, bytes, undoes }, saved);
    this.desk.tell("labels");
    this.sayResult(this.resultOf(kind, entry));
  }

  /** Whose stroke was undone is said where it was somebody else's. */
  resultOf(kind, { kind: what, author }) {
    if (author === this.desk.author) return RESULTS[kind];
    const words = `${kind === "undo" ? "Undone" : "Done again"}: ${strokeWords(what)} by ${author}`;
    this.desk.toast(words);
    return words;
  }

  /** An older map becomes the newest revision. @param {Uint8Array} labels */
  restore(labels) {
    const { desk } = this;
    if (!desk.mayChange()) return;
    const change = desk.map.write({ x: 0, y: 0, ...desk.size }, labels);
    desk.showInstead(null);
    if (change) this.record("restore", change);
  }

  /** Asks again after a dialog that was left without a choice. */
  askAgain() {
    this.saving.become("saving");
    return this.saving.run();
  }

  /** What was written is shown; strokes that came too late are not a part of it. */
  async end(message, lost) {
    const { desk } = this;
    desk.finish(lost === 0 ? message : `${message} ${strokesWords(lost)} came too late for it.`);
    try {
      const { revision, revisions, labels } = await loadReading(desk);
      this.restart(revisions);
      this.saving.revision = revision;
      desk.replaceLabels(labels);
    } catch (problem) {
      desk.complain(problem);
    }
  }

  close() {
    this.saving.close();
  }
}
