// Elements, made without HTML text: what Envoys and files say stays text.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children. A function is a listener, false and null leave an attribute out. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

/** Sets text only where it differs, so that screen readers are not told the same again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Calls `render` only where the data differ from the last time, so that focus and selection stay. */
export function whenChanged(element, data, render) {
  const key = JSON.stringify(data);
  if (element.dataset.shown === key) return;
  element.dataset.shown = key;
  render(element, data);
}
