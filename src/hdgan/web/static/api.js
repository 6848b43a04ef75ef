/** All calls of the page to its server, in one object; errors are `ApiError`. */

const BLOCK = 512;
const UNREACHABLE = "The server does not answer.";

/**
 * @typedef {{reading: number, revision: number, labelled: number, ambiguous: number,
 *   areas: number[], authors: string[], minutes: number}} Reading
 * @typedef {{tile: string, width: number, height: number, suggested: ?number,
 *   uncertainty: ?number, stain: ?string, verdict: ?("keep"|"maybe"|"reject"),
 *   reason: ?string, split: ?("training"|"validation"|"test"), minutes: number,
 *   readings: Reading[]}} Tile
 * @typedef {{author: string, samples: string, output: string, kind: "sample-set"|"tile-set",
 *   classes: {name: string, colour: string}[], ambiguous: number, unlabelled: number,
 *   goal: ?{training: number, validation: number, test: number}, has_predictions: boolean,
 *   predicts_before_strokes: boolean, reasons: string[], goes_on_with: string,
 *   starts_again_with: string, finished: boolean}} Session
 * @typedef {{x: number, y: number, width: number, height: number}} Rectangle
 * @typedef {{base: number, kind: string, rect: Rectangle, bytes: Uint8Array,
 *   seconds: number, undoes?: number}} Stroke
 */

