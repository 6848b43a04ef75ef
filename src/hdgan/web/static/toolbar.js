/** What lies over the grid: how far the selection has come, filters, order and habits. */

import { choices, progress, sentence } from "./catalogue.js";
import { button, make } from "./dom.js";

const LABELS = { split: "Split", stain: "Stain", order: "Order" };

function meter(label, words, value, max) {
  const name = `${label}: ${words}`;
  return make(
    "div",
    { class: "goal" },
    make("span", {}, make("span", { text: `${label} ` }), make("b", { text: words })),
    make("progress", { max: Math.max(max, 1), value: Math.min(value, max), "aria-label": name }),
  );
}

/** The counts against the goal. */
export class Counts {
  /**
   * @param {?Record<string, number>} goal
   * @param {() => void} deal gives the rest of the kept tiles a split
   */
  constructor(goal, deal) {
    this.goal = goal;
    this.meters = make("div", { class: "goals" });
    this.deal = button("Deal the rest", deal, {
      title: "Give every kept tile without a split one, until the goal is reached",
    });
    this.deal.hidden = !goal;
    this.element = make("div", { class: "counts" }, this.meters, this.deal);
  }

  /** @param {import("./api.js").Tile[]} tiles */
  show(tiles) {
    const { kept, wanted, painted, dealt, splits } = progress(tiles, this.goal);
    const all =
      wanted === null
        ? meter("Kept", String(kept), kept, tiles.length)
        : meter("Kept", `${kept} of ${wanted}`, kept, wanted);
    const rest = splits.map(({ name, count, goal }) =>
      meter(sentence(name), `${count}/${goal}`, count, goal),
    );
    const work = meter("Painted", `${painted} of ${kept} kept`, painted, kept);
    this.meters.replaceChildren(all, ...rest, work);
    this.deal.disabled = dealt === kept;
  }
}

function options(select, offered) {
  const value = select.value;
  select.replaceChildren(
    ...offered.map(([name, words, count]) =>
      make("option", { value: name, text: count === undefined ? words : `${words} (${count})` }),
    ),
  );
  select.value = value;
}

/** The filters; `filter` is changed in place. */
export class Filters {
  /**
   * @param {import("./catalogue.js").Filter} filter
   * @param {boolean} splits whether the set has splits
   * @param {() => void} changed
   */
  constructor(filter, splits, changed) {
    this.filter = filter;
    this.splits = splits;
    this.changed = changed;
    this.states = make(
      "fieldset",
      { class: "states" },
      make("legend", { class: "unseen", text: "Show" }),
    );
    this.selects = {};
    this.count = make("span", { class: "shown", role: "status" });
    this.more = make("div", { class: "selects" });
    this.element = make("div", { class: "filters" }, this.states, this.more, this.count);
  }

  #set(name, value) {
    this.filter[name] = value;
    this.changed();
  }

  #showStates(offered) {
    for (const [value, words, count] of offered) {
      const id = `state-${value}`;
      let label = this.states.querySelector(`label[for=${id}]`);
      if (!label) {
        const radio = make("input", { type: "radio", name: "state", id, value });
        radio.checked = value === this.filter.state;
        radio.addEventListener("change", () => this.#set("state", value));
        label = make("label", { for: id });
        this.states.append(make("span", {}, radio, label));
      }
      label.replaceChildren(`${words} `, make("b", { text: String(count) }));
    }
  }

  #makeSelect(name, offered) {
    const select = make("select", { id: `filter-${name}` });
    select.addEventListener("change", () => this.#set(name, select.value));
    const label = make("label", { for: select.id, text: LABELS[name] });
    this.more.append(make("span", { class: "field" }, label, select));
    this.selects[name] = select;
    options(select, offered);
    if (!offered.some(([value]) => value === this.filter[name])) this.filter[name] = offered[0][0];
    select.value = this.filter[name];
  }

  /** @param {import("./api.js").Tile[]} tiles all @param {number} shown */
  show(tiles, shown) {
    const { state, ...rest } = choices(tiles, this.splits);
    this.#showStates(state);
    for (const [name, offered] of Object.entries(rest)) {
      if (!offered.length) continue;
      if (name in this.selects) options(this.selects[name], offered);
      else this.#makeSelect(name, offered);
    }
    this.count.classList.toggle("unseen", !this.filter.split && !this.filter.stain);
    this.count.textContent = shown === 1 ? "1 tile" : `${shown} tiles`;
  }

  /** Show what `filter` says after it was changed from outside. */
  adopt() {
    for (const [name, select] of Object.entries(this.selects)) select.value = this.filter[name];
    const radio = this.states.querySelector(`#state-${this.filter.state}`);
    if (radio) radio.checked = true;
  }
}

/**
 * A checkbox for a habit.
 * @param {string} label @param {Record<string, boolean>} habits @param {string} name
 * @returns {HTMLElement}
 */
export function habit(label, habits, name) {
  const box = make("input", { type: "checkbox", id: `habit-${name}` });
  box.checked = habits[name];
  box.addEventListener("change", () => (habits[name] = box.checked));
  return make("span", { class: "habit" }, box, make("label", { for: box.id, text: label }));
}
