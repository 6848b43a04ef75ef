/** Two people painted the same reading: both, theirs or mine. */

import { laidOver } from "./rasters.js";
import { loadReading } from "./reading.js";
import { strokesWords, whenWords } from "./words.js";

/** @typedef {import("./journal.js").Journal} Journal */

const CHOICES = [
  {
    value: "both",
    label: "Keep both: my strokes over theirs",
    note: "Their newest map stays; only the pixels that you changed are laid over it.",
    primary: true,
  },
  {
    value: "theirs",
    label: "Show theirs",
    note: "Your unsaved strokes are dropped.",
  },
  {
    value: "mine",
    label: "Keep mine only",
    note: "Your whole map is saved over theirs; theirs stays in the history.",
  },
];
const WAYS = { both: keepBoth, theirs: takeTheirs, mine: keepMine };

/**
 * Asks what is to be done, and does it.
 * @param {Journal} journal @param {object} body what the server said
 */
export async function settle(journal, { revision, author, at, kind }) {
  const { desk, saving } = journal;
  const count = saving.waiting.length;
  const last = count === 1 ? "stroke is" : `${strokesWords(count)} are`;
  const choice = await desk.confirmChoice({
    title: "This label map was saved elsewhere meanwhile",
    text: `${author} saved revision ${revision} (${kind}) ${whenWords(at)}. Your last ${last} not saved yet.`,
    choices: CHOICES,
  });
  if (!choice) return;
  try {
    await WAYS[choice](journal, revision);
  } catch (problem) {
    desk.complain(problem);
  }
}

/** @param {Journal} journal */
async function takeTheirs(journal) {
  goOnFrom(journal, await loadReading(journal.desk));
}

/** My changes since the last saved revision become a new one over theirs. */
async function keepBoth(journal) {
  const { desk, saving } = journal;
  const [base, newest] = await Promise.all([
    desk.api.labels(desk.tile, desk.reading, saving.revision),
    loadReading(desk),
  ]);
  desk.cancelTool();
  const both = laidOver(newest.labels, base.labels, desk.map.labels);
  goOnFrom(journal, newest);
  journal.restore(both);
}

function goOnFrom(journal, { revision, revisions, labels }) {
  journal.restart(revisions);
  journal.saving.restart(revision);
  journal.desk.replaceLabels(labels);
}

/** My whole map goes on top of their revision; undo then leads back to theirs. */
async function keepMine(journal, head) {
  const { desk } = journal;
  const { revisions } = await loadReading(desk);
  desk.cancelTool();
  journal.restart(revisions.filter(({ revision }) => revision <= head));
  journal.saving.restart(head);
  journal.record("restore", {
    rect: { x: 0, y: 0, ...desk.size },
    before: null,
    after: desk.map.labels.slice(),
  });
}
