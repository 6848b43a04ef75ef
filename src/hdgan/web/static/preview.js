/** The current tile as large as the window, with all that can be done with it. */

import { openDialog } from "./dialogs.js";
import { button } from "./dom.js";
import { Panel } from "./panel.js";

/**
 * Open the preview; it is filled by `show`.
 * @param {import("./api.js").Session} session
 * @param {Record<string, Function>} commands on the current tile
 * @param {{step: (by: number) => void, press: (event: KeyboardEvent, dialog: Element) => void,
 *   back: () => ?HTMLElement, closed: () => void}} hear `back` says what gets the focus afterwards
 * @returns {{show: (tile: ?import("./api.js").Tile, next: ?string) => void, close: () => void}}
 */
export function openPreview(session, commands, { step, press, back, closed }) {
  const panel = new Panel(session, commands, { titled: false });
  const stepper = (words, sign, by) =>
    button(sign, () => step(by), { class: "step", "aria-label": words });
  panel.element.prepend(stepper("Previous tile", "‹", -1));
  panel.element.append(stepper("Next tile", "›", 1));
  panel.picture.element.tabIndex = -1;
  panel.picture.element.dataset.first = "";
  const opened = {};
  const fill = (finish, dialog) => {
    dialog.addEventListener("keydown", (event) => press(event, dialog));
    opened.close = () => finish(null);
    opened.show = (tile, next) => {
      panel.show(tile, next);
      dialog.querySelector("h2").textContent = tile?.tile ?? "";
    };
    return [panel.element];
  };
  openDialog("", fill, { class: "preview", back }).then(closed);
  return opened;
}
