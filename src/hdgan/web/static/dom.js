/** Making elements without markup in strings. */

const SPECIAL = {
  class: (element, value) => (element.className = value),
  text: (element, value) => (element.textContent = value),
  data: (element, value) => Object.assign(element.dataset, value),
  style: (element, value) => {
    for (const [name, setting] of Object.entries(value)) element.style.setProperty(name, setting);
  },
};

function give(element, name, value) {
  if (name in SPECIAL) SPECIAL[name](element, value);
  else if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
  else if (typeof value === "boolean" && !name.startsWith("aria-")) {
    element.toggleAttribute(name, value);
  } else element.setAttribute(name, value);
}

/**
 * An element with attributes (`class`, `text`, `data`, `style` and `onclick` as one expects;
 * null and undefined are left out) and children.
 * @param {string} tag @param {object} [attributes]
 * @param {...(Node|string|null|undefined|false|(Node|string)[])} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) give(element, name, value);
  }
  element.append(...children.flat().filter(Boolean));
  return element;
}

/** A button that does `run`. @returns {HTMLButtonElement} */
export function button(label, run, attributes = {}) {
  return make("button", { type: "button", ...attributes, onclick: run }, label);
}

/** @param {EventTarget} target @returns {boolean} whether typing there writes text or chooses */
export function takesKeys(target) {
  return target instanceof Element && target.closest("input, select, textarea") !== null;
}

/** @param {number} share from 0 to 1 @returns {string} such as "4 %", "< 1 %" */
export function percent(share) {
  if (share > 0 && share < 0.01) return "< 1 %";
  if (share < 1 && share > 0.99) return "> 99 %";
  return `${Math.round(100 * share)} %`;
}
