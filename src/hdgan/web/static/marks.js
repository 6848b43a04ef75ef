/** Giving verdicts and splits: shown at once, saved in order, and taken back. */

import { api } from "./api.js";
import { toastError } from "./dialogs.js";

/** @typedef {import("./api.js").Tile} Tile */

const MARK = ["verdict", "reason", "split"];
const part = (mark, names) => Object.fromEntries(names.map((name) => [name, mark[name]]));
const markOf = (tile) => part(tile, MARK);
const same = (a, b) => MARK.every((name) => a[name] === b[name]);

/** The records of the tiles and all that changes their marks. */
export class Marks {
  /** @param {(tiles: Tile[]) => void} changed hears of every record that differs */
  constructor(changed) {
    /** @type {Map<string, Tile>} */
    this.records = new Map();
    this.changed = changed;
    this.done = [];
    this.touched = new Set();
    this.saving = Promise.resolve();
  }

  /** @returns {Promise<Tile[]>} all tiles as the server has them after what is being saved */
  async fetched() {
    await this.saving;
    this.touched.clear();
    return api.tiles();
  }

  /** @param {Tile[]} tiles as the server has them */
  take(tiles) {
    for (const tile of tiles) this.records.set(tile.tile, tile);
    this.changed(tiles);
  }

  /**
   * @param {Tile[]} tiles all of them, as `fetched`; marks given since then stay
   * @returns {Tile[]} what is shown now
   */
  replace(tiles) {
    const own = (tile) => (this.touched.has(tile.tile) ? markOf(this.records.get(tile.tile)) : {});
    const merged = tiles.map((tile) => ({ ...tile, ...own(tile) }));
    this.records = new Map(merged.map((tile) => [tile.tile, tile]));
    return merged;
  }

  /**
   * Change a tile's mark at once and on the server in its turn; undone if that fails. Only what
   * `mark` names is sent, since somebody else may have changed the rest.
   * @param {string} name @param {object} mark @param {boolean} [undoing]
   * @returns {Promise<boolean>} whether the server has it
   */
  give(name, mark, undoing = false) {
    const before = markOf(this.records.get(name));
    const wanted = { ...before, ...mark };
    if (same(before, wanted)) return Promise.resolve(true);
    this.touched.add(name);
    const step = [[name, part(before, Object.keys(mark))]];
    if (!undoing) this.done.push(step);
    this.take([{ ...this.records.get(name), ...wanted }]);
    const save = this.saving.then(() => this.#send(name, mark, { wanted, before, step }));
    this.saving = save;
    return save;
  }

  async #send(name, mark, { wanted, before, step }) {
    try {
      const answer = await api.mark(name, mark);
      const shown = this.records.get(name);
      this.take([same(shown, wanted) ? answer : { ...answer, ...markOf(shown) }]);
      return true;
    } catch (problem) {
      const shown = this.records.get(name);
      if (same(shown, wanted)) this.take([{ ...shown, ...before }]);
      this.done = this.done.filter((one) => one !== step);
      toastError(problem);
      return false;
    }
  }

  /** Give every kept tile a split. @returns {Promise<number>} tiles that got one */
  async deal() {
    await this.saving;
    const { tiles } = await api.deal();
    const dealt = tiles.filter((tile) => !same(tile, this.records.get(tile.tile)));
    const step = dealt.map(({ tile }) => [tile, { split: this.records.get(tile).split }]);
    if (step.length) this.done.push(step);
    this.take(tiles);
    return dealt.length;
  }

  /** Take the last verdict, split or deal back. @returns {?string[]} tiles it concerned */
  undo() {
    const step = this.done.pop();
    if (!step) return null;
    for (const [name, before] of step) this.give(name, before, true);
    return step.map(([name]) => name);
  }
}
