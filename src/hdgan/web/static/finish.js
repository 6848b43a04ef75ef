/** The dialog that ends annotating: what is written, what may be mended first, how to go on. */

import { api } from "./api.js";
import { sentence } from "./catalogue.js";
import { footer, openDialog, toastError } from "./dialogs.js";
import { button, make } from "./dom.js";

const SETTLE_MS = 3000;
const WHAT =
  ": the label maps of these tiles, every reading and its history, the splits and the class map.";

const tileLink = (tile, run) =>
  make("a", { href: `#/tile/${encodeURIComponent(tile)}/1`, text: tile, onclick: run });

/** A sentence in which every tile's name is a link. */
function linked(text, tiles, leave) {
  const parts = text.split(/([\p{L}\p{N}_.-]*[\p{L}\p{N}_-])/u);
  return make(
    "li",
    {},
    parts.map((part) => (tiles.has(part) ? tileLink(part, leave) : part)),
  );
}

function countsList(counts, goal, painted) {
  const rows = [["Painted tiles", painted]];
  for (const [split, count] of Object.entries(counts ?? {})) {
    rows.push([sentence(split), goal ? `${count} of ${goal[split]}` : count]);
  }
  return make(
    "dl",
    { class: "facts-list" },
    rows.flatMap(([term, value]) => [
      make("dt", { text: term }),
      make("dd", { text: String(value) }),
    ]),
  );
}

function goOn(session) {
  return [
    make("p", { text: "Then go on with:" }),
    make("code", { class: "command", text: session.goes_on_with }),
  ];
}

function plainFacts(facts) {
  const simple = Object.entries(facts ?? {}).filter(([, value]) => typeof value !== "object");
  return make(
    "dl",
    { class: "facts-list" },
    simple.flatMap(([name, value]) => [
      make("dt", { text: name.replaceAll("_", " ") }),
      make("dd", { text: String(value) }),
    ]),
  );
}

function showWritten({ folder, facts }, session) {
  return openDialog("The annotation set is written", (finish) => [
    make("p", {}, "It is in ", make("code", { text: folder }), "."),
    plainFacts(facts),
    ...goOn(session),
    make("p", { text: "To go on painting in a new folder:" }),
    make("code", { class: "command", text: session.starts_again_with }),
    make("p", {
      class: "note",
      text: "Nothing can be changed on this page any more; it can be closed.",
    }),
    footer(button("Close", () => finish(null), { class: "primary", "data-first": "" })),
  ]);
}

function writeButton(finish, ready) {
  const write = async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    pressed.textContent = "Writing …";
    try {
      finish(await api.finish());
    } catch (problem) {
      pressed.disabled = false;
      pressed.textContent = "Write the annotation set";
      toastError(problem);
    }
  };
  const made = button("Write the annotation set", write, { class: "primary" });
  made.disabled = !ready;
  return made;
}

/** Strokes of this page that the server does not have, as a sentence if there are any. */
async function unsaved() {
  const { settledEverywhere } = await import("./painter/saving.js");
  const count = await settledEverywhere(SETTLE_MS);
  if (count === 0) return [];
  const strokes = count === 1 ? "1 stroke is" : `${count} strokes are`;
  return [`${strokes} not saved yet and would be left out; wait for the painter’s “Saved”.`];
}

function outlook(state, tiles, session, finish) {
  const { ready, problems, counts, painted } = state;
  const leave = () => finish(null);
  const listed = problems.length > 0 && [
    make("h3", { text: ready ? "You may want to mend first" : "To be mended first" }),
    make(
      "ul",
      { class: "problems" },
      problems.map((text) => linked(text, tiles, leave)),
    ),
  ];
  return [
    make(
      "p",
      {},
      "An annotation set will be written to ",
      make("code", { text: session.output }),
      WHAT,
    ),
    countsList(counts, session.goal, painted),
    ...(listed || [
      make("p", { text: ready ? "Nothing is left to mend." : "Nothing can be written yet." }),
    ]),
    make("p", { class: "note", text: "After that, nothing more can be painted in this set." }),
    ...goOn(session),
    footer(button("Not yet", leave, { "data-first": "" }), writeButton(finish, ready)),
  ];
}

/**
 * Show what finishing writes, and finish if the user says so.
 * @param {import("./api.js").Session} session
 * @returns {Promise<?{folder: string}>} what was written, or null
 */
export async function openFinish(session) {
  const left = await unsaved();
  const [state, records, now] = await Promise.all([api.finishing(), api.tiles(), api.session()]);
  if (now.finished) {
    session.finished = true;
    await showWritten({ folder: now.output }, now);
    return null;
  }
  const tiles = new Set(records.map(({ tile }) => tile));
  state.problems = [...left, ...state.problems];
  const written = await openDialog("Finish", (finish) => outlook(state, tiles, session, finish), {
    class: "wide",
  });
  session.finished ||= written !== null;
  if (written) await showWritten(written, session);
  return written;
}