/** What went wrong with a call: `status` 0 where the server was not reached at all. */
export class ApiError extends Error {
  /**
   * @param {number} status of HTTP, or 0
   * @param {object} body what the server sent, `{error, ...}`
   */
  constructor(status, body) {
    super(body.error ?? `The server answered with status ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.body = body;
  }
}

let author = "";
let listener = (_trouble) => {};
const sizes = new Map();

function remember(record) {
  sizes.set(record.tile, { width: record.width, height: record.height });
  return record;
}

async function bodyOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    listener(0);
    throw new ApiError(0, { error: UNREACHABLE });
  }
}

async function call(path, options = {}) {
  const headers = { ...options.headers };
  if (options.method) headers["X-Author"] = encodeURIComponent(author);
  const response = await reach(path, { ...options, headers });
  listener(response.status === 401 ? 401 : null);
  if (!response.ok) throw new ApiError(response.status, await bodyOf(response));
  return response;
}

const json = async (path, options) => (await call(path, options)).json();
const bytes = async (path, options) =>
  new Uint8Array(await (await call(path, options)).arrayBuffer());

function sending(method, value, more = {}) {
  const headers = { "Content-Type": "application/json" };
  return { method, headers, body: JSON.stringify(value), ...more };
}

const tilePath = (tile) => `/api/tiles/${encodeURIComponent(tile)}`;
const readingPath = (tile, reading) => `${tilePath(tile)}/readings/${reading}`;
const revisionOf = (response) => Number(/\d+/.exec(response.headers.get("ETag") ?? "0")[0]);

function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** @param {Uint8Array} raw */
function deflated(raw) {
  const stream = new Blob([raw]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

function fileName(response, otherwise) {
  const disposition = response.headers.get("Content-Disposition") ?? "";
  const extended = /filename\*=UTF-8''([^;]+)/i.exec(disposition);
  if (extended) return decodeURIComponent(extended[1]);
  return /filename="?([^";]+)"?/i.exec(disposition)?.[1] ?? otherwise;
}

async function file(path, otherwise) {
  const response = await call(path);
  return { blob: await response.blob(), name: fileName(response, otherwise) };
}

async function sizeOf(tile) {
  if (!sizes.has(tile)) await api.tile(tile);
  return sizes.get(tile);
}

/** The calls; each resolves to what `page` shows or rejects with an `ApiError`. */
export const api = {
  /** The name that is written beside every change. @param {string} name */
  setAuthor(name) {
    author = name;
  },

  /**
   * After each answer `hear` gets 0 (server not reached), 401 (no cookie) or null (well).
   * @param {(trouble: 0|401|null) => void} hear
   */
  onTrouble(hear) {
    listener = hear;
  },

  /** @returns {Promise<Session>} */
  session: () => json("/api/session"),

  /** @returns {Promise<Tile[]>} */
  tiles: async () => (await json("/api/tiles")).map(remember),

  /** @param {string} tile @returns {Promise<Tile>} */
  tile: async (tile) => remember(await json(tilePath(tile))),

  /** @param {string} tile */
  thumbnailAddress: (tile) => `${tilePath(tile)}/thumbnail`,

  /** @param {string} tile */
  imageAddress: (tile) => `${tilePath(tile)}/image`,

  /** @param {string} tile @returns {Promise<Blob>} */
  image: async (tile) => (await call(`${tilePath(tile)}/image`)).blob(),

  /** @param {string} tile @param {object} mark @returns {Promise<Tile>} */
  mark: (tile, mark) => json(`${tilePath(tile)}/mark`, sending("PUT", mark)),

  /** @returns {Promise<{tiles: Tile[]}>} */
  deal: () => json("/api/deal", { method: "POST" }),

  /**
   * @param {string} tile @param {number} reading @param {number} [revision] the latest if left out
   * @returns {Promise<{labels: Uint8Array, revision: number}>}
   */
  async labels(tile, reading, revision) {
    const response = await call(`${readingPath(tile, reading)}/labels${query({ revision })}`);
    const labels = new Uint8Array(await response.arrayBuffer());
    return { labels, revision: revisionOf(response) };
  },

  /** @param {string} tile @param {number} reading @returns {Promise<object[]>} oldest first */
  revisions: (tile, reading) => json(`${readingPath(tile, reading)}/revisions`),

  /**
   * @param {string} tile @param {number} reading @param {Stroke} stroke
   * @returns {Promise<{revision: number, minutes: number}>}
   */
  async saveRevision(tile, reading, stroke) {
    const { base, kind, rect, seconds, undoes } = stroke;
    const { x, y, width, height } = rect;
    const path = `${readingPath(tile, reading)}/revisions`;
    return json(path + query({ kind, x, y, width, height, seconds, undoes }), {
      method: "POST",
      headers: { "If-Match": `"${base}"`, "Content-Type": "application/octet-stream" },
      body: await deflated(stroke.bytes),
    });
  },

  /** @returns {Promise<Uint8Array>} the rectangle of revision n as it was before n */
  before: (tile, reading, n) => bytes(`${readingPath(tile, reading)}/revisions/${n}/before`),

  /** @returns {Promise<Uint8Array>} the rectangle of revision n as n left it */
  after: (tile, reading, n) => bytes(`${readingPath(tile, reading)}/revisions/${n}/after`),

  /**
   * @param {string} tile @param {number} reading
   * @param {{seconds: number, report: string}} report of activity; one of the same id counts once
   */
  addTime: (tile, reading, report) =>
    json(`${readingPath(tile, reading)}/time`, sending("POST", report, { keepalive: true })),

  /**
   * @param {string} tile
   * @param {number} column of the block @param {number} row @param {number} area
   * @returns {Promise<{segments: Uint16Array, width: number, height: number}>}
   */
  async superpixels(tile, column, row, area) {
    const size = await sizeOf(tile);
    const raw = await bytes(`${tilePath(tile)}/superpixels/${column}/${row}${query({ area })}`);
    const width = Math.min(BLOCK, size.width - BLOCK * column);
    const height = Math.min(BLOCK, size.height - BLOCK * row);
    const view = new DataView(raw.buffer);
    const segments = Uint16Array.from({ length: width * height }, (_, i) =>
      view.getUint16(2 * i, true),
    );
    return { segments, width, height };
  },

  /**
   * @param {string} tile @param {number} reading @param {number} revision
   * @param {AbortSignal} [signal]
   * @returns {Promise<null | {labels: Uint8Array, uncertainty: Uint8Array, revision: number,
   *   seconds: number, learned: number, largest: number}>} null if nothing can be predicted yet
   */
  async prediction(tile, reading, revision, signal) {
    const path = `${tilePath(tile)}/prediction`;
    const response = await call(path, sending("POST", { reading, revision }, { signal }));
    if (response.status === 204) return null;
    const raw = new Uint8Array(await response.arrayBuffer());
    const half = raw.length / 2;
    const number = (name) => Number(response.headers.get(name));
    return {
      labels: raw.subarray(0, half),
      uncertainty: raw.subarray(half),
      revision: number("X-Revision"),
      seconds: number("X-Seconds"),
      learned: number("X-Learned"),
      largest: number("X-Largest"),
    };
  },

  /** @param {string} tile @returns {Promise<{tile: ?string, why: string}>} */
  next: (tile) => json(`/api/next${query({ after: tile })}`),

  /** @returns {Promise<object>} Dice and kappa of the tiles read twice */
  agreement: () => json("/api/agreement"),

  /**
   * @param {string} format png, geojson, coco or qupath
   * @returns {Promise<{blob: Blob, name: string}>}
   */
  exportAll: (format) => file(`/api/export/${format}`, `annotations-${format}`),

  /** @returns {Promise<{blob: Blob, name: string}>} */
  exportTile: (tile, reading, format, revision) =>
    file(`${readingPath(tile, reading)}/export/${format}${query({ revision })}`, tile),

  /**
   * Without `classes` what is in the file, and nothing is changed; with it a new revision.
   * @param {string} tile @param {number} reading @param {number} base revision it is laid over
   * @param {File} content @param {Record<string, number>} [classes]
   * @returns {Promise<{found: object[]} | {revision: number}>}
   */
  importFile(tile, reading, base, content, classes) {
    const values = { name: content.name, classes: classes && JSON.stringify(classes) };
    return json(`${readingPath(tile, reading)}/import${query(values)}`, {
      method: "POST",
      headers: { "If-Match": `"${base}"`, "Content-Type": "application/octet-stream" },
      body: content,
    });
  },

  /** @returns {Promise<{ready: boolean, problems: string[], counts: object, painted: number}>} */
  finishing: () => json("/api/finish"),

  /** @returns {Promise<{folder: string, facts: object}>} */
  finish: () => json("/api/finish", { method: "POST" }),
};
