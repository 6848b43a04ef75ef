/** One tile in the gallery's grid. */

import { api } from "./api.js";
import { VERDICTS, labelled, spoken } from "./catalogue.js";
import { make, percent } from "./dom.js";

const SIGNS = { keep: "✓", maybe: "?", reject: "✕" };

/** @param {?string} verdict @returns {HTMLElement} the verdict as sign and word */
export function verdictMark(verdict) {
  const words = verdict ? `${SIGNS[verdict]} ${VERDICTS[verdict]}` : "undecided";
  return make("span", { class: "verdict", data: { verdict: verdict ?? "none" }, text: words });
}

function facts(tile) {
  const share = labelled(tile);
  const parts = [];
  if (tile.split) parts.push(tile.split);
  if (tile.reason) parts.push(tile.reason);
  if (tile.uncertainty !== null) parts.push(`unc. ${tile.uncertainty.toFixed(2)}`);
  if (share > 0) parts.push(percent(share));
  if (tile.minutes >= 0.5) parts.push(`${Math.round(tile.minutes)} min`);
  return parts.join(" · ");
}

function picture(tile) {
  const image = make("img", {
    alt: "",
    decoding: "async",
    width: 192,
    height: 192,
    draggable: "false",
    src: api.thumbnailAddress(tile.tile),
  });
  return [image, make("span", { class: "rank" })];
}

function lines(tile) {
  const name = make("span", { class: "name", text: tile.tile });
  return [
    make("span", { class: "line" }, name, make("span", { class: "verdict" })),
    make("span", { class: "facts" }),
    make("progress", { max: 1, value: 0, "aria-hidden": "true" }),
  ];
}

/** Bring what is seen of a card up to date, if anything is seen of it. */
function fill(card, tile) {
  if (card.childElementCount === 1) return;
  const rank = card.querySelector(".rank");
  rank.hidden = tile.suggested === null;
  rank.textContent = `★ ${(tile.suggested ?? 0) + 1}`;
  card.querySelector(".verdict").replaceWith(verdictMark(tile.verdict));
  card.querySelector(".facts").textContent = facts(tile);
  const share = labelled(tile);
  const bar = card.querySelector("progress");
  bar.value = share;
  bar.hidden = share === 0;
}

/**
 * A tile's card without a picture yet, only with its words for screen readers.
 * @param {string} tile its name
 * @returns {HTMLElement}
 */
export function emptyCard(tile) {
  const well = make("span", { class: "well" });
  const says = { role: "option", tabindex: -1, "aria-selected": "false" };
  return make("div", { class: "card", ...says, data: { tile } }, well);
}

/** @param {HTMLElement} card @param {import("./api.js").Tile} tile whose card it is */
export function describeCard(card, tile) {
  card.setAttribute("aria-label", spoken(tile));
  card.dataset.verdict = tile.verdict ?? "none";
  fill(card, tile);
}

/**
 * Give a card that comes near its picture.
 * @param {HTMLElement} card @param {import("./api.js").Tile} tile
 */
export function furnishCard(card, tile) {
  if (card.childElementCount === 1) {
    card.firstChild.append(...picture(tile));
    card.append(...lines(tile));
  }
  fill(card, tile);
}
