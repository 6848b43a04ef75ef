/** A reading as the server has it: the newest label map, and every revision up to it. */

/**
 * @param {{api: typeof import("../api.js").api, tile: string, reading: number}} of
 * @returns {Promise<{labels: Uint8Array, revision: number, revisions: object[]}>}
 */
export async function loadReading({ api, tile, reading }) {
  const [{ labels, revision }, listed] = await Promise.all([
    api.labels(tile, reading),
    api.revisions(tile, reading),
  ]);
  // Somebody may save between the two answers.
  const isBehind = (listed.at(-1)?.revision ?? 0) < revision;
  const revisions = isBehind ? await api.revisions(tile, reading) : listed;
  return { labels, revision, revisions: revisions.filter((one) => one.revision <= revision) };
}
