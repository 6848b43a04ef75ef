/** The dialog that lays a file of another program over a reading. */

import { api } from "./api.js";
import { footer, openDialog, toast, toastError } from "./dialogs.js";
import { button, make } from "./dom.js";

const ACCEPTED = ".png,.geojson,.json,.xml,.zip,.roi";
const FORMATS =
  "A label-map PNG, QuPath GeoJSON, COCO JSON, ASAP or Aperio XML, or a ZIP of ImageJ ROIs.";
const ORDER =
  "Outlines are laid down in the order of the file: later ones lie over earlier ones, and all " +
  "of them over what is painted. It is one step, which the painter's undo takes back.";

let session = null;

async function classChoices() {
  session ??= await api.session();
  const { classes, ambiguous, unlabelled } = session;
  return [
    ...classes.map(({ name }, index) => [index, name]),
    [ambiguous, "ambiguous"],
    [unlabelled, "unlabelled"],
  ];
}

function outlineCount({ outlines }) {
  if (!outlines) return "";
  return outlines === 1 ? "1 outline" : `${outlines} outlines`;
}

function foundRow(found, index, offered) {
  const id = `found-${index}`;
  const select = make("select", { id, required: true, data: { name: found.name } });
  select.append(make("option", { value: "", text: "Choose …" }));
  for (const [value, words] of offered) select.append(make("option", { value, text: words }));
  select.value = found.class ?? "";
  const label = make("label", { for: id, text: found.name || "(no name)" });
  const count = make("span", { class: "note", text: ` ${outlineCount(found)}` });
  return make("li", {}, make("span", {}, label, count), select);
}

function chosenClasses(form) {
  const selects = [...form.querySelectorAll("select[data-name]")];
  return Object.fromEntries(selects.map((select) => [select.dataset.name, Number(select.value)]));
}

/** Disables a form while `work` runs and shows what went wrong in it. */
async function working(form, problem, work) {
  const fields = form.querySelector("fieldset");
  fields.disabled = true;
  problem.textContent = "";
  try {
    await work();
  } catch (error) {
    if (error.name !== "ApiError") throw error;
    problem.textContent = error.message;
  } finally {
    fields.disabled = false;
  }
}

function chooseFile(tile, reading, base) {
  const input = make("input", {
    id: "import-file",
    type: "file",
    accept: ACCEPTED,
    required: true,
  });
  input.dataset.first = "";
  const problem = make("p", { class: "problem", role: "alert" });
  return openDialog(`Import into ${tile}, reading ${reading}`, (finish) => {
    const submit = (event) => {
      event.preventDefault();
      const [content] = input.files;
      working(form, problem, async () => {
        const { found } = await api.importFile(tile, reading, base, content);
        finish({ content, found });
      });
    };
    const look = make("button", { class: "primary", text: "Look into the file" });
    const form = make(
      "form",
      { onsubmit: submit },
      make(
        "fieldset",
        {},
        make("label", { for: "import-file", text: "File" }),
        input,
        make("p", { class: "note", text: FORMATS }),
        problem,
        footer(
          button("Cancel", () => finish(null)),
          look,
        ),
      ),
    );
    return [form];
  });
}

function chooseClasses(tile, reading, base, { content, found }, offered) {
  const problem = make("p", { class: "problem", role: "alert" });
  return openDialog(`Classes in ${content.name}`, (finish) => {
    const submit = (event) => {
      event.preventDefault();
      working(form, problem, async () => {
        const classes = chosenClasses(form);
        finish((await api.importFile(tile, reading, base, content, classes)).revision);
      });
    };
    const rows = found.map((one, index) => foundRow(one, index, offered));
    const take = make("button", { class: "primary", text: "Import", "data-first": "" });
    const form = make(
      "form",
      { onsubmit: submit },
      make(
        "fieldset",
        {},
        make("p", { text: "What is each of them in this set?" }),
        make("ul", { class: "classes-found" }, rows),
        make("p", { class: "note", text: ORDER }),
        problem,
        footer(
          button("Cancel", () => finish(null)),
          take,
        ),
      ),
    );
    return [form];
  });
}

/**
 * Ask for a file and for what its classes are, and lay it over a reading.
 * @param {string} tile @param {number} reading @param {number} base the revision it is laid over
 * @returns {Promise<?number>} the new revision, or null where nothing was changed
 */
export async function openImport(tile, reading = 1, base = 0) {
  try {
    const offered = await classChoices();
    const file = await chooseFile(tile, reading, base);
    if (!file) return null;
    const revision = await chooseClasses(tile, reading, base, file, offered);
    if (revision !== null) toast(`${file.content.name} was laid over ${tile}.`);
    return revision;
  } catch (problem) {
    toastError(problem);
    return null;
  }
}
