/** The gallery: all tiles, of which a person keeps some, deals them to splits and paints them. */

import { VERDICTS, chosen, everything, progress } from "./catalogue.js";
import { announce, toast, toastError } from "./dialogs.js";
import { button, make } from "./dom.js";
import { Grid } from "./grid.js";
import { commandOf, openHelp } from "./keys.js";
import { Marks } from "./marks.js";
import { Panel } from "./panel.js";
import { openPreview } from "./preview.js";
import { askReason } from "./reason.js";
import { Counts, Filters, habit } from "./toolbar.js";
import { openExport, openImport } from "./transfer.js";

/** What outlives the view, so that coming back from the painter is coming back. */
const memory = {
  filter: everything(),
  current: null,
  scroll: 0,
  habits: { advance: true, reasons: true },
  marks: null,
  ahead: null,
};

const NO_MARK = { verdict: null, reason: null, split: null };

/** @param {string} tile that is the current one when the gallery is shown again */
export function rememberTile(tile) {
  memory.current = tile;
}

/** Begin to fetch what the gallery will need first. */
export function fetchAhead() {
  memory.marks ??= new Marks(() => {});
  memory.ahead = memory.marks.fetched();
  memory.ahead.catch(() => {});
}

/**
 * Show the gallery.
 * @param {HTMLElement} root
 * @param {{api: object, session: import("./api.js").Session,
 *   goTo: (tile: string, reading?: number) => void}} context
 * @returns {Promise<{close: () => void}>}
 */
export async function openGallery(root, context) {
  memory.marks ??= new Marks(() => {});
  const { marks, ahead } = memory;
  memory.ahead = null;
  if (!marks.records.size) {
    marks.replace(await (ahead ?? marks.fetched()));
    return new Gallery(root, context);
  }
  const gallery = new Gallery(root, context);
  marks
    .fetched()
    .then((tiles) => gallery.renew(tiles))
    .catch(toastError);
  return gallery;
}

class Gallery {
  constructor(root, { api, session, goTo }) {
    this.root = root;
    this.api = api;
    this.session = session;
    this.goTo = goTo;
    this.marks = memory.marks;
    this.preview = null;
    this.marks.changed = (tiles) => this.#changed(tiles);
    this.grid = new Grid({
      current: (name) => this.#showCurrent(name),
      open: (name) => goTo(name),
      act: (action, name) => this.#actOn(action, name),
    });
    this.commands = this.#makeCommands();
    this.panel = new Panel(session, this.commands);
    this.counts = new Counts(session.goal, () => this.#deal());
    this.filters = new Filters(memory.filter, session.goal !== null, () => this.#filtered());
    this.#assemble();
    this.onKey = (event) => this.#press(event);
    document.addEventListener("keydown", this.onKey);
    this.#first();
  }

  #assemble() {
    this.undo = button("Undo", () => this.#undo(), { "aria-keyshortcuts": "Control+Z" });
    const all = button("Show all tiles", () => this.#showAll());
    this.grid.empty.append(make("p", { text: "No tile passes these filters." }), all);
    const habits = make(
      "div",
      { class: "habits" },
      habit("Move on after a mark", memory.habits, "advance"),
      habit("Ask for reasons", memory.habits, "reasons"),
      this.undo,
      button("Keys", openHelp, { "aria-keyshortcuts": "?" }),
    );
    const top = make(
      "div",
      { class: "gallery-top" },
      make("h1", { class: "unseen", text: "Tiles" }),
      make("div", {}, this.counts.element, habits),
      make("div", { class: "gallery-tools" }, this.filters.element),
    );
    const side = make(
      "aside",
      { class: "gallery-side", "aria-label": "The current tile" },
      this.panel.element,
    );
    this.root.append(top, make("div", { class: "gallery-body" }, this.grid.element, side));
  }

  #first() {
    this.grid.refresh([...this.marks.records.values()]);
    this.#arrange();
    this.grid.element.scrollTop = memory.scroll;
    const { current } = memory;
    const name = this.grid.names.includes(current) ? current : (this.grid.names[0] ?? null);
    this.grid.select(name, true);
  }

  /** @param {import("./api.js").Tile[]} tiles as the server has them now */
  renew(tiles) {
    if (!this.root.isConnected) return;
    this.#changed(this.marks.replace(tiles));
  }

  close() {
    document.removeEventListener("keydown", this.onKey);
    memory.scroll = this.grid.element.scrollTop;
    memory.current = this.grid.current;
    this.preview?.close();
    this.grid.nearness.disconnect();
    this.marks.changed = () => {};
  }

  get #tile() {
    return this.marks.records.get(this.grid.current) ?? null;
  }

  #arrange() {
    const tiles = [...this.marks.records.values()];
    this.grid.arrange(chosen(tiles, memory.filter).map(({ tile }) => tile));
    this.counts.show(tiles);
    this.filters.show(tiles, this.grid.names.length);
    this.undo.disabled = this.marks.done.length === 0;
  }

