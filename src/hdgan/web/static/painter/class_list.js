/** The classes: which one is in hand, which are locked, how much of the tile each covers. */

import { button, make } from "../dom.js";
import { icon } from "./icons.js";
import { AMBIGUOUS, UNLABELLED } from "./rasters.js";
import { section } from "./tool_bar.js";
import { percentWords } from "./words.js";

/** @param {import("./desk.js").Desk} desk @returns {HTMLElement} */
export function classList(desk) {
  const numbered = desk.session.classes.map(({ colour }, value) => ({
    value,
    colour,
    key: value < 9 ? String(value + 1) : "",
  }));
  const rows = [...numbered, { value: AMBIGUOUS, colour: null, key: "A" }].map((row) =>
    classRow(desk, row),
  );
  const group = make("div", {
    class: "classes",
    role: "radiogroup",
    "aria-label": "Class to paint",
  });
  group.append(...rows.map(({ element }) => element));
  const bare = make("p", { class: "bare" });
  const show = () => {
    rows.forEach((row) => row.show());
    bare.textContent = `Unlabelled ${percentWords(desk.share(UNLABELLED))}`;
  };
  for (const name of ["labels", "preview"]) desk.addEventListener(name, show);
  desk.options.listen(
    (names) => ["tool", "value", "locked"].some((one) => names.includes(one)) && show(),
  );
  show();
  return section("Classes", group, bare);
}

function classRow(desk, { value, colour, key }) {
  const name = desk.nameOf(value);
  const radio = make("input", {
    type: "radio",
    name: "painter-class",
    value,
    id: `painter-class-${value}`,
  });
  radio.addEventListener("change", () => desk.takeClass(value));
  const swatch = make("span", { class: colour ? "swatch" : "swatch hatched" });
  if (colour) swatch.style.background = colour;
  const area = make("span", { class: "area" });
  const keyMark = key ? make("kbd", { text: key }) : make("span");
  const label = make(
    "label",
    {},
    radio,
    swatch,
    make("span", { class: "name", text: name }),
    keyMark,
    area,
  );
  const lock = button("", () => desk.toggleLock(value), { class: "lock quiet" });
  const show = () => {
    const isLocked = desk.options.locked.has(value);
    radio.checked = desk.options.values.value === value;
    area.textContent = percentWords(desk.share(value));
    if (lock.getAttribute("aria-pressed") === String(isLocked)) return;
    lock.setAttribute("aria-pressed", isLocked);
    lock.setAttribute("aria-label", `Lock ${name}`);
    lock.title = isLocked ? `${name} is locked: its pixels stay` : `Lock ${name} (L)`;
    lock.replaceChildren(icon(isLocked ? "locked" : "unlocked"));
  };
  return { element: make("div", { class: "class-row" }, label, lock), show };
}
