/** Drawings for buttons, on a grid of 24, in lines of the text's colour. */

const NAMESPACE = "http://www.w3.org/2000/svg";

const PATHS = {
  move: "M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3",
  brush: "M20 4 10.5 13.5M10 13a3.6 3.6 0 0 0-4.2 3.4C5.7 18.5 4.5 19.5 3.5 20c3.5.8 9 .3 9-4",
  eraser: "M8.5 20 3.8 15.3 14.5 4.6l5.6 5.6L10.3 20ZM9 10l5.6 5.6M10 20h10",
  polygon: "M5 8 13 4l7 7-4 9H7ZM5 8m-1.5 0h3v-1.5h-3ZM20 11m-1.5 0h3v-1.5h-3Z",
  wand: "M4 20 14 10M16 3v4M14 5h4M20 9.5v3M18.5 11h3M8.5 4.5v3M7 6h3",
  superpixel: "M4 5h7l2 5-4 4-5-2ZM11 5h9v6l-7-1M9 14l4-4 7 1v8h-8ZM4 12v8h8l-3-6",
  fill: "M4.5 12.5 12 5l7.5 7.5L13 19H10ZM9 2l3 3M20.5 17c1 1.5 1.3 3 0 3.5-1.3-.5-1-2 0-3.5",
  accept: "M4 4h16v16H4ZM8 12.5l3 3 5.5-6.5",
  undo: "M4 9h10a5 5 0 0 1 0 10H8M8 5 4 9l4 4",
  redo: "M20 9H10a5 5 0 0 0 0 10h6M16 5l4 4-4 4",
  locked: "M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  unlocked: "M6 11h12v9H6ZM8.5 11V7a3.5 3.5 0 0 1 6.8-1",
  back: "M19 12H5M11 6l-6 6 6 6",
  next: "M5 12h14M13 6l6 6-6 6",
};

/** @param {keyof typeof PATHS} name @returns {SVGElement} hidden from screen readers */
export function icon(name) {
  const drawing = document.createElementNS(NAMESPACE, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  drawing.classList.add("icon");
  const path = document.createElementNS(NAMESPACE, "path");
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}
