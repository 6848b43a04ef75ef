/** How large the tile is shown, and buttons for those without a wheel. */

import { button, make } from "../dom.js";

const STEP = 1.5;

/** @param {import("./desk.js").Desk} desk @returns {HTMLElement} */
export function zoomBar(desk) {
  const { view } = desk;
  const middle = () => ({ x: view.screen.width / 2, y: view.screen.height / 2 });
  const zoom = (factor) => desk.zoom(factor, middle());
  const percent = button("", () => zoom(1 / view.scale), { class: "percent" });
  desk.addEventListener("view", () => {
    percent.textContent = `${Math.round(100 * view.scale)} %`;
    percent.setAttribute("aria-label", `Shown at ${percent.textContent}: show at 100 %`);
  });
  return make(
    "div",
    { class: "zoom", role: "group", "aria-label": "Size on the screen" },
    button("−", () => zoom(1 / STEP), { "aria-label": "Smaller", title: "Smaller (-)" }),
    percent,
    button("+", () => zoom(STEP), { "aria-label": "Larger", title: "Larger (+)" }),
    button("Fit", () => desk.fit(), { title: "Whole tile (Home)" }),
  );
}
