/** Which tiles are shown in which order, and how far the selection has come: pure functions. */

/** @typedef {import("./api.js").Tile} Tile */

export const SPLITS = ["training", "validation", "test"];
export const VERDICTS = { keep: "kept", maybe: "maybe", reject: "rejected" };

const STATES = {
  all: ["All tiles", () => true],
  suggested: ["Suggested", (tile) => tile.suggested !== null],
  undecided: ["Undecided", (tile) => tile.verdict === null],
  keep: ["Kept", (tile) => tile.verdict === "keep"],
  maybe: ["Maybe", (tile) => tile.verdict === "maybe"],
  reject: ["Rejected", (tile) => tile.verdict === "reject"],
  painted: ["Painted", (tile) => labelled(tile) > 0],
  unpainted: ["Kept, not painted", (tile) => tile.verdict === "keep" && labelled(tile) === 0],
};

const last = (value) => value ?? Number.POSITIVE_INFINITY;
const collator = new Intl.Collator("en", { numeric: true });
const byName = (a, b) => collator.compare(a.tile, b.tile);
const compare = (a, b) => (a === b ? 0 : a < b ? -1 : 1);

const ORDERS = {
  suggestion: ["Suggestion", (a, b) => compare(last(a.suggested), last(b.suggested))],
  name: ["Name", () => 0],
  uncertainty: ["Most uncertain", (a, b) => compare(last(negative(a)), last(negative(b)))],
  labelled: ["Least labelled", (a, b) => compare(labelled(a), labelled(b))],
};

const negative = ({ uncertainty }) => (uncertainty === null ? null : -uncertainty);

/** @param {Tile} tile @returns {number} the largest share labelled in one of its readings */
export function labelled(tile) {
  return Math.max(0, ...tile.readings.map((reading) => reading.labelled));
}

/**
 * @typedef {{state: string, split: string, stain: string, order: string}} Filter
 * @returns {Filter} everything, suggested tiles first
 */
export function everything() {
  return { state: "all", split: "", stain: "", order: "suggestion" };
}

const passes = (tile, { state, split, stain }) =>
  STATES[state][1](tile) &&
  (!split || (split === "none" ? tile.split === null : tile.split === split)) &&
  (!stain || tile.stain === stain);

/** @param {Iterable<Tile>} tiles @param {Filter} filter @returns {Tile[]} */
export function chosen(tiles, filter) {
  const order = ORDERS[filter.order][1];
  return [...tiles]
    .filter((tile) => passes(tile, filter))
    .sort((a, b) => order(a, b) || byName(a, b));
}

/**
 * The choices of each filter that means something for these tiles, `[value, words, tiles]`.
 * @param {Tile[]} tiles @param {boolean} splits whether the set has splits
 */
export function choices(tiles, splits) {
  const known = (name) => tiles.some((tile) => tile[name] !== null);
  const number = (test) => tiles.filter(test).length;
  const offered = { suggested: known("suggested") };
  const states = Object.entries(STATES).filter(([value]) => offered[value] ?? true);
  const stains = [...new Set(tiles.map((tile) => tile.stain))].filter((name) => name !== null);
  const orders = { suggestion: known("suggested"), uncertainty: known("uncertainty") };
  const inSplit = (split) => number((tile) => tile.verdict === "keep" && tile.split === split);
  return {
    state: states.map(([value, [words, test]]) => [value, words, number(test)]),
    split: splits
      ? [
          ["", "Any split"],
          ...SPLITS.map((name) => [name, sentence(name), inSplit(name)]),
          ["none", "No split"],
        ]
      : [],
    stain:
      stains.length > 1
        ? [
            ["", "Any stain"],
            ...stains.sort().map((name) => [name, name, number((tile) => tile.stain === name)]),
          ]
        : [],
    order: Object.entries(ORDERS)
      .filter(([value]) => orders[value] ?? true)
      .map(([value, [words]]) => [value, words]),
  };
}

/** @param {string} words @returns {string} with a capital at its beginning */
export function sentence(words) {
  return words[0].toUpperCase() + words.slice(1);
}

/**
 * @param {Tile[]} tiles
 * @param {?Record<string, number>} goal tiles a split should have
 * @returns {{kept: number, wanted: ?number, painted: number, dealt: number,
 *   splits: {name: string, count: number, goal: number}[]}}
 */
export function progress(tiles, goal) {
  const kept = tiles.filter((tile) => tile.verdict === "keep");
  const splits = SPLITS.filter((name) => goal).map((name) => ({
    name,
    count: kept.filter((tile) => tile.split === name).length,
    goal: goal[name],
  }));
  return {
    kept: kept.length,
    wanted: goal ? SPLITS.reduce((sum, name) => sum + goal[name], 0) : null,
    painted: kept.filter((tile) => labelled(tile) > 0).length,
    dealt: kept.filter((tile) => tile.split !== null).length,
    splits,
  };
}

/** @param {Tile} tile @returns {string} the tile in one line, as a screen reader says it */
export function spoken(tile) {
  const parts = [tile.tile, tile.verdict ? VERDICTS[tile.verdict] : "undecided"];
  if (tile.reason) parts.push(tile.reason);
  if (tile.split) parts.push(tile.split);
  if (tile.suggested !== null) parts.push(`suggestion ${tile.suggested + 1}`);
  if (tile.uncertainty !== null) parts.push(`uncertainty ${tile.uncertainty.toFixed(2)}`);
  const share = labelled(tile);
  parts.push(share > 0 ? `${Math.round(100 * share)} % labelled` : "not painted");
  if (tile.minutes >= 0.5) parts.push(`${Math.round(tile.minutes)} minutes`);
  return parts.join(", ");
}
