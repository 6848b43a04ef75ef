/** The grid of cards: a listbox with one tab stop, a current tile, and buttons over it. */

import { describeCard, emptyCard, furnishCard } from "./card.js";
import { button, make } from "./dom.js";

const HOVER_BUTTONS = [
  ["keep", "✓", "Keep"],
  ["maybe", "?", "Maybe"],
  ["reject", "✕", "Reject"],
  ["preview", "⤢", "Show large"],
  ["open", "✎", "Paint"],
];

const NEAR = "700px 0px";

/** Cards in order, of which one is current and takes the focus for all. */
export class Grid {
  /**
   * @param {{current: (tile: ?string) => void, open: (tile: string) => void,
   *   act: (action: string, tile: string) => void}} hear
   */
  constructor(hear) {
    this.hear = hear;
    this.cards = new Map();
    this.tiles = new Map();
    this.names = [];
    this.current = null;
    this.list = make("div", { class: "cards", role: "listbox", "aria-label": "Tiles" });
    this.bar = this.#makeBar();
    this.empty = make("div", { class: "empty", hidden: true });
    this.element = make("div", { class: "scroller" }, this.list, this.bar, this.empty);
    this.#listen();
    const near = { root: this.element, rootMargin: NEAR };
    this.nearness = new IntersectionObserver((seen) => this.#furnish(seen), near);
  }

  #furnish(seen) {
    for (const { target, isIntersecting } of seen) {
      if (!isIntersecting) continue;
      this.nearness.unobserve(target);
      furnishCard(target, this.tiles.get(target.dataset.tile));
    }
  }

  #cardOf(name) {
    const known = this.cards.get(name);
    if (known) return known;
    const card = emptyCard(name);
    this.cards.set(name, card);
    this.nearness.observe(card);
    return card;
  }

  #makeBar() {
    const buttons = HOVER_BUTTONS.map(([action, sign, words]) =>
      button(sign, () => this.hear.act(action, this.over), {
        data: { action },
        title: words,
        tabindex: "-1",
      }),
    );
    const label = "For the tile under the pointer";
    return make(
      "div",
      { class: "hover-bar", role: "group", "aria-label": label, hidden: true },
      buttons,
    );
  }

  #listen() {
    const cardOf = (event) => event.target.closest(".card");
    this.list.addEventListener("pointerover", (event) => {
      if (cardOf(event)) this.#placeBar(cardOf(event).dataset.tile, true);
    });
    new ResizeObserver(() => this.#placeBar(this.current)).observe(this.list);
    this.element.addEventListener("pointerleave", () => this.#placeBar(this.current));
    this.list.addEventListener("click", (event) => {
      if (cardOf(event)) this.select(cardOf(event).dataset.tile, true);
    });
    this.list.addEventListener("dblclick", (event) => {
      if (cardOf(event)) this.hear.open(cardOf(event).dataset.tile);
    });
    this.list.addEventListener("focusin", (event) => {
      const card = cardOf(event);
      if (card && card.dataset.tile !== this.current) this.select(card.dataset.tile, true);
    });
  }

  #placeBar(name, hovered = false) {
    const card = this.cards.get(name);
    this.bar.hidden = !card?.isConnected;
    this.bar.classList.toggle("at-rest", !hovered);
    this.over = name;
    if (this.bar.hidden) return;
    const { offsetLeft, offsetTop, offsetWidth } = card;
    const place = {
      "--left": offsetLeft,
      "--top": offsetTop + offsetWidth,
      "--width": offsetWidth,
    };
    for (const [side, px] of Object.entries(place)) this.bar.style.setProperty(side, `${px}px`);
    for (const made of this.bar.children) made.setAttribute("aria-label", `${made.title} ${name}`);
  }

  /** @param {import("./api.js").Tile[]} tiles whose cards are brought up to date */
  refresh(tiles) {
    for (const tile of tiles) {
      this.tiles.set(tile.tile, tile);
      describeCard(this.#cardOf(tile.tile), tile);
    }
  }

  /** Show these tiles in this order; cards that stay are not touched. @param {string[]} names */
  arrange(names) {
    const wanted = new Set(names);
    for (const name of this.names) if (!wanted.has(name)) this.cards.get(name).remove();
    let place = this.list.firstChild;
    for (const name of names) {
      const card = this.cards.get(name);
      if (card === place) place = place.nextSibling;
      else this.list.insertBefore(card, place);
    }
    this.names = names;
    this.empty.hidden = names.length > 0;
    this.list.hidden = names.length === 0;
  }

  /**
   * Make a tile the current one.
   * @param {?string} name @param {boolean} focus whether its card gets the focus
   */
  select(name, focus) {
    const before = this.cards.get(this.current);
    before?.setAttribute("tabindex", "-1");
    before?.setAttribute("aria-selected", "false");
    this.current = name;
    const card = this.cards.get(name);
    card?.setAttribute("tabindex", "0");
    card?.setAttribute("aria-selected", "true");
    if (focus) card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: "nearest" });
    this.#placeBar(name);
    this.hear.current(name);
  }

  /** @returns {boolean} whether the focus is on a card or nowhere */
  get hasFocus() {
    const active = document.activeElement;
    return active === document.body || this.element.contains(active);
  }

  /** @returns {number} cards beside each other */
  get columns() {
    return getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
  }

  /** @param {number} by cards to go on by, back if negative @returns {?string} */
  neighbour(by) {
    const at = this.names.indexOf(this.current) + by;
    return this.names[Math.max(0, Math.min(this.names.length - 1, at))] ?? null;
  }

  /** @param {string} key @returns {?string} the tile that an arrow key and its like lead to */
  target(key) {
    const columns = this.columns;
    const row = this.cards.get(this.current)?.offsetHeight ?? 1;
    const page = columns * Math.max(1, Math.floor(this.element.clientHeight / row));
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      PageUp: -page,
      PageDown: page,
      Home: -this.names.length,
      End: this.names.length,
    };
    if (!(key in steps)) return null;
    const at = this.names.indexOf(this.current) + steps[key];
    const leavesColumn = key.startsWith("Arrow") && (at < 0 || at >= this.names.length);
    return leavesColumn ? this.current : this.neighbour(steps[key]);
  }
}
