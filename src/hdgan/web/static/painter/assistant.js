/** Predictions: asked for after each stroke, shown as two layers, taken over where accepted. */

import { TOGETHER, topOf, uncertaintyColours } from "./colouring.js";
import { MapLayer } from "./layers.js";
import { regionSpans, UNLABELLED, valueSpans } from "./rasters.js";
import { strokesWords } from "./words.js";

const WAIT_MS = 150;

/** The newest prediction, if there is one. */
export class Assistant {
  /** @param {import("./desk.js").Desk} desk @param {HTMLElement} place where the canvases go */
  constructor(desk, place) {
    this.desk = desk;
    this.place = place;
    /**
     * @type {null | {labels: Uint8Array, uncertainty: Uint8Array, revision: number,
     *   seconds: number, learned: number, largest: number, top: number}}
     */
    this.prediction = null;
    this.isWorking = false;
    this.trouble = "";
    /** Painted strokes have the hues of the prediction: their edge tells them apart. */
    const edges = new MapLayer(desk.colours.prediction, { isDashed: true, regions: TOGETHER });
    edges.isOutlined = true;
    edges.canvas.classList.add("edges");
    this.layers = { edges };
  }

  /** Asks for a prediction of a revision, a moment later; an older request is given up. */
  ask(revision) {
    if (!this.desk.session.has_predictions) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(revision), WAIT_MS);
  }

  async fetch(revision) {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    this.become(true, "");
    const { api, tile, reading } = this.desk;
    try {
      const answer = await api.prediction(tile, reading, revision, request.signal);
      if (request !== this.request) return;
      this.prediction = answer && { revision, ...answer, top: topOf(answer.uncertainty) };
      this.become(false, "");
      this.show();
    } catch (problem) {
      if (request !== this.request || problem.name === "AbortError") return;
      if (problem.name !== "ApiError") throw problem;
      this.become(false, problem.status === 409 ? "" : problem.message);
    }
  }

  become(isWorking, trouble) {
    this.isWorking = isWorking;
    this.trouble = trouble;
    this.desk.tell("prediction");
  }

  /** How old the prediction is, in words. @returns {string} */
  age() {
    if (this.trouble) return this.trouble;
    const { prediction } = this;
    if (!prediction && this.isWorking) return "Predicting …";
    if (!prediction) return "No prediction yet: paint a little.";
    const behind = this.desk.journal.saving.revision - prediction.revision;
    const strokes = `${strokesWords(behind)} ago`;
    const age = behind === 0 ? "up to date" : strokes;
    const cost = `${prediction.seconds.toFixed(1)} s, ${count(prediction.learned)} painted pixels`;
    const of = prediction.revision === 0 ? "Before any stroke" : `Revision ${prediction.revision}`;
    return `${of}, ${age} (${cost})${this.isWorking ? "; predicting …" : ""}`;
  }

  /** Makes, shows and hides the layers as the options say. */
  show() {
    const { showsPrediction, predictionOpacity } = this.desk.options.values;
    const { showsUncertainty, uncertaintyOpacity } = this.desk.options.values;
    const isNewest = this.desk.preview === null;
    this.showLayer("prediction", "labels", isNewest && showsPrediction, predictionOpacity);
    this.showLayer("uncertainty", "uncertainty", isNewest && showsUncertainty, uncertaintyOpacity);
    const { edges } = this.layers;
    edges.canvas.hidden = !isNewest || !showsPrediction || !this.prediction;
    edges.show(this.desk.map.labels, this.desk.size.width);
    this.draw();
  }

  showLayer(name, map, isShown, opacity) {
    const { desk } = this;
    if (isShown && this.prediction && !this.layers[name]) {
      this.layers[name] = new MapLayer(desk.colours[name], { isPinstriped: name === "prediction" });
      this.layers[name].canvas.classList.add(name);
      this.place.append(this.layers[name].canvas);
    }
    const layer = this.layers[name];
    if (!layer) return;
    layer.canvas.hidden = !isShown || !this.prediction;
    layer.canvas.style.opacity = opacity;
    const over = name === "prediction" ? desk.map.labels : null;
    if (name === "uncertainty" && this.prediction) {
      layer.raster.colours = uncertaintyColours(this.prediction.top);
    }
    layer.show(this.prediction?.[map] ?? null, desk.size.width, over);
  }

  draw() {
    for (const layer of this.shown()) layer.draw(this.desk.view);
  }

  /** @param {import("./rasters.js").Rect} rect of the label map that changed */
  redraw(rect) {
    const { prediction, edges } = this.layers;
    for (const layer of [prediction, edges]) {
      if (layer && !layer.canvas.hidden) layer.drawPart(this.desk.view, rect);
    }
  }

  shown() {
    return Object.values(this.layers).filter((layer) => !layer.canvas.hidden);
  }

  /** The joined region of the predicted class under a point. */
  acceptRegion(point) {
    const { size } = this.desk;
    const column = Math.floor(point.x);
    const row = Math.floor(point.y);
    this.accept((labels) => regionSpans(labels, size, column, row));
  }

  /** Everything predicted to be of a class, or of any. @param {number} [value] */
  acceptAll(value) {
    this.accept((labels) => valueSpans(labels, this.desk.size, value));
  }

  accept(choose) {
    const { desk } = this;
    if (!desk.mayPaint()) return;
    if (!this.prediction) {
      desk.toast("There is no prediction yet.");
      return;
    }
    if (!desk.options.values.showsPrediction) {
      desk.toast("The prediction is hidden. Show it first (T), then accept what you see.");
      return;
    }
    const { labels } = this.prediction;
    const { locked, onlyUnlabelled } = desk.options.rules;
    const isKept = onlyUnlabelled || desk.options.values.acceptsOnlyUnlabelled;
    desk.redraw(desk.map.paint(choose(labels), labels, { locked, onlyUnlabelled: isKept }));
    desk.commit("accept");
  }

  /** What is predicted at a point, or unlabelled. */
  valueAt({ x, y }) {
    const { labels } = this.prediction ?? {};
    return labels ? labels[Math.floor(y) * this.desk.size.width + Math.floor(x)] : UNLABELLED;
  }

  close() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.request = null;
  }
}

const count = (number) => number.toLocaleString("en-GB");
