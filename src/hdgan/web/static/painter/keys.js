/** Keys: what each does, in one table that the help shows too. */

import { openDialog } from "../dialogs.js";
import { make } from "../dom.js";
import { pressEnter, stepCrosshair } from "./crosshair.js";
import { AMBIGUOUS } from "./rasters.js";
import { TOOLS } from "./tools.js";

const ZOOM_STEP = 1.25;
const FAR = 10;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const HELP = [
  [
    "Tools",
    [
      ...TOOLS.map(({ key, name }) => [key, name]),
      ["0", "Eraser"],
      ["[ ]", "Smaller, larger brush"],
      ["U", "Only unlabelled pixels, on or off"],
    ],
  ],
  [
    "Classes",
    [
      ["1 to 9", "Class in hand"],
      ["A", "Ambiguous: looked at, cannot be told"],
      ["L", "Lock the class in hand, or unlock it"],
    ],
  ],
  [
    "Seeing",
    [
      ["Space", "Held: drag the image"],
      ["+ −", "Larger, smaller (or the wheel)"],
      ["Home", "Whole tile (or Shift+0)"],
      ["H", "Held: the bare image"],
      ["O", "Outlines only"],
      ["T", "Prediction"],
      ["Y", "Uncertainty"],
    ],
  ],
  [
    "Without a mouse",
    [
      ["Arrows", "Move the crosshair (Shift: ten times as far)"],
      ["Enter", "Begin or end a stroke, add a corner, click; twice at a corner closes the polygon"],
      ["Backspace", "Remove the last corner"],
      ["Escape", "Take the unfinished stroke or polygon back"],
    ],
  ],
  [
    "Going on",
    [
      ["Ctrl+Z", "Undo"],
      ["Ctrl+Shift+Z, Ctrl+Y", "Redo"],
      ["N", "Next tile"],
      ["G", "Gallery of tiles"],
      ["?", "These keys"],
    ],
  ],
];

/** Shows all keys. */
export function help() {
  const lists = HELP.map(([title, keys]) =>
    make("section", {}, make("h3", { text: title }), make("dl", {}, ...keys.map(keyRow))),
  );
  return openDialog(
    "Keys of the painter",
    () => [make("div", { class: "painter-keys" }, ...lists)],
    {
      class: "painter-help",
    },
  );
}

function keyRow([key, does]) {
  return make("div", {}, make("dt", {}, make("kbd", { text: key })), make("dd", { text: does }));
}

/** Listens while the painter is open. */
export class Keys {
  /**
   * @param {import("./desk.js").Desk} desk
   * @param {{leave: () => void, next: () => void, help: () => void, pointers: object,
   *   bare: (isBare: boolean) => void}} ways
   */
  constructor(desk, ways) {
    this.desk = desk;
    this.ways = ways;
    this.letters = this.lettersTable();
    this.press = (event) => this.hear(event);
    this.release = (event) => this.hearRelease(event);
    this.blur = () => this.letGo();
    window.addEventListener("keydown", this.press);
    window.addEventListener("keyup", this.release);
    window.addEventListener("blur", this.blur);
  }

  lettersTable() {
    const { desk, ways } = this;
    const { options } = desk;
    const table = {
      0: () => desk.take("eraser"),
      a: () => desk.takeClass(AMBIGUOUS),
      u: () => options.toggle("onlyUnlabelled"),
      l: () => desk.toggleLock(options.values.value),
      o: () => options.toggle("isOutlined"),
      t: () => desk.session.has_predictions && options.toggle("showsPrediction"),
      y: () => desk.session.has_predictions && options.toggle("showsUncertainty"),
      n: ways.next,
      g: ways.leave,
      "?": ways.help,
      h: () => ways.bare(true),
      "[": () => options.resize(-1),
      "]": () => options.resize(1),
      "+": () => desk.zoom(ZOOM_STEP),
      "=": () => desk.zoom(ZOOM_STEP),
      "-": () => desk.zoom(1 / ZOOM_STEP),
    };
    for (const { id, key } of TOOLS) table[key.toLowerCase()] = () => desk.take(id);
    desk.session.classes.slice(0, 9).forEach((_, value) => {
      table[value + 1] = () => desk.takeClass(value);
    });
    return table;
  }

  hear(event) {
    if (document.querySelector("dialog[open]") || event.isComposing || event.defaultPrevented)
      return;
    const owner = ownerOf(event.target);
    if (owner === "field" || (event.altKey && !isWriting(event))) return;
    const act = this.actionOf(event, owner === "control");
    if (!act) return;
    event.preventDefault();
    act();
  }

  actionOf(event, isOnControl) {
    const { key } = event;
    if ((event.ctrlKey || event.metaKey) && !isWriting(event)) return this.withControl(event);
    if (event.code === "Digit0" && event.shiftKey) return () => this.desk.fit();
    // A letter does its work once; only steps and sizes go on while a key is held.
    if (event.repeat && /^[a-z0-9?]$/i.test(key)) return () => {};
    return (!isOnControl && this.onCanvas(event)) || this.letters[key.toLowerCase()];
  }

  withControl({ key, shiftKey }) {
    const letter = key.toLowerCase();
    if (letter === "z") return () => this.takeBack(shiftKey);
    return letter === "y" ? () => this.takeBack(true) : null;
  }

  takeBack(isForward) {
    const { desk } = this;
    if (desk.tools.polygon.isActive && !isForward) desk.tools.polygon.removeLast();
    else if (isForward) desk.journal.redo();
    else desk.journal.undo();
  }

  onCanvas({ key, shiftKey, repeat }) {
    const { desk, ways } = this;
    if (key in ARROWS) {
      const [dx, dy] = ARROWS[key].map((step) => step * (shiftKey ? FAR : 1));
      return () => stepCrosshair(desk, dx, dy);
    }
    const table = {
      Enter: () => !repeat && pressEnter(desk),
      Escape: () => desk.escape(),
      Backspace: () => desk.tools.polygon.removeLast(),
      Home: () => desk.fit(),
      " ": () => ways.pointers.holdSpace(true),
    };
    return table[key];
  }

  hearRelease({ key }) {
    if (key === " ") this.ways.pointers.holdSpace(false);
    if (key.toLowerCase() === "h") this.ways.bare(false);
  }

  letGo() {
    this.ways.pointers.holdSpace(false);
    this.ways.bare(false);
  }

  close() {
    window.removeEventListener("keydown", this.press);
    window.removeEventListener("keyup", this.release);
    window.removeEventListener("blur", this.blur);
  }
}

/** Brackets are written with AltGr on many keyboards, which then says Ctrl and Alt. */
const isWriting = (event) => event.getModifierState("AltGraph");

/**
 * Who has the focus: a field, which uses all keys, a control, which uses those that move and press.
 * @returns {"field" | "control" | "none"}
 */
function ownerOf(target) {
  if (!(target instanceof Element)) return "none";
  if (target.closest("input[type=radio], button, a, summary")) return "control";
  return target.closest("input, select, textarea, [contenteditable]") ? "field" : "none";
}
