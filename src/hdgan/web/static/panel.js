/** One tile in large: its picture, its facts, and buttons for all that can be done with it. */

import { api } from "./api.js";
import { SPLITS, labelled, sentence } from "./catalogue.js";
import { verdictMark } from "./card.js";
import { button, make, percent } from "./dom.js";

const PAUSE = 120;
const VERDICTS = [
  ["keep", "Keep", "K"],
  ["maybe", "Maybe", "M"],
  ["reject", "Reject", "R"],
];

/** A button with the key that does the same. @returns {HTMLButtonElement} */
export function keyed(label, key, run, attributes = {}) {
  const made = button(label, run, { "aria-keyshortcuts": key, ...attributes });
  made.append(make("kbd", { "aria-hidden": "true", text: key }));
  return made;
}

function verdictButtons(commands) {
  const buttons = VERDICTS.map(([verdict, words, key]) =>
    keyed(words, key, () => commands.verdict(verdict), {
      data: { verdict },
      "aria-pressed": "false",
    }),
  );
  const clear = keyed("Clear", "X", commands.clear);
  return make("div", { class: "choices", role: "group", "aria-label": "Verdict" }, buttons, clear);
}

function splitButtons(commands) {
  const buttons = SPLITS.map((split, index) =>
    keyed(sentence(split), String(index + 1), () => commands.split(split), {
      data: { split },
      "aria-pressed": "false",
    }),
  );
  return make("div", { class: "choices", role: "group", "aria-label": "Split" }, buttons);
}

function areaBar(areas, classes) {
  const shown = areas
    .map((share, index) => ({ share, ...classes[index] }))
    .filter(({ share }) => share > 0);
  const parts = shown.map(({ share, colour }) =>
    make("span", { style: { "flex-grow": share, "background-color": colour } }),
  );
  const rest = 1 - shown.reduce((sum, { share }) => sum + share, 0);
  if (rest > 0) parts.push(make("span", { class: "rest", style: { "flex-grow": rest } }));
  const words = shown.map(({ name, share }) => `${name} ${percent(share)}`).join(", ");
  return [
    make("div", { class: "areas", "aria-hidden": "true" }, parts),
    make("p", { class: "note", text: words }),
  ];
}

function readingItem(reading, session, commands) {
  const words = [`${percent(reading.labelled)} labelled`];
  if (reading.ambiguous > 0) words.push(`${percent(reading.ambiguous)} ambiguous`);
  if (reading.minutes >= 0.5) words.push(`${Math.round(reading.minutes)} min`);
  if (reading.authors.length) words.push(reading.authors.join(", "));
  const number = reading.reading;
  const act = (label, run) =>
    button(label, run, { class: "quiet", "aria-label": `${label} reading ${number}` });
  return make(
    "li",
    {},
    make("p", {}, make("strong", { text: `Reading ${number}` }), ` ${words.join(" · ")}`),
    ...areaBar(reading.areas, session.classes),
    make(
      "div",
      { class: "row" },
      act("Open", () => commands.open(number)),
      act("Import …", () => commands.importInto(number)),
      act("Export …", () => commands.exportFrom(number)),
    ),
  );
}

function factPairs(tile) {
  const share = labelled(tile);
  return [
    ["Suggestion", tile.suggested === null ? null : `★ ${tile.suggested + 1}`],
    ["Uncertainty", tile.uncertainty === null ? null : `${tile.uncertainty.toFixed(3)} nats`],
    ["Stain", tile.stain],
    ["Size", `${tile.width} × ${tile.height} px`],
    ["Reason", tile.reason],
    ["Labelled", share > 0 ? percent(share) : "not painted"],
    ["Time", tile.minutes >= 0.05 ? `${tile.minutes.toFixed(1)} min` : null],
  ].filter(([, value]) => value !== null);
}

/** A picture that shows the thumbnail until the whole image is there. */
class Picture {
  constructor(attributes) {
    this.element = make("img", { decoding: "async", ...attributes });
    this.name = null;
    this.waiting = 0;
  }

  show({ tile, width, height }, neighbour) {
    if (tile === this.name) return;
    this.name = tile;
    this.element.width = width;
    this.element.height = height;
    this.element.alt = `Tile ${tile}`;
    this.element.src = api.thumbnailAddress(tile);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#sharpen(tile, neighbour), PAUSE);
  }

  async #sharpen(tile, neighbour) {
    const whole = new Image();
    whole.src = api.imageAddress(tile);
    try {
      await whole.decode();
    } catch {
      return;
    }
    if (tile !== this.name) return;
    this.element.src = whole.src;
    if (neighbour) new Image().src = api.imageAddress(neighbour);
  }
}

/** Shows a tile and keeps its buttons in place from tile to tile. */
export class Panel {
  /**
   * @param {import("./api.js").Session} session
   * @param {Record<string, Function>} commands on the tile that is shown
   * @param {{titled?: boolean}} [options] whether it has a heading
   */
  constructor(session, commands, { titled = true } = {}) {
    this.session = session;
    this.commands = commands;
    this.picture = new Picture({ class: "large" });
    this.title = make("h2", { hidden: !titled });
    this.verdict = make("span", {});
    this.facts = make("dl", { class: "facts-list" });
    this.readings = make("ul", { class: "readings" });
    this.element = make("div", { class: "panel" });
    this.#assemble();
  }

  #assemble() {
    const { session, commands } = this;
    this.verdicts = verdictButtons(commands);
    this.splits = session.goal ? splitButtons(commands) : make("div", { hidden: true });
    const paint = keyed("Paint", "P", () => commands.open(1), { class: "primary" });
    this.second = button("Second reading", () => commands.open(2));
    const importing = button("Import …", () => commands.importInto(1));
    this.importing = importing;
    const actions = make("div", { class: "row" }, paint, this.second, importing);
    const head = make("div", { class: "panel-head" }, this.title, this.verdict);
    const controls = make(
      "div",
      { class: "panel-controls" },
      head,
      this.verdicts,
      this.splits,
      actions,
      this.facts,
      this.readings,
    );
    this.element.append(make("div", { class: "tile-stage" }, this.picture.element), controls);
  }

  /**
   * @param {?import("./api.js").Tile} tile
   * @param {string} [neighbour] the tile that is likely to be asked for next
   */
  show(tile, neighbour) {
    this.element.hidden = !tile;
    if (!tile) return;
    this.picture.show(tile, neighbour);
    this.title.textContent = tile.tile;
    const mark = verdictMark(tile.verdict);
    this.verdict.replaceWith(mark);
    this.verdict = mark;
    this.#press(tile);
    this.facts.replaceChildren(
      ...factPairs(tile).flatMap(([term, value]) => [
        make("dt", { text: term }),
        make("dd", { text: value }),
      ]),
    );
    this.#showReadings(tile);
  }

  #press(tile) {
    for (const made of this.verdicts.querySelectorAll("[data-verdict]")) {
      made.setAttribute("aria-pressed", String(made.dataset.verdict === tile.verdict));
    }
    for (const made of this.splits.querySelectorAll("[data-split]")) {
      made.setAttribute("aria-pressed", String(made.dataset.split === tile.split));
    }
  }

  #showReadings(tile) {
    const painted = tile.readings.filter((reading) => reading.revision > 0);
    const shown = JSON.stringify([tile.tile, painted]);
    this.second.hidden = !painted.some((reading) => reading.reading === 1);
    this.importing.hidden = painted.some((reading) => reading.reading === 1);
    if (shown === this.shown) return;
    this.shown = shown;
    this.readings.replaceChildren(
      ...painted.map((reading) => readingItem(reading, this.session, this.commands)),
    );
  }
}
