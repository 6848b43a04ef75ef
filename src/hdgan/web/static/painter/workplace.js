/** The painter's page: lays out what is on it, connects it, and leaves without losing a stroke. */

import { make } from "../dom.js";
import { Assistant } from "./assistant.js";
import { classList } from "./class_list.js";
import { Clock } from "./clock.js";
import { Desk } from "./desk.js";
import { Journal } from "./journal.js";
import { help, Keys } from "./keys.js";
import { labelControls, predictionControls } from "./layer_controls.js";
import { Pointers } from "./pointers.js";
import { previewBanner, revisionList } from "./revision_list.js";
import { toolBar, toolOptions } from "./tool_bar.js";
import { finishedBanner, savingBanner, topBar } from "./top_bar.js";
import { strokesWords } from "./words.js";
import { zoomBar } from "./zoom_bar.js";

const SAY_AFTER_MS = 150;
const SETTLE_MS = 3000;

/**
 * @param {HTMLElement} root @param {import("./painter.js").Context} context
 * @param {import("./painter.js").Loaded} loaded @returns {import("./painter.js").Painter}
 */
export function openWorkplace(root, context, loaded) {
  const desk = new Desk(context, loaded);
  const clock = makeClock(desk);
  desk.journal = new Journal(desk, clock, loaded);
  const canvases = make("div", { class: "canvases" });
  desk.assistant = new Assistant(desk, make("div", { class: "layer predictions" }));
  const ways = waysOf(desk, context);
  layOut(root, desk, canvases, ways);
  const pointers = new Pointers(desk.marks.canvas, desk);
  const bare = (isBare) => (canvases.dataset.bare = isBare);
  const keys = new Keys(desk, { ...ways, pointers, bare });
  const watcher = watchSize(desk, canvases);
  connect(desk, root, pointers);
  desk.marks.canvas.focus({ preventScroll: true });
  // Also of a bare tile: what the server prepares for it makes the next answer quick.
  desk.assistant.ask(loaded.revision);
  const parts = [keys, clock, watcher, desk.assistant, desk.journal, desk];
  return {
    close: () => closeAll(desk, parts),
    shownRevision: () => desk.preview?.revision,
    finish: () => desk.finish(),
  };
}

function makeClock(desk) {
  let reported = desk.record.minutes;
  const { api, tile, reading } = desk;
  const report = async (one) => {
    if (!desk.session.finished) hear((await api.addTime(tile, reading, one)).minutes);
  };
  const clock = new Clock(report, () => desk.tell("minutes"));
  const hear = (minutes) => {
    reported = minutes;
    desk.tell("minutes");
  };
  desk.time = { hear, minutes: () => reported + clock.unreported / 60 };
  return clock;
}

function waysOf(desk, { leave, goTo }) {
  const go = async (away) => (await mayLeave(desk)) && away();
  return {
    help,
    leave: () => go(leave),
    next: () => goNext(desk, (tile) => go(() => goTo(tile, 1))),
  };
}

async function goNext(desk, open) {
  try {
    const { tile, why } = await desk.api.next(desk.tile);
    desk.toast(tile ? `Next: ${tile}. ${why}` : why);
    if (tile && tile !== desk.tile) await open(tile);
  } catch (problem) {
    desk.complain(problem);
  }
}

/** Waits for the strokes that are on their way; asks before any is lost. */
async function mayLeave(desk) {
  if (await desk.journal.saving.settled(desk.journal.saving.state === "saving" ? SETTLE_MS : 0)) {
    return true;
  }
  const count = desk.journal.saving.waiting.length;
  const choice = await desk.confirmChoice({
    title: `${strokesWords(count)} ${count === 1 ? "is" : "are"} not saved`,
    text: "They are lost if you leave this tile now.",
    choices: [
      { value: "stay", label: "Stay", primary: true },
      { value: "leave", label: "Leave and lose them" },
    ],
  });
  if (choice === "leave") desk.journal.saving.abandon();
  return choice === "leave";
}

