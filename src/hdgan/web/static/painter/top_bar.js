/** The bar over the image: where one is, whether all is saved, and where to go. */

import { button, make } from "../dom.js";
import { icon } from "./icons.js";
import { strokesWords } from "./words.js";

const WORDS = {
  saving: () => "Saving …",
  away: () => "Not saved",
  conflict: () => "Not saved",
  refused: () => "Not saved",
  finished: () => "Finished",
  saved: (revision) => (revision === 0 ? "Nothing painted yet" : `Saved (revision ${revision})`),
};

/**
 * @param {import("./desk.js").Desk} desk
 * @param {{leave: () => void, next: () => void, help: () => void}} ways
 * @returns {HTMLElement}
 */
export function topBar(desk, ways) {
  const reading =
    desk.reading > 1 ? make("span", { class: "chip", text: `Reading ${desk.reading}` }) : null;
  const undo = iconButton("undo", "Undo", () => desk.journal.undo(), "Ctrl+Z");
  const redo = iconButton("redo", "Redo", () => desk.journal.redo(), "Ctrl+Y");
  const status = make("p", { class: "saving", role: "status" });
  const minutes = make("p", { class: "minutes", title: "Active time on this tile" });
  const showSaving = () => {
    const { state, revision } = desk.journal.saving;
    status.textContent = WORDS[state](revision);
    status.dataset.state = state;
  };
  const showSteps = () => {
    const isFinished = Boolean(desk.session.finished);
    undo.disabled = isFinished || desk.journal.history.done.length === 0;
    redo.disabled = isFinished || desk.journal.history.undone.length === 0;
  };
  const showMinutes = () => (minutes.textContent = minutesWords(desk.time.minutes()));
  for (const name of ["saving", "labels", "finished"]) desk.addEventListener(name, showSteps);
  desk.addEventListener("saving", showSaving);
  desk.addEventListener("minutes", showMinutes);
  [showSaving, showSteps, showMinutes].forEach((show) => show());
  return make(
    "div",
    { class: "painter-top" },
    iconButton("back", "Tiles", ways.leave, "G"),
    make("h1", { text: desk.tile }),
    reading,
    make("div", { class: "pair" }, undo, redo),
    status,
    minutes,
    make("span", { class: "gap" }),
    button(["Keys ", make("kbd", { text: "?" })], ways.help, { class: "quiet" }),
    iconButton("next", "Next tile", ways.next, "N"),
  );
}

/** A calm bar that cannot be missed while strokes wait. @returns {HTMLElement} */
export function savingBanner(desk) {
  const text = make("p");
  const act = button("", () => desk.journal.askAgain());
  const banner = make("div", { class: "banner", role: "alert", hidden: true }, text, act);
  const show = () => {
    const { state, waiting, trouble } = desk.journal.saving;
    banner.hidden = !["away", "conflict", "refused"].includes(state);
    act.hidden = state === "away";
    act.textContent = state === "conflict" ? "Decide" : "Try again";
    const why = { away: "trying again", conflict: "somebody else saved meanwhile" }[state];
    const words = `Not saved: ${strokesWords(waiting.length)}; ${why ?? trouble}`;
    if (text.textContent !== words) text.textContent = words;
  };
  desk.addEventListener("saving", show);
  show();
  return banner;
}

/** Says that nothing can be painted any more, once that is so. @returns {HTMLElement} */
export function finishedBanner(desk) {
  const text = make("p");
  const banner = make("div", { class: "banner", role: "alert", hidden: true }, text);
  const show = () => {
    banner.hidden = !desk.session.finished;
    text.textContent = desk.session.finished ? desk.finishedWords : "";
  };
  desk.addEventListener("finished", show);
  show();
  return banner;
}

/** @returns {HTMLButtonElement} a button with a drawing, a word and its key in the title */
export function iconButton(name, label, run, key) {
  return button([icon(name), make("span", { text: label })], run, {
    title: `${label} (${key})`,
    "aria-keyshortcuts": key.replace("Ctrl", "Control"),
  });
}

function minutesWords(minutes) {
  return minutes < 1 ? "< 1 min" : `${Math.floor(minutes)} min`;
}