  #changed(tiles) {
    const at = this.grid.names.indexOf(this.grid.current);
    const focused = this.grid.hasFocus;
    this.grid.refresh(tiles);
    this.#arrange();
    const { names, current } = this.grid;
    if (names.includes(current)) this.#showCurrent(current);
    else this.grid.select(names[Math.min(at, names.length - 1)] ?? null, focused);
  }

  #filtered(focus = false) {
    this.#arrange();
    const { names, current } = this.grid;
    this.grid.element.scrollTop = 0;
    this.grid.select(names.includes(current) ? current : (names[0] ?? null), focus);
  }

  #showAll() {
    Object.assign(memory.filter, everything(), { order: memory.filter.order });
    this.filters.adopt();
    this.#filtered(true);
  }

  #showCurrent(name) {
    const tile = this.marks.records.get(name) ?? null;
    const next = this.grid.neighbour(1);
    this.panel.show(tile, next);
    this.preview?.show(tile, next);
    if (!tile) this.preview?.close();
  }

  #makeCommands() {
    const split = (name) => this.#mark({ verdict: "keep", reason: null, split: name });
    return {
      verdict: (verdict) => this.#judge(verdict),
      keep: () => this.#judge("keep"),
      maybe: () => this.#judge("maybe"),
      reject: () => this.#judge("reject"),
      clear: () => this.#mark(NO_MARK, false),
      split,
      training: () => split("training"),
      validation: () => split("validation"),
      test: () => split("test"),
      open: (reading = 1) => this.#tile && this.goTo(this.grid.current, reading),
      preview: () => this.#togglePreview(),
      undo: () => this.#undo(),
      help: openHelp,
      importInto: (reading) => this.#import(reading),
      exportFrom: (reading) => openExport(this.grid.current, reading),
    };
  }

  async #judge(verdict) {
    const tile = this.#tile;
    if (!tile) return;
    if (verdict === "keep") {
      this.#mark({ verdict, reason: null });
      return;
    }
    const title = `${verdict === "reject" ? "Reject" : "Maybe"}: ${tile.tile}`;
    const asks = memory.habits.reasons;
    const said = asks
      ? await askReason(title, this.session.reasons, tile.reason)
      : { reason: null };
    if (said) this.#mark({ verdict, split: null, ...said });
  }

  #mark(mark, advance = memory.habits.advance) {
    const tile = this.#tile;
    if (!tile) return;
    const next = this.grid.neighbour(1);
    this.marks.give(tile.tile, mark);
    this.#announce(tile.tile);
    const { names, current } = this.grid;
    if (advance && current === tile.tile && names.includes(next)) {
      this.grid.select(next, this.grid.hasFocus);
    }
  }

  #announce(name) {
    const tile = this.marks.records.get(name);
    const { kept, wanted } = progress([...this.marks.records.values()], this.session.goal);
    const verdict = tile.verdict ? VERDICTS[tile.verdict] : "undecided";
    const words = [
      `${name} ${verdict}`,
      tile.split && `for ${tile.split}`,
      tile.reason && `as ${tile.reason}`,
    ];
    const goal = wanted === null ? `${kept} kept` : `${kept} of ${wanted}`;
    announce(`${words.filter(Boolean).join(" ")}; ${goal}`);
  }

  #undo() {
    const names = this.marks.undo();
    if (!names) {
      toast("There is nothing to take back.");
      return;
    }
    if (names.length > 1) announce(`Taken back for ${names.length} tiles`);
    else this.#announce(names[0]);
    if (this.grid.names.includes(names[0])) this.grid.select(names[0], this.grid.hasFocus);
  }

  async #deal() {
    try {
      const dealt = await this.marks.deal();
      toast(dealt === 1 ? "1 tile was dealt." : `${dealt} tiles were dealt.`);
    } catch (problem) {
      toastError(problem);
    }
  }

  async #import(reading) {
    const { tile, readings } = this.#tile;
    const base = readings.find((one) => one.reading === reading)?.revision ?? 0;
    const revision = await openImport(tile, reading, base);
    if (revision !== null) this.marks.take([await this.api.tile(tile)]);
  }

  #actOn(action, name) {
    this.grid.select(name, true);
    this.commands[action]();
  }

  #togglePreview() {
    if (this.preview) {
      this.preview.close();
      return;
    }
    if (!this.#tile) return;
    this.preview = openPreview(this.session, this.commands, {
      step: (by) => this.grid.select(this.grid.neighbour(by), false),
      press: (event, dialog) => this.#press(event, dialog),
      back: () => this.grid.cards.get(this.grid.current),
      closed: () => (this.preview = null),
    });
    this.#showCurrent(this.grid.current);
  }

  #press(event, dialog = null) {
    if (!dialog && document.querySelector("dialog[open]")) return;
    const onControl = event.target.closest?.("button, a, input, select, textarea");
    const command = commandOf(event, !onControl);
    const target = onControl && !dialog ? null : this.grid.target(event.key);
    if (!command && !target) return;
    event.preventDefault();
    if (command) this.commands[command]();
    else this.grid.select(target, !dialog);
  }
}
