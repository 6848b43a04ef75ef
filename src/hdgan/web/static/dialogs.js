/** Short notes (toasts), words for screen readers, and native dialogs that give focus back. */

import { button, make } from "./dom.js";

const SECONDS = { info: 5, error: 12 };

/**
 * Say something to screen readers alone.
 * @param {string} text
 */
export function announce(text) {
  const dialogs = document.querySelectorAll("dialog[open] > [role=status]");
  const place = [...dialogs].at(-1) ?? document.getElementById("status");
  place.textContent = text;
}

/**
 * A note at the page's edge that goes away by itself.
 * @param {string} text
 * @param {{kind?: "info"|"error", seconds?: number,
 *   action?: {label: string, run: () => void}}} [options]
 * @returns {() => void} takes the note away at once
 */
export function toast(text, { kind = "info", seconds = SECONDS[kind] ?? 5, action } = {}) {
  const note = make("div", { class: "toast", data: { kind } }, make("p", { text }));
  const dismiss = () => note.remove();
  const act = () => {
    dismiss();
    action.run();
  };
  if (action) note.append(button(action.label, act, { class: "quiet" }));
  note.append(button("×", dismiss, { class: "quiet", "aria-label": "Dismiss the note" }));
  const place = document.getElementById(kind === "error" ? "alerts" : "notes");
  place.append(note);
  while (place.children.length > 3) place.firstChild.remove();
  const leave = () => (note.matches(":hover, :focus-within") ? wait() : dismiss());
  const wait = () => setTimeout(leave, 1000 * seconds);
  wait();
  showOnTop();
  return dismiss;
}

/** Notes lie over dialogs that were opened before them. */
function showOnTop() {
  const notes = document.getElementById("toasts");
  if (notes.matches(":popover-open")) notes.hidePopover();
  notes.showPopover();
}

/**
 * Show an error of a call as a note; anything that is no such error is thrown on.
 * @param {Error} problem
 */
export function toastError(problem) {
  if (problem.name === "AbortError") return;
  if (problem.name !== "ApiError") throw problem;
  toast(problem.message, { kind: "error" });
}

let count = 0;

/**
 * A modal dialog with a heading; Escape or its cross closes it with null.
 * @param {string} title
 * @param {(finish: (value: any) => void, dialog: HTMLDialogElement) => (Node|string)[]} fill
 *   makes its content
 * @param {{class?: string, closable?: boolean, back?: () => ?HTMLElement}} [options] `back`: what
 *   gets the focus afterwards, if not what had it before
 * @returns {Promise<any>} what `finish` was called with, or null
 */
export function openDialog(title, fill, options = {}) {
  const { closable = true } = options;
  const name = `dialog-title-${(count += 1)}`;
  const before = document.activeElement;
  const dialog = make("dialog", { class: options.class ?? "", "aria-labelledby": name });
  let value = null;
  const finish = (chosen) => {
    value = chosen;
    dialog.close();
  };
  const cross = button("×", () => finish(null), { class: "quiet cross", "aria-label": "Close" });
  const head = make(
    "div",
    { class: "dialog-head" },
    make("h2", { id: name, text: title }),
    closable && cross,
  );
  const status = make("p", { class: "unseen", role: "status" });
  dialog.append(head, status, ...fill(finish, dialog));
  document.body.append(dialog);
  if (!closable) dialog.addEventListener("cancel", (event) => event.preventDefault());
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      const back = options.back?.() ?? before;
      if (back?.isConnected) back.focus({ preventScroll: true });
      resolve(value);
    });
  });
  dialog.showModal();
  dialog.querySelector("[data-first]")?.focus();
  return closed;
}

/** A row of buttons at a dialog's foot. @param {...Node} buttons */
export function footer(...buttons) {
  return make("div", { class: "dialog-foot" }, ...buttons);
}

/**
 * Ask to choose one of a few ways to go on.
 * @param {{title: string, text?: string,
 *   choices: ({value: any, label: string, note?: string, primary?: boolean,
 *   danger?: boolean}|string)[]}} question
 * @returns {Promise<any>} the value of the choice, or null where the dialog was left
 */
export function confirmChoice({ title, text, choices }) {
  return openDialog(title, (finish) => {
    const buttons = choices.map((choice) => {
      const { value, label, primary, danger } =
        typeof choice === "string" ? { value: choice, label: choice } : choice;
      const kind = primary ? "primary" : danger ? "danger" : "";
      return button(label, () => finish(value), { class: kind, "data-first": primary ?? null });
    });
    const told = text ? make("p", { text }) : "";
    if (!choices.some(({ note }) => note)) return [told, footer(...buttons)];
    return [told, make("ul", { class: "ways" }, choices.map(explained(buttons)))];
  });
}

/** What a choice does, beside its button. */
function explained(buttons) {
  return ({ note }, index) => {
    const id = `way-${index}`;
    buttons[index].setAttribute("aria-describedby", id);
    return make("li", {}, buttons[index], make("p", { id, class: "note", text: note }));
  };
}

/**
 * Ask for one line of text.
 * @param {{title: string, label: string, value: string, note?: string, closable?: boolean,
 *   button?: string}} question
 * @returns {Promise<?string>} the text without blanks at its ends; null where the dialog was left
 */
export function askText({ title, label, value, note, closable = true, ...more }) {
  const input = make("input", { id: "asked-text", type: "text", maxlength: 80, required: true });
  input.value = value;
  input.dataset.first = "";
  input.autocomplete = "name";
  const fill = (finish) => {
    const submit = (event) => {
      event.preventDefault();
      if (input.value.trim()) finish(input.value.trim());
    };
    const send = make("button", { class: "primary", text: more.button ?? "Save" });
    const form = make("form", { onsubmit: submit });
    form.append(make("label", { for: "asked-text", text: label }), input);
    if (note) form.append(make("p", { class: "note", text: note }));
    form.append(footer(send));
    return [form];
  };
  const answer = openDialog(title, fill, { closable });
  input.select();
  return answer;
}
