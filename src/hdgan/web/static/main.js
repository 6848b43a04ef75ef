/** The shell: who paints, which view is shown, what is said when the server is gone. */

import { openAgreement } from "./agreement.js";
import { api } from "./api.js";
import { askText, confirmChoice, toast, toastError } from "./dialogs.js";
import { button, make } from "./dom.js";
import { openFinish } from "./finish.js";
import { fetchAhead, openGallery, rememberTile } from "./gallery.js";
import { openExport, openImport } from "./transfer.js";

const AUTHOR = "hdgan.author";
const WORDS = {
  0:
    "The server does not answer. Start hdgan annotate again in the terminal; " +
    "what it has saved is safe.",
  401:
    "The server does not know this browser any more: " +
    "open the address that the terminal printed.",
};
const main = document.getElementById("main");

let session = null;
let author = "";
let view = null;
let turn = 0;

/** Fill the page with one message and what may help. */
function showMessage(title, text, again) {
  document.body.dataset.view = "message";
  document.querySelector("#top nav").hidden = !session;
  const ways = make("div", { class: "row" }, button("Try again", again, { class: "primary" }));
  if (session) ways.append(make("a", { href: "#/", text: "All tiles" }));
  main.replaceChildren(
    make("section", { class: "message" }, make("h1", { text: title }), make("p", { text }), ways),
  );
}

function explain(problem, again) {
  if (problem.status === 401) {
    const text = "Open the address that the terminal printed: it lets this browser in.";
    showMessage("This browser is not let in yet", text, again);
  } else if (problem.status === 0) {
    const text =
      "Is hdgan annotate still running? Start it again in the terminal and open the address " +
      "that it prints. Everything it has saved is safe.";
    showMessage("The server does not answer", text, again);
  } else showMessage("This cannot be shown", problem.message, again);
}

function hearTrouble(trouble) {
  const line = document.getElementById("trouble");
  if (trouble === null || document.body.dataset.view === "message") {
    line.hidden = true;
  } else if (line.hidden || line.dataset.trouble !== String(trouble)) {
    line.dataset.trouble = trouble;
    line.textContent = WORDS[trouble];
    line.hidden = false;
  }
}

function showAuthor() {
  const shown = document.getElementById("author");
  shown.textContent = author;
  shown.setAttribute("aria-label", `Annotator ${author}: change the name`);
  shown.title = "Annotator: change the name";
  shown.hidden = false;
}

function keep(name) {
  author = name;
  api.setAuthor(name);
  showAuthor();
  try {
    localStorage.setItem(AUTHOR, name);
  } catch {
    toast("This browser keeps nothing: your name will be asked for again next time.");
  }
}

function storedAuthor() {
  try {
    return localStorage.getItem(AUTHOR);
  } catch {
    return null;
  }
}

const ask = (closable) =>
  askText({
    title: "Who annotates?",
    label: "Your name",
    value: author || session.author,
    note: "It is written beside every stroke, so that readings can be told apart.",
    closable,
  });

async function changeAuthor() {
  const name = await ask(true);
  if (name && name !== author) {
    keep(name);
    await route();
  }
}

async function askAuthor() {
  keep(storedAuthor() || (await ask(false)));
}

/** @returns {{view: string, tile?: string, reading?: number}} what the address asks for */
function destination() {
  const [kind, tile, reading] = location.hash.replace(/^#\/?/, "").split("/");
  if (kind === "tile" && tile) {
    return { view: "painter", tile: decodeURIComponent(tile), reading: Number(reading) || 1 };
  }
  return { view: kind === "agreement" ? "agreement" : "gallery" };
}

/** @param {string} tile @param {number} [reading] */
function goTo(tile, reading = 1) {
  location.hash = `#/tile/${encodeURIComponent(tile)}/${reading}`;
}

function leave() {
  location.hash = "#/";
}

const views = {
  gallery: (root, context) => openGallery(root, context),
  agreement: (root, context) => openAgreement(root, context),
  async painter(root, context) {
    rememberTile(context.tile);
    const { openPainter } = await import("./painter/painter.js");
    return openPainter(root, context);
  },
};

function describe({ view: name, tile, reading }) {
  document.body.dataset.view = name;
  const again = reading > 1 ? `, reading ${reading}` : "";
  const titles = { gallery: "Tiles", agreement: "Agreement", painter: `${tile}${again}` };
  document.title = `${titles[name]} – ${session.samples} – hdgan`;
  for (const link of document.querySelectorAll("#top nav a")) {
    const here = link.hash === (name === "agreement" ? "#/agreement" : "#/");
    if (here && name !== "painter") link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function exportHere() {
  const { tile, reading } = destination();
  return openExport(tile, reading, view?.shownRevision?.());
}

/** Lays a file over the tile that is being painted, and shows it anew. */
async function importHere() {
  const { tile, reading } = destination();
  const { readings } = await api.tile(tile);
  const base = readings.find((one) => one.reading === reading)?.revision ?? 0;
  if ((await openImport(tile, reading, base)) !== null) await route();
}

/** What is finished is finished for the painter that is open, too. */
async function finishHere() {
  await openFinish(session);
  if (session.finished) view?.finish?.();
}

async function closeView() {
  const open = view;
  view = null;
  await open?.close();
}

/** Show what the address asks for; a later call wins over an earlier one that still waits. */
async function route() {
  const mine = (turn += 1);
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  await closeView();
  if (mine !== turn) return;
  const wanted = destination();
  const root = make("div", { class: `view ${wanted.view}` });
  describe(wanted);
  main.replaceChildren(root);
  const context = { api, session, author, toast, confirmChoice, leave, goTo, ...wanted };
  try {
    const opened = await views[wanted.view](root, context);
    if (mine === turn) view = opened;
    else await opened.close();
  } catch (problem) {
    if (problem.name !== "ApiError") console.error(problem);
    if (mine === turn) explain(problem, route);
  }
}

async function start() {
  const title = make("h1", { class: "unseen", text: "Annotation" });
  main.replaceChildren(title, make("p", { class: "waiting", text: "Loading …" }));
  if (destination().view === "gallery") fetchAhead();
  try {
    session = await api.session();
    if (!Object.keys(session.goal ?? {}).length) session.goal = null;
  } catch (problem) {
    explain(problem, start);
    return;
  }
  document.querySelector("#top nav").hidden = false;
  document.getElementById("samples").textContent = session.samples;
  await askAuthor();
  await route();
}

document.getElementById("skip").onclick = () => main.focus();
document.getElementById("author").onclick = () => session && changeAuthor();
for (const [id, run] of Object.entries({
  export: exportHere,
  import: importHere,
  finish: finishHere,
})) {
  document.getElementById(id).onclick = () => session && run().catch(toastError);
}
window.addEventListener("hashchange", () => session && route());
api.onTrouble(hearTrouble);
start();