function layOut(root, desk, canvases, ways) {
  const { image, labelLayer, marks, assistant } = desk;
  labelLayer.canvas.classList.add("labels");
  marks.canvas.setAttribute(
    "aria-label",
    `Tile ${desk.tile}: arrows move the crosshair, Enter uses the tool, ? lists the keys`,
  );
  const { edges } = assistant.layers;
  canvases.append(
    image.canvas,
    assistant.place,
    labelLayer.canvas,
    edges.canvas,
    marks.canvas,
  );
  const live = make("div", { class: "unseen live", "aria-live": "polite" });
  sayInto(live, desk);
  const banners = make(
    "div",
    { class: "banners" },
    ...[savingBanner, finishedBanner, previewBanner].map((made) => made(desk)),
  );
  const stage = make("div", { class: "stage" }, canvases, banners, zoomBar(desk));
  const side = make(
    "div",
    { class: "side" },
    classList(desk),
    toolOptions(desk),
    labelControls(desk),
    predictionControls(desk),
    revisionList(desk),
  );
  root.replaceChildren(topBar(desk, ways), toolBar(desk), stage, side, live);
}

function sayInto(live, desk) {
  let timer = 0;
  const say = (text) => {
    clearTimeout(timer);
    timer = setTimeout(() => (live.textContent = text), SAY_AFTER_MS);
  };
  desk.addEventListener("said", () => say(desk.said));
  desk.addEventListener("cursor", () => {
    const { x, y } = desk.cursor.point;
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const value = desk.map.labels[row * desk.size.width + column];
    const isPredicted = desk.options.values.showsPrediction && desk.assistant.prediction;
    const predicted = isPredicted
      ? `, predicted ${desk.nameOf(desk.assistant.valueAt({ x, y }))}`
      : "";
    say(`column ${column}, row ${row}: ${desk.nameOf(value)}${predicted}`);
  });
}

function watchSize(desk, canvases) {
  const fit = () => {
    const { width, height } = canvases.getBoundingClientRect();
    if (width < 1 || height < 1) return;
    desk.view.resize(width, height, Math.min(2, devicePixelRatio));
    desk.drawNow();
  };
  const watcher = new ResizeObserver(fit);
  watcher.observe(canvases);
  fit();
  return { close: () => watcher.disconnect() };
}

function connect(desk, root, pointers) {
  const { options, labelLayer, superpixels, assistant, marks } = desk;
  const apply = (names) => {
    const has = (...wanted) => wanted.some((name) => names.includes(name));
    labelLayer.canvas.style.opacity = options.values.opacity;
    if (has("isOutlined")) desk.draw();
    if (has("area")) superpixels.resize(options.values.area);
    if (names.some((name) => /prediction|uncertainty/i.test(name))) assistant.show();
    if (has("tool")) pointers.become("none");
    marks.draw();
  };
  options.listen(apply);
  apply(["tool", "showsPrediction"]);
  desk.addEventListener("preview", () => assistant.show());
  // A click on a control gives the keys back to the image; who comes by Tab stays.
  root.addEventListener("click", (event) => {
    // The way, as the target may have been replaced by what it did.
    const isControl = event.composedPath().some((one) => one.matches?.("button, input, label"));
    if (event.detail > 0 && isControl && !document.querySelector("dialog[open]"))
      marks.canvas.focus({ preventScroll: true });
  });
}

async function closeAll(desk, parts) {
  desk.cancelTool();
  await desk.journal.saving.settled(desk.journal.saving.state === "saving" ? SETTLE_MS : 0);
  const count = desk.journal.saving.waiting.length;
  const strokes = strokesWords(count);
  if (count > 0) desk.toast(`${strokes} on ${desk.tile} still to be saved: keep this page open.`);
  for (const part of parts) part.close();
}
