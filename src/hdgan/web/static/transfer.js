/** Taking annotations out to files and in from files of other programs. */

import { api } from "./api.js";
import { announce, footer, openDialog, toast, toastError } from "./dialogs.js";
import { button, make } from "./dom.js";

const FORMATS = {
  png: ["PNG label maps", "One grey value a class: for training elsewhere, exact to the pixel."],
  geojson: ["QuPath GeoJSON", "Outlines with class names: opens in QuPath and in map tools."],
  coco: ["COCO JSON", "Outlines in one file: for detection and segmentation tools."],
  qupath: ["QuPath project", "Images and outlines together: a folder that QuPath opens."],
};
const OLDER = "This is the older revision that is on the screen, not the newest one.";
const ALL = "all";
const OF_ONE = ["png", "geojson", "coco"];

function save({ blob, name }) {
  const address = URL.createObjectURL(blob);
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  toast(`${name} is with your browser's downloads.`);
}

function formatRow(format, fetchFile, finish) {
  const [name, use] = FORMATS[format];
  const run = async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    announce(`${name} is being written.`);
    try {
      save(await fetchFile(format));
      finish(format);
    } catch (problem) {
      pressed.disabled = false;
      toastError(problem);
    }
  };
  const label = { "aria-label": `Export ${name}` };
  return make(
    "li",
    {},
    make("div", {}, make("strong", { text: name }), make("p", { text: use })),
    button("Export", run, label),
  );
}

/**
 * Offer the formats; of all painted tiles, or of one reading of one tile.
 * @param {string} [tile] all tiles if left out
 * @param {number} [reading]
 * @param {number} [revision] the newest if left out
 * @returns {Promise<?string>} the format that was exported, or null
 */
export async function openExport(tile, reading = 1, revision = undefined) {
  const isOlder = revision !== undefined;
  const which = `reading ${reading}${isOlder ? `, revision ${revision}` : ""}`;
  const title = tile ? `Export ${tile}, ${which}` : "Export all painted tiles";
  const fetchFile = tile
    ? (format) => api.exportTile(tile, reading, format, revision)
    : (format) => api.exportAll(format);
  const formats = tile ? OF_ONE : Object.keys(FORMATS);
  const chosen = await openDialog(title, (finish) => [
    isOlder ? make("p", { class: "note", text: OLDER }) : "",
    make(
      "ul",
      { class: "formats" },
      formats.map((format) => formatRow(format, fetchFile, finish)),
    ),
    tile ? footer(button("All painted tiles …", () => finish(ALL))) : "",
  ]);
  return chosen === ALL ? openExport() : chosen;
}

export { openImport } from "./importing.js";
