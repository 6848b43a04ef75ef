/** The revisions of this reading: who, when, how; to look at and to restore. */

import { button, make } from "../dom.js";
import { whenWords } from "./words.js";

const SHOWN_AT_FIRST = 100;
const KINDS = {
  brush: "Brush",
  erase: "Eraser",
  polygon: "Polygon",
  wand: "Wand",
  superpixel: "Superpixel",
  fill: "Fill",
  accept: "Accepted prediction",
  import: "Import",
  undo: "Undo",
  redo: "Redo",
  restore: "Restored",
};

/** @param {import("./desk.js").Desk} desk @returns {HTMLElement} */
export function revisionList(desk) {
  const list = make("ol", { class: "revisions", reversed: true });
  const more = button("Show older", () => show((shown += SHOWN_AT_FIRST)), { class: "quiet" });
  const none = make("p", { class: "note", text: "Every stroke becomes a revision." });
  const fold = make(
    "details",
    { class: "history" },
    make("summary", { text: "History" }),
    none,
    list,
    more,
  );
  let shown = SHOWN_AT_FIRST;
  const show = () => {
    if (!fold.open) return;
    const { revisions } = desk.journal;
    none.hidden = revisions.length > 0;
    more.hidden = revisions.length <= shown;
    list.replaceChildren(
      ...revisions
        .slice(-shown)
        .reverse()
        .map((one) => item(desk, one)),
    );
  };
  fold.addEventListener("toggle", show);
  for (const name of ["revisions", "labels", "preview"]) desk.addEventListener(name, show);
  return fold;
}

function item(desk, one) {
  const { revision, kind, author, at } = one;
  const isShown = (desk.preview?.revision ?? desk.journal.saving.revision) === revision;
  const words = [
    make("span", { class: "number", text: revision }),
    make("span", { class: "kind", text: KINDS[kind] ?? kind }),
    make("span", { class: "by", text: `${author}, ${whenWords(at)}` }),
  ];
  return make(
    "li",
    {},
    button(words, () => look(desk, one), { "aria-pressed": isShown, class: "quiet" }),
  );
}

async function look(desk, { revision, author, at }) {
  if (revision === desk.journal.saving.revision) {
    desk.showInstead(null);
    return;
  }
  try {
    const { labels } = await desk.api.labels(desk.tile, desk.reading, revision);
    desk.showInstead({ revision, author, at, labels });
  } catch (problem) {
    desk.complain(problem);
  }
}

/** Says which revision is looked at, and leads back or restores it. @returns {HTMLElement} */
export function previewBanner(desk) {
  const text = make("p");
  const restore = button("Restore this revision", () => desk.journal.restore(desk.preview.labels), {
    class: "primary",
  });
  const back = button("Back to the newest", () => desk.showInstead(null));
  const banner = make(
    "div",
    { class: "banner preview", role: "status", hidden: true },
    text,
    restore,
    back,
  );
  desk.addEventListener("preview", () => {
    const { preview } = desk;
    banner.hidden = !preview;
    restore.hidden = Boolean(desk.session.finished);
    if (!preview) return;
    const { revision, author, at } = preview;
    text.textContent = `Revision ${revision}, by ${author} ${whenWords(at)}`;
  });
  return banner;
}
