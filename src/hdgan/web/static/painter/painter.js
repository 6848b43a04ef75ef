/** The painter's door: fetches a tile and the painter's own code at the same time, so no imports. */

/** @typedef {import("../api.js").Session} Session */
/**
 * @typedef {object} Context
 * @property {typeof import("../api.js").api} api
 * @property {Session & {finished?: boolean}} session
 * @property {string} tile @property {number} reading @property {string} author
 * @property {(text: string, options?: {kind: "info" | "error"}) => void} toast
 * @property {(question: object) => Promise<any>} confirmChoice
 * @property {() => void} leave @property {(tile: string, reading: number) => void} goTo
 */

/**
 * @typedef {object} Painter
 * @property {() => Promise<void>} close
 * @property {() => number | undefined} shownRevision the older one that is looked at, if any
 * @property {() => void} finish nothing can be painted from now on
 */

/**
 * Fills an empty element with the painter of one tile.
 * @param {HTMLElement} root @param {Context} context
 * @returns {Promise<Painter>}
 */
export async function openPainter(root, context) {
  root.classList.add("painter");
  const waiting = document.createElement("p");
  waiting.className = "waiting";
  waiting.textContent = "Loading …";
  root.replaceChildren(waiting);
  const [{ openWorkplace }, loaded] = await Promise.all([import("./workplace.js"), load(context)]);
  return openWorkplace(root, context, loaded);
}

/**
 * @typedef {object} Loaded
 * @property {import("../api.js").Tile} record
 * @property {ImageBitmap} bitmap
 * @property {import("./label_map.js").LabelMap} map
 * @property {number} revision @property {object[]} revisions oldest first
 */

/** @param {Context} context @returns {Promise<Loaded>} */
async function load(context) {
  const [bitmap, rest] = await Promise.all([loadImage(context), loadLabels(context)]);
  return { bitmap, ...rest };
}

async function loadImage({ api, tile }) {
  const as = { colorSpaceConversion: "none", premultiplyAlpha: "none" };
  return createImageBitmap(await api.image(tile), /** @type {ImageBitmapOptions} */ (as));
}

/** The labels are copied and counted while the image is still decoded. */
async function loadLabels(context) {
  const [record, { LabelMap }, reading] = await Promise.all([
    context.api.tile(context.tile),
    import("./label_map.js"),
    import("./reading.js").then(({ loadReading }) => loadReading(context)),
  ]);
  const { labels, revision, revisions } = reading;
  const size = { width: record.width, height: record.height };
  return { record, map: new LabelMap(size, labels), revision, revisions };
}
