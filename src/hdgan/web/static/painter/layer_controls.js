/** What is shown over the image, and the prediction with what can be taken over from it. */

import { button, make } from "../dom.js";
import { section, slider, toggle } from "./tool_bar.js";

const INDEPENDENT =
  "Predictions learn from first readings of other tiles; a second reading is meant to be " +
  "independent.";

/** @param {import("./desk.js").Desk} desk @returns {HTMLElement} */
export function labelControls(desk) {
  return section(
    "Labels",
    slider(desk, {
      name: "opacity",
      label: "Label opacity",
      min: 0,
      max: 100,
      unit: "%",
      factor: 100,
    }),
    toggle(desk, "isOutlined", "Outlines only", "O"),
    make("p", { class: "note" }, "Hold ", make("kbd", { text: "H" }), " to see the bare image."),
  );
}

/** @param {import("./desk.js").Desk} desk @returns {?HTMLElement} null if nothing predicts */
export function predictionControls(desk) {
  if (!desk.session.has_predictions) return null;
  const age = make("p", { class: "note age" });
  const legend = make("p", { class: "legend", "aria-hidden": "true" });
  const percent = { min: 0, max: 100, unit: "%", factor: 100 };
  const predicted = slider(desk, {
    ...percent,
    name: "predictionOpacity",
    label: "Prediction opacity",
  });
  const uncertain = slider(desk, {
    ...percent,
    name: "uncertaintyOpacity",
    label: "Uncertainty opacity",
  });
  const show = () => {
    predicted.hidden = !desk.options.values.showsPrediction;
    uncertain.hidden = !desk.options.values.showsUncertainty;
    age.textContent = desk.assistant.age();
    const { largest, top } = desk.assistant.prediction ?? {};
    legend.hidden = !desk.options.values.showsUncertainty || !largest;
    const end = `${((largest * top) / 255).toFixed(2)} of ${largest?.toFixed(2)} nats`;
    legend.replaceChildren("0", make("span", { class: "ramp" }), end);
  };
  for (const name of ["prediction", "saving"]) desk.addEventListener(name, show);
  desk.options.listen(show);
  show();
  return section(
    "Prediction",
    desk.reading > 1 ? make("p", { class: "note", text: INDEPENDENT }) : "",
    age,
    toggle(desk, "showsPrediction", "Show the prediction", "T"),
    predicted,
    toggle(desk, "showsUncertainty", "Show the uncertainty", "Y"),
    uncertain,
    legend,
    acceptControls(desk),
  );
}

function acceptControls(desk) {
  const { assistant } = desk;
  const choice = make(
    "select",
    { id: "painter-accept" },
    make("option", { value: "", text: "all classes" }),
  );
  desk.session.classes.forEach(({ name }, value) =>
    choice.append(make("option", { value, text: name })),
  );
  const accept = button("Accept", () =>
    assistant.acceptAll(choice.value === "" ? undefined : Number(choice.value)),
  );
  const show = () => (accept.disabled = !assistant.prediction);
  desk.addEventListener("prediction", show);
  show();
  return make(
    "div",
    { class: "accept" },
    make("label", { for: choice.id, text: "Take over, in the whole tile" }),
    make("div", { class: "pair" }, choice, accept),
    toggle(desk, "acceptsOnlyUnlabelled", "Only where unlabelled"),
  );
}
