/** Asking why a tile is rejected or doubtful: a number key, a click, or a few words. */

import { footer, openDialog } from "./dialogs.js";
import { button, make, takesKeys } from "./dom.js";

const ENTER = "Enter";

function freeText(finish, value) {
  const input = make("input", { id: "reason-text", type: "text", maxlength: 200 });
  input.value = value;
  const submit = (event) => {
    event.preventDefault();
    finish({ reason: input.value.trim() || null });
  };
  const label = make("label", { for: "reason-text" }, "In your words ", make("kbd", { text: "0" }));
  return make(
    "form",
    { onsubmit: submit },
    label,
    make("div", { class: "row" }, input, make("button", { text: "Use" })),
  );
}

function listenForNumbers(dialog, reasons, finish) {
  dialog.addEventListener("keydown", (event) => {
    if (takesKeys(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!/^\d$/.test(event.key)) return;
    event.preventDefault();
    const number = Number(event.key);
    if (number === 0) dialog.querySelector("input").focus();
    else if (number <= reasons.length) finish({ reason: reasons[number - 1] });
  });
}

/**
 * @param {string} title such as "Reject s000012"
 * @param {string[]} reasons offered; the first nine have a number key
 * @param {?string} current what was said before
 * @returns {Promise<?{reason: ?string}>} null where the verdict itself is called off
 */
export function askReason(title, reasons, current) {
  return openDialog(
    title,
    (finish, dialog) => {
      listenForNumbers(dialog, reasons.slice(0, 9), finish);
      const offered = reasons.map((reason, index) => {
        const made = button(reason, () => finish({ reason }), {
          "aria-pressed": String(reason === current),
        });
        if (index < 9) made.prepend(make("kbd", { text: String(index + 1) }), " ");
        return make("li", {}, made);
      });
      const skip = button("No reason", () => finish({ reason: null }), {
        class: "primary",
        "data-first": "",
      });
      skip.append(make("kbd", { text: ENTER }));
      const own = current && !reasons.includes(current) ? current : "";
      return [
        make("p", { text: "Why? A word helps when the set is described later." }),
        make("ul", { class: "reasons" }, offered),
        freeText(finish, own),
        footer(skip),
      ];
    },
    { class: "reason" },
  );
}
