/** Numbers and times as they are shown and spoken. */

/** @param {number} share 0 to 1 @returns {string} such as "12.4 %" */
export function percentWords(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share > 0.9995) return "> 99.9 %";
  return `${(100 * share).toFixed(1)} %`;
}

/** @param {string} at ISO time @returns {string} such as "on 3 May at 14:02" */
export function whenWords(at) {
  const time = new Date(at);
  const day = time.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const hour = time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return time.toDateString() === new Date().toDateString() ? `at ${hour}` : `on ${day} at ${hour}`;
}

const STROKES = {
  brush: "a brush stroke",
  erase: "a stroke of the eraser",
  polygon: "a polygon",
  wand: "a use of the wand",
  superpixel: "superpixels",
  fill: "a fill",
  accept: "an accepted prediction",
  import: "an import",
  undo: "an undo",
  redo: "a redo",
  restore: "a restored map",
};

/** @param {string} kind of a revision @returns {string} such as "a brush stroke" */
export function strokeWords(kind) {
  return STROKES[kind] ?? kind;
}

/** @param {number} count @returns {string} such as "1 stroke", "2 strokes" */
export function strokesWords(count) {
  return count === 1 ? "1 stroke" : `${count} strokes`;
}
