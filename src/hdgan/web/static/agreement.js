/** The view of tiles that were read twice: Dice and kappa of each class. */

import { button, make, percent } from "./dom.js";

const DEFINITIONS = [
  [
    "Dice",
    "of a class is twice the area that both readings give it, divided by the sum of the two " +
      "areas: 1 where they coincide, 0 where they do not touch.",
  ],
  [
    "Kappa (κ)",
    "is the share of pixels on which both readings agree beyond what chance would give, divided " +
      "by the most that could be had beyond chance (Cohen); of a class, of that class against " +
      "all others: 1 is perfect, 0 is chance.",
  ],
  [
    "Counted",
    "are pixels that both readings gave a class; unlabelled and ambiguous ones are not. A dash " +
      "stands where a class occurs in neither reading.",
  ],
];

const BLIND =
  "The tile is painted again from nothing, without seeing the first reading – by somebody else, " +
  "or by you after a while.";

const shown = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
const cell = (value) => make("td", { class: "number", text: shown(value) });

function classHead({ name, colour }) {
  const swatch = make("span", { class: "swatch", style: { "background-color": colour } });
  return make("th", { scope: "colgroup", colspan: 2 }, swatch, ` ${name}`);
}

function tableHead(classes) {
  const tall = (text) => make("th", { scope: "col", rowspan: 2, text });
  const short = (text) => make("th", { scope: "col", text });
  const groups = make(
    "tr",
    {},
    tall("Tile"),
    tall("Readings"),
    classes.map(classHead),
    make("th", { scope: "colgroup", text: "All classes" }),
    tall("Pixels"),
    tall("Ambiguous"),
  );
  const pairs = classes.flatMap(() => [short("Dice"), short("κ")]);
  return make("thead", {}, groups, make("tr", {}, pairs, short("κ")));
}

function readingLink(tile, reading) {
  return make("a", {
    href: `#/tile/${encodeURIComponent(tile)}/${reading}`,
    text: String(reading),
    "aria-label": `Open ${tile}, reading ${reading}`,
  });
}

function tileRow({ tile, readings, dice, kappa, kappa_all: all, pixels, ambiguous }) {
  const links = readings.flatMap((reading, i) =>
    i ? [" and ", readingLink(tile, reading)] : [readingLink(tile, reading)],
  );
  return make(
    "tr",
    {},
    make("th", { scope: "row", text: tile }),
    make("td", {}, links),
    dice.flatMap((value, index) => [cell(value), cell(kappa[index])]),
    cell(all),
    make("td", { class: "number", text: pixels.toLocaleString("en-GB") }),
    make("td", { class: "number", text: percent(ambiguous) }),
  );
}

function totalRow({ tiles, classes, kappa }) {
  const pixels = tiles.reduce((sum, one) => sum + one.pixels, 0);
  return make(
    "tr",
    {},
    make("th", { scope: "row", colspan: 2, text: "All together" }),
    classes.flatMap((one) => [cell(one.dice), cell(one.kappa)]),
    cell(kappa),
    make("td", { class: "number", text: pixels.toLocaleString("en-GB") }),
    make("td", {}),
  );
}

function table(agreement, classes) {
  const caption = make("caption", {
    class: "unseen",
    text: "Agreement of two readings, by tile and class",
  });
  return make(
    "div",
    { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Agreement by tile" },
    make(
      "table",
      { class: "numbers" },
      caption,
      tableHead(classes),
      make("tbody", {}, agreement.tiles.map(tileRow)),
      make("tfoot", {}, totalRow(agreement)),
    ),
  );
}

function definitions() {
  return make(
    "dl",
    { class: "definitions" },
    DEFINITIONS.map(([term, text]) =>
      make("div", {}, make("dt", { text: term }), " ", make("dd", { text })),
    ),
  );
}

const read = (tile, reading) =>
  tile.readings.some((one) => one.reading === reading && one.revision > 0);

function beginning(tiles, goTo) {
  const once = tiles.filter((tile) => read(tile, 1) && !read(tile, 2)).map(({ tile }) => tile);
  const title = make("h2", { text: "Begin a second reading" });
  if (!once.length) {
    const text = "There is no tile that was read just once: paint one first.";
    return make("section", {}, title, make("p", { text }));
  }
  const select = make(
    "select",
    { id: "second-tile" },
    once.map((tile) => make("option", { value: tile, text: tile })),
  );
  const random = () => (select.selectedIndex = Math.floor(Math.random() * once.length));
  return make(
    "section",
    {},
    title,
    make("p", {
      text: BLIND,
    }),
    make(
      "div",
      { class: "row" },
      make("label", { for: "second-tile", text: "Tile" }),
      select,
      button("Pick one by chance", random),
      button("Begin", () => goTo(select.value, 2), { class: "primary" }),
    ),
  );
}

/**
 * Show the agreement of readings.
 * @param {HTMLElement} root
 * @param {{api: object, session: import("./api.js").Session,
 *   goTo: (tile: string, reading: number) => void}} context
 * @returns {Promise<{close: () => void}>}
 */
export async function openAgreement(root, { api, session, goTo }) {
  const [agreement, tiles] = await Promise.all([api.agreement(), api.tiles()]);
  const found = agreement.tiles.length > 0;
  const page = make("div", { class: "page" }, make("h1", { text: "Agreement" }));
  if (found) page.append(table(agreement, session.classes), definitions());
  else {
    page.append(
      make("p", {
        class: "lead",
        text: "Agreement needs two readings of a tile; no tile has two yet.",
      }),
    );
  }
  page.append(beginning(tiles, goTo));
  if (!found)
    page.append(make("section", {}, make("h2", { text: "What will be shown" }), definitions()));
  root.append(page);
  return { close() {} };
}
