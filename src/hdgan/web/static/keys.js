/** The keys of the gallery, and the dialog that explains them. */

import { footer, openDialog } from "./dialogs.js";
import { button, make } from "./dom.js";

const KEYS = {
  k: "keep",
  m: "maybe",
  r: "reject",
  x: "clear",
  1: "training",
  2: "validation",
  3: "test",
  p: "open",
  "?": "help",
};
const IN_GRID = { Enter: "open", " ": "preview" };

const EXPLAINED = [
  [["←", "→", "↑", "↓"], "Move between tiles; also Page up, Page down, Home, End"],
  [["K"], "Keep the tile"],
  [["M"], "Maybe; a reason can be given"],
  [["R"], "Reject; a reason can be given"],
  [["X"], "Clear verdict, reason and split"],
  [["1", "2", "3"], "Keep the tile for training, validation or test"],
  [["Space"], "Show the tile large; the other keys work there, too"],
  [["Enter", "P"], "Open the tile in the painter"],
  [["Ctrl", "Z"], "Take the last verdict, split or deal back"],
  [["?"], "This list"],
];

const writesText = (target) =>
  target instanceof Element &&
  target.closest("select, textarea, input:not([type=radio], [type=checkbox])") !== null;

const isUndo = (event) =>
  (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";

/**
 * What a key asks for.
 * @param {KeyboardEvent} event
 * @param {boolean} inGrid whether the focus is where Enter and the blank belong to the tile
 * @returns {?string} a command, or null
 */
export function commandOf(event, inGrid) {
  if (writesText(event.target)) return null;
  if (isUndo(event)) return "undo";
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return KEYS[event.key.toLowerCase()] ?? (inGrid ? (IN_GRID[event.key] ?? null) : null);
}

/** Explain the keys. @returns {Promise<null>} */
export function openHelp() {
  return openDialog("Keys", (finish) => {
    const rows = EXPLAINED.map(([keys, text]) =>
      make(
        "tr",
        {},
        make(
          "th",
          { scope: "row" },
          keys.map((key) => make("kbd", { text: key })),
        ),
        make("td", { text }),
      ),
    );
    const close = button("Close", () => finish(null), { class: "primary", "data-first": "" });
    return [make("table", { class: "keys" }, make("tbody", {}, rows)), footer(close)];
  });
}
