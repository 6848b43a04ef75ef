/** The tools at the image's side, and the choices of the tool in hand. */

import { button, make } from "../dom.js";
import { icon } from "./icons.js";
import { TOOLS } from "./tools.js";

/** @param {import("./desk.js").Desk} desk @returns {HTMLElement} */
export function toolBar(desk) {
  const shown = TOOLS.filter(({ id }) => id !== "accept" || desk.session.has_predictions);
  const buttons = shown.map((tool) => toolButton(desk, tool));
  const show = () => {
    for (const one of buttons) {
      one.setAttribute("aria-pressed", one.dataset.tool === desk.options.tool);
    }
  };
  desk.options.listen(show);
  show();
  return make(
    "div",
    { class: "tools", role: "toolbar", "aria-label": "Tools", "aria-orientation": "vertical" },
    ...buttons,
  );
}

function toolButton(desk, { id, name, key, hint }) {
  return button(
    [icon(id), make("span", { text: name }), make("kbd", { text: key, "aria-hidden": "true" })],
    () => desk.take(id),
    { title: `${name} (${key}): ${hint}`, "aria-keyshortcuts": key, data: { tool: id } },
  );
}

/** The choices that matter for the tool in hand. @param {import("./desk.js").Desk} desk */
export function toolOptions(desk) {
  const { options } = desk;
  const hint = make("p", { class: "note" });
  const size = slider(desk, { name: "size", label: "Brush size", min: 1, max: 512, unit: "px" });
  const tolerance = slider(desk, {
    name: "tolerance",
    label: "Tolerance",
    min: 0,
    max: 100,
    unit: "",
  });
  const area = slider(desk, {
    name: "area",
    label: "Piece size",
    min: 100,
    max: 2500,
    step: 100,
    unit: "px²",
  });
  const close = button("Close the polygon", () => desk.tools.polygon.close());
  const only = toggle(desk, "onlyUnlabelled", "Only unlabelled pixels", "U");
  const show = () => {
    hint.textContent = TOOLS.find(({ id }) => id === options.tool).hint;
    size.hidden = !["brush", "eraser"].includes(options.tool);
    tolerance.hidden = options.tool !== "wand";
    area.hidden = options.tool !== "superpixel";
    close.hidden = options.tool !== "polygon";
    only.hidden = ["move", "accept"].includes(options.tool);
  };
  options.listen(show);
  show();
  return section("Tool", hint, size, tolerance, area, close, only);
}

/** @param {string} title @param {...Node} content @returns {HTMLElement} */
export function section(title, ...content) {
  const id = `painter-${title.toLowerCase().replace(/\W+/g, "-")}`;
  return make("section", { "aria-labelledby": id }, make("h2", { id, text: title }), ...content);
}

/**
 * A slider bound to a choice, with its value beside it.
 * @param {import("./desk.js").Desk} desk
 * @param {{name: string, label: string, min: number, max: number, step?: number, unit: string,
 *   factor?: number}} about `factor` is what the shown number is of the kept one
 * @returns {HTMLElement}
 */
export function slider(desk, { name, label, min, max, step = 1, unit, factor = 1 }) {
  const { options } = desk;
  const input = make("input", { type: "range", id: `painter-${name}`, min, max, step });
  const value = make("output", { for: input.id });
  const show = () => {
    const shown = Math.round(options.values[name] * factor);
    input.value = shown;
    value.textContent = `${shown} ${unit}`.trim();
    input.setAttribute("aria-valuetext", value.textContent);
  };
  input.addEventListener("input", () => options.set({ [name]: Number(input.value) / factor }));
  options.listen((names) => names.includes(name) && show());
  show();
  return make(
    "div",
    { class: "slider" },
    make("label", { for: input.id, text: label }),
    value,
    input,
  );
}

/** A button for a choice that is on or off. @returns {HTMLButtonElement} */
export function toggle(desk, name, label, key) {
  const mark = key ? make("kbd", { text: key, "aria-hidden": "true" }) : null;
  const about = { class: "switch", "aria-keyshortcuts": key ?? null };
  const made = button(
    [make("span", { text: label }), mark],
    () => desk.options.toggle(name),
    about,
  );
  const show = () => made.setAttribute("aria-pressed", desk.options.values[name]);
  desk.options.listen(show);
  show();
  return made;
}
